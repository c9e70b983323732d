/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-hcl-private.h"

#include "util/bawn-error.h"
#include "util/bawn-json.h"

#include <string.h>

gpointer
bawn_hcl_own (BawnHcl *hcl, gpointer memory)
{
  g_ptr_array_add (hcl->memory, memory);
  return memory;
}

BawnHclNode *
bawn_hcl_add_node (BawnHcl *hcl, BawnHclKind kind, guint line)
{
  BawnHclNode *node = bawn_hcl_own (hcl, g_new0 (BawnHclNode, 1));

  node->kind = kind;
  node->line = line;

  return node;
}

/* Walks a JSON document in the order of its text, so that lines are counted once. */
typedef struct
{
  BawnHcl *hcl;
  const char *counted;
  guint line;
} Converter;

static guint
line_of (Converter *self, const char *at)
{
  for (; self->counted < at; self->counted++)
    if (*self->counted == '\n')
      self->line++;

  return self->line;
}

static BawnHclNode *convert (Converter *self, const BawnJsonNode *json, GError **error);

static gboolean
convert_text (Converter *self, const char *text, gsize size, const char **out_text, GError **error)
{
  if (memchr (text, 0, size) != NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "At %u:1: unexpected null character (0x00)",
                      self->line);

  *out_text = bawn_hcl_own (self->hcl, g_strndup (text, size));
  return TRUE;
}

static BawnHclItem *
convert_item (Converter *self, const BawnJsonNode *json, GError **error)
{
  BawnHclItem *item = bawn_hcl_own (self->hcl, g_new0 (BawnHclItem, 1));
  const char **keys = bawn_hcl_own (self->hcl, g_new0 (const char *, 2));
  const char *colon = json->raw - 1;

  while (*colon != ':')
    colon--;
  item->keys = keys;
  item->n_keys = 1;
  item->line = line_of (self, colon);
  item->assign_line = item->line;
  if (!convert_text (self, json->name, json->name_size, &keys[0], error))
    return NULL;
  item->value = convert (self, json, error);

  return item->value != NULL ? item : NULL;
}

static gboolean
convert_items (Converter *self, BawnHclNode *node, const BawnJsonNode *json, GError **error)
{
  BawnHclItem *last = NULL;

  for (const BawnJsonNode *child = json->children; child != NULL; child = child->next)
    {
      BawnHclItem *item = convert_item (self, child, error);

      if (item == NULL)
        return FALSE;
      if (last == NULL)
        node->items = item;
      else
        last->next = item;
      last = item;
    }

  return TRUE;
}

static gboolean
convert_elements (Converter *self, BawnHclNode *node, const BawnJsonNode *json, GError **error)
{
  BawnHclNode *last = NULL;

  for (const BawnJsonNode *child = json->children; child != NULL; child = child->next)
    {
      BawnHclNode *element = convert (self, child, error);

      if (element == NULL)
        return FALSE;
      if (last == NULL)
        node->elements = element;
      else
        last->next = element;
      last = element;
    }

  return TRUE;
}

static BawnHclNode *
convert (Converter *self, const BawnJsonNode *json, GError **error)
{
  static const BawnHclKind kinds[] = {
    [BAWN_JSON_NULL] = BAWN_HCL_NULL,     [BAWN_JSON_FALSE] = BAWN_HCL_BOOL,
    [BAWN_JSON_TRUE] = BAWN_HCL_BOOL,     [BAWN_JSON_NUMBER] = BAWN_HCL_NUMBER,
    [BAWN_JSON_STRING] = BAWN_HCL_STRING, [BAWN_JSON_ARRAY] = BAWN_HCL_LIST,
    [BAWN_JSON_OBJECT] = BAWN_HCL_OBJECT,
  };
  BawnHclNode *node = bawn_hcl_add_node (self->hcl, kinds[json->kind], line_of (self, json->raw));
  gboolean ok = TRUE;

  node->n_children = json->n_children;
  if (json->kind == BAWN_JSON_STRING)
    ok = convert_text (self, json->string, json->string_size, &node->text, error);
  else if (json->kind == BAWN_JSON_ARRAY)
    ok = convert_elements (self, node, json, error);
  else if (json->kind == BAWN_JSON_OBJECT)
    ok = convert_items (self, node, json, error);
  else
    node->text = bawn_hcl_own (self->hcl, g_strndup (json->raw, json->raw_size));

  return ok ? node : NULL;
}

