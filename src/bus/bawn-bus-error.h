/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-error.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define BAWN_BUS_ERROR_PREFIX "org.bawn.Bawn1.Error."

/* "org.bawn.Bawn1.Error.Sealed" … */
const char *bawn_bus_error_name (BawnErrorCode code);
/* What the caller may read of @error. */
const char *bawn_bus_error_message (const GError *error);
/* Answers the call with @error; takes the invocation. */
void bawn_bus_error_return (GDBusMethodInvocation *invocation, const GError *error);

G_END_DECLS
