/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-etcd-private.h"

#include <string.h>

/* The server's own defaults (--max-txn-ops, --max-request-bytes), and room above for those who
 * raised them. */
#define MAX_TXN_OPS 128
#define MAX_TXN_OPS_FLOOR 2
#define MAX_TXN_OPS_CEILING 4096
#define MAX_REQUEST_SIZE (1536 * 1024)
#define MAX_REQUEST_SIZE_FLOOR (512 * 1024)
#define MAX_REQUEST_SIZE_CEILING (64 * 1024 * 1024)
/* What a write or a condition takes in the server's own encoding besides its bytes. */
#define OP_OVERHEAD 64
/* The fence's write comes besides the largest value. */
#define ROOM_FOR_FENCE 1024
#define MAX_PREFIX 256

/* Between two questions to servers that are electing their leader. */
#define RETRY_PAUSE_MS 100
/* For a question that is asked again when its time is nearly over. */
#define MIN_PATIENCE_US (50 * G_TIME_SPAN_MILLISECOND)
#define MAX_FAULT 200

static void
read_prefix (BawnConfigGroup *group, BawnEtcd *etcd)
{
  g_autofree char *path = bawn_config_get_string (group, "path", "bawn/");
  gsize size = strlen (path);

  if (size == 0 || size > MAX_PREFIX)
    bawn_config_complain (group, "path", "must be a prefix of 1 to %d bytes for all keys",
                          MAX_PREFIX);

  etcd->prefix =
      g_str_has_suffix (path, "/") ? g_steal_pointer (&path) : g_strconcat (path, "/", NULL);
}

BawnEtcd *
bawn_etcd_new (BawnConfigGroup *group)
{
  BawnEtcd *etcd = g_new0 (BawnEtcd, 1);

  g_mutex_init (&etcd->lock);
  etcd->options = bawn_rest_options_read (group, "http://127.0.0.1:2379");
  etcd->login = bawn_etcd_login_new (group);
  read_prefix (group, etcd);
  etcd->max_txn_ops = (guint) bawn_config_get_int (group, "max-txn-ops", MAX_TXN_OPS,
                                                   MAX_TXN_OPS_FLOOR, MAX_TXN_OPS_CEILING);
  etcd->max_request_size =
      (gsize) bawn_config_get_size (group, "max-request-size", MAX_REQUEST_SIZE,
                                    MAX_REQUEST_SIZE_FLOOR, MAX_REQUEST_SIZE_CEILING);
  etcd->is_ha_enabled = bawn_config_get_bool (group, "ha-enabled", TRUE);
  return etcd;
}

gboolean
bawn_etcd_open (BawnEtcd *etcd, GError **error)
{
  etcd->rest = bawn_rest_new (etcd->options, NULL, error);
  return etcd->rest != NULL && bawn_etcd_login_check (etcd->login, error);
}

void
bawn_etcd_free (BawnEtcd *etcd)
{
  if (etcd == NULL)
    return;

  g_queue_clear_full (&etcd->watchers, (GDestroyNotify) bawn_etcd_watcher_free);
  bawn_rest_unref (etcd->rest);
  bawn_rest_options_free (etcd->options);
  bawn_etcd_login_free (etcd->login);
  g_free (etcd->prefix);
  g_mutex_clear (&etcd->lock);
  g_free (etcd);
}

gboolean
bawn_etcd_is_ha_enabled (BawnEtcd *etcd)
{
  return etcd->is_ha_enabled;
}

/* The server measures a request in its own encoding, with all conditions; those may be as many and
 * as long as can be. */
void
bawn_etcd_get_limits (BawnEtcd *etcd, BawnBackendLimits *out_limits)
{
  gsize key = BAWN_BACKEND_MAX_KEY + strlen (etcd->prefix) + OP_OVERHEAD;
  gsize conditions = MIN (etcd->max_txn_ops * key, etcd->max_request_size / 4);
  gsize writes = MIN (etcd->max_txn_ops * (key - BAWN_BACKEND_MAX_KEY), etcd->max_request_size / 4);
  gsize max_commit = etcd->max_request_size - conditions - writes;

  *out_limits = (BawnBackendLimits){
    .max_value = max_commit - BAWN_BACKEND_MAX_KEY - ROOM_FOR_FENCE,
    /* One is for the tick of a commit that only deletes. */
    .max_writes = etcd->max_txn_ops - 1,
    .max_commit = max_commit,
  };
}

