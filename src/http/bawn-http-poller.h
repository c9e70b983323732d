/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * BawnHttpPoller:
 *
 * Watches all sockets of a thread through one epoll descriptor. Each file descriptor that comes and goes in a GMainContext
 * costs it a write to its own eventfd, and libsoup makes and drops a source for every wait: eight writes a request, which
 * are most of a small request's system calls. Here a socket is added once, and waiting for it is a GSource without
 * a descriptor. Belongs to one thread.
 */
typedef struct _BawnHttpPoller BawnHttpPoller;

/**
 * BawnHttpInterest:
 * @readable: a read may get something
 * @writable: a write may
 * @hung_up: the other side has closed; reads get something until they get the end
 *
 * @changed: (nullable): called with @owner when any of these has become so, once for all that epoll tells in one go; may
 *   remove any interest. Spares who needs no source of its own a round of the main loop
 *
 * One socket. Since epoll tells of changes only (EPOLLET), its owner clears what turns out not to be so.
 */
typedef struct
{
  gboolean readable;
  gboolean writable;
  gboolean hung_up;
  void (*changed) (gpointer owner);
  gpointer owner;
  /*< private >*/
  GList link;
  gboolean queued;
  GSource *in;  /* nullable: who waits, not owned */
  GSource *out; /* nullable */
} BawnHttpInterest;

BawnHttpPoller *bawn_http_poller_new (GMainContext *context);
void bawn_http_poller_free (BawnHttpPoller *poller);
gboolean bawn_http_poller_add (BawnHttpPoller *poller, BawnHttpInterest *interest, int fd);
void bawn_http_poller_remove (BawnHttpPoller *poller, BawnHttpInterest *interest, int fd);
GSource *bawn_http_interest_wait (BawnHttpInterest *interest, GIOCondition condition, gboolean at_once);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpPoller, bawn_http_poller_free)

G_END_DECLS
