/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-request.h"

#include "logical/bawn-string-map.h"
#include "util/bawn-clock.h"

#include <string.h>

/* A warning names no more unknown fields than this, however many were sent. */
#define UNKNOWN_MAX 32
/* Wrong numbers are shown to the caller, but no more of them than this: an error is also logged. */
#define SHOWN_MAX 40

/* What the API calls the kinds of JSON values in its errors. */
static const char *
kind_name (const BawnJsonNode *node)
{
  switch (node->kind)
    {
    case BAWN_JSON_NULL:
      return "invalid";
    case BAWN_JSON_FALSE:
    case BAWN_JSON_TRUE:
      return "bool";
    case BAWN_JSON_NUMBER:
    case BAWN_JSON_STRING:
      return "string";
    case BAWN_JSON_ARRAY:
      return "slice";
    case BAWN_JSON_OBJECT:
      return "map";
    }

  g_return_val_if_reached ("invalid");
}

static const char *
type_name (const BawnJsonNode *node)
{
  switch (node->kind)
    {
    case BAWN_JSON_ARRAY:
      return "[]interface {}";
    case BAWN_JSON_OBJECT:
      return "map[string]interface {}";
    case BAWN_JSON_NUMBER:
      return "json.Number";
    case BAWN_JSON_NULL:
    case BAWN_JSON_FALSE:
    case BAWN_JSON_TRUE:
    case BAWN_JSON_STRING:
      break;
    }

  return kind_name (node);
}

/* The value itself stays out of the text: it may be a secret under the wrong name. */
static gboolean refuse (GError **error, const char *name, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static gboolean
refuse (GError **error, const char *name, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *why = g_strdup_vprintf (format, args);
  va_end (args);

  return bawn_fail (error, BAWN_ERROR_INVALID,
                    "Field validation failed: error converting input for field \"%s\": %s", name,
                    why);
}

static const BawnJsonNode *
find (BawnRequest *request, const char *name)
{
  if (request->data == NULL)
    return NULL;

  const BawnJsonNode *node = bawn_json_get (bawn_json_root (request->data), name);

  if (node == NULL)
    return NULL;
  if (request->fields_known == NULL)
    request->fields_known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add (request->fields_known, g_strdup (name));

  return node;
}

static const BawnJsonNode *
find_value (BawnRequest *request, const char *name)
{
  const BawnJsonNode *node = find (request, name);

  return bawn_json_is (node, BAWN_JSON_NULL) ? NULL : node;
}

/* NULL if the value is no scalar, or holds a NUL, which would cut it short. */
static char *
dup_scalar (const BawnJsonNode *node)
{
  switch (node->kind)
    {
    case BAWN_JSON_NULL:
      return g_strdup ("");
    case BAWN_JSON_FALSE:
      return g_strdup ("0");
    case BAWN_JSON_TRUE:
      return g_strdup ("1");
    case BAWN_JSON_NUMBER:
      return g_strndup (node->raw, node->raw_size);
    case BAWN_JSON_STRING:
      if (memchr (node->string, '\0', node->string_size) != NULL)
        return NULL;
      return g_strndup (node->string, node->string_size);
    case BAWN_JSON_ARRAY:
    case BAWN_JSON_OBJECT:
      return NULL;
    }

  g_return_val_if_reached (NULL);
}

static gboolean
refuse_string (GError **error, const char *name, const char *where, const BawnJsonNode *node)
{
  if (node->kind == BAWN_JSON_STRING)
    return refuse (error, name, "'%s' must not hold a NUL character", where);

  return refuse (error, name, "'%s' expected type 'string', got unconvertible type '%s'", where,
                 type_name (node));
}

/**
 * bawn_field_present:
 * @request: a request
 * @name: a field
 *
 * Returns: whether the field is there and not null
 */
gboolean
bawn_field_present (BawnRequest *request, const char *name)
{
  return find_value (request, name) != NULL;
}

/**
 * bawn_field_string:
 * @request: a request
 * @name: a field
 * @inout_value: (inout): what it is if absent; freed when replaced, by wiping
 * @error: INVALID
 *
 * Numbers count as their text, true as "1".
 *
 * Returns: whether the field is absent or could be taken
 */
gboolean
bawn_field_string (BawnRequest *request, const char *name, char **inout_value, GError **error)
{
  const BawnJsonNode *node = find_value (request, name);

  if (node == NULL)
    return TRUE;

  char *value = dup_scalar (node);

  if (value == NULL)
    return refuse_string (error, name, "", node);
  bawn_string_wipe_free (*inout_value);
  *inout_value = value;

  return TRUE;
}

/**
 * bawn_field_bool:
 * @request: a request
 * @name: a field
 * @inout_value: (inout): what it is if absent
 * @error: INVALID
 *
 * Takes what Go's strconv.ParseBool takes, as a string or a number; "" is false.
 *
 * Returns: whether the field is absent or could be taken
 */
gboolean
bawn_field_bool (BawnRequest *request, const char *name, gboolean *inout_value, GError **error)
{
  static const char *const truths[] = { "1", "t", "T", "true", "TRUE", "True", NULL };
  static const char *const lies[] = { "", "0", "f", "F", "false", "FALSE", "False", NULL };
  const BawnJsonNode *node = find_value (request, name);

  if (node == NULL)
    return TRUE;
  if (node->kind == BAWN_JSON_ARRAY || node->kind == BAWN_JSON_OBJECT)
    return refuse (error, name, "'' expected type 'bool', got unconvertible type '%s'",
                   type_name (node));

  g_autoptr (BawnWipedString) text = dup_scalar (node);
  gboolean is_true = text != NULL && g_strv_contains (truths, text);

  if (!is_true && (text == NULL || !g_strv_contains (lies, text)))
    return refuse (error, name,
                   "cannot parse '' as bool: strconv.ParseBool: parsing \"%.*s\": invalid syntax",
                   SHOWN_MAX, text != NULL ? text : "");
  *inout_value = is_true;

  return TRUE;
}

static gboolean
parse_int (const char *text, gint64 *out_value, const char **out_why)
{
  g_autoptr (GError) error = NULL;

  if (*text == '+')
    text++;
  if (g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, out_value, &error))
    return TRUE;
  *out_why = g_error_matches (error, G_NUMBER_PARSER_ERROR, G_NUMBER_PARSER_ERROR_OUT_OF_BOUNDS)
                 ? "value out of range"
                 : "invalid syntax";

  return FALSE;
}

