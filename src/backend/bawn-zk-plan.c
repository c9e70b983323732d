/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-plan.h"

#include "backend/bawn-zk-path.h"

#include <string.h>

#define ANY_VERSION -1

typedef struct _Node Node;

struct _Node
{
  char *path;
  Node *parent; /* (nullable): %NULL for the root, which always exists, and for what is only a
                   condition's */
  guint depth;
  const BawnWrite *write;         /* (nullable) */
  const BawnCondition *condition; /* (nullable) */
  gboolean exists;
  guint64 version;
  gint n_children;
};

struct _BawnZkPlan
{
  const char *root;
  GPtrArray *nodes; /* of Node; a parent comes before its children */
  GHashTable *index;
};

static void
node_free (gpointer data)
{
  Node *node = data;

  g_free (node->path);
  g_free (node);
}

/* The node at @path, which is taken. */
static Node *
ensure (BawnZkPlan *plan, char *path)
{
  Node *node = g_hash_table_lookup (plan->index, path);

  if (node != NULL)
    {
      g_free (path);
      return node;
    }

  node = g_new0 (Node, 1);
  node->path = path;
  g_hash_table_insert (plan->index, node->path, node);
  g_ptr_array_add (plan->nodes, node);
  return node;
}

/* The folder that the node at @path is in, and those above it. */
static Node *
ensure_parent (BawnZkPlan *plan, const char *path)
{
  gsize at = strlen (plan->root);
  const char *end = strrchr (path, '/');
  Node *parent = NULL;

  for (const char *slash = strchr (path + at + 1, '/'); slash != NULL && slash <= end;
       slash = strchr (slash + 1, '/'))
    {
      Node *node = ensure (plan, g_strndup (path, (gsize) (slash - path)));

      node->parent = parent;
      node->depth = parent != NULL ? parent->depth + 1 : 0;
      parent = node;
    }
  return parent;
}

/**
 * bawn_zk_plan_new:
 * @root: the node that all keys are below; must stay
 * @writes: (array length=n_writes): what to do; must stay
 * @n_writes: how many
 * @conditions: (array length=n_conditions): what must hold; must stay
 * @n_conditions: how many
 *
 * Returns: (transfer full): a plan that knows of no node yet
 */
BawnZkPlan *
bawn_zk_plan_new (const char *root,
                  const BawnWrite *writes,
                  guint n_writes,
                  const BawnCondition *conditions,
                  guint n_conditions)
{
  BawnZkPlan *plan = g_new0 (BawnZkPlan, 1);

  plan->root = root;
  plan->nodes = g_ptr_array_new_with_free_func (node_free);
  plan->index = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < n_writes; i++)
    {
      g_autofree char *path = bawn_zk_path_of_key (root, writes[i].key);
      Node *parent = ensure_parent (plan, path);
      Node *node = ensure (plan, g_steal_pointer (&path));

      node->parent = parent;
      node->write = &writes[i];
    }
  for (guint i = 0; i < n_conditions; i++)
    ensure (plan, bawn_zk_path_of_key (root, conditions[i].key))->condition = &conditions[i];
  return plan;
}

/**
 * bawn_zk_plan_free:
 * @plan: (transfer full): a plan
 */
void
bawn_zk_plan_free (BawnZkPlan *plan)
{
  g_hash_table_unref (plan->index);
  g_ptr_array_unref (plan->nodes);
  g_free (plan);
}

guint
bawn_zk_plan_n_nodes (BawnZkPlan *plan)
{
  return plan->nodes->len;
}

const char *
bawn_zk_plan_path (BawnZkPlan *plan, guint index)
{
  const Node *node = plan->nodes->pdata[index];

  return node->path;
}

void
bawn_zk_plan_learn (BawnZkPlan *plan, guint index, const BawnZkStat *stat)
{
  Node *node = plan->nodes->pdata[index];

  node->exists = stat != NULL;
  node->version = stat != NULL ? (guint64) stat->mzxid : 0;
  node->n_children = stat != NULL ? stat->num_children : 0;
}

const char *
bawn_zk_plan_find_conflict (BawnZkPlan *plan)
{
  for (guint i = 0; i < plan->nodes->len; i++)
    {
      const Node *node = plan->nodes->pdata[i];

      if (node->condition != NULL && node->condition->version != node->version)
        return node->condition->key;
    }
  return NULL;
}

static void
count_in_parent (Node *node, gint change)
{
  if (node->parent != NULL)
    node->parent->n_children += change;
}

static gboolean
is_put (const Node *node)
{
  return node->write != NULL && node->write->kind == BAWN_WRITE_PUT;
}

/* Marks what a put needs above it. Going from the leaves up, each folder is told of its children
 * once. */
static void
want_folders (BawnZkPlan *plan)
{
  for (guint i = 0; i < plan->nodes->len; i++)
    {
      Node *node = plan->nodes->pdata[i];

      if (!is_put (node) || node->exists)
        continue;

      count_in_parent (node, 1);
      for (Node *folder = node->parent;
           folder != NULL && !folder->exists && folder->n_children == 1; folder = folder->parent)
        count_in_parent (folder, 1);
    }
}

static gint
compare_depth (gconstpointer a, gconstpointer b)
{
  const Node *one = *(Node *const *) a;
  const Node *other = *(Node *const *) b;

  return one->depth < other->depth ? 1 : one->depth > other->depth ? -1 : 0;
}

/* Folders that would be left empty go too, those inside before those around them. */
static void
remove_empty_folders (BawnZkPlan *plan, BawnBuffer *buffer)
{
  g_autoptr (GPtrArray) folders = g_ptr_array_new ();

  for (guint i = 0; i < plan->nodes->len; i++)
    {
      Node *node = plan->nodes->pdata[i];

      if (node->write == NULL && node->condition == NULL && node->exists)
        g_ptr_array_add (folders, node);
    }
  g_ptr_array_sort (folders, compare_depth);

  for (guint i = 0; i < folders->len; i++)
    {
      Node *folder = folders->pdata[i];

      if (folder->n_children > 0)
        continue;
      bawn_zk_multi_delete (buffer, folder->path);
      count_in_parent (folder, -1);
    }
}

void
bawn_zk_plan_write (BawnZkPlan *plan, BawnBuffer *buffer, GBytes *acl)
{
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);

  want_folders (plan);
  /* Parents stand before their children here. */
  for (guint i = 0; i < plan->nodes->len; i++)
    {
      Node *node = plan->nodes->pdata[i];

      if (is_put (node) && node->exists)
        bawn_zk_multi_set (buffer, node->path, node->write->value, ANY_VERSION);
      else if (is_put (node))
        bawn_zk_multi_create (buffer, node->path, node->write->value, acl);
      else if (node->write == NULL && node->condition == NULL && !node->exists
               && node->n_children > 0)
        bawn_zk_multi_create (buffer, node->path, nothing, acl);
    }
  for (guint i = 0; i < plan->nodes->len; i++)
    {
      Node *node = plan->nodes->pdata[i];

      if (node->write == NULL || is_put (node) || !node->exists)
        continue;
      bawn_zk_multi_delete (buffer, node->path);
      count_in_parent (node, -1);
    }
  remove_empty_folders (plan, buffer);
}
