/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-auth-token-private.h"

G_BEGIN_DECLS

/* A request to make a token: who asks, what for, and what comes of it. */
typedef struct
{
  BawnEngine *engine;
  BawnRequest *request;
  BawnTxn *txn;
  const BawnToken *parent;
  const BawnTokenRole *role; /* nullable */
  gboolean orphan;           /* create-orphan */
  /* asked for */
  GStrv policies;
  char *id;
  char *display_name;
  char *type;
  gint64 ttl_us;
  gint64 explicit_max_us;
  gint64 period_us;
  gint64 num_uses;
  gboolean renewable;
  gboolean no_parent;
  gboolean no_default_policy;
  GHashTable *meta;
  /* made */
  BawnToken *token;
  GPtrArray *warnings;
} BawnTokenMaking;

gboolean bawn_token_making_has_any (GStrv names);
/* Which policies the token gets, by the rules for those who may ask for any, for those who may not,
 * and for roles. */
gboolean bawn_token_making_set_policies (BawnTokenMaking *making, GError **error);

G_END_DECLS
