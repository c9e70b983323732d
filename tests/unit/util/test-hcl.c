/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-error.h"
#include "util/bawn-hcl.h"

#include <string.h>

static BawnHcl *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  BawnHcl *hcl = bawn_hcl_parse (text, strlen (text), &error);

  g_assert_no_error (error);
  g_assert_nonnull (hcl);

  return hcl;
}

/* Writes a tree in one line: {key label:value,…}, [a,b], "text", and other texts as they are. */
static void
dump (GString *out, const BawnHclNode *node)
{
  switch (node->kind)
    {
    case BAWN_HCL_NULL:
    case BAWN_HCL_BOOL:
    case BAWN_HCL_NUMBER:
      g_string_append (out, node->text);
      return;
    case BAWN_HCL_STRING:
      g_string_append_printf (out, "\"%s\"", node->text);
      return;
    case BAWN_HCL_LIST:
      g_string_append_c (out, '[');
      for (const BawnHclNode *element = node->elements; element; element = element->next)
        {
          dump (out, element);
          g_string_append (out, element->next != NULL ? "," : "");
        }
      g_string_append_c (out, ']');
      return;
    case BAWN_HCL_OBJECT:
      g_string_append_c (out, '{');
      for (const BawnHclItem *item = node->items; item; item = item->next)
        {
          g_autofree char *keys = g_strjoinv (" ", (char **) item->keys);

          g_assert_cmpuint (g_strv_length ((char **) item->keys), ==, item->n_keys);
          g_string_append_printf (out, "%s:", keys);
          dump (out, item->value);
          g_string_append (out, item->next != NULL ? "," : "");
        }
      g_string_append_c (out, '}');
      return;
    }

  g_assert_not_reached ();
}

static void
assert_tree (const char *text, const char *expected)
{
  g_autoptr (BawnHcl) hcl = parse (text);
  g_autoptr (GString) out = g_string_new (NULL);

  dump (out, bawn_hcl_root (hcl));
  g_assert_cmpstr (out->str, ==, expected);
}

