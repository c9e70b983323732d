/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-etcd-private.h"

#include <string.h>

/* A revision that no key will ever have. */
#define NEVER ((guint64) G_MAXINT64)
#define PROBE_KEY "core/lock"
/* No key of ours, since a segment of it is empty. */
#define TICK_KEY "/tick"

static gboolean
read_entry (const BawnJsonNode *kv,
            const char *key,
            GBytes **out_value,
            guint64 *out_version,
            GError **error)
{
  if (!bawn_rest_json_get_uint64 (kv, BAWN_REST_ETCD_MOD_REVISION, out_version) || *out_version == 0
      || !bawn_rest_json_get_base64 (kv, BAWN_REST_ETCD_VALUE, out_value))
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "etcd's answer for %s cannot be read", key);

  return TRUE;
}

gboolean
bawn_etcd_look (BawnEtcd *etcd,
                BawnEtcdKind kind,
                gint64 timeout_us,
                const char *key,
                GBytes **out_value,
                guint64 *out_version,
                guint64 *out_revision,
                GCancellable *cancellable,
                GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  /* Without "serializable" the member that answers asks the others first. */
  bawn_json_writer_begin_object (&w);
  bawn_etcd_write_key (etcd, &w, BAWN_REST_ETCD_KEY, key);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);
  g_autoptr (BawnJson) json =
      bawn_etcd_call (etcd, kind, timeout_us, "/v3/kv/range", body, cancellable, error);

  if (json == NULL)
    return FALSE;

  const BawnJsonNode *kv =
      bawn_json_index (bawn_rest_json_get (bawn_json_root (json), BAWN_REST_ETCD_KVS), 0);
  guint64 revision = 0;

  /* What has no revision is not etcd's: an absent key must not be read out of it. */
  if (!bawn_etcd_read_revision (bawn_json_root (json), &revision))
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "etcd's answer for %s cannot be read", key);
  if (kv != NULL && !read_entry (kv, key, out_value, out_version, error))
    return FALSE;

  if (out_revision != NULL)
    *out_revision = revision;
  return TRUE;
}

gboolean
bawn_etcd_get (BawnEtcd *etcd,
               const char *key,
               GBytes **out_value,
               guint64 *out_version,
               GCancellable *cancellable,
               GError **error)
{
  return bawn_etcd_look (etcd, BAWN_ETCD_READ, 0, key, out_value, out_version, NULL, cancellable,
                         error);
}

/* An absent key counts as one of revision 0. */
static void
write_compare (BawnEtcd *etcd, BawnJsonWriter *w, const BawnCondition *condition)
{
  bawn_json_writer_begin_object (w);
  bawn_etcd_write_key (etcd, w, BAWN_REST_ETCD_KEY, condition->key);
  bawn_rest_json_string (w, BAWN_REST_ETCD_TARGET, "MOD");
  bawn_rest_json_string (w, BAWN_REST_ETCD_RESULT, "EQUAL");
  bawn_rest_json_uint64 (w, BAWN_REST_ETCD_MOD_REVISION, condition->version);
  bawn_json_writer_end_object (w);
}

static void
write_op (BawnEtcd *etcd, BawnJsonWriter *w, const BawnWrite *write)
{
  gboolean is_put = write->kind == BAWN_WRITE_PUT;

  bawn_json_writer_begin_object (w);
  bawn_rest_json_begin_object (w, is_put ? BAWN_REST_ETCD_REQUEST_PUT
                                         : BAWN_REST_ETCD_REQUEST_DELETE_RANGE);
  bawn_etcd_write_key (etcd, w, BAWN_REST_ETCD_KEY, write->key);
  if (is_put)
    {
      gsize size = 0;
      gconstpointer data = g_bytes_get_data (write->value, &size);

      bawn_rest_json_base64 (w, BAWN_REST_ETCD_VALUE, data, size);
    }
  bawn_json_writer_end_object (w);
  bawn_json_writer_end_object (w);
}

/* Deleting what is absent makes no revision, but each commit must have one of its own. */
static gboolean
needs_tick (const BawnWrite *writes, guint n_writes)
{
  for (guint i = 0; i < n_writes; i++)
    if (writes[i].kind == BAWN_WRITE_PUT)
      return FALSE;

  return n_writes > 0;
}

/* Whether what is about to leave has every condition in it, read as the server will read it. */
static gboolean
is_guarded (GBytes *body, guint n_conditions)
{
  g_autoptr (BawnJson) json = bawn_json_parse (body, NULL, NULL);
  const BawnJsonNode *compare =
      json != NULL ? bawn_rest_json_get (bawn_json_root (json), BAWN_REST_ETCD_COMPARE) : NULL;

  if (n_conditions == 0)
    return json != NULL && compare == NULL;

  return bawn_json_is (compare, BAWN_JSON_ARRAY) && compare->n_children == n_conditions;
}

