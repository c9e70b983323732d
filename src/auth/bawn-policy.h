/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-request.h"
#include "storage/bawn-txn.h"

G_BEGIN_DECLS

/**
 * BawnPolicy:
 *
 * A parsed policy. Immutable, reference-counted.
 */
typedef struct _BawnPolicy BawnPolicy;

BawnPolicy *bawn_policy_parse (const char *name, const char *text, GError **error); /* INVALID: "failed to parse policy: …" */
BawnPolicy *bawn_policy_ref (BawnPolicy *policy);
void bawn_policy_unref (BawnPolicy *policy);
const char *bawn_policy_get_name (const BawnPolicy *policy);
const char *bawn_policy_get_text (const BawnPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnPolicy, bawn_policy_unref)

/* Stored policies, in an unscoped transaction, below "sys/policy/". Names are lower-cased by the caller. "root" is
 * known without an entry. */
#define BAWN_POLICY_PREFIX "sys/policy/"
#define BAWN_POLICY_ROOT "root"
#define BAWN_POLICY_DEFAULT "default"
#define BAWN_POLICY_RESPONSE_WRAPPING "response-wrapping"
gboolean bawn_policy_get (BawnTxn *txn, const char *name, BawnPolicy **out_policy, GError **error); /* absent: NULL */
gboolean bawn_policy_put (BawnTxn *txn, const char *name, const char *text, GError **error);
void bawn_policy_put_defaults (BawnTxn *txn); /* at init: default, response-wrapping */
/* As tokens carry them: lower case, sorted, each once; "root" swallows the rest. */
GStrv bawn_policy_names_clean (const char *const *names, gboolean add_default);

/**
 * BawnAcl:
 *
 * What a set of policies allows. Immutable, reference-counted, thread-safe; look-ups do not allocate.
 */
typedef struct _BawnAcl BawnAcl;

BawnAcl *bawn_acl_new (BawnPolicy *const *policies, guint n_policies);
BawnAcl *bawn_acl_new_root (void);
BawnAcl *bawn_acl_ref (BawnAcl *acl);
void bawn_acl_unref (BawnAcl *acl);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnAcl, bawn_acl_unref)

/* Whether @request (op, path, data, wrap ttl) is allowed. @out_sudo: whether sudo is granted on its path too. */
gboolean bawn_acl_allows (const BawnAcl *acl, const BawnRequest *request, gboolean *out_sudo);
/* Sorted: "deny", or "root", or capabilities. */
GStrv bawn_acl_capabilities (const BawnAcl *acl, const char *path);
/* Whether anything is granted on @prefix, or below it (internal/ui/mounts). */
gboolean bawn_acl_touches (const BawnAcl *acl, const char *prefix);
gboolean bawn_acl_is_root (const BawnAcl *acl);
/* {"root":…,"exact_paths":{…},"glob_paths":{…}} */
void bawn_acl_write (const BawnAcl *acl, BawnJsonWriter *w);

/**
 * BawnAclCache:
 *
 * Keeps the ACLs of sets of policies that are in use, by the identity of the parsed policies. Thread-safe.
 */
typedef struct _BawnAclCache BawnAclCache;
BawnAclCache *bawn_acl_cache_new (guint max_entries);
void bawn_acl_cache_free (BawnAclCache *cache);
void bawn_acl_cache_clear (BawnAclCache *cache);
/* For the policies named, as stored now; a name without a policy grants nothing. */
gboolean bawn_acl_cache_get (BawnAclCache *cache, BawnTxn *txn, const char *const *names, BawnAcl **out_acl, GError **error);

G_END_DECLS
