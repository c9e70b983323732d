/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-backend-files.h"
#include "backend/bawn-consul-txn.h"
#include "storage/bawn-ha-backend.h"
#include "util/bawn-bytes.h"

#include <string.h>

#define DEFAULT_PATH "bawn/"
/* It stands before each key of each commit. */
#define MAX_PATH 256

/* What a server takes unless its own options limits.kv_max_value_size and limits.txn_max_req_len
 * say otherwise. */
#define MAX_VALUE_SIZE (512 * 1024)
#define MAX_TXN_SIZE (512 * 1024)
/* What the store above counts on, and such a value with its key and the fence. */
#define LEAST_VALUE_SIZE (256 * 1024)
#define LEAST_COMMIT (LEAST_VALUE_SIZE + 2 * BAWN_BACKEND_MAX_KEY)
#define LARGEST_SIZE (64 * 1024 * 1024)
/* 64 in Consul 1.8, 128 in later ones. */
#define MAX_TXN_OPS 64
#define LEAST_TXN_OPS 32
#define MOST_TXN_OPS 4096
/* Of these, for conditions: the fence's, the lease's, and some to spare. */
#define MAX_CONDITIONS 4

/* Consul adds up to a sixteenth to the wait it is asked for, so that its clients do not come back
 * all at once. */
#define WAIT_JITTER 16
/* It takes at most this; whoever wants more asks again. */
#define MAX_WAIT_US (10 * G_TIME_SPAN_MINUTE)
/* For the answer to travel, once the wait is over. */
#define WAIT_SLACK_US (5 * G_TIME_SPAN_SECOND)

#define HTTP_OK 200
#define HTTP_NOT_FOUND 404

#define BAWN_TYPE_BACKEND_CONSUL (bawn_backend_consul_get_type ())
G_DECLARE_FINAL_TYPE (BawnBackendConsul, bawn_backend_consul, BAWN, BACKEND_CONSUL, GObject)

struct _BawnBackendConsul
{
  GObject parent_instance;

  BawnConfigGroup *config;
  char *path;
  guint max_ops;
  gsize max_body;
  gboolean ha_enabled;
  BawnBackendLimits limits;
  BawnConsul *consul;
};

enum
{
  PROP_CONFIG = 1,
};

static void bawn_backend_consul_backend_init (BawnBackendInterface *iface);
static void bawn_backend_consul_ha_backend_init (BawnHaBackendInterface *iface);
static void bawn_backend_consul_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    BawnBackendConsul,
    bawn_backend_consul,
    G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (BAWN_TYPE_BACKEND, bawn_backend_consul_backend_init)
        G_IMPLEMENT_INTERFACE (BAWN_TYPE_HA_BACKEND, bawn_backend_consul_ha_backend_init)
            G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, bawn_backend_consul_initable_init))

/* Linearizable: the leader asks the others first whether it still is that. By default it would
 * trust its clock. */
static gboolean
call_get (BawnBackendConsul *self,
          const char *encoded,
          const char *query,
          BawnRestReply *out_reply,
          GCancellable *cancellable,
          GError **error)
{
  g_autofree char *path = bawn_consul_key_path (encoded);
  const BawnConsulCall call = {
    .method = "GET",
    .path = path,
    .query = query,
    .is_repeatable = TRUE,
  };

  return bawn_consul_call (self->consul, &call, out_reply, cancellable, error);
}

static gboolean
bawn_backend_consul_get (BawnBackend *backend,
                         const char *key,
                         GBytes **out_value,
                         guint64 *out_version,
                         GCancellable *cancellable,
                         GError **error)
{
  BawnBackendConsul *self = BAWN_BACKEND_CONSUL (backend);
  g_autofree char *encoded = bawn_consul_key_encode (self->path, key);
  g_auto (BawnRestReply) reply = { 0 };

  if (!call_get (self, encoded, "consistent", &reply, cancellable, error))
    return FALSE;
  /* Only Consul itself can say that a key is absent, not somebody who has never heard of keys. */
  if (reply.status == HTTP_NOT_FOUND && bawn_consul_reply_index (&reply) != 0)
    return TRUE;
  if (reply.status != HTTP_OK)
    return bawn_consul_fail_reply (&reply, error);

  return bawn_consul_read_entry (&reply, encoded, out_value, out_version)
         || bawn_fail (error, BAWN_ERROR_UPSTREAM, "Consul at %s sent something else for %s",
                       reply.address, encoded);
}

