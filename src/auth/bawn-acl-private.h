/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-policy-private.h"

G_BEGIN_DECLS

typedef struct _BawnAclRule BawnAclRule;

/* The path stands first, so that a rule is its own key in the table of exact paths. */
typedef struct
{
  const char *text;
  gsize size;
} BawnSlice;

struct _BawnAclRule
{
  BawnSlice path;
  BawnPathKind kind;
  gboolean is_prefix;
  gsize first_wildcard;
  guint wildcards;
  const BawnAclRule
      *shorter; /* of prefixes: the longest of the others that is a prefix of this one */
  BawnPermissions permissions;
};

struct _BawnAcl
{
  gatomicrefcount refs;
  gboolean is_root;
  GPtrArray *policies; /* what the rules' strings and values belong to */
  GHashTable *exact;   /* Slice: Rule, owned */
  GPtrArray *prefixes; /* of Rule, sorted by path */
  GPtrArray *segments; /* of Rule, the one of highest priority first */
};

gboolean bawn_slice_begins (const BawnSlice *slice, const BawnSlice *prefix);

/* The one rule that counts for a path; NULL if there is none. @list: a '/' at its end may be left
 * out, if the exact path is known without. */
const BawnAclRule *bawn_acl_find_rule (const BawnAcl *acl, const char *path, gboolean list);
/* How many prefixes sort at or before @path. */
guint bawn_acl_count_prefixes (GPtrArray *prefixes, const BawnSlice *path);
/* @below: it is enough that the path leads to where the rule begins to differ. */
gboolean bawn_acl_match_segments (const BawnAclRule *rule, const char *path, gboolean below);
/* For arrays of rules. */
int bawn_acl_sort_by_path (gconstpointer a, gconstpointer b);

G_END_DECLS
