/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-render.h"

#include <string.h>

#define INDENT 2

static void
append_indent (BawnBuffer *out, guint depth)
{
  for (guint i = 0; i < depth * INDENT; i++)
    bawn_buffer_append_byte (out, ' ');
}

/* The name of a member as a JSON string; its spelling in the document is not kept. */
static void
append_name (BawnBuffer *out, const BawnJsonNode *node)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_string_n (&w, node->name, node->name_size);
  bawn_buffer_append (out, w.buffer.data, w.buffer.size);
}

static void
append_node (BawnBuffer *out, const BawnJsonNode *node, guint depth)
{
  gboolean is_object = node->kind == BAWN_JSON_OBJECT;

  if ((!is_object && node->kind != BAWN_JSON_ARRAY) || node->children == NULL)
    {
      if (node->kind == BAWN_JSON_ARRAY)
        bawn_buffer_append_string (out, "[]");
      else if (is_object)
        bawn_buffer_append_string (out, "{}");
      else
        bawn_buffer_append (out, node->raw, node->raw_size);
      return;
    }

  bawn_buffer_append_string (out, is_object ? "{\n" : "[\n");
  for (const BawnJsonNode *child = node->children; child != NULL; child = child->next)
    {
      append_indent (out, depth + 1);
      if (is_object)
        {
          append_name (out, child);
          bawn_buffer_append_string (out, ": ");
        }
      append_node (out, child, depth + 1);
      bawn_buffer_append_string (out, child->next != NULL ? ",\n" : "\n");
    }
  append_indent (out, depth);
  bawn_buffer_append_byte (out, is_object ? '}' : ']');
}

/**
 * bawn_cli_render_json:
 * @out: what to append to
 * @node: a value
 *
 * Appends it indented. The recursion is as deep as the document, which its parser bounds.
 */
void
bawn_cli_render_json (BawnBuffer *out, const BawnJsonNode *node)
{
  append_node (out, node, 0);
  bawn_buffer_append_byte (out, '\n');
}
