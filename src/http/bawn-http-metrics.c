/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-metrics.h"
#include "http/bawn-http.h"

typedef struct
{
  const char *name;
  BawnMetricKind kind;
  const char *help;
  gsize offset; /* in BawnHttpStats */
} Row;

#define ROW(field, name, kind, help) { "bawn." name, BAWN_METRIC_##kind, help, G_STRUCT_OFFSET (BawnHttpStats, field) }

static const Row table[] = {
  ROW (connections, "http.connections", COUNTER, "Connections accepted"),
  ROW (open_connections, "http.open_connections", GAUGE, "Connections open now"),
  ROW (turned_away, "http.turned_away", COUNTER, "Connections closed at once, because there were too many"),
  ROW (failed_handshakes, "http.failed_handshakes", COUNTER, "TLS handshakes that failed"),
  ROW (refused, "http.refused_requests", COUNTER, "Requests that could not be read"),
  ROW (expired, "http.expired", COUNTER, "Connections and requests ended by a deadline"),
  ROW (forwarded, "ha.forwarded", COUNTER, "Requests sent to the active node"),
  ROW (forward_errors, "ha.forward_errors", COUNTER, "Requests lost on the way to the active node"),
  ROW (answered_for_peers, "ha.answered_for_peers", COUNTER, "Requests of other nodes' clients answered here"),
  ROW (redirects, "ha.redirects", COUNTER, "Clients sent to the active node"),
  ROW (parked, "ha.parked", GAUGE, "Requests that wait for an active node now"),
  ROW (parked_total, "ha.parked_requests", COUNTER, "Requests that had to wait for an active node"),
  ROW (park_timeouts, "ha.park_timeouts", COUNTER, "Requests that waited in vain"),
  ROW (park_refusals, "ha.park_refusals", COUNTER, "Requests that could not wait, because too many did"),
  ROW (peer_connections, "ha.peer_connections", GAUGE, "Connections of other nodes to this one"),
  ROW (peer_handshake_failures, "ha.peer_handshake_failures", COUNTER,
       "Connections at the cluster port that were not of nodes of this cluster"),
};

/**
 * bawn_http_server_append_metrics:
 * @rows: (element-type BawnMetricRow): where they go
 * @server: a #BawnHttpServer
 *
 * The door's counters, as sys/metrics shows them: a #BawnCoreMetricSource. Any thread.
 */
void
bawn_http_server_append_metrics (GArray *rows, gpointer server)
{
  BawnHttpStats stats = { 0 };

  bawn_http_server_get_stats (server, &stats);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      BawnMetricRow row = { .name = table[i].name, .kind = table[i].kind, .help = table[i].help };

      row.value = (gint64) G_STRUCT_MEMBER (guint64, &stats, table[i].offset);
      g_array_append_val (rows, row);
    }
}
