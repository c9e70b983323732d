/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-dispatch.h"

#include "core/bawn-ha.h"
#include "core/bawn-lifecycle.h"
#include "core/bawn-sys-private.h"
#include "util/bawn-log.h"

#include <string.h>

/* Conflicts are settled by running again; beyond this many the node is too busy with that key to be of use. */
#define MAX_ATTEMPTS 200

/* How many requests may wait for a worker. */
#define MAX_WAITING 20000

struct _BawnDispatcher
{
  BawnCore *core;       /* not owned: the core owns the dispatcher */
  BawnMetrics *metrics; /* the core's */
  GMutex lock;
  GThreadPool *pool;    /* NULL: stopped; under the lock */
};

/* One request, from dispatch to reply. */
typedef struct
{
  BawnDispatcher *dispatcher;
  BawnRequest *request;
  BawnCoreReply reply;
  gpointer user_data;
  guint attempts;
  gint64 begun_us;   /* monotonic */
  gboolean for_node; /* the caller is entitled; nothing but this node is asked */

  BawnActive *active;
  BawnTxn *txn;
  BawnResponse *response;
  GError *error;
} BawnExchange;

static void
bawn_exchange_forget_attempt (BawnExchange *exchange)
{
  g_clear_pointer (&exchange->response, bawn_response_free);
  g_clear_error (&exchange->error);
  g_clear_pointer (&exchange->txn, bawn_txn_unref);
  g_clear_pointer (&exchange->active, bawn_active_unref);
}

static void
bawn_exchange_free (BawnExchange *exchange)
{
  bawn_exchange_forget_attempt (exchange);
  bawn_request_unref (exchange->request);
  g_free (exchange);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnExchange, bawn_exchange_free)

static gboolean
audit_response (BawnExchange *exchange, GError **error)
{
  BawnCore *core = exchange->dispatcher->core;

  /* Whoever has a line for the request gets one for the answer too, even if the last attempt was given up before it began. */
  if (!exchange->request->audited)
    return TRUE;

  return bawn_audit_broker_response (bawn_core_get_audit (core), exchange->request, exchange->response, NULL,
                                     exchange->error != NULL ? exchange->error->message : NULL, error);
}

/* What the storage does not do for a node that cannot say that it is still active, it may do for the next one. */
static void
blame_lease (BawnExchange *exchange)
{
  BawnHa *ha = bawn_core_get_ha (exchange->dispatcher->core);

  if (exchange->active == NULL || !bawn_error_is (exchange->error, BAWN_ERROR_UPSTREAM) || bawn_ha_may_serve (ha))
    return;

  g_clear_error (&exchange->error);
  (void) bawn_fail (&exchange->error, BAWN_ERROR_STANDBY, "the lease of this node has run out");
}

/* The only way out: takes the exchange. Audit comes before the answer leaves; if nobody could write it down, it does
 * not leave. What the commit has decided happens all the same. */
static void
answer (BawnExchange *exchange)
{
  g_autoptr(BawnExchange) owned = exchange;
  g_autoptr(GError) unaudited = NULL;

  blame_lease (owned);

  gboolean audited = audit_response (owned, &unaudited);
  BawnMetrics *metrics = owned->dispatcher->metrics;

  if (owned->response != NULL)
    bawn_response_run_after_commit (owned->response);
  if (!audited)
    {
      g_clear_pointer (&owned->response, bawn_response_free);
      g_clear_error (&owned->error);
      owned->error = g_steal_pointer (&unaudited);
      bawn_metrics_add (metrics, BAWN_METRIC_AUDIT_FAILURES, 1);
    }
  if (owned->error != NULL)
    bawn_metrics_add (metrics, BAWN_METRIC_REQUEST_ERRORS, 1);
  bawn_metrics_add (metrics, BAWN_METRIC_REQUEST_US, g_get_monotonic_time () - owned->begun_us);
  bawn_metrics_add (metrics, BAWN_METRIC_REQUESTS_IN_FLIGHT, -1);
  owned->reply (owned->request, g_steal_pointer (&owned->response), g_steal_pointer (&owned->error), owned->user_data);
}

static void
answer_error (BawnExchange *exchange, BawnErrorCode code, const char *message)
{
  bawn_exchange_forget_attempt (exchange);
  exchange->error = g_error_new_literal (BAWN_ERROR, (int) code, message);
  answer (exchange);
}

static const BawnDirectRoute *
find_direct (const BawnRequest *request)
{
  if (!g_str_has_prefix (request->path, "sys/"))
    return NULL;

  for (const BawnDirectRoute *row = bawn_sys_direct_routes; row->path != NULL; row++)
    if (g_str_equal (row->path, request->path))
      return row;

  return NULL;
}

/* A refused fence or a closed term says nothing about the request: another node may take it. */
static void
translate_commit_error (GError **error)
{
  if (!bawn_error_is (*error, BAWN_ERROR_DEPOSED))
    return;

  g_clear_error (error);
  (void) bawn_fail (error, BAWN_ERROR_STANDBY, "node is not active");
}

