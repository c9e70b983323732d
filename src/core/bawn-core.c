/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-core-private.h"

#include "auth/bawn-auth-token.h"
#include "core/bawn-cluster-view.h"
#include "core/bawn-dispatch.h"
#include "core/bawn-ha.h"
#include "core/bawn-lifecycle.h"
#include "core/bawn-login.h"
#include "core/bawn-status.h"
#include "util/bawn-log.h"

/* A transaction that conflicts this often does so for another reason than bad luck. */
#define MAX_TRANSACT_ATTEMPTS 200

/* Sets of policies whose ACL is kept. */
#define ACL_CACHE_ENTRIES 1024

struct _BawnCore
{
  GObject parent_instance;

  BawnCoreOptions options; /* strings owned */
  BawnStore *store;
  BawnBarrier *barrier;
  BawnSealShamir *seal;
  BawnRekey *rekey;
  BawnGenerateRoot *generate_root;
  BawnAuditBroker *audit;
  GHashTable *engines; /* name to BawnEngine */
  GHashTable *methods;
  BawnDispatcher *dispatcher;
  BawnExpiry *expiry;
  BawnTokenServices token_services;
  BawnHa *ha; /* nullable */

  GMutex lifecycle; /* held through init, unseal and seal, one at a time */
  GPtrArray *given; /* under it: the shares given for an unseal */
  gboolean stays_sealed; /* the same: it was sealed, so that it does not unseal itself */
  GMutex lock;      /* guards what follows, never held while waiting */
  BawnActive *active;
  BawnStatus *status;
  BawnSealConfig seal_config;
  gboolean initialized;
  gboolean unsealed;
  char *cluster_name; /* nullable while sealed */
  char *cluster_id;
  BawnPromotionTimes promotion;
  gint64 active_since_us;
  BawnClusterView *view;
  BawnCoreMetricSource metric_source;
  gpointer metric_data;
};

G_DEFINE_FINAL_TYPE (BawnCore, bawn_core, G_TYPE_OBJECT)

enum
{
  SIGNAL_STATUS_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

BawnActive *
bawn_active_ref (BawnActive *active)
{
  g_atomic_ref_count_inc (&active->refs);
  return active;
}

void
bawn_active_unref (BawnActive *active)
{
  if (!g_atomic_ref_count_dec (&active->refs))
    return;

  bawn_token_store_unref (active->tokens);
  bawn_acl_cache_free (active->acls);
  g_free (active);
}

/**
 * bawn_core_ref_active:
 * @core: the core
 *
 * Any thread. Pins what exists only while the node is unsealed.
 *
 * Returns: (transfer full) (nullable): %NULL when sealed
 */
BawnActive *
bawn_core_ref_active (BawnCore *core)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&core->lock);

  return core->active != NULL ? bawn_active_ref (core->active) : NULL;
}

BawnStore *
bawn_core_get_store (BawnCore *core)
{
  return core->store;
}

BawnBarrier *
bawn_core_get_barrier (BawnCore *core)
{
  return core->barrier;
}

BawnSealShamir *
bawn_core_get_seal (BawnCore *core)
{
  return core->seal;
}

BawnRekey *
bawn_core_get_rekey (BawnCore *core)
{
  return core->rekey;
}

BawnGenerateRoot *
bawn_core_get_generate_root (BawnCore *core)
{
  return core->generate_root;
}

BawnAuditBroker *
bawn_core_get_audit (BawnCore *core)
{
  return core->audit;
}

BawnClock *
bawn_core_get_clock (BawnCore *core)
{
  return core->options.clock;
}

const BawnCoreOptions *
bawn_core_get_options (BawnCore *core)
{
  return &core->options;
}

BawnEngine *
bawn_core_lookup_engine (BawnCore *core, const char *type, gboolean is_auth)
{
  return g_hash_table_lookup (is_auth ? core->methods : core->engines, type);
}

GStrv
bawn_core_engine_names (BawnCore *core, gboolean is_auth)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr(GList) names = g_hash_table_get_keys (is_auth ? core->methods : core->engines);

  names = g_list_sort (names, (GCompareFunc) g_strcmp0);
  for (GList *l = names; l != NULL; l = l->next)
    g_strv_builder_add (builder, l->data);

  return g_strv_builder_end (builder);
}

