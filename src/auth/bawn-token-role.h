/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-token-params.h"
#include "storage/bawn-txn.h"

G_BEGIN_DECLS

/* Where roles are, below the mount. */
#define BAWN_TOKEN_ROLE_PREFIX "role/"

/* Of the token_* fields, what a token role has. */
#define BAWN_TOKEN_ROLE_PARAMS                                                                     \
  (BAWN_TOKEN_PARAM_CIDRS | BAWN_TOKEN_PARAM_EXPLICIT_MAX_TTL | BAWN_TOKEN_PARAM_NO_DEFAULT_POLICY \
   | BAWN_TOKEN_PARAM_NUM_USES | BAWN_TOKEN_PARAM_PERIOD | BAWN_TOKEN_PARAM_TYPE)
#define BAWN_TOKEN_ROLE_LEGACY                                                                     \
  (BAWN_TOKEN_PARAM_CIDRS | BAWN_TOKEN_PARAM_EXPLICIT_MAX_TTL | BAWN_TOKEN_PARAM_PERIOD)

/**
 * BawnTokenRole:
 *
 * What tokens may be made through auth/token/create/<name>. Immutable once shared,
 * reference-counted.
 */
typedef struct
{
  char *name;
  gboolean orphan;
  gboolean renewable;
  char *path_suffix;
  GStrv allowed_policies;
  GStrv disallowed_policies;
  GStrv allowed_globs;
  GStrv disallowed_globs;
  GStrv allowed_entity_aliases;
  BawnTokenParams params;
} BawnTokenRole;

BawnTokenRole *bawn_token_role_new (const char *name);
BawnTokenRole *bawn_token_role_copy (const BawnTokenRole *role);
void bawn_token_role_unref (BawnTokenRole *role);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnTokenRole, bawn_token_role_unref)

/* @txn: the mount's part. Absent: NULL. */
gboolean
bawn_token_role_get (BawnTxn *txn, const char *name, BawnTokenRole **out_role, GError **error);
void bawn_token_role_put (BawnTxn *txn, const BawnTokenRole *role);
void bawn_token_role_show (const BawnTokenRole *role, BawnJsonWriter *w);

/* Whether @text is among @names, or fits one of @globs, in which '*' is any text. */
gboolean bawn_token_role_names (GStrv names, GStrv globs, const char *text);
/* Whether it says anything about policies. */
gboolean bawn_token_role_restricts (const BawnTokenRole *role);

G_END_DECLS
