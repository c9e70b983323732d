/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-doubt.h"

#include "barrier/bawn-seal-records.h"
#include "storage/bawn-fence.h"
#include "util/bawn-log.h"

#include <string.h>

/* Shares are handed out once and are stored nowhere. When the storage does not say whether the seal that they belong to is
 * in, they must not be lost on that account. */

/* Between two questions. */
#define ASK_EVERY_US (G_USEC_PER_SEC / 4)

/* Past the cache, which knows nothing of a commit that was not answered. */
static gboolean
look (BawnCore *core, const char *config_id, gboolean *out_in, GError **error)
{
  BawnBackend *backend = bawn_store_get_backend (bawn_core_get_store (core));
  g_autoptr (BawnStore) fresh = bawn_store_new (backend, 0);
  g_autoptr (BawnTxn) txn = bawn_store_begin (fresh, NULL, TRUE);
  BawnSealConfig config = { 0 };
  gboolean present = FALSE;

  if (!bawn_seal_records_load_config (txn, &present, &config, error))
    return FALSE;

  *out_in = present && strcmp (config.id, config_id) == 0;
  return TRUE;
}

/* TRUE if nothing of that epoch can get in any more. */
static gboolean
is_shut (BawnCore *core, guint64 epoch)
{
  BawnBackend *backend = bawn_store_get_backend (bawn_core_get_store (core));
  BawnFence fence = { 0 };

  return bawn_fence_read (backend, &fence, NULL, NULL) && fence.epoch > epoch;
}

/* The fence first: what is not in after it is shut never will be. */
static BawnDoubt
ask (BawnCore *core, const char *config_id, guint64 epoch)
{
  gboolean shut = is_shut (core, epoch);
  gboolean in = FALSE;

  if (!look (core, config_id, &in, NULL))
    return BAWN_DOUBT_OPEN;
  if (in)
    return BAWN_DOUBT_IN;

  return shut ? BAWN_DOUBT_OUT : BAWN_DOUBT_OPEN;
}

BawnDoubt
bawn_core_settle_seal (BawnCore *core, const char *config_id, guint64 epoch)
{
  gint64 until = g_get_monotonic_time () + bawn_core_get_patience_us (core);
  BawnDoubt doubt = ask (core, config_id, epoch);

  while (doubt == BAWN_DOUBT_OPEN && g_get_monotonic_time () < until)
    {
      g_usleep (ASK_EVERY_US);
      doubt = ask (core, config_id, epoch);
    }

  if (doubt == BAWN_DOUBT_OPEN)
    bawn_log_warn ("core", "the storage does not say whether the new seal is in: its shares were handed out "
                           "in doubt, and the present ones, if there are any, must be kept");
  return doubt;
}
