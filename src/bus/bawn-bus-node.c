/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-node.h"

#include "bus/bawn-bus-state.h"
#include "core/bawn-local.h"

/* How often the peers are looked at: they come and go without the core saying so. */
#define PEERS_MS 1000

struct _BawnBusNode
{
  BawnDbusBawn1Skeleton parent_instance;

  BawnCore *core;
  BawnStatus *shown; /* nullable before the first refresh */
  char *leader_address;
  GPtrArray *peers;
  GSource *peers_timer; /* nullable: there are none to be looked at */
};

G_DEFINE_FINAL_TYPE (BawnBusNode, bawn_bus_node, BAWN_DBUS_TYPE_BAWN1_SKELETON)

static const GDBusInterfaceVTable *parent_vtable;

static BawnDbusBawn1 *
as_interface (BawnBusNode *node)
{
  return BAWN_DBUS_BAWN1 (node);
}

static GVariant *
make_peers (BawnBusNode *node, GPtrArray *peers)
{
  return bawn_bus_peers_to_variant (peers, bawn_core_get_node_id (node->core));
}

static void
show_peers (BawnBusNode *node)
{
  g_autoptr (GPtrArray) peers = bawn_core_dup_peers (node->core);

  if (bawn_bus_peers_equal (peers, node->peers))
    return;

  bawn_dbus_bawn1_set_peers (as_interface (node), make_peers (node, peers));
  g_ptr_array_unref (node->peers);
  node->peers = g_steal_pointer (&peers);
}

static gboolean
on_peers_due (gpointer user_data)
{
  show_peers (user_data);
  return G_SOURCE_CONTINUE;
}

static void
stop_peers_timer (BawnBusNode *node)
{
  if (node->peers_timer == NULL)
    return;

  g_source_destroy (node->peers_timer);
  g_clear_pointer (&node->peers_timer, g_source_unref);
}

static void
follow_peers (BawnBusNode *node, const BawnStatus *status)
{
  gboolean wanted = status->ha_enabled && !status->sealed;

  show_peers (node);
  if (!wanted)
    stop_peers_timer (node);
  else if (node->peers_timer == NULL)
    {
      node->peers_timer = g_timeout_source_new (PEERS_MS);
      g_source_set_callback (node->peers_timer, on_peers_due, node, NULL);
      g_source_attach (node->peers_timer, g_main_context_get_thread_default ());
    }
}

/* Behind the properties, so that whoever hears of it reads what is new. */
static void
tell_changes (BawnBusNode *node, const BawnStatus *old, const BawnStatus *status)
{
  BawnDbusBawn1 *object = as_interface (node);
  const char *address = bawn_dbus_bawn1_get_leader_address (object);
  const char *before = bawn_bus_state_name (old);
  const char *now = bawn_bus_state_name (status);

  if (!g_str_equal (before, now))
    bawn_dbus_bawn1_emit_state_changed (object, before, now,
                                        bawn_dbus_bawn1_get_last_change_reason (object));
  if (g_strcmp0 (node->leader_address, address) != 0)
    bawn_dbus_bawn1_emit_leader_changed (object, node->leader_address, address,
                                         bawn_dbus_bawn1_get_is_self (object),
                                         bawn_dbus_bawn1_get_epoch (object));
}

/**
 * bawn_bus_node_refresh:
 * @node: the object
 *
 * Shows the core's snapshot of this moment.
 */
void
bawn_bus_node_refresh (BawnBusNode *node)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (node->core);

  bawn_bus_state_show (as_interface (node), status);
  follow_peers (node, status);
  g_dbus_interface_skeleton_flush (G_DBUS_INTERFACE_SKELETON (node));
  if (node->shown != NULL)
    tell_changes (node, node->shown, status);

  g_clear_pointer (&node->shown, bawn_status_unref);
  node->shown = g_steal_pointer (&status);
  g_free (node->leader_address);
  node->leader_address = bawn_dbus_bawn1_dup_leader_address (as_interface (node));
}

void
bawn_bus_node_close (BawnBusNode *node)
{
  stop_peers_timer (node);
}

/* What moves all the time is made when it is asked for. */
static GVariant *
get_property (GDBusConnection *connection,
              const char *sender,
              const char *path,
              const char *interface,
              const char *name,
              GError **error,
              gpointer user_data)
{
  BawnBusNode *node = BAWN_BUS_NODE (user_data);

  if (g_str_equal (name, "LeaseTimeLeftMs"))
    return g_variant_new_uint64 ((guint64) MAX (bawn_core_get_lease_left_us (node->core), 0)
                                 / 1000);
  if (g_str_equal (name, "Peers"))
    {
      g_autoptr (GPtrArray) peers = bawn_core_dup_peers (node->core);

      return make_peers (node, peers);
    }

  return parent_vtable->get_property (connection, sender, path, interface, name, error, user_data);
}

static GDBusInterfaceVTable *
bawn_bus_node_get_vtable (GDBusInterfaceSkeleton *skeleton)
{
  static GDBusInterfaceVTable vtable;
  static gsize once = 0;

  if (g_once_init_enter (&once))
    {
      parent_vtable =
          G_DBUS_INTERFACE_SKELETON_CLASS (bawn_bus_node_parent_class)->get_vtable (skeleton);
      vtable = *parent_vtable;
      vtable.get_property = get_property;
      g_once_init_leave (&once, 1);
    }

  return &vtable;
}

static void
bawn_bus_node_finalize (GObject *object)
{
  BawnBusNode *node = BAWN_BUS_NODE (object);

  stop_peers_timer (node);
  g_clear_object (&node->core);
  g_clear_pointer (&node->shown, bawn_status_unref);
  g_clear_pointer (&node->leader_address, g_free);
  g_clear_pointer (&node->peers, g_ptr_array_unref);

  G_OBJECT_CLASS (bawn_bus_node_parent_class)->finalize (object);
}

static void
bawn_bus_node_class_init (BawnBusNodeClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = bawn_bus_node_finalize;
  G_DBUS_INTERFACE_SKELETON_CLASS (klass)->get_vtable = bawn_bus_node_get_vtable;
}

static void
bawn_bus_node_init (BawnBusNode *node)
{
  node->peers = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_peer_free);
}

/**
 * bawn_bus_node_new:
 * @core: what to show
 * @listeners: (array zero-terminated=1): where clients are listened for
 *
 * Returns: (transfer full): the object, which shows nothing before it is refreshed
 */
BawnBusNode *
bawn_bus_node_new (BawnCore *core, const char *const *listeners)
{
  BawnBusNode *node = g_object_new (BAWN_TYPE_BUS_NODE, NULL);

  node->core = g_object_ref (core);
  bawn_dbus_bawn1_set_node_id (as_interface (node), bawn_core_get_node_id (core));
  bawn_dbus_bawn1_set_listeners (as_interface (node), listeners);
  bawn_dbus_bawn1_set_peers (as_interface (node), make_peers (node, node->peers));
  return node;
}
