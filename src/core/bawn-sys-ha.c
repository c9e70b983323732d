/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-ha.h"
#include "core/bawn-sys-private.h"

#include <string.h>

/* The cluster as the API shows it: its nodes, and handing over. */

static void
write_node (BawnJsonWriter *w, const BawnPeer *node, gboolean is_active)
{
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "hostname", node->hostname != NULL ? node->hostname : "");
  bawn_json_writer_add_string (w, "api_address", node->api_addr != NULL ? node->api_addr : "");
  bawn_json_writer_add_string (w, "cluster_address", node->cluster_addr != NULL ? node->cluster_addr : "");
  bawn_json_writer_add_bool (w, "active_node", is_active);
  if (node->last_contact_us == 0)
    bawn_json_writer_add_null (w, "last_echo");
  else
    {
      g_autofree char *time = bawn_time_format (node->last_contact_us);

      bawn_json_writer_add_string (w, "last_echo", time);
    }
  bawn_json_writer_add_string (w, "version", BAWN_API_VERSION);
  bawn_json_writer_add_string (w, "bawn_version", node->version != NULL ? node->version : "");
  bawn_json_writer_add_string (w, "state", node->state != NULL ? node->state : "");
  bawn_json_writer_end_object (w);
}

static BawnResponse *
ha_status (BawnEngine *engine,
           BawnRequest *request G_GNUC_UNUSED,
           BawnTxn *txn G_GNUC_UNUSED,
           GError **error G_GNUC_UNUSED)
{
  BawnCore *core = bawn_engine_system_get_core (engine);
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);
  g_autoptr (GPtrArray) peers = bawn_core_dup_peers (core);
  const BawnPeer self = {
    .hostname = (char *) g_get_host_name (),
    .api_addr = status->api_addr,
    .cluster_addr = status->cluster_addr,
    .version = (char *) PACKAGE_VERSION,
    .state = (char *) (status->ha_state != NULL ? status->ha_state : "active"),
  };
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "nodes");
  bawn_json_writer_begin_array (&w);
  write_node (&w, &self, !status->standby);
  for (guint i = 0; i < peers->len; i++)
    {
      const BawnPeer *peer = g_ptr_array_index (peers, i);

      if (!g_str_equal (peer->node_id, bawn_core_get_node_id (core)))
        write_node (&w, peer, FALSE);
    }
  bawn_json_writer_end_array (&w);
  bawn_json_writer_end_object (&w);

  return bawn_sys_injected (&w);
}

typedef struct
{
  BawnCore *core;
  char *successor; /* nullable */
} StepDown;

static void
step_down_free (gpointer data)
{
  StepDown *wish = data;

  g_object_unref (wish->core);
  g_free (wish->successor);
  g_free (wish);
}

/* The answer goes out while the node lets go. A node that is not active any more has nothing to do. */
static void
step_down_now (gpointer data, gpointer unused G_GNUC_UNUSED)
{
  StepDown *wish = data;
  g_autoptr (GError) error = NULL;

  if (!bawn_ha_step_down (bawn_core_get_ha (wish->core), wish->successor, "asked for through the API", &error))
    bawn_log_info ("core", "asked to step down: %s", error->message);
}

gboolean
bawn_core_knows_peer (BawnCore *core, const char *address)
{
  g_autoptr (GPtrArray) peers = bawn_core_dup_peers (core);

  for (guint i = 0; i < peers->len; i++)
    {
      const BawnPeer *peer = g_ptr_array_index (peers, i);

      if (g_strcmp0 (peer->api_addr, address) == 0)
        return TRUE;
    }

  return FALSE;
}

static BawnResponse *
step_down (BawnEngine *engine, BawnRequest *request, BawnTxn *txn G_GNUC_UNUSED, GError **error)
{
  BawnCore *core = bawn_engine_system_get_core (engine);
  g_autofree char *successor = NULL;
  g_autoptr (BawnResponse) response = NULL;

  if (!bawn_field_string (request, "successor", &successor, error))
    return NULL;
  if (successor != NULL && *successor == '\0')
    g_clear_pointer (&successor, g_free);
  if (successor != NULL && !bawn_core_knows_peer (core, successor))
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "no standby is known by the address \"%s\"; see sys/ha-status", successor);

  StepDown *wish = g_new0 (StepDown, 1);
  wish->core = g_object_ref (core);
  wish->successor = g_steal_pointer (&successor);
  response = bawn_response_new_empty ();
  bawn_response_after_commit (response, step_down_now, wish, step_down_free);
  return g_steal_pointer (&response);
}

const BawnRoute bawn_sys_ha_routes[] = {
  { "ha-status", BAWN_OP_READ, ha_status, BAWN_ROUTE_NONE,
    "Provides information about the nodes in an HA cluster." },
  { "step-down", BAWN_OP_WRITE, step_down, BAWN_ROUTE_SUDO,
    "Has the active node hand over to another one." },
  { 0 },
};

/* Endpoints that concern the node that was asked, whoever is active. The active one says whether the caller may. */

static const BawnRoute *
find_node_route (BawnCore *core, BawnRequest *request)
{
  BawnEngine *system = bawn_core_lookup_engine (core, "system", FALSE);

  if (!g_str_has_prefix (request->path, "sys/"))
    return NULL;

  bawn_request_reset (request);
  request->rest = request->path + strlen ("sys/");
  const BawnRoute *route = bawn_route_match (BAWN_ENGINE_GET_CLASS (system)->routes, request, NULL);

  /* Help fits every row, and is for everyone: who may have it may not have the row done. */
  return route != NULL && (route->flags & BAWN_ROUTE_NODE) != 0 && (route->ops & (guint) request->op) != 0
             ? route
             : NULL;
}

gboolean
bawn_core_concerns_node (BawnCore *core, BawnRequest *request)
{
  return find_node_route (core, request) != NULL;
}

BawnResponse *
bawn_sys_run_for_node (BawnCore *core, BawnRequest *request, GError **error)
{
  const BawnRoute *route = find_node_route (core, request);

  if (route == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INTERNAL, "%s is not for one node", request->path);

  return route->handler (bawn_core_lookup_engine (core, "system", FALSE), request, NULL, error);
}
