/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-activation.h"
#include "core/bawn-ha.h"
#include "core/bawn-sys-private.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

/* What the node tells of itself and its machine: host-info, metrics. */

#define PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

static void
write_host (BawnJsonWriter *w,
            const struct utsname *names,
            const struct sysinfo *info,
            gint64 now_s)
{
  g_autofree char *os = g_get_os_info (G_OS_INFO_KEY_ID);
  g_autofree char *os_version = g_get_os_info (G_OS_INFO_KEY_VERSION_ID);

  bawn_json_writer_name (w, "host");
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_int (w, "bootTime", now_s - info->uptime);
  bawn_json_writer_add_string (w, "hostname", names->nodename);
  bawn_json_writer_add_string (w, "kernelArch", names->machine);
  bawn_json_writer_add_string (w, "kernelVersion", names->release);
  bawn_json_writer_add_string (w, "os", "linux");
  bawn_json_writer_add_string (w, "platform", os != NULL ? os : "");
  bawn_json_writer_add_string (w, "platformVersion", os_version != NULL ? os_version : "");
  bawn_json_writer_add_int (w, "procs", info->procs);
  bawn_json_writer_add_int (w, "uptime", info->uptime);
  bawn_json_writer_end_object (w);
}

static void
write_memory (BawnJsonWriter *w, const struct sysinfo *info)
{
  gint64 unit = info->mem_unit;

  bawn_json_writer_name (w, "memory");
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_int (w, "buffers", (gint64) info->bufferram * unit);
  bawn_json_writer_add_int (w, "free", (gint64) info->freeram * unit);
  bawn_json_writer_add_int (w, "shared", (gint64) info->sharedram * unit);
  bawn_json_writer_add_int (w, "swapFree", (gint64) info->freeswap * unit);
  bawn_json_writer_add_int (w, "swapTotal", (gint64) info->totalswap * unit);
  bawn_json_writer_add_int (w, "total", (gint64) info->totalram * unit);
  bawn_json_writer_add_int (w, "used", (gint64) (info->totalram - info->freeram) * unit);
  bawn_json_writer_end_object (w);
}

static void
write_cpus (BawnJsonWriter *w)
{
  bawn_json_writer_name (w, "cpu");
  bawn_json_writer_begin_array (w);
  for (guint i = 0; i < g_get_num_processors (); i++)
    {
      bawn_json_writer_begin_object (w);
      bawn_json_writer_add_int (w, "cpu", i);
      bawn_json_writer_end_object (w);
    }
  bawn_json_writer_end_array (w);
}

static BawnResponse *
host_info (BawnEngine *engine,
           BawnRequest *request G_GNUC_UNUSED,
           BawnTxn *txn G_GNUC_UNUSED,
           GError **error)
{
  gint64 now = bawn_clock_real_us (bawn_core_get_clock (bawn_engine_system_get_core (engine)));
  g_autofree char *time = bawn_time_format (now);
  struct utsname names = { 0 };
  struct sysinfo info = { 0 };
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (uname (&names) != 0 || sysinfo (&info) != 0)
    return bawn_fail_null (error, BAWN_ERROR_INTERNAL, "the system does not tell about itself: %s",
                           g_strerror (errno));

  bawn_json_writer_begin_object (&w);
  write_cpus (&w);
  write_host (&w, &names, &info, now / G_USEC_PER_SEC);
  write_memory (&w, &info);
  bawn_json_writer_add_string (&w, "timestamp", time);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

static void
add_row (GArray *rows, const char *name, BawnMetricKind kind, const char *help, gint64 value)
{
  BawnMetricRow row = { .name = name, .kind = kind, .help = help, .value = value };

  g_array_append_val (rows, row);
}

static void
add_store (GArray *rows, BawnStore *store)
{
  BawnStoreStats stats = { 0 };

  bawn_store_get_stats (store, &stats);
  add_row (rows, "bawn.storage.commits", BAWN_METRIC_COUNTER, "Batches sent to the storage",
           (gint64) stats.commits);
  add_row (rows, "bawn.storage.transactions", BAWN_METRIC_COUNTER, "Transactions committed",
           (gint64) stats.transactions);
  add_row (rows, "bawn.storage.conflicts", BAWN_METRIC_COUNTER,
           "Transactions run again for a conflict", (gint64) stats.conflicts);
  add_row (rows, "bawn.storage.unknown", BAWN_METRIC_COUNTER, "Batches whose answer was lost",
           (gint64) stats.unknown);
  add_row (rows, "bawn.cache.hits", BAWN_METRIC_COUNTER, "Reads answered from memory",
           (gint64) stats.cache_hits);
  add_row (rows, "bawn.cache.misses", BAWN_METRIC_COUNTER, "Reads that asked the storage",
           (gint64) stats.cache_misses);
  add_row (rows, "bawn.cache.bytes", BAWN_METRIC_GAUGE, "Size of the cache in bytes",
           (gint64) stats.cache_bytes);
  add_row (rows, "bawn.cache.entries", BAWN_METRIC_GAUGE, "Entries in the cache",
           (gint64) stats.cache_entries);
}

static void
add_process (GArray *rows)
{
  struct rusage usage = { 0 };

  if (getrusage (RUSAGE_SELF, &usage) != 0)
    return;

  gint64 cpu_us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC
                  + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  add_row (rows, "bawn.process.cpu_us", BAWN_METRIC_COUNTER, "Microseconds of processor time used",
           cpu_us);
  add_row (rows, "bawn.process.max_resident_bytes", BAWN_METRIC_GAUGE, "Most memory ever resident",
           usage.ru_maxrss * 1024);
}

static void
add_state (GArray *rows, BawnCore *core)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);
  guint32 term = 0;
  gint64 installed = 0;
  guint64 encryptions = 0;

  add_row (rows, "vault.core.unsealed", BAWN_METRIC_GAUGE, "Whether the node is unsealed",
           !status->sealed);
  add_row (rows, "vault.core.active", BAWN_METRIC_GAUGE, "Whether the node is active",
           !status->sealed && !status->standby);
  if (!bawn_barrier_get_key_status (bawn_core_get_barrier (core), &term, &installed, &encryptions))
    return;

  add_row (rows, "bawn.barrier.term", BAWN_METRIC_GAUGE, "Term of the encryption key", term);
  add_row (rows, "bawn.barrier.encryptions", BAWN_METRIC_GAUGE,
           "Uses of the encryption key, estimated", (gint64) encryptions);
}

