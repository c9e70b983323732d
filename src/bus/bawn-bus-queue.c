/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-queue.h"

#include "bus/bawn-bus-error.h"

#include <gio/gunixfdlist.h>

struct _BawnBusQueue
{
  gatomicrefcount refs;
  GMainContext *context;
  GMutex lock;
  GHashTable *waiting; /* connection's name to how many */
  guint total;
};

/* Stands in the line before the call that it counts. */
typedef struct
{
  BawnBusQueue *queue;
  char *sender;
} Ticket;

BawnBusQueue *
bawn_bus_queue_new (GMainContext *context)
{
  BawnBusQueue *queue = g_new0 (BawnBusQueue, 1);

  g_atomic_ref_count_init (&queue->refs);
  queue->context = g_main_context_ref (context);
  g_mutex_init (&queue->lock);
  queue->waiting = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return queue;
}

BawnBusQueue *
bawn_bus_queue_ref (BawnBusQueue *queue)
{
  g_atomic_ref_count_inc (&queue->refs);
  return queue;
}

void
bawn_bus_queue_unref (BawnBusQueue *queue)
{
  if (!g_atomic_ref_count_dec (&queue->refs))
    return;

  g_hash_table_unref (queue->waiting);
  g_mutex_clear (&queue->lock);
  g_main_context_unref (queue->context);
  g_free (queue);
}

gboolean
bawn_bus_queue_enter (BawnBusQueue *queue, const char *sender)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&queue->lock);
  guint own = GPOINTER_TO_UINT (g_hash_table_lookup (queue->waiting, sender));

  if (own >= BAWN_BUS_MAX_WAITING_OF_ONE || queue->total >= BAWN_BUS_MAX_WAITING)
    return FALSE;

  g_hash_table_replace (queue->waiting, g_strdup (sender), GUINT_TO_POINTER (own + 1));
  queue->total++;
  return TRUE;
}

void
bawn_bus_queue_leave (BawnBusQueue *queue, const char *sender)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&queue->lock);
  guint own = GPOINTER_TO_UINT (g_hash_table_lookup (queue->waiting, sender));

  g_return_if_fail (own > 0 && queue->total > 0);
  if (own == 1)
    g_hash_table_remove (queue->waiting, sender);
  else
    g_hash_table_replace (queue->waiting, g_strdup (sender), GUINT_TO_POINTER (own - 1));
  queue->total--;
}

static void
ticket_free (gpointer data)
{
  Ticket *ticket = data;

  bawn_bus_queue_leave (ticket->queue, ticket->sender);
  bawn_bus_queue_unref (ticket->queue);
  g_free (ticket->sender);
  g_free (ticket);
}

static gboolean
on_turn (gpointer data)
{
  return G_SOURCE_REMOVE;
}

static void
turn_away (GDBusConnection *connection, GDBusMessage *message, BawnErrorCode code, const char *why)
{
  if ((g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED) != 0)
    return;

  g_autoptr (GDBusMessage) answer = g_dbus_message_new_method_error_literal (
      message, bawn_bus_error_name (code), why);
  g_dbus_connection_send_message (connection, answer, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
}

/* Somebody who reads and wants no answer. GDBus would give one, and the bus would complain of it. */
static gboolean
is_idle_talk (GDBusMessage *message)
{
  const char *interface = g_dbus_message_get_interface (message);

  return (g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED) != 0
         && interface != NULL && g_str_has_prefix (interface, "org.freedesktop.DBus.");
}

/* They are open here until the call is answered, which somebody may have to find their password
 * for. */
static gboolean
has_too_many_fds (GDBusMessage *message)
{
  GUnixFDList *fds = g_dbus_message_get_unix_fd_list (message);

  return fds != NULL && g_unix_fd_list_get_length (fds) > BAWN_BUS_MAX_FDS;
}

/* On the thread that reads from the bus. The call that we let pass is put into the context's line
 * right behind our ticket, with the same priority. */
static GDBusMessage *
on_message (GDBusConnection *connection,
            GDBusMessage *message,
            gboolean incoming,
            gpointer user_data)
{
  BawnBusQueue *queue = user_data;
  const char *sender = g_dbus_message_get_sender (message);

  if (!incoming || sender == NULL
      || g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return message;
  if (is_idle_talk (message))
    {
      g_object_unref (message);
      return NULL;
    }
  if (has_too_many_fds (message))
    {
      turn_away (connection, message, BAWN_ERROR_INVALID, "more than one file descriptor");
      g_object_unref (message);
      return NULL;
    }
  if (!bawn_bus_queue_enter (queue, sender))
    {
      turn_away (connection, message, BAWN_ERROR_BUSY, "too many calls are waiting");
      g_object_unref (message);
      return NULL;
    }

  Ticket *ticket = g_new0 (Ticket, 1);
  ticket->queue = bawn_bus_queue_ref (queue);
  ticket->sender = g_strdup (sender);

  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_turn, ticket, ticket_free);
  g_source_attach (source, queue->context);
  return message;
}

static void
drop_queue (gpointer data)
{
  bawn_bus_queue_unref (data);
}

void
bawn_bus_queue_watch (BawnBusQueue *queue, GDBusConnection *connection)
{
  g_dbus_connection_add_filter (connection, on_message, bawn_bus_queue_ref (queue), drop_queue);
}
