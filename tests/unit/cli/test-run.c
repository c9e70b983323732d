/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* The whole program in this process, so that thousands of runs are cheap: what it prints goes
 * nowhere. A critical message ends the test, as any crash does. */

/* Answers every request with the same bytes. */
typedef struct
{
  GSocketService *service;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  char *address;
  const char *body;
  gsize size;
  int n_requests; /* atomic */
} Server;

static gboolean
on_incoming (GThreadedSocketService *service,
             GSocketConnection *connection,
             GObject *source,
             gpointer user_data)
{
  Server *server = user_data;
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_autofree char *head = g_strdup_printf (
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n",
      server->size);
  char request[65536];

  g_atomic_int_inc (&server->n_requests);

  /* Requests here are small: one read has the head at least, and nothing depends on the body. */
  if (g_input_stream_read (input, request, sizeof request, NULL, NULL) > 0
      && g_output_stream_write_all (output, head, strlen (head), NULL, NULL, NULL))
    g_output_stream_write_all (output, server->body, server->size, NULL, NULL, NULL);
  /* What was not read would make the kernel take back the answer. */
  g_socket_shutdown (g_socket_connection_get_socket (connection), FALSE, TRUE, NULL);
  while (g_input_stream_read (input, request, sizeof request, NULL, NULL) > 0)
    continue;

  return TRUE;
}

static gpointer
serve (gpointer data)
{
  Server *server = data;

  g_main_context_push_thread_default (server->context);
  g_main_loop_run (server->loop);
  g_main_context_pop_thread_default (server->context);
  return NULL;
}

static void
server_start (Server *server)
{
  g_autoptr (GError) error = NULL;

  server->context = g_main_context_new ();
  server->loop = g_main_loop_new (server->context, FALSE);
  g_main_context_push_thread_default (server->context);
  /* Without a bound: at a bound the service stops to accept, and may miss the moment to go on. */
  server->service = g_threaded_socket_service_new (-1);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_socket_listener_add_address (G_SOCKET_LISTENER (server->service), wanted, G_SOCKET_TYPE_STREAM,
                                 G_SOCKET_PROTOCOL_TCP, NULL, &bound, &error);
  g_assert_no_error (error);
  g_signal_connect (server->service, "run", G_CALLBACK (on_incoming), server);
  g_socket_service_start (server->service);
  g_main_context_pop_thread_default (server->context);

  guint16 port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  server->address = g_strdup_printf ("BAWN_ADDR=http://127.0.0.1:%u", port);
  server->thread = g_thread_new ("server", serve, server);
}

static void
server_stop (Server *server)
{
  g_main_loop_quit (server->loop);
  g_thread_join (server->thread);
  g_socket_service_stop (server->service);
  g_socket_listener_close (G_SOCKET_LISTENER (server->service));
  g_clear_object (&server->service);
  g_main_loop_unref (server->loop);
  g_main_context_unref (server->context);
  g_free (server->address);
}

static int
run (const char *const *words, const char *const *environment)
{
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  int status = bawn_cli_run (words, environment, null, null);

  close (null);
  return status;
}

static const char *const odd_bodies[] = {
  "",
  "null",
  "[]",
  "\"x\"",
  "1",
  "{}",
  "{\"data\":null}",
  "{\"data\":[]}",
  "<html>",
  "\xff\xfe",
  "{\"data\":{\"keys\":{}}}",
  "{\"data\":{\"keys\":[1,null,{}]},\"auth\":[],\"wrap_info\":[],\"warnings\":[1,{}]}",
  "{\"errors\":{}}",
  "{\"errors\":[1,null]}",
  "{\"sealed\":\"x\",\"t\":\"y\",\"n\":{},\"progress\":-1}",
  "{\"started\":true,\"nonce\":1,\"complete\":true,\"keys_base64\":[1],\"otp_length\":99999999}",
  "{\"auth\":{\"client_token\":1,\"policies\":\"x\",\"metadata\":[]}}",
  "{\"auth\":{\"client_token\":\"t\",\"policies\":[1],\"metadata\":{\"a\":[]}}}",
  "{\"root_token\":\"t\",\"keys_base64\":[1,null],\"keys\":\"x\"}",
  "{\"wrap_info\":{\"token\":1,\"ttl\":\"x\"}}",
  "{\"data\":{\"path\":1,\"options\":[],\"data\":[],\"metadata\":[]}}",
  "{\"data\":{\"path\":\"secret/\",\"options\":{\"version\":2},\"data\":{\"a\":1},"
  "\"metadata\":{\"version\":\"x\"}}}",
  "{\"data\":{\"a/\":{\"type\":1,\"config\":[],\"options\":\"x\"},\"b/\":1,\"nodes\":[1,{}],"
  "\"migration_id\":\"../x\"}}",
  "{\"data\":{\"data\":{\"data\":{\"data\":{\"data\":[[[[1]]]]}}}}}}}}",
};

