/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tree is whole: counts are right, keys are there, lines lie in the text. */
#include "config.h"

#include "util/bawn-hcl.h"

#include "fuzz.h"

static void
check (const BawnHclNode *node, guint lines)
{
  g_auto (GStrv) texts = bawn_hcl_node_strv (node);
  gint64 number = 0;
  gboolean truth = FALSE;
  guint n = 0;

  bawn_hcl_node_int (node, &number);
  bawn_hcl_node_bool (node, &truth);
  g_assert_true (node->line >= 1 && node->line <= lines);
  for (const BawnHclNode *child = node->elements; child != NULL; child = child->next, n++)
    check (child, lines);
  for (const BawnHclItem *item = node->items; item != NULL; item = item->next, n++)
    {
      g_assert_cmpuint (item->n_keys, >, 0);
      g_assert_cmpuint (g_strv_length ((char **) item->keys), ==, item->n_keys);
      g_assert_true (item->line >= 1 && item->line <= lines && item->assign_line <= lines);
      check (item->value, lines);
    }
  g_assert_cmpuint (n, ==, node->n_children);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnHcl) hcl = bawn_hcl_parse ((const char *) data, size, &error);
  guint lines = 1;

  if (hcl == NULL)
    {
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return 0;
    }
  for (size_t i = 0; i < size; i++)
    lines += data[i] == '\n' ? 1 : 0;
  check (bawn_hcl_root (hcl), lines);

  g_autoptr (GArray) blocks = bawn_hcl_find_blocks (bawn_hcl_root (hcl), "path", NULL);

  return 0;
}
