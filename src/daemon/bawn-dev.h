/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"

G_BEGIN_DECLS

#define BAWN_DEV_ADDRESS "127.0.0.1:8200"

/**
 * BawnDev:
 * @unseal_key: hex
 */
typedef struct
{
  char *root_token;
  char *unseal_key;
} BawnDev;

/* Initialises, unseals and fills a core on fresh memory: kv version 2 at secret/. Blocks. @root_token (nullable): the id
 * wished for. */
BawnDev *bawn_dev_start (BawnCore *core, const char *root_token, GError **error);
void bawn_dev_free (BawnDev *dev);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnDev, bawn_dev_free)

G_END_DECLS
