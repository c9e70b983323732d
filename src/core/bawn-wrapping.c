/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-core-private.h"

static BawnToken *
make_wrapping_token (BawnRequest *request, gint64 ttl_us, gint64 now_us)
{
  BawnToken *token = bawn_token_new ();

  token->type = BAWN_TOKEN_SERVICE;
  token->policies = g_strsplit ("response-wrapping", ",", -1);
  g_free (token->path);
  token->path = g_strdup (request->path);
  g_free (token->display_name);
  token->display_name = g_strdup ("");
  token->num_uses = 1;
  token->ttl_us = ttl_us;
  token->creation_ttl_us = ttl_us;
  token->explicit_max_ttl_us = ttl_us;
  token->expire_us = now_us + ttl_us;
  token->no_default_policy = TRUE;

  return token;
}

/* A record of the cubbyhole, as the cubbyhole engine keeps them: the object that was written. */
static void
put_cubbyhole (BawnTxn *txn, const BawnToken *token, const char *name, BawnJsonWriter *w)
{
  g_autofree char *key = g_strconcat (BAWN_CUBBYHOLE_PREFIX, token->cubbyhole, "/", name, NULL);
  g_autoptr(GBytes) bytes = bawn_json_writer_finish (w);

  bawn_txn_put (txn, key, bytes);
}

static void
put_wrapped (BawnTxn *txn, const BawnToken *token, GBytes *body, guint status)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  gsize size = 0;
  const char *text = g_bytes_get_data (body, &size);

  /* The envelope goes in without its last newline. */
  if (size > 0 && text[size - 1] == '\n')
    size--;
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "response");
  bawn_json_writer_string_n (&w, text, size);
  if (status != 200)
    bawn_json_writer_add_int (&w, "status", status);
  bawn_json_writer_end_object (&w);
  put_cubbyhole (txn, token, "response", &w);
}

static void
put_wrap_info (BawnTxn *txn, const BawnToken *token, const BawnRequest *request, gint64 ttl_us, gint64 now_us)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autofree char *created = bawn_time_format (now_us);

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "creation_path", request->path);
  bawn_json_writer_add_string (&w, "creation_time", created);
  bawn_json_writer_add_int (&w, "creation_ttl", ttl_us / G_USEC_PER_SEC);
  bawn_json_writer_end_object (&w);
  put_cubbyhole (txn, token, "wrapinfo", &w);
}

/**
 * bawn_wrapping_wrap:
 * @active: the node
 * @request: whose answer it is
 * @txn: an unscoped transaction
 * @ttl_us: how long the answer waits
 * @inout_response: (inout): the answer; replaced by the one that tells where it waits
 * @error: return location
 *
 * Puts the encoded answer into the cubbyhole of a new token that can be used once. Answers without content, and those
 * that are not successes, stay as they are. Besides the answer the cubbyhole has "wrapinfo": creation path, time and ttl.
 *
 * Returns: %FALSE on error
 */
gboolean
bawn_wrapping_wrap (BawnActive *active, BawnRequest *request, BawnTxn *txn, gint64 ttl_us,
                    BawnResponse **inout_response, GError **error)
{
  guint status = 0;

  /* What is unwrapped is the plain envelope, without the members that old clients look for at the top. */
  if ((*inout_response)->form == BAWN_RESPONSE_INJECTED)
    (*inout_response)->form = BAWN_RESPONSE_ENVELOPE;
  g_autoptr(GBytes) body = bawn_response_encode (*inout_response, request->id, &status);

  if (body == NULL || (*inout_response)->wrap != NULL || status >= 300)
    return TRUE;

  gint64 now = bawn_clock_real_us (bawn_core_get_clock (active->core));
  /* In whole seconds, as it is stored: to rewrap what has 0 would be for ever. */
  ttl_us = MAX (ttl_us - ttl_us % G_USEC_PER_SEC, G_USEC_PER_SEC);
  g_autoptr(BawnToken) token = make_wrapping_token (request, ttl_us, now);
  g_autoptr(BawnWipedString) id = NULL;
  if (!bawn_token_store_create (active->tokens, txn, token, NULL, request->path, &id, error))
    return FALSE;
  put_wrapped (txn, token, body, status);
  put_wrap_info (txn, token, request, ttl_us, now);

  BawnResponse *wrapped = bawn_response_new_empty ();
  const BawnAuth *auth = (*inout_response)->auth;
  wrapped->wrap = g_new0 (BawnWrapInfo, 1);
  wrapped->wrap->token = g_steal_pointer (&id);
  wrapped->wrap->accessor = g_strdup (token->accessor);
  wrapped->wrap->creation_path = g_strdup (request->path);
  wrapped->wrap->wrapped_accessor = auth != NULL ? g_strdup (auth->token->accessor) : NULL;
  wrapped->wrap->ttl_us = ttl_us;
  wrapped->wrap->creation_us = now;
  wrapped->after_commit = g_steal_pointer (&(*inout_response)->after_commit);
  bawn_response_free (*inout_response);
  *inout_response = wrapped;

  return TRUE;
}
