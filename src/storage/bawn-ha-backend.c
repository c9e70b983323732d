/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-ha-backend.h"

/* Too little time to hear from a storage, so that its silence means nothing: reading the key will tell the rest. */
#define SHORT_WAIT_US (100 * 1000)

G_DEFINE_INTERFACE (BawnHaBackend, bawn_ha_backend, BAWN_TYPE_BACKEND)

static void
bawn_ha_backend_default_init (BawnHaBackendInterface *iface G_GNUC_UNUSED)
{
}

/**
 * bawn_ha_backend_wait:
 * @self: a storage
 * @key: the key to watch
 * @version: the version it had when it was last read; 0: it was absent
 * @timeout_us: how long to wait at most, in microseconds
 * @cancellable: (nullable): ends the wait
 * @error: (out) (optional): INVALID for a key that cannot be one, UPSTREAM if the storage could not be asked, TIMEOUT if it
 *   was cancelled
 *
 * Waits until the version of @key is another one. It may return earlier: read the key. Blocks.
 *
 * Returns: %TRUE if the key should be read again
 */
gboolean
bawn_ha_backend_wait (BawnHaBackend *self,
                      const char *key,
                      guint64 version,
                      gint64 timeout_us,
                      GCancellable *cancellable,
                      GError **error)
{
  g_return_val_if_fail (BAWN_IS_HA_BACKEND (self), FALSE);

  if (!bawn_backend_key_is_valid (key))
    return bawn_fail (error, BAWN_ERROR_INVALID, "this cannot be a key of the storage");
  if (g_cancellable_is_cancelled (cancellable))
    return bawn_fail (error, BAWN_ERROR_TIMEOUT, "given up");

  GError *local = NULL;

  if (BAWN_HA_BACKEND_GET_IFACE (self)->wait (self, key, version, MAX (timeout_us, 0), cancellable, &local))
    return TRUE;
  if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_error_free (local);
      return bawn_fail (error, BAWN_ERROR_TIMEOUT, "given up");
    }

  if (bawn_error_is (local, BAWN_ERROR_UPSTREAM) && timeout_us < SHORT_WAIT_US)
    {
      g_error_free (local);
      return TRUE;
    }

  g_propagate_error (error, local);
  return FALSE;
}

/**
 * bawn_ha_backend_is_enabled:
 * @self: a storage
 *
 * Returns: %TRUE if nodes may elect through it
 */
gboolean
bawn_ha_backend_is_enabled (BawnHaBackend *self)
{
  g_return_val_if_fail (BAWN_IS_HA_BACKEND (self), FALSE);

  BawnHaBackendInterface *iface = BAWN_HA_BACKEND_GET_IFACE (self);

  return iface->is_enabled == NULL || iface->is_enabled (self);
}
