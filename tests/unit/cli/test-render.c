/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-render.h"
#include "cli/bawn-cli-terminal.h"

#include <string.h>

typedef void (*Render) (BawnBuffer *out, const BawnJsonNode *node);

static char *
rendered (Render render, const char *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnJson) document = bawn_json_parse_string (json, &error);
  g_auto (BawnBuffer) out = BAWN_BUFFER_INIT;

  g_assert_no_error (error);
  render (&out, bawn_json_root (document));
  return g_strndup ((const char *) out.data, out.size);
}

static void
assert_rendered (Render render, const char *json, const char *expected)
{
  g_autofree char *text = rendered (render, json);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_json (void)
{
  assert_rendered (bawn_cli_render_json,
                   "{\"b\":1.50,\"a\":[],\"c\":{},\"d\":[{\"x\":null},\"\\u00fc\"]}",
                   "{\n  \"b\": 1.50,\n  \"a\": [],\n  \"c\": {},\n  \"d\": [\n    {\n      \"x\": "
                   "null\n    },\n"
                   "    \"\\u00fc\"\n  ]\n}\n");
  assert_rendered (bawn_cli_render_json, "12345678901234567890", "12345678901234567890\n");
  assert_rendered (bawn_cli_render_json, "{\"a\\\"\":1}", "{\n  \"a\\\"\": 1\n}\n");
}

static void
test_yaml_collections (void)
{
  assert_rendered (
      bawn_cli_render_yaml,
      "{\"a\":{\"b\":[1,2],\"c\":{}},\"d\":[{\"x\":1,\"z\":[3]},[4,[5]],[]],\"e\":null}",
      "a:\n  b:\n  - 1\n  - 2\n  c: {}\nd:\n- x: 1\n  z:\n  - 3\n- - 4\n  - - 5\n- []\ne: null\n");
  assert_rendered (bawn_cli_render_yaml, "[]", "[]\n");
  assert_rendered (bawn_cli_render_yaml, "{}", "{}\n");
}

static void
test_yaml_strings (void)
{
  static const struct
  {
    const char *json;
    const char *yaml;
  } rows[] = {
    { "\"plain\"", "plain\n" },
    { "\"kv/data\"", "kv/data\n" },
    { "\"\"", "\"\"\n" },
    { "\"yes\"", "\"yes\"\n" },
    { "\"Null\"", "\"Null\"\n" },
    { "\"1\"", "\"1\"\n" },
    { "\"1.5\"", "\"1.5\"\n" },
    { "\"a b\"", "\"a b\"\n" },
    { "\"a: b\"", "\"a: b\"\n" },
    { "\"- x\"", "\"- x\"\n" },
    { "\"#x\"", "\"#x\"\n" },
    { "\"\\u0007\\u2028\"", "\"\\u0007\\u2028\"\n" },
    { "\"q\\\"\\\\t\\t\"", "\"q\\\"\\\\t\\t\"\n" },
    { "\"\\ud83d\\ude00!\"", "\"😀!\"\n" },
    { "\"l1\\nl2\"", "|-\n  l1\n  l2\n" },
    { "\"l1\\nl2\\n\"", "|\n  l1\n  l2\n" },
    { "\"l1\\n\\nl2\\n\\n\"", "|+\n  l1\n\n  l2\n\n" },
    { "\" l1\\nl2\"", "\" l1\\nl2\"\n" },
    { "\"\\nl2\"", "\"\\nl2\"\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_rendered (bawn_cli_render_yaml, rows[i].json, rows[i].yaml);
  assert_rendered (bawn_cli_render_yaml, "{\"a b\":\"x\\ny\",\"yes\":[\"p\\nq\\n\"]}",
                   "\"a b\": |-\n  x\n  y\n\"yes\":\n- |\n  p\n  q\n");
}

static void
test_values (void)
{
  assert_rendered (bawn_cli_render_value, "\"a b\"", "a b");
  assert_rendered (bawn_cli_render_value, "null", "<nil>");
  assert_rendered (bawn_cli_render_value, "1.50", "1.50");
  assert_rendered (bawn_cli_render_value, "[\"a\",true,[]]", "[a true []]");
  assert_rendered (bawn_cli_render_value, "{\"b\":1,\"a\":{\"c\":null}}",
                   "map[a:map[c:<nil>] b:1]");
}

static void
test_seconds (void)
{
  static const struct
  {
    gint64 seconds;
    const char *text;
  } rows[] = {
    { 0, "0s" },      { 45, "45s" },
    { 60, "1m" },     { 90, "1m30s" },
    { 3600, "1h" },   { 5400, "1h30m" },
    { 3605, "1h5s" }, { 2764800, "768h" },
    { -60, "-1m" },   { G_MAXINT64, "9223372036854775807s" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text = bawn_cli_render_seconds (rows[i].seconds);
      g_assert_cmpstr (text, ==, rows[i].text);
    }
}

static void
test_duration_names (void)
{
  g_assert_true (bawn_cli_name_means_duration ("ttl"));
  g_assert_true (bawn_cli_name_means_duration ("explicit_max_ttl"));
  g_assert_true (bawn_cli_name_means_duration ("token_period"));
  g_assert_true (bawn_cli_name_means_duration ("lease_duration"));
  g_assert_true (bawn_cli_name_means_duration ("lease_max"));
  g_assert_false (bawn_cli_name_means_duration ("battl"));
  g_assert_false (bawn_cli_name_means_duration ("ttl_seconds"));
  g_assert_false (bawn_cli_name_means_duration (""));
}

static char *
table_text (BawnCliTable *table, gboolean harmless)
{
  g_auto (BawnBuffer) out = BAWN_BUFFER_INIT;

  bawn_cli_table_render (table, harmless, &out);
  return g_strndup ((const char *) out.data, out.size);
}

static void
test_table (void)
{
  static const char *const header[] = { "Key", "Value", NULL };
  g_autoptr (BawnCliTable) table = bawn_cli_table_new (header);
  g_autoptr (BawnJson) ttl = bawn_json_parse_string ("3600", NULL);

  bawn_cli_table_add (table, "a", "", NULL);
  bawn_cli_table_add (table, "größe", "x", NULL);
  bawn_cli_table_add (table, "日本", "y", NULL);
  bawn_cli_table_add_value (table, "ttl", bawn_json_root (ttl));
  bawn_cli_table_add_value (table, "none", NULL);
  g_assert_cmpuint (bawn_cli_table_n_rows (table), ==, 5);

  g_autofree char *text = table_text (table, FALSE);
  g_assert_cmpstr (
      text, ==,
      "Key      Value\n---      -----\na        n/a\ngröße    x\n日本     y\nttl      1h\n"
      "none     <nil>\n");
}

static void
test_terminal_text (void)
{
  g_autoptr (BawnCliTable) table = bawn_cli_table_new (NULL);
  g_autofree char *invalid = bawn_cli_make_harmless ("\xff"
                                                     "a\x9b",
                                                     3);

  bawn_cli_table_add (table, "a\033[31m\rb", "l1\nl2\t\302\233x", NULL);
  g_autofree char *text = table_text (table, TRUE);
  g_assert_cmpstr (text, ==, "a\\x1b[31m\\x0db    l1\nl2\t\\x9bx\n");
  g_assert_true (g_utf8_validate (invalid, -1, NULL));
}

static void
test_deep_documents (void)
{
  g_autoptr (GString) json = g_string_new (NULL);

  for (guint i = 0; i < BAWN_JSON_MAX_DEPTH; i++)
    g_string_append (json, i % 2 ? "[" : "{\"a\":");
  g_string_append (json, "1");
  for (guint i = BAWN_JSON_MAX_DEPTH; i > 0; i--)
    g_string_append (json, (i - 1) % 2 ? "]" : "}");

  g_autofree char *as_json = rendered (bawn_cli_render_json, json->str);
  g_autofree char *as_yaml = rendered (bawn_cli_render_yaml, json->str);
  g_autofree char *as_value = rendered (bawn_cli_render_value, json->str);
  g_autoptr (BawnJson) again = bawn_json_parse_string (as_json, NULL);
  g_autoptr (BawnJson) original = bawn_json_parse_string (json->str, NULL);
  g_assert_true (bawn_json_node_equal (bawn_json_root (again), bawn_json_root (original)));
  g_assert_nonnull (strstr (as_yaml, "- a:"));
  g_assert_true (g_str_has_prefix (as_value, "map[a:["));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/render/json-is-indented-and-keeps-numbers", test_json);
  g_test_add_func ("/cli/render/yaml-nests-lists-and-maps", test_yaml_collections);
  g_test_add_func ("/cli/render/yaml-quotes-what-would-be-read-as-something-else",
                   test_yaml_strings);
  g_test_add_func ("/cli/render/values-look-as-in-vaults-tables", test_values);
  g_test_add_func ("/cli/render/seconds-become-short-durations", test_seconds);
  g_test_add_func ("/cli/render/names-tell-what-is-a-duration", test_duration_names);
  g_test_add_func ("/cli/render/tables-have-columns-by-width", test_table);
  g_test_add_func ("/cli/render/escape-sequences-do-not-reach-a-terminal", test_terminal_text);
  g_test_add_func ("/cli/render/the-deepest-document-is-rendered", test_deep_documents);

  return g_test_run ();
}