static void
run_direct (BawnExchange *exchange, const BawnDirectRoute *row, gboolean may_block)
{
  if ((row->ops & (guint) exchange->request->op) == 0)
    (void) bawn_fail (&exchange->error, BAWN_ERROR_UNSUPPORTED, "unsupported operation");
  else
    exchange->response = row->handler (exchange->dispatcher->core, exchange->request, may_block, &exchange->error);
  translate_commit_error (&exchange->error);
}

/* A sealed node says so; anybody else is not active, or was not a moment ago. */
static void
fail_inactive (BawnExchange *exchange)
{
  if (!bawn_core_is_unsealed (exchange->dispatcher->core))
    (void) bawn_fail (&exchange->error, BAWN_ERROR_SEALED, "Vault is sealed");
  else
    {
      BawnRequest *request = exchange->request;

      if (!request->forwarded && bawn_core_concerns_node (exchange->dispatcher->core, request))
        request->authorize_only = TRUE;
      (void) bawn_fail (&exchange->error, BAWN_ERROR_STANDBY, "node is not active");
    }
}

static gboolean
has_writes (const BawnExchange *exchange)
{
  return exchange->txn != NULL && bawn_txn_has_writes (exchange->txn);
}

/* What may have been done before is done again only if that writes nothing; to use a token that has only so many uses is to
 * write. Whether one that is not good was good then, and spent by what was done, nobody knows. */
static void
refuse_to_repeat (BawnExchange *exchange)
{
  if (!exchange->request->repeated
      || (!has_writes (exchange) && !bawn_error_is (exchange->error, BAWN_ERROR_DENIED)))
    return;

  bawn_exchange_forget_attempt (exchange);
  (void) bawn_fail (&exchange->error, BAWN_ERROR_UNKNOWN_OUTCOME, "the answer was lost when this was done, if it was");
}

static void
attempt_unnamed (BawnExchange *exchange, gboolean may_block)
{
  BawnCore *core = exchange->dispatcher->core;
  const BawnDirectRoute *direct = find_direct (exchange->request);

  bawn_exchange_forget_attempt (exchange);
  exchange->attempts++;
  if (exchange->for_node)
    {
      exchange->response = bawn_sys_run_for_node (core, exchange->request, &exchange->error);
      return;
    }
  if (direct != NULL)
    {
      run_direct (exchange, direct, may_block);
      return;
    }

  exchange->active = bawn_core_ref_active (core);
  if (exchange->active == NULL)
    {
      fail_inactive (exchange);
      return;
    }

  exchange->txn = bawn_store_begin (bawn_core_get_store (core), BAWN_CODEC (bawn_core_get_barrier (core)), may_block);
  exchange->response = bawn_pipeline_run (exchange->active, exchange->request, exchange->txn, &exchange->error);
  refuse_to_repeat (exchange);
}

/* One attempt; what comes of it is in the exchange. */
static void
attempt (BawnExchange *exchange, gboolean may_block)
{
  const char *before = bawn_log_set_request (exchange->request->id);

  attempt_unnamed (exchange, may_block);
  bawn_log_set_request (before);
}

static gboolean
wants_pool (const BawnExchange *exchange)
{
  return bawn_error_is (exchange->error, BAWN_ERROR_WOULD_BLOCK) || bawn_error_is (exchange->error, BAWN_ERROR_CONFLICT);
}

static gboolean
push (BawnExchange *exchange, GError **error)
{
  BawnDispatcher *dispatcher = exchange->dispatcher;
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&dispatcher->lock);

  if (dispatcher->pool == NULL)
    return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");
  if (g_thread_pool_unprocessed (dispatcher->pool) >= MAX_WAITING)
    return bawn_fail (error, BAWN_ERROR_BUSY, "too many requests are waiting");

  bawn_exchange_forget_attempt (exchange);
  g_thread_pool_push (dispatcher->pool, exchange, NULL);
  return TRUE;
}

static void
move_to_pool (BawnExchange *exchange)
{
  g_autoptr(GError) error = NULL;

  if (!push (exchange, &error))
    answer_error (exchange, (BawnErrorCode) error->code, error->message);
}

static void
fail_commit (BawnExchange *exchange, GError *error)
{
  g_clear_pointer (&exchange->response, bawn_response_free);
  g_clear_error (&exchange->error);
  exchange->error = error;
  translate_commit_error (&exchange->error);
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  BawnExchange *exchange = user_data;
  g_autoptr(BawnCore) core G_GNUC_UNUSED = exchange->dispatcher->core;
  GError *error = NULL;

  if (bawn_txn_commit_finish (exchange->txn, result, &error))
    {
      answer (exchange);
      return;
    }

  fail_commit (exchange, error);
  if (wants_pool (exchange))
    move_to_pool (exchange);
  else
    answer (exchange);
}

/* What was read from memory is the truth only if no other node can have written since. The lease is asked about after the
 * reading, and whether what was read still stands after that: a term that ends takes it along, so the lease that was good
 * is the one of the term in which it was read, and not of a later one. The same goes for the fence, which the storage of the
 * data is asked for if the one of the lease is away. */
