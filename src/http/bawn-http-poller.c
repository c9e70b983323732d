/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-poller.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Changes taken in one go; what is left is told of again. */
#define BATCH 256

/**
 * BawnHttpPoller:
 * @changed: (element-type BawnHttpInterest): to be told so
 */
struct _BawnHttpPoller
{
  GSource *source;
  int fd;
  GQueue changed;
};

typedef struct
{
  GSource source;
  BawnHttpPoller *poller;
} PollerSource;

/* Who waits. Knows nothing any more once its interest has gone. */
typedef struct
{
  GSource source;
  BawnHttpInterest *interest; /* nullable */
} WaitSource;

static void
wake (GSource *source)
{
  if (source != NULL)
    g_source_set_ready_time (source, 0);
}

static void
note (BawnHttpPoller *poller, BawnHttpInterest *interest, guint32 events)
{
  if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0)
    interest->hung_up = TRUE;
  if ((events & EPOLLIN) != 0 || interest->hung_up)
    {
      interest->readable = TRUE;
      wake (interest->in);
    }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
    {
      interest->writable = TRUE;
      wake (interest->out);
    }
  if (interest->changed != NULL && !interest->queued)
    {
      interest->queued = TRUE;
      interest->link.data = interest;
      g_queue_push_tail_link (&poller->changed, &interest->link);
    }
}

static void
forget (BawnHttpPoller *poller, BawnHttpInterest *interest)
{
  if (interest->queued)
    g_queue_unlink (&poller->changed, &interest->link);
  interest->queued = FALSE;
}

/* Runs nobody's code before all is noted, so that no interest can go while there are events for it. */
static gboolean
poller_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  BawnHttpPoller *poller = ((PollerSource *) source)->poller;
  struct epoll_event events[BATCH];
  int n = epoll_wait (poller->fd, events, G_N_ELEMENTS (events), 0);

  for (int i = 0; i < n; i++)
    note (poller, events[i].data.ptr, events[i].events);
  while (poller->changed.length > 0)
    {
      BawnHttpInterest *interest = g_queue_peek_head (&poller->changed);

      forget (poller, interest);
      interest->changed (interest->owner);
    }

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs poller_funcs = { .dispatch = poller_dispatch };

/**
 * bawn_http_poller_new:
 * @context: of the thread
 *
 * Returns: (transfer full): a poller
 */
BawnHttpPoller *
bawn_http_poller_new (GMainContext *context)
{
  BawnHttpPoller *poller = g_new0 (BawnHttpPoller, 1);

  poller->fd = epoll_create1 (EPOLL_CLOEXEC);
  if (poller->fd < 0)
    g_error ("cannot make an epoll descriptor: %s", g_strerror (errno));
  poller->source = g_source_new (&poller_funcs, sizeof (PollerSource));
  ((PollerSource *) poller->source)->poller = poller;
  g_queue_init (&poller->changed);
  g_source_add_unix_fd (poller->source, poller->fd, G_IO_IN);
  /* Else GLib takes the descriptor out of its set for as long as the source runs, which costs two writes to its eventfd and
   * a round of the loop each time (seen in 2.74). */
  g_source_set_can_recurse (poller->source, TRUE);
  g_source_set_static_name (poller->source, "bawn-http-poller");
  g_source_attach (poller->source, context);

  return poller;
}

void
bawn_http_poller_free (BawnHttpPoller *poller)
{
  g_source_destroy (poller->source);
  g_source_unref (poller->source);
  close (poller->fd);
  g_free (poller);
}

/**
 * bawn_http_poller_add:
 * @poller: a poller
 * @interest: set anew, so @changed is to be set after this; must be removed before it is freed
 * @fd: a non-blocking socket
 *
 * Begins to watch it. What is there already is taken for granted until a read or write finds otherwise.
 *
 * Returns: whether that could be done; not without memory, or beyond fs.epoll.max_user_watches
 */
gboolean
bawn_http_poller_add (BawnHttpPoller *poller, BawnHttpInterest *interest, int fd)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = { .ptr = interest } };

  *interest = (BawnHttpInterest) { .readable = TRUE, .writable = TRUE };
  return epoll_ctl (poller->fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Stops watching it; sources that still wait for it never get ready. */
void
bawn_http_poller_remove (BawnHttpPoller *poller, BawnHttpInterest *interest, int fd)
{
  epoll_ctl (poller->fd, EPOLL_CTL_DEL, fd, NULL);
  forget (poller, interest);
  if (interest->in != NULL)
    ((WaitSource *) interest->in)->interest = NULL;
  if (interest->out != NULL)
    ((WaitSource *) interest->out)->interest = NULL;
  interest->in = NULL;
  interest->out = NULL;
}

/* A wait is only ever a child of libsoup's source, which is what runs. */
static gboolean
wait_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

static void
wait_finalize (GSource *source)
{
  BawnHttpInterest *interest = ((WaitSource *) source)->interest;

  if (interest != NULL && interest->in == source)
    interest->in = NULL;
  if (interest != NULL && interest->out == source)
    interest->out = NULL;
}

static gboolean
wait_callback (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* Without a closure_callback, GLib does not let a source have the dummy callback of a child. */
static GSourceFuncs wait_funcs
  = { .dispatch = wait_dispatch, .finalize = wait_finalize, .closure_callback = wait_callback };

/**
 * bawn_http_interest_wait:
 * @interest: what is waited for; of several waits for the same, the last one counts
 * @condition: %G_IO_IN or %G_IO_OUT
 * @at_once: be ready whatever the socket says
 *
 * Returns: (transfer full): a source that is ready when the socket is
 */
GSource *
bawn_http_interest_wait (BawnHttpInterest *interest, GIOCondition condition, gboolean at_once)
{
  GSource *source = g_source_new (&wait_funcs, sizeof (WaitSource));
  gboolean in = condition == G_IO_IN;

  ((WaitSource *) source)->interest = interest;
  g_source_set_static_name (source, "bawn-http-wait");
  if (in)
    interest->in = source;
  else
    interest->out = source;
  if (at_once || (in ? interest->readable : interest->writable))
    g_source_set_ready_time (source, 0);

  return source;
}
