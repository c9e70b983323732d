/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-plan.h"
#include "backend/bawn-zk-tree-private.h"
#include "backend/bawn-zk-waker.h"

/* The version that ZooKeeper would take for "any". */
#define ANY_VERSION -1
/* Commits of others in between are not waited for at first, then for a random time, so that
 * somebody gets ahead. */
#define EAGER_TRIES 3
#define PAUSE_MAX_US 4000
/* What follows from a tree that does not fit the clock is looked at this often before it counts as
 * damage. */
#define MISFIT_TRIES 3

typedef enum
{
  TRY_DONE,
  TRY_AGAIN,
  TRY_FAILED,
} TryOutcome;

/* A commit under way. */
typedef struct
{
  BawnZkTree *tree;
  BawnZkPlan *plan;
  GCancellable *cancellable;
  gboolean is_fresh; /* everything is read behind a barrier */
  guint n_misfits;
  guint64 version;
} Commit;

typedef struct
{
  GCond granted;
  gboolean has_turn;
} Turn;

/* Commits of one process follow each other: they would only refuse one another. */
static gboolean
take_turn (BawnZkTree *self, gint64 until_us, GCancellable *cancellable, GError **error)
{
  Turn turn = { .has_turn = FALSE };
  BawnZkWaker waker;
  gboolean in_time = TRUE;

  g_cond_init (&turn.granted);
  bawn_zk_waker_begin (&waker, cancellable, &self->lock, &turn.granted);
  g_mutex_lock (&self->lock);
  turn.has_turn = !self->is_committing;
  self->is_committing = TRUE;
  if (!turn.has_turn)
    g_queue_push_tail (&self->waiting, &turn);
  while (!turn.has_turn && in_time && !g_cancellable_is_cancelled (cancellable))
    in_time = g_cond_wait_until (&turn.granted, &self->lock, until_us);
  if (!turn.has_turn)
    g_queue_remove (&self->waiting, &turn);
  g_mutex_unlock (&self->lock);
  bawn_zk_waker_end (&waker);
  g_cond_clear (&turn.granted);

  if (turn.has_turn)
    return TRUE;

  return in_time ? bawn_fail (error, BAWN_ERROR_TIMEOUT, "ZooKeeper was given no more time")
                 : bawn_fail (error, BAWN_ERROR_UPSTREAM,
                              "ZooKeeper has not answered to earlier commits in time");
}

static void
give_turn (BawnZkTree *self)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  Turn *next = g_queue_pop_head (&self->waiting);

  if (next == NULL)
    {
      self->is_committing = FALSE;
      return;
    }

  next->has_turn = TRUE;
  g_cond_signal (&next->granted);
}

/* @out_exists FALSE: there is no such node. */
static gboolean
read_stat (BawnZkCall *call,
           guint index,
           const char *path,
           BawnZkStat *out_stat,
           gboolean *out_exists,
           GError **error)
{
  GBytes *body = NULL;
  gint32 code = bawn_zk_call_get (call, index, &body);

  *out_exists = code == BAWN_ZK_OK;
  if (code == BAWN_ZK_NO_NODE)
    return TRUE;
  if (code == BAWN_ZK_OK)
    return bawn_zk_parse_stat (body, out_stat, error);

  return bawn_fail (error, BAWN_ERROR_UPSTREAM, "ZooKeeper does not let us look at %s: %s", path,
                    bawn_zk_error_name (code));
}

static gboolean
read_clock (BawnZkTree *self, BawnZkCall *call, GError **error)
{
  BawnZkStat stat = { 0 };
  gboolean exists = FALSE;

  if (!read_stat (call, 0, self->clock, &stat, &exists, error))
    return FALSE;
  if (!exists)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "ZooKeeper has lost the node %s", self->clock);

  self->clock_version = stat.version;
  self->knows_clock = TRUE;
  return TRUE;
}

