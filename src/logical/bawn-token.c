/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-token.h"

#include "logical/bawn-string-map.h"

#define ROOT_POLICY "root"

static void
token_clear (gpointer data)
{
  BawnToken *token = data;

  g_free (token->hash);
  bawn_string_wipe_free (token->accessor);
  g_free (token->parent);
  g_free (token->display_name);
  g_free (token->path);
  g_free (token->role);
  g_free (token->entity_id);
  g_free (token->cubbyhole);
  g_strfreev (token->policies);
  g_clear_pointer (&token->meta, g_hash_table_unref);
  g_strfreev (token->bound_cidrs);
  g_clear_pointer (&token->internal, g_hash_table_unref);
}

/**
 * bawn_token_new:
 *
 * Returns: (transfer full): a service token with nothing set, to be filled before it is shared
 */
BawnToken *
bawn_token_new (void)
{
  return g_atomic_rc_box_new0 (BawnToken);
}

/**
 * bawn_token_copy:
 * @token: a token
 *
 * Returns: (transfer full): a deep copy, to be changed before it is shared
 */
BawnToken *
bawn_token_copy (const BawnToken *token)
{
  g_return_val_if_fail (token != NULL, NULL);

  BawnToken *copy = bawn_token_new ();

  *copy = *token;
  copy->hash = g_strdup (token->hash);
  copy->accessor = g_strdup (token->accessor);
  copy->parent = g_strdup (token->parent);
  copy->display_name = g_strdup (token->display_name);
  copy->path = g_strdup (token->path);
  copy->role = g_strdup (token->role);
  copy->entity_id = g_strdup (token->entity_id);
  copy->cubbyhole = g_strdup (token->cubbyhole);
  copy->policies = g_strdupv (token->policies);
  copy->meta = bawn_string_map_copy (token->meta);
  copy->bound_cidrs = g_strdupv (token->bound_cidrs);
  copy->internal = bawn_string_map_copy (token->internal);

  return copy;
}

/**
 * bawn_token_ref:
 * @token: a token
 *
 * Returns: (transfer full): @token. Any thread.
 */
BawnToken *
bawn_token_ref (BawnToken *token)
{
  return g_atomic_rc_box_acquire (token);
}

/**
 * bawn_token_unref:
 * @token: (transfer full): a token
 */
void
bawn_token_unref (BawnToken *token)
{
  g_atomic_rc_box_release_full (token, token_clear);
}

/**
 * bawn_token_has_policy:
 * @token: a token
 * @policy: a policy's name, in lower case
 *
 * Returns: whether the token names that policy
 */
gboolean
bawn_token_has_policy (const BawnToken *token, const char *policy)
{
  g_return_val_if_fail (token != NULL, FALSE);

  return token->policies != NULL && g_strv_contains ((const char *const *) token->policies, policy);
}

/**
 * bawn_token_is_root:
 * @token: a token
 *
 * Returns: whether the token may do everything
 */
gboolean
bawn_token_is_root (const BawnToken *token)
{
  return bawn_token_has_policy (token, ROOT_POLICY);
}

/**
 * bawn_auth_new:
 * @token: (transfer full): what the token is to be
 *
 * Returns: (transfer full): an answer's "auth" part
 */
BawnAuth *
bawn_auth_new (BawnToken *token)
{
  g_return_val_if_fail (token != NULL, NULL);

  BawnAuth *auth = g_new0 (BawnAuth, 1);

  auth->token = token;

  return auth;
}

/**
 * bawn_auth_free:
 * @auth: (transfer full): what bawn_auth_new() gave; the client token is wiped
 */
void
bawn_auth_free (BawnAuth *auth)
{
  bawn_string_wipe_free (auth->client_token);
  bawn_token_unref (auth->token);
  g_free (auth);
}
