/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-service-consul-private.h"

#include "backend/bawn-rest-json.h"

#include <string.h>

#define HTTP_PORT 80
#define HTTPS_PORT 443

static const char *
tell_state (const BawnStatus *status)
{
  if (!status->initialized)
    return "bawn is not initialized";
  if (status->sealed)
    return "bawn is sealed";

  return "bawn is unsealed";
}

static gboolean
is_active (const BawnStatus *status)
{
  return status->initialized && !status->sealed && !status->standby;
}

/* What is sealed does not do anything, but could become a standby: peers tag it like this, and its check keeps clients away. */
static GStrv
make_tags (const BawnServiceConsulOptions *options, const BawnStatus *status)
{
  g_autoptr(GPtrArray) tags = g_ptr_array_new ();

  for (guint i = 0; options->tags[i] != NULL; i++)
    g_ptr_array_add (tags, g_strdup (options->tags[i]));
  g_ptr_array_add (tags, g_strdup (is_active (status) ? "active" : "standby"));
  if (status->initialized)
    g_ptr_array_add (tags, g_strdup ("initialized"));
  g_ptr_array_add (tags, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&tags), FALSE);
}

/**
 * bawn_service_record_new:
 * @options: what the configuration says
 * @status: the node's state
 * @error: (out) (optional): INVALID if the state has no address that others could use
 *
 * Returns: (transfer full): what Consul is to know
 */
BawnServiceRecord *
bawn_service_record_new (const BawnServiceConsulOptions *options, const BawnStatus *status, GError **error)
{
  g_autoptr(GUri) uri = status->api_addr != NULL ? g_uri_parse (status->api_addr, G_URI_FLAGS_NONE, NULL) : NULL;
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (host == NULL || *host == '\0')
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "this node has no api-addr that it could tell to others");

  BawnServiceRecord *record = g_new0 (BawnServiceRecord, 1);
  int port = g_uri_get_port (uri);

  if (port <= 0)
    port = g_str_equal (g_uri_get_scheme (uri), "https") ? HTTPS_PORT : HTTP_PORT;
  record->name = g_strdup (options->name);
  record->id = g_strdup_printf ("%s:%s:%d", options->name, host, port);
  record->check_id = g_strconcat (record->id, ":bawn-sealed-check", NULL);
  record->tags = make_tags (options, status);
  record->address = g_strdup (options->address != NULL ? options->address : host);
  record->port = (guint16) port;
  record->version = g_strdup (status->version != NULL ? status->version : "");
  record->ttl_us = options->ttl_us;
  if (is_active (status) && status->ha_enabled && status->cluster_id != NULL)
    {
      record->cluster_id = g_strdup (status->cluster_id);
      record->epoch = g_strdup_printf ("%" G_GUINT64_FORMAT, status->epoch);
    }
  record->is_passing = status->initialized && !status->sealed;
  record->note = tell_state (status);
  return record;
}

void
bawn_service_record_free (BawnServiceRecord *record)
{
  g_free (record->id);
  g_free (record->check_id);
  g_free (record->name);
  g_strfreev (record->tags);
  g_free (record->address);
  g_free (record->version);
  g_free (record->cluster_id);
  g_free (record->epoch);
  g_free (record);
}

static void
write_verdict (BawnJsonWriter *w, const BawnServiceRecord *record)
{
  bawn_rest_json_string (w, BAWN_REST_CONSUL_STATUS, record->is_passing ? "passing" : "critical");
}

/**
 * bawn_service_record_write:
 * @record: what is to be told
 *
 * Writes the body of /v1/agent/service/register. The check comes with it, so that there is no moment between the two.
 *
 * Returns: (transfer full): JSON
 */