/**
 * bawn_core_add_engine:
 * @core: the core
 * @engine: (transfer full): an engine or login method
 * @is_auth: whether it is a login method
 *
 * Before any request. The class's name is the type it is mounted by.
 */
void
bawn_core_add_engine (BawnCore *core, BawnEngine *engine, gboolean is_auth)
{
  const char *name = BAWN_ENGINE_GET_CLASS (engine)->name;

  g_return_if_fail (name != NULL);
  g_hash_table_insert (is_auth ? core->methods : core->engines, (gpointer) name, engine);
}

/* What the token engine needs */

static BawnTokenStore *
ref_token_store (gpointer data)
{
  g_autoptr(BawnActive) active = bawn_core_ref_active (data);

  return active != NULL ? bawn_token_store_ref (active->tokens) : NULL;
}

static gboolean
renew_auth (gpointer data, BawnTxn *txn, BawnToken *token, GError **error)
{
  g_autoptr(BawnActive) active = bawn_core_ref_active (data);

  if (active == NULL)
    return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");

  return bawn_login_renew (active, txn, token, error);
}

/* The table has been read by then: the request was routed by it. */
static BawnMount *
ref_mount (gpointer data, BawnTxn *txn, const char *path)
{
  g_autoptr(BawnMountTable) table = NULL;
  BawnMount *mount = bawn_mount_table_get (txn, &table, NULL) ? bawn_mount_table_route (table, path) : NULL;

  return mount != NULL ? bawn_mount_ref (mount) : NULL;
}

static void
kick_sweeper (gpointer data)
{
  bawn_core_kick_expiry (data);
}

void
bawn_core_kick_expiry (BawnCore *core)
{
  bawn_expiry_kick (core->expiry);
}

/* The snapshot */

/* Of the term that lasts; between two, of the last one that is known. */
static guint64
known_epoch (guint64 own, const BawnStatus *status, const BawnElectorInfo *info)
{
  if (own != 0)
    return own;

  return status->leader != NULL ? status->leader->epoch : info->lock_epoch;
}

static BawnStatus *
make_status_locked (BawnCore *core)
{
  BawnStatus *status = bawn_status_new ();

  status->initialized = core->initialized;
  status->sealed = !core->unsealed;
  status->standby = core->active == NULL;
  status->ha_enabled = core->ha != NULL;
  status->recovery_seal = core->options.auto_seal != NULL;
  status->seal_type = g_strdup (status->recovery_seal               ? bawn_seal_get_type_name (core->options.auto_seal)
                                : core->seal_config.type != NULL ? core->seal_config.type
                                                                    : "shamir");
  status->shares = core->seal_config.shares;
  status->threshold = core->seal_config.threshold;
  status->progress = bawn_seal_shamir_get_progress (core->seal);
  status->nonce = bawn_seal_shamir_dup_nonce (core->seal);
  status->storage_type = g_strdup (core->options.storage_type);
  status->version = g_strdup (core->options.version);
  status->api_addr = g_strdup (core->options.api_addr);
  status->cluster_addr = g_strdup (core->options.cluster_addr);
  status->cluster_name = g_strdup (core->cluster_name);
  status->cluster_id = g_strdup (core->cluster_id);
  status->leader = bawn_cluster_view_ref_leader (core->view);
  status->active_since_us = core->active != NULL ? core->active_since_us : 0;
  status->epoch = core->active != NULL ? bawn_store_get_epoch (core->store) : 0;
  if (core->ha != NULL)
    {
      g_auto(BawnElectorInfo) info = { 0 };

      bawn_ha_get_info (core->ha, &info);
      status->epoch = known_epoch (status->epoch, status, &info);
      status->ha_state = bawn_ha_state_name (info.state);
      status->last_reason = g_strdup (info.last_reason);
    }

  return status;
}

