/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * BawnHttpPhase:
 * @BAWN_HTTP_PHASE_HANDSHAKE: TLS
 * @BAWN_HTTP_PHASE_HEADERS: from the first byte of a request (or the beginning of the connection) to the end of its head
 * @BAWN_HTTP_PHASE_BODY: the body is coming in
 * @BAWN_HTTP_PHASE_REQUEST: the answer is being made
 * @BAWN_HTTP_PHASE_WRITE: the answer is going out
 * @BAWN_HTTP_PHASE_IDLE: between requests
 * @BAWN_HTTP_PHASE_LINGER: said all, and waits for the client to have read it
 *
 * What a connection is waiting for. Each phase has its deadline.
 */
typedef enum
{
  BAWN_HTTP_PHASE_HANDSHAKE,
  BAWN_HTTP_PHASE_HEADERS,
  BAWN_HTTP_PHASE_BODY,
  BAWN_HTTP_PHASE_REQUEST,
  BAWN_HTTP_PHASE_WRITE,
  BAWN_HTTP_PHASE_IDLE,
  BAWN_HTTP_PHASE_LINGER,
} BawnHttpPhase;
#define BAWN_HTTP_N_PHASES (BAWN_HTTP_PHASE_LINGER + 1)

/**
 * BawnHttpTicket:
 * @phase: what is being waited for
 * @deadline_us: until when (monotonic)
 *
 * A connection's place in the guard's queues. Zeroed at first.
 */
typedef struct
{
  BawnHttpPhase phase;
  gint64 deadline_us;
  /*< private >*/
  GList link;
  gboolean queued;
} BawnHttpTicket;

/**
 * BawnHttpGuard:
 *
 * The deadlines of all connections of one listener in one thread. All that are in a phase have the same time, so each
 * phase is a queue in order of deadline: entering one costs two pointers, and a single timer watches the heads.
 */
typedef struct _BawnHttpGuard BawnHttpGuard;

typedef void (*BawnHttpExpired) (gpointer owner, BawnHttpPhase phase);

BawnHttpGuard *bawn_http_guard_new (GMainContext *context, const gint64 *durations_us, BawnHttpExpired expired);
void bawn_http_guard_free (BawnHttpGuard *guard);
void bawn_http_guard_enter (BawnHttpGuard *guard, BawnHttpTicket *ticket, BawnHttpPhase phase, gpointer owner);
void bawn_http_guard_leave (BawnHttpGuard *guard, BawnHttpTicket *ticket);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpGuard, bawn_http_guard_free)

G_END_DECLS
