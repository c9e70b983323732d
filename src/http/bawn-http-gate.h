/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-caller.h"
#include "http/bawn-http-worker.h"

G_BEGIN_DECLS

typedef struct _BawnHttpExchange BawnHttpExchange;

/**
 * BawnHttpPassage:
 * @exchange: whose
 * @serial: what the gate knew when the request was last tried here
 * @park_deadline_us: until when it may wait for an active node; 0: it has not waited yet
 * @authorized: the active node has said that its caller may
 *
 * A request that this node has not answered, on its way to one that does. Zeroed at first.
 */
typedef struct
{
  BawnHttpExchange *exchange;
  guint serial;
  gint64 park_deadline_us;
  gboolean authorized;
  /*< private >*/
  BawnHttpErrand errand;
  GList link;
  GQueue *queue; /* nullable: where it waits */
  gsize size;
} BawnHttpPassage;

/**
 * BawnHttpGate:
 *
 * Where requests go that this node does not answer since it is not active: to the active node, or
 * back to the client with its address, or nowhere until there is one. Belongs to its worker's
 * thread.
 */
BawnHttpGate *bawn_http_gate_new (BawnHttpWorker *worker);
void bawn_http_gate_free (BawnHttpGate *gate);
void bawn_http_gate_wake (BawnHttpGate *gate);
void bawn_http_gate_wind_down (BawnHttpGate *gate);
guint bawn_http_gate_get_serial (BawnHttpGate *gate);
void bawn_http_gate_route (BawnHttpGate *gate, BawnHttpPassage *passage);
void bawn_http_gate_forget (BawnHttpGate *gate, BawnHttpPassage *passage);
BawnHttpPeerTls *bawn_http_gate_peek_tls (BawnHttpGate *gate);
void bawn_http_gate_admit (BawnHttpGate *gate, BawnHttpWire *wire, BawnHttpPeerTls *tls);

G_END_DECLS
