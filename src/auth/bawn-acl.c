/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-policy-private.h"

#include <string.h>

#define ROOT "root"

typedef struct _Rule Rule;

/* The path stands first, so that a rule is its own key in the table of exact paths. */
typedef struct
{
  const char *text;
  gsize size;
} Slice;

struct _Rule
{
  Slice path;
  BawnPathKind kind;
  gboolean is_prefix;
  gsize first_wildcard;
  guint wildcards;
  const Rule *shorter; /* of prefixes: the longest of the others that is a prefix of this one */
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

static guint
slice_hash (gconstpointer data)
{
  const Slice *slice = data;
  guint32 hash = 5381;

  for (gsize i = 0; i < slice->size; i++)
    hash = hash * 33 + (guchar) slice->text[i];

  return hash;
}

static int
slice_compare (const Slice *a, const Slice *b)
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

static gboolean
slice_begins (const Slice *slice, const Slice *prefix)
{
  return slice->size >= prefix->size && memcmp (slice->text, prefix->text, prefix->size) == 0;
}

static void
rule_free (gpointer data)
{
  Rule *rule = data;

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

static Rule *
rule_new (const BawnPolicyRule *source)
{
  Rule *rule = g_new0 (Rule, 1);
  gboolean segments = source->kind == BAWN_PATH_SEGMENTS;

  rule->path = (Slice){ source->path, strlen (source->path) };
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
rule_compare_priority (const Rule *a, const Rule *b)
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
  return rule_compare_priority (*(const Rule *const *) b, *(const Rule *const *) a);
}

static int
sort_by_path (gconstpointer a, gconstpointer b)
{
  return slice_compare (&(*(const Rule *const *) a)->path, &(*(const Rule *const *) b)->path);
}

/* In sorted order the prefixes of an entry are among the one before it and that one's own prefixes.
 */
static void
link_prefixes (GPtrArray *prefixes)
{
  for (guint i = 1; i < prefixes->len; i++)
    {
      Rule *rule = g_ptr_array_index (prefixes, i);
      const Rule *shorter = g_ptr_array_index (prefixes, i - 1);

      while (shorter != NULL && !slice_begins (&rule->path, &shorter->path))
        shorter = shorter->shorter;
      rule->shorter = shorter;
    }
}

static Rule *
find_same (GPtrArray *rules, const BawnPolicyRule *source)
{
  Slice path = { source->path, strlen (source->path) };

  for (guint i = 0; i < rules->len; i++)
    {
      Rule *rule = g_ptr_array_index (rules, i);

      if (rule->is_prefix == source->is_prefix && slice_equal (&rule->path, &path))
        return rule;
    }

  return NULL;
}

static void
add_rule (BawnAcl *acl, const BawnPolicyRule *source)
{
  GPtrArray *list = source->kind == BAWN_PATH_PREFIX ? acl->prefixes : acl->segments;
  Slice path = { source->path, strlen (source->path) };
  Rule *rule = source->kind == BAWN_PATH_EXACT ? g_hash_table_lookup (acl->exact, &path)
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

  acl->is_root = n_policies == 1 && g_str_equal (policies[0]->name, ROOT);
  for (guint i = 0; i < n_policies; i++)
    {
      g_ptr_array_add (acl->policies, bawn_policy_ref (policies[i]));
      for (guint j = 0; j < policies[i]->rules->len; j++)
        add_rule (acl, g_ptr_array_index (policies[i]->rules, j));
    }
  g_ptr_array_sort (acl->prefixes, sort_by_path);
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
static guint
count_up_to (GPtrArray *prefixes, const Slice *path)
{
  guint low = 0;
  guint high = prefixes->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const Rule *rule = g_ptr_array_index (prefixes, middle);

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
static const Rule *
find_longest_prefix (GPtrArray *prefixes, const Slice *path)
{
  guint n = count_up_to (prefixes, path);
  const Rule *rule = n > 0 ? g_ptr_array_index (prefixes, n - 1) : NULL;

  while (rule != NULL && !slice_begins (path, &rule->path))
    rule = rule->shorter;

  return rule;
}

/* '+' is any one segment, an empty one too; with @below it is enough that the path leads to where
 * the rule begins to differ. */
static gboolean
match_segments (const Rule *rule, const char *path, gboolean below)
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

static const Rule *
find_wildcard (const BawnAcl *acl, const char *path)
{
  Slice whole = { path, strlen (path) };
  const Rule *best = find_longest_prefix (acl->prefixes, &whole);

  for (guint i = 0; i < acl->segments->len; i++)
    {
      const Rule *rule = g_ptr_array_index (acl->segments, i);

      if (best != NULL && rule_compare_priority (rule, best) < 0)
        return best;
      if (match_segments (rule, path, FALSE))
        return rule;
    }

  return best;
}

/* The one rule that counts for a path. @list: a '/' at its end may be left out, if the exact path
 * is known without. */
static const Rule *
find_rule (const BawnAcl *acl, const char *path, gboolean list)
{
  Slice whole = { path, strlen (path) };
  const Rule *rule = g_hash_table_lookup (acl->exact, &whole);

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
  const Rule *rule =
      acl->is_root ? NULL : find_rule (acl, request->path, request->op == BAWN_OP_LIST);

  if (out_sudo != NULL)
    *out_sudo = acl->is_root || (rule != NULL && (rule->permissions.may & BAWN_MAY_SUDO) != 0);
  if (acl->is_root || request->op == BAWN_OP_HELP)
    return TRUE;

  return rule != NULL && bawn_permissions_allow (&rule->permissions, request);
}

static guint
may_on (const BawnAcl *acl, const char *path)
{
  const Rule *rule = find_rule (acl, path, TRUE);
  guint may = rule != NULL ? rule->permissions.may : 0;

  return (may & BAWN_MAY_DENY) != 0 ? 0 : may;
}

/**
 * bawn_acl_capabilities:
 * @acl: an ACL
 * @path: a path, as of a request
 *
 * Returns: (transfer full): what may be done there, sorted; {"root"}, or {"deny"} for nothing
 */
GStrv
bawn_acl_capabilities (const BawnAcl *acl, const char *path)
{
  static const char *const root[] = { ROOT, NULL };

  if (acl->is_root)
    return g_strdupv ((char **) root);

  return bawn_may_names (may_on (acl, path));
}

static gboolean
grants (const Rule *rule)
{
  return rule->permissions.may != 0 && (rule->permissions.may & BAWN_MAY_DENY) == 0;
}

/**
 * bawn_acl_touches:
 * @acl: an ACL
 * @prefix: where a mount is, ending in '/'
 *
 * Returns: whether anything is granted there, or by a rule that could fit below it
 */
gboolean
bawn_acl_touches (const BawnAcl *acl, const char *prefix)
{
  Slice slice = { prefix, strlen (prefix) };
  GHashTableIter iter;
  gpointer value = NULL;

  if (acl->is_root || may_on (acl, prefix) != 0)
    return TRUE;

  g_hash_table_iter_init (&iter, acl->exact);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (grants (value) && slice_begins (&((const Rule *) value)->path, &slice))
      return TRUE;
  for (guint i = count_up_to (acl->prefixes, &slice); i < acl->prefixes->len; i++)
    {
      const Rule *rule = g_ptr_array_index (acl->prefixes, i);

      if (!slice_begins (&rule->path, &slice))
        break;
      if (grants (rule))
        return TRUE;
    }
  for (guint i = 0; i < acl->segments->len; i++)
    {
      const Rule *rule = g_ptr_array_index (acl->segments, i);

      if (grants (rule) && match_segments (rule, prefix, TRUE))
        return TRUE;
    }

  return FALSE;
}

static void
write_rule (BawnJsonWriter *w, const Rule *rule)
{
  g_auto (GStrv) names = bawn_may_names (rule->permissions.may);
  g_autofree char *path =
      g_strdup_printf ("%.*s%s", (int) rule->path.size, rule->path.text,
                       rule->kind == BAWN_PATH_SEGMENTS && rule->is_prefix ? "*" : "");

  bawn_json_writer_name (w, path);
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_strv (w, "capabilities", (const char *const *) names);
  bawn_json_writer_end_object (w);
}

static void
write_list (BawnJsonWriter *w, GPtrArray *rules)
{
  for (guint i = 0; i < rules->len; i++)
    write_rule (w, g_ptr_array_index (rules, i));
}

/**
 * bawn_acl_write:
 * @acl: an ACL
 * @w: a writer that expects a value
 *
 * Writes the paths and what may be done there, as the API's resultant-acl has it: globs without
 * their final '*'.
 */
void
bawn_acl_write (const BawnAcl *acl, BawnJsonWriter *w)
{
  GHashTableIter iter;
  gpointer rule = NULL;
  g_autoptr (GPtrArray) exact = g_ptr_array_new ();

  g_hash_table_iter_init (&iter, acl->exact);
  while (g_hash_table_iter_next (&iter, NULL, &rule))
    g_ptr_array_add (exact, rule);
  g_ptr_array_sort (exact, sort_by_path);

  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_bool (w, "root", acl->is_root);
  bawn_json_writer_name (w, "exact_paths");
  bawn_json_writer_begin_object (w);
  write_list (w, exact);
  bawn_json_writer_end_object (w);
  bawn_json_writer_name (w, "glob_paths");
  bawn_json_writer_begin_object (w);
  write_list (w, acl->prefixes);
  write_list (w, acl->segments);
  bawn_json_writer_end_object (w);
  bawn_json_writer_end_object (w);
}
