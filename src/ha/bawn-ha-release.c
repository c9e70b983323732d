/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-file.h"
#include "ha/bawn-ha-lock.h"

#include <string.h>

/* A commit of the dead process may still have been on its way; two could not be, as each waits for
 * its answer. */
#define MAX_ATTEMPTS 4

/* TRUE with @out_lock empty: it is not there. */
static gboolean
read_lock (BawnBackend *backend, BawnHaLock *out_lock, guint64 *out_version, GError **error)
{
  g_autoptr (GBytes) text = NULL;

  if (!bawn_backend_get (backend, BAWN_ELECTOR_LOCK_KEY, &text, out_version, NULL, error))
    return FALSE;

  return text == NULL || bawn_ha_lock_parse (text, out_lock, error);
}

/* TRUE if it is settled; otherwise @error says why it may be worth another attempt. */
static gboolean
try_release (BawnBackend *backend, const char *node_id, gboolean *out_released, GError **error)
{
  g_auto (BawnHaLock) lock = { 0 };
  guint64 version = 0;

  if (!read_lock (backend, &lock, &version, error))
    return FALSE;

  gboolean is_theirs = lock.holder != NULL && strcmp (lock.holder, node_id) == 0;

  if (!is_theirs || !lock.held)
    {
      /* Free by an attempt of which the answer was lost, or by somebody else. */
      *out_released &= is_theirs;
      return TRUE;
    }

  lock.held = FALSE;

  g_autoptr (GBytes) value = bawn_ha_lock_format (&lock);
  const BawnWrite write = { BAWN_WRITE_PUT, BAWN_ELECTOR_LOCK_KEY, value };
  const BawnCondition condition = { BAWN_ELECTOR_LOCK_KEY, version };

  *out_released = TRUE;
  return bawn_backend_commit (backend, &write, 1, &condition, 1, NULL, NULL, error);
}

static gboolean
release (BawnBackend *backend, const char *node_id, gboolean *out_released, GError **error)
{
  for (guint i = 0;; i++)
    {
      g_autoptr (GError) local = NULL;

      if (try_release (backend, node_id, out_released, &local))
        return TRUE;
      if (i + 1 == MAX_ATTEMPTS
          || (!bawn_error_is (local, BAWN_ERROR_CONFLICT)
              && !bawn_error_is (local, BAWN_ERROR_UNKNOWN_OUTCOME)))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
    }
}

/**
 * bawn_elector_release_dead:
 * @backend: where the lease is
 * @lease_file: what a process has written down
 * @out_released: (out): whether the record was freed
 * @error: (out) (optional): INVALID if the process lives, or the file is not such a file; CORRUPT
 * if the record cannot be read; or what the storage says
 *
 * Frees the lease of a process that has died, so that nobody has to wait until it expires, and
 * removes the file. The file's lock says that the process is dead, and its id is its own, so the
 * record can be nobody else's; the write is on condition of what was read. Blocks.
 *
 * Returns: %TRUE if no lease of that process is left
 */
gboolean
bawn_elector_release_dead (BawnHaBackend *backend,
                           const char *lease_file,
                           gboolean *out_released,
                           GError **error)
{
  g_autofree char *node_id = NULL;
  gboolean released = FALSE;
  int fd = -1;

  g_return_val_if_fail (BAWN_IS_HA_BACKEND (backend) && lease_file != NULL, FALSE);

  if (!bawn_ha_file_open_dead (lease_file, &fd, &node_id, error))
    return FALSE;

  gboolean ok = fd < 0 || release (BAWN_BACKEND (backend), node_id, &released, error);

  if (fd >= 0)
    bawn_ha_file_close_dead (lease_file, fd, ok);
  if (ok)
    *out_released = released;
  return ok;
}
