/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-txn.h"
#include "util/bawn-json.h"

G_BEGIN_DECLS

/**
 * BawnLease:
 * @id: "<request path>/<24 base62>"; of a token "auth/<mount>/…/<hash>"
 * @token: hash of the token that it was given to, or (@is_auth) that it is of
 * @mount: (nullable): uuid of the mount that it came from, which its path may belong to no more; %NULL for tokens that no
 *   login method gave
 * @internal: (nullable): the engine's JSON
 *
 * A promise with an end. Stored at sys/lease/id/<id>, and indexed by due time at sys/lease/due/<bucket>/<hash of id>
 * and by token at sys/lease/token/<token hash>/<hash of id>, all in one transaction, so that becoming active costs
 * nothing per lease. Immutable once shared, reference-counted.
 */
typedef struct
{
  char *id;
  char *token;
  char *mount;
  gboolean is_auth;
  gboolean renewable;
  gint64 issue_us;
  gint64 expire_us;
  gint64 last_renewal_us;
  gint64 ttl_us;
  gint64 max_ttl_us;
  GBytes *internal;
  guint revoke_attempts;
  char *revoke_error;
} BawnLease;

#define BAWN_LEASE_BUCKET_S 16
#define BAWN_LEASE_ID_PREFIX "sys/lease/id/"

BawnLease *bawn_lease_new (void);
BawnLease *bawn_lease_copy (const BawnLease *lease);
BawnLease *bawn_lease_ref (BawnLease *lease);
void bawn_lease_unref (BawnLease *lease);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnLease, bawn_lease_unref)

/* All in an unscoped transaction. Putting replaces: the old due entry goes with it. */
gboolean bawn_lease_get (BawnTxn *txn, const char *id, BawnLease **out_lease, GError **error);
gboolean bawn_lease_put (BawnTxn *txn, BawnLease *lease, GError **error);
/* For an id just made up: reads nothing. */
gboolean bawn_lease_put_new (BawnTxn *txn, BawnLease *lease, GError **error);
gboolean bawn_lease_delete (BawnTxn *txn, const char *id, GError **error);
gboolean bawn_lease_list (BawnTxn *txn, const char *prefix, GStrv *out_names, GError **error);
/* Ids of at most @limit leases due at or before @now_us; @out_next_us (optional): the earliest bucket that has something
 * still to come, 0 if none. Reads only buckets that are due. */
gboolean bawn_lease_due (BawnTxn *txn, gint64 now_us, guint limit, GStrv *out_ids, gint64 *out_next_us, GError **error);
/* Ids of at most @limit leases given to a token. */
gboolean bawn_lease_of_token (BawnTxn *txn, const char *token_hash, guint limit, GStrv *out_ids, GError **error);

/* Drops a lease from those of a token, without touching it. */
void bawn_lease_forget_token (BawnTxn *txn, const char *token_hash, const char *id);

/* The API's arithmetic: the time to live that results, with a warning when capped. 0 for "none". Errors: "past the max
 * TTL, cannot renew". */
typedef struct
{
  gint64 now_us;
  gint64 issue_us;       /* = now_us for a new one */
  gint64 increment_us;   /* asked for by the caller */
  gint64 backend_ttl_us; /* by the engine */
  gint64 period_us;
  gint64 backend_max_us;
  gint64 explicit_max_us;
  gint64 mount_default_us;
  gint64 mount_max_us;
} BawnTtlInput;
gboolean bawn_ttl_calculate (const BawnTtlInput *input, gint64 *out_ttl_us, char **out_warning, GError **error);

G_END_DECLS
