/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-acl-private.h"

#include <string.h>

static guint
may_on (const BawnAcl *acl, const char *path)
{
  const BawnAclRule *rule = bawn_acl_find_rule (acl, path, TRUE);
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
  static const char *const root[] = { BAWN_POLICY_ROOT, NULL };

  if (acl->is_root)
    return g_strdupv ((char **) root);

  return bawn_may_names (may_on (acl, path));
}

static gboolean
grants (const BawnAclRule *rule)
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
  BawnSlice slice = { prefix, strlen (prefix) };
  GHashTableIter iter;
  gpointer value = NULL;

  if (acl->is_root || may_on (acl, prefix) != 0)
    return TRUE;

  g_hash_table_iter_init (&iter, acl->exact);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (grants (value) && bawn_slice_begins (&((const BawnAclRule *) value)->path, &slice))
      return TRUE;
  for (guint i = bawn_acl_count_prefixes (acl->prefixes, &slice); i < acl->prefixes->len; i++)
    {
      const BawnAclRule *rule = g_ptr_array_index (acl->prefixes, i);

      if (!bawn_slice_begins (&rule->path, &slice))
        break;
      if (grants (rule))
        return TRUE;
    }
  for (guint i = 0; i < acl->segments->len; i++)
    {
      const BawnAclRule *rule = g_ptr_array_index (acl->segments, i);

      if (grants (rule) && bawn_acl_match_segments (rule, prefix, TRUE))
        return TRUE;
    }

  return FALSE;
}

static void
write_rule (BawnJsonWriter *w, const BawnAclRule *rule)
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
  g_ptr_array_sort (exact, bawn_acl_sort_by_path);

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