static const char *const command_lines[] = {
  "status",
  "login tok",
  "login -method=userpass username=u password=p",
  "kv get secret/x",
  "kv get -field=a secret/x",
  "kv put secret/x a=b",
  "kv patch secret/x a=b",
  "kv list secret",
  "kv delete secret/x",
  "kv delete -versions=1 secret/x",
  "kv undelete -versions=1 secret/x",
  "kv destroy -versions=1,2 secret/x",
  "kv rollback -version=1 secret/x",
  "kv metadata get secret/x",
  "kv metadata put -max-versions=1 secret/x",
  "kv metadata patch -remove-custom-metadata=a secret/x",
  "kv metadata delete secret/x",
  "kv enable-versioning secret",
  "read x",
  "read -field=a x",
  "write x a=b",
  "patch x a=b",
  "list x",
  "delete x",
  "token create -policy=p -ttl=1h",
  "token lookup",
  "token lookup tok",
  "token renew",
  "token revoke -self",
  "token capabilities x",
  "unwrap tok",
  "lease lookup x",
  "lease renew x",
  "lease revoke x",
  "lease revoke -prefix -force x",
  "policy list",
  "policy read p",
  "policy delete p",
  "secrets list",
  "secrets list -detailed",
  "secrets enable kv",
  "secrets disable kv",
  "secrets tune -max-lease-ttl=1h kv",
  "secrets move a b",
  "auth list -detailed",
  "auth enable userpass",
  "auth help x",
  "audit list -detailed",
  "audit enable file file_path=x",
  "audit disable file",
  "operator init",
  "operator init -status",
  "operator unseal k",
  "operator seal",
  "operator key-status",
  "operator rotate",
  "operator rekey -init",
  "operator rekey -status",
  "operator rekey k",
  "operator generate-root -init",
  "operator generate-root k",
  "operator generate-root -generate-otp",
  "operator members",
  "operator step-down",
  "path-help x",
  "version-history",
};

/* Each command meets each answer, and each format once in three. */
static void
test_odd_answers (void)
{
  static const char *const formats[] = { "BAWN_FORMAT=table", "BAWN_FORMAT=json",
                                         "BAWN_FORMAT=yaml" };
  Server server = { 0 };

  server_start (&server);
  for (guint i = 0; i < G_N_ELEMENTS (odd_bodies); i++)
    {
      server.body = odd_bodies[i];
      server.size = strlen (server.body);
      for (guint j = 0; j < G_N_ELEMENTS (command_lines); j++)
        {
          g_auto (GStrv) words = g_strsplit (command_lines[j], " ", -1);
          const char *const environment[] = { server.address, formats[(i + j) % 3], "BAWN_TOKEN=t",
                                              NULL };
          int status = run ((const char *const *) words, environment);

          if (status < BAWN_CLI_EXIT_OK || status > BAWN_CLI_EXIT_REMOTE)
            g_error ("%s: %d on %s", command_lines[j], status, odd_bodies[i]);
        }
    }
  server_stop (&server);
  g_assert_cmpint (server.n_requests, >,
                   (int) G_N_ELEMENTS (odd_bodies) * (int) G_N_ELEMENTS (command_lines));
}

