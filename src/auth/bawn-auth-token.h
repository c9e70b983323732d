/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-token-store.h"
#include "logical/bawn-engine.h"

G_BEGIN_DECLS

BawnEngine *bawn_auth_token_new (const BawnTokenServices *services);

G_END_DECLS
