/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "audit/bawn-audit.h"
#include "logical/bawn-engine.h"
#include "storage/bawn-ha-backend.h"
#include "storage/bawn-store.h"
#include "util/bawn-clock.h"

G_BEGIN_DECLS

typedef struct _BawnSeal BawnSeal; /* barrier/bawn-seal.h */

/**
 * BawnCoreOptions:
 * @clock: (nullable): the system's if %NULL
 * @storage_type: name of the storage, as shown
 * @cluster_name: (nullable): taken at init; made up if %NULL
 * @pool_threads: workers for requests that must wait; 0: %BAWN_CORE_POOL_THREADS
 * @api_addr: (nullable): what this node advertises
 * @ha_backend: (nullable): where nodes elect; %NULL: this node is alone
 * @lease_ttl_us: 0: %BAWN_HA_LEASE_TTL_DEFAULT_US
 * @lease_renew_us: 0: a quarter of that
 * @lease_file: (nullable): see `bawnd --release-lease`
 * @patience_us: how long workers wait for a commit that the storage does not answer, and then again to find out what has become
 *   of shares; 0: %BAWN_CORE_PATIENCE_US
 * @auto_seal: (nullable): unseals this node without people (core/bawn-self-unseal.h)
 *
 * What a core is made with. Strings are copied, objects kept.
 */
typedef struct
{
  BawnClock *clock;
  const char *storage_type;
  const char *cluster_name;
  const char *api_addr;
  const char *cluster_addr;
  guint pool_threads;
  const char *version; /* of bawn itself */
  BawnHaBackend *ha_backend;
  gint64 lease_ttl_us;
  gint64 lease_renew_us;
  const char *lease_file;
  gint64 patience_us;
  BawnSeal *auto_seal;
} BawnCoreOptions;

/* Twice that is less than clients wait, so that what was found out still reaches them. */
#define BAWN_CORE_PATIENCE_US (20 * G_USEC_PER_SEC)

/**
 * BawnLeader:
 * @epoch: in which it is active
 * @node_id: of its process
 * @api_addr: where clients reach it
 * @cluster_addr: where nodes reach it: "https://host:port"
 * @is_self: whether it is this node
 *
 * The node that is active, as its own record in the storage says, read through the barrier. Immutable, reference-counted.
 */
typedef struct
{
  gatomicrefcount refs;
  guint64 epoch;
  char *node_id;
  char *api_addr;
  char *cluster_addr;
  gboolean is_self;
} BawnLeader;

BawnLeader *bawn_leader_new (guint64 epoch, const char *node_id, const char *api_addr, const char *cluster_addr,
                             gboolean is_self);
BawnLeader *bawn_leader_ref (BawnLeader *leader);
void bawn_leader_unref (BawnLeader *leader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnLeader, bawn_leader_unref)

/**
 * BawnClusterIdentity:
 * @certificate: PEM, self-signed
 * @key: PEM, secret
 *
 * What every unsealed node of the cluster shows at the cluster port, and expects of the others: this very certificate. Immutable,
 * reference-counted.
 */
typedef struct
{
  gatomicrefcount refs;
  GBytes *certificate;
  BawnSecret *key;
} BawnClusterIdentity;

BawnClusterIdentity *bawn_cluster_identity_new (GBytes *certificate, BawnSecret *key);
BawnClusterIdentity *bawn_cluster_identity_ref (BawnClusterIdentity *identity);
void bawn_cluster_identity_unref (BawnClusterIdentity *identity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnClusterIdentity, bawn_cluster_identity_unref)

/**
 * BawnPeer:
 * @node_id: of its process
 * @hostname: of its machine
 * @api_addr: what it advertises to clients
 * @cluster_addr: what it advertises to nodes
 * @version: of its bawn
 * @state: "standby" …
 * @last_contact_us: real time
 *
 * Another node, as its heartbeats over the cluster port say.
 */
typedef struct
{
  char *node_id;
  char *hostname;
  char *api_addr;
  char *cluster_addr;
  char *version;
  char *state;
  gint64 last_contact_us;
} BawnPeer;

BawnPeer *bawn_peer_copy (const BawnPeer *peer);
void bawn_peer_free (BawnPeer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnPeer, bawn_peer_free)

#define BAWN_CORE_POOL_THREADS 32

/**
 * BawnStatus:
 *
 * @epoch: of the node that is active, or was last, as far as this one knows; 0: none is known
 * @ha_state: of the election: "standby" …; %NULL for a node that is alone
 * @leader: (nullable): who is active
 * @last_reason: (nullable): why @ha_state last changed
 *
 * The state of the node, for everyone who shows it: one immutable snapshot, swapped atomically. Reading it takes no
 * lock that anybody holds while waiting, and never touches the storage.
 */
