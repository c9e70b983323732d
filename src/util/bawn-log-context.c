/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-log-private.h"

#include <string.h>

/* What every message of the process is about, and every message of a thread. */
static struct
{
  GMutex lock;
  BawnLogContext node;
} state;

static GPrivate request_id;

/**
 * bawn_log_set_node:
 * @ha_state: "active", "standby" …
 * @epoch: of the cluster, as far as this node knows; 0: it does not
 *
 * Goes with every message to the journal from now on, as HA_STATE and EPOCH. Any thread.
 */
void
bawn_log_set_node (const char *ha_state, guint64 epoch)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&state.lock);

  g_strlcpy (state.node.ha_state, ha_state, sizeof state.node.ha_state);
  state.node.epoch[0] = '\0';
  if (epoch > 0)
    g_snprintf (state.node.epoch, sizeof state.node.epoch, "%" G_GUINT64_FORMAT, epoch);
}

/**
 * bawn_log_set_ha_state:
 * @ha_state: as for bawn_log_set_node()
 *
 * For the message that tells of the change, which comes before anybody else hears of it. Any thread.
 */
void
bawn_log_set_ha_state (const char *ha_state)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&state.lock);

  g_strlcpy (state.node.ha_state, ha_state, sizeof state.node.ha_state);
}

/**
 * bawn_log_set_request:
 * @id: (nullable): of the request that this thread works at from now on; must last that long
 *
 * Goes with every message of this thread, as REQUEST_ID.
 *
 * Returns: (nullable): what was set before, to be set again afterwards
 */
const char *
bawn_log_set_request (const char *id)
{
  const char *before = g_private_get (&request_id);

  g_private_set (&request_id, (gpointer) id);
  return before;
}

static gboolean
has (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, key) == 0)
      return TRUE;

  return FALSE;
}

/* Copies @fields, as many as there is room for, and adds what they do not say themselves. @context keeps what is pointed to. */
gsize
bawn_log_add_context (const GLogField *fields, gsize n_fields, gboolean for_journal, BawnLogContext *context,
                      GLogField out_fields[BAWN_LOG_MAX_FIELDS])
{
  gsize n = MIN (n_fields, BAWN_LOG_MAX_FIELDS - BAWN_LOG_N_CONTEXT);
  const char *request = g_private_get (&request_id);

  g_mutex_lock (&state.lock);
  *context = state.node;
  g_mutex_unlock (&state.lock);
  memcpy (out_fields, fields, n * sizeof fields[0]);
  if (request != NULL && !has (fields, n_fields, "REQUEST_ID"))
    out_fields[n++] = (GLogField){ "REQUEST_ID", request, -1 };
  if (for_journal && context->ha_state[0] != '\0' && !has (fields, n_fields, "HA_STATE"))
    out_fields[n++] = (GLogField){ "HA_STATE", context->ha_state, -1 };
  if (for_journal && context->epoch[0] != '\0' && !has (fields, n_fields, "EPOCH"))
    out_fields[n++] = (GLogField){ "EPOCH", context->epoch, -1 };

  return n;
}