static gboolean
stands (BawnExchange *exchange, gboolean may_block, GError **error)
{
  BawnHa *ha = bawn_core_get_ha (exchange->dispatcher->core);

  if (exchange->txn == NULL)
    return TRUE;
  if (!may_block && !bawn_ha_may_serve (ha) && bawn_ha_can_confirm (ha))
    return bawn_fail (error, BAWN_ERROR_WOULD_BLOCK, "the storage must be asked");
  if (!bawn_ha_confirm (ha, error))
    return FALSE;

  return bawn_txn_validate (exchange->txn, error);
}

/* On a listener's thread: answer, commit without waiting, or hand on. */
static void
run_in_place (BawnExchange *exchange)
{
  GError *error = NULL;

  attempt (exchange, FALSE);
  if (wants_pool (exchange))
    {
      move_to_pool (exchange);
      return;
    }
  if (has_writes (exchange))
    {
      g_object_ref (exchange->dispatcher->core);
      bawn_txn_commit_async (exchange->txn, NULL, on_committed, exchange);
      return;
    }
  if (!stands (exchange, FALSE, &error))
    fail_commit (exchange, error);

  if (wants_pool (exchange))
    move_to_pool (exchange);
  else
    answer (exchange);
}

/* On a worker: wait for whatever it takes. */
static void
run_on_pool (gpointer data, gpointer user_data)
{
  BawnExchange *exchange = data;

  bawn_metrics_add (exchange->dispatcher->metrics, BAWN_METRIC_POOL_RUNS, 1);
  while (exchange->attempts < MAX_ATTEMPTS)
    {
      GError *error = NULL;

      attempt (exchange, TRUE);
      if (has_writes (exchange) && !wants_pool (exchange))
        {
          if (!bawn_txn_commit (exchange->txn, &error))
            fail_commit (exchange, error);
        }
      else if (!wants_pool (exchange) && !stands (exchange, TRUE, &error))
        fail_commit (exchange, error);

      if (!wants_pool (exchange))
        {
          answer (exchange);
          return;
        }
    }

  answer_error (exchange, BAWN_ERROR_BUSY, "too many requests change the same thing");
}

/**
 * bawn_dispatcher_new:
 * @core: the core, which owns what is returned
 * @threads: how many workers
 *
 * Returns: (transfer full): the part that runs requests: on the caller's thread as far as memory reaches, and otherwise
 *   on a pool
 */
BawnDispatcher *
bawn_dispatcher_new (BawnCore *core, guint threads)
{
  BawnDispatcher *dispatcher = g_new0 (BawnDispatcher, 1);

  dispatcher->core = core;
  dispatcher->metrics = bawn_core_get_metrics (core);
  g_mutex_init (&dispatcher->lock);
  dispatcher->pool = g_thread_pool_new (run_on_pool, dispatcher, (int) threads, FALSE, NULL);

  return dispatcher;
}

/* Waits for the requests that are on the pool; what would have to go there from now on is refused. */
void
bawn_dispatcher_stop (BawnDispatcher *dispatcher)
{
  g_mutex_lock (&dispatcher->lock);
  GThreadPool *pool = g_steal_pointer (&dispatcher->pool);
  g_mutex_unlock (&dispatcher->lock);

  if (pool != NULL)
    g_thread_pool_free (pool, FALSE, TRUE);
}

void
bawn_dispatcher_free (BawnDispatcher *dispatcher)
{
  bawn_dispatcher_stop (dispatcher);
  g_mutex_clear (&dispatcher->lock);
  g_free (dispatcher);
}

static BawnExchange *
begin (BawnDispatcher *dispatcher, BawnRequest *request, BawnCoreReply reply, gpointer user_data)
{
  BawnExchange *exchange = g_new0 (BawnExchange, 1);

  exchange->dispatcher = dispatcher;
  exchange->request = bawn_request_ref (request);
  exchange->reply = reply;
  exchange->user_data = user_data;
  exchange->begun_us = g_get_monotonic_time ();
  bawn_metrics_add (dispatcher->metrics, BAWN_METRIC_REQUESTS, 1);
  bawn_metrics_add (dispatcher->metrics, BAWN_METRIC_REQUESTS_IN_FLIGHT, 1);
  return exchange;
}

/* They are in memory, and nobody else is asked: neither the storage nor the active node nor audit devices. */
static gboolean
is_for_anybody (const BawnRequest *request)
{
  return request->open_metrics && request->op == BAWN_OP_READ && g_str_equal (request->path, "sys/metrics");
}

void
bawn_dispatcher_run (BawnDispatcher *dispatcher, BawnRequest *request, BawnCoreReply reply, gpointer user_data)
{
  BawnExchange *exchange = begin (dispatcher, request, reply, user_data);

  gboolean entitled = request->authorized && !request->forwarded;
  exchange->for_node = entitled || is_for_anybody (request);
  if (entitled)
    move_to_pool (exchange);
  else
    run_in_place (exchange);
}
