/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ha/bawn-ha-node.h"

G_BEGIN_DECLS

#define BAWN_WORLD_MAX_NODES 5

/**
 * BawnWorldOptions:
 * @seed: of everything that is left to chance
 * @n_nodes: how many take part
 * @ttl_us: of leases
 * @drift: by how much the speed of a clock differs from the true one at most
 * @troubled_us: how long nodes and storage have trouble
 * @trust_answers: a mutant: a lease counts from when the answer came
 * @no_fence: a mutant: commits are not refused for their epoch
 *
 * What a world is like.
 */
typedef struct
{
  guint32 seed;
  guint n_nodes;
  gint64 ttl_us;
  double drift;
  gint64 troubled_us;
  gboolean trust_answers;
  gboolean no_fence;
} BawnWorldOptions;

/**
 * BawnWorldReport:
 * @two_valid: how often two nodes trusted their leases at the same time
 * @stale: how often a read from memory was answered though a later epoch had begun in the data
 * @stolen: how often two took the same fence, or an older one, or a commit of an older epoch got in
 * @early: how often the lease was free while its holder still served
 * @backwards: how often the record went back to an earlier epoch
 * @settled: whether, after the trouble, exactly one node served with a valid lease, and went on doing so
 * @commits: that got in
 * @refused: commits that the fence has refused
 * @reads: answered from memory
 * @terms: fences taken
 * @counts: of the cells of the state table, of all nodes
 *
 * What has happened in it. The first five must be 0.
 */
typedef struct
{
  guint two_valid;
  guint stale;
  guint stolen;
  guint early;
  guint backwards;
  gboolean settled;
  guint commits;
  guint refused;
  guint reads;
  guint terms;
  guint64 counts[BAWN_HA_N_STATES][BAWN_HA_N_EVENTS];
} BawnWorldReport;

/* Runs nodes without threads against one storage in memory and a fence, in a time of its own: calls and answers are late, lost or
 * overtaken, nodes are paused, killed, stopped and told to step down, clocks run at different speeds. */
void bawn_world_run (const BawnWorldOptions *options, BawnWorldReport *out_report);

G_END_DECLS
