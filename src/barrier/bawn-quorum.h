/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/bawn-secret.h"

G_BEGIN_DECLS

/**
 * BawnQuorum:
 * @nonce: a uuid that names this gathering; empty when none goes on
 * @given: (element-type BawnSecret): the shares given so far
 *
 * Shares of one key while they are gathered. A plain value, so that it can be kept elsewhere; not thread-safe,
 * its owner locks.
 */
typedef struct
{
  char nonce[37];
  GPtrArray *given;
} BawnQuorum;

void bawn_quorum_begin (BawnQuorum *quorum);
void bawn_quorum_clear (BawnQuorum *quorum);
/* Forgets the shares and keeps the nonce. */
void bawn_quorum_restart (BawnQuorum *quorum);
guint bawn_quorum_get_progress (const BawnQuorum *quorum);
gboolean bawn_quorum_has (const BawnQuorum *quorum, const BawnSecret *share);
void bawn_quorum_add (BawnQuorum *quorum, BawnSecret *share);
/* The key, from as many shares as were given; wrong ones give a wrong key or INVALID. */
BawnSecret *bawn_quorum_combine (const BawnQuorum *quorum, guint threshold, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnQuorum, bawn_quorum_clear)

G_END_DECLS