static void
test_deep_answer (void)
{
  g_autofree char *deep = g_strnfill (100000, '[');
  const char *const words[] = { "read", "x", NULL };
  Server server = { 0 };

  server_start (&server);
  server.body = deep;
  server.size = strlen (deep);
  const char *const environment[] = { server.address, NULL };
  g_assert_cmpint (run (words, environment), ==, BAWN_CLI_EXIT_OK);
  server_stop (&server);
}

static void
test_odd_words (void)
{
  g_autofree char *long_word = g_strnfill (100000, 'x');
  const char *const words[] = {
    "",         "-",         "--",          "-=",         "--=",      "=",
    "-x",       "--help=x",  "-h",          "help",       "kv",       "\xff",
    "-address", "-format=",  "-format=xml", "-field=",    "a=@",      "@",
    long_word,  "-header=a", "-wrap-ttl=x", "__complete", "operator", "read",
    "-version", "kv get"
  };
  const char *const environment[] = { "BAWN_ADDR=nonsense", NULL };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    for (guint j = 0; j < G_N_ELEMENTS (words); j++)
      {
        const char *const line[] = { words[i], words[j], NULL };
        int status = run (line, environment);

        g_assert_cmpint (status, >=, BAWN_CLI_EXIT_OK);
        g_assert_cmpint (status, <=, BAWN_CLI_EXIT_REMOTE);
      }
}

static void
test_exit_status (void)
{
  static const struct
  {
    const char *line;
    int status;
  } rows[] = {
    { "help", BAWN_CLI_EXIT_OK },
    { "-h", BAWN_CLI_EXIT_OK },
    { "help kv put", BAWN_CLI_EXIT_OK },
    { "kv -help", BAWN_CLI_EXIT_OK },
    { "kv get --help", BAWN_CLI_EXIT_OK },
    { "version", BAWN_CLI_EXIT_OK },
    { "--version", BAWN_CLI_EXIT_OK },
    { "kv", BAWN_CLI_EXIT_LOCAL },
    { "kv nonsense", BAWN_CLI_EXIT_LOCAL },
    { "nonsense", BAWN_CLI_EXIT_LOCAL },
    { "help nonsense", BAWN_CLI_EXIT_LOCAL },
    { "help kv nonsense", BAWN_CLI_EXIT_LOCAL },
    { "kv get", BAWN_CLI_EXIT_LOCAL },
    { "kv get a b", BAWN_CLI_EXIT_LOCAL },
    { "read -nonsense x", BAWN_CLI_EXIT_LOCAL },
    { "read -address=nonsense x", BAWN_CLI_EXIT_LOCAL },
    { "print token", BAWN_CLI_EXIT_LOCAL },
  };
  const char *const environment[] = { NULL };
  const char *const nothing[] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_auto (GStrv) words = g_strsplit (rows[i].line, " ", -1);
      int status = run ((const char *const *) words, environment);

      if (status != rows[i].status)
        g_error ("%s: %d, not %d", rows[i].line, status, rows[i].status);
    }
  g_assert_cmpint (run (nothing, environment), ==, BAWN_CLI_EXIT_LOCAL);
}

static void
ignore_text (const char *text)
{
}

int
main (int argc, char **argv)
{
  g_autofree char *home = g_dir_make_tmp ("bawn-test-XXXXXX", NULL);

  g_setenv ("HOME", home, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_set_printerr_handler (ignore_text);

  g_test_add_func ("/cli/run/exit-status-tells-whose-fault-it-was", test_exit_status);
  g_test_add_func ("/cli/run/no-words-make-it-crash", test_odd_words);
  g_test_add_func ("/cli/run/no-answer-makes-a-command-crash", test_odd_answers);
  g_test_add_func ("/cli/run/an-endlessly-nested-answer-is-no-json", test_deep_answer);

  int status = g_test_run ();
  g_autofree char *token = g_build_filename (home, ".bawn-token", NULL);
  g_unlink (token);
  g_assert_cmpint (g_rmdir (home), ==, 0);
  return status;
}
