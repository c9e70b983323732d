/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-auth-token.h"
#include "auth/bawn-token-role.h"
#include "util/bawn-error.h"

G_BEGIN_DECLS

const BawnTokenServices *bawn_auth_token_get_services (BawnEngine *engine);
/* SEALED if the node was sealed meanwhile. */
BawnTokenStore *bawn_auth_token_ref_store (BawnEngine *engine, GError **error);
/* Has the sweeper look, once what the request wrote stands. */
void bawn_auth_token_sweep_after (BawnEngine *engine, BawnResponse *response);

/* Roles, in the mount's part of an unscoped transaction. Absent: NULL. */
gboolean bawn_auth_token_get_role (
    BawnRequest *request, BawnTxn *txn, const char *name, BawnTokenRole **out_role, GError **error);

/* Handlers; all get an unscoped transaction. */
BawnResponse *
bawn_auth_token_create (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_auth_token_create_orphan (BawnEngine *engine,
                                             BawnRequest *request,
                                             BawnTxn *txn,
                                             GError **error);
BawnResponse *bawn_auth_token_create_by_role (BawnEngine *engine,
                                              BawnRequest *request,
                                              BawnTxn *txn,
                                              GError **error);
BawnResponse *
bawn_auth_token_lookup (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_auth_token_lookup_self (BawnEngine *engine,
                                           BawnRequest *request,
                                           BawnTxn *txn,
                                           GError **error);
BawnResponse *bawn_auth_token_lookup_accessor (BawnEngine *engine,
                                               BawnRequest *request,
                                               BawnTxn *txn,
                                               GError **error);
BawnResponse *bawn_auth_token_list_accessors (BawnEngine *engine,
                                              BawnRequest *request,
                                              BawnTxn *txn,
                                              GError **error);
BawnResponse *
bawn_auth_token_renew (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *
bawn_auth_token_renew_self (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_auth_token_renew_accessor (BawnEngine *engine,
                                              BawnRequest *request,
                                              BawnTxn *txn,
                                              GError **error);
BawnResponse *
bawn_auth_token_revoke (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_auth_token_revoke_self (BawnEngine *engine,
                                           BawnRequest *request,
                                           BawnTxn *txn,
                                           GError **error);
BawnResponse *bawn_auth_token_revoke_accessor (BawnEngine *engine,
                                               BawnRequest *request,
                                               BawnTxn *txn,
                                               GError **error);
BawnResponse *bawn_auth_token_revoke_orphan (BawnEngine *engine,
                                             BawnRequest *request,
                                             BawnTxn *txn,
                                             GError **error);
BawnResponse *
bawn_auth_token_tidy (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *
bawn_auth_token_list_roles (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *
bawn_auth_token_read_role (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *
bawn_auth_token_write_role (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_auth_token_delete_role (BawnEngine *engine,
                                           BawnRequest *request,
                                           BawnTxn *txn,
                                           GError **error);

/* The smaller of two that are not 0. */
gint64 bawn_auth_token_join_periods (gint64 a, gint64 b);
/* What was asked for when a token was made through a role that may have a period too. */
gint64 bawn_auth_token_own_period (const BawnToken *token);

/* What becomes of the times of a token made here, at its renewal. @txn: the mount's part. */
gboolean bawn_auth_token_renew_own (BawnTxn *txn, BawnToken *token, GError **error);

/* Reads the token that a request names in its field "token" or "accessor". NULL without error:
 * there is none. */
gboolean bawn_auth_token_find (BawnEngine *engine,
                               BawnRequest *request,
                               BawnTxn *txn,
                               const char *id,
                               BawnToken **out_token,
                               GError **error);
gboolean bawn_auth_token_find_accessor (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, BawnToken **out_token, GError **error);

G_END_DECLS
