/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-json-private.h"

#include <math.h>
#include <string.h>

/* Longer numbers than this are written by nobody who wants a double from them; they take the heap.
 */
#define NUMBER_ON_STACK 48

/* Makes an empty document for the parser to fill. The decoded strings of a text never take more
 * bytes than the text: see scan_string(). */
BawnJson *
bawn_json_alloc (GBytes *text, guint first_block)
{
  BawnJson *json = g_new0 (BawnJson, 1);
  BawnJsonBlock *block = g_malloc (sizeof *block + first_block * sizeof block->nodes[0]);

  g_atomic_ref_count_init (&json->refs);
  json->text = g_bytes_ref (text);
  json->strings = g_malloc (g_bytes_get_size (text) + 1);
  block->next = NULL;
  block->used = 0;
  block->size = first_block;
  json->blocks = block;

  return json;
}

/**
 * bawn_json_ref:
 * @json: a document
 *
 * Returns: (transfer full): @json
 */
BawnJson *
bawn_json_ref (BawnJson *json)
{
  g_atomic_ref_count_inc (&json->refs);
  return json;
}

/**
 * bawn_json_unref:
 * @json: (transfer full): a document
 *
 * The last one wipes the decoded strings; the text wipes itself if it is of the wiping kind.
 */
void
bawn_json_unref (BawnJson *json)
{
  if (!g_atomic_ref_count_dec (&json->refs))
    return;

  for (BawnJsonBlock *block = json->blocks; block != NULL;)
    {
      BawnJsonBlock *next = block->next;

      g_free (block);
      block = next;
    }
  bawn_wipe (json->strings, json->strings_used);
  g_free (json->strings);
  g_bytes_unref (json->text);
  g_free (json);
}

/**
 * bawn_json_root:
 * @json: a document
 *
 * Returns: the outermost value, which is there in every document
 */
const BawnJsonNode *
bawn_json_root (const BawnJson *json)
{
  return json->root;
}

/**
 * bawn_json_get:
 * @object: (nullable): a value
 * @name: name of a member
 *
 * Looks a member up, by going through all of them. Of several with this name it is the last one.
 *
 * Returns: (nullable): the member, which may be a null; %NULL if there is none or @object is none
 */
const BawnJsonNode *
bawn_json_get (const BawnJsonNode *object, const char *name)
{
  const BawnJsonNode *found = NULL;
  gsize size = strlen (name);

  if (!bawn_json_is (object, BAWN_JSON_OBJECT))
    return NULL;
  for (const BawnJsonNode *child = object->children; child != NULL; child = child->next)
    if (child->name_size == size && memcmp (child->name, name, size) == 0)
      found = child;

  return found;
}

/**
 * bawn_json_get_any_case:
 * @object: (nullable): a value
 * @name: name of a member
 *
 * Like bawn_json_get() but takes capital and small letters of ASCII for the same, as Go does where
 * it reads a body into a struct. A member that is spelt exactly so goes before others.
 *
 * Returns: (nullable): the member
 */
const BawnJsonNode *
bawn_json_get_any_case (const BawnJsonNode *object, const char *name)
{
  const BawnJsonNode *found = bawn_json_get (object, name);
  gsize size = strlen (name);

  if (found != NULL || !bawn_json_is (object, BAWN_JSON_OBJECT))
    return found;
  for (const BawnJsonNode *child = object->children; child != NULL; child = child->next)
    if (child->name_size == size && g_ascii_strncasecmp (child->name, name, size) == 0)
      found = child;

  return found;
}

/**
 * bawn_json_index:
 * @array: (nullable): a value
 * @index: which element, from 0
 *
 * Goes to an element step by step; who wants all of them follows `next`.
 *
 * Returns: (nullable): the element
 */
const BawnJsonNode *
bawn_json_index (const BawnJsonNode *array, guint index)
{
  if (!bawn_json_is (array, BAWN_JSON_ARRAY) || index >= array->n_children)
    return NULL;

  const BawnJsonNode *child = array->children;

  while (index-- > 0)
    child = child->next;

  return child;
}

/**
 * bawn_json_is:
 * @node: (nullable): a value
 * @kind: a kind
 *
 * Returns: whether @node is there and of that kind
 */
gboolean
bawn_json_is (const BawnJsonNode *node, BawnJsonKind kind)
{
  return node != NULL && node->kind == kind;
}

/**
 * bawn_json_get_string:
 * @object: (nullable): a value
 * @name: name of a member
 * @fallback: (nullable): what to return if the member is absent or no string
 *
 * Returns: (nullable): the text; it ends early for who cannot see behind a NUL
 */
const char *
bawn_json_get_string (const BawnJsonNode *object, const char *name, const char *fallback)
{
  const BawnJsonNode *node = bawn_json_get (object, name);

  return bawn_json_is (node, BAWN_JSON_STRING) ? node->string : fallback;
}

