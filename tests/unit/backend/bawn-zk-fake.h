/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-zk-messages.h"

G_BEGIN_DECLS

/**
 * BawnZkFakeMood:
 * @BAWN_ZK_FAKE_KIND: does what it is asked
 * @BAWN_ZK_FAKE_FORGETFUL: says that the session of the next greeting has expired, then is kind
 * @BAWN_ZK_FAKE_REFUSING: says that of every greeting, also of one that asks for a new session
 * @BAWN_ZK_FAKE_MUTE: takes connections and says nothing
 * @BAWN_ZK_FAKE_BABBLING: greets with something that is no greeting
 * @BAWN_ZK_FAKE_HUGE: greets with a length beyond all bounds
 * @BAWN_ZK_FAKE_HANGING_UP: takes requests (not pings) and closes the connection instead of
 * answering
 * @BAWN_ZK_FAKE_HANGING_UP_ONCE: so for the next request, then is kind
 * @BAWN_ZK_FAKE_CONFUSED: answers the next request as if it had been another, then is kind
 * @BAWN_ZK_FAKE_EXPIRING_ONCE: answers the next request with "session expired", then is kind
 * @BAWN_ZK_FAKE_BOASTING_ONCE: announces an answer beyond all bounds to the next request, then is
 * kind
 * @BAWN_ZK_FAKE_SILENT: takes requests and pings and never answers
 * @BAWN_ZK_FAKE_HOLDING: answers pings, but no requests before the mood changes
 * @BAWN_ZK_FAKE_DISTRUSTFUL: refuses authentication
 * @BAWN_ZK_FAKE_GARBLING_ONCE: answers the next request with a body of three bytes, then is kind
 */
typedef enum
{
  BAWN_ZK_FAKE_KIND,
  BAWN_ZK_FAKE_FORGETFUL,
  BAWN_ZK_FAKE_REFUSING,
  BAWN_ZK_FAKE_MUTE,
  BAWN_ZK_FAKE_BABBLING,
  BAWN_ZK_FAKE_HUGE,
  BAWN_ZK_FAKE_HANGING_UP,
  BAWN_ZK_FAKE_HANGING_UP_ONCE,
  BAWN_ZK_FAKE_CONFUSED,
  BAWN_ZK_FAKE_EXPIRING_ONCE,
  BAWN_ZK_FAKE_BOASTING_ONCE,
  BAWN_ZK_FAKE_SILENT,
  BAWN_ZK_FAKE_HOLDING,
  BAWN_ZK_FAKE_DISTRUSTFUL,
  BAWN_ZK_FAKE_GARBLING_ONCE,
} BawnZkFakeMood;

/**
 * BawnZkFakeCounts:
 * @greetings: how many there were
 * @session: that the last one came with
 * @last_zxid: that the last one came with
 * @is_password_ours: whether the last one proved that it has the session
 * @auths: how many authentications; @auth_first: whether each came before any request of its
 * connection
 * @pings: how many
 * @requests: how many, of the kinds that follow and others
 * @multis, @watches: how many
 * @held: how many wait for an answer now; @most_held: the most there ever were
 * @farewells: how many sessions were closed
 * @n_parts: of the last multi; @versions: what the first two of them wanted
 *
 * What a fake has seen.
 */
typedef struct
{
  guint greetings;
  gint64 session;
  gint64 last_zxid;
  gboolean is_password_ours;
  guint auths;
  gboolean auth_first;
  guint pings;
  guint requests;
  guint multis;
  guint watches;
  guint held;
  guint most_held;
  guint farewells;
  guint n_parts;
  gint32 versions[2];
} BawnZkFakeCounts;

/**
 * BawnZkFake:
 *
 * Somebody who speaks as a ZooKeeper server does, or as it should not. Every node exists, with data
 * "v" and mzxid 7.
 */
typedef struct _BawnZkFake BawnZkFake;

BawnZkFake *bawn_zk_fake_new (gint32 timeout_ms);
void bawn_zk_fake_free (BawnZkFake *fake);
/* "127.0.0.1:PORT" */
const char *bawn_zk_fake_get_address (BawnZkFake *fake);
void bawn_zk_fake_set_mood (BawnZkFake *fake, BawnZkFakeMood mood);
/* What every node holds from now on, and which version it shows. */
void bawn_zk_fake_set_node (BawnZkFake *fake, const char *data, gint32 version);
/* Tells each connection that the node at @path has changed. */
void bawn_zk_fake_fire (BawnZkFake *fake, const char *path);
/* Closes all connections. */
void bawn_zk_fake_hang_up (BawnZkFake *fake);
BawnZkFakeCounts bawn_zk_fake_get_counts (BawnZkFake *fake);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnZkFake, bawn_zk_fake_free)

G_END_DECLS
