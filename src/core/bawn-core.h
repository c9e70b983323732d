/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "audit/bawn-audit.h"
#include "logical/bawn-engine.h"
#include "storage/bawn-store.h"
#include "util/bawn-clock.h"

G_BEGIN_DECLS

/**
 * BawnCoreOptions:
 * @clock: (nullable): the system's if %NULL
 * @storage_type: name of the storage, as shown
 * @cluster_name: (nullable): taken at init; made up if %NULL
 * @pool_threads: workers for requests that must wait; 0: %BAWN_CORE_POOL_THREADS
 * @api_addr: (nullable): what this node advertises
 *
 * What a core is made with. Strings are copied.
 */
typedef struct
{
  BawnClock *clock;
  const char *storage_type;
  gboolean ha_available;
  const char *cluster_name;
  const char *api_addr;
  const char *cluster_addr;
  guint pool_threads;
  const char *version; /* of bawn itself */
} BawnCoreOptions;

#define BAWN_CORE_POOL_THREADS 32

/**
 * BawnStatus:
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
/* Looks at the storage: initialised or not. Blocks. */
gboolean bawn_core_load (BawnCore *core, GError **error);
BawnStatus *bawn_core_ref_status (BawnCore *core);

typedef void (*BawnCoreReply) (BawnRequest *request, BawnResponse *response, GError *error, gpointer user_data);
/* Runs a request. @reply gets the response or the error (owning both), exactly once: at once, or later on any thread. */
void bawn_core_dispatch (BawnCore *core, BawnRequest *request, BawnCoreReply reply, gpointer user_data);

/* For the daemon and for tests; each blocks. @out_shares: of #BawnSecret. */
gboolean bawn_core_initialize (BawnCore *core, guint shares, guint threshold, GPtrArray **out_shares,
                               char **out_root_token, GError **error);
gboolean bawn_core_unseal_share (BawnCore *core, BawnSecret *share, GError **error);
void bawn_core_seal (BawnCore *core, const char *reason);
void bawn_core_reopen_audit (BawnCore *core);
/* Seals, stops the workers, waits for them. */
void bawn_core_stop (BawnCore *core);

G_END_DECLS
