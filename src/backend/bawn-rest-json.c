/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-rest-json.h"

#include <string.h>

/* Encoded at a time: a multiple of three, so that padding comes at the end only. */
#define BASE64_STEP 3072
/* What g_base64_encode_step() may write of it: four bytes for three, and some that it carries. */
#define BASE64_ROOM (BASE64_STEP / 3 * 4 + 8)

#define BAWN_REST_FIELD(id, name) [BAWN_REST_##id] = name,
static const char *const names[] = {
#include "backend/bawn-rest-fields.def"
};
#undef BAWN_REST_FIELD

G_STATIC_ASSERT (G_N_ELEMENTS (names) == BAWN_REST_N_FIELDS);

/**
 * bawn_rest_field_name:
 * @field: a field
 *
 * Returns: how the server spells it
 */
const char *
bawn_rest_field_name (BawnRestField field)
{
  g_return_val_if_fail (field < BAWN_REST_N_FIELDS, "");

  return names[field];
}

void
bawn_rest_json_name (BawnJsonWriter *w, BawnRestField field)
{
  bawn_json_writer_name (w, bawn_rest_field_name (field));
}

void
bawn_rest_json_begin_object (BawnJsonWriter *w, BawnRestField field)
{
  bawn_rest_json_name (w, field);
  bawn_json_writer_begin_object (w);
}

void
bawn_rest_json_begin_array (BawnJsonWriter *w, BawnRestField field)
{
  bawn_rest_json_name (w, field);
  bawn_json_writer_begin_array (w);
}

void
bawn_rest_json_string (BawnJsonWriter *w, BawnRestField field, const char *value)
{
  bawn_rest_json_name (w, field);
  bawn_json_writer_string (w, value);
}

void
bawn_rest_json_int (BawnJsonWriter *w, BawnRestField field, gint64 value)
{
  bawn_rest_json_name (w, field);
  bawn_json_writer_int (w, value);
}

void
bawn_rest_json_uint64 (BawnJsonWriter *w, BawnRestField field, guint64 value)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, value);

  bawn_rest_json_string (w, field, text);
}

void
bawn_rest_json_bool (BawnJsonWriter *w, BawnRestField field, gboolean value)
{
  bawn_rest_json_name (w, field);
  bawn_json_writer_bool (w, value);
}

/**
 * bawn_rest_json_base64:
 * @w: a writer
 * @field: the name
 * @data: (array length=size): the value
 * @size: its length
 *
 * Writes standard base64 (RFC 4648, section 4) with padding, straight into the writer's wiping
 * memory.
 */
void
bawn_rest_json_base64 (BawnJsonWriter *w, BawnRestField field, gconstpointer data, gsize size)
{
  g_auto (BawnBuffer) text = BAWN_BUFFER_INIT;
  const guint8 *from = data;
  int state = 0;
  int save = 0;

  bawn_buffer_reserve (&text, (size + 2) / 3 * 4 + BASE64_ROOM + 2);
  text.data[text.size++] = '"';
  for (gsize at = 0; at < size; at += BASE64_STEP)
    {
      bawn_buffer_reserve (&text, BASE64_ROOM);
      text.size += g_base64_encode_step (from + at, MIN (size - at, BASE64_STEP), FALSE,
                                         (char *) text.data + text.size, &state, &save);
    }
  bawn_buffer_reserve (&text, BASE64_ROOM);
  text.size += g_base64_encode_close (FALSE, (char *) text.data + text.size, &state, &save);
  bawn_buffer_append_byte (&text, '"');

  bawn_rest_json_name (w, field);
  bawn_json_writer_raw (w, (const char *) text.data, text.size);
}

const BawnJsonNode *
bawn_rest_json_get (const BawnJsonNode *object, BawnRestField field)
{
  return bawn_json_get (object, bawn_rest_field_name (field));
}

const char *
bawn_rest_json_get_string (const BawnJsonNode *object, BawnRestField field, const char *fallback)
{
  return bawn_json_get_string (object, bawn_rest_field_name (field), fallback);
}

gboolean
bawn_rest_json_get_bool (const BawnJsonNode *object, BawnRestField field, gboolean fallback)
{
  return bawn_json_get_bool (object, bawn_rest_field_name (field), fallback);
}

gboolean
bawn_rest_json_get_uint64 (const BawnJsonNode *object, BawnRestField field, guint64 *out_value)
{
  const BawnJsonNode *node = bawn_rest_json_get (object, field);
  guint64 value = 0;

  if (node != NULL && bawn_json_is (node, BAWN_JSON_STRING))
    {
      if (strlen (node->string) != node->string_size
          || !g_ascii_string_to_unsigned (node->string, 10, 0, G_MAXUINT64, &value, NULL))
        return FALSE;
    }
  else if (node != NULL)
    {
      g_autofree char *text = g_strndup (node->raw, node->raw_size);

      if (!bawn_json_is (node, BAWN_JSON_NUMBER)
          || !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, &value, NULL))
        return FALSE;
    }

  *out_value = value;
  return TRUE;
}

/* GLib's reader passes over what is not base64; what comes over a wire is checked. */
static gboolean
is_base64 (const char *text, gsize size)
{
  if (size % 4 != 0)
    return FALSE;

  gsize n_padding = 0;

  while (n_padding < 2 && n_padding < size && text[size - 1 - n_padding] == '=')
    n_padding++;
  for (gsize i = 0; i < size - n_padding; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '+' && text[i] != '/')
      return FALSE;

  return TRUE;
}

/**
 * bawn_rest_json_get_base64:
 * @object: (nullable): an object
 * @field: the name
 * @out_value: (out) (transfer full): the bytes, in wiping memory
 *
 * Returns: %FALSE if it is there and is no base64
 */
gboolean
bawn_rest_json_get_base64 (const BawnJsonNode *object, BawnRestField field, GBytes **out_value)
{
  const BawnJsonNode *node = bawn_rest_json_get (object, field);
  guint8 *data = NULL;
  int state = 0;
  guint save = 0;

  if (node == NULL || bawn_json_is (node, BAWN_JSON_NULL))
    {
      *out_value = bawn_bytes_new (NULL, 0);
      return TRUE;
    }
  if (!bawn_json_is (node, BAWN_JSON_STRING) || !is_base64 (node->string, node->string_size))
    return FALSE;

  gsize n_padding = 0;

  while (n_padding < node->string_size && node->string[node->string_size - 1 - n_padding] == '=')
    n_padding++;

  /* The decoder writes whole groups, so that there must be room for what the padding stands for. */
  g_autoptr (GBytes) whole = bawn_bytes_alloc (node->string_size / 4 * 3, &data);
  gsize size = g_base64_decode_step (node->string, node->string_size, data, &state, &save);

  if (size != node->string_size / 4 * 3 - n_padding)
    return FALSE;

  *out_value = size == g_bytes_get_size (whole) ? g_steal_pointer (&whole)
                                                : g_bytes_new_from_bytes (whole, 0, size);
  return TRUE;
}