/* Lists leave out, without a word, what the token may not read: so ask for what is refused then. */
static gboolean
check_may_read (BawnBackendConsul *self,
                const char *folder,
                GCancellable *cancellable,
                GError **error)
{
  g_autoptr (GBytes) body = bawn_consul_txn_new_check (folder);
  g_auto (BawnRestReply) reply = { 0 };
  g_autofree char *complaint = NULL;
  const BawnConsulCall call = {
    .method = "PUT",
    .path = "/v1/txn",
    .query = "consistent",
    .body = body,
    .is_repeatable = TRUE,
  };

  if (!bawn_consul_call (self->consul, &call, &reply, cancellable, error))
    return FALSE;
  if (bawn_consul_txn_is_denied (&reply, &complaint))
    return bawn_fail (error, BAWN_ERROR_UPSTREAM,
                      "Consul at %s does not let this token read %s: %s", reply.address, folder,
                      complaint);

  return reply.status == HTTP_OK || bawn_consul_fail_reply (&reply, error);
}

/* Consul cannot give a list by pages, so each page is cut from the whole. */
static gboolean
bawn_backend_consul_list (BawnBackend *backend,
                          const char *prefix,
                          const char *after,
                          guint limit,
                          GStrv *out_names,
                          GCancellable *cancellable,
                          GError **error)
{
  BawnBackendConsul *self = BAWN_BACKEND_CONSUL (backend);
  g_autofree char *folder = bawn_consul_key_encode (self->path, prefix);
  g_auto (BawnRestReply) reply = { 0 };
  g_autoptr (GPtrArray) names = NULL;

  if (!call_get (self, folder, "keys&separator=/&consistent", &reply, cancellable, error)
      || !check_may_read (self, folder, cancellable, error))
    return FALSE;

  if (reply.status == HTTP_OK)
    names = bawn_consul_read_names (&reply, folder, after, error);
  else if (reply.status == HTTP_NOT_FOUND && bawn_consul_reply_index (&reply) != 0)
    names = g_ptr_array_new_with_free_func (g_free);
  else
    return bawn_consul_fail_reply (&reply, error);
  if (names == NULL)
    return FALSE;

  if (names->len > limit)
    g_ptr_array_set_size (names, (gint) limit);
  g_ptr_array_add (names, NULL);
  *out_names = (GStrv) g_ptr_array_free (g_steal_pointer (&names), FALSE);
  return TRUE;
}

static gboolean
bawn_backend_consul_commit (BawnBackend *backend,
                            const BawnWrite *writes,
                            guint n_writes,
                            const BawnCondition *conditions,
                            guint n_conditions,
                            guint64 *out_version,
                            GCancellable *cancellable,
                            GError **error)
{
  BawnBackendConsul *self = BAWN_BACKEND_CONSUL (backend);
  guint n_ops = bawn_consul_txn_count (writes, n_writes, n_conditions);
  g_auto (BawnRestReply) reply = { 0 };

  if (n_ops > self->max_ops)
    return bawn_fail (error, BAWN_ERROR_TOO_LARGE,
                      "a commit of %u operations is more than the %u of max-txn-ops", n_ops,
                      self->max_ops);

  g_auto (BawnConsulTxn) txn = { NULL };

  bawn_consul_txn_init (&txn, self->path, writes, n_writes, conditions, n_conditions);

  const BawnConsulCall call = { .method = "PUT", .path = "/v1/txn", .body = txn.body };

  if (g_bytes_get_size (txn.body) > self->max_body)
    return bawn_fail (error, BAWN_ERROR_TOO_LARGE,
                      "a commit of %" G_GSIZE_FORMAT " bytes is larger than the %" G_GSIZE_FORMAT
                      " of max-txn-size",
                      g_bytes_get_size (txn.body), self->max_body);

  return bawn_consul_call (self->consul, &call, &reply, cancellable, error)
         && bawn_consul_txn_finish (&txn, &reply, out_version, error);
}

static void
bawn_backend_consul_get_limits (BawnBackend *backend, BawnBackendLimits *out_limits)
{
  *out_limits = BAWN_BACKEND_CONSUL (backend)->limits;
}

/* An absent key has no version to begin from, but the index of all keys at the moment when it was
 * seen to be absent. */
static gboolean
find_index (BawnBackendConsul *self,
            const char *encoded,
            guint64 *out_index,
            gboolean *out_is_absent,
            GCancellable *cancellable,
            GError **error)
{
  g_auto (BawnRestReply) reply = { 0 };
  guint64 index = 0;

  if (!call_get (self, encoded, "consistent", &reply, cancellable, error))
    return FALSE;

  index = bawn_consul_reply_index (&reply);
  if ((reply.status != HTTP_OK && reply.status != HTTP_NOT_FOUND) || index == 0)
    return bawn_consul_fail_reply (&reply, error);

  *out_is_absent = reply.status == HTTP_NOT_FOUND;
  *out_index = index;
  return TRUE;
}

