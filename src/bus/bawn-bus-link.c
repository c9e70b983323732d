/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-link.h"

#include "util/bawn-log.h"

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

/* The bus's answers to RequestName. */
#define OWNER_PRIMARY 1u
#define OWNER_QUEUED 2u
#define OWNER_ALREADY 4u

/* At the end, for a bus that hangs: somebody waits for us to be gone. */
#define LEAVE_MS 1000

struct _BawnBusLink
{
  grefcount refs;
  char *name;
  BawnBusLinkFunc func;
  gpointer user_data;
  GCancellable *cancellable;
  GDBusConnection *connection; /* nullable */
  gulong closed_handler;
  guint acquired_watch;
  guint lost_watch;
  GSource *timer; /* nullable: of the next attempt at whatever is missing */
  guint retry_ms;
  guint n_pending; /* things begun that will call back */
  gboolean has_name;
  gboolean complained; /* of what is missing, so that it is not said again */
};

static void connect_to_bus (BawnBusLink *link);
static void request_name (BawnBusLink *link);

static BawnBusLink *
link_ref (BawnBusLink *link)
{
  g_ref_count_inc (&link->refs);
  return link;
}

static void
link_unref (BawnBusLink *link)
{
  if (!g_ref_count_dec (&link->refs))
    return;

  g_object_unref (link->cancellable);
  g_free (link->name);
  g_free (link);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnBusLink, link_unref)

static gboolean
is_closed (BawnBusLink *link)
{
  return g_cancellable_is_cancelled (link->cancellable);
}

static void
stop_timer (BawnBusLink *link)
{
  if (link->timer == NULL)
    return;

  g_source_destroy (link->timer);
  g_clear_pointer (&link->timer, g_source_unref);
}

static gboolean
on_timer (gpointer user_data)
{
  BawnBusLink *link = user_data;

  stop_timer (link);
  if (link->connection == NULL)
    connect_to_bus (link);
  else
    request_name (link);
  return G_SOURCE_REMOVE;
}

static void
try_again_in (BawnBusLink *link, guint ms)
{
  stop_timer (link);
  link->timer = g_timeout_source_new (ms);
  g_source_set_callback (link->timer, on_timer, link, NULL);
  g_source_attach (link->timer, g_main_context_get_thread_default ());
}

static void
complain (BawnBusLink *link, const char *what, const char *why)
{
  if (!link->complained)
    bawn_log_info ("bus", "%s, and will be asked again: %s", what, why);
  link->complained = TRUE;
}

static void
set_has_name (BawnBusLink *link, gboolean has_name)
{
  if (has_name == link->has_name)
    return;

  link->has_name = has_name;
  if (has_name)
    bawn_log_info ("bus", "on the system bus as %s", link->name);
  else
    bawn_log_info ("bus", "the name %s is not ours any more", link->name);
}

static void
take_owner (BawnBusLink *link, guint32 answer)
{
  if (answer == OWNER_PRIMARY || answer == OWNER_ALREADY)
    {
      link->complained = FALSE;
      set_has_name (link, TRUE);
    }
  else if (answer == OWNER_QUEUED && !link->has_name)
    complain (link, "another process has our name on the bus", link->name);
}

static void
on_name_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (BawnBusLink) link = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  guint32 answer = 0;

  link->n_pending--;
  if (is_closed (link) || link->connection != G_DBUS_CONNECTION (source))
    return;
  if (reply == NULL)
    {
      g_dbus_error_strip_remote_error (error);
      complain (link, "the system bus refuses our name", error->message);
      try_again_in (link, BAWN_BUS_NAME_RETRY_MS);
      return;
    }

  g_variant_get (reply, "(u)", &answer);
  take_owner (link, answer);
}

