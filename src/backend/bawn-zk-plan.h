/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-zk-messages.h"
#include "storage/bawn-backend.h"

G_BEGIN_DECLS

/**
 * BawnZkPlan:
 *
 * How one commit becomes one multi: which nodes must be looked at, and which operations follow from
 * what they are. Knows nothing of connections. Borrows writes and conditions.
 */
typedef struct _BawnZkPlan BawnZkPlan;

BawnZkPlan *bawn_zk_plan_new (const char *root,
                              const BawnWrite *writes,
                              guint n_writes,
                              const BawnCondition *conditions,
                              guint n_conditions);
void bawn_zk_plan_free (BawnZkPlan *plan);

/* The nodes to be looked at; each must be learnt before what follows, and may be learnt again. */
guint bawn_zk_plan_n_nodes (BawnZkPlan *plan);
const char *bawn_zk_plan_path (BawnZkPlan *plan, guint index);
/* @stat (nullable): %NULL: there is no such node */
void bawn_zk_plan_learn (BawnZkPlan *plan, guint index, const BawnZkStat *stat);

/* (nullable): the key of a condition that does not hold. */
const char *bawn_zk_plan_find_conflict (BawnZkPlan *plan);
/* Appends the operations, without an end. Once after each time that all nodes were learnt. */
void bawn_zk_plan_write (BawnZkPlan *plan, BawnBuffer *buffer, GBytes *acl);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnZkPlan, bawn_zk_plan_free)

G_END_DECLS
