/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-ha.h"
#include "core/bawn-sys-private.h"

/* sys/health and sys/leader: out of the snapshot of the node's state alone. */

#define HEALTH_ACTIVE 200
#define HEALTH_STANDBY 429
#define HEALTH_UNINITIALIZED 501
#define HEALTH_SEALED 503

/* What an answer can carry: below it are interim answers, which would leave the caller waiting. */
#define STATUS_MIN 200
#define STATUS_MAX 599

static gboolean
read_code (BawnRequest *request, const char *name, guint *inout_code, GError **error)
{
  gint64 code = *inout_code;
  g_autofree char *text = NULL;
  g_autoptr (GError) bad = NULL;

  if (!bawn_field_string (request, name, &text, &bad) || (text != NULL && *text == '\0')
      || !bawn_field_int (request, name, &code, &bad) || code < STATUS_MIN || code > STATUS_MAX)
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s", "");

  *inout_code = (guint) code;
  return TRUE;
}

/* An active node whose lease has run out answers nothing from memory: it is not active until it has renewed. */
static gboolean
is_standby (BawnCore *core, const BawnStatus *status)
{
  return status->standby || !bawn_ha_may_serve (bawn_core_get_ha (core));
}

/* In the order in which the API looks: uninitialised, sealed, standby, active. */
static gboolean
choose_code (BawnRequest *request, const BawnStatus *status, gboolean is_in_standby, guint *out_code, GError **error)
{
  guint active = HEALTH_ACTIVE;
  guint standby = HEALTH_STANDBY;
  guint sealed = HEALTH_SEALED;
  guint uninitialized = HEALTH_UNINITIALIZED;
  guint unused = HEALTH_STANDBY;
  gboolean standby_ok = FALSE;
  gboolean perf_standby_ok = FALSE;

  if (!bawn_field_bool (request, "standbyok", &standby_ok, error)
      || !bawn_field_bool (request, "perfstandbyok", &perf_standby_ok, error)
      || !read_code (request, "activecode", &active, error)
      || !read_code (request, "standbycode", &standby, error)
      || !read_code (request, "sealedcode", &sealed, error)
      || !read_code (request, "uninitcode", &uninitialized, error)
      || !read_code (request, "drsecondarycode", &unused, error)
      || !read_code (request, "performancestandbycode", &unused, error))
    return FALSE;

  if (!status->initialized)
    *out_code = uninitialized;
  else if (status->sealed)
    *out_code = sealed;
  else if (is_in_standby)
    *out_code = standby_ok ? active : standby;
  else
    *out_code = active;

  return TRUE;
}

BawnResponse *
bawn_sys_health (BawnCore *core,
                 BawnRequest *request,
                 gboolean may_block G_GNUC_UNUSED,
                 GError **error)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);
  guint code = HEALTH_ACTIVE;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  const char *replication = status->sealed ? "unknown" : "disabled";

  gboolean is_in_standby = is_standby (core, status);

  if (!choose_code (request, status, is_in_standby, &code, error))
    return NULL;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_bool (&w, "initialized", status->initialized);
  bawn_json_writer_add_bool (&w, "sealed", status->sealed);
  bawn_json_writer_add_bool (&w, "standby", status->sealed || is_in_standby);
  bawn_json_writer_add_bool (&w, "performance_standby", FALSE);
  bawn_json_writer_add_string (&w, "replication_performance_mode", replication);
  bawn_json_writer_add_string (&w, "replication_dr_mode", replication);
  bawn_json_writer_add_int (&w, "server_time_utc",
                            bawn_clock_real_us (bawn_core_get_clock (core)) / G_USEC_PER_SEC);
  bawn_json_writer_add_string (&w, "version", BAWN_API_VERSION);
  if (!status->sealed && status->cluster_name != NULL)
    {
      bawn_json_writer_add_string (&w, "cluster_name", status->cluster_name);
      bawn_json_writer_add_string (&w, "cluster_id",
                                   status->cluster_id != NULL ? status->cluster_id : "");
    }
  bawn_json_writer_add_string (&w, "bawn_version", PACKAGE_VERSION);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_bare (code, bawn_json_writer_finish (&w));
}

/* A lease that has run out changes no state: the node may get it back. */
static const char *
explain (BawnCore *core, const BawnStatus *status)
{
  if (!status->standby && is_standby (core, status))
    return "the lease could not be renewed in time: nothing is answered from memory until it is";

  return status->last_reason != NULL ? status->last_reason : "";
}

BawnResponse *
bawn_sys_leader (BawnCore *core,
                 BawnRequest *request G_GNUC_UNUSED,
                 gboolean may_block G_GNUC_UNUSED,
                 GError **error)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);
  gboolean is_self = status->ha_enabled && !status->sealed && !is_standby (core, status);
  const BawnLeader *leader = status->leader;
  g_autofree char *since = bawn_time_format (is_self ? status->active_since_us : 0);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (status->ha_enabled && status->sealed)
    return bawn_fail_null (error, BAWN_ERROR_SEALED, "Vault is sealed");

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_bool (&w, "ha_enabled", status->ha_enabled);
  bawn_json_writer_add_bool (&w, "is_self", is_self);
  bawn_json_writer_add_string (&w, "active_time", since);
  bawn_json_writer_add_string (&w, "leader_address", leader != NULL ? leader->api_addr : "");
  bawn_json_writer_add_string (&w, "leader_cluster_address", leader != NULL ? leader->cluster_addr : "");
  bawn_json_writer_add_bool (&w, "performance_standby", FALSE);
  bawn_json_writer_add_int (&w, "performance_standby_last_remote_wal", 0);
  if (status->ha_state != NULL)
    {
      bawn_json_writer_add_string (&w, "ha_state", status->ha_state);
      bawn_json_writer_add_int (&w, "epoch", (gint64) status->epoch);
      bawn_json_writer_add_string (&w, "last_change_reason", explain (core, status));
    }
  bawn_json_writer_end_object (&w);

  return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
}