/* The clock, unless it is known, and then what the plan wants to know; in this order. */
static gboolean
survey (Commit *commit, GError **error)
{
  BawnZkTree *self = commit->tree;
  guint n_nodes = bawn_zk_plan_n_nodes (commit->plan);
  g_autoptr (BawnZkCall) call =
      bawn_zk_call_new (BAWN_ZK_CALL_REPEATABLE | (commit->is_fresh ? BAWN_ZK_CALL_FRESH : 0));
  guint n_before = self->knows_clock ? 0 : 1;

  if (!self->knows_clock)
    bawn_zk_call_add (call, BAWN_ZK_EXISTS, self->clock);
  for (guint i = 0; i < n_nodes; i++)
    bawn_zk_call_add (call, BAWN_ZK_EXISTS, bawn_zk_plan_path (commit->plan, i));
  if (!bawn_zk_client_run (self->client, call, commit->cancellable, error))
    return FALSE;
  if (!self->knows_clock && !read_clock (self, call, error))
    return FALSE;

  for (guint i = 0; i < n_nodes; i++)
    {
      const char *path = bawn_zk_plan_path (commit->plan, i);
      BawnZkStat stat = { 0 };
      gboolean exists = FALSE;

      if (!read_stat (call, n_before + i, path, &stat, &exists, error))
        return FALSE;
      bawn_zk_plan_learn (commit->plan, i, exists ? &stat : NULL);
    }
  return TRUE;
}

/* How many parts of the multi are about the clock. */
static guint
move_clock (BawnZkTree *self, BawnBuffer *buffer)
{
  bawn_zk_multi_set (buffer, self->clock, self->mark, self->clock_version);
  if (self->clock_version != ANY_VERSION - 1)
    return 1;

  /* The next version would be the one that means any: a clock that shows it could not be compared
   * with. */
  bawn_zk_multi_set (buffer, self->clock, self->mark, ANY_VERSION);
  return 2;
}

/* A multi was refused as a whole, by its first part that could not be done. */
static TryOutcome
explain (Commit *commit, GArray *results, guint n_clock, GError **error)
{
  guint at = 0;
  gint32 code = BAWN_ZK_OK;

  for (guint i = 0; i < results->len && code == BAWN_ZK_OK; i++)
    {
      at = i;
      code = g_array_index (results, BawnZkResult, i).error;
    }

  if (at < n_clock && code == BAWN_ZK_BAD_VERSION)
    return TRY_AGAIN;
  if (at < n_clock && code == BAWN_ZK_NO_NODE)
    {
      bawn_fail (error, BAWN_ERROR_CORRUPT, "ZooKeeper has lost the node %s", commit->tree->clock);
      return TRY_FAILED;
    }
  if (code != BAWN_ZK_NO_NODE && code != BAWN_ZK_NODE_EXISTS && code != BAWN_ZK_NOT_EMPTY)
    {
      bawn_fail (error, BAWN_ERROR_UPSTREAM, "ZooKeeper refuses a commit below %s: %s",
                 commit->tree->root, bawn_zk_error_name (code));
      return TRY_FAILED;
    }
  if (++commit->n_misfits < MISFIT_TRIES)
    return TRY_AGAIN;

  bawn_fail (error, BAWN_ERROR_CORRUPT,
             "nodes below %s in ZooKeeper were changed, but not by bawn: %s", commit->tree->root,
             bawn_zk_error_name (code));
  return TRY_FAILED;
}

/* Errors that a server reports for all of a request. Those below -100 are about what was asked, the
 * ones excepted here about how; all others leave open what became of it. */
static TryOutcome
explain_code (gint32 code, GError **error)
{
  gboolean is_certain = code <= -100 || code == -5 || code == -6 || code == -8;

  bawn_fail (error, is_certain ? BAWN_ERROR_UPSTREAM : BAWN_ERROR_UNKNOWN_OUTCOME,
             "ZooKeeper answers a commit with: %s", bawn_zk_error_name (code));
  return TRY_FAILED;
}

