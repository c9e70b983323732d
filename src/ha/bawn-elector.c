/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-elector.h"

const char *
bawn_ha_state_name (BawnHaState state)
{
  static const char *const names[BAWN_HA_N_STATES]
      = { "stopped", "standby", "acquiring", "promoting", "active", "withdrawing" };

  g_return_val_if_fail (state < BAWN_HA_N_STATES, "unknown");

  return names[state];
}

/**
 * bawn_elector_info_clear:
 * @info: what bawn_elector_get_info() has filled
 */
void
bawn_elector_info_clear (BawnElectorInfo *info)
{
  g_clear_pointer (&info->lock_holder, g_free);
  g_clear_pointer (&info->lock_name, g_free);
  g_clear_pointer (&info->last_reason, g_free);
}
