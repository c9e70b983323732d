/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "fixture.h"
#include "util/bawn-handed.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a server listens, and how it ends. */

#define GET(path) "GET /v1/" path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define CHILD "--activated-child"

static void
never (gpointer core, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data)
{
  g_assert_not_reached ();
}

static const BawnHttpHandler nobody = { never, NULL };

/* What opening, or failing that the configuration, has to say about these lines. */
static char *
complaint (const char *lines)
{
  g_autofree char *text = g_strconcat ("[listener]\n", lines, NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(BawnConfig) config = bawn_config_load_data ("test", text, strlen (text), &error);

  g_assert_no_error (error);
  g_autoptr(BawnHttpServer) server = bawn_http_server_open (config, &nobody, 1, &error);
  if (error == NULL)
    bawn_config_check (config, &error);

  return g_strdup (error != NULL ? error->message : "");
}

static void
test_complaints (void)
{
  static const struct
  {
    const char *lines;
    const char *part;
  } cases[] = {
    { "address=127.0.0.1:0\n", "" },
    { "address=localhost:0\n", "" },
    { "address=[::ffff:127.0.0.1]:0\ntls-disable=true\n", "" },
    { "address=0.0.0.0:0\ntls-disable=true\n", "" },
    { "address=0.0.0.0:0\n", "needs tls-cert-file and tls-key-file, or tls-disable=true" },
    { "address=127.0.0.1\n", "HOST:PORT" },
    { "address=127.0.0.1:\n", "HOST:PORT" },
    { "address=:8200\n", "HOST:PORT" },
    { "address=127.0.0.1:http\n", "HOST:PORT" },
    { "address=127.0.0.1:99999\n", "HOST:PORT" },
    { "address=192.0.2.1:0\ntls-disable=true\n", "192.0.2.1:0: cannot listen" },
    { "address=unix:/nonexistent/x\n", "/nonexistent/x: cannot listen" },
    { "address=systemd\n", "no sockets were handed over" },
    { "address=127.0.0.1:0\ntls-cert-file=/nonexistent/c\ntls-key-file=/nonexistent/k\n",
      "/nonexistent/c: cannot be read: No such file or directory" },
    { "address=127.0.0.1:0\ntls-cert-file=/dev/null\ntls-key-file=/nonexistent/k\n",
      "/nonexistent/k: cannot be read: No such file or directory" },
    { "address=127.0.0.1:0\ntls-disable=true\ntls-cert-file=/c\n", "go together" },
    { "address=127.0.0.1:0\ntls-disable=true\ntls-key-file=/k\n", "go together" },
    { "address=127.0.0.1:0\ntls-require-client-cert=true\n", "needs tls-client-ca-file" },
    { "address=127.0.0.1:0\ntls-min-version=ssl3\n", "tls-min-version" },
    { "address=127.0.0.1:0\nsocket-mode=0999\n", "octal" },
    { "address=127.0.0.1:0\nmax-request-size=0\n", "max-request-size" },
    { "address=127.0.0.1:0\nmax-header-size=10\n", "max-header-size" },
    { "address=127.0.0.1:0\nmax-connections=0\n", "max-connections" },
    { "address=127.0.0.1:0\nrequest-timeout=1us\n", "request-timeout" },
    { "address=127.0.0.1:0\nheader-timeout=never\n", "header-timeout" },
    { "address=127.0.0.1:0\njson-max-depth=100000\n", "json-max-depth" },
    { "address=127.0.0.1:0\njson-max-members=x\n", "json-max-members" },
    { "address=127.0.0.1:0\ncolour=blue\n", "colour" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = complaint (cases[i].lines);

      if (strstr (got, cases[i].part) == NULL || (*cases[i].part == '\0') != (*got == '\0'))
        g_error ("«%s» for %s", got, cases[i].lines);
    }
}

/* --check-config: the same findings, with nothing opened. */
static void
test_check (void)
{
  static const char text[] = "[listener]\naddress=127.0.0.1:0\nmax-connections=many\n[listener two]\ntls-cert-file=/c\n";
  g_autoptr(GError) error = NULL;
  g_autoptr(BawnConfig) config = bawn_config_load_data ("test", text, strlen (text), &error);

  bawn_http_check_config (config);
  g_auto(GStrv) problems = bawn_config_dup_problems (config);
  g_assert_cmpuint (g_strv_length (problems), ==, 2);
  fixture_assert_has (problems[0], "max-connections");
  fixture_assert_has (problems[1], "tls-cert-file");
}

static void
test_taken_address (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autofree char *lines = g_strdup_printf ("address=127.0.0.1:%u\n", fixture->port);
  g_autofree char *got = complaint (lines);

  fixture_assert_has (got, "cannot listen: Address already in use");
}

static void
test_unix (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("address=unix:@DIR@/sock\nsocket-mode=0600\n");
  g_autofree char *path = fixture_path (fixture, "sock");
  g_autofree char *lines = g_strdup_printf ("address=unix:%s\n", path);
  struct stat info = { 0 };
  guint status = 0;

  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, 0600);
  g_autoptr(Client) client = client_connect (fixture);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *answer = client_ask (client, &status, GET ("later"));
      g_assert_cmpuint (status, ==, 200);
      fixture_assert_has (answer, "\"remote\":\"\"");
    }
  g_autofree char *old = client_ask (client, &status, "GET /v1/x HTTP/1.0\r\n\r\n");
  g_assert_cmpuint (status, ==, 200);

  g_autofree char *got = complaint (lines);
  fixture_assert_has (got, "a server is there already");
  bawn_http_server_stop (fixture->server, 0);
  g_clear_pointer (&fixture->server, bawn_http_server_free);
  g_assert_cmpint (stat (path, &info), !=, 0);
}

