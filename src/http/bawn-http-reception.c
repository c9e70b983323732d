/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-reception.h"

#include "http/bawn-http-cluster.h"
#include "http/bawn-http-socket.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define ACCEPT_BATCH 32
/* How long to leave the kernel's queue alone when there are no descriptors left. */
#define ACCEPT_PAUSE_MS 100

typedef struct
{
  BawnHttpReception *reception;
  BawnHttpHandshake *handshake;
  BawnHttpPeerTls *tls;
  char *host;
  GList link;
} Stranger;

struct _BawnHttpReception
{
  BawnHttpWorker *worker;
  GPtrArray *sources; /* (element-type GSource) */
  GSource *pause;     /* nullable */
  GQueue strangers;   /* those who wait longest first */
};

static void accept_all (BawnHttpReception *reception);

/* Takes it off the list. */
static void
forget (Stranger *stranger)
{
  g_queue_unlink (&stranger->reception->strangers, &stranger->link);
  bawn_http_peer_tls_unref (stranger->tls);
  g_free (stranger->host);
  g_free (stranger);
}

static void
turn_away (Stranger *stranger)
{
  bawn_http_count (stranger->reception->worker->stats.peer_handshake_failures);
  bawn_http_handshake_cancel (stranger->handshake);
  forget (stranger);
}

/* On its way to another thread. */
typedef struct
{
  BawnHttpWorker *worker;
  BawnHttpWire wire;
  BawnHttpPeerTls *tls;
} Transfer;

static void
transfer_free (Transfer *transfer)
{
  bawn_http_peer_tls_unref (transfer->tls);
  bawn_http_worker_unref (transfer->worker);
  g_free (transfer);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Transfer, transfer_free)

static void
on_transfer (gpointer data)
{
  g_autoptr (Transfer) transfer = data;

  if (transfer->worker->gate != NULL)
    bawn_http_gate_admit (transfer->worker->gate, &transfer->wire, transfer->tls);
  else
    bawn_http_wire_close (&transfer->wire);
}

static BawnHttpWorker *
least_visited (GPtrArray *workers)
{
  BawnHttpWorker *best = g_ptr_array_index (workers, 0);

  for (guint i = 1; i < workers->len; i++)
    {
      BawnHttpWorker *worker = g_ptr_array_index (workers, i);

      if (g_atomic_int_get (&worker->n_visitors) < g_atomic_int_get (&best->n_visitors))
        best = worker;
    }

  return best;
}

/* Gives it to the worker that has the fewest. */
static void
hand_over (BawnHttpReception *reception, BawnHttpWire *wire, BawnHttpPeerTls *tls)
{
  BawnHttpWorker *worker = least_visited (reception->worker->siblings);

  if (worker == reception->worker)
    {
      bawn_http_gate_admit (worker->gate, wire, tls);
      return;
    }

  Transfer *transfer = g_new (Transfer, 1);
  *transfer = (Transfer){ bawn_http_worker_ref (worker), *wire, bawn_http_peer_tls_ref (tls) };
  if (bawn_http_worker_post (worker, on_transfer, transfer))
    return;
  bawn_http_wire_close (&transfer->wire);
  transfer_free (transfer);
}

static void
on_handshake (BawnHttpHandshake *handshake,
              BawnHttpWire *wire,
              const GError *error,
              gpointer user_data)
{
  Stranger *stranger = user_data;
  BawnHttpReception *reception = stranger->reception;

  if (wire == NULL)
    {
      g_debug ("%s: cluster port: %s", stranger->host, error->message);
      bawn_http_count (reception->worker->stats.peer_handshake_failures);
    }
  else if (g_atomic_int_get (&reception->worker->cluster->n_visitors) >= BAWN_HTTP_MAX_VISITORS)
    bawn_http_wire_close (wire);
  else
    hand_over (reception, wire, stranger->tls);
  forget (stranger);
}

/* Makes room for one more of @host. */
static void
make_room (BawnHttpReception *reception, const char *host)
{
  Stranger *eldest = NULL;
  guint n = 0;

  for (GList *l = reception->strangers.head; l != NULL; l = l->next)
    {
      Stranger *stranger = l->data;

      if (strcmp (stranger->host, host) != 0)
        continue;
      n++;
      if (eldest == NULL)
        eldest = stranger;
    }
  if (n >= BAWN_HTTP_MAX_HANDSHAKES_PER_HOST)
    turn_away (eldest);
  else if (reception->strangers.length >= BAWN_HTTP_MAX_HANDSHAKES)
    turn_away (reception->strangers.head->data);
}

