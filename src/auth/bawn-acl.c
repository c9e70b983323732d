/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-acl-private.h"

#include <string.h>

static guint
slice_hash (gconstpointer data)
{
  const BawnSlice *slice = data;
  guint32 hash = 5381;

  for (gsize i = 0; i < slice->size; i++)
    hash = hash * 33 + (guchar) slice->text[i];

  return hash;
}

static int
slice_compare (const BawnSlice *a, const BawnSlice *b)
{
  int order = memcmp (a->text, b->text, MIN (a->size, b->size));

  if (order != 0)
    return order;

  return (a->size > b->size) - (a->size < b->size);
}

static gboolean
slice_equal (gconstpointer a, gconstpointer b)
{
  return slice_compare (a, b) == 0;
}

gboolean
bawn_slice_begins (const BawnSlice *slice, const BawnSlice *prefix)
{
  return slice->size >= prefix->size && memcmp (slice->text, prefix->text, prefix->size) == 0;
}

static void
rule_free (gpointer data)
{
  BawnAclRule *rule = data;

  bawn_permissions_clear (&rule->permissions);
  g_free (rule);
}

static guint
count_wildcards (const char *path)
{
  guint n = 0;

  for (const char *segment = path; segment != NULL;)
    {
      gsize size = strcspn (segment, "/");

      n += size == 1 && *segment == '+';
      segment = segment[size] == '/' ? segment + size + 1 : NULL;
    }

  return n;
}

static BawnAclRule *
rule_new (const BawnPolicyRule *source)
{
  BawnAclRule *rule = g_new0 (BawnAclRule, 1);
  gboolean segments = source->kind == BAWN_PATH_SEGMENTS;

  rule->path = (BawnSlice){ source->path, strlen (source->path) };
  rule->kind = source->kind;
  rule->is_prefix = source->is_prefix;
  rule->wildcards = segments ? count_wildcards (source->path) : 0;
  rule->first_wildcard = segments ? strcspn (source->path, "+") : rule->path.size;
  bawn_permissions_merge (&rule->permissions, &source->permissions);

  return rule;
}

/* Below 0: @a is of lower priority than @b. A later first wildcard is better, a whole path is
 * better than a prefix, fewer wildcard segments are better, and so is what is longer; the rest is
 * only there to have an order. */
static int
rule_compare_priority (const BawnAclRule *a, const BawnAclRule *b)
{
  if (a->first_wildcard != b->first_wildcard)
    return a->first_wildcard < b->first_wildcard ? -1 : 1;
  if (a->is_prefix != b->is_prefix)
    return a->is_prefix ? -1 : 1;
  if (a->wildcards != b->wildcards)
    return a->wildcards > b->wildcards ? -1 : 1;
  if (a->path.size != b->path.size)
    return a->path.size < b->path.size ? -1 : 1;

  return slice_compare (&a->path, &b->path);
}

static int
sort_by_priority (gconstpointer a, gconstpointer b)
{
  return rule_compare_priority (*(const BawnAclRule *const *) b, *(const BawnAclRule *const *) a);
}

int
bawn_acl_sort_by_path (gconstpointer a, gconstpointer b)
{
  return slice_compare (&(*(const BawnAclRule *const *) a)->path,
                        &(*(const BawnAclRule *const *) b)->path);
}

/* In sorted order the prefixes of an entry are among the one before it and that one's own prefixes.
 */
static void
link_prefixes (GPtrArray *prefixes)
{
  for (guint i = 1; i < prefixes->len; i++)
    {
      BawnAclRule *rule = g_ptr_array_index (prefixes, i);
      const BawnAclRule *shorter = g_ptr_array_index (prefixes, i - 1);

      while (shorter != NULL && !bawn_slice_begins (&rule->path, &shorter->path))
        shorter = shorter->shorter;
      rule->shorter = shorter;
    }
}

