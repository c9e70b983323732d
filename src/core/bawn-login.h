/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core-private.h"

G_BEGIN_DECLS

/* Makes the token that a login method wished for (@response->auth without a client token). */
gboolean bawn_login_finish (BawnActive *active, BawnRequest *request, BawnTxn *txn, BawnResponse *response, GError **error);
/* Runs the login method's renew_auth for @token and applies the method's limits. */
gboolean bawn_login_renew (BawnActive *active, BawnTxn *txn, BawnToken *token, GError **error);

G_END_DECLS
