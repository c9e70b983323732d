/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ha/bawn-elector.h"

G_BEGIN_DECLS

/* Where a test of the elector waits for something that must come; far beyond what a slow machine needs. */
#define BAWN_TEST_PATIENCE_US (60 * G_USEC_PER_SEC)

/**
 * BawnTestClient:
 * @floor: what it says
 * @fail_floor: how often it fails to say it
 * @fail_promote: how often promote() fails
 * @hold_promote: promote() ends only when this is taken back, or it is cancelled
 * @ignore_cancel: it does not end when it is cancelled
 * @hold_withdraw: withdraw() ends only when this is taken back
 * @serving: promote() was TRUE, withdraw() has not returned
 * @promoting: promote() is under way
 * @withdrawing: withdraw() is under way
 * @epoch: of the last promotion
 *
 * A node's client that does as a test says, and keeps count. It complains if it is not called as is promised.
 */
typedef struct
{
  GMutex lock;
  GCond changed;
  guint64 floor;
  guint fail_floor;
  guint fail_promote;
  gboolean hold_promote;
  gboolean ignore_cancel;
  gboolean hold_withdraw;
  gboolean serving;
  gboolean promoting;
  gboolean withdrawing;
  gboolean was_cancelled;
  guint64 epoch;
  guint promotions;
  guint withdrawals;
  guint changes;
  char *reason;
} BawnTestClient;

extern const BawnElectorClient bawn_test_client;

BawnTestClient *bawn_test_client_new (void);
void bawn_test_client_free (BawnTestClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnTestClient, bawn_test_client_free)

/* Changes one of its switches and wakes what waits for it. */
void bawn_test_client_set (BawnTestClient *client, gboolean *what, gboolean value);
/* Waits until one of its flags has a value. */
void bawn_test_client_await (BawnTestClient *client, const gboolean *what, gboolean value);
void bawn_test_client_await_count (BawnTestClient *client, const guint *what, guint at_least);

G_END_DECLS
