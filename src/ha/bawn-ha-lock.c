/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-lock.h"

#include <string.h>

#include "util/bawn-json.h"
#include "util/bawn-utf8.h"

/* The record is flat and has eight members; some more may come with later versions. */
static const BawnJsonLimits limits = { 3, 64 };

static gboolean
take_int (const BawnJsonNode *root, const char *name, gint64 min, gint64 max, gint64 *out_value)
{
  const BawnJsonNode *node = bawn_json_get (root, name);

  return bawn_json_is (node, BAWN_JSON_NUMBER) && bawn_json_node_int (node, out_value)
         && *out_value >= min && *out_value <= max;
}

/* (nullable): a text in which no NUL hides. */
static const char *
take_name (const BawnJsonNode *root, const char *name)
{
  const BawnJsonNode *node = bawn_json_get (root, name);

  if (!bawn_json_is (node, BAWN_JSON_STRING) || strlen (node->string) != node->string_size)
    return NULL;

  return bawn_ha_lock_name_is_valid (node->string) ? node->string : NULL;
}

static gboolean
take_state (const BawnJsonNode *root, gboolean *out_held)
{
  const char *state = take_name (root, "state");

  *out_held = g_strcmp0 (state, "held") == 0;
  return *out_held || g_strcmp0 (state, "free") == 0;
}

/**
 * bawn_ha_lock_name_is_valid:
 * @name: a text
 *
 * Returns: %TRUE if it may be the name or the id of a node: UTF-8, not empty, not too long
 */
gboolean
bawn_ha_lock_name_is_valid (const char *name)
{
  gsize size = strlen (name);

  return size > 0 && size <= BAWN_HA_LOCK_MAX_NAME && bawn_utf8_valid (name, size);
}

/**
 * bawn_ha_lock_parse:
 * @text: the record's text
 * @out_lock: (out): what it says
 * @error: (out) (optional): CORRUPT if it is not such a record
 *
 * Reads the record. Members that are not known are skipped, so that a later version may add some;
 * each known one must be there with its type and within its bounds.
 *
 * Returns: %TRUE if it is one
 */
gboolean
bawn_ha_lock_parse (GBytes *text, BawnHaLock *out_lock, GError **error)
{
  g_autoptr (BawnJson) json = NULL;
  gint64 epoch = 0;
  gint64 renewal = 0;
  gint64 ttl_ms = 0;
  gboolean held = FALSE;

  if (g_bytes_get_size (text) <= BAWN_HA_LOCK_MAX_BYTES)
    json = bawn_json_parse (text, &limits, NULL);

  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;
  const char *holder = take_name (root, "holder");
  const char *name = take_name (root, "name");
  const char *successor = take_name (root, "successor");

  if (!take_int (root, "epoch", 1, BAWN_HA_EPOCH_MAX, &epoch)
      || !take_int (root, "renewal", 0, G_MAXINT64 - 1, &renewal)
      || !take_int (root, "ttl_ms", 1, BAWN_HA_LEASE_TTL_MAX_US / 1000, &ttl_ms)
      || !take_state (root, &held) || holder == NULL || name == NULL
      || (successor == NULL && bawn_json_get (root, "successor") != NULL))
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "the record %s in the storage cannot be read",
                      BAWN_ELECTOR_LOCK_KEY);

  *out_lock = (BawnHaLock){
    .epoch = (guint64) epoch,
    .renewal = (guint64) renewal,
    .held = held,
    .ttl_us = ttl_ms * 1000,
    .holder = g_strdup (holder),
    .name = g_strdup (name),
    .successor = g_strdup (successor),
  };
  return TRUE;
}

/**
 * bawn_ha_lock_format:
 * @lock: what the record is to say
 *
 * Returns: (transfer full): its text
 */
GBytes *
bawn_ha_lock_format (const BawnHaLock *lock)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "epoch");
  bawn_json_writer_uint (&w, lock->epoch);
  bawn_json_writer_name (&w, "renewal");
  bawn_json_writer_uint (&w, lock->renewal);
  bawn_json_writer_add_string (&w, "state", lock->held ? "held" : "free");
  bawn_json_writer_add_string (&w, "holder", lock->holder);
  bawn_json_writer_add_string (&w, "name", lock->name);
  bawn_json_writer_add_int (&w, "ttl_ms", (lock->ttl_us + 999) / 1000);
  if (lock->successor != NULL)
    bawn_json_writer_add_string (&w, "successor", lock->successor);
  bawn_json_writer_end_object (&w);
  return bawn_json_writer_finish (&w);
}

/**
 * bawn_ha_lock_clear:
 * @lock: what bawn_ha_lock_parse() has filled, or zeroes
 */
void
bawn_ha_lock_clear (BawnHaLock *lock)
{
  g_clear_pointer (&lock->holder, g_free);
  g_clear_pointer (&lock->name, g_free);
  g_clear_pointer (&lock->successor, g_free);
  *lock = (BawnHaLock){ 0 };
}