/* A socket that nobody answers on goes; anything else stays. */
static void
test_leftovers (void)
{
  g_autofree char *folder = g_dir_make_tmp ("bawn-http-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "sock", NULL);
  g_autofree char *lines = g_strdup_printf ("address=unix:%s\n", path);
  g_autoptr(GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr(GSocket) dead = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, NULL);

  g_assert_true (g_socket_bind (dead, address, FALSE, NULL));
  g_socket_close (dead, NULL);
  g_autofree char *replaced = complaint (lines);
  g_assert_cmpstr (replaced, ==, "");

  g_assert_true (g_file_set_contents (path, "precious", -1, NULL));
  g_autofree char *kept = complaint (lines);
  fixture_assert_has (kept, "is there and is not a socket");
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
  g_unlink (path);
  g_rmdir (folder);
}

/* What the child of the next tests does: serves on what it was handed until its standard input ends. */
static int
activated_child (const char *lines)
{
  g_autofree char *pid = g_strdup_printf ("%d", getpid ());
  char byte = 0;

  g_setenv ("LISTEN_PID", pid, TRUE);
  g_autoptr(Fixture) fixture = fixture_new (lines);
  g_auto(GStrv) idle = bawn_handed_dup_idle ();
  g_assert_cmpuint (g_strv_length (idle), ==, 1);
  g_assert_true (g_str_has_suffix (idle[0], " (other)"));
  while (read (STDIN_FILENO, &byte, 1) > 0)
    ;
  g_assert_cmpuint (fixture_n_seen (fixture), ==, 1);

  return 0;
}

static int
listening_socket (struct sockaddr_in *address)
{
  socklen_t size = sizeof *address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert_cmpint (bind (fd, (struct sockaddr *) address, size), ==, 0);
  g_assert_cmpint (listen (fd, 8), ==, 0);
  getsockname (fd, (struct sockaddr *) address, &size);

  return fd;
}

/* Two sockets are handed over; @format gets the port of the second. */
static void
serve_on_handed (const char *format)
{
  g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE);
  struct sockaddr_in other = { 0 };
  struct sockaddr_in address = { 0 };
  g_autoptr(GError) error = NULL;
  guint status = 0;

  g_subprocess_launcher_take_fd (launcher, listening_socket (&other), 3);
  g_subprocess_launcher_take_fd (launcher, listening_socket (&address), 4);
  g_autofree char *port = g_strdup_printf ("%u", ntohs (address.sin_port));
  g_auto(GStrv) parts = g_strsplit (format, "PORT", -1);
  g_autofree char *lines = g_strjoinv (port, parts);
  g_subprocess_launcher_setenv (launcher, "LISTEN_FDS", "2", TRUE);
  g_subprocess_launcher_setenv (launcher, "LISTEN_FDNAMES", "other:bawn", TRUE);
  g_autoptr(GSubprocess) child = g_subprocess_launcher_spawn (launcher, &error, "/proc/self/exe", CHILD, lines, NULL);
  g_assert_no_error (error);

  Fixture there = { .port = ntohs (address.sin_port) };
  g_autoptr(Client) client = client_connect (&there);
  g_autofree char *answer = client_ask (client, &status, GET ("echo"));
  g_assert_cmpuint (status, ==, 200);
  g_output_stream_close (g_subprocess_get_stdin_pipe (child), NULL, NULL);
  g_assert_true (g_subprocess_wait_check (child, NULL, &error));
  g_assert_no_error (error);
}