/* One blocking query: Consul answers as soon as the index is beyond @index, or when the time is
 * over. If the indices have gone back, since the servers were restored from a snapshot, it answers
 * when the time is over, and the caller finds another version. */
static gboolean
wait_for_index (BawnBackendConsul *self,
                const char *encoded,
                guint64 index,
                gint64 timeout_us,
                GCancellable *cancellable,
                GError **error)
{
  gint64 wait_us = MIN (timeout_us, MAX_WAIT_US) * WAIT_JITTER / (WAIT_JITTER + 1);
  g_autofree char *path = bawn_consul_key_path (encoded);
  g_autofree char *query =
      g_strdup_printf ("consistent&index=%" G_GUINT64_FORMAT "&wait=%" G_GINT64_FORMAT "ms", index,
                       MAX (wait_us / G_TIME_SPAN_MILLISECOND, 1));
  g_auto (BawnRestReply) reply = { 0 };
  const BawnConsulCall call = {
    .method = "GET",
    .path = path,
    .query = query,
    .timeout_us = timeout_us + WAIT_SLACK_US,
    .is_repeatable = TRUE,
    .is_wait = TRUE,
  };

  if (!bawn_consul_call (self->consul, &call, &reply, cancellable, error))
    return FALSE;

  return reply.status == HTTP_OK || reply.status == HTTP_NOT_FOUND
         || bawn_consul_fail_reply (&reply, error);
}

static gboolean
wait_for_change (BawnBackendConsul *self,
                 const char *encoded,
                 guint64 version,
                 gint64 timeout_us,
                 GCancellable *cancellable,
                 GError **error)
{
  guint64 index = version;
  gboolean is_absent = TRUE;

  if (version == 0 && !find_index (self, encoded, &index, &is_absent, cancellable, error))
    return FALSE;

  return !is_absent || wait_for_index (self, encoded, index, timeout_us, cancellable, error);
}

static gboolean
bawn_backend_consul_wait (BawnHaBackend *backend,
                          const char *key,
                          guint64 version,
                          gint64 timeout_us,
                          GCancellable *cancellable,
                          GError **error)
{
  BawnBackendConsul *self = BAWN_BACKEND_CONSUL (backend);
  g_autofree char *encoded = bawn_consul_key_encode (self->path, key);
  g_autoptr (GError) local = NULL;

  if (wait_for_change (self, encoded, version, timeout_us, cancellable, &local))
    return TRUE;
  if (g_cancellable_is_cancelled (cancellable))
    return bawn_fail (error, BAWN_ERROR_TIMEOUT, "the storage was given no more time");

  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
bawn_backend_consul_is_enabled (BawnHaBackend *backend)
{
  return BAWN_BACKEND_CONSUL (backend)->ha_enabled;
}

/* A folder of Consul: "/bawn" and "bawn" mean "bawn/". */
static char *
read_path (BawnConfigGroup *config)
{
  g_autofree char *given = bawn_config_get_string (config, "path", DEFAULT_PATH);
  const char *start = *given == '/' ? given + 1 : given;
  g_autofree char *bare =
      g_strndup (start, strlen (start) - (g_str_has_suffix (start, "/") ? 1 : 0));
  g_autofree char *encoded = bawn_consul_key_encode ("", bare);

  if (!bawn_backend_key_is_valid (bare) || strlen (bare) > MAX_PATH)
    bawn_config_complain (config, "path", "must name a folder of Consul in at most %d bytes",
                          MAX_PATH);
  else if (strcmp (bare, encoded) != 0 || strpbrk (bare, "\"\\") != NULL)
    bawn_config_complain (config, "path",
                          "may hold printable ASCII only, and no %%, no quotes, and no \"..\"");
  else
    return g_strconcat (bare, "/", NULL);

  return g_strdup (DEFAULT_PATH);
}

/* What fits into one body in the worst case: each key of full length and every byte of it escaped,
 * and all the rest in base64. If that left too little for values, there are fewer writes. */
static void
compute_limits (BawnBackendConsul *self, gsize max_value)
{
  gsize operation = BAWN_CONSUL_TXN_OP_SIZE + strlen (self->path);
  gsize key = BAWN_BACKEND_MAX_KEY * BAWN_CONSUL_KEY_FACTOR;
  gsize write = operation + key - BAWN_BACKEND_MAX_KEY * 4 / 3;
  gsize room = self->max_body - MAX_CONDITIONS * (operation + key);
  gsize max_writes = MIN (self->max_ops - MAX_CONDITIONS, (room - LEAST_COMMIT * 4 / 3) / write);
  gsize max_commit = (room - max_writes * write) / 4 * 3;

  self->limits = (BawnBackendLimits){
    .max_value = MIN (max_value, max_commit - 2 * BAWN_BACKEND_MAX_KEY),
    .max_writes = (guint) max_writes,
    .max_commit = max_commit,
  };
}

static BawnConsulOptions *
read_config (BawnBackendConsul *self)
{
  gsize max_value = (gsize) bawn_config_get_size (self->config, "max-value-size", MAX_VALUE_SIZE,
                                                  LEAST_VALUE_SIZE, LARGEST_SIZE);

  g_free (self->path);
  self->path = read_path (self->config);
  self->max_ops = (guint) bawn_config_get_int (self->config, "max-txn-ops", MAX_TXN_OPS,
                                               LEAST_TXN_OPS, MOST_TXN_OPS);
  self->max_body = (gsize) bawn_config_get_size (self->config, "max-txn-size", MAX_TXN_SIZE,
                                                 MAX_TXN_SIZE, LARGEST_SIZE);
  self->ha_enabled = bawn_config_get_bool (self->config, "ha-enabled", TRUE);
  compute_limits (self, max_value);
  return bawn_consul_options_read (self->config, TRUE);
}

/* Whether the token may write here, without writing: who may not would find out when it is too
 * late, since lists would look empty to it. */
static gboolean
check_may_write (BawnBackendConsul *self, GCancellable *cancellable, GError **error)
{
  g_auto (BawnConsulTxn) txn = { NULL };
  g_auto (BawnRestReply) reply = { 0 };
  g_autofree char *complaint = NULL;
  g_autoptr (GError) local = NULL;
  guint64 version = 0;

  bawn_consul_txn_init_probe (&txn, self->path);

  const BawnConsulCall call = {
    .method = "PUT",
    .path = "/v1/txn",
    .body = txn.body,
    .is_repeatable = TRUE,
  };

  if (!bawn_consul_call (self->consul, &call, &reply, cancellable, error))
    return FALSE;
  if (bawn_consul_txn_is_denied (&reply, &complaint))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "Consul at %s does not let this token write below %s: %s; it needs the rule "
                      "key_prefix \"%s\" { policy = \"write\" }",
                      reply.address, self->path, complaint, self->path);
  if (!bawn_consul_txn_finish (&txn, &reply, &version, &local)
      && bawn_error_is (local, BAWN_ERROR_CONFLICT))
    return TRUE;

  return bawn_consul_fail_reply (&reply, error);
}

