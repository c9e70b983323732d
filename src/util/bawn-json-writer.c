/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-json.h"
#include "util/bawn-utf8.h"

#include <math.h>
#include <string.h>

static gboolean
in_object (const BawnJsonWriter *w)
{
  guint level = w->depth - 1;

  return w->depth > 0 && (w->objects[level / 64] >> level % 64 & 1) != 0;
}

/* Every value and every opening begins here. */
static void
begin_value (BawnJsonWriter *w)
{
  g_return_if_fail (in_object (w) == w->named);

  if (w->comma)
    bawn_buffer_append_byte (&w->buffer, ',');
  w->comma = TRUE;
  w->named = FALSE;
}

static void
open_level (BawnJsonWriter *w, char bracket, gboolean object)
{
  g_return_if_fail (w->depth < BAWN_JSON_WRITER_LEVELS);

  guint64 bit = G_GUINT64_CONSTANT (1) << w->depth % 64;
  guint64 *bits = &w->objects[w->depth / 64];

  begin_value (w);
  bawn_buffer_append_byte (&w->buffer, (guint8) bracket);
  *bits = object ? *bits | bit : *bits & ~bit;
  w->depth++;
  w->comma = FALSE;
}

static void
close_level (BawnJsonWriter *w, char bracket, gboolean object)
{
  g_return_if_fail (w->depth > 0 && in_object (w) == object && !w->named);

  bawn_buffer_append_byte (&w->buffer, (guint8) bracket);
  w->depth--;
  w->comma = TRUE;
}

static void
append_escape (BawnBuffer *buffer, guint8 byte)
{
  static const char hex[] = "0123456789abcdef";
  static const char from[] = "\"\\\n\r\t";
  static const char to[] = "\"\\nrt";
  const char *found = byte != 0 ? strchr (from, byte) : NULL;

  bawn_buffer_append_byte (buffer, '\\');
  if (found != NULL)
    {
      bawn_buffer_append_byte (buffer, (guint8) to[found - from]);
      return;
    }

  const guint8 escape[] = { 'u', '0', '0', (guint8) hex[byte >> 4], (guint8) hex[byte & 0xf] };

  bawn_buffer_append (buffer, escape, sizeof escape);
}

static void
append_quoted (BawnBuffer *buffer, const char *text, gsize size)
{
  const guint8 *at = (const guint8 *) text;
  const guint8 *end = at + size;

  bawn_buffer_reserve (buffer, size + 2);
  bawn_buffer_append_byte (buffer, '"');
  while (at < end)
    {
      const guint8 *run = at;

      while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
        at++;
      bawn_buffer_append (buffer, run, (gsize) (at - run));
      if (at == end)
        break;

      guint length = bawn_utf8_sequence (at, (gsize) (end - at));

      if (length == 1)
        append_escape (buffer, *at);
      else if (length > 1)
        bawn_buffer_append (buffer, at, length);
      else
        bawn_buffer_append_string (buffer, BAWN_UTF8_REPLACEMENT);
      at += MAX (length, 1);
    }
  bawn_buffer_append_byte (buffer, '"');
}

/**
 * bawn_json_writer_begin_object:
 * @w: a writer
 *
 * Opens an object; each of its values is preceded by bawn_json_writer_name().
 */
void
bawn_json_writer_begin_object (BawnJsonWriter *w)
{
  open_level (w, '{', TRUE);
}

/**
 * bawn_json_writer_end_object:
 * @w: a writer
 *
 * Closes the innermost level, which is an object.
 */
void
bawn_json_writer_end_object (BawnJsonWriter *w)
{
  close_level (w, '}', TRUE);
}

/**
 * bawn_json_writer_begin_array:
 * @w: a writer
 *
 * Opens an array.
 */
void
bawn_json_writer_begin_array (BawnJsonWriter *w)
{
  open_level (w, '[', FALSE);
}

/**
 * bawn_json_writer_end_array:
 * @w: a writer
 *
 * Closes the innermost level, which is an array.
 */
void
bawn_json_writer_end_array (BawnJsonWriter *w)
{
  close_level (w, ']', FALSE);
}

/**
 * bawn_json_writer_name:
 * @w: a writer
 * @name: a member's name
 *
 * Names the value that follows.
 */
void
bawn_json_writer_name (BawnJsonWriter *w, const char *name)
{
  g_return_if_fail (in_object (w) && !w->named);

  if (w->comma)
    bawn_buffer_append_byte (&w->buffer, ',');
  append_quoted (&w->buffer, name, strlen (name));
  bawn_buffer_append_byte (&w->buffer, ':');
  w->comma = FALSE;
  w->named = TRUE;
}

/**
 * bawn_json_writer_string:
 * @w: a writer
 * @text: (nullable): a text; %NULL is written as null
 *
 * Writes a string. Bytes that are not UTF-8 become U+FFFD one by one.
 */
void
bawn_json_writer_string (BawnJsonWriter *w, const char *text)
{
  if (text == NULL)
    bawn_json_writer_null (w);
  else
    bawn_json_writer_string_n (w, text, strlen (text));
}

/**
 * bawn_json_writer_string_n:
 * @w: a writer
 * @text: (array length=size): a text, which may hold NULs
 * @size: its length
 *
 * Writes a string. Bytes that are not UTF-8 become U+FFFD one by one.
 */
void
bawn_json_writer_string_n (BawnJsonWriter *w, const char *text, gsize size)
{
  begin_value (w);
  append_quoted (&w->buffer, text, size);
}

/**
 * bawn_json_writer_int:
 * @w: a writer
 * @value: a number
 *
 * Writes an integer.
 */
void
bawn_json_writer_int (BawnJsonWriter *w, gint64 value)
{
  char text[24];
  int size = g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, value);

  bawn_json_writer_raw (w, text, (gsize) size);
}

