/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"
#include "util/bawn-config.h"

G_BEGIN_DECLS

/**
 * BawnSealSettings:
 * @self_unsealing: type=credential
 * @key_path: of the credential
 * @keep: over a restart
 *
 * What [seal] says.
 */
typedef struct
{
  gboolean self_unsealing;
  char *key_path;
  gboolean keep;
} BawnSealSettings;

BawnSealSettings *bawn_seal_settings_read (BawnConfig *config);
void bawn_seal_settings_free (BawnSealSettings *settings);
/* The seal that they ask for; *out_seal is NULL if it is people who unseal. A key that is missing is only warned of. */
gboolean bawn_seal_settings_open (const BawnSealSettings *settings, BawnSeal **out_seal, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnSealSettings, bawn_seal_settings_free)

/**
 * BawnUnsealer:
 *
 * Unseals the node at the start, where that needs no people; and if it shall, has the service manager keep the root key over a
 * restart.
 */
typedef struct _BawnUnsealer BawnUnsealer;

/* Tries at once, and goes on trying on a thread of its own where that may help. What an operator seals stays sealed. */
BawnUnsealer *bawn_unsealer_start (BawnCore *core, const BawnSealSettings *settings);
/* Tries nothing any more, and waits for the thread. Whoever seals the node from now on still has the key forgotten. */
void bawn_unsealer_stop (BawnUnsealer *unsealer);
/* The node is about to be sealed because the process ends, which is to change nothing of what is kept. */
void bawn_unsealer_leave (BawnUnsealer *unsealer);
/* When the core changes no more. */
void bawn_unsealer_free (BawnUnsealer *unsealer);

G_END_DECLS