static gboolean
bawn_backend_consul_init_fallible (GInitable *initable, GCancellable *cancellable, GError **error)
{
  BawnBackendConsul *self = BAWN_BACKEND_CONSUL (initable);

  g_return_val_if_fail (self->config != NULL, FALSE);

  self->consul = bawn_consul_new (read_config (self), error);
  return self->consul != NULL && check_may_write (self, cancellable, error);
}

static void
bawn_backend_consul_configure (BawnBackend *backend)
{
  BawnBackendConsul *self = BAWN_BACKEND_CONSUL (backend);
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnConsul) consul = bawn_consul_new (read_config (self), &error);

  if (consul == NULL)
    bawn_backend_complain_of_file (self->config, error);
}

static void
bawn_backend_consul_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  BawnBackendConsul *self = BAWN_BACKEND_CONSUL (object);

  if (id == PROP_CONFIG)
    self->config = g_value_dup_boxed (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
bawn_backend_consul_finalize (GObject *object)
{
  BawnBackendConsul *self = BAWN_BACKEND_CONSUL (object);

  g_clear_pointer (&self->consul, bawn_consul_free);
  g_clear_pointer (&self->config, bawn_config_group_unref);
  g_free (self->path);

  G_OBJECT_CLASS (bawn_backend_consul_parent_class)->finalize (object);
}

static void
bawn_backend_consul_backend_init (BawnBackendInterface *iface)
{
  iface->get = bawn_backend_consul_get;
  iface->list = bawn_backend_consul_list;
  iface->commit = bawn_backend_consul_commit;
  iface->get_limits = bawn_backend_consul_get_limits;
  iface->configure = bawn_backend_consul_configure;
}

static void
bawn_backend_consul_ha_backend_init (BawnHaBackendInterface *iface)
{
  iface->wait = bawn_backend_consul_wait;
  iface->is_enabled = bawn_backend_consul_is_enabled;
}

static void
bawn_backend_consul_initable_init (GInitableIface *iface)
{
  iface->init = bawn_backend_consul_init_fallible;
}

static void
bawn_backend_consul_class_init (BawnBackendConsulClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = bawn_backend_consul_set_property;
  object_class->finalize = bawn_backend_consul_finalize;
  g_object_class_install_property (
      object_class, PROP_CONFIG,
      g_param_spec_boxed ("config", NULL, NULL, BAWN_TYPE_CONFIG_GROUP,
                          G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
}

static void
bawn_backend_consul_init (BawnBackendConsul *self)
{
}