static TryOutcome
conclude (Commit *commit, BawnZkCall *call, guint n_clock, GError **error)
{
  BawnZkTree *self = commit->tree;
  GBytes *body = NULL;
  gint32 code = bawn_zk_call_get (call, 0, &body);

  if (code != BAWN_ZK_OK)
    return explain_code (code, error);

  g_autoptr (GError) why = NULL;
  g_autoptr (GArray) results = bawn_zk_parse_multi (body, &why);

  if (results == NULL || results->len < n_clock)
    {
      bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME, "%s",
                 why != NULL ? why->message : "ZooKeeper answers less than it was asked");
      return TRY_FAILED;
    }

  const BawnZkResult *clock = &g_array_index (results, BawnZkResult, n_clock - 1);

  if (clock->op != BAWN_ZK_SET_DATA)
    return explain (commit, results, n_clock, error);

  commit->version = (guint64) clock->stat.mzxid;
  self->clock_version = clock->stat.version;
  self->knows_clock = TRUE;
  return TRY_DONE;
}

static TryOutcome
try_once (Commit *commit, GError **error)
{
  BawnZkTree *self = commit->tree;

  if (!survey (commit, error))
    return TRY_FAILED;

  const char *key = bawn_zk_plan_find_conflict (commit->plan);

  /* Seen without a barrier it may be an old state that does not fit. */
  if (key != NULL && !commit->is_fresh)
    return TRY_AGAIN;
  if (key != NULL)
    {
      bawn_fail (error, BAWN_ERROR_CONFLICT, "%s has changed in the storage", key);
      return TRY_FAILED;
    }

  g_autoptr (BawnZkCall) call = bawn_zk_call_new (0);
  BawnBuffer *buffer = bawn_zk_call_begin (call, BAWN_ZK_MULTI);
  guint n_clock = move_clock (self, buffer);

  bawn_zk_plan_write (commit->plan, buffer, self->options->acl);
  bawn_zk_multi_end (buffer);
  bawn_zk_call_end (call);

  /* Whatever becomes of it, the clock may have moved. */
  self->knows_clock = FALSE;
  return bawn_zk_client_run (self->client, call, commit->cancellable, error)
             ? conclude (commit, call, n_clock, error)
             : TRY_FAILED;
}

static gboolean
commit_with_turn (Commit *commit, gint64 until_us, GError **error)
{
  for (guint n = 1;; n++)
    {
      TryOutcome outcome = try_once (commit, error);

      if (outcome != TRY_AGAIN)
        return outcome == TRY_DONE;

      commit->is_fresh = TRUE;
      commit->tree->knows_clock = FALSE;
      if (g_cancellable_is_cancelled (commit->cancellable))
        return bawn_fail (error, BAWN_ERROR_TIMEOUT, "ZooKeeper was given no more time");
      if (g_get_monotonic_time () >= until_us)
        return bawn_fail (error, BAWN_ERROR_UPSTREAM,
                          "other commits to ZooKeeper were always quicker");
      if (n > EAGER_TRIES)
        g_usleep ((gulong) g_random_int_range (0, PAUSE_MAX_US));
    }
}

gboolean
bawn_zk_tree_commit (BawnZkTree *self,
                     const BawnWrite *writes,
                     guint n_writes,
                     const BawnCondition *conditions,
                     guint n_conditions,
                     guint64 *out_version,
                     GCancellable *cancellable,
                     GError **error)
{
  gint64 until_us = g_get_monotonic_time () + self->options->request_timeout_us;
  g_autoptr (BawnZkPlan) plan =
      bawn_zk_plan_new (self->root, writes, n_writes, conditions, n_conditions);
  Commit commit = { self, plan, cancellable, FALSE, 0, 0 };

  if (!take_turn (self, until_us, cancellable, error))
    return FALSE;

  gboolean ok = commit_with_turn (&commit, until_us, error);

  give_turn (self);
  if (ok)
    *out_version = commit.version;
  return ok;
}