void
bawn_core_refresh_status (BawnCore *core)
{
  BawnStatus *old = NULL;

  g_mutex_lock (&core->lock);
  old = g_steal_pointer (&core->status);
  core->status = make_status_locked (core);
  g_mutex_unlock (&core->lock);

  g_clear_pointer (&old, bawn_status_unref);
  g_signal_emit (core, signals[SIGNAL_STATUS_CHANGED], 0);
}

/**
 * bawn_core_ref_status:
 * @core: the core
 *
 * Any thread; never waits.
 *
 * Returns: (transfer full): the state of the node at this moment
 */
BawnStatus *
bawn_core_ref_status (BawnCore *core)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&core->lock);

  return bawn_status_ref (core->status);
}

/* For bawn-lifecycle.c, which is the only one that changes these. */

GMutex *
bawn_core_get_lifecycle_lock (BawnCore *core)
{
  return &core->lifecycle;
}

GPtrArray *
bawn_core_get_given_shares (BawnCore *core)
{
  return core->given;
}

void
bawn_core_keep_sealed (BawnCore *core)
{
  core->stays_sealed = TRUE;
}

gboolean
bawn_core_stays_sealed (BawnCore *core)
{
  return core->stays_sealed;
}

BawnActive *
bawn_core_new_active (BawnCore *core, BawnSecret *token_key)
{
  BawnActive *active = g_new0 (BawnActive, 1);

  g_atomic_ref_count_init (&active->refs);
  active->core = core;
  active->tokens = bawn_token_store_new (token_key, core->options.clock);
  active->acls = bawn_acl_cache_new (ACL_CACHE_ENTRIES);

  return active;
}

void
bawn_core_set_unsealed (BawnCore *core, const char *cluster_name, const char *cluster_id, BawnClusterIdentity *identity)
{
  g_mutex_lock (&core->lock);
  core->unsealed = TRUE;
  g_free (core->cluster_name);
  g_free (core->cluster_id);
  core->cluster_name = g_strdup (cluster_name);
  core->cluster_id = g_strdup (cluster_id);
  g_mutex_unlock (&core->lock);

  bawn_core_set_cluster_identity (core, identity);
}

void
bawn_core_set_sealed (BawnCore *core)
{
  g_mutex_lock (&core->lock);
  core->unsealed = FALSE;
  g_clear_pointer (&core->cluster_name, g_free);
  g_clear_pointer (&core->cluster_id, g_free);
  g_mutex_unlock (&core->lock);

  bawn_core_set_cluster_identity (core, NULL);
}

gboolean
bawn_core_is_unsealed (BawnCore *core)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&core->lock);

  return core->unsealed;
}

BawnClusterView *
bawn_core_get_cluster_view (BawnCore *core)
{
  return core->view;
}

BawnHa *
bawn_core_get_ha (BawnCore *core)
{
  return core->ha;
}

void
bawn_core_set_promotion_times (BawnCore *core, const BawnPromotionTimes *times)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&core->lock);

  core->promotion = *times;
}

void
bawn_core_get_promotion_times (BawnCore *core, BawnPromotionTimes *out_times)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&core->lock);

  *out_times = core->promotion;
}

void
bawn_core_set_active (BawnCore *core, BawnActive *active)
{
  BawnActive *old = NULL;

  g_mutex_lock (&core->lock);
  old = core->active;
  core->active = active;
  core->active_since_us = active != NULL ? bawn_clock_real_us (core->options.clock) : 0;
  g_mutex_unlock (&core->lock);

  g_clear_pointer (&old, bawn_active_unref);
  bawn_core_refresh_status (core);
}

void
bawn_core_set_seal_config (BawnCore *core, gboolean initialized, const BawnSealConfig *config)
{
  g_mutex_lock (&core->lock);
  core->initialized = initialized;
  core->seal_config = *config;
  g_mutex_unlock (&core->lock);

  bawn_core_refresh_status (core);
}

gint64
bawn_core_get_patience_us (BawnCore *core)
{
  return core->options.patience_us != 0 ? core->options.patience_us : BAWN_CORE_PATIENCE_US;
}

/**
 * bawn_core_transact:
 * @core: the core
 * @func: (scope call): what to do in each attempt
 * @user_data: for @func
 * @error: return location
 *
 * Runs @func in transactions that may block, through the barrier, until one commits. Blocks.
 *
 * Returns: %FALSE if @func gave up, or the commit failed otherwise than by a conflict
 */
