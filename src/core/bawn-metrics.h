/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-json.h"

G_BEGIN_DECLS

/**
 * BawnMetric:
 *
 * What is counted. Names, kinds and help stand in one table in bawn-metrics.c.
 */
typedef enum
{
  BAWN_METRIC_REQUESTS,
  BAWN_METRIC_REQUEST_ERRORS, /* answered with an error */
  BAWN_METRIC_REQUEST_US,     /* microseconds from dispatch to answer, summed */
  BAWN_METRIC_REQUESTS_IN_FLIGHT,
  BAWN_METRIC_POOL_RUNS, /* attempts on the worker pool */
  BAWN_METRIC_LOGINS,
  BAWN_METRIC_TOKENS_CREATED,
  BAWN_METRIC_LEASES_GRANTED,
  BAWN_METRIC_LEASES_ENDED,
  BAWN_METRIC_AUDIT_FAILURES,
  BAWN_N_METRICS,
} BawnMetric;

typedef enum
{
  BAWN_METRIC_COUNTER, /* only grows */
  BAWN_METRIC_GAUGE,
} BawnMetricKind;

/**
 * BawnMetrics:
 *
 * Counters that anybody may bump from any thread: an addition without a lock.
 */
typedef struct _BawnMetrics BawnMetrics;

BawnMetrics *bawn_metrics_new (void);
void bawn_metrics_free (BawnMetrics *metrics);
void bawn_metrics_add (BawnMetrics *metrics, BawnMetric metric, gint64 value);
gint64 bawn_metrics_get (BawnMetrics *metrics, BawnMetric metric);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnMetrics, bawn_metrics_free)

/**
 * BawnMetricRow:
 * @name: dotted, as the JSON form has it; dots become '_' in the other
 * @label: (nullable): the name of a label
 * @label_value: (nullable): (owned): what it says
 *
 * One value to be shown.
 */
typedef struct
{
  const char *name;
  BawnMetricKind kind;
  const char *help;
  gint64 value;
  const char *label;
  char *label_value;
} BawnMetricRow;

/* (element-type BawnMetricRow): an empty array. */
GArray *bawn_metric_rows_new (void);
/* The counters of @metrics as rows behind those in @rows, an array of #BawnMetricRow. */
void bawn_metrics_append (BawnMetrics *metrics, GArray *rows);
/* The two forms of the API. @interval_s: how long the counters have been counting. */
void
bawn_metrics_write_json (BawnJsonWriter *w, const GArray *rows, gint64 now_us, double interval_s);
char *bawn_metrics_format_prometheus (const GArray *rows);

G_END_DECLS