/* What a server says may hold anything: a line of it goes into the log. */
static char *
make_printable (const char *text, gsize size)
{
  GString *printable = g_string_new (NULL);

  for (gsize i = 0; i < size && printable->len < MAX_FAULT; i++)
    g_string_append_c (printable, g_ascii_isprint (text[i]) ? text[i] : '?');

  return g_string_free (printable, FALSE);
}

enum
{
  GRPC_INVALID_ARGUMENT = 3,
  GRPC_NOT_FOUND = 5,
  GRPC_ALREADY_EXISTS = 6,
  GRPC_PERMISSION_DENIED = 7,
  GRPC_RESOURCE_EXHAUSTED = 8,
  GRPC_FAILED_PRECONDITION = 9,
  GRPC_OUT_OF_RANGE = 11,
  GRPC_UNIMPLEMENTED = 12,
  GRPC_UNAUTHENTICATED = 16,
};

/* All of these say that the request was looked at and turned away, before it was proposed
 * to the other members; what is not among them (unknown, cancelled, deadline, unavailable,
 * internal) may still happen. */
static gboolean
is_refusal (guint64 code)
{
  return code == GRPC_INVALID_ARGUMENT || code == GRPC_NOT_FOUND || code == GRPC_ALREADY_EXISTS
         || code == GRPC_PERMISSION_DENIED || code == GRPC_RESOURCE_EXHAUSTED
         || code == GRPC_FAILED_PRECONDITION || code == GRPC_OUT_OF_RANGE
         || code == GRPC_UNIMPLEMENTED || code == GRPC_UNAUTHENTICATED;
}

/* {"error":"…","code":3} is the answer to a call, {"error":{"message":"…","grpc_code":3}} that of a
 * stream, and
 * {"result":{"canceled":true,"cancel_reason":"…"}} the end of a watch. */
static const char *
find_fault (const BawnJsonNode *root, guint64 *out_code)
{
  const BawnJsonNode *fault = bawn_rest_json_get (root, BAWN_REST_ETCD_ERROR);
  const char *text = bawn_rest_json_get_string (root, BAWN_REST_ETCD_ERROR, NULL);
  BawnRestField code = BAWN_REST_ETCD_CODE;

  if (bawn_json_is (fault, BAWN_JSON_OBJECT))
    {
      root = fault;
      code = BAWN_REST_ETCD_GRPC_CODE;
      text = bawn_rest_json_get_string (fault, BAWN_REST_ETCD_MESSAGE, NULL);
    }
  if (text == NULL)
    text = bawn_rest_json_get_string (bawn_rest_json_get (root, BAWN_REST_ETCD_RESULT),
                                      BAWN_REST_ETCD_CANCEL_REASON, "");
  if (!bawn_rest_json_get_uint64 (root, code, out_code))
    *out_code = 0;
  return text;
}

void
bawn_etcd_fault_read (BawnEtcdFault *fault, const BawnRestReply *reply)
{
  static const char *const login_texts[] = { "invalid auth token", "user name is empty",
                                             "revision of auth store is old" };
  g_autoptr (BawnJson) json = bawn_json_parse (reply->body, NULL, NULL);
  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;
  const char *text = g_bytes_get_data (reply->body, NULL);
  gsize size = g_bytes_get_size (reply->body);
  guint64 code = 0;

  if (bawn_json_is (root, BAWN_JSON_OBJECT))
    {
      text = find_fault (root, &code);
      size = strlen (text);
    }

  g_autofree char *said = make_printable (text, size);

  fault->text = g_strdup_printf ("status %u: %s", reply->status, said);
  fault->is_login = reply->status == 401 || code == GRPC_UNAUTHENTICATED;
  for (gsize i = 0; i < G_N_ELEMENTS (login_texts); i++)
    fault->is_login = fault->is_login || strstr (said, login_texts[i]) != NULL;
  fault->is_denied = code == GRPC_PERMISSION_DENIED || strstr (said, "permission denied") != NULL;
  /* Without a code it comes from the HTTP in front: what that does not know, it does not pass on.
   */
  fault->is_refusal = fault->is_login || is_refusal (code) || (code == 0 && reply->status < 500);
  fault->is_gone = code == GRPC_OUT_OF_RANGE;
  fault->is_passing = !fault->is_refusal && reply->status >= 500;
}

