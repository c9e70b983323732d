/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-bytes.h"

G_BEGIN_DECLS

/* Where cubbyholes live in the unscoped storage: "cubbyhole/<token's cubbyhole>/<path>". */
#define BAWN_CUBBYHOLE_PREFIX "cubbyhole/"

typedef enum
{
  BAWN_TOKEN_SERVICE,
  BAWN_TOKEN_BATCH,
} BawnTokenType;

/**
 * BawnToken:
 * @hash: the keyed hash under which it is stored (hex); what everything else names it by
 * @parent: (nullable): hash of the parent; %NULL for an orphan
 * @ttl_us: the time to live it was last given; 0: it does not expire
 * @expire_us: when it ends (real time); 0: never
 * @num_uses: uses left; 0: unlimited
 * @cubbyhole: names its cubbyhole
 *
 * A token as stored, without its id. Immutable once shared, reference-counted.
 */
typedef struct
{
  char *hash;
  char *accessor;
  char *parent;
  BawnTokenType type;
  char *display_name;
  char *path;
  char *role;
  char *entity_id;
  char *cubbyhole;
  GStrv policies;
  GHashTable *meta;          /* nullable, string to string */
  GStrv bound_cidrs;         /* nullable */
  gint64 creation_us;
  gint64 creation_ttl_us;
  gint64 ttl_us;
  gint64 expire_us;
  gint64 last_renewal_us;
  gint64 explicit_max_ttl_us;
  gint64 period_us;
  gint64 max_ttl_us;         /* of the login method or role; 0: the mount's */
  gint64 num_uses;
  gboolean renewable;
  gboolean no_default_policy;
  GHashTable *internal;      /* nullable: what a login method wants back at renewal */
} BawnToken;

BawnToken *bawn_token_new (void);
BawnToken *bawn_token_copy (const BawnToken *token);
BawnToken *bawn_token_ref (BawnToken *token);
void bawn_token_unref (BawnToken *token);
gboolean bawn_token_has_policy (const BawnToken *token, const char *policy);
gboolean bawn_token_is_root (const BawnToken *token);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnToken, bawn_token_unref)

/**
 * BawnAuth:
 * @client_token: (nullable): set when the token has been made; %NULL asks the pipeline to make it
 * @token: what the token is to be, or is
 *
 * The "auth" part of an answer: a login's wish, and after the pipeline its result.
 */
typedef struct
{
  char *client_token;
  BawnToken *token;
} BawnAuth;

BawnAuth *bawn_auth_new (BawnToken *token); /* takes @token */
void bawn_auth_free (BawnAuth *auth);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnAuth, bawn_auth_free)

G_END_DECLS