static GBytes *
write_txn (BawnEtcd *etcd,
           const BawnWrite *writes,
           guint n_writes,
           const BawnCondition *conditions,
           guint n_conditions,
           GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  if (n_conditions > 0)
    {
      bawn_rest_json_begin_array (&w, BAWN_REST_ETCD_COMPARE);
      for (guint i = 0; i < n_conditions; i++)
        write_compare (etcd, &w, &conditions[i]);
      bawn_json_writer_end_array (&w);
    }
  bawn_rest_json_begin_array (&w, BAWN_REST_ETCD_SUCCESS);
  for (guint i = 0; i < n_writes; i++)
    write_op (etcd, &w, &writes[i]);
  if (needs_tick (writes, n_writes))
    {
      g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);

      write_op (etcd, &w, &(BawnWrite){ BAWN_WRITE_PUT, TICK_KEY, nothing });
    }
  bawn_json_writer_end_array (&w);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);

  if (!is_guarded (body, n_conditions))
    return bawn_fail_null (error, BAWN_ERROR_INTERNAL,
                           "a commit lost its conditions before it was sent");

  return g_steal_pointer (&body);
}

static gboolean
was_proved (BawnEtcd *etcd)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&etcd->lock);

  return etcd->is_proved;
}

/* The gateway ignores fields that it does not know. So before the first commit we see it refuse a
 * condition that cannot hold: whatever stands between us and etcd, now or in a version to come,
 * must read our conditions. */
static gboolean
prove (BawnEtcd *etcd, GCancellable *cancellable, GError **error)
{
  const BawnCondition never = { PROBE_KEY, NEVER };
  guint64 revision = 0;

  if (was_proved (etcd))
    return TRUE;

  g_autoptr (GBytes) body = write_txn (etcd, NULL, 0, &never, 1, error);

  if (body == NULL)
    return FALSE;

  /* It writes nothing, and so is as good as a read. */
  g_autoptr (BawnJson) json =
      bawn_etcd_call (etcd, BAWN_ETCD_READ, 0, "/v3/kv/txn", body, cancellable, error);

  if (json == NULL)
    return FALSE;
  if (!bawn_etcd_read_revision (bawn_json_root (json), &revision)
      || bawn_rest_json_get_bool (bawn_json_root (json), BAWN_REST_ETCD_SUCCEEDED, FALSE))
    return bawn_fail (error, BAWN_ERROR_UPSTREAM,
                      "the server does not heed conditions, which makes it unfit for a storage");

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&etcd->lock);

  etcd->is_proved = TRUE;
  return TRUE;
}

static gboolean
read_outcome (const BawnJsonNode *root, guint n_ops, guint64 *out_version, GError **error)
{
  const BawnJsonNode *responses = bawn_rest_json_get (root, BAWN_REST_ETCD_RESPONSES);
  gboolean succeeded = bawn_rest_json_get_bool (root, BAWN_REST_ETCD_SUCCEEDED, FALSE);
  guint n_responses = bawn_json_is (responses, BAWN_JSON_ARRAY) ? responses->n_children : 0;
  guint64 version = 0;

  /* What is false or empty is left out. */
  if (!bawn_etcd_read_revision (root, &version) || n_responses != (succeeded ? n_ops : 0))
    return bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME,
                      "etcd's answer to a commit cannot be read");
  if (!succeeded)
    return bawn_fail (error, BAWN_ERROR_CONFLICT, "a key has changed in the storage");

  *out_version = version;
  return TRUE;
}

gboolean
bawn_etcd_commit (BawnEtcd *etcd,
                  const BawnWrite *writes,
                  guint n_writes,
                  const BawnCondition *conditions,
                  guint n_conditions,
                  guint64 *out_version,
                  GCancellable *cancellable,
                  GError **error)
{
  if (n_conditions > etcd->max_txn_ops)
    return bawn_fail (error, BAWN_ERROR_TOO_LARGE,
                      "%u conditions are more than the %u of max-txn-ops", n_conditions,
                      etcd->max_txn_ops);
  if (!prove (etcd, cancellable, error))
    return FALSE;

  g_autoptr (GBytes) body = write_txn (etcd, writes, n_writes, conditions, n_conditions, error);

  if (body == NULL)
    return FALSE;

  g_autoptr (BawnJson) json =
      bawn_etcd_call (etcd, BAWN_ETCD_COMMIT, 0, "/v3/kv/txn", body, cancellable, error);

  return json != NULL
         && read_outcome (bawn_json_root (json), n_writes + needs_tick (writes, n_writes),
                          out_version, error);
}
