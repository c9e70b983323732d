/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-queue.h"

#include <sys/socket.h>

static void
test_one_caller_does_not_take_it_all (void)
{
  g_autoptr (BawnBusQueue) queue = bawn_bus_queue_new (g_main_context_default ());

  for (guint i = 0; i < BAWN_BUS_MAX_WAITING_OF_ONE; i++)
    g_assert_true (bawn_bus_queue_enter (queue, ":1.1"));
  g_assert_false (bawn_bus_queue_enter (queue, ":1.1"));
  g_assert_true (bawn_bus_queue_enter (queue, ":1.2"));
  bawn_bus_queue_leave (queue, ":1.1");
  g_assert_true (bawn_bus_queue_enter (queue, ":1.1"));
  g_assert_false (bawn_bus_queue_enter (queue, ":1.1"));
}

static void
test_all_callers_have_a_bound (void)
{
  g_autoptr (BawnBusQueue) queue = bawn_bus_queue_new (g_main_context_default ());
  guint entered = 0;

  for (guint i = 0; i < BAWN_BUS_MAX_WAITING * 2; i++)
    {
      g_autofree char *sender = g_strdup_printf (":1.%u", i);
      entered += bawn_bus_queue_enter (queue, sender);
    }
  g_assert_cmpuint (entered, ==, BAWN_BUS_MAX_WAITING);
  bawn_bus_queue_leave (queue, ":1.0");
  g_assert_true (bawn_bus_queue_enter (queue, ":1.0"));
}

/* Two ends of a line: calls come in at one of them, by whomever the other end says that it is. */

typedef struct
{
  GDBusConnection *server;
  GDBusConnection *client;
  guint calls;
  guint served;
  guint busy;
} Line;

static void
on_call (GDBusConnection *connection,
         const char *sender,
         const char *path,
         const char *interface,
         const char *method,
         GVariant *parameters,
         GDBusMethodInvocation *invocation,
         gpointer user_data)
{
  Line *line = user_data;

  line->calls++;
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static void
on_connection (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  *(GDBusConnection **) user_data = g_dbus_connection_new_finish (result, &error);
  g_assert_no_error (error);
}

static void
open_end (int fd, const char *guid, GDBusConnection **out_connection)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);
  g_autoptr (GSocketConnection) stream = g_socket_connection_factory_create_connection (socket);

  g_assert_no_error (error);
  g_dbus_connection_new (G_IO_STREAM (stream), guid,
                         guid != NULL ? G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
                                      : G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT,
                         NULL, NULL, on_connection, out_connection);
}

static void
open_line (Line *line)
{
  static const GDBusInterfaceVTable vtable = { on_call, NULL, NULL, { NULL } };
  g_autofree char *guid = g_dbus_generate_guid ();
  g_autoptr (GDBusNodeInfo) info = g_dbus_node_info_new_for_xml (
      "<node><interface name='org.bawn.Test'><method name='Do'/></interface></node>", NULL);
  int fds[2] = { -1, -1 };

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  open_end (fds[0], guid, &line->server);
  open_end (fds[1], NULL, &line->client);
  while (line->server == NULL || line->client == NULL)
    g_main_context_iteration (NULL, TRUE);

  guint id = g_dbus_connection_register_object (line->server, "/", info->interfaces[0], &vtable,
                                                line, NULL, NULL);
  g_assert_cmpuint (id, !=, 0);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Line *line = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusMessage) answer =
      g_dbus_connection_send_message_with_reply_finish (G_DBUS_CONNECTION (source), result, &error);

  g_assert_no_error (error);
  if (g_dbus_message_get_message_type (answer) == G_DBUS_MESSAGE_TYPE_METHOD_RETURN)
    line->served++;
  else
    {
      g_assert_cmpstr (g_dbus_message_get_error_name (answer), ==, "org.bawn.Bawn1.Error.Busy");
      line->busy++;
    }
}

static GDBusMessage *
make_call (const char *interface)
{
  GDBusMessage *call = g_dbus_message_new_method_call (NULL, "/", interface, "Do");

  g_dbus_message_set_sender (call, ":1.7");
  return call;
}

static void
test_a_flood_is_turned_away_before_it_waits (void)
{
  Line line = { 0 };

  open_line (&line);

  /* Nobody iterates this one: whoever is to serve is busy with something else. */
  g_autoptr (GMainContext) elsewhere = g_main_context_new ();
  g_autoptr (BawnBusQueue) queue = bawn_bus_queue_new (elsewhere);
  bawn_bus_queue_watch (queue, line.server);
  for (guint i = 0; i < BAWN_BUS_MAX_WAITING_OF_ONE + 5; i++)
    {
      g_autoptr (GDBusMessage) call = make_call ("org.bawn.Test");

      g_dbus_connection_send_message_with_reply (line.client, call, G_DBUS_SEND_MESSAGE_FLAGS_NONE,
                                                 -1, NULL, NULL, on_answer, &line);
    }
  while (line.served + line.busy < BAWN_BUS_MAX_WAITING_OF_ONE + 5)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (line.served, ==, BAWN_BUS_MAX_WAITING_OF_ONE);
  g_assert_cmpuint (line.busy, ==, 5);

  /* When it has come to them, there is room again. */
  while (g_main_context_iteration (elsewhere, FALSE))
    ;
  g_autoptr (GDBusMessage) call = make_call ("org.bawn.Test");
  g_dbus_connection_send_message_with_reply (line.client, call, G_DBUS_SEND_MESSAGE_FLAGS_NONE, -1,
                                             NULL, NULL, on_answer, &line);
  while (line.served < BAWN_BUS_MAX_WAITING_OF_ONE + 1)
    g_main_context_iteration (NULL, TRUE);

  g_clear_object (&line.client);
  g_clear_object (&line.server);
}

static void
test_who_wants_no_answer_gets_none (void)
{
  Line line = { 0 };
  g_autoptr (GMainContext) elsewhere = g_main_context_new ();
  g_autoptr (BawnBusQueue) queue = bawn_bus_queue_new (elsewhere);

  open_line (&line);
  bawn_bus_queue_watch (queue, line.server);
  /* A reading that nobody waits for takes no place in the queue; a call does, and is served. */
  for (guint i = 0; i < BAWN_BUS_MAX_WAITING_OF_ONE; i++)
    {
      g_autoptr (GDBusMessage) reading = make_call ("org.freedesktop.DBus.Peer");

      g_dbus_message_set_flags (reading, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
      g_dbus_connection_send_message (line.client, reading, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL,
                                      NULL);
    }
  g_autoptr (GDBusMessage) call = make_call ("org.bawn.Test");
  g_dbus_message_set_flags (call, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
  g_dbus_connection_send_message (line.client, call, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
  while (line.calls == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (line.calls, ==, 1);
  for (guint i = 1; i < BAWN_BUS_MAX_WAITING_OF_ONE; i++)
    g_assert_true (bawn_bus_queue_enter (queue, ":1.7"));
  g_assert_false (bawn_bus_queue_enter (queue, ":1.7"));
  g_clear_object (&line.client);
  g_clear_object (&line.server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bus/queue/one-caller-does-not-take-it-all",
                   test_one_caller_does_not_take_it_all);
  g_test_add_func ("/bus/queue/all-callers-have-a-bound", test_all_callers_have_a_bound);
  g_test_add_func ("/bus/queue/a-flood-is-turned-away-before-it-waits",
                   test_a_flood_is_turned_away_before_it_waits);
  g_test_add_func ("/bus/queue/who-wants-no-answer-gets-none", test_who_wants_no_answer_gets_none);
  return g_test_run ();
}
