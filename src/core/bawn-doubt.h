/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core-private.h"

G_BEGIN_DECLS

/* What comes with shares of which it is not known whether they open anything. */
#define BAWN_DOUBT_WARNING                                                                          \
  "the storage did not say whether this was written: keep these keys, and any that were valid until now, until it is known "  \
  "which of them unseal"

/**
 * BawnDoubt:
 * @BAWN_DOUBT_IN: it is written
 * @BAWN_DOUBT_OUT: it is not, and never will be
 * @BAWN_DOUBT_OPEN: the storage still does not say
 *
 * What has become of a seal whose commit was not answered.
 */
typedef enum
{
  BAWN_DOUBT_IN,
  BAWN_DOUBT_OUT,
  BAWN_DOUBT_OPEN,
} BawnDoubt;

/* Asks the storage whether the seal with that id is in. @epoch: in which it was sent. Blocks for bawn_core_get_patience_us() and what the
 * storage itself takes to fail. */
BawnDoubt bawn_core_settle_seal (BawnCore *core, const char *config_id, guint64 epoch);

G_END_DECLS
