/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-metrics.h"

#include "util/bawn-clock.h"

#include <stdatomic.h>

struct _BawnMetrics
{
  _Atomic gint64 values[BAWN_N_METRICS];
};

static const struct
{
  const char *name;
  BawnMetricKind kind;
  const char *help;
} infos[BAWN_N_METRICS] = {
  [BAWN_METRIC_REQUESTS] = { "bawn.core.requests", BAWN_METRIC_COUNTER, "Requests answered" },
  [BAWN_METRIC_REQUEST_ERRORS] = { "bawn.core.request_errors", BAWN_METRIC_COUNTER,
                                   "Requests answered with an error" },
  [BAWN_METRIC_REQUEST_US] = { "bawn.core.request_us", BAWN_METRIC_COUNTER,
                               "Microseconds spent on requests, waiting included" },
  [BAWN_METRIC_REQUESTS_IN_FLIGHT] = { "bawn.core.in_flight_requests", BAWN_METRIC_GAUGE,
                                       "Requests being worked on" },
  [BAWN_METRIC_POOL_RUNS] = { "bawn.core.pool_runs", BAWN_METRIC_COUNTER,
                              "Attempts that ran on the worker pool" },
  [BAWN_METRIC_LOGINS] = { "bawn.core.logins", BAWN_METRIC_COUNTER, "Logins that succeeded" },
  [BAWN_METRIC_TOKENS_CREATED] = { "bawn.token.creation", BAWN_METRIC_COUNTER, "Tokens created" },
  [BAWN_METRIC_LEASES_GRANTED] = { "bawn.expire.granted", BAWN_METRIC_COUNTER,
                                   "Leases granted on secrets" },
  [BAWN_METRIC_LEASES_ENDED] = { "bawn.expire.ended", BAWN_METRIC_COUNTER,
                                 "Leases revoked or expired" },
  [BAWN_METRIC_AUDIT_FAILURES] = { "bawn.audit.failures", BAWN_METRIC_COUNTER,
                                   "Records that no audit device took" },
};

BawnMetrics *
bawn_metrics_new (void)
{
  return g_new0 (BawnMetrics, 1);
}

void
bawn_metrics_free (BawnMetrics *metrics)
{
  g_free (metrics);
}

/**
 * bawn_metrics_add:
 * @metrics: the counters
 * @metric: which
 * @value: how much; below zero only for gauges
 *
 * Any thread; never waits.
 */
void
bawn_metrics_add (BawnMetrics *metrics, BawnMetric metric, gint64 value)
{
  g_return_if_fail (metric < BAWN_N_METRICS);

  atomic_fetch_add_explicit (&metrics->values[metric], value, memory_order_relaxed);
}

gint64
bawn_metrics_get (BawnMetrics *metrics, BawnMetric metric)
{
  g_return_val_if_fail (metric < BAWN_N_METRICS, 0);

  return atomic_load_explicit (&metrics->values[metric], memory_order_relaxed);
}

static void
clear_row (gpointer data)
{
  g_free (((BawnMetricRow *) data)->label_value);
}

GArray *
bawn_metric_rows_new (void)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (BawnMetricRow));

  g_array_set_clear_func (rows, clear_row);
  return rows;
}

void
bawn_metrics_append (BawnMetrics *metrics, GArray *rows)
{
  for (guint i = 0; i < BAWN_N_METRICS; i++)
    {
      BawnMetricRow row = { .name = infos[i].name, .kind = infos[i].kind, .help = infos[i].help };

      row.value = bawn_metrics_get (metrics, (BawnMetric) i);

      g_array_append_val (rows, row);
    }
}

static void
write_labels (BawnJsonWriter *w, const BawnMetricRow *row)
{
  bawn_json_writer_name (w, "Labels");
  bawn_json_writer_begin_object (w);
  if (row->label != NULL)
    bawn_json_writer_add_string (w, row->label, row->label_value);
  bawn_json_writer_end_object (w);
}

static void
write_gauge (BawnJsonWriter *w, const BawnMetricRow *row)
{
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "Name", row->name);
  bawn_json_writer_add_int (w, "Value", row->value);
  write_labels (w, row);
  bawn_json_writer_end_object (w);
}

static void
write_counter (BawnJsonWriter *w, const BawnMetricRow *row, double interval_s)
{
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "Name", row->name);
  bawn_json_writer_add_int (w, "Count", row->value);
  bawn_json_writer_name (w, "Rate");
  bawn_json_writer_double (w, interval_s > 0 ? (double) row->value / interval_s : 0);
  bawn_json_writer_add_int (w, "Sum", row->value);
  write_labels (w, row);
  bawn_json_writer_end_object (w);
}

static void
write_kind (
    BawnJsonWriter *w, const char *name, const GArray *rows, BawnMetricKind kind, double interval_s)
{
  bawn_json_writer_name (w, name);
  bawn_json_writer_begin_array (w);
  for (guint i = 0; i < rows->len; i++)
    {
      const BawnMetricRow *row = &g_array_index (rows, BawnMetricRow, i);

      if (row->kind != kind)
        continue;
      if (kind == BAWN_METRIC_GAUGE)
        write_gauge (w, row);
      else
        write_counter (w, row, interval_s);
    }
  bawn_json_writer_end_array (w);
}

void
bawn_metrics_write_json (BawnJsonWriter *w, const GArray *rows, gint64 now_us, double interval_s)
{
  g_autofree char *time = bawn_time_format (now_us);

  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "Timestamp", time);
  write_kind (w, "Gauges", rows, BAWN_METRIC_GAUGE, interval_s);
  bawn_json_writer_name (w, "Points");
  bawn_json_writer_begin_array (w);
  bawn_json_writer_end_array (w);
  write_kind (w, "Counters", rows, BAWN_METRIC_COUNTER, interval_s);
  bawn_json_writer_name (w, "Samples");
  bawn_json_writer_begin_array (w);
  bawn_json_writer_end_array (w);
  bawn_json_writer_end_object (w);
}

/* Between quotes, three characters are told otherwise. */
static void
append_label (GString *text, const BawnMetricRow *row)
{
  if (row->label == NULL)
    return;

  g_string_append_printf (text, "{%s=\"", row->label);
  for (const char *c = row->label_value; *c != '\0'; c++)
    {
      if (*c == '\\' || *c == '"' || *c == '\n')
        g_string_append_c (text, '\\');
      g_string_append_c (text, *c == '\n' ? 'n' : *c);
    }
  g_string_append (text, "\"}");
}

/* The text format, version 0.0.4: names of [a-zA-Z0-9_:], counters end in "_total". */
char *
bawn_metrics_format_prometheus (const GArray *rows)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < rows->len; i++)
    {
      const BawnMetricRow *row = &g_array_index (rows, BawnMetricRow, i);
      gboolean counts = row->kind == BAWN_METRIC_COUNTER;
      g_autofree char *base = g_strdelimit (g_strdup (row->name), ".-", '_');
      g_autofree char *name = g_strconcat (base, counts ? "_total" : "", NULL);

      g_string_append_printf (text, "# HELP %s %s\n# TYPE %s %s\n%s", name, row->help, name,
                              counts ? "counter" : "gauge", name);
      append_label (text, row);
      g_string_append_printf (text, " %" G_GINT64_FORMAT "\n", row->value);
    }

  return g_string_free (g_steal_pointer (&text), FALSE);
}
