/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/bawn-secret.h"

G_BEGIN_DECLS

gboolean bawn_certificate_new_self_signed (const char *name, GBytes **out_certificate, BawnSecret **out_key, GError **error);

G_END_DECLS
