/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-request.h"
#include "logical/bawn-response.h"
#include "storage/bawn-txn.h"

G_BEGIN_DECLS

#define BAWN_TYPE_ENGINE (bawn_engine_get_type ())
G_DECLARE_DERIVABLE_TYPE (BawnEngine, bawn_engine, BAWN, ENGINE, GObject)

typedef BawnResponse *(*BawnHandler) (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);

typedef enum
{
  BAWN_ROUTE_NONE = 0,
  BAWN_ROUTE_OPEN = 1 << 0,     /* no token needed */
  BAWN_ROUTE_SUDO = 1 << 1,     /* sudo needed besides the capability */
  BAWN_ROUTE_SLOW = 1 << 2,     /* burns time (password hashing): never on a listener's thread */
  BAWN_ROUTE_ROOT_TXN = 1 << 3, /* system engines: the transaction is unscoped */
  BAWN_ROUTE_ANY_FIELD = 1 << 4, /* data is the caller's own: no warning about unknown fields */
  BAWN_ROUTE_LOGIN = 1 << 5,    /* a login: audited as such, its token made by the pipeline */
  BAWN_ROUTE_NODE = 1 << 6,     /* about the node that was asked: needs no transaction, runs on standbys too */
} BawnRouteFlags;

/**
 * BawnRoute:
 * @pattern: below the mount: literals, "{name}" for one segment, and as the last one "{name...}" for the rest, which
 *   may be empty. A trailing '/' in the pattern or in a list's path does not matter. The first row that fits wins.
 * @ops: mask of #BawnOp
 * @handler: runs in a transaction scoped to the mount: reads, and leaves writes behind. Pure, since it may run more
 *   than once
 * @help: one line, for the path help
 */
typedef struct
{
  const char *pattern;
  guint ops;
  BawnHandler handler;
  BawnRouteFlags flags;
  const char *help;
} BawnRoute;

/**
 * BawnEngineClass:
 * @routes: the table, ended by a row without a pattern
 * @get_routes: (nullable): for an engine whose table depends on the mount; default: @routes
 * @exists: (nullable): whether a write to this path would find something; default: always, so that every write is an
 *   update. It gets the transaction that the handler will get, scoped or not
 * @mounted: (nullable): writes what a new mount needs; the transaction is scoped to it
 * @tuned: (nullable): checks and carries out a change of options; @before and @after are the mount
 * @renew: (nullable): extends a leased secret; sets the response's secret_ttl_us
 * @revoke: (nullable): takes a leased secret back
 * @renew_auth: (nullable): login methods: whether this token may be renewed; may change @token's ttl fields
 *
 * A secrets engine or a login method: one instance per type, without state of its own. What it knows is in the storage,
 * in parsed form beside the cache if need be (bawn_txn_get_object()), so that any node can go on where another stopped.
 */
struct _BawnEngineClass
{
  GObjectClass parent_class;

  const char *name;
  const char *help;
  const BawnRoute *routes;
  const BawnRoute *(*get_routes) (BawnEngine *engine, const BawnMount *mount);
  gboolean (*exists) (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, gboolean *out_exists, GError **error);
  gboolean (*mounted) (BawnEngine *engine, const BawnMount *mount, BawnTxn *txn, GError **error);
  gboolean (*tuned) (BawnEngine *engine, const BawnMount *before, const BawnMount *after, BawnTxn *txn, GError **error);
  BawnResponse *(*renew) (BawnEngine *engine, BawnRequest *request, const BawnJsonNode *internal, BawnTxn *txn, GError **error);
  gboolean (*revoke) (BawnEngine *engine, BawnRequest *request, const BawnJsonNode *internal, BawnTxn *txn, GError **error);
  gboolean (*renew_auth) (BawnEngine *engine, BawnRequest *request, BawnToken *token, BawnTxn *txn, GError **error);
};

const BawnRoute *bawn_engine_get_routes (BawnEngine *engine, const BawnMount *mount);

/* Finds the row for a path and fills @request->params. NULL: NOT_FOUND "unsupported path", or UNSUPPORTED "unsupported
 * operation" when only the operation does not fit. WRITE rows fit CREATE and UPDATE. */
const BawnRoute *bawn_route_match (const BawnRoute *routes, BawnRequest *request, GError **error);
gboolean bawn_route_is_open_path (const BawnRoute *routes, const char *rest);

G_END_DECLS