static BawnAclRule *
find_same (GPtrArray *rules, const BawnPolicyRule *source)
{
  BawnSlice path = { source->path, strlen (source->path) };

  for (guint i = 0; i < rules->len; i++)
    {
      BawnAclRule *rule = g_ptr_array_index (rules, i);

      if (rule->is_prefix == source->is_prefix && slice_equal (&rule->path, &path))
        return rule;
    }

  return NULL;
}

static void
add_rule (BawnAcl *acl, const BawnPolicyRule *source)
{
  GPtrArray *list = source->kind == BAWN_PATH_PREFIX ? acl->prefixes : acl->segments;
  BawnSlice path = { source->path, strlen (source->path) };
  BawnAclRule *rule = source->kind == BAWN_PATH_EXACT ? g_hash_table_lookup (acl->exact, &path)
                                                      : find_same (list, source);

  if (rule != NULL)
    bawn_permissions_merge (&rule->permissions, &source->permissions);
  else if (source->kind == BAWN_PATH_EXACT)
    {
      rule = rule_new (source);
      g_hash_table_replace (acl->exact, &rule->path, rule);
    }
  else
    g_ptr_array_add (list, rule_new (source));
}

static BawnAcl *
acl_alloc (void)
{
  BawnAcl *acl = g_new0 (BawnAcl, 1);

  g_atomic_ref_count_init (&acl->refs);
  acl->policies = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_policy_unref);
  acl->exact = g_hash_table_new_full (slice_hash, slice_equal, NULL, rule_free);
  acl->prefixes = g_ptr_array_new_with_free_func (rule_free);
  acl->segments = g_ptr_array_new_with_free_func (rule_free);

  return acl;
}

/**
 * bawn_acl_new:
 * @policies: (array length=n_policies): policies
 * @n_policies: how many
 *
 * The root policy counts only when it stands alone; beside others it grants nothing.
 *
 * Returns: (transfer full): what they allow together
 */
BawnAcl *
bawn_acl_new (BawnPolicy *const *policies, guint n_policies)
{
  BawnAcl *acl = acl_alloc ();

  acl->is_root = n_policies == 1 && g_str_equal (policies[0]->name, BAWN_POLICY_ROOT);
  for (guint i = 0; i < n_policies; i++)
    {
      g_ptr_array_add (acl->policies, bawn_policy_ref (policies[i]));
      for (guint j = 0; j < policies[i]->rules->len; j++)
        add_rule (acl, g_ptr_array_index (policies[i]->rules, j));
    }
  g_ptr_array_sort (acl->prefixes, bawn_acl_sort_by_path);
  link_prefixes (acl->prefixes);
  g_ptr_array_sort (acl->segments, sort_by_priority);

  return acl;
}

/**
 * bawn_acl_new_root:
 *
 * Returns: (transfer full): one that allows everything
 */
BawnAcl *
bawn_acl_new_root (void)
{
  BawnAcl *acl = acl_alloc ();

  acl->is_root = TRUE;
  return acl;
}

/**
 * bawn_acl_ref:
 * @acl: an ACL
 *
 * Returns: (transfer full): @acl
 */
BawnAcl *
bawn_acl_ref (BawnAcl *acl)
{
  g_atomic_ref_count_inc (&acl->refs);
  return acl;
}

/**
 * bawn_acl_unref:
 * @acl: (transfer full): an ACL
 */
void
bawn_acl_unref (BawnAcl *acl)
{
  if (!g_atomic_ref_count_dec (&acl->refs))
    return;

  g_hash_table_unref (acl->exact);
  g_ptr_array_unref (acl->prefixes);
  g_ptr_array_unref (acl->segments);
  g_ptr_array_unref (acl->policies);
  g_free (acl);
}

/**
 * bawn_acl_is_root:
 * @acl: an ACL
 *
 * Returns: whether it allows everything
 */
gboolean
bawn_acl_is_root (const BawnAcl *acl)
{
  return acl->is_root;
}