GBytes *
bawn_service_record_write (const BawnServiceRecord *record)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autofree char *ttl = g_strdup_printf ("%" G_GINT64_FORMAT "ms", record->ttl_us / G_TIME_SPAN_MILLISECOND);

  bawn_json_writer_begin_object (&w);
  bawn_rest_json_string (&w, BAWN_REST_CONSUL_ID, record->id);
  bawn_rest_json_string (&w, BAWN_REST_CONSUL_NAME, record->name);
  bawn_rest_json_name (&w, BAWN_REST_CONSUL_TAGS);
  bawn_json_writer_strv (&w, (const char *const *) record->tags);
  bawn_rest_json_string (&w, BAWN_REST_CONSUL_ADDRESS, record->address);
  bawn_rest_json_int (&w, BAWN_REST_CONSUL_PORT, record->port);
  bawn_rest_json_begin_object (&w, BAWN_REST_CONSUL_META);
  bawn_rest_json_string (&w, BAWN_REST_CONSUL_META_SOURCE, "bawn");
  bawn_rest_json_string (&w, BAWN_REST_CONSUL_META_VERSION, record->version);
  if (record->cluster_id != NULL)
    {
      bawn_rest_json_string (&w, BAWN_REST_CONSUL_META_CLUSTER, record->cluster_id);
      bawn_rest_json_string (&w, BAWN_REST_CONSUL_META_EPOCH, record->epoch);
    }
  bawn_json_writer_end_object (&w);
  bawn_rest_json_begin_object (&w, BAWN_REST_CONSUL_CHECK);
  bawn_rest_json_string (&w, BAWN_REST_CONSUL_CHECK_ID, record->check_id);
  bawn_rest_json_string (&w, BAWN_REST_CONSUL_NAME, "bawn sealed status");
  bawn_rest_json_string (&w, BAWN_REST_CONSUL_TTL, ttl);
  write_verdict (&w, record);
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_object (&w);
  return bawn_json_writer_finish (&w);
}

GBytes *
bawn_service_record_write_check (const BawnServiceRecord *record)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  write_verdict (&w, record);
  bawn_rest_json_string (&w, BAWN_REST_CONSUL_OUTPUT, record->note);
  bawn_json_writer_end_object (&w);
  return bawn_json_writer_finish (&w);
}

static gboolean
has_text (const BawnJsonNode *object, BawnRestField field, const char *text)
{
  return g_strcmp0 (bawn_rest_json_get_string (object, field, NULL), text) == 0;
}

static gboolean
has_tags (const BawnJsonNode *array, const char *const *tags)
{
  if (!bawn_json_is (array, BAWN_JSON_ARRAY) || array->n_children != g_strv_length ((GStrv) tags))
    return FALSE;

  for (const BawnJsonNode *node = array->children; node != NULL; node = node->next)
    if (!bawn_json_is (node, BAWN_JSON_STRING) || !g_strv_contains (tags, node->string))
      return FALSE;

  return TRUE;
}

/**
 * bawn_service_record_matches:
 * @record: what is to be told
 * @answer: of /v1/agent/service/ID
 *
 * Returns: %TRUE if the agent knows just that
 */
gboolean
bawn_service_record_matches (const BawnServiceRecord *record, GBytes *answer)
{
  g_autoptr(BawnJson) json = bawn_json_parse (answer, NULL, NULL);
  const BawnJsonNode *service = json != NULL ? bawn_json_root (json) : NULL;
  const BawnJsonNode *meta = bawn_rest_json_get (service, BAWN_REST_CONSUL_META);
  guint64 port = 0;

  return has_text (service, BAWN_REST_CONSUL_ID, record->id) && has_text (service, BAWN_REST_CONSUL_SERVICE, record->name)
         && has_text (service, BAWN_REST_CONSUL_ADDRESS, record->address)
         && bawn_rest_json_get_uint64 (service, BAWN_REST_CONSUL_PORT, &port) && port == record->port
         && has_text (meta, BAWN_REST_CONSUL_META_VERSION, record->version)
         && has_text (meta, BAWN_REST_CONSUL_META_CLUSTER, record->cluster_id)
         && has_text (meta, BAWN_REST_CONSUL_META_EPOCH, record->epoch)
         && has_tags (bawn_rest_json_get (service, BAWN_REST_CONSUL_TAGS), (const char *const *) record->tags);
}
