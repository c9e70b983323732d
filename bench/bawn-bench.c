/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Drives a running server with keep-alive connections, one request on each at a time, and prints what came of it. A single
 * thread on raw sockets, so that the client costs the machine little. Plain HTTP only: what TLS costs is GnuTLS' affair. */

#define MOUNT "bawn-bench"
#define N_SECRETS 1000
#define IN_SIZE 8192

static char *option_address;
static char *option_token;
static char *option_only;
static char **option_pids;
static int option_duration_s = 5;
static int option_connections = 32;

static const GOptionEntry options[] = {
  { "address", 'a', 0, G_OPTION_ARG_STRING, &option_address, "Where the server listens", "HOST:PORT|unix:PATH" },
  { "token", 't', 0, G_OPTION_ARG_STRING, &option_token, "A token that may do everything (or $BAWN_TOKEN)", "TOKEN" },
  { "pid", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &option_pids, "A server's process, for its CPU time; several are added up", "PID" },
  { "duration", 'd', 0, G_OPTION_ARG_INT, &option_duration_s, "Seconds for each kind of request", "SECONDS" },
  { "connections", 'c', 0, G_OPTION_ARG_INT, &option_connections, "How many, 32 by default", "N" },
  { "only", 'o', 0, G_OPTION_ARG_STRING, &option_only, "Only this kind of request", "NAME" },
  G_OPTION_ENTRY_NULL,
};

typedef struct
{
  const char *name;
  const char *method;
  const char *path; /* %u is a number below N_SECRETS */
  const char *body; /* nullable; likewise */
  guint status;
} Kind;

static const Kind kinds[] = {
  { "health", "GET", "sys/health", NULL, 200 },
  { "kv-read", "GET", MOUNT "/data/secret-%u", NULL, 200 },
  { "kv-write", "POST", MOUNT "/data/secret-%u", "{\"data\":{\"user\":\"u%u\",\"password\":\"correct horse battery\"}}", 200 },
  { "token-create", "POST", "auth/token/create", "{\"ttl\":\"10m\",\"policies\":[\"default\"]}", 200 },
  { "not-found", "GET", MOUNT "/data/absent-%u", NULL, 404 },
};

/**
 * Conn:
 * @in: the beginning of the answer; what does not fit is counted and dropped
 * @left: of the answer's body; -1 while its head is not complete
 */
typedef struct
{
  int fd;
  GString *out;
  gsize sent;
  char in[IN_SIZE + 1];
  gsize in_size;
  gssize left;
  guint status;
  gint64 started_us;
} Conn;

static const Kind *kind;
static guint next_number;
static guint64 n_unexpected;
static GArray *latencies; /* of guint32, in µs */

static int
open_socket (void)
{
  struct sockaddr_un un = { .sun_family = AF_UNIX };
  g_autoptr(GError) error = NULL;
  const int on = 1;

  if (g_str_has_prefix (option_address, "unix:"))
    {
      int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

      g_strlcpy (un.sun_path, option_address + 5, sizeof un.sun_path);
      if (connect (fd, (gpointer) &un, sizeof un) != 0)
        g_error ("%s: %s", option_address, g_strerror (errno));
      return fd;
    }

  g_autoptr(GSocketClient) client = g_socket_client_new ();
  g_autoptr(GSocketConnection) connection = g_socket_client_connect_to_host (client, option_address, 8200, NULL, &error);
  if (connection == NULL)
    g_error ("%s: %s", option_address, error->message);
  int fd = fcntl (g_socket_get_fd (g_socket_connection_get_socket (connection)), F_DUPFD_CLOEXEC, 0);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

  return fd;
}

/* @format with its one %u, if it has it. */
static char *
number_in (const char *format, guint number)
{
  g_autoptr(GString) text = g_string_new (format);
  g_autofree char *digits = g_strdup_printf ("%u", number);

  g_string_replace (text, "%u", digits, 0);
  return g_strdup (text->str);
}

