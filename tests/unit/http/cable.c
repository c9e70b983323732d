/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cable.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PAIRS 64

struct _Cable
{
  GThread *thread;
  GMutex mutex;
  guint target_port;
  guint port;
  int listening;
  int wake[2];
  /* under the mutex */
  CableMode mode;
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
  return (struct sockaddr_in){ .sin_family = AF_INET,
                               .sin_port = htons ((guint16) port),
                               .sin_addr = { .s_addr = htonl (INADDR_LOOPBACK) } };
}

static void
wake (Cable *cable)
{
  g_assert_cmpint (write (cable->wake[1], "x", 1), ==, 1);
}

/* With a reset, as from a machine that has restarted. */
static void
drop_pair (Cable *cable, guint i)
{
  const struct linger reset = { .l_onoff = 1 };

  for (guint j = 0; j < 2; j++)
    {
      setsockopt (cable->pairs[i][j], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      close (cable->pairs[i][j]);
    }
  cable->n_pairs--;
  cable->pairs[i][0] = cable->pairs[cable->n_pairs][0];
  cable->pairs[i][1] = cable->pairs[cable->n_pairs][1];
}

static void
accept_pair (Cable *cable)
{
  struct sockaddr_in target = loopback (cable->target_port);
  int fd = accept (cable->listening, NULL, NULL);
  int other = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpuint (cable->n_pairs, <, MAX_PAIRS);
  if (connect (other, (struct sockaddr *) &target, sizeof target) != 0)
    {
      close (fd);
      close (other);
      return;
    }
  cable->pairs[cable->n_pairs][0] = fd;
  cable->pairs[cable->n_pairs][1] = other;
  cable->n_pairs++;
}

/* FALSE: one end has gone. */
static gboolean
copy (Cable *cable, int from, int to, CableMode mode)
{
  char data[65536];
  gssize n = recv (from, data, sizeof data, 0);

  if (n <= 0)
    return FALSE;
  g_mutex_lock (&cable->mutex);
  cable->bytes += (guint64) n;
  g_mutex_unlock (&cable->mutex);
  for (gssize sent = 0; mode == CABLE_PASS && sent < n;)
    {
      gssize part = send (to, data + sent, (gsize) (n - sent), MSG_NOSIGNAL);

      if (part < 0)
        return FALSE;
      sent += part;
    }

  return TRUE;
}

static void
serve (Cable *cable, CableMode mode)
{
  struct pollfd polled[2 + 2 * MAX_PAIRS] = { { .fd = cable->wake[0], .events = POLLIN },
                                              { .fd = cable->listening, .events = POLLIN } };
  char byte = 0;

  for (guint i = 0; i < 2 * cable->n_pairs; i++)
    polled[2 + i] = (struct pollfd){ .fd = cable->pairs[i / 2][i % 2], .events = POLLIN };
  poll (polled, mode == CABLE_STALL ? 2 : 2 + 2 * cable->n_pairs, -1);
  if (polled[0].revents != 0)
    g_assert_cmpint (read (cable->wake[0], &byte, 1), ==, 1);
  for (guint i = mode == CABLE_STALL ? 0 : cable->n_pairs; i > 0; i--)
    for (guint j = 0; j < 2; j++)
      if (polled[2 + 2 * (i - 1) + j].revents != 0
          && !copy (cable, cable->pairs[i - 1][j], cable->pairs[i - 1][1 - j], mode))
        {
          drop_pair (cable, i - 1);
          break;
        }
  if (polled[1].revents != 0)
    accept_pair (cable);
}

static gpointer
run (gpointer data)
{
  Cable *cable = data;

  for (;;)
    {
      g_mutex_lock (&cable->mutex);
      CableMode mode = cable->mode;
      gboolean ended = cable->ended;
      gboolean cut = cable->cut;
      cable->cut = FALSE;
      g_mutex_unlock (&cable->mutex);

      while ((cut || ended) && cable->n_pairs > 0)
        drop_pair (cable, 0);
      if (ended)
        return NULL;
      serve (cable, mode);
    }
}

Cable *
cable_new (guint target_port)
{
  Cable *cable = g_new0 (Cable, 1);
  struct sockaddr_in address = loopback (0);
  socklen_t size = sizeof address;

  g_mutex_init (&cable->mutex);
  cable->target_port = target_port;
  g_assert_cmpint (pipe (cable->wake), ==, 0);
  cable->listening = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (cable->listening, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (cable->listening, 64), ==, 0);
  g_assert_cmpint (getsockname (cable->listening, (struct sockaddr *) &address, &size), ==, 0);
  cable->port = ntohs (address.sin_port);
  cable->thread = g_thread_new ("cable", run, cable);

  return cable;
}

void
cable_free (Cable *cable)
{
  g_mutex_lock (&cable->mutex);
  cable->ended = TRUE;
  g_mutex_unlock (&cable->mutex);
  wake (cable);
  g_thread_join (cable->thread);
  close (cable->listening);
  close (cable->wake[0]);
  close (cable->wake[1]);
  g_mutex_clear (&cable->mutex);
  g_free (cable);
}

guint
cable_port (Cable *cable)
{
  return cable->port;
}

void
cable_set (Cable *cable, CableMode mode)
{
  g_mutex_lock (&cable->mutex);
  cable->mode = mode;
  g_mutex_unlock (&cable->mutex);
  wake (cable);
}

void
cable_cut (Cable *cable)
{
  g_mutex_lock (&cable->mutex);
  cable->cut = TRUE;
  cable->mode = CABLE_PASS;
  g_mutex_unlock (&cable->mutex);
  wake (cable);
}

guint64
cable_bytes (Cable *cable)
{
  g_mutex_lock (&cable->mutex);
  guint64 bytes = cable->bytes;
  g_mutex_unlock (&cable->mutex);

  return bytes;
}
