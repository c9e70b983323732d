/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-token-store.h"
#include "logical/bawn-engine.h"

G_BEGIN_DECLS

/**
 * BawnAuthToken:
 *
 * The login method mounted at auth/token/: making tokens, looking at them, renewing and revoking
 * them, and the roles that say what others may make.
 */
#define BAWN_TYPE_AUTH_TOKEN (bawn_auth_token_get_type ())
G_DECLARE_FINAL_TYPE (BawnAuthToken, bawn_auth_token, BAWN, AUTH_TOKEN, BawnEngine)

/* @services is copied; what it points to must outlive the engine. */
BawnEngine *bawn_auth_token_new (const BawnTokenServices *services);

G_END_DECLS
