/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus.h"

#include "bus/bawn-bus-link.h"
#include "bus/bawn-bus-methods.h"
#include "bus/bawn-bus-node.h"
#include "bus/bawn-bus-queue.h"
#include "util/bawn-log.h"

struct _BawnBus
{
  BawnCore *core;
  char *name;
  GStrv listeners;
  BawnBusReload reload;
  gpointer reload_data;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  GSource *changed; /* ready when the core has said so */
  gulong handler;

  /* Of the thread only. */
  BawnBusNode *node;
  BawnBusMethods *methods;
  BawnBusQueue *queue;
};

/* Any thread. However often it is said before we look, we look once. */
static void
on_status_changed (BawnCore *core, gpointer user_data)
{
  g_source_set_ready_time (user_data, 0);
}

static void
drop_source (gpointer data, GClosure *closure)
{
  g_source_unref (data);
}

static gboolean
dispatch_changed (GSource *source, GSourceFunc callback, gpointer user_data)
{
  /* Before the core is looked at: what changes from here on is a new change. */
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static gboolean
on_changed (gpointer user_data)
{
  BawnBus *bus = user_data;

  bawn_bus_node_refresh (bus->node);
  return G_SOURCE_CONTINUE;
}

static void
watch_core (BawnBus *bus)
{
  static GSourceFuncs funcs = { .dispatch = dispatch_changed };

  bus->changed = g_source_new (&funcs, sizeof (GSource));
  g_source_set_static_name (bus->changed, "bawn-bus-changed");
  g_source_set_callback (bus->changed, on_changed, bus, NULL);
  g_source_set_ready_time (bus->changed, 0);
  g_source_attach (bus->changed, bus->context);
  bus->handler = g_signal_connect_data (bus->core, "status-changed", G_CALLBACK (on_status_changed),
                                        g_source_ref (bus->changed), drop_source, 0);
}

static void
on_connection (GDBusConnection *connection, gpointer user_data)
{
  BawnBus *bus = user_data;
  GDBusInterfaceSkeleton *skeleton = G_DBUS_INTERFACE_SKELETON (bus->node);
  g_autoptr (GError) error = NULL;

  bawn_bus_methods_set_connection (bus->methods, connection);
  if (connection == NULL)
    {
      g_dbus_interface_skeleton_unexport (skeleton);
      return;
    }

  bawn_bus_queue_watch (bus->queue, connection);
  if (!g_dbus_interface_skeleton_export (skeleton, connection, BAWN_BUS_PATH, &error))
    bawn_log_error ("bus", "%s cannot be shown: %s", BAWN_BUS_PATH, error->message);
}

static gboolean
on_line_end (gpointer reached)
{
  *(gboolean *) reached = TRUE;
  return G_SOURCE_REMOVE;
}

/* Does what stands in the line at this moment; what comes behind that may never end. */
static void
work_off (GMainContext *context)
{
  g_autoptr (GSource) line_end = g_idle_source_new ();
  gboolean reached = FALSE;

  g_source_set_priority (line_end, G_PRIORITY_DEFAULT);
  g_source_set_callback (line_end, on_line_end, &reached, NULL);
  g_source_attach (line_end, context);
  while (!reached)
    g_main_context_iteration (context, TRUE);
}

static gpointer
run (gpointer data)
{
  BawnBus *bus = data;

  g_main_context_push_thread_default (bus->context);
  bus->node = bawn_bus_node_new (bus->core, (const char *const *) bus->listeners);
  bus->methods = bawn_bus_methods_new (bus->node, bus->core, bus->reload, bus->reload_data);
  bus->queue = bawn_bus_queue_new (bus->context);
  watch_core (bus);

  BawnBusLink *link = bawn_bus_link_open (bus->name, on_connection, bus);
  g_main_loop_run (bus->loop);

  bawn_bus_methods_close (bus->methods);
  work_off (bus->context);
  bawn_bus_link_close (link);
  work_off (bus->context);
  g_clear_signal_handler (&bus->handler, bus->core);
  g_source_destroy (bus->changed);
  g_source_unref (bus->changed);
  bawn_bus_node_close (bus->node);
  g_clear_pointer (&bus->methods, bawn_bus_methods_unref);
  g_clear_pointer (&bus->queue, bawn_bus_queue_unref);
  g_clear_object (&bus->node);
  g_main_context_pop_thread_default (bus->context);
  return NULL;
}

/**
 * bawn_bus_start:
 * @setup: what is to be on the bus
 *
 * Returns: (transfer full): a server that looks for the bus
 */
BawnBus *
bawn_bus_start (const BawnBusSetup *setup)
{
  BawnBus *bus = g_new0 (BawnBus, 1);

  bus->core = g_object_ref (setup->core);
  bus->name = g_strdup (setup->name);
  bus->listeners = g_strdupv ((char **) setup->listeners);
  bus->reload = setup->reload;
  bus->reload_data = setup->reload_data;
  bus->context = g_main_context_new ();
  bus->loop = g_main_loop_new (bus->context, FALSE);
  bus->thread = g_thread_new ("bawn-bus", run, bus);
  return bus;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

void
bawn_bus_stop (BawnBus *bus)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  /* From inside of the loop: it may not have begun to run yet. */
  g_source_set_callback (source, quit, bus->loop, NULL);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_attach (source, bus->context);
  g_thread_join (bus->thread);
  g_main_loop_unref (bus->loop);
  g_main_context_unref (bus->context);
  g_strfreev (bus->listeners);
  g_free (bus->name);
  g_object_unref (bus->core);
  g_free (bus);
}
