/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"

G_BEGIN_DECLS

/**
 * BawnStatusLine:
 *
 * The state of the node in words, as the service manager shows it: sent whenever it changes.
 */
typedef struct _BawnStatusLine BawnStatusLine;

/* On the main thread, until it is freed there. */
BawnStatusLine *bawn_status_line_new (BawnCore *core);
void bawn_status_line_free (BawnStatusLine *line);

/* "active since 2026-01-02 03:04:05 UTC, epoch 7, 2 standbys". @peers: of #BawnPeer */
char *bawn_status_line_format (const BawnStatus *status, const GPtrArray *peers);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnStatusLine, bawn_status_line_free)

G_END_DECLS