static void
assert_refused (const char *text, gsize size, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *exact = g_memdup2 (text, size);
  g_autoptr (BawnHcl) hcl = bawn_hcl_parse (exact, size, &error);

  g_assert_null (hcl);
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_the_syntax_is_read (void)
{
  assert_tree ("", "{}");
  assert_tree (" \n\t# only a comment", "{}");
  assert_tree ("path \"secret/*\" {\n  capabilities = [\"read\", \"list\"]\n}\n",
               "{path secret/*:{capabilities:[\"read\",\"list\"]}}");
  assert_tree ("a = 1 b = 2", "{a:1,b:2}");
  assert_tree ("a = {b = 1, c = 2}", "{a:{b:1,c:2}}");
  assert_tree ("a = {\"x y\" = [1, [2, 3], {z = true}],}", "{a:{x y:[1,[2,3],{z:true}]}}");
  assert_tree ("a {}\na {}\na b \"c\" {}", "{a:{},a:{},a b c:{}}");
  assert_tree ("a=[]\nb=[1,]\nc=[,1,,2]", "{a:[],b:[1],c:[1,2]}");
  assert_tree ("a.b-c_d = false", "{a.b-c_d:false}");
  assert_tree ("\xc3\xa4 = \"\xc3\xb6\"", "{\xc3\xa4:\"\xc3\xb6\"}");
}

static void
test_comments_are_skipped (void)
{
  assert_tree ("# one\n// two\n/* three\n * four **/ a /* x */ = /**/ 1 # end\n"
               "b { // c = 1\n d = [ # e\n 1, // f\n 2 /* g */ ]\n}",
               "{a:1,b:{d:[1,2]}}");
}

static void
test_numbers_are_kept_as_written (void)
{
  static const struct
  {
    const char *text;
    gboolean whole;
    gint64 value;
  } cases[] = {
    { "0", TRUE, 0 },     { "42", TRUE, 42 },    { "-7", TRUE, -7 },
    { "0x1F", TRUE, 31 }, { "0755", TRUE, 493 }, { "-0x10", TRUE, -16 },
    { "1.5", FALSE, 0 },  { "1e3", FALSE, 0 },   { "2E-3", FALSE, 0 },
    { ".5", FALSE, 0 },   { "08", FALSE, 0 },    { "9223372036854775808", FALSE, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf ("a = %s", cases[i].text);
      g_autofree char *expected = g_strdup_printf ("{a:%s}", cases[i].text);
      g_autoptr (BawnHcl) hcl = parse (text);
      gint64 value = 0;

      assert_tree (text, expected);
      g_assert_cmpint (bawn_hcl_node_int (bawn_hcl_get (bawn_hcl_root (hcl), "a"), &value), ==,
                       cases[i].whole);
      g_assert_cmpint (value, ==, cases[i].value);
    }
}

static void
test_strings_are_decoded (void)
{
  assert_tree ("a = \"\\\"\\\\\\n\\t\\x41\\101\\u00e9\\U0001f600\"",
               "{a:\"\"\\\n\tAA\xc3\xa9\xf0\x9f\x98\x80\"}");
  assert_tree ("a = \"${f(\"x\n\\y\", {1})} \\\"\"", "{a:\"${f(\"x\n\\y\", {1})} \"\"}");
  assert_tree ("a = \"{{identity.entity.id}} $x $${y}\"",
               "{a:\"{{identity.entity.id}} $x $${y}\"}");
}

static void
test_heredocs_are_read (void)
{
  assert_tree ("a = <<EOF\nx\n  y\nEOF\nb = 1", "{a:\"x\n  y\n\",b:1}");
  assert_tree ("a = <<EOF\r\nx\r\nEOF\r\n", "{a:\"x\n\"}");
  assert_tree ("a = <<EOF\nEOF", "{a:\"\"}");
  assert_tree ("a = <<EOF\n x EOF\n  EOF", "{a:\" x EOF\n\"}");
  assert_tree ("a = <<-EOF\n    x\n      y\n    EOF\n", "{a:\"x\n  y\n\"}");
  assert_tree ("a = <<-EOF\n    x\n  y\n    EOF\n", "{a:\"    x\n  y\n\"}");
  assert_tree ("a = [<<A\n1\nA\n, <<B\n2\nB\n]", "{a:[\"1\n\",\"2\n\"]}");
}

static void
test_json_gives_the_same_tree (void)
{
  assert_tree (" {\"path\": {\"a/*\": {\"capabilities\": [\"read\"]}}, \"n\": -1.50, \"x\": null}",
               "{path:{a/*:{capabilities:[\"read\"]}},n:-1.50,x:null}");
  assert_tree ("{\"a\":{},\"a\":[true,{\"b\\u00e9\":false}]}", "{a:{},a:[true,{b\xc3\xa9:false}]}");
}

static void
test_lines_are_known (void)
{
  g_autoptr (BawnHcl) hcl = parse ("# c\npath \"a\"\n{\n\n  x\n  = /*\n*/ <<E\n\nE\n  y = 1\n}");
  g_autoptr (BawnHcl) json = parse ("{\n\"a\"\n:\n{\n\"b\": [1,\n2]}}");
  const BawnHclItem *path = bawn_hcl_root (hcl)->items;
  const BawnHclItem *x = path->value->items;
  const BawnHclItem *a = bawn_hcl_root (json)->items;

  g_assert_cmpuint (path->line, ==, 2);
  g_assert_cmpuint (path->assign_line, ==, 0);
  g_assert_cmpuint (path->value->line, ==, 3);
  g_assert_cmpuint (x->line, ==, 5);
  g_assert_cmpuint (x->assign_line, ==, 6);
  g_assert_cmpuint (x->value->line, ==, 7);
  g_assert_cmpuint (x->next->line, ==, 10);
  g_assert_cmpuint (a->line, ==, 3);
  g_assert_cmpuint (a->assign_line, ==, 3);
  g_assert_cmpuint (a->value->line, ==, 4);
  g_assert_cmpuint (a->value->items->line, ==, 5);
  g_assert_cmpuint (a->value->items->value->elements->next->line, ==, 6);
}

static void
test_faults_are_told_as_hcl_does (void)
{
  /* The 64th byte is the first of a character of two. */
  static const char long_name[] =
      "a = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xc3\xa9xx";
  static const struct
  {
    const char *text;
    const char *message;
  } cases[] = {
    { "path \"a\" {", "At 1:12: object expected closing RBRACE got: EOF" },
    { "path \"a\" {\n", "At 2:2: object expected closing RBRACE got: EOF" },
    { "path \"a\" {\n  x = 1\n", "At 3:2: object expected closing RBRACE got: EOF" },
    { "a", "At 1:3: key 'a' expected start of object ('{') or assignment ('=')" },
    { "a \"b\" }", "At 1:7: key 'a b' expected start of object ('{') or assignment ('=')" },
    { "x { a }", "At 1:7: key 'a' expected start of object ('{') or assignment ('=')" },
    { "a b = 1", "At 1:5: nested object expected: LBRACE got: ASSIGN" },
    { "= 1", "At 1:1: expected to find at least one object key!" },
    { "{} x", "invalid JSON at byte 3: something follows the document" },
    { "a {}\n{}", "At 2:1: expected: IDENT | STRING got: LBRACE" },
    { "}", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: RBRACE" },
    { "[1]", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: LBRACK" },
    { "1 = 2", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: NUMBER" },
    { "a = b", "At 1:5: Unknown token: 1:5 IDENT b" },
    { "a = {\nb = }", "At 2:5: Unknown token: 2:5 RBRACE }" },
    { "a = [1 2]", "At 1:8: error parsing list, expected comma or list end, got: NUMBER" },
    { "a = [b]", "At 1:6: unexpected token while parsing list: IDENT" },
    { "a = [1", "At 1:8: error parsing list, expected comma or list end, got: EOF" },
    { "a = [}", "At 1:6: unexpected token while parsing list: RBRACE" },
    { "a = \"b", "At 1:7: literal not terminated" },
    { "a = \"b\nc\"", "At 1:7: literal not terminated" },
    { "a = \"\\q\"", "At 1:7: illegal char escape" },
    { "a = \"\\x8z\"", "At 1:9: illegal char escape" },
    { "a = \"\\xff\"", "At 1:9: illegal char escape" },
    { "a = \"\\u0000\"", "At 1:11: illegal char escape" },
    { "a = \"\\U00110000\"", "At 1:15: illegal char escape" },
    { "a = 'b'", "At 1:5: illegal character" },
    { "a = <<", "At 1:7: heredoc not terminated" },
    { "a = <x", "At 1:6: heredoc expected second '<', didn't see it" },
    { "a = <<\n", "At 1:7: zero-length heredoc anchor" },
    { "a = <<\"E\"\n", "At 1:7: invalid characters in heredoc anchor" },
    { "a = <<E\nx\n", "At 3:1: heredoc not terminated" },
    { "/* a", "At 1:5: comment not terminated" },
    { "/ a", "At 1:2: expected '/' for comment" },
    { "a = 0x", "At 1:7: illegal hexadecimal number" },
    { "a = \xff", "At 1:5: illegal UTF-8 encoding" },
    { "{\"a\":", "invalid JSON at byte 5: value expected" },
    { "{\"a\":\n\"b\\u0000\"}", "At 2:1: unexpected null character (0x00)" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (cases[i].text, strlen (cases[i].text), cases[i].message);
  assert_refused (long_name, sizeof long_name - 1,
                  "At 1:5: Unknown token: 1:5 IDENT "
                  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  assert_refused ("a\0b", 3, "At 1:2: unexpected null character (0x00)");
}

static void
test_bounds_are_kept (void)
{
  g_autofree char *deep = g_strnfill (BAWN_HCL_MAX_DEPTH, '[');
  g_autofree char *close = g_strnfill (BAWN_HCL_MAX_DEPTH, ']');
  g_autofree char *fits = g_strconcat ("a = ", deep, close, NULL);
  g_autofree char *lists = g_strconcat ("a = [", deep, NULL);
  g_autoptr (GString) objects = g_string_new (NULL);
  g_autofree char *huge = g_strnfill (BAWN_HCL_MAX_SIZE + 1, ' ');
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnHcl) hcl = parse (fits);

  for (guint i = 0; i <= BAWN_HCL_MAX_DEPTH; i++)
    g_string_append (objects, "a{");
  assert_refused (lists, strlen (lists), "At 1:37: nested too deeply");
  assert_refused (objects->str, objects->len, "At 1:66: nested too deeply");
  g_assert_null (bawn_hcl_parse (huge, BAWN_HCL_MAX_SIZE + 1, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_TOO_LARGE);
}

static void
test_values_are_typed (void)
{
  g_autoptr (BawnHcl) hcl = parse (
      "s = \"x\"\nb = true\nn = 1\nl = [\"a\", \"b\"]\nm = [\"a\", 1]\ns = \"y\"\nk \"l\" {}");
  const BawnHclNode *root = bawn_hcl_root (hcl);
  g_auto (GStrv) list = bawn_hcl_node_strv (bawn_hcl_get (root, "l"));
  gboolean truth = FALSE;
  gint64 number = 0;

  g_assert_cmpstr (bawn_hcl_node_string (bawn_hcl_get (root, "s")), ==, "y");
  g_assert_null (bawn_hcl_node_string (bawn_hcl_get (root, "n")));
  g_assert_null (bawn_hcl_node_string (NULL));
  g_assert_true (bawn_hcl_node_bool (bawn_hcl_get (root, "b"), &truth));
  g_assert_true (truth);
  g_assert_false (bawn_hcl_node_bool (bawn_hcl_get (root, "s"), &truth));
  g_assert_false (bawn_hcl_node_int (bawn_hcl_get (root, "s"), &number));
  g_assert_true (g_strv_equal ((const char *const *) list, (const char *[]){ "a", "b", NULL }));
  g_assert_null (bawn_hcl_node_strv (bawn_hcl_get (root, "m")));
  g_assert_null (bawn_hcl_get (root, "k"));
  g_assert_null (bawn_hcl_get (NULL, "k"));
}

static void
assert_blocks (const char *text, const char *expected)
{
  g_autoptr (BawnHcl) hcl = parse (text);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) blocks = bawn_hcl_find_blocks (bawn_hcl_root (hcl), "path", &error);
  g_autoptr (GString) out = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < blocks->len; i++)
    {
      const BawnHclBlock *block = &g_array_index (blocks, BawnHclBlock, i);

      g_string_append_printf (out, "%u %s ", block->line, block->label);
      dump (out, block->body);
      g_string_append_c (out, ';');
    }
  g_assert_cmpstr (out->str, ==, expected);
}

static void
test_blocks_are_found_however_written (void)
{
  assert_blocks ("name = \"x\"\npath \"a\" { c = 1 }\npath \"b\" {}\npath \"a\" { d = 2 }",
                 "2 a {c:1};3 b {};4 a {d:2};");
  assert_blocks ("path = {\n\"a\" = { c = 1 }\n\"b\" = {}\n}", "2 a {c:1};3 b {};");
  assert_blocks ("{\"path\":{\"a\":{\"c\":1},\n\"b\":{\"x\":{}}},\"name\":\"n\"}",
                 "1 a {c:1};2 b {x:{}};");
  assert_blocks ("{\"path\":[{\"a\":{\"c\":1}},{\"b\":[{\"d\":1},{}]}]}",
                 "1 a {c:1};1 b {d:1};1 b {};");
  assert_blocks ("", "");
}

static void
test_what_is_no_block_is_refused (void)
{
  static const char *const cases[] = {
    "\npath = \"x\"",        "\npath { capabilities = [\"read\"] }",
    "\npath \"a\" \"b\" {}", "\npath = [1]",
    "\npath = [[{}]]",       "\npath = { a = [[{}]] }"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnHcl) hcl = parse (cases[i]);

      g_assert_null (bawn_hcl_find_blocks (bawn_hcl_root (hcl), "path", &error));
      g_assert_cmpstr (error->message, ==, "\"path\" on line 2: expected a label and a block");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/util/hcl/the-syntax-is-read", test_the_syntax_is_read);
  g_test_add_func ("/util/hcl/comments-are-skipped", test_comments_are_skipped);
  g_test_add_func ("/util/hcl/numbers-are-kept-as-written", test_numbers_are_kept_as_written);
  g_test_add_func ("/util/hcl/strings-are-decoded", test_strings_are_decoded);
  g_test_add_func ("/util/hcl/heredocs-are-read", test_heredocs_are_read);
  g_test_add_func ("/util/hcl/json-gives-the-same-tree", test_json_gives_the_same_tree);
  g_test_add_func ("/util/hcl/lines-are-known", test_lines_are_known);
  g_test_add_func ("/util/hcl/faults-are-told-as-hcl-does", test_faults_are_told_as_hcl_does);
  g_test_add_func ("/util/hcl/bounds-are-kept", test_bounds_are_kept);
  g_test_add_func ("/util/hcl/values-are-typed", test_values_are_typed);
  g_test_add_func ("/util/hcl/blocks-are-found-however-written",
                   test_blocks_are_found_however_written);
  g_test_add_func ("/util/hcl/what-is-no-block-is-refused", test_what_is_no_block_is_refused);

  return g_test_run ();
}