static void
set_request (Conn *conn, const Kind *of, guint number)
{
  g_autofree char *path = number_in (of->path, number);
  g_autofree char *body = of->body != NULL ? number_in (of->body, number) : NULL;

  g_string_printf (conn->out, "%s /v1/%s HTTP/1.1\r\nHost: bench\r\nX-Vault-Token: %s\r\n", of->method, path, option_token);
  if (body != NULL)
    g_string_append_printf (conn->out, "Content-Length: %zu\r\n\r\n%s", strlen (body), body);
  else
    g_string_append (conn->out, "\r\n");
  conn->sent = 0;
  conn->in_size = 0;
  conn->left = -1;
  conn->started_us = g_get_monotonic_time ();
}

/* A request is small and the one before it has been read, so the socket has room. */
static void
send_more (Conn *conn)
{
  gssize n = send (conn->fd, conn->out->str + conn->sent, conn->out->len - conn->sent, MSG_NOSIGNAL);

  if (n < 0 && errno != EAGAIN)
    g_error ("the server has hung up: %s", g_strerror (errno));
  conn->sent += (gsize) MAX (n, 0);
}

/* The head is complete when this has set @left. */
static void
read_head (Conn *conn)
{
  static const char length_name[] = "\r\nContent-Length: ";
  const char *end = strstr (conn->in, "\r\n\r\n");

  if (end == NULL)
    {
      if (conn->in_size == IN_SIZE)
        g_error ("the server's head is too long");
      return;
    }
  const char *length = strstr (conn->in, length_name);
  gsize body = length != NULL && length < end ? strtoull (length + strlen (length_name), NULL, 10) : 0;
  conn->status = (guint) strtoul (conn->in + strlen ("HTTP/1.1 "), NULL, 10);
  conn->left = (gssize) body - (gssize) (conn->in_size - (gsize) (end + 4 - conn->in));
}

/* TRUE: the answer is complete. */
static gboolean
receive_more (Conn *conn)
{
  gsize room = conn->left < 0 ? IN_SIZE - conn->in_size : IN_SIZE;
  char *at = conn->left < 0 ? conn->in + conn->in_size : conn->in;
  gssize n = recv (conn->fd, at, room, 0);

  if (n == 0 || (n < 0 && errno != EAGAIN))
    g_error ("the server has hung up");
  if (n < 0)
    return FALSE;
  if (conn->left >= 0)
    conn->left -= n;
  else
    {
      conn->in_size += (gsize) n;
      conn->in[conn->in_size] = '\0';
      read_head (conn);
    }

  return conn->left == 0;
}

static Conn *
conn_new (void)
{
  Conn *conn = g_new0 (Conn, 1);

  conn->fd = open_socket ();
  conn->out = g_string_new (NULL);
  return conn;
}

static void
conn_free (gpointer data)
{
  Conn *conn = data;

  close (conn->fd);
  g_string_free (conn->out, TRUE);
  g_free (conn);
}

/* One request, waiting for its answer. */
static guint
ask (Conn *conn, const Kind *what, guint number)
{
  set_request (conn, what, number);
  while (conn->sent < conn->out->len)
    send_more (conn);
  while (!receive_more (conn))
    ;

  return conn->status;
}

static void
begin (Conn *conn)
{
  set_request (conn, kind, next_number++ % N_SECRETS);
  while (conn->sent < conn->out->len)
    send_more (conn);
}

static void
on_ready (Conn *conn, gboolean more)
{
  if (!receive_more (conn))
    return;

  guint32 latency_us = (guint32) (g_get_monotonic_time () - conn->started_us);
  g_array_append_val (latencies, latency_us);
  if (conn->status != kind->status)
    n_unexpected++;
  if (more)
    begin (conn);
}

/* The CPU time of a process, user and system, in seconds. */
static double
cpu_s_of (const char *pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%s/stat", pid);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  g_auto(GStrv) fields = g_strsplit (strrchr (text, ')') + 2, " ", -1);
  return (g_ascii_strtod (fields[11], NULL) + g_ascii_strtod (fields[12], NULL)) / (double) sysconf (_SC_CLK_TCK);
}

static double
server_cpu_s (void)
{
  double sum_s = 0;

  for (guint i = 0; option_pids != NULL && option_pids[i] != NULL; i++)
    sum_s += cpu_s_of (option_pids[i]);

  return sum_s;
}