static void
receive (BawnHttpReception *reception, int fd, const BawnHttpAddress *address)
{
  BawnHttpPeerTls *tls = bawn_http_gate_peek_tls (reception->worker->gate);

  /* Sealed: there is nothing to show, and nothing to know others by. */
  if (tls == NULL)
    {
      close (fd);
      return;
    }

  g_autofree char *host = bawn_http_address_host (address);
  make_room (reception, host);
  Stranger *stranger = g_new0 (Stranger, 1);
  stranger->reception = reception;
  stranger->tls = bawn_http_peer_tls_ref (tls);
  stranger->host = g_steal_pointer (&host);
  stranger->link.data = stranger;
  g_queue_push_tail_link (&reception->strangers, &stranger->link);
  stranger->handshake =
      bawn_http_handshake_new (reception->worker->context, fd, tls, TRUE, on_handshake, stranger);
}

static void
clear_sources (BawnHttpReception *reception)
{
  for (guint i = 0; i < reception->sources->len; i++)
    g_source_destroy (g_ptr_array_index (reception->sources, i));
  g_ptr_array_set_size (reception->sources, 0);
}

static gboolean
on_pause_over (gpointer user_data)
{
  BawnHttpReception *reception = user_data;

  g_clear_pointer (&reception->pause, g_source_unref);
  accept_all (reception);
  return G_SOURCE_REMOVE;
}

static void
pause_accepting (BawnHttpReception *reception)
{
  clear_sources (reception);
  reception->pause = g_timeout_source_new (ACCEPT_PAUSE_MS);
  g_source_set_callback (reception->pause, on_pause_over, reception, NULL);
  g_source_attach (reception->pause, reception->worker->context);
}

static gboolean
on_incoming (gint listening, GIOCondition condition, gpointer user_data)
{
  BawnHttpReception *reception = user_data;

  for (guint i = 0; i < ACCEPT_BATCH; i++)
    {
      BawnHttpAddress address = { 0 };
      socklen_t size = sizeof address;
      int fd = accept4 (listening, &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

      if (fd >= 0)
        receive (reception, fd, &address);
      else if (errno == EAGAIN)
        break;
      else if (errno != ECONNABORTED && errno != EINTR)
        {
          if (!g_atomic_int_get (&reception->worker->cluster->closed))
            g_message ("cluster port: cannot accept a connection: %s", g_strerror (errno));
          pause_accepting (reception);
          return G_SOURCE_REMOVE;
        }
    }

  return G_SOURCE_CONTINUE;
}

static void
accept_all (BawnHttpReception *reception)
{
  GArray *fds = reception->worker->cluster->fds;

  for (guint i = 0; i < fds->len; i++)
    {
      GSource *source = g_unix_fd_source_new (g_array_index (fds, int, i), G_IO_IN);

      g_source_set_callback (source, G_SOURCE_FUNC (on_incoming), reception, NULL);
      g_source_set_static_name (source, "bawn-http-reception");
      g_source_attach (source, reception->worker->context);
      g_ptr_array_add (reception->sources, source);
    }
}

/**
 * bawn_http_reception_new:
 * @worker: the first one, with a gate
 *
 * Returns: (transfer full): a reception that is open
 */
BawnHttpReception *
bawn_http_reception_new (BawnHttpWorker *worker)
{
  BawnHttpReception *reception = g_new0 (BawnHttpReception, 1);

  reception->worker = worker;
  reception->sources = g_ptr_array_new_with_free_func ((GDestroyNotify) g_source_unref);
  accept_all (reception);

  return reception;
}

/* Whoever has not come through is turned away. */
void
bawn_http_reception_free (BawnHttpReception *reception)
{
  clear_sources (reception);
  g_ptr_array_unref (reception->sources);
  if (reception->pause != NULL)
    {
      g_source_destroy (reception->pause);
      g_source_unref (reception->pause);
    }
  while (reception->strangers.head != NULL)
    turn_away (reception->strangers.head->data);
  g_free (reception);
}