/* Its value says nothing: it is there for its label. */
static void
add_last_change (GArray *rows, const char *reason)
{
  BawnMetricRow row = {
    .name = "bawn.ha.last_change",
    .kind = BAWN_METRIC_GAUGE,
    .help = "Always 1; why the state last changed",
    .value = 1,
    .label = "reason",
    .label_value = g_utf8_make_valid (reason != NULL ? reason : "", -1),
  };

  g_array_append_val (rows, row);
}

static void
add_election (GArray *rows, BawnCore *core)
{
  g_auto (BawnElectorInfo) info = { 0 };
  BawnPromotionTimes times = { 0 };

  if (bawn_core_get_ha (core) == NULL)
    return;

  bawn_ha_get_info (bawn_core_get_ha (core), &info);
  bawn_core_get_promotion_times (core, &times);
  add_row (rows, "bawn.ha.state", BAWN_METRIC_GAUGE,
           "0 stopped, 1 standby, 2 acquiring, 3 promoting, 4 active, 5 withdrawing",
           (gint64) info.state);
  add_row (rows, "bawn.ha.epoch", BAWN_METRIC_GAUGE, "Epoch of the lease as last seen",
           (gint64) info.lock_epoch);
  add_row (rows, "bawn.ha.lease_left_us", BAWN_METRIC_GAUGE,
           "Microseconds for which this node's lease can be trusted", info.lease_left_us);
  add_row (rows, "bawn.ha.storage_answers", BAWN_METRIC_GAUGE,
           "Whether the storage of the election answered last time", info.storage_answers);
  add_row (rows, "bawn.ha.renewal_us", BAWN_METRIC_GAUGE,
           "Microseconds that the last renewal of the lease took", info.renewal_us);
  add_row (rows, "bawn.ha.renewals", BAWN_METRIC_COUNTER, "Renewals of the lease",
           (gint64) info.renewals);
  add_row (rows, "bawn.ha.renewal_failures", BAWN_METRIC_COUNTER, "Renewals that failed",
           (gint64) info.renewal_failures);
  add_row (rows, "bawn.ha.promotions", BAWN_METRIC_COUNTER, "Times this node became active",
           (gint64) info.promotions);
  add_row (rows, "bawn.ha.promotion_failures", BAWN_METRIC_COUNTER,
           "Times this node failed to become active", (gint64) info.promotion_failures);
  add_row (rows, "bawn.ha.depositions", BAWN_METRIC_COUNTER,
           "Times another node took over from this one unasked", (gint64) info.depositions);
  add_row (rows, "bawn.ha.changes", BAWN_METRIC_COUNTER, "Changes of the state",
           (gint64) info.changes);
  add_last_change (rows, info.last_reason);
  add_row (rows, "bawn.ha.promotion_fence_us", BAWN_METRIC_GAUGE,
           "Microseconds of the last promotion until the fence was taken", times.fence_us);
  add_row (rows, "bawn.ha.promotion_load_us", BAWN_METRIC_GAUGE,
           "Microseconds of the last promotion for reading what a node serves with", times.load_us);
  add_row (rows, "bawn.ha.promotion_publish_us", BAWN_METRIC_GAUGE,
           "Microseconds of the last promotion for telling the others", times.publish_us);
}

static BawnResponse *
metrics (BawnEngine *engine, BawnRequest *request, BawnTxn *txn G_GNUC_UNUSED, GError **error)
{
  BawnCore *core = bawn_engine_system_get_core (engine);
  g_autoptr (GArray) rows = bawn_metric_rows_new ();
  g_autofree char *format = NULL;

  if (!bawn_field_string (request, "format", &format, error))
    return NULL;
  if (format != NULL && *format != '\0' && !g_str_equal (format, "prometheus"))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "metric response format \"%s\" unknown",
                           format);

  add_state (rows, core);
  add_store (rows, bawn_core_get_store (core));
  add_election (rows, core);
  add_process (rows);
  bawn_core_append_metrics (core, rows);
  bawn_metrics_append (bawn_core_get_metrics (core), rows);
  if (format == NULL || *format == '\0')
    {
      g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

      bawn_metrics_write_json (&w, rows, bawn_clock_real_us (bawn_core_get_clock (core)),
                               (double) bawn_sys_get_uptime_us (core) / G_USEC_PER_SEC);
      return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
    }

  g_autofree char *text = bawn_metrics_format_prometheus (rows);
  BawnResponse *response = bawn_response_new_bare (200, bawn_bytes_new_string (text));
  response->form = BAWN_RESPONSE_RAW;
  response->content_type = g_strdup (PROMETHEUS_TYPE);
  return response;
}

const BawnRoute bawn_sys_status_routes[] = {
  { "host-info", BAWN_OP_READ, host_info, BAWN_ROUTE_NODE,
    "Information about the host instance that this server is running on." },
  { "metrics", BAWN_OP_READ, metrics, BAWN_ROUTE_NODE,
    "Export the metrics aggregated for telemetry purpose." },
  { 0 },
};
