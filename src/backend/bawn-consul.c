/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-consul.h"

#include "util/bawn-bytes.h"

#include <string.h>

/* A token is a UUID; this leaves room for another kind, and none for a wrong file. */
#define MAX_TOKEN 4096
/* Of what a server says, for the log. */
#define MAX_COMPLAINT 300

#define HTTP_FORBIDDEN 403
#define HTTP_TOO_MANY_REQUESTS 429

struct _BawnConsulOptions
{
  BawnRestOptions *rest;
  char *token;
  char *token_file;
  char *datacenter;
};

struct _BawnConsul
{
  BawnConsulOptions *options;
  BawnRest *rest;
  GMutex lock;
  char *token; /* (nullable); under lock */
};

static gboolean
is_printable (const char *text)
{
  for (; *text != '\0'; text++)
    if ((guchar) *text <= ' ' || (guchar) *text >= 0x7f)
      return FALSE;

  return TRUE;
}

/**
 * bawn_consul_options_read:
 * @group: the configuration's group
 * @any_datacenter: whether to read datacenter
 *
 * Reads how to reach Consul, and as whom.
 *
 * Returns: (transfer full): what it says
 */
BawnConsulOptions *
bawn_consul_options_read (BawnConfigGroup *group, gboolean any_datacenter)
{
  BawnConsulOptions *options = g_new0 (BawnConsulOptions, 1);

  options->rest = bawn_rest_options_read (group, BAWN_CONSUL_ADDRESS);
  options->token = bawn_config_get_string (group, "token", NULL);
  options->token_file = bawn_config_get_string (group, "token-file", NULL);
  if (any_datacenter)
    options->datacenter = bawn_config_get_string (group, "datacenter", NULL);
  if (options->token != NULL && options->token_file != NULL)
    bawn_config_complain (group, "token-file", "there is a token already");
  if (options->token != NULL && (*options->token == '\0' || !is_printable (options->token)))
    bawn_config_complain (group, "token", "this cannot be a token");
  return options;
}

void
bawn_consul_options_free (BawnConsulOptions *options)
{
  g_clear_pointer (&options->rest, bawn_rest_options_free);
  bawn_string_wipe_free (options->token);
  g_free (options->token_file);
  g_free (options->datacenter);
  g_free (options);
}

/* Whoever puts a new token there replaces the file as a whole. */
static char *
read_token_file (const char *path, GError **error)
{
  g_autoptr (BawnWipedString) text = NULL;
  g_autoptr (GError) local = NULL;
  gsize size = 0;

  if (!g_file_get_contents (path, &text, &size, &local))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "the token of Consul cannot be read: %s",
                           local->message);

  g_strstrip (text);
  if (*text == '\0' || size > MAX_TOKEN || strlen (text) > size || !is_printable (text))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "%s holds no token of Consul", path);

  return g_steal_pointer (&text);
}

static gboolean
says (const BawnRestReply *reply, const char *what)
{
  gsize size = 0;
  const char *data = reply->body != NULL ? g_bytes_get_data (reply->body, &size) : NULL;

  return data != NULL && memmem (data, size, what, strlen (what)) != NULL;
}

/**
 * bawn_consul_did_nothing:
 * @reply: an answer
 *
 * Tells the refusals from which nothing can come any more: there was nobody to take the request, or
 * it was too many. Other failures of a server, such as "rpc error making call: EOF", leave that
 * open.
 *
 * Returns: %TRUE if what was asked for is not done and never will be
 */
gboolean
bawn_consul_did_nothing (const BawnRestReply *reply)
{
  if (reply->status >= 500)
    return says (reply, "No cluster leader") || says (reply, "node is not the leader");

  return reply->status >= 300 && reply->status < 500;
}

/* Another server may know the leader, or have room. */
static gboolean
should_try_next (const BawnRestReply *reply)
{
  return reply->status == HTTP_TOO_MANY_REQUESTS
         || (reply->status >= 500 && bawn_consul_did_nothing (reply));
}

/**
 * bawn_consul_new:
 * @options: (transfer full): how to reach it
 * @error: (out) (optional): INVALID for a token or certificate that cannot be read
 *
 * Makes a client. Does not connect.
 *
 * Returns: (transfer full): it, or %NULL
 */