static void
test_activation (void)
{
  serve_on_handed ("address=systemd:bawn\n");
}

static void
test_activation_by_address (void)
{
  serve_on_handed ("address=127.0.0.1:PORT\n");
}

static gpointer
stop_in_thread (gpointer data)
{
  bawn_http_server_stop (data, 20 * G_USEC_PER_SEC);
  return NULL;
}

static void
test_graceful_stop (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) silent = client_connect (fixture);
  g_autoptr(Client) idle = client_connect (fixture);
  g_autoptr(Client) busy = client_connect (fixture);
  guint status = 0;
  g_autofree char *first = client_ask (idle, &status, GET ("echo"));

  client_send (busy, GET ("parked"), -1);
  fixture_wait_parked (fixture, 1);
  fixture_until (fixture_stats (fixture).open_connections == 3);
  GThread *stopper = g_thread_new ("stop", stop_in_thread, fixture->server);
  g_assert_true (client_at_end (silent));
  g_assert_true (client_at_end (idle));

  fixture_release (fixture);
  g_autofree char *answer = client_answer (busy, &status);
  g_assert_cmpuint (status, ==, 200);
  /* Whether its own thread had heard of the end by then, and said so in the answer, is left open. */
  g_assert_true (client_at_end (busy));
  g_assert_true (client_at_end (busy));
  g_thread_join (stopper);
  g_assert_cmpuint (fixture_stats (fixture).open_connections, ==, 0);
}

/* Whoever is still at it when the time is up is cut off, and answers that come later do no harm. */
static void
test_hard_stop (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) waiting = client_connect (fixture);
  g_autoptr(Client) sending = client_connect (fixture);

  client_send (sending, "PUT /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{", -1);
  client_send (waiting, GET ("parked"), -1);
  fixture_wait_parked (fixture, 1);
  bawn_http_server_stop (fixture->server, 0);
  g_assert_true (client_at_end (waiting));
  g_assert_true (client_at_end (sending));
  g_assert_cmpuint (fixture_stats (fixture).in_flight, ==, 0);
  fixture_release (fixture);
}

/* Answers that come while it stops, from many threads. */
static void
test_stop_under_load (void)
{
  for (guint round = 0; round < 10; round++)
    {
      g_autoptr(Fixture) fixture = fixture_new ("");
      g_autoptr(GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);

      for (guint i = 0; i < 20; i++)
        {
          g_ptr_array_add (clients, client_connect (fixture));
          client_send (g_ptr_array_index (clients, i), GET ("later") GET ("later") GET ("later"), -1);
        }
      bawn_http_server_stop (fixture->server, round % 2 == 0 ? 0 : G_USEC_PER_SEC);
      g_assert_cmpuint (fixture_stats (fixture).open_connections, ==, 0);
      g_assert_cmpuint (fixture_stats (fixture).in_flight, ==, 0);
    }
}

int
main (int argc, char **argv)
{
  if (argc > 2 && strcmp (argv[1], CHILD) == 0)
    return activated_child (argv[2]);

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/listen/what-is-wrong-is-told", test_complaints);
  g_test_add_func ("/http/listen/a-check-finds-it-without-opening", test_check);
  g_test_add_func ("/http/listen/a-taken-address-is-refused", test_taken_address);
  g_test_add_func ("/http/listen/on-a-unix-socket", test_unix);
  g_test_add_func ("/http/listen/a-dead-socket-is-replaced-and-nothing-else", test_leftovers);
  g_test_add_func ("/http/listen/on-a-socket-handed-over-by-systemd", test_activation);
  g_test_add_func ("/http/listen/on-a-socket-handed-over-for-the-same-address", test_activation_by_address);
  g_test_add_func ("/http/stop/requests-under-way-are-answered", test_graceful_stop);
  g_test_add_func ("/http/stop/the-time-is-bounded", test_hard_stop);
  g_test_add_func ("/http/stop/answers-may-come-meanwhile", test_stop_under_load);

  return g_test_run ();
}
