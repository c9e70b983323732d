/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PAIRS 64

struct _Proxy
{
  GThread *thread;
  GMutex mutex;
  guint target_port;
  guint port;
  int listening;
  int wake[2];
  /* under the mutex */
  ProxyMode mode;
  gboolean cut;
  gboolean ended;
  guint64 bytes;
  /* of the thread */
  int pairs[MAX_PAIRS][2];
  guint n_pairs;
};

static struct sockaddr_in
loopback (guint port)
{
  return (struct sockaddr_in) { .sin_family = AF_INET,
                                .sin_port = htons ((guint16) port),
                                .sin_addr = { .s_addr = htonl (INADDR_LOOPBACK) } };
}

static void
wake (Proxy *proxy)
{
  g_assert_cmpint (write (proxy->wake[1], "x", 1), ==, 1);
}

/* With a reset, as from a machine that has restarted. */
static void
drop_pair (Proxy *proxy, guint i)
{
  const struct linger reset = { .l_onoff = 1 };

  for (guint j = 0; j < 2; j++)
    {
      setsockopt (proxy->pairs[i][j], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      close (proxy->pairs[i][j]);
    }
  proxy->n_pairs--;
  proxy->pairs[i][0] = proxy->pairs[proxy->n_pairs][0];
  proxy->pairs[i][1] = proxy->pairs[proxy->n_pairs][1];
}

static void
accept_pair (Proxy *proxy)
{
  struct sockaddr_in target = loopback (proxy->target_port);
  int fd = accept (proxy->listening, NULL, NULL);
  int other = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpuint (proxy->n_pairs, <, MAX_PAIRS);
  if (connect (other, (struct sockaddr *) &target, sizeof target) != 0)
    {
      close (fd);
      close (other);
      return;
    }
  proxy->pairs[proxy->n_pairs][0] = fd;
  proxy->pairs[proxy->n_pairs][1] = other;
  proxy->n_pairs++;
}

/* FALSE: one end has gone. */
static gboolean
copy (Proxy *proxy, int from, int to, ProxyMode mode)
{
  char data[65536];
  gssize n = recv (from, data, sizeof data, 0);

  if (n <= 0)
    return FALSE;
  g_mutex_lock (&proxy->mutex);
  proxy->bytes += (guint64) n;
  g_mutex_unlock (&proxy->mutex);
  for (gssize sent = 0; mode == PROXY_PASS && sent < n;)
    {
      gssize part = send (to, data + sent, (gsize) (n - sent), MSG_NOSIGNAL);

      if (part < 0)
        return FALSE;
      sent += part;
    }

  return TRUE;
}

static void
serve (Proxy *proxy, ProxyMode mode)
{
  struct pollfd polled[2 + 2 * MAX_PAIRS] = { { .fd = proxy->wake[0], .events = POLLIN },
                                              { .fd = proxy->listening, .events = POLLIN } };
  char byte = 0;

  for (guint i = 0; i < 2 * proxy->n_pairs; i++)
    polled[2 + i] = (struct pollfd) { .fd = proxy->pairs[i / 2][i % 2], .events = POLLIN };
  poll (polled, mode == PROXY_STALL ? 2 : 2 + 2 * proxy->n_pairs, -1);
  if (polled[0].revents != 0)
    g_assert_cmpint (read (proxy->wake[0], &byte, 1), ==, 1);
  for (guint i = mode == PROXY_STALL ? 0 : proxy->n_pairs; i > 0; i--)
    for (guint j = 0; j < 2; j++)
      if (polled[2 + 2 * (i - 1) + j].revents != 0 && !copy (proxy, proxy->pairs[i - 1][j], proxy->pairs[i - 1][1 - j], mode))
        {
          drop_pair (proxy, i - 1);
          break;
        }
  if (polled[1].revents != 0)
    accept_pair (proxy);
}

static gpointer
run (gpointer data)
{
  Proxy *proxy = data;

  for (;;)
    {
      g_mutex_lock (&proxy->mutex);
      ProxyMode mode = proxy->mode;
      gboolean ended = proxy->ended;
      gboolean cut = proxy->cut;
      proxy->cut = FALSE;
      g_mutex_unlock (&proxy->mutex);

      while ((cut || ended) && proxy->n_pairs > 0)
        drop_pair (proxy, 0);
      if (ended)
        return NULL;
      serve (proxy, mode);
    }
}

Proxy *
proxy_new (guint target_port)
{
  Proxy *proxy = g_new0 (Proxy, 1);
  struct sockaddr_in address = loopback (0);
  socklen_t size = sizeof address;

  g_mutex_init (&proxy->mutex);
  proxy->target_port = target_port;
  g_assert_cmpint (pipe (proxy->wake), ==, 0);
  proxy->listening = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (proxy->listening, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (proxy->listening, 64), ==, 0);
  g_assert_cmpint (getsockname (proxy->listening, (struct sockaddr *) &address, &size), ==, 0);
  proxy->port = ntohs (address.sin_port);
  proxy->thread = g_thread_new ("proxy", run, proxy);

  return proxy;
}

void
proxy_free (Proxy *proxy)
{
  g_mutex_lock (&proxy->mutex);
  proxy->ended = TRUE;
  g_mutex_unlock (&proxy->mutex);
  wake (proxy);
  g_thread_join (proxy->thread);
  close (proxy->listening);
  close (proxy->wake[0]);
  close (proxy->wake[1]);
  g_mutex_clear (&proxy->mutex);
  g_free (proxy);
}

guint
proxy_port (Proxy *proxy)
{
  return proxy->port;
}

void
proxy_set (Proxy *proxy, ProxyMode mode)
{
  g_mutex_lock (&proxy->mutex);
  proxy->mode = mode;
  g_mutex_unlock (&proxy->mutex);
  wake (proxy);
}

void
proxy_cut (Proxy *proxy)
{
  g_mutex_lock (&proxy->mutex);
  proxy->cut = TRUE;
  proxy->mode = PROXY_PASS;
  g_mutex_unlock (&proxy->mutex);
  wake (proxy);
}

guint64
proxy_bytes (Proxy *proxy)
{
  g_mutex_lock (&proxy->mutex);
  guint64 bytes = proxy->bytes;
  g_mutex_unlock (&proxy->mutex);

  return bytes;
}
