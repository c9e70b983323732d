/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-txn-private.h"

#include <string.h>

/* One page of the storage's listing, into which the transaction's own writes are woven. */
typedef struct
{
  BawnTxnCore *core;
  const char *folder; /* in full */
  gsize folder_size;
  GPtrArray *names;
} Weave;

static gboolean
anything_left (BawnTxnCore *core, const char *folder, gboolean *out_left, GError **error);

static gboolean
read_page (BawnTxnCore *core,
           const char *folder,
           const char *after,
           guint limit,
           GStrv *out_names,
           GError **error)
{
  guint64 since = 0;

  if (!bawn_mirror_list (core->mirror, folder, after, limit, core->may_block, out_names, &since,
                         error))
    return FALSE;

  bawn_readset_add (&core->reads, folder, since, FALSE);
  return TRUE;
}

/* The first own write at or after @from that lies below @folder. */
static GTreeNode *
first_write (BawnTxnCore *core, const char *folder, const char *from)
{
  GTreeNode *node = core->writes != NULL ? g_tree_lower_bound (core->writes, from) : NULL;

  return node != NULL && g_str_has_prefix (g_tree_node_key (node), folder) ? node : NULL;
}

static GTreeNode *
next_write (GTreeNode *node, const char *folder)
{
  GTreeNode *next = g_tree_node_next (node);

  return next != NULL && g_str_has_prefix (g_tree_node_key (next), folder) ? next : NULL;
}

static gboolean
is_put (GTreeNode *node)
{
  return ((const BawnPending *) g_tree_node_value (node))->kind == BAWN_WRITE_PUT;
}

/* Whether a name of the storage's listing is still there after the own writes. */
static gboolean
survives (
    BawnTxnCore *core, const char *folder, const char *name, gboolean *out_survives, GError **error)
{
  g_autofree char *full = g_strconcat (folder, name, NULL);

  if (g_str_has_suffix (name, "/"))
    return anything_left (core, full, out_survives, error);

  const BawnPending *pending = core->writes != NULL ? g_tree_lookup (core->writes, full) : NULL;

  *out_survives = pending == NULL || pending->kind == BAWN_WRITE_PUT;
  return TRUE;
}

/* Whether a folder that the storage lists still has something in it. */
static gboolean
anything_left (BawnTxnCore *core, const char *folder, gboolean *out_left, GError **error)
{
  g_autofree char *after = NULL;
  gboolean deletes = FALSE;

  for (GTreeNode *node = first_write (core, folder, folder); node != NULL;
       node = next_write (node, folder))
    {
      if (is_put (node))
        {
          *out_left = TRUE;
          return TRUE;
        }
      deletes = TRUE;
    }
  if (!deletes)
    {
      *out_left = TRUE;
      return TRUE;
    }

  for (;;)
    {
      g_auto (GStrv) names = NULL;
      guint i = 0;

      if (!read_page (core, folder, after, 0, &names, error))
        return FALSE;
      for (; names[i] != NULL; i++)
        {
          gboolean left = FALSE;

          if (!survives (core, folder, names[i], &left, error))
            return FALSE;
          if (left)
            {
              *out_left = TRUE;
              return TRUE;
            }
        }
      if (i < BAWN_BACKEND_MAX_LIST)
        break;
      g_free (g_steal_pointer (&after));
      after = g_strdup (names[i - 1]);
    }

  *out_left = FALSE;
  return TRUE;
}

/* The name one level below the folder that a key shows up as. */
static char *
name_of (const Weave *weave, const char *key)
{
  const char *rest = key + weave->folder_size;
  const char *slash = strchr (rest, '/');

  return slash != NULL ? g_strndup (rest, (gsize) (slash - rest) + 1) : g_strdup (rest);
}

static void
add_name (Weave *weave, const char *name)
{
  guint n = weave->names->len;

  if (n == 0 || strcmp (g_ptr_array_index (weave->names, n - 1), name) != 0)
    g_ptr_array_add (weave->names, g_strdup (name));
}

/* Own puts whose names lie after @after and before @until (nullable: to the end). A deeper key
 * sorts after its folder's name, so that names come out in order. */
static void
add_own_names (Weave *weave, const char *after, const char *until)
{
  g_autofree char *from = g_strconcat (weave->folder, after, NULL);

  for (GTreeNode *node = first_write (weave->core, weave->folder, from); node != NULL;
       node = next_write (node, weave->folder))
    {
      g_autofree char *name = name_of (weave, g_tree_node_key (node));

      if (until != NULL && strcmp (name, until) >= 0)
        return;
      if (is_put (node) && (after == NULL || strcmp (name, after) > 0))
        add_name (weave, name);
    }
}

static gboolean
weave_page (Weave *weave, char **names, const char *after, gboolean is_last, GError **error)
{
  const char *done = after;

  for (guint i = 0; names[i] != NULL; i++)
    {
      gboolean stays = FALSE;

      add_own_names (weave, done, names[i]);
      if (!survives (weave->core, weave->folder, names[i], &stays, error))
        return FALSE;
      if (stays)
        add_name (weave, names[i]);
      done = names[i];
    }
  if (is_last)
    add_own_names (weave, done, NULL);

  return TRUE;
}

static gboolean
weave_listing (Weave *weave, const char *after, guint limit, GError **error)
{
  g_autofree char *last = g_strdup (after);

  while (weave->names->len < limit)
    {
      g_auto (GStrv) names = NULL;

      if (!read_page (weave->core, weave->folder, last, limit, &names, error))
        return FALSE;

      guint n = g_strv_length (names);

      if (!weave_page (weave, names, last, n < limit, error))
        return FALSE;
      if (n < limit)
        break;
      g_free (g_steal_pointer (&last));
      last = g_strdup (names[n - 1]);
    }

  if (weave->names->len > limit)
    g_ptr_array_set_size (weave->names, (gint) limit);
  return TRUE;
}

/**
 * bawn_txn_list:
 * @txn: a transaction or scope
 * @prefix: "" or a folder, relative to it
 * @after: (nullable): the last name of the page before
 * @limit: the most names wanted; 0 is %BAWN_BACKEND_MAX_LIST, which is also the most there can be
 * @out_names: (out) (transfer full): the names; fewer than asked for means the end
 * @error: (out) (optional): WOULD_BLOCK if the transaction may not block, INVALID for what is not a
 * folder, or what the storage says
 *
 * Reads one page of the names below @prefix; the transaction's own writes are seen.
 *
 * Returns: %TRUE, also if there is none
 */
gboolean
bawn_txn_list (BawnTxn *txn,
               const char *prefix,
               const char *after,
               guint limit,
               GStrv *out_names,
               GError **error)
{
  g_return_val_if_fail (txn != NULL && prefix != NULL && out_names != NULL, FALSE);

  BawnFullKey buffer;
  const char *folder = bawn_txn_full_key (txn, prefix, buffer, error);

  if (folder == NULL)
    return FALSE;
  if (txn->core->ended)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "the transaction was committed already");
  if (limit == 0 || limit > BAWN_BACKEND_MAX_LIST)
    limit = BAWN_BACKEND_MAX_LIST;

  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  Weave weave = { txn->core, folder, strlen (folder), names };

  if (first_write (txn->core, folder, folder) == NULL)
    return read_page (txn->core, folder, after, limit, out_names, error);
  if (!weave_listing (&weave, after, limit, error))
    return FALSE;

  g_ptr_array_add (names, NULL);
  *out_names = (GStrv) g_ptr_array_free (g_steal_pointer (&names), FALSE);
  return TRUE;
}
