/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-policy.h"
#include "auth/bawn-token-store.h"
#include "barrier/bawn-generate-root.h"
#include "barrier/bawn-rekey.h"
#include "barrier/bawn-seal-shamir.h"
#include "core/bawn-core.h"
#include "core/bawn-metrics.h"
#include "core/bawn-mount-table.h"

G_BEGIN_DECLS

/**
 * BawnActive:
 *
 * What exists only while the node is active: born when it is promoted, gone after it has withdrawn, when the last request
 * that pins it has ended. A node alone is active from unseal to seal.
 */
typedef struct
{
  gatomicrefcount refs;
  BawnCore *core;          /* not owned */
  BawnTokenStore *tokens;
  BawnAclCache *acls;
} BawnActive;

BawnActive *bawn_active_ref (BawnActive *active);
void bawn_active_unref (BawnActive *active);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnActive, bawn_active_unref)

/* NULL when sealed or standby: nothing else need be checked. */
BawnActive *bawn_core_ref_active (BawnCore *core);

/* What the node knows of the cluster; both nullable, and shown to all by "status-changed". */
void bawn_core_set_leader (BawnCore *core, BawnLeader *leader);
void bawn_core_set_cluster_identity (BawnCore *core, BawnClusterIdentity *identity);

/* Its cluster; NULL for a node that is alone. */
typedef struct _BawnHa BawnHa;
BawnHa *bawn_core_get_ha (BawnCore *core);
/* Whether a node that was heard of lately is reached by clients at @address. */
gboolean bawn_core_knows_peer (BawnCore *core, const char *address);

BawnStore *bawn_core_get_store (BawnCore *core);
BawnBarrier *bawn_core_get_barrier (BawnCore *core);
BawnSealShamir *bawn_core_get_seal (BawnCore *core);
BawnRekey *bawn_core_get_rekey (BawnCore *core);
BawnGenerateRoot *bawn_core_get_generate_root (BawnCore *core);
BawnAuditBroker *bawn_core_get_audit (BawnCore *core);
BawnClock *bawn_core_get_clock (BawnCore *core);
const BawnCoreOptions *bawn_core_get_options (BawnCore *core);
/* NULL if there is no engine of that name. */
BawnEngine *bawn_core_lookup_engine (BawnCore *core, const char *type, gboolean is_auth);
GStrv bawn_core_engine_names (BawnCore *core, gboolean is_auth);

/* Forgets the shares given for an unseal so far. */
void bawn_core_unseal_reset (BawnCore *core);
/* Makes the snapshot anew, after something that it shows has changed. */
void bawn_core_refresh_status (BawnCore *core);
/* What a sealed node is opened with, as stored now; blocks. */
gboolean bawn_core_load_seal_records (BawnCore *core, BawnSealRecords *out_records, GError **error);

/* "hvs." and 24 characters. */
#define BAWN_CORE_ROOT_TOKEN_LENGTH 28
/* A root token in @txn: for init and generate-root. */
gboolean bawn_core_create_root_token (BawnTokenStore *tokens, BawnTxn *txn, gint64 now_us, char **out_id, GError **error);

/* Runs @func in blocking transactions until one commits: for workers and for endpoints outside the pipeline. @func returns
 * FALSE with an error to give up. */
typedef gboolean (*BawnCoreTxnFunc) (BawnCore *core, BawnTxn *txn, gpointer user_data, GError **error);
gboolean bawn_core_transact (BawnCore *core, BawnCoreTxnFunc func, gpointer user_data, GError **error);

/* How long that waits for a storage that does not answer. */
gint64 bawn_core_get_patience_us (BawnCore *core);

/* The way of one attempt: route, token, policy, audit, engine, lease, token, wrapping. What it wants written is in @txn. */
BawnResponse *bawn_pipeline_run (BawnActive *active, BawnRequest *request, BawnTxn *txn, GError **error);

