/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever is accepted reads the same when it is written again, and every value lies in its text.
 */
#include "config.h"

#include "util/bawn-json.h"
#include "util/bawn-utf8.h"

#include "fuzz.h"

/* Strings are written anew, the rest is copied. */
static void
write_again (BawnJsonWriter *w, const BawnJsonNode *node)
{
  gboolean array = bawn_json_is (node, BAWN_JSON_ARRAY);

  if (bawn_json_is (node, BAWN_JSON_STRING))
    {
      bawn_json_writer_string_n (w, node->string, node->string_size);
      return;
    }
  if (!array)
    {
      bawn_json_writer_node (w, node);
      return;
    }

  bawn_json_writer_begin_array (w);
  for (const BawnJsonNode *child = node->children; child != NULL; child = child->next)
    write_again (w, child);
  bawn_json_writer_end_array (w);
}

static void
check (const BawnJsonNode *node, const char *start, const char *end)
{
  guint n = 0;
  gint64 integer = 0;
  double real = 0;

  g_assert_true (node->raw >= start && node->raw_size > 0
                 && node->raw_size <= (gsize) (end - node->raw));
  g_assert_true (!bawn_json_is (node, BAWN_JSON_STRING)
                 || (node->string[node->string_size] == '\0'
                     && bawn_utf8_valid (node->string, node->string_size)));
  if (bawn_json_node_int (node, &integer))
    g_assert_true (bawn_json_node_double (node, &real));
  for (const BawnJsonNode *child = node->children; child != NULL; child = child->next, n++)
    {
      check (child, node->raw, node->raw + node->raw_size);
      if (bawn_json_is (node, BAWN_JSON_OBJECT))
        bawn_json_get_any_case (node, child->name);
    }
  g_assert_cmpuint (n, ==, node->n_children);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) text = g_bytes_new_static (data, size);
  g_autoptr (BawnJson) json = bawn_json_parse (text, NULL, NULL);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (json == NULL)
    return 0;

  const BawnJsonNode *root = bawn_json_root (json);

  check (root, (const char *) data, (const char *) data + size);
  write_again (&w, root);

  g_autoptr (GBytes) again = bawn_json_writer_finish (&w);
  g_autoptr (BawnJson) json_again = bawn_json_parse (again, NULL, NULL);

  g_assert_nonnull (json_again);
  g_assert_true (bawn_json_node_equal (root, bawn_json_root (json_again)));

  return 0;
}
