/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "engine/bawn-kv-json.h"

#include <string.h>

/* The examples of RFC 7386, appendix A, and what it says of duplicate names and of nulls in new
 * objects. */
static const struct
{
  const char *target; /* NULL: absent */
  const char *patch;
  const char *expected;
} vectors[] = {
  { "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
  { "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
  { "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
  { "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
  { "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
  { "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
  { "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
  { "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
  { "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
  { "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
  { "{\"a\":\"foo\"}", "null", "null" },
  { "{\"a\":\"foo\"}", "\"bar\"", "\"bar\"" },
  { "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
  { "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
  { "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
  { NULL, "{\"a\":{\"b\":null,\"c\":1}}", "{\"a\":{\"c\":1}}" },
  { "null", "{\"a\":1}", "{\"a\":1}" },
  /* bytes stay */
  { "{\"a\": 1.50, \"b\":[ 1 ]}", "{\"c\": 1e3 }", "{\"a\":1.50,\"b\":[ 1 ],\"c\":1e3}" },
  /* the last of several counts */
  { "{\"a\":1,\"a\":2}", "{}", "{\"a\":2}" },
  { "{\"a\":1}", "{\"a\":2,\"a\":3}", "{\"a\":3}" },
  { "{\"a\":1}", "{\"b\":1,\"b\":null}", "{\"a\":1}" },
  { "{\"a\":1,\"a\":2}", "{\"a\":null}", "{}" },
  /* names */
  { "{\"\\u0061\":1}", "{\"a\":2}", "{\"a\":2}" },
  { "{\"a\\u0000b\":1,\"a\\u0000c\":2}", "{\"a\\u0000b\":null}", "{\"a\\u0000c\":2}" },
  { "{\"q\\\"\\n\":1}", "{\"\":2}", "{\"q\\\"\\n\":1,\"\":2}" },
};

static char *
text_of (GBytes *bytes)
{
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static BawnJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  BawnJson *json = bawn_json_parse_string (text, &error);

  g_assert_no_error (error);

  return json;
}

static void
test_patches_merge_as_the_rfc_says (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      g_autoptr (BawnJson) target = vectors[i].target != NULL ? parse (vectors[i].target) : NULL;
      g_autoptr (BawnJson) patch = parse (vectors[i].patch);
      g_autoptr (GBytes) merged = bawn_kv_merge_patch (
          target != NULL ? bawn_json_root (target) : NULL, bawn_json_root (patch));
      g_autofree char *text = text_of (merged);

      g_test_message ("%s + %s", vectors[i].target, vectors[i].patch);
      g_assert_cmpstr (text, ==, vectors[i].expected);
    }
}

static char *
nested (const char *open, const char *middle, const char *close, guint depth)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < depth; i++)
    g_string_append (text, open);
  g_string_append (text, middle);
  for (guint i = 0; i < depth; i++)
    g_string_append (text, close);

  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_the_deepest_documents_merge (void)
{
  const guint depth = BAWN_JSON_MAX_DEPTH - 1;
  g_autofree char *one = nested ("{\"a\":", "{\"x\":1}", "}", depth);
  g_autofree char *two = nested ("{\"a\":", "{\"y\":2}", "}", depth);
  g_autofree char *both = nested ("{\"a\":", "{\"x\":1,\"y\":2}", "}", depth);
  g_autofree char *empty = nested ("{\"a\":", "{\"x\":null}", "}", depth);
  g_autoptr (BawnJson) target = parse (one);
  g_autoptr (BawnJson) patch = parse (two);
  g_autoptr (GBytes) merged = bawn_kv_merge_patch (bawn_json_root (target), bawn_json_root (patch));
  g_autoptr (GBytes) subkeys = bawn_kv_subkeys (bawn_json_root (target), 0);
  g_autofree char *text = text_of (merged);
  g_autofree char *names = text_of (subkeys);

  g_assert_cmpstr (text, ==, both);
  g_assert_cmpstr (names, ==, empty);
}

/* Merging must not take time in proportion to the square of the members: with so many, that would
 * not end. */
static void
test_many_members_merge (void)
{
  const guint n = 200000;
  g_autoptr (GString) one = g_string_new ("{\"first\":0");
  g_autoptr (GString) two = g_string_new ("{\"first\":null");

  for (guint i = 0; i < n; i++)
    {
      g_string_append_printf (one, ",\"a%u\":%u", i, i);
      g_string_append_printf (two, ",\"%c%u\":null", i % 2 == 0 ? 'a' : 'b', i);
    }
  g_string_append (one, "}");
  g_string_append (two, "}");

  g_autoptr (BawnJson) target = parse (one->str);
  g_autoptr (BawnJson) patch = parse (two->str);
  g_autoptr (GBytes) merged = bawn_kv_merge_patch (bawn_json_root (target), bawn_json_root (patch));
  g_autoptr (BawnJson) json = bawn_json_parse (merged, NULL, NULL);

  g_assert_cmpuint (bawn_json_root (json)->n_children, ==, n / 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/kv-json/patches-merge-as-the-rfc-says",
                   test_patches_merge_as_the_rfc_says);
  g_test_add_func ("/engine/kv-json/the-deepest-documents-merge", test_the_deepest_documents_merge);
  g_test_add_func ("/engine/kv-json/many-members-merge", test_many_members_merge);

  return g_test_run ();
}