/**
 * bawn_json_writer_uint:
 * @w: a writer
 * @value: a number
 *
 * Writes an integer.
 */
void
bawn_json_writer_uint (BawnJsonWriter *w, guint64 value)
{
  char text[24];
  int size = g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, value);

  bawn_json_writer_raw (w, text, (gsize) size);
}

/**
 * bawn_json_writer_double:
 * @w: a writer
 * @value: a number; what JSON has no text for is written as null
 *
 * Writes a number with as few digits as give the same double again.
 */
void
bawn_json_writer_double (BawnJsonWriter *w, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE] = "null";

  for (int digits = 15; isfinite (value) && digits <= 17; digits++)
    {
      char format[] = { '%', '.', (char) ('0' + digits / 10), (char) ('0' + digits % 10), 'g', 0 };

      g_ascii_formatd (text, sizeof text, format, value);
      if (!(g_ascii_strtod (text, NULL) < value) && !(g_ascii_strtod (text, NULL) > value))
        break;
    }

  bawn_json_writer_raw (w, text, strlen (text));
}

/**
 * bawn_json_writer_bool:
 * @w: a writer
 * @value: a truth
 *
 * Writes true or false.
 */
void
bawn_json_writer_bool (BawnJsonWriter *w, gboolean value)
{
  const char *text = value ? "true" : "false";

  bawn_json_writer_raw (w, text, strlen (text));
}

/**
 * bawn_json_writer_null:
 * @w: a writer
 *
 * Writes null.
 */
void
bawn_json_writer_null (BawnJsonWriter *w)
{
  bawn_json_writer_raw (w, "null", 4);
}

/**
 * bawn_json_writer_strv:
 * @w: a writer
 * @strings: (nullable): texts; %NULL is written as null, none as []
 *
 * Writes an array of strings.
 */
void
bawn_json_writer_strv (BawnJsonWriter *w, const char *const *strings)
{
  if (strings == NULL)
    {
      bawn_json_writer_null (w);
      return;
    }

  bawn_json_writer_begin_array (w);
  for (; *strings != NULL; strings++)
    bawn_json_writer_string (w, *strings);
  bawn_json_writer_end_array (w);
}

/**
 * bawn_json_writer_raw:
 * @w: a writer
 * @json: (array length=size): the text of one value; the caller vouches that it is one
 * @size: its length
 *
 * Splices a value in as it is.
 */
void
bawn_json_writer_raw (BawnJsonWriter *w, const char *json, gsize size)
{
  begin_value (w);
  bawn_buffer_append (&w->buffer, json, size);
}

/**
 * bawn_json_writer_node:
 * @w: a writer
 * @node: (nullable): a value of a document; %NULL is written as null
 *
 * Splices a value in exactly as it was written in its document.
 */
void
bawn_json_writer_node (BawnJsonWriter *w, const BawnJsonNode *node)
{
  if (node == NULL)
    bawn_json_writer_null (w);
  else
    bawn_json_writer_raw (w, node->raw, node->raw_size);
}

/**
 * bawn_json_writer_add_string:
 * @w: a writer
 * @name: a member's name
 * @text: (nullable): as for bawn_json_writer_string()
 *
 * Writes a member.
 */
void
bawn_json_writer_add_string (BawnJsonWriter *w, const char *name, const char *text)
{
  bawn_json_writer_name (w, name);
  bawn_json_writer_string (w, text);
}

/**
 * bawn_json_writer_add_int:
 * @w: a writer
 * @name: a member's name
 * @value: a number
 *
 * Writes a member.
 */
void
bawn_json_writer_add_int (BawnJsonWriter *w, const char *name, gint64 value)
{
  bawn_json_writer_name (w, name);
  bawn_json_writer_int (w, value);
}

/**
 * bawn_json_writer_add_bool:
 * @w: a writer
 * @name: a member's name
 * @value: a truth
 *
 * Writes a member.
 */
void
bawn_json_writer_add_bool (BawnJsonWriter *w, const char *name, gboolean value)
{
  bawn_json_writer_name (w, name);
  bawn_json_writer_bool (w, value);
}

/**
 * bawn_json_writer_add_null:
 * @w: a writer
 * @name: a member's name
 *
 * Writes a member.
 */
void
bawn_json_writer_add_null (BawnJsonWriter *w, const char *name)
{
  bawn_json_writer_name (w, name);
  bawn_json_writer_null (w);
}

/**
 * bawn_json_writer_add_strv:
 * @w: a writer
 * @name: a member's name
 * @strings: (nullable): as for bawn_json_writer_strv()
 *
 * Writes a member.
 */
void
bawn_json_writer_add_strv (BawnJsonWriter *w, const char *name, const char *const *strings)
{
  bawn_json_writer_name (w, name);
  bawn_json_writer_strv (w, strings);
}

/**
 * bawn_json_writer_finish:
 * @w: a writer in which every level is closed
 *
 * Takes the text out; @w is empty and usable again.
 *
 * Returns: (transfer full): the text, in wiping memory
 */
GBytes *
bawn_json_writer_finish (BawnJsonWriter *w)
{
  g_return_val_if_fail (w->depth == 0, NULL);

  GBytes *text = bawn_buffer_steal (&w->buffer);

  bawn_json_writer_clear (w);
  return text;
}

/**
 * bawn_json_writer_clear:
 * @w: a writer
 *
 * Wipes and frees what was written; @w is empty and usable again.
 */
void
bawn_json_writer_clear (BawnJsonWriter *w)
{
  bawn_buffer_clear (&w->buffer);
  w->depth = 0;
  w->comma = FALSE;
  w->named = FALSE;
}