gboolean
bawn_core_transact (BawnCore *core, BawnCoreTxnFunc func, gpointer user_data, GError **error)
{
  for (guint i = 0; i < MAX_TRANSACT_ATTEMPTS; i++)
    {
      g_autoptr(BawnTxn) txn = bawn_store_begin (core->store, BAWN_CODEC (core->barrier), TRUE);
      g_autoptr(GError) failure = NULL;

      if (func (core, txn, user_data, &failure)
          && bawn_txn_commit_within (txn, bawn_core_get_patience_us (core), &failure))
        return TRUE;
      if (!bawn_error_is (failure, BAWN_ERROR_CONFLICT))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
    }

  return bawn_fail (error, BAWN_ERROR_BUSY, "too many requests change the same thing");
}

gboolean
bawn_core_get_acl (BawnActive *active, BawnTxn *txn, const BawnToken *token, BawnAcl **out_acl, GError **error)
{
  return bawn_acl_cache_get (active->acls, txn, (const char *const *) token->policies, out_acl, error);
}

void
bawn_core_dispatch (BawnCore *core, BawnRequest *request, BawnCoreReply reply, gpointer user_data)
{
  bawn_dispatcher_run (core->dispatcher, request, reply, user_data);
}

void
bawn_core_set_metric_source (BawnCore *core, BawnCoreMetricSource func, gpointer user_data)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&core->lock);

  core->metric_source = func;
  core->metric_data = user_data;
}

/* Under the lock, so that the source stays while it is asked: it only reads its counters. */
void
bawn_core_append_metrics (BawnCore *core, GArray *rows)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&core->lock);

  if (core->metric_source != NULL)
    core->metric_source (rows, core->metric_data);
}

/**
 * bawn_core_set_addresses:
 * @core: a core that was not loaded yet
 * @api_addr: (nullable): where clients reach this node
 * @cluster_addr: (nullable): where other nodes do
 */
void
bawn_core_set_addresses (BawnCore *core, const char *api_addr, const char *cluster_addr)
{
  g_autofree char *api = g_strdup (api_addr);
  g_autofree char *cluster = g_strdup (cluster_addr);

  g_mutex_lock (&core->lock);
  g_free ((char *) core->options.api_addr);
  g_free ((char *) core->options.cluster_addr);
  core->options.api_addr = g_steal_pointer (&api);
  core->options.cluster_addr = g_steal_pointer (&cluster);
  g_mutex_unlock (&core->lock);

  bawn_core_refresh_status (core);
}

/**
 * bawn_core_hand_over:
 * @core: the core
 * @reason: for the log
 *
 * Blocks.
 */
void
bawn_core_hand_over (BawnCore *core, const char *reason)
{
  bawn_ha_leave (core->ha, reason);
}

/**
 * bawn_core_reopen_audit:
 * @core: the core
 *
 * Has the audit devices open their files again, after a log rotation.
 */
void
bawn_core_reopen_audit (BawnCore *core)
{
  bawn_audit_broker_reopen (core->audit);
}

/**
 * bawn_core_stop:
 * @core: the core
 *
 * Waits for the requests on the pool, seals, and stops the workers. What is asked after it, or was waiting for a commit,
 * is answered all the same, if only by an error. Blocks.
 */
void
bawn_core_stop (BawnCore *core)
{
  bawn_dispatcher_stop (core->dispatcher);
  bawn_expiry_stop (core->expiry);
  bawn_core_seal (core, "the server stops");
  bawn_ha_stop (core->ha);
}

