/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-state.h"

const char *
bawn_bus_state_name (const BawnStatus *status)
{
  if (!status->initialized)
    return "uninitialized";
  if (status->sealed)
    return "sealed";

  return status->standby ? "standby" : "active";
}

const char *
bawn_bus_ha_state_name (const BawnStatus *status)
{
  if (!status->ha_enabled)
    return "disabled";
  if (status->sealed)
    return "sealed";

  return status->ha_state != NULL ? status->ha_state : "stopped";
}

static gboolean
is_active (const BawnStatus *status)
{
  return !status->sealed && !status->standby;
}

guint64
bawn_bus_epoch (const BawnStatus *status)
{
  if (is_active (status))
    return status->epoch;

  return status->leader != NULL ? status->leader->epoch : 0;
}

/* The bus takes nothing but UTF-8, and a reason may hold what a storage server wrote. */
static char *
make_valid (const char *text)
{
  return text != NULL ? g_utf8_make_valid (text, -1) : g_strdup ("");
}

static void
add_string (GVariantBuilder *builder, const char *key, const char *value)
{
  g_variant_builder_add (builder, "{sv}", key, g_variant_new_take_string (make_valid (value)));
}

static void
show_text (BawnDbusBawn1 *object,
           void (*set) (BawnDbusBawn1 *object, const char *value),
           const char *text)
{
  g_autofree char *valid = make_valid (text);

  set (object, valid);
}

/**
 * bawn_bus_peers_to_variant:
 * @peers: (element-type BawnPeer): the nodes that were heard of
 * @own_id: the id of this one
 *
 * Returns: (transfer floating): them as an array of dictionaries
 */
GVariant *
bawn_bus_peers_to_variant (GPtrArray *peers, const char *own_id)
{
  g_auto (GVariantBuilder) all = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

  for (guint i = 0; i < peers->len; i++)
    {
      const BawnPeer *peer = g_ptr_array_index (peers, i);

      if (g_strcmp0 (peer->node_id, own_id) == 0)
        continue;

      g_variant_builder_open (&all, G_VARIANT_TYPE_VARDICT);
      add_string (&all, "Address", peer->api_addr);
      add_string (&all, "ClusterAddress", peer->cluster_addr);
      add_string (&all, "NodeId", peer->node_id);
      add_string (&all, "Hostname", peer->hostname);
      add_string (&all, "Version", peer->version);
      add_string (&all, "State", peer->state);
      g_variant_builder_add (&all, "{sv}", "LastContact",
                             g_variant_new_uint64 ((guint64) MAX (peer->last_contact_us, 0)));
      g_variant_builder_close (&all);
    }

  return g_variant_builder_end (&all);
}

static gboolean
is_same (const BawnPeer *a, const BawnPeer *b)
{
  return g_strcmp0 (a->node_id, b->node_id) == 0 && g_strcmp0 (a->hostname, b->hostname) == 0
         && g_strcmp0 (a->api_addr, b->api_addr) == 0
         && g_strcmp0 (a->cluster_addr, b->cluster_addr) == 0
         && g_strcmp0 (a->version, b->version) == 0 && g_strcmp0 (a->state, b->state) == 0;
}

gboolean
bawn_bus_peers_equal (GPtrArray *a, GPtrArray *b)
{
  if (a->len != b->len)
    return FALSE;

  for (guint i = 0; i < a->len; i++)
    if (!is_same (g_ptr_array_index (a, i), g_ptr_array_index (b, i)))
      return FALSE;

  return TRUE;
}

static void
show_leader (BawnDbusBawn1 *object, const BawnStatus *status)
{
  const char *address = NULL;
  const char *cluster_address = NULL;

  if (status->leader != NULL)
    {
      address = status->leader->api_addr;
      cluster_address = status->leader->cluster_addr;
    }
  else if (is_active (status))
    {
      address = status->api_addr;
      cluster_address = status->cluster_addr;
    }

  show_text (object, bawn_dbus_bawn1_set_leader_address, address);
  show_text (object, bawn_dbus_bawn1_set_leader_cluster_address, cluster_address);
}

void
bawn_bus_state_show (BawnDbusBawn1 *object, const BawnStatus *status)
{
  show_text (object, bawn_dbus_bawn1_set_version, status->version);
  show_text (object, bawn_dbus_bawn1_set_storage_type, status->storage_type);
  bawn_dbus_bawn1_set_initialized (object, status->initialized);
  bawn_dbus_bawn1_set_sealed (object, status->sealed);
  bawn_dbus_bawn1_set_unseal_progress (object, status->progress);
  bawn_dbus_bawn1_set_unseal_threshold (object, status->initialized ? status->threshold : 0);
  bawn_dbus_bawn1_set_unseal_shares (object, status->initialized ? status->shares : 0);
  show_text (object, bawn_dbus_bawn1_set_seal_type, status->seal_type);
  show_text (object, bawn_dbus_bawn1_set_cluster_name, status->cluster_name);
  show_text (object, bawn_dbus_bawn1_set_cluster_id, status->cluster_id);
  bawn_dbus_bawn1_set_ha_enabled (object, status->ha_enabled);
  show_text (object, bawn_dbus_bawn1_set_ha_state, bawn_bus_ha_state_name (status));
  bawn_dbus_bawn1_set_epoch (object, bawn_bus_epoch (status));
  bawn_dbus_bawn1_set_is_self (object, is_active (status));
  bawn_dbus_bawn1_set_active_since (object, (guint64) MAX (status->active_since_us, 0));
  show_text (object, bawn_dbus_bawn1_set_last_change_reason, status->last_reason);
  show_leader (object, status);
}