/**
 * bawn_field_int:
 * @request: a request
 * @name: a field
 * @inout_value: (inout): what it is if absent
 * @error: INVALID
 *
 * Takes whole numbers, also as a string; "" is 0, true is 1.
 *
 * Returns: whether the field is absent or could be taken
 */
gboolean
bawn_field_int (BawnRequest *request, const char *name, gint64 *inout_value, GError **error)
{
  const BawnJsonNode *node = find_value (request, name);

  if (node == NULL)
    return TRUE;
  if (node->kind == BAWN_JSON_ARRAY || node->kind == BAWN_JSON_OBJECT)
    return refuse (error, name, "'' expected type 'int', got unconvertible type '%s'",
                   type_name (node));

  g_autoptr (BawnWipedString) text = dup_scalar (node);
  const char *why = "invalid syntax";
  gint64 value = 0;

  if (text == NULL || (*text != '\0' && !parse_int (text, &value, &why)))
    return refuse (error, name, "cannot parse '' as int: strconv.ParseInt: parsing \"%.*s\": %s",
                   SHOWN_MAX, text != NULL ? text : "", why);
  *inout_value = value;

  return TRUE;
}

/**
 * bawn_field_duration_signed:
 * @request: a request
 * @name: a field
 * @inout_us: (inout): what it is if absent, in microseconds
 * @error: INVALID
 *
 * bawn_field_duration() for the few fields in which a time below zero has a meaning.
 *
 * Returns: whether the field is absent or could be taken
 */