/* How many prefixes sort at or before @path. */
guint
bawn_acl_count_prefixes (GPtrArray *prefixes, const BawnSlice *path)
{
  guint low = 0;
  guint high = prefixes->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const BawnAclRule *rule = g_ptr_array_index (prefixes, middle);

      if (slice_compare (&rule->path, path) <= 0)
        low = middle + 1;
      else
        high = middle;
    }

  return low;
}

/* All that sorts between a prefix of @path and @path begins with that prefix, so the longest one is
 * the last entry up to
 * @path, or one of its own prefixes. */
static const BawnAclRule *
find_longest_prefix (GPtrArray *prefixes, const BawnSlice *path)
{
  guint n = bawn_acl_count_prefixes (prefixes, path);
  const BawnAclRule *rule = n > 0 ? g_ptr_array_index (prefixes, n - 1) : NULL;

  while (rule != NULL && !bawn_slice_begins (path, &rule->path))
    rule = rule->shorter;

  return rule;
}

/* '+' is any one segment, an empty one too; with @below it is enough that the path leads to where
 * the rule begins to differ. */
gboolean
bawn_acl_match_segments (const BawnAclRule *rule, const char *path, gboolean below)
{
  const char *pattern = rule->path.text;

  while (TRUE)
    {
      gsize pattern_size = strcspn (pattern, "/");
      gsize size = strcspn (path, "/");
      gboolean last = pattern[pattern_size] == '\0';
      gboolean any = pattern_size == 1 && *pattern == '+';
      gboolean same = pattern_size == size && memcmp (pattern, path, size) == 0;
      gboolean begins = last && rule->is_prefix && size > pattern_size
                        && memcmp (pattern, path, pattern_size) == 0;

      if (below && *path == '\0')
        return TRUE;
      if (!any && !same && !begins)
        return FALSE;
      if (last)
        return path[size] == '\0' || rule->is_prefix;
      if (path[size] == '\0')
        return below;
      pattern += pattern_size + 1;
      path += size + 1;
    }
}

static const BawnAclRule *
find_wildcard (const BawnAcl *acl, const char *path)
{
  BawnSlice whole = { path, strlen (path) };
  const BawnAclRule *best = find_longest_prefix (acl->prefixes, &whole);

  for (guint i = 0; i < acl->segments->len; i++)
    {
      const BawnAclRule *rule = g_ptr_array_index (acl->segments, i);

      if (best != NULL && rule_compare_priority (rule, best) < 0)
        return best;
      if (bawn_acl_match_segments (rule, path, FALSE))
        return rule;
    }

  return best;
}

/* The one rule that counts for a path. @list: a '/' at its end may be left out, if the exact path
 * is known without. */
const BawnAclRule *
bawn_acl_find_rule (const BawnAcl *acl, const char *path, gboolean list)
{
  BawnSlice whole = { path, strlen (path) };
  const BawnAclRule *rule = g_hash_table_lookup (acl->exact, &whole);

  if (rule == NULL && list && whole.size > 0 && path[whole.size - 1] == '/')
    {
      whole.size--;
      rule = g_hash_table_lookup (acl->exact, &whole);
    }

  return rule != NULL ? rule : find_wildcard (acl, path);
}

/**
 * bawn_acl_allows:
 * @acl: an ACL
 * @request: its op, path, data and wrapping are looked at
 * @out_sudo: (out) (optional): whether sudo is granted on its path, allowed or not
 *
 * Asking for help needs nothing. Allocates nothing unless a parameter's name is not ASCII.
 *
 * Returns: whether it is allowed
 */
gboolean
bawn_acl_allows (const BawnAcl *acl, const BawnRequest *request, gboolean *out_sudo)
{
  const BawnAclRule *rule =
      acl->is_root ? NULL : bawn_acl_find_rule (acl, request->path, request->op == BAWN_OP_LIST);

  if (out_sudo != NULL)
    *out_sudo = acl->is_root || (rule != NULL && (rule->permissions.may & BAWN_MAY_SUDO) != 0);
  if (acl->is_root || request->op == BAWN_OP_HELP)
    return TRUE;

  return rule != NULL && bawn_permissions_allow (&rule->permissions, request);
}