/**
 * bawn_json_get_int:
 * @object: (nullable): a value
 * @name: name of a member
 * @fallback: what to return if bawn_json_node_int() cannot read the member
 *
 * Returns: the number
 */
gint64
bawn_json_get_int (const BawnJsonNode *object, const char *name, gint64 fallback)
{
  gint64 value = fallback;

  bawn_json_node_int (bawn_json_get (object, name), &value);
  return value;
}

/**
 * bawn_json_get_bool:
 * @object: (nullable): a value
 * @name: name of a member
 * @fallback: what to return if the member is neither true nor false
 *
 * Returns: the truth
 */
gboolean
bawn_json_get_bool (const BawnJsonNode *object, const char *name, gboolean fallback)
{
  gboolean value = fallback;

  bawn_json_node_bool (bawn_json_get (object, name), &value);
  return value;
}

/**
 * bawn_json_get_strv:
 * @object: (nullable): a value
 * @name: name of a member
 *
 * Returns: (transfer full) (nullable): the strings of an array, or %NULL if the member is anything
 *   else than an array of strings
 */
GStrv
bawn_json_get_strv (const BawnJsonNode *object, const char *name)
{
  const BawnJsonNode *array = bawn_json_get (object, name);

  if (!bawn_json_is (array, BAWN_JSON_ARRAY))
    return NULL;

  g_auto (GStrv) strings = g_new0 (char *, array->n_children + 1);
  guint n = 0;

  for (const BawnJsonNode *child = array->children; child != NULL; child = child->next)
    {
      if (child->kind != BAWN_JSON_STRING)
        return NULL;
      strings[n++] = g_strdup (child->string);
    }

  return g_steal_pointer (&strings);
}

/**
 * bawn_json_node_int:
 * @node: (nullable): a value
 * @out_value: (out): the number
 *
 * Reads a number that is written as an integer: neither 1.0 nor 1e3 is one.
 *
 * Returns: %FALSE if @node is not that, or does not fit into 64 bits
 */
gboolean
bawn_json_node_int (const BawnJsonNode *node, gint64 *out_value)
{
  if (!bawn_json_is (node, BAWN_JSON_NUMBER))
    return FALSE;

  gboolean negative = node->raw[0] == '-';
  gint64 value = 0;

  /* Counted downwards, because there is one more negative number. */
  for (gsize i = negative ? 1 : 0; i < node->raw_size; i++)
    {
      if (!g_ascii_isdigit (node->raw[i]) || __builtin_mul_overflow (value, 10, &value)
          || __builtin_sub_overflow (value, (gint64) (node->raw[i] - '0'), &value))
        return FALSE;
    }
  if (!negative && __builtin_sub_overflow ((gint64) 0, value, &value))
    return FALSE;

  *out_value = value;
  return TRUE;
}

/**
 * bawn_json_node_double:
 * @node: (nullable): a value
 * @out_value: (out): the number, rounded to what a double can hold
 *
 * Returns: %FALSE if @node is no number or too big for a double
 */
gboolean
bawn_json_node_double (const BawnJsonNode *node, double *out_value)
{
  if (!bawn_json_is (node, BAWN_JSON_NUMBER))
    return FALSE;

  char small[NUMBER_ON_STACK];
  g_autofree char *big = NULL;
  char *text = small;

  if (node->raw_size >= sizeof small)
    text = big = g_malloc (node->raw_size + 1);
  memcpy (text, node->raw, node->raw_size);
  text[node->raw_size] = '\0';

  double value = g_ascii_strtod (text, NULL);

  bawn_wipe (text, node->raw_size);
  if (!isfinite (value))
    return FALSE;

  *out_value = value;
  return TRUE;
}

/**
 * bawn_json_node_bool:
 * @node: (nullable): a value
 * @out_value: (out): the truth
 *
 * Returns: %FALSE if @node is neither true nor false
 */
gboolean
bawn_json_node_bool (const BawnJsonNode *node, gboolean *out_value)
{
  if (!bawn_json_is (node, BAWN_JSON_TRUE) && !bawn_json_is (node, BAWN_JSON_FALSE))
    return FALSE;

  *out_value = node->kind == BAWN_JSON_TRUE;
  return TRUE;
}

/**
 * bawn_json_node_bytes:
 * @json: a document
 * @node: a value of it
 *
 * Returns: (transfer full): the text of @node as it was written, as a slice of the document's text
 */
GBytes *
bawn_json_node_bytes (const BawnJson *json, const BawnJsonNode *node)
{
  const char *start = g_bytes_get_data (json->text, NULL);

  return g_bytes_new_from_bytes (json->text, (gsize) (node->raw - start), node->raw_size);
}
