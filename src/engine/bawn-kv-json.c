/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "engine/bawn-kv-json.h"

#include <string.h>

#include "logical/bawn-json-text.h"

#define NULL_TEXT "null"

static guint
member_hash (gconstpointer key)
{
  const BawnJsonNode *member = key;
  guint hash = 5381;

  for (gsize i = 0; i < member->name_size; i++)
    hash = hash * 33 + (guint8) member->name[i];

  return hash;
}

static gboolean
member_equal (gconstpointer a, gconstpointer b)
{
  const BawnJsonNode *first = a;
  const BawnJsonNode *second = b;

  return first->name_size == second->name_size
         && memcmp (first->name, second->name, first->name_size) == 0;
}

/* Members by name, of several with one name the last; so that merging takes time in proportion to
 * the size and not to its square. */
static GHashTable *
index_members (const BawnJsonNode *object)
{
  GHashTable *index = g_hash_table_new (member_hash, member_equal);

  if (!bawn_json_is (object, BAWN_JSON_OBJECT))
    return index;
  for (const BawnJsonNode *member = object->children; member != NULL; member = member->next)
    g_hash_table_replace (index, (gpointer) member, (gpointer) member);

  return index;
}

static const BawnJsonNode *
first_member (const BawnJsonNode *object)
{
  return bawn_json_is (object, BAWN_JSON_OBJECT) ? object->children : NULL;
}

/* Recursion is bounded by the scanner's limit on nesting. */
static void
merge (BawnBuffer *out, const BawnJsonNode *target, const BawnJsonNode *patch)
{
  if (patch->kind != BAWN_JSON_OBJECT)
    {
      bawn_buffer_append (out, patch->raw, patch->raw_size);
      return;
    }

  g_autoptr (GHashTable) targets = index_members (target);
  g_autoptr (GHashTable) patches = index_members (patch);
  gboolean first = TRUE;

  bawn_buffer_append_byte (out, '{');
  for (const BawnJsonNode *old = first_member (target); old != NULL; old = old->next)
    {
      const BawnJsonNode *change = g_hash_table_lookup (patches, old);

      if (g_hash_table_lookup (targets, old) != old || bawn_json_is (change, BAWN_JSON_NULL))
        continue;
      bawn_json_append_name (out, old, &first);
      if (change != NULL)
        merge (out, old, change);
      else
        bawn_buffer_append (out, old->raw, old->raw_size);
    }
  for (const BawnJsonNode *change = patch->children; change != NULL; change = change->next)
    {
      if (g_hash_table_lookup (patches, change) != change || change->kind == BAWN_JSON_NULL
          || g_hash_table_contains (targets, change))
        continue;
      bawn_json_append_name (out, change, &first);
      merge (out, NULL, change);
    }
  bawn_buffer_append_byte (out, '}');
}

/**
 * bawn_kv_merge_patch:
 * @target: (nullable): what to change
 * @patch: the patch
 *
 * Applies a JSON merge patch as RFC 7386 has it. Numbers and strings that stay keep their bytes.
 *
 * Returns: (transfer full): the result, in wiping memory
 */
GBytes *
bawn_kv_merge_patch (const BawnJsonNode *target, const BawnJsonNode *patch)
{
  g_auto (BawnBuffer) out = BAWN_BUFFER_INIT;

  merge (&out, target, patch);

  return bawn_buffer_steal (&out);
}

static void
strip (BawnBuffer *out, const BawnJsonNode *value, guint level, guint depth)
{
  if (value->kind != BAWN_JSON_OBJECT || (depth > 0 && level > depth))
    {
      bawn_buffer_append (out, NULL_TEXT, strlen (NULL_TEXT));
      return;
    }

  gboolean first = TRUE;

  bawn_buffer_append_byte (out, '{');
  for (const BawnJsonNode *member = value->children; member != NULL; member = member->next)
    {
      bawn_json_append_name (out, member, &first);
      strip (out, member, level + 1, depth);
    }
  bawn_buffer_append_byte (out, '}');
}

/**
 * bawn_kv_subkeys:
 * @value: a document
 * @depth: how many levels of names to keep; 0 for all
 *
 * Returns: (transfer full): the document with null in the place of every value, in wiping memory
 */
GBytes *
bawn_kv_subkeys (const BawnJsonNode *value, guint depth)
{
  g_auto (BawnBuffer) out = BAWN_BUFFER_INIT;

  strip (&out, value, 1, depth);

  return bawn_buffer_steal (&out);
}