gboolean
bawn_hcl_read_json (BawnHcl *hcl, const char *text, gsize size, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, size);
  g_autoptr (BawnJson) json =
      bawn_json_parse (bytes, &(BawnJsonLimits){ .max_depth = BAWN_HCL_MAX_DEPTH }, error);

  if (json == NULL)
    return FALSE;

  Converter converter = { hcl, text, 1 };

  hcl->root = convert (&converter, bawn_json_root (json), error);
  return hcl->root != NULL;
}

static gboolean
is_json (const char *text)
{
  return text[strspn (text, " \t\r\n")] == '{';
}

/* Line ends of other systems are none in a heredoc. */
static void
drop_carriage_returns (GString *text)
{
  gsize kept = 0;

  for (gsize i = 0; i < text->len; i++)
    if (text->str[i] != '\r' || text->str[i + 1] != '\n')
      text->str[kept++] = text->str[i];
  g_string_truncate (text, kept);
}

/**
 * bawn_hcl_parse:
 * @text: (array length=size): HCL 1, or JSON if its first character that is not blank is a brace
 * @size: its length
 * @error: (out) (optional): %BAWN_ERROR_INVALID in the words of HCL 1, with line and column, or
 *   %BAWN_ERROR_TOO_LARGE
 *
 * Reads blocks with labels, assignments, strings, heredocs, numbers, truths, lists, objects and
 * comments. Of the language as published by HashiCorp everything that a policy can use; what it
 * says inside ${…} is left alone. A NUL is refused, and so is what is no UTF-8.
 *
 * Returns: (transfer full) (nullable): the tree
 */
BawnHcl *
bawn_hcl_parse (const char *text, gsize size, GError **error)
{
  if (size > BAWN_HCL_MAX_SIZE)
    return bawn_fail_null (error, BAWN_ERROR_TOO_LARGE, "the text is longer than %d bytes",
                           BAWN_HCL_MAX_SIZE);

  g_autoptr (BawnHcl) hcl = g_new0 (BawnHcl, 1);
  g_autoptr (GString) copy = g_string_new_len (text, (gssize) size);

  g_atomic_ref_count_init (&hcl->refs);
  hcl->memory = g_ptr_array_new_with_free_func (g_free);

  if (is_json (copy->str))
    return bawn_hcl_read_json (hcl, copy->str, copy->len, error) ? g_steal_pointer (&hcl) : NULL;

  drop_carriage_returns (copy);
  return bawn_hcl_read_hcl (hcl, copy->str, copy->len, error) ? g_steal_pointer (&hcl) : NULL;
}

/**
 * bawn_hcl_ref:
 * @hcl: a tree
 *
 * Returns: (transfer full): @hcl
 */
BawnHcl *
bawn_hcl_ref (BawnHcl *hcl)
{
  g_atomic_ref_count_inc (&hcl->refs);
  return hcl;
}

/**
 * bawn_hcl_unref:
 * @hcl: (transfer full): a tree
 */
void
bawn_hcl_unref (BawnHcl *hcl)
{
  if (!g_atomic_ref_count_dec (&hcl->refs))
    return;

  g_ptr_array_unref (hcl->memory);
  g_free (hcl);
}

/**
 * bawn_hcl_root:
 * @hcl: a tree
 *
 * Returns: the object that holds everything
 */
const BawnHclNode *
bawn_hcl_root (const BawnHcl *hcl)
{
  return hcl->root;
}

/**
 * bawn_hcl_get:
 * @object: (nullable): a value
 * @key: a key
 *
 * Returns: (nullable): what was assigned to @key in @object, the last if there are more; blocks
 * with labels are not looked at
 */
const BawnHclNode *
bawn_hcl_get (const BawnHclNode *object, const char *key)
{
  const BawnHclNode *found = NULL;

  if (object == NULL || object->kind != BAWN_HCL_OBJECT)
    return NULL;
  for (const BawnHclItem *item = object->items; item != NULL; item = item->next)
    if (item->n_keys == 1 && g_str_equal (item->keys[0], key))
      found = item->value;

  return found;
}

/**
 * bawn_hcl_node_string:
 * @node: (nullable): a value
 *
 * Returns: (nullable): the text of a string
 */
const char *
bawn_hcl_node_string (const BawnHclNode *node)
{
  return node != NULL && node->kind == BAWN_HCL_STRING ? node->text : NULL;
}

/**
 * bawn_hcl_node_int:
 * @node: (nullable): a value
 * @out_value: (out): the number
 *
 * Returns: whether @node is a whole number that fits; 0x… and octal 0… are read too
 */