void
bawn_etcd_fault_clear (BawnEtcdFault *fault)
{
  g_clear_pointer (&fault->text, g_free);
}

static gboolean
is_passing (const BawnRestReply *reply)
{
  g_auto (BawnEtcdFault) fault = { 0 };

  if (reply->status == 200)
    return FALSE;

  bawn_etcd_fault_read (&fault, reply);
  return fault.is_passing;
}

typedef struct
{
  BawnEtcdKind kind;
  gint64 timeout_us;
  const char *path;
  GBytes *body;
} Post;

static gboolean
post (BawnEtcd *etcd,
      const Post *what,
      const char *token,
      BawnRestReply *out_reply,
      GCancellable *cancellable,
      GError **error)
{
  const char *const headers[] = { "Authorization", token, NULL };
  const BawnRestRequest request = {
    .method = "POST",
    .path = what->path,
    .body = what->body,
    .content_type = "application/json",
    .headers = token != NULL ? headers : NULL,
    .timeout_us = what->timeout_us,
    .is_repeatable = what->kind != BAWN_ETCD_COMMIT,
    .is_wait = what->kind == BAWN_ETCD_WAIT,
    .try_next = what->kind != BAWN_ETCD_COMMIT ? is_passing : NULL,
  };

  return bawn_rest_call (etcd->rest, &request, out_reply, cancellable, error);
}

/* As post(), with a token if we have a name, and a new one if that is no longer good. A request
 * that came with a bad one was turned away, so that even a commit can be sent again. */
static gboolean
post_as_user (BawnEtcd *etcd,
              const Post *what,
              BawnRestReply *out_reply,
              GCancellable *cancellable,
              GError **error)
{
  g_autoptr (BawnWipedString) token = NULL;

  if (!bawn_etcd_login_is_used (etcd->login))
    return post (etcd, what, NULL, out_reply, cancellable, error);

  for (guint tries = 0;; tries++)
    {
      g_auto (BawnEtcdFault) fault = { 0 };
      BawnWipedString *fresh =
          bawn_etcd_login_get_token (etcd->login, etcd->rest, token, cancellable, error);

      g_clear_pointer (&token, bawn_string_wipe_free);
      token = fresh;
      if (token == NULL || !post (etcd, what, token, out_reply, cancellable, error))
        return FALSE;
      if (out_reply->status == 200 || tries > 0)
        return TRUE;

      bawn_etcd_fault_read (&fault, out_reply);
      if (!fault.is_login)
        return TRUE;
      bawn_rest_reply_clear (out_reply);
    }
}

static gpointer
fail_reply (BawnEtcd *etcd, BawnEtcdKind kind, const BawnRestReply *reply, GError **error)
{
  g_auto (BawnEtcdFault) fault = { 0 };

  bawn_etcd_fault_read (&fault, reply);
  if (kind == BAWN_ETCD_COMMIT && !fault.is_refusal)
    return bawn_fail_null (error, BAWN_ERROR_UNKNOWN_OUTCOME, "%s: %s", reply->address, fault.text);
  if (fault.is_gone && kind != BAWN_ETCD_COMMIT)
    return bawn_fail_null (error, BAWN_ERROR_CONFLICT, "%s: %s", reply->address, fault.text);
  if (fault.is_login && !bawn_etcd_login_is_used (etcd->login))
    return bawn_fail_null (error, BAWN_ERROR_UPSTREAM,
                           "%s wants a user, and username is not set: %s", reply->address,
                           fault.text);

  return bawn_fail_null (error, BAWN_ERROR_UPSTREAM, "%s: %s", reply->address, fault.text);
}

