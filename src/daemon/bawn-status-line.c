/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-status-line.h"

#include "daemon/bawn-notify.h"
#include "util/bawn-log.h"

/* Other nodes come and go without a signal; as often as they speak. */
#define LOOK_S 2

struct _BawnStatusLine
{
  BawnCore *core;
  gulong handler;
  guint look;
  gint wanted; /* atomic: a new line is on its way */
  char *shown;
};

static guint
count_standbys (const GPtrArray *peers)
{
  guint n = 0;

  for (guint i = 0; i < peers->len; i++)
    if (g_strcmp0 (((const BawnPeer *) g_ptr_array_index (peers, i))->state, "standby") == 0)
      n++;

  return n;
}

static char *
format_active (const BawnStatus *status, const GPtrArray *peers)
{
  g_autoptr(GDateTime) since = g_date_time_new_from_unix_local (status->active_since_us / G_USEC_PER_SEC);
  g_autofree char *time = since != NULL ? g_date_time_format (since, "%Y-%m-%d %H:%M:%S %Z") : g_strdup ("?");
  guint standbys = count_standbys (peers);

  if (!status->ha_enabled)
    return g_strdup_printf ("active since %s", time);

  return g_strdup_printf ("active since %s, epoch %" G_GUINT64_FORMAT ", %u %s", time, status->epoch, standbys,
                          standbys == 1 ? "standby" : "standbys");
}

/**
 * bawn_status_line_format:
 * @status: the state of a node
 * @peers: (element-type BawnPeer): the others that it knows
 *
 * Returns: (transfer full): one line for people
 */
char *
bawn_status_line_format (const BawnStatus *status, const GPtrArray *peers)
{
  if (!status->initialized)
    return g_strdup ("not initialized");
  if (status->sealed)
    return g_strdup_printf ("sealed, %u of %u shares", status->progress, status->threshold);
  if (!status->standby)
    return format_active (status, peers);
  if (status->leader != NULL && !status->leader->is_self)
    return g_strdup_printf ("standby of %s, epoch %" G_GUINT64_FORMAT, status->leader->api_addr, status->leader->epoch);

  return g_strdup ("standby, nobody is active");
}

static void
show (BawnStatusLine *line)
{
  g_autoptr(BawnStatus) status = bawn_core_ref_status (line->core);
  g_autoptr(GPtrArray) peers = bawn_core_dup_peers (line->core);
  char *text = bawn_status_line_format (status, peers);

  if (g_strcmp0 (text, line->shown) != 0)
    bawn_notify ("STATUS=%s", text);
  g_free (line->shown);
  line->shown = text;
}

static gboolean
on_look (gpointer user_data)
{
  show (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_wanted (gpointer user_data)
{
  BawnStatusLine *line = user_data;

  g_atomic_int_set (&line->wanted, FALSE);
  show (line);
  return G_SOURCE_REMOVE;
}

/* What the journal has with every message. */
static void
note_in_log (BawnCore *core)
{
  g_autoptr(BawnStatus) status = bawn_core_ref_status (core);
  guint64 epoch = status->leader != NULL ? status->leader->epoch : status->epoch;
  const char *state = !status->initialized       ? "uninitialized"
                      : status->sealed           ? "sealed"
                      : status->ha_state != NULL ? status->ha_state
                      : status->standby          ? "standby"
                                                 : "active";

  bawn_log_set_node (state, epoch);
}

/* On any thread: the main one tells, so that a later line is not overtaken by an earlier one. */
static void
on_status_changed (BawnCore *core, gpointer user_data)
{
  BawnStatusLine *line = user_data;

  note_in_log (core);
  if (g_atomic_int_compare_and_exchange (&line->wanted, FALSE, TRUE))
    g_idle_add_full (G_PRIORITY_DEFAULT, on_wanted, line, NULL);
}

BawnStatusLine *
bawn_status_line_new (BawnCore *core)
{
  BawnStatusLine *line = g_new0 (BawnStatusLine, 1);

  line->core = g_object_ref (core);
  line->handler = g_signal_connect (core, "status-changed", G_CALLBACK (on_status_changed), line);
  line->look = g_timeout_add_seconds (LOOK_S, on_look, line);
  note_in_log (core);
  show (line);
  return line;
}

/* When the core changes no more: a signal on another thread may be under way else. */
void
bawn_status_line_free (BawnStatusLine *line)
{
  g_signal_handler_disconnect (line->core, line->handler);
  g_source_remove (line->look);
  while (g_source_remove_by_user_data (line))
    ;
  g_object_unref (line->core);
  g_free (line->shown);
  g_free (line);
}
