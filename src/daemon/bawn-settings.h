/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-config.h"

G_BEGIN_DECLS

/**
 * BawnSettings:
 *
 * What [server] and [storage] say, beyond what a backend reads itself.
 */
typedef struct
{
  char *storage_type;
  gsize cache_size;
  char *cluster_name;
  char *api_addr;
  char *cluster_addr;
  char *log_level;
  gboolean disable_mlock;
  guint pool_threads;
  guint http_workers;
  gint64 shutdown_timeout_us;
} BawnSettings;

/* Reads; what is wrong is noted in @config. */
BawnSettings *bawn_settings_read (BawnConfig *config);
gboolean bawn_settings_advertise (BawnSettings *settings, BawnConfig *config, const char *const *listeners,
                                  const char *cluster_listener, gboolean needed, GError **error);
void bawn_settings_free (BawnSettings *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnSettings, bawn_settings_free)

G_END_DECLS
