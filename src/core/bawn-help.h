/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-engine.h"

G_BEGIN_DECLS

/* {"help":…,"see_also":…,"openapi":…} for the request's path, out of the engine's table. */
BawnResponse *bawn_help_response (BawnEngine *engine, BawnRequest *request, GError **error);

G_END_DECLS