static void
bawn_core_finalize (GObject *object)
{
  BawnCore *core = BAWN_CORE (object);

  bawn_core_stop (core);
  g_clear_pointer (&core->ha, bawn_ha_free);
  g_clear_pointer (&core->dispatcher, bawn_dispatcher_free);
  g_clear_pointer (&core->expiry, bawn_expiry_free);
  g_signal_handlers_disconnect_by_data (core->store, core);
  g_clear_pointer (&core->audit, bawn_audit_broker_free);
  g_clear_pointer (&core->engines, g_hash_table_unref);
  g_clear_pointer (&core->methods, g_hash_table_unref);
  g_clear_pointer (&core->status, bawn_status_unref);
  g_clear_pointer (&core->given, g_ptr_array_unref);
  g_clear_pointer (&core->rekey, bawn_rekey_unref);
  g_clear_pointer (&core->generate_root, bawn_generate_root_unref);
  g_clear_object (&core->seal);
  g_clear_object (&core->barrier);
  g_clear_object (&core->store);
  g_free ((char *) core->options.storage_type);
  g_free ((char *) core->options.cluster_name);
  g_free ((char *) core->options.api_addr);
  g_free ((char *) core->options.cluster_addr);
  g_free ((char *) core->options.version);
  g_free ((char *) core->options.lease_file);
  g_clear_object (&core->options.ha_backend);
  g_clear_object (&core->options.auto_seal);
  g_free (core->cluster_name);
  g_free (core->cluster_id);
  g_clear_pointer (&core->options.clock, bawn_clock_unref);
  g_clear_pointer (&core->view, bawn_cluster_view_free);
  g_mutex_clear (&core->lifecycle);
  g_mutex_clear (&core->lock);

  G_OBJECT_CLASS (bawn_core_parent_class)->finalize (object);
}

static void
bawn_core_class_init (BawnCoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = bawn_core_finalize;

  signals[SIGNAL_STATUS_CHANGED] = g_signal_new ("status-changed", BAWN_TYPE_CORE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                                 NULL, G_TYPE_NONE, 0);
}

static void
bawn_core_init (BawnCore *core)
{
  g_mutex_init (&core->lifecycle);
  g_mutex_init (&core->lock);
  core->engines = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  core->methods = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  core->barrier = bawn_barrier_new ();
  core->seal = bawn_seal_shamir_new ();
  core->given = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_secret_unref);
  core->rekey = bawn_rekey_new ();
  core->generate_root = bawn_generate_root_new (BAWN_CORE_ROOT_TOKEN_LENGTH);
  core->audit = bawn_audit_broker_new ();
  core->view = bawn_cluster_view_new ();
}

/**
 * bawn_core_new:
 * @store: the storage
 * @options: copied
 *
 * Returns: (transfer full): a sealed node, to which engines are still to be added
 */
BawnCore *
bawn_core_new (BawnStore *store, const BawnCoreOptions *options)
{
  BawnCore *core = g_object_new (BAWN_TYPE_CORE, NULL);

  core->store = g_object_ref (store);
  core->options = *options;
  core->options.clock = options->clock != NULL ? bawn_clock_ref (options->clock) : NULL;
  core->options.storage_type = g_strdup (options->storage_type);
  core->options.cluster_name = g_strdup (options->cluster_name);
  core->options.api_addr = g_strdup (options->api_addr);
  core->options.cluster_addr = g_strdup (options->cluster_addr);
  core->options.version = g_strdup (options->version);
  core->options.lease_file = g_strdup (options->lease_file);
  core->options.ha_backend = options->ha_backend != NULL ? g_object_ref (options->ha_backend) : NULL;
  core->options.auto_seal = options->auto_seal != NULL ? g_object_ref (options->auto_seal) : NULL;
  core->ha = bawn_ha_new (core, options);
  core->status = make_status_locked (core);
  core->token_services = (BawnTokenServices) {
    .ref_store = ref_token_store,
    .core = core,
    .clock = core->options.clock,
    .renew_auth = renew_auth,
    .kick_sweeper = kick_sweeper,
    .ref_mount = ref_mount,
  };
  bawn_core_add_engine (core, bawn_engine_system_new (core), FALSE);
  bawn_core_add_engine (core, bawn_auth_token_new (&core->token_services), TRUE);
  core->dispatcher = bawn_dispatcher_new (core, options->pool_threads != 0 ? options->pool_threads
                                                                           : BAWN_CORE_POOL_THREADS);
  core->expiry = bawn_expiry_new (core);
  bawn_lifecycle_watch (core);

  return core;
}