gboolean
bawn_field_duration_signed (BawnRequest *request,
                            const char *name,
                            gint64 *inout_us,
                            GError **error)
{
  const BawnJsonNode *node = find_value (request, name);

  if (node == NULL)
    return TRUE;
  if (node->kind != BAWN_JSON_NUMBER && node->kind != BAWN_JSON_STRING)
    return refuse (error, name, "could not parse duration from input");

  g_autoptr (BawnWipedString) text = dup_scalar (node);

  if (text == NULL)
    return refuse_string (error, name, "", node);

  const char *digits = text;
  gboolean negative = *digits == '-';
  gint64 value_us = 0;
  g_autoptr (GError) local = NULL;

  if (negative)
    digits++;
  if ((negative && !g_ascii_isdigit (*digits))
      || (*digits != '\0' && !bawn_duration_parse (digits, &value_us, &local)))
    return refuse (error, name, "%s", local != NULL ? local->message : "invalid duration");
  *inout_us = negative ? -value_us : value_us;

  return TRUE;
}

/**
 * bawn_field_duration:
 * @request: a request
 * @name: a field
 * @inout_us: (inout): what it is if absent, in microseconds
 * @error: INVALID
 *
 * Takes seconds as a number or a string, or a string with units ("1h30m"); "" is 0. A time below
 * zero is refused.
 *
 * Returns: whether the field is absent or could be taken
 */
gboolean
bawn_field_duration (BawnRequest *request, const char *name, gint64 *inout_us, GError **error)
{
  gint64 value_us = 0;

  if (!bawn_field_present (request, name))
    return TRUE;
  if (!bawn_field_duration_signed (request, name, &value_us, error))
    return FALSE;
  if (value_us < 0)
    return refuse (error, name, "cannot provide negative value '%" G_GINT64_FORMAT "'",
                   value_us / G_USEC_PER_SEC);
  *inout_us = value_us;

  return TRUE;
}

static void
add_split (GPtrArray *items, const char *text)
{
  if (*text == '\0')
    return;

  g_auto (GStrv) parts = g_strsplit (text, ",", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    g_ptr_array_add (items, g_strdup (g_strstrip (parts[i])));
}

/**
 * bawn_field_strv:
 * @request: a request
 * @name: a field
 * @inout_value: (inout): what it is if absent; freed when replaced
 * @error: INVALID
 *
 * Takes an array of scalars, or one string with commas. Blanks around the items go.
 *
 * Returns: whether the field is absent or could be taken
 */
gboolean
bawn_field_strv (BawnRequest *request, const char *name, GStrv *inout_value, GError **error)
{
  const BawnJsonNode *node = find_value (request, name);

  if (node == NULL)
    return TRUE;

  g_autoptr (GPtrArray) items =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_string_wipe_free);

  if (node->kind == BAWN_JSON_ARRAY)
    {
      for (const BawnJsonNode *item = node->children; item != NULL; item = item->next)
        {
          char *text = dup_scalar (item);

          if (text == NULL)
            {
              g_autofree char *where = g_strdup_printf ("[%u]", items->len);

              return refuse_string (error, name, where, item);
            }
          g_ptr_array_add (items, g_strstrip (text));
        }
    }
  else
    {
      g_autoptr (BawnWipedString) text = dup_scalar (node);

      if (text == NULL)
        return refuse_string (error, name, "[0]", node);
      add_split (items, text);
    }

  g_ptr_array_add (items, NULL);
  g_strfreev (*inout_value);
  *inout_value = (GStrv) g_ptr_array_steal (items, NULL);

  return TRUE;
}

static gboolean
add_pair (GHashTable *map, const char *name, const BawnJsonNode *item, GError **error)
{
  g_autoptr (BawnWipedString) text = dup_scalar (item);

  if (text == NULL)
    return refuse_string (error, name, "", item);

  const char *equals = strchr (text, '=');

  if (equals == NULL)
    return refuse (error, name, "invalid key pair");
  g_hash_table_replace (map, g_strndup (text, (gsize) (equals - text)), g_strdup (equals + 1));

  return TRUE;
}

static gboolean
add_members (GHashTable *map, const char *name, const BawnJsonNode *object, GError **error)
{
  for (const BawnJsonNode *item = object->children; item != NULL; item = item->next)
    {
      char *text = strlen (item->name) == item->name_size ? dup_scalar (item) : NULL;

      if (text == NULL)
        {
          g_autofree char *where = g_strdup_printf ("[%s]", item->name);

          return refuse_string (error, name, where, item);
        }
      g_hash_table_replace (map, g_strdup (item->name), text);
    }

  return TRUE;
}

