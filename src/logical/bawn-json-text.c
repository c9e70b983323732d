/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-json-text.h"

static gboolean
is_plain (const char *text, gsize size)
{
  for (gsize i = 0; i < size; i++)
    {
      if (!g_ascii_isalnum (text[i]) && text[i] != '_' && text[i] != '-' && text[i] != ' ')
        return FALSE;
    }

  return TRUE;
}

/**
 * bawn_json_append_quoted:
 * @out: where to
 * @text: (array length=size): a text, which may hold NULs
 * @size: its length
 *
 * Appends a JSON string.
 */
void
bawn_json_append_quoted (BawnBuffer *out, const char *text, gsize size)
{
  if (is_plain (text, size))
    {
      bawn_buffer_append_byte (out, '"');
      bawn_buffer_append (out, text, size);
      bawn_buffer_append_byte (out, '"');
      return;
    }

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_string_n (&w, text, size);
  bawn_buffer_append (out, w.buffer.data, w.buffer.size);
}

/**
 * bawn_json_append_name:
 * @out: where to
 * @member: a member of an object
 * @inout_first: whether nothing stands in the object yet; %FALSE afterwards
 *
 * Appends what stands before a member's value.
 */
void
bawn_json_append_name (BawnBuffer *out, const BawnJsonNode *member, gboolean *inout_first)
{
  if (!*inout_first)
    bawn_buffer_append_byte (out, ',');
  *inout_first = FALSE;
  bawn_json_append_quoted (out, member->name, member->name_size);
  bawn_buffer_append_byte (out, ':');
}