BawnConsul *
bawn_consul_new (BawnConsulOptions *options, GError **error)
{
  g_autoptr (BawnConsul) self = g_new0 (BawnConsul, 1);

  g_mutex_init (&self->lock);
  self->options = options;
  self->token = options->token_file != NULL ? read_token_file (options->token_file, error)
                                             : g_strdup (options->token);
  if (options->token_file != NULL && self->token == NULL)
    return NULL;

  self->rest = bawn_rest_new (options->rest, should_try_next, error);
  return self->rest != NULL ? g_steal_pointer (&self) : NULL;
}

void
bawn_consul_free (BawnConsul *self)
{
  g_clear_pointer (&self->rest, bawn_rest_unref);
  g_clear_pointer (&self->options, bawn_consul_options_free);
  bawn_string_wipe_free (self->token);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static char *
dup_token (BawnConsul *self)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  return g_strdup (self->token);
}

/* After a refusal: TRUE if the token has been replaced since @used was read. */
static gboolean
renew_token (BawnConsul *self, const char *used)
{
  if (self->options->token_file == NULL)
    return FALSE;

  g_autoptr (BawnWipedString) fresh = read_token_file (self->options->token_file, NULL);

  if (fresh == NULL || g_strcmp0 (fresh, used) == 0)
    return FALSE;

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  bawn_string_wipe_free (self->token);
  self->token = g_steal_pointer (&fresh);
  return TRUE;
}

static char *
make_target (BawnConsul *self, const BawnConsulCall *call)
{
  const char *datacenter = self->options->datacenter;
  g_autofree char *dc = datacenter != NULL ? g_uri_escape_string (datacenter, NULL, FALSE) : NULL;
  GString *target = g_string_new (call->path);

  if (call->query != NULL)
    g_string_append_printf (target, "?%s", call->query);
  if (dc != NULL)
    g_string_append_printf (target, "%sdc=%s", call->query != NULL ? "&" : "?", dc);
  return g_string_free (target, FALSE);
}

/**
 * bawn_consul_call:
 * @self: a client
 * @call: what to ask
 * @out_reply: (out): the answer, of any status
 * @cancellable: (nullable): ends it
 * @error: (out) (optional): as for bawn_rest_call()
 *
 * Asks Consul. If it refuses the token and the token's file holds another one by now, asks again
 * with that. Blocks; from any thread.
 *
 * Returns: %TRUE if there is an answer
 */
gboolean
bawn_consul_call (BawnConsul *self,
                  const BawnConsulCall *call,
                  BawnRestReply *out_reply,
                  GCancellable *cancellable,
                  GError **error)
{
  g_autofree char *target = make_target (self, call);

  for (guint try = 0;; try++)
    {
      g_autoptr (BawnWipedString) token = dup_token (self);
      const char *const headers[] = { token != NULL ? "X-Consul-Token" : NULL, token, NULL };
      const BawnRestRequest request = {
        .method = call->method,
        .path = target,
        .body = call->body,
        .content_type = call->body != NULL ? "application/json" : NULL,
        .headers = headers,
        .timeout_us = call->timeout_us,
        .is_repeatable = call->is_repeatable,
        .is_wait = call->is_wait,
      };
      g_auto (BawnRestReply) reply = { 0 };

      if (!bawn_rest_call (self->rest, &request, &reply, cancellable, error))
        return FALSE;
      if (reply.status == HTTP_FORBIDDEN && try == 0 && renew_token (self, token))
        continue;

      *out_reply = reply;
      memset (&reply, 0, sizeof reply);
      return TRUE;
    }
}

char *
bawn_consul_dup_complaint (const BawnRestReply *reply)
{
  gsize size = 0;
  const char *data = reply->body != NULL ? g_bytes_get_data (reply->body, &size) : NULL;
  char *text = g_strndup (data != NULL ? data : "", MIN (size, MAX_COMPLAINT));

  for (char *at = text; *at != '\0'; at++)
    if (!g_ascii_isprint (*at))
      *at = ' ';
  return g_strstrip (text);
}

gboolean
bawn_consul_fail_reply (const BawnRestReply *reply, GError **error)
{
  g_autofree char *complaint = bawn_consul_dup_complaint (reply);

  return bawn_fail (error, BAWN_ERROR_UPSTREAM, "Consul at %s answered %u%s%s", reply->address,
                    reply->status, *complaint != '\0' ? ": " : "", complaint);
}

guint64
bawn_consul_reply_index (const BawnRestReply *reply)
{
  const char *text =
      reply->headers != NULL ? g_hash_table_lookup (reply->headers, "x-consul-index") : NULL;
  guint64 index = 0;

  return text != NULL && g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &index, NULL) ? index
                                                                                            : 0;
}