gboolean
bawn_hcl_node_int (const BawnHclNode *node, gint64 *out_value)
{
  if (node == NULL || node->kind != BAWN_HCL_NUMBER)
    return FALSE;

  const char *digits = node->text + (node->text[0] == '-' ? 1 : 0);
  guint base = digits[0] != '0' || digits[1] == '\0' ? 10
               : g_ascii_tolower (digits[1]) == 'x'  ? 16
                                                     : 8;
  g_autofree char *number =
      g_strconcat (digits == node->text ? "" : "-", base == 16 ? digits + 2 : digits, NULL);

  return g_ascii_string_to_signed (number, base, G_MININT64, G_MAXINT64, out_value, NULL);
}

/**
 * bawn_hcl_node_bool:
 * @node: (nullable): a value
 * @out_value: (out): the truth
 *
 * Returns: whether @node is true or false
 */
gboolean
bawn_hcl_node_bool (const BawnHclNode *node, gboolean *out_value)
{
  if (node == NULL || node->kind != BAWN_HCL_BOOL)
    return FALSE;

  *out_value = g_str_equal (node->text, "true");
  return TRUE;
}

/**
 * bawn_hcl_node_strv:
 * @node: (nullable): a value
 *
 * Returns: (transfer full) (nullable): the texts of a list of strings; %NULL for anything else
 */
GStrv
bawn_hcl_node_strv (const BawnHclNode *node)
{
  if (node == NULL || node->kind != BAWN_HCL_LIST)
    return NULL;

  g_autoptr (GStrvBuilder) texts = g_strv_builder_new ();

  for (const BawnHclNode *element = node->elements; element != NULL; element = element->next)
    {
      if (element->kind != BAWN_HCL_STRING)
        return NULL;
      g_strv_builder_add (texts, element->text);
    }

  return g_strv_builder_end (texts);
}

/* An object, or each object of a list, under one label. */
static gboolean
add_blocks (GArray *blocks, const char *label, const BawnHclNode *value, guint line)
{
  if (value->kind == BAWN_HCL_OBJECT)
    {
      BawnHclBlock block = { label, value, line };

      g_array_append_val (blocks, block);
      return TRUE;
    }
  if (value->kind != BAWN_HCL_LIST)
    return FALSE;
  for (const BawnHclNode *element = value->elements; element != NULL; element = element->next)
    if (element->kind != BAWN_HCL_OBJECT || !add_blocks (blocks, label, element, line))
      return FALSE;

  return TRUE;
}

/* An object whose keys are the labels, or a list of such objects. */
static gboolean
add_labelled (GArray *blocks, const BawnHclNode *value)
{
  if (value->kind == BAWN_HCL_LIST)
    {
      for (const BawnHclNode *element = value->elements; element != NULL; element = element->next)
        if (element->kind != BAWN_HCL_OBJECT || !add_labelled (blocks, element))
          return FALSE;
      return TRUE;
    }
  if (value->kind != BAWN_HCL_OBJECT)
    return FALSE;
  for (const BawnHclItem *item = value->items; item != NULL; item = item->next)
    if (item->n_keys != 1 || !add_blocks (blocks, item->keys[0], item->value, item->line))
      return FALSE;

  return TRUE;
}

/**
 * bawn_hcl_find_blocks:
 * @object: (nullable): a value
 * @type: first key of the blocks
 * @error: (out) (optional): %BAWN_ERROR_INVALID if something of that name is no block with a label
 *
 * Finds `type "label" { … }` in all the ways it can be written: as a block, as `type = { "label" =
 * { … } }`, and in JSON as {"type": {"label": {…}}} or with lists of objects in the place of
 * either.
 *
 * Returns: (transfer full) (element-type BawnHclBlock) (nullable): the blocks in their order
 */
GArray *
bawn_hcl_find_blocks (const BawnHclNode *object, const char *type, GError **error)
{
  g_autoptr (GArray) blocks = g_array_new (FALSE, FALSE, sizeof (BawnHclBlock));

  if (object == NULL || object->kind != BAWN_HCL_OBJECT)
    return g_steal_pointer (&blocks);
  for (const BawnHclItem *item = object->items; item != NULL; item = item->next)
    {
      if (!g_str_equal (item->keys[0], type))
        continue;

      gboolean ok =
          item->n_keys == 1
              ? add_labelled (blocks, item->value)
              : item->n_keys == 2 && add_blocks (blocks, item->keys[1], item->value, item->line);

      if (!ok)
        return bawn_fail_null (error, BAWN_ERROR_INVALID,
                               "\"%s\" on line %u: expected a label and a block", type, item->line);
    }

  return g_steal_pointer (&blocks);
}
