/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-render.h"

#include <string.h>

/* Source of the rules: YAML 1.2.2, sections 5.7 (escapes), 7.3 (flow scalars), 8.1 (block
 * scalars), 10.3 (core schema); plain scalars that YAML 1.1 reads as something else are quoted as
 * well. */

#define INDENT 2

static void
append_indent (BawnBuffer *out, guint depth)
{
  for (guint i = 0; i < depth * INDENT; i++)
    bawn_buffer_append_byte (out, ' ');
}

/* Words that some reader takes for null, a boolean or a number that is none. */
static gboolean
is_special_word (const char *text)
{
  static const char *const words[] = { "null", "true", "false", "yes",  "no",    "on",    "off",
                                       "y",    "n",    "~",     ".inf", "-.inf", "+.inf", ".nan" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_ascii_strcasecmp (text, words[i]) == 0)
      return TRUE;

  return FALSE;
}

/* Letters first, then what is never syntax: everything else is quoted, which is never wrong. */
static gboolean
is_plain (const char *text, gsize size)
{
  if (size == 0 || strlen (text) != size || !(g_ascii_isalpha (text[0]) || text[0] == '/'))
    return FALSE;
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("/_-.+@", *c) == NULL)
      return FALSE;

  return !is_special_word (text);
}

static gboolean
is_printable (gunichar c)
{
  return c >= 0x20 && c != 0x7f && !(c >= 0x80 && c <= 0x9f) && c != 0x2028 && c != 0x2029
         && c != 0xfeff && c != 0xfffe && c != 0xffff;
}

static void
append_quoted (BawnBuffer *out, const char *text, gsize size)
{
  const char *end = text + size;

  bawn_buffer_append_byte (out, '"');
  for (const char *c = text; c < end; c = g_utf8_next_char (c))
    {
      gunichar character = g_utf8_get_char (c);

      if (character == '"' || character == '\\')
        {
          bawn_buffer_append_byte (out, '\\');
          bawn_buffer_append_byte (out, (guint8) character);
        }
      else if (character == '\n')
        bawn_buffer_append_string (out, "\\n");
      else if (character == '\t')
        bawn_buffer_append_string (out, "\\t");
      else if (is_printable (character))
        bawn_buffer_append (out, c, (gsize) (g_utf8_next_char (c) - c));
      else
        {
          g_autofree char *escaped = g_strdup_printf ("\\u%04x", character);
          bawn_buffer_append_string (out, escaped);
        }
    }
  bawn_buffer_append_byte (out, '"');
}

/* Several lines of printable text, none of which starts with a blank: certificates, policies, keys.
 */
static gboolean
is_block (const char *text, gsize size)
{
  const char *end = text + size;

  if (size == 0 || memchr (text, '\n', size) == NULL)
    return FALSE;
  for (const char *c = text; c < end; c = g_utf8_next_char (c))
    {
      gunichar character = g_utf8_get_char (c);
      gboolean starts_line = c == text || c[-1] == '\n';

      if (character != '\n' && !is_printable (character) && (starts_line || character != '\t'))
        return FALSE;
      if (starts_line && (character == ' ' || (c == text && character == '\n')))
        return FALSE;
    }

  return TRUE;
}

static void
append_block (BawnBuffer *out, const char *text, gsize size, guint depth)
{
  const char *end = text + size;
  gboolean ends_line = end[-1] == '\n';
  gboolean ends_more = ends_line && size > 1 && end[-2] == '\n';

  /* How many line ends belong to the text: none, one, all. */
  bawn_buffer_append_string (out, ends_more ? "|+" : ends_line ? "|" : "|-");
  for (const char *line = text; line < end;)
    {
      const char *stop = memchr (line, '\n', (gsize) (end - line));
      gsize length = (gsize) ((stop != NULL ? stop : end) - line);

      bawn_buffer_append_byte (out, '\n');
      if (length > 0)
        append_indent (out, depth);
      bawn_buffer_append (out, line, length);
      line += length + 1;
    }
}

static void
append_string (BawnBuffer *out, const char *text, gsize size, guint depth)
{
  if (is_plain (text, size))
    bawn_buffer_append (out, text, size);
  else if (is_block (text, size))
    append_block (out, text, size, MAX (depth, 1));
  else
    append_quoted (out, text, size);
}

static gboolean
is_collection (const BawnJsonNode *node)
{
  return (node->kind == BAWN_JSON_ARRAY || node->kind == BAWN_JSON_OBJECT)
         && node->children != NULL;
}

static void
append_scalar (BawnBuffer *out, const BawnJsonNode *node, guint depth)
{
  if (node->kind == BAWN_JSON_STRING)
    append_string (out, node->string, node->string_size, depth);
  else if (node->kind == BAWN_JSON_ARRAY)
    bawn_buffer_append_string (out, "[]");
  else if (node->kind == BAWN_JSON_OBJECT)
    bawn_buffer_append_string (out, "{}");
  else
    bawn_buffer_append (out, node->raw, node->raw_size);
}

/* Names are short; a block scalar cannot be one. */
static void
append_name (BawnBuffer *out, const BawnJsonNode *node)
{
  if (is_plain (node->name, node->name_size))
    bawn_buffer_append (out, node->name, node->name_size);
  else
    append_quoted (out, node->name, node->name_size);
  bawn_buffer_append_byte (out, ':');
}

/* @first_inline: the first line continues one that is there already ("- "). */
static void
append_collection (BawnBuffer *out, const BawnJsonNode *node, guint depth, gboolean first_inline)
{
  for (const BawnJsonNode *child = node->children; child != NULL; child = child->next)
    {
      if (child != node->children || !first_inline)
        append_indent (out, depth);
      if (node->kind == BAWN_JSON_OBJECT)
        append_name (out, child);
      else
        bawn_buffer_append_byte (out, '-');

      if (!is_collection (child))
        {
          bawn_buffer_append_byte (out, ' ');
          append_scalar (out, child, depth + 1);
          bawn_buffer_append_byte (out, '\n');
        }
      else if (node->kind == BAWN_JSON_ARRAY)
        {
          bawn_buffer_append_byte (out, ' ');
          append_collection (out, child, depth + 1, TRUE);
        }
      else
        {
          bawn_buffer_append_byte (out, '\n');
          append_collection (out, child, child->kind == BAWN_JSON_ARRAY ? depth : depth + 1, FALSE);
        }
    }
}

/**
 * bawn_cli_render_yaml:
 * @out: what to append to
 * @node: a value
 *
 * Appends it as a YAML document. The recursion is as deep as @node's document, which its parser
 * bounds.
 */
void
bawn_cli_render_yaml (BawnBuffer *out, const BawnJsonNode *node)
{
  if (is_collection (node))
    {
      append_collection (out, node, 0, FALSE);
      return;
    }

  append_scalar (out, node, 0);
  bawn_buffer_append_byte (out, '\n');
}
