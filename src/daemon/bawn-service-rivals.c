/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-service-consul-private.h"

#include <string.h>

#include "backend/bawn-rest-json.h"
#include "util/bawn-error.h"

#define HTTP_OK 200
#define HTTP_CONFLICT 409

/* A node that died is still tagged as active in the catalogue, until its check fails there. Each
 * active node says there which epoch it is active in, and of two in one cluster the one with the
 * lower epoch is active no more, whatever it believes. */

static void
write_tags (BawnJsonWriter *w, const BawnJsonNode *tags)
{
  gboolean is_standby = FALSE;

  bawn_rest_json_begin_array (w, BAWN_REST_CONSUL_TAGS);
  for (const BawnJsonNode *tag = tags->children; tag != NULL; tag = tag->next)
    {
      if (!bawn_json_is (tag, BAWN_JSON_STRING) || strcmp (tag->string, "active") == 0)
        continue;

      is_standby = is_standby || strcmp (tag->string, "standby") == 0;
      bawn_json_writer_string (w, tag->string);
    }
  if (!is_standby)
    bawn_json_writer_string (w, "standby");
  bawn_json_writer_end_array (w);
}

static void
copy (BawnJsonWriter *w, const BawnJsonNode *entry, BawnRestField from, BawnRestField to)
{
  const BawnJsonNode *node = bawn_rest_json_get (entry, from);

  if (node == NULL)
    return;

  bawn_rest_json_name (w, to);
  bawn_json_writer_node (w, node);
}

/* The whole of the service as it is, but for its tags, if nobody has changed it since. */
static GBytes *
write_txn (const BawnJsonNode *entry)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_array (&w);
  bawn_json_writer_begin_object (&w);
  bawn_rest_json_begin_object (&w, BAWN_REST_CONSUL_SERVICE);
  bawn_rest_json_string (&w, BAWN_REST_CONSUL_VERB, "cas");
  copy (&w, entry, BAWN_REST_CONSUL_NODE, BAWN_REST_CONSUL_NODE);
  bawn_rest_json_begin_object (&w, BAWN_REST_CONSUL_SERVICE);
  copy (&w, entry, BAWN_REST_CONSUL_SERVICE_ID, BAWN_REST_CONSUL_ID);
  copy (&w, entry, BAWN_REST_CONSUL_SERVICE_NAME, BAWN_REST_CONSUL_SERVICE);
  write_tags (&w, bawn_rest_json_get (entry, BAWN_REST_CONSUL_SERVICE_TAGS));
  copy (&w, entry, BAWN_REST_CONSUL_SERVICE_ADDRESS, BAWN_REST_CONSUL_ADDRESS);
  copy (&w, entry, BAWN_REST_CONSUL_SERVICE_PORT, BAWN_REST_CONSUL_PORT);
  copy (&w, entry, BAWN_REST_CONSUL_SERVICE_META, BAWN_REST_CONSUL_META);
  copy (&w, entry, BAWN_REST_CONSUL_SERVICE_WEIGHTS, BAWN_REST_CONSUL_WEIGHTS);
  copy (&w, entry, BAWN_REST_CONSUL_MODIFY_INDEX, BAWN_REST_CONSUL_MODIFY_INDEX);
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_array (&w);
  return bawn_json_writer_finish (&w);
}

static gboolean
is_outdated (const BawnServiceRecord *record, const BawnJsonNode *entry)
{
  const BawnJsonNode *meta = bawn_rest_json_get (entry, BAWN_REST_CONSUL_SERVICE_META);
  const char *cluster = bawn_rest_json_get_string (meta, BAWN_REST_CONSUL_META_CLUSTER, NULL);
  const char *id = bawn_rest_json_get_string (entry, BAWN_REST_CONSUL_SERVICE_ID, NULL);
  guint64 theirs = 0;
  guint64 ours = g_ascii_strtoull (record->epoch, NULL, 10);

  return bawn_json_is (bawn_rest_json_get (entry, BAWN_REST_CONSUL_SERVICE_TAGS), BAWN_JSON_ARRAY)
         && g_strcmp0 (cluster, record->cluster_id) == 0 && g_strcmp0 (id, record->id) != 0
         && bawn_rest_json_get_uint64 (meta, BAWN_REST_CONSUL_META_EPOCH, &theirs) && theirs < ours;
}

static gboolean
retire (BawnConsul *consul, const BawnJsonNode *entry, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) body = write_txn (entry);
  g_auto (BawnRestReply) reply = { 0 };
  const BawnConsulCall call = { .method = "PUT", .path = "/v1/txn", .body = body };

  if (!bawn_consul_call (consul, &call, &reply, cancellable, error))
    return FALSE;

  /* Refused: it has changed, so that it will be looked at anew. */
  return reply.status == HTTP_OK || reply.status == HTTP_CONFLICT
         || bawn_consul_fail_reply (&reply, error);
}

/**
 * bawn_service_rivals_retire:
 * @consul: to be told
 * @record: what is known of this node, which is active
 * @cancellable: (nullable): ends it
 * @error: (out) (optional): why it could not be done
 *
 * Takes the tag of the active node from whoever had it in an earlier epoch of the cluster. The
 * agent that such a service belongs to puts it back when it compares with the catalogue, by which
 * time its check fails, unless it has been told otherwise by the node itself.
 *
 * Returns: whether nobody has it now
 */
gboolean
bawn_service_rivals_retire (BawnConsul *consul,
                            const BawnServiceRecord *record,
                            GCancellable *cancellable,
                            GError **error)
{
  g_autofree char *path = g_strconcat ("/v1/catalog/service/", record->name, NULL);
  g_auto (BawnRestReply) reply = { 0 };
  const BawnConsulCall call = {
    .method = "GET", .path = path, .query = "tag=active&consistent", .is_repeatable = TRUE
  };

  if (!bawn_consul_call (consul, &call, &reply, cancellable, error))
    return FALSE;
  if (reply.status != HTTP_OK)
    return bawn_consul_fail_reply (&reply, error);

  g_autoptr (BawnJson) json = bawn_json_parse (reply.body, NULL, error);

  if (json == NULL)
    return FALSE;

  const BawnJsonNode *root = bawn_json_root (json);
  const BawnJsonNode *entry = bawn_json_is (root, BAWN_JSON_ARRAY) ? root->children : NULL;

  for (; entry != NULL; entry = entry->next)
    if (is_outdated (record, entry) && !retire (consul, entry, cancellable, error))
      return FALSE;

  return TRUE;
}