/* For the time asked for; all answers are awaited. Gives the seconds it took. */
static double
drive (GPtrArray *conns, int epoll_fd)
{
  struct epoll_event events[64];
  gint64 start_us = g_get_monotonic_time ();
  gint64 end_us = start_us + option_duration_s * G_USEC_PER_SEC;
  guint64 expected = conns->len;

  for (guint i = 0; i < conns->len; i++)
    begin (g_ptr_array_index (conns, i));
  while (latencies->len < expected)
    {
      int n = epoll_wait (epoll_fd, events, G_N_ELEMENTS (events), -1);

      for (int i = 0; i < n; i++)
        {
          gboolean more = g_get_monotonic_time () < end_us;
          guint before = latencies->len;

          on_ready (events[i].data.ptr, more);
          expected += more ? latencies->len - before : 0;
        }
    }

  return (double) (g_get_monotonic_time () - start_us) / (double) G_USEC_PER_SEC;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const guint32 *x = a;
  const guint32 *y = b;

  return *x < *y ? -1 : *x > *y;
}

static double
percentile_ms (double fraction)
{
  return g_array_index (latencies, guint32, (guint) ((latencies->len - 1) * fraction)) / 1000.0;
}

static void
measure (GPtrArray *conns, int epoll_fd)
{
  g_array_set_size (latencies, 0);
  n_unexpected = 0;

  double cpu_s = server_cpu_s ();
  double seconds = drive (conns, epoll_fd);
  cpu_s = server_cpu_s () - cpu_s;
  g_array_sort (latencies, compare);
  g_print ("%-14s %10.0f %9.2f %8.2f %8.2f %8.2f", kind->name, latencies->len / seconds, percentile_ms (0.5),
           percentile_ms (0.9), percentile_ms (0.99), percentile_ms (1.0));
  if (option_pids != NULL)
    g_print (" %9.0f", cpu_s * 1e6 / latencies->len);
  else
    g_print (" %9s", "-");
  g_print (n_unexpected > 0 ? "   %" G_GUINT64_FORMAT " unexpected answers\n" : "\n", n_unexpected);
}

/* A mount with secrets in it; FALSE against a server that has no mounts, like bench-soup. */
static gboolean
set_up (Conn *conn)
{
  static const Kind mount = { "mount", "POST", "sys/mounts/" MOUNT, "{\"type\":\"kv\",\"options\":{\"version\":\"2\"}}", 0 };

  if (ask (conn, &mount, 0) != 204)
    return FALSE;
  for (guint i = 0; i < N_SECRETS; i++)
    if (ask (conn, &kinds[2], i) != 200)
      g_error ("writing a secret: status %u", conn->status);

  return TRUE;
}

int
main (int argc, char **argv)
{
  static const Kind unmount = { "unmount", "DELETE", "sys/mounts/" MOUNT, NULL, 0 };
  g_autoptr(GOptionContext) context = g_option_context_new (NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) conns = g_ptr_array_new_with_free_func (conn_free);
  int epoll_fd = epoll_create1 (EPOLL_CLOEXEC);

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  option_address = option_address != NULL ? option_address : g_strdup ("127.0.0.1:8200");
  option_token = option_token != NULL ? option_token : g_strdup (g_getenv ("BAWN_TOKEN") != NULL ? g_getenv ("BAWN_TOKEN") : "");
  latencies = g_array_new (FALSE, FALSE, sizeof (guint32));

  Conn *first = conn_new ();
  gboolean real = set_up (first);
  if (!real)
    g_print ("no kv could be mounted: kv and tokens are left out\n");
  for (int i = 0; i < option_connections; i++)
    {
      Conn *conn = conn_new ();
      struct epoll_event event = { .events = EPOLLIN, .data = { .ptr = conn } };

      fcntl (conn->fd, F_SETFL, O_NONBLOCK);
      epoll_ctl (epoll_fd, EPOLL_CTL_ADD, conn->fd, &event);
      g_ptr_array_add (conns, conn);
    }

  g_print ("%-14s %10s %9s %8s %8s %8s %9s\n", "", "requests/s", "p50 ms", "p90 ms", "p99 ms", "max ms", "CPU us");
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      kind = &kinds[i];
      if ((real || i == 0) && (option_only == NULL || strcmp (option_only, kind->name) == 0))
        measure (conns, epoll_fd);
    }
  if (real)
    ask (first, &unmount, 0);
  conn_free (first);
  close (epoll_fd);

  return 0;
}
