/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-backend.h"

G_BEGIN_DECLS

/* <installed> */
#define BAWN_TYPE_HA_BACKEND (bawn_ha_backend_get_type ())
G_DECLARE_INTERFACE (BawnHaBackend, bawn_ha_backend, BAWN, HA_BACKEND, GObject)

/**
 * BawnHaBackendInterface:
 * @wait: waits until the version of a key is another one
 * @is_enabled: (nullable): whether the configuration lets this storage be elected by; without it, it does
 *
 * A storage that several processes share and whose commits are linearizable: all that an election needs. Requires
 * #BawnBackend.
 *
 * @wait blocks, on a thread of its caller's. It returns %TRUE as soon as the key has another version than @version (0: it
 * was absent), after @timeout_us, or for no reason at all: the caller reads the key in any case. It must not take a place
 * that a get() or commit() may need (`max-parallel`). It fails with UPSTREAM if the storage could not be asked, and with TIMEOUT as soon as the
 * cancellable is cancelled.
 */
struct _BawnHaBackendInterface
{
  GTypeInterface parent;

  gboolean (*wait) (BawnHaBackend *self, const char *key, guint64 version, gint64 timeout_us, GCancellable *cancellable,
                    GError **error);
  gboolean (*is_enabled) (BawnHaBackend *self);
};

/* The checked fronts of the two. */
gboolean bawn_ha_backend_wait (BawnHaBackend *self, const char *key, guint64 version, gint64 timeout_us,
                               GCancellable *cancellable, GError **error);
gboolean bawn_ha_backend_is_enabled (BawnHaBackend *self);
/* </installed> */

G_END_DECLS
