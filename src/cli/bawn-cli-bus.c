/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-bus.h"

#include "cli/bawn-cli-error.h"
#include "util/bawn-clock.h"

#include <glib/gi18n.h>

#define BUS_NAME "org.bawn.Bawn1"
#define BUS_PATH "/org/bawn/Bawn1"
/* As the server makes its name of what it is called in the configuration. */
#define ELEMENT_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-"
/* A server that is there answers from memory. */
#define TIMEOUT_MS (10 * 1000)

static char *
make_name (const char *instance, GError **error)
{
  g_autofree char *name = NULL;

  if (instance == NULL)
    return g_strdup (BUS_NAME);

  g_autofree char *element = g_strcanon (g_strdup (instance), ELEMENT_CHARACTERS, '_');
  name = g_strconcat (BUS_NAME ".node_", element, NULL);
  if (*instance == '\0' || !g_dbus_is_name (name))
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_USAGE,
                               _ ("“%s” cannot be the name of an instance"), instance);

  return g_steal_pointer (&name);
}

/**
 * bawn_cli_bus_read:
 * @instance: (nullable): which of several servers of this machine
 * @error: (out) (optional): LOCAL if there is no bus, or nobody there who answers
 *
 * Asks the server of this machine, which need not let anybody in for that.
 *
 * Returns: (transfer full) (nullable): all its properties
 */
GVariant *
bawn_cli_bus_read (const char *instance, GError **error)
{
  g_autofree char *name = make_name (instance, error);
  g_autoptr (GError) cause = NULL;

  if (name == NULL)
    return NULL;

  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, &cause);
  if (bus == NULL)
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL,
                               _ ("The system bus cannot be reached: %s"), cause->message);

  g_dbus_connection_set_exit_on_close (bus, FALSE);
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_sync (bus, name, BUS_PATH, "org.freedesktop.DBus.Properties", "GetAll",
                                   g_variant_new ("(s)", BUS_NAME), G_VARIANT_TYPE ("(a{sv})"),
                                   G_DBUS_CALL_FLAGS_NO_AUTO_START, TIMEOUT_MS, NULL, &cause);
  if (reply == NULL)
    {
      g_dbus_error_strip_remote_error (cause);
      return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL,
                                 _ ("No server answers on the system bus as %s: %s"), name,
                                 cause->message);
    }

  return g_variant_get_child_value (reply, 0);
}

static void
add_string (BawnJsonWriter *w, const char *member, GVariant *properties, const char *name)
{
  const char *text = "";

  (void) g_variant_lookup (properties, name, "&s", &text);
  bawn_json_writer_add_string (w, member, text);
}

static void
add_bool (BawnJsonWriter *w, const char *member, GVariant *properties, const char *name)
{
  gboolean value = FALSE;

  (void) g_variant_lookup (properties, name, "b", &value);
  bawn_json_writer_add_bool (w, member, value);
}

static void
add_uint (BawnJsonWriter *w, const char *member, GVariant *properties, const char *name)
{
  guint value = 0;

  (void) g_variant_lookup (properties, name, "u", &value);
  bawn_json_writer_add_int (w, member, value);
}

static void
add_uint64 (BawnJsonWriter *w, const char *member, GVariant *properties, const char *name)
{
  guint64 value = 0;

  (void) g_variant_lookup (properties, name, "t", &value);
  bawn_json_writer_add_int (w, member, (gint64) MIN (value, G_MAXINT64));
}

/* Microseconds on the bus; nothing at all for 0. */
static void
add_time (BawnJsonWriter *w, const char *member, GVariant *properties, const char *name)
{
  guint64 value = 0;

  if (!g_variant_lookup (properties, name, "t", &value) || value == 0 || value > G_MAXINT64)
    return;

  g_autofree char *text = bawn_time_format ((gint64) value);
  bawn_json_writer_add_string (w, member, text);
}

static BawnJson *
finish (BawnJsonWriter *w, GError **error)
{
  g_autoptr (GBytes) text = bawn_json_writer_finish (w);

  return bawn_json_parse (text, NULL, error);
}

/**
 * bawn_cli_bus_to_seal_status:
 * @properties: what bawn_cli_bus_read() gave
 * @error: (out) (optional): where to put the error
 *
 * Returns: (transfer full) (nullable): an object
 */
BawnJson *
bawn_cli_bus_to_seal_status (GVariant *properties, GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  add_string (&w, "type", properties, "SealType");
  add_bool (&w, "initialized", properties, "Initialized");
  add_bool (&w, "sealed", properties, "Sealed");
  add_uint (&w, "t", properties, "UnsealThreshold");
  add_uint (&w, "n", properties, "UnsealShares");
  add_uint (&w, "progress", properties, "UnsealProgress");
  add_string (&w, "bawn_version", properties, "Version");
  add_string (&w, "storage_type", properties, "StorageType");
  add_string (&w, "cluster_name", properties, "ClusterName");
  add_string (&w, "cluster_id", properties, "ClusterId");
  bawn_json_writer_end_object (&w);

  return finish (&w, error);
}

static void
add_peers (BawnJsonWriter *w, GVariant *properties)
{
  g_autoptr (GVariant) peers =
      g_variant_lookup_value (properties, "Peers", G_VARIANT_TYPE ("aa{sv}"));

  bawn_json_writer_name (w, "peers");
  bawn_json_writer_begin_array (w);
  for (gsize i = 0; peers != NULL && i < g_variant_n_children (peers); i++)
    {
      g_autoptr (GVariant) peer = g_variant_get_child_value (peers, i);

      bawn_json_writer_begin_object (w);
      add_string (w, "address", peer, "Address");
      add_string (w, "cluster_address", peer, "ClusterAddress");
      add_string (w, "hostname", peer, "Hostname");
      add_string (w, "node_id", peer, "NodeId");
      add_string (w, "version", peer, "Version");
      add_string (w, "state", peer, "State");
      add_time (w, "last_contact", peer, "LastContact");
      bawn_json_writer_end_object (w);
    }
  bawn_json_writer_end_array (w);
}

static void
add_listeners (BawnJsonWriter *w, GVariant *properties)
{
  g_autofree const char **listeners = NULL;

  if (g_variant_lookup (properties, "Listeners", "^a&s", &listeners))
    bawn_json_writer_add_strv (w, "listeners", listeners);
}

/**
 * bawn_cli_bus_to_leader:
 * @properties: what bawn_cli_bus_read() gave
 * @error: (out) (optional): where to put the error
 *
 * Returns: (transfer full) (nullable): an object
 */
BawnJson *
bawn_cli_bus_to_leader (GVariant *properties, GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  add_bool (&w, "ha_enabled", properties, "HaEnabled");
  add_bool (&w, "is_self", properties, "IsSelf");
  add_time (&w, "active_time", properties, "ActiveSince");
  add_string (&w, "leader_address", properties, "LeaderAddress");
  add_string (&w, "leader_cluster_address", properties, "LeaderClusterAddress");
  add_string (&w, "ha_state", properties, "HaState");
  add_uint64 (&w, "epoch", properties, "Epoch");
  add_uint64 (&w, "lease_time_left_ms", properties, "LeaseTimeLeftMs");
  add_string (&w, "last_change_reason", properties, "LastChangeReason");
  add_string (&w, "node_id", properties, "NodeId");
  add_peers (&w, properties);
  add_listeners (&w, properties);
  bawn_json_writer_end_object (&w);

  return finish (&w, error);
}