static void
request_name (BawnBusLink *link)
{
  link->n_pending++;
  g_dbus_connection_call (link->connection, BUS_NAME, BUS_PATH, BUS_NAME, "RequestName",
                          g_variant_new ("(su)", link->name, 0u), G_VARIANT_TYPE ("(u)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, link->cancellable, on_name_answered,
                          link_ref (link));
}

static void
on_name_changed (GDBusConnection *connection,
                 const char *sender,
                 const char *path,
                 const char *interface,
                 const char *signal,
                 GVariant *parameters,
                 gpointer user_data)
{
  BawnBusLink *link = user_data;
  const char *name = NULL;

  if (is_closed (link) || link->connection != connection
      || !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(s)")))
    return;

  g_variant_get (parameters, "(&s)", &name);
  if (g_str_equal (name, link->name))
    set_has_name (link, g_str_equal (signal, "NameAcquired"));
}

static guint
watch_name (BawnBusLink *link, const char *signal)
{
  return g_dbus_connection_signal_subscribe (link->connection, BUS_NAME, BUS_NAME, signal, BUS_PATH,
                                             link->name, G_DBUS_SIGNAL_FLAGS_NONE, on_name_changed,
                                             link, NULL);
}

static void
drop_connection (BawnBusLink *link)
{
  g_autoptr (GDBusConnection) connection = g_steal_pointer (&link->connection);

  if (connection == NULL)
    return;

  g_clear_signal_handler (&link->closed_handler, connection);
  g_dbus_connection_signal_unsubscribe (connection, link->acquired_watch);
  g_dbus_connection_signal_unsubscribe (connection, link->lost_watch);
  link->func (NULL, link->user_data);
}

/* The bus was restarted, most likely. It says so in the thread's own context. */
static void
on_closed (GDBusConnection *connection, gboolean remote_vanished, GError *error, gpointer user_data)
{
  BawnBusLink *link = user_data;

  bawn_log_info ("bus", "the system bus has gone%s%s", error != NULL ? ": " : "",
                 error != NULL ? error->message : "");
  set_has_name (link, FALSE);
  drop_connection (link);
  link->retry_ms = BAWN_BUS_RETRY_MIN_MS;
  try_again_in (link, link->retry_ms);
}

static void
take_connection (BawnBusLink *link, GDBusConnection *connection)
{
  link->connection = connection;
  link->complained = FALSE;
  link->retry_ms = BAWN_BUS_RETRY_MIN_MS;
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  link->closed_handler = g_signal_connect (connection, "closed", G_CALLBACK (on_closed), link);
  link->acquired_watch = watch_name (link, "NameAcquired");
  link->lost_watch = watch_name (link, "NameLost");
  link->func (connection, link->user_data);
  request_name (link);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (BawnBusLink) link = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection =
      g_dbus_connection_new_for_address_finish (result, &error);

  link->n_pending--;
  if (is_closed (link))
    return;
  if (connection != NULL && !g_dbus_connection_is_closed (connection))
    {
      take_connection (link, g_steal_pointer (&connection));
      return;
    }

  complain (link, "the system bus is not there",
            error != NULL ? error->message : "it has gone again");
  try_again_in (link, link->retry_ms);
  link->retry_ms = MIN (link->retry_ms * 2, BAWN_BUS_RETRY_MAX_MS);
}

/* A connection of our own: the one that GLib shares ends the process when it is lost. */
static void
connect_to_bus (BawnBusLink *link)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, &error);

  if (address == NULL)
    {
      complain (link, "the system bus has no address", error->message);
      try_again_in (link, BAWN_BUS_RETRY_MAX_MS);
      return;
    }

  link->n_pending++;
  g_dbus_connection_new_for_address (address,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                         | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                     NULL, link->cancellable, on_connected, link_ref (link));
}

/**
 * bawn_bus_link_open:
 * @name: to have on the bus
 * @func: told of every connection, and of its end
 * @user_data: for @func
 *
 * Returns: (transfer full): a link that is being made; there need be no bus for it
 */
BawnBusLink *
bawn_bus_link_open (const char *name, BawnBusLinkFunc func, gpointer user_data)
{
  BawnBusLink *link = g_new0 (BawnBusLink, 1);

  g_ref_count_init (&link->refs);
  link->name = g_strdup (name);
  link->func = func;
  link->user_data = user_data;
  link->cancellable = g_cancellable_new ();
  link->retry_ms = BAWN_BUS_RETRY_MIN_MS;
  connect_to_bus (link);
  return link;
}

static void
on_left (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (BawnBusLink) link = user_data;

  (void) g_dbus_connection_close_finish (G_DBUS_CONNECTION (source), result, NULL);
  link->n_pending--;
}

static gboolean
on_patience_ended (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Until everything that was begun has ended, which it does at once unless the bus hangs. */
static void
wait_for_the_rest (BawnBusLink *link)
{
  GMainContext *context = g_main_context_get_thread_default ();
  g_autoptr (GSource) timer = g_timeout_source_new (LEAVE_MS);
  gboolean out_of_patience = FALSE;

  g_source_set_callback (timer, on_patience_ended, &out_of_patience, NULL);
  g_source_attach (timer, context);
  while (link->n_pending > 0 && !out_of_patience)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (timer);
  if (link->n_pending > 0)
    bawn_log_info ("bus", "the system bus does not even take our leave");
}

void
bawn_bus_link_close (BawnBusLink *link)
{
  g_autoptr (GDBusConnection) connection =
      link->connection != NULL ? g_object_ref (link->connection) : NULL;

  g_cancellable_cancel (link->cancellable);
  stop_timer (link);
  drop_connection (link);
  if (connection != NULL && !g_dbus_connection_is_closed (connection))
    {
      link->n_pending++;
      g_dbus_connection_close (connection, NULL, on_left, link_ref (link));
    }
  wait_for_the_rest (link);
  link_unref (link);
}