/**
 * bawn_field_map:
 * @request: a request
 * @name: a field
 * @inout_value: (inout): what it is if absent: string to string; unref'd when replaced
 * @error: INVALID
 *
 * Takes an object of scalars, or "key=value", or an array of such.
 *
 * Returns: whether the field is absent or could be taken
 */
gboolean
bawn_field_map (BawnRequest *request, const char *name, GHashTable **inout_value, GError **error)
{
  const BawnJsonNode *node = find_value (request, name);

  if (node == NULL)
    return TRUE;

  g_autoptr (GHashTable) map = bawn_string_map_new ();

  switch (node->kind)
    {
    case BAWN_JSON_OBJECT:
      if (!add_members (map, name, node, error))
        return FALSE;
      break;
    case BAWN_JSON_ARRAY:
      for (const BawnJsonNode *item = node->children; item != NULL; item = item->next)
        {
          if (!add_pair (map, name, item, error))
            return FALSE;
        }
      break;
    case BAWN_JSON_STRING:
      if (node->string_size > 0 && !add_pair (map, name, node, error))
        return FALSE;
      break;
    case BAWN_JSON_NULL:
    case BAWN_JSON_FALSE:
    case BAWN_JSON_TRUE:
    case BAWN_JSON_NUMBER:
      return refuse (error, name, "'' expected a map, got '%s'", kind_name (node));
    }

  g_clear_pointer (inout_value, g_hash_table_unref);
  *inout_value = g_steal_pointer (&map);

  return TRUE;
}

/**
 * bawn_field_object:
 * @request: a request
 * @name: a field
 * @out_node: (out) (nullable): the object; %NULL when absent or null
 * @error: INVALID
 *
 * Returns: whether the field is absent or an object
 */
gboolean
bawn_field_object (BawnRequest *request,
                   const char *name,
                   const BawnJsonNode **out_node,
                   GError **error)
{
  const BawnJsonNode *node = find_value (request, name);

  if (node != NULL && node->kind != BAWN_JSON_OBJECT)
    return refuse (error, name, "'' expected a map, got '%s'", kind_name (node));
  *out_node = node;

  return TRUE;
}

/**
 * bawn_field_node:
 * @request: a request
 * @name: a field
 *
 * Returns: (nullable): the field as it was sent, null too; lives as long as the request's data
 */
const BawnJsonNode *
bawn_field_node (BawnRequest *request, const char *name)
{
  return find (request, name);
}

/**
 * bawn_field_all:
 * @request: a request
 *
 * All of data, for handlers that take whatever the caller sends; no warning about unknown fields
 * then.
 *
 * Returns: (nullable): the object; lives as long as the request's data
 */
const BawnJsonNode *
bawn_field_all (BawnRequest *request)
{
  request->any_field = TRUE;

  return request->data != NULL ? bawn_json_root (request->data) : NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * bawn_request_unknown_fields:
 * @request: a request whose handler has run
 *
 * Names in data which the handler did not ask for, sorted and once each, for the API's warning
 * "Endpoint ignored these unrecognized parameters". Captures of the path count as known.
 *
 * Returns: (transfer full) (nullable): the names; %NULL if there are none
 */
GStrv
bawn_request_unknown_fields (BawnRequest *request)
{
  if (request->any_field || request->data == NULL)
    return NULL;

  const BawnJsonNode *root = bawn_json_root (request->data);

  if (!bawn_json_is (root, BAWN_JSON_OBJECT))
    return NULL;

  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (const BawnJsonNode *node = root->children; node != NULL && names->len < UNKNOWN_MAX;
       node = node->next)
    {
      if (request->fields_known != NULL
          && g_hash_table_contains (request->fields_known, node->name))
        continue;
      if (request->params != NULL && g_hash_table_contains (request->params, node->name))
        continue;
      if (!g_ptr_array_find_with_equal_func (names, node->name, g_str_equal, NULL))
        g_ptr_array_add (names, g_strdup (node->name));
    }
  if (names->len == 0)
    return NULL;

  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);

  return (GStrv) g_ptr_array_steal (names, NULL);
}