/* The ACL of a token's policies. */
gboolean bawn_core_get_acl (BawnActive *active, BawnTxn *txn, const BawnToken *token, BawnAcl **out_acl, GError **error);

/* Endpoints outside the pipeline: no token, no envelope, alive while sealed. */
typedef BawnResponse *(*BawnDirectHandler) (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error);
typedef struct
{
  const char *path; /* below /v1/ */
  guint ops;
  BawnDirectHandler handler;
} BawnDirectRoute;
extern const BawnDirectRoute bawn_sys_direct_routes[];

/* The system engine (mounted at sys/): its rows are kept by family, one file each; every handler gets the unscoped
 * transaction; bawn_engine_system_ref_active() gives them the node. */
#define BAWN_TYPE_ENGINE_SYSTEM (bawn_engine_system_get_type ())
G_DECLARE_FINAL_TYPE (BawnEngineSystem, bawn_engine_system, BAWN, ENGINE_SYSTEM, BawnEngine)
BawnEngine *bawn_engine_system_new (BawnCore *core);
BawnCore *bawn_engine_system_get_core (BawnEngine *engine);
/* Of the request that is running now; pinned by it. NULL with SEALED if the node was sealed meanwhile. */
BawnActive *bawn_engine_system_ref_active (BawnEngine *engine, GError **error);

extern const BawnRoute bawn_sys_mounts_routes[];
extern const BawnRoute bawn_sys_policy_routes[];
extern const BawnRoute bawn_sys_lease_routes[];
extern const BawnRoute bawn_sys_wrapping_routes[];
extern const BawnRoute bawn_sys_tools_routes[];
extern const BawnRoute bawn_sys_internal_routes[];
extern const BawnRoute bawn_sys_keys_routes[];
extern const BawnRoute bawn_sys_status_routes[];

/* The node's counters; there as soon as the system engine is added. Lives as long as the core. */
BawnMetrics *bawn_core_get_metrics (BawnCore *core);
void bawn_core_append_metrics (BawnCore *core, GArray *rows);
/* Writes down which version runs on this storage (sys/version-history): at activation. Blocks. */
gboolean bawn_sys_note_version (BawnCore *core, GError **error);
/* Rotates the barrier's key when it is due by use or age (sys/rotate/config): for a worker, now and then. Blocks. */
gboolean bawn_sys_rotate_if_due (BawnCore *core, GError **error);

/* Wrapping (core/bawn-wrapping.c). Puts the encoded answer into the cubbyhole of a new token, and turns @response into the
 * one that tells of it. */
gboolean bawn_wrapping_wrap (BawnActive *active, BawnRequest *request, BawnTxn *txn, gint64 ttl_us,
                             BawnResponse **inout_response, GError **error);

/* A lease that failed to end this often is called irrevocable, and tried more rarely. */
#define BAWN_LEASE_IRREVOCABLE_ATTEMPTS 6

/* Leases of secrets (core/bawn-expiry.c): the worker that ends what is due, and what the lease endpoints need of it. */
typedef struct _BawnExpiry BawnExpiry;
BawnExpiry *bawn_expiry_new (BawnCore *core);
void bawn_expiry_stop (BawnExpiry *expiry); /* waits */
void bawn_expiry_free (BawnExpiry *expiry);
void bawn_expiry_kick (BawnExpiry *expiry); /* something became due */
/* Ends one lease in @txn: asks the engine or revokes the token, and deletes it. Absent is TRUE. @force: whatever the engine
 * says. */
gboolean bawn_expiry_revoke (BawnActive *active, BawnTxn *txn, const char *lease_id, gboolean force, GError **error);
BawnResponse *bawn_expiry_renew (BawnActive *active, BawnRequest *request, BawnTxn *txn, const char *lease_id,
                                 gint64 increment_us, GError **error);
void bawn_core_kick_expiry (BawnCore *core);

G_END_DECLS