static BawnJson *
parse_reply (BawnEtcdKind kind, const BawnRestReply *reply, GError **error)
{
  g_autoptr (GError) why = NULL;
  BawnJson *json = bawn_json_parse (reply->body, NULL, &why);

  if (json != NULL)
    return json;

  return bawn_fail_null (
      error, kind == BAWN_ETCD_COMMIT ? BAWN_ERROR_UNKNOWN_OUTCOME : BAWN_ERROR_UPSTREAM,
      "%s answers with what is not JSON: %s", reply->address, why->message);
}

/* Before something that just failed is tried again. */
void
bawn_etcd_pause (GCancellable *cancellable)
{
  GPollFD fd = { 0 };
  gboolean has_fd = g_cancellable_make_pollfd (cancellable, &fd);

  g_poll (&fd, has_fd ? 1 : 0, RETRY_PAUSE_MS);
  if (has_fd)
    g_cancellable_release_fd (cancellable);
}

/* While servers elect their leader they say so at once. That passes within a second or so, and most
 * that wait for a read would rather have it late than not. */
BawnJson *
bawn_etcd_call (BawnEtcd *etcd,
                BawnEtcdKind kind,
                gint64 timeout_us,
                const char *path,
                GBytes *body,
                GCancellable *cancellable,
                GError **error)
{
  gint64 patience_us =
      timeout_us > 0 ? timeout_us : bawn_rest_options_get_request_timeout (etcd->options);
  gint64 deadline_us = g_get_monotonic_time () + patience_us;

  for (gint64 left_us = patience_us;; left_us = deadline_us - g_get_monotonic_time ())
    {
      const Post what = { kind, MAX (left_us, MIN_PATIENCE_US), path, body };
      g_auto (BawnRestReply) reply = { 0 };

      if (!post_as_user (etcd, &what, &reply, cancellable, error))
        return NULL;
      if (reply.status == 200)
        return parse_reply (kind, &reply, error);
      if (kind == BAWN_ETCD_COMMIT || !is_passing (&reply) || g_get_monotonic_time () >= deadline_us
          || g_cancellable_is_cancelled (cancellable))
        return fail_reply (etcd, kind, &reply, error);

      bawn_etcd_pause (cancellable);
    }
}

gboolean
bawn_etcd_read_revision (const BawnJsonNode *root, guint64 *out_revision)
{
  guint64 revision = 0;

  if (!bawn_rest_json_get_uint64 (bawn_rest_json_get (root, BAWN_REST_ETCD_HEADER),
                                  BAWN_REST_ETCD_REVISION, &revision)
      || revision == 0)
    return FALSE;

  *out_revision = revision;
  return TRUE;
}

void
bawn_etcd_write_key (BawnEtcd *etcd, BawnJsonWriter *w, BawnRestField field, const char *key)
{
  g_autofree char *whole = g_strconcat (etcd->prefix, key, NULL);

  bawn_rest_json_base64 (w, field, whole, strlen (whole));
}

/* A look at one key, for what is wrong with who we are. Any other trouble passes, or is told when
 * it matters. */
gboolean
bawn_etcd_check_access (BawnEtcd *etcd, const char *key, GCancellable *cancellable, GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_auto (BawnRestReply) reply = { 0 };
  g_auto (BawnEtcdFault) fault = { 0 };
  g_autoptr (GError) why = NULL;

  bawn_json_writer_begin_object (&w);
  bawn_etcd_write_key (etcd, &w, BAWN_REST_ETCD_KEY, key);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);
  const Post what = { BAWN_ETCD_READ, 0, "/v3/kv/range", body };

  if (!post_as_user (etcd, &what, &reply, cancellable, &why))
    return !bawn_etcd_login_is_refused (etcd->login)
           || bawn_fail (error, BAWN_ERROR_INVALID, "%s", why->message);
  if (reply.status == 200)
    return TRUE;

  bawn_etcd_fault_read (&fault, &reply);
  if (!fault.is_login && !fault.is_denied)
    return TRUE;

  (void) fail_reply (etcd, BAWN_ETCD_READ, &reply, &why);
  return bawn_fail (error, BAWN_ERROR_INVALID, "%s", why->message);
}