typedef struct
{
  gboolean initialized;
  gboolean sealed;
  gboolean standby;
  gboolean ha_enabled;
  char *seal_type;
  gboolean recovery_seal; /* the shares are for recovery: a seal unseals without them */
  guint shares;
  guint threshold;
  guint progress;
  char *nonce;
  char *cluster_name; /* nullable while sealed */
  char *cluster_id;
  char *storage_type;
  char *version;
  char *api_addr;
  char *cluster_addr;
  guint64 epoch;
  gint64 active_since_us;
  const char *ha_state;
  BawnLeader *leader;
  char *last_reason;
} BawnStatus;

BawnStatus *bawn_status_ref (BawnStatus *status);
void bawn_status_unref (BawnStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnStatus, bawn_status_unref)

/**
 * BawnCore:
 *
 * The node: its storage, barrier, engines and audit devices, and the way of a request through them. Thread-safe.
 * Signal "status-changed": emitted on the thread that changed it, after the snapshot was swapped.
 */
#define BAWN_TYPE_CORE (bawn_core_get_type ())
G_DECLARE_FINAL_TYPE (BawnCore, bawn_core, BAWN, CORE, GObject)

BawnCore *bawn_core_new (BawnStore *store, const BawnCoreOptions *options);
/* Before anything else runs. The engine's class name is its mount type. @is_auth: a login method. */
void bawn_core_add_engine (BawnCore *core, BawnEngine *engine, gboolean is_auth);
/* Where others reach this node, if that was not known before; before bawn_core_load(). */
void bawn_core_set_addresses (BawnCore *core, const char *api_addr, const char *cluster_addr);
/* Looks at the storage: initialised or not; and begins to watch it, if there are others. Blocks. */
gboolean bawn_core_load (BawnCore *core, GError **error);
BawnStatus *bawn_core_ref_status (BawnCore *core);

/* NULL: nobody is known to be active, or this node is sealed. Changes come with "status-changed". */
BawnLeader *bawn_core_ref_leader (BawnCore *core);
/* NULL while sealed. */
BawnClusterIdentity *bawn_core_ref_cluster_identity (BawnCore *core);
const char *bawn_core_get_node_id (BawnCore *core);
/* A heartbeat has come; takes @peer. Forgets who was silent for %BAWN_PEER_FORGET_US. */
#define BAWN_PEER_FORGET_US (15 * G_USEC_PER_SEC)
void bawn_core_note_peer (BawnCore *core, BawnPeer *peer);
void bawn_core_forget_peer (BawnCore *core, const char *node_id);
/* (element-type BawnPeer), sorted by address. */
GPtrArray *bawn_core_dup_peers (BawnCore *core);
/* How many other nodes could take over now: unsealed, part of the election, and heard of within %BAWN_PEER_LIVE_US, which is more
 * than two heartbeats. */
#define BAWN_PEER_LIVE_US (G_GINT64_CONSTANT (2500) * 1000)
guint bawn_core_count_candidates (BawnCore *core);

/* Whoever has numbers to show in sys/metrics: @func appends #BawnMetricRow (core/bawn-metrics.h) to @rows, on any thread. One source;
 * before any request, or %NULL when it goes. */
typedef void (*BawnCoreMetricSource) (GArray *rows, gpointer user_data);
void bawn_core_set_metric_source (BawnCore *core, BawnCoreMetricSource func, gpointer user_data);

typedef void (*BawnCoreReply) (BawnRequest *request, BawnResponse *response, GError *error, gpointer user_data);
/* Runs a request. @reply gets the response or the error (owning both), exactly once: at once, or later on any thread. */
void bawn_core_dispatch (BawnCore *core, BawnRequest *request, BawnCoreReply reply, gpointer user_data);

/* TRUE for an endpoint about the node that is asked (seal, metrics …). Asked of a standby, the request is answered STANDBY with
 * @authorize_only set: the active node is to say whether the caller may, after which the request comes back with @authorized set, and is
 * carried out here. */
gboolean bawn_core_concerns_node (BawnCore *core, BawnRequest *request);

/* For the daemon and for tests; each blocks. @out_shares: of #BawnSecret. */
gboolean bawn_core_initialize (BawnCore *core, guint shares, guint threshold, GPtrArray **out_shares,
                               char **out_root_token, GError **error);
gboolean bawn_core_unseal_share (BawnCore *core, BawnSecret *share, GError **error);
void bawn_core_seal (BawnCore *core, const char *reason);
void bawn_core_reopen_audit (BawnCore *core);
/* Lets another node become active, and stays unsealed: what is asked here from now on is theirs. Blocks until the lease is given
 * back. */
void bawn_core_hand_over (BawnCore *core, const char *reason);
/* Seals, stops the workers, waits for them. */
void bawn_core_stop (BawnCore *core);

G_END_DECLS
