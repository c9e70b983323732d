/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many documents: tables of what is JSON and what is not, and random ones against json-glib. */
#include "config.h"

#include "util/bawn-error.h"
#include "util/bawn-json.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* A string constant with its length, since some hold NULs. */
#define TEXT(text)                                                                                 \
  {                                                                                                \
    text, sizeof (text) - 1                                                                        \
  }

typedef struct
{
  const char *text;
  gsize size;
} Document;

static const Document valid[] = {
  TEXT ("null"),
  TEXT ("true"),
  TEXT ("false"),
  TEXT ("0"),
  TEXT ("-0"),
  TEXT ("-0.0"),
  TEXT ("10"),
  TEXT ("0.5"),
  TEXT ("-1.25e-10"),
  TEXT ("1E5"),
  TEXT ("1e+0005"),
  TEXT ("123456789012345678901234567890"),
  TEXT ("1e999999"),
  TEXT ("\"\""),
  TEXT ("\" \""),
  TEXT ("\"\x7f\""),
  TEXT ("\"'\""),
  TEXT ("\"/\\/\""),
  TEXT ("\"\\u0000\""),
  TEXT ("\"\\uAbCd\""),
  TEXT ("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
  TEXT ("\"\xed\x9f\xbf\xee\x80\x80\""),
  TEXT ("\"\xe2\x80\xa8\xe2\x80\xa9\""),
  TEXT ("\"\xef\xbb\xbf\""),
  TEXT ("[]"),
  TEXT ("[ ]"),
  TEXT ("[[],[[]]]"),
  TEXT ("[1,\"a\",null,true,{}]"),
  TEXT (" \t\r\n[ 1 \n, 2\t]\r "),
  TEXT ("{}"),
  TEXT ("{ }"),
  TEXT ("{\"\":0}"),
  TEXT ("{\"a\":{\"a\":{\"a\":[{\"a\":null}]}}}"),
  TEXT ("{\"a\":1,\"a\":1}"),
  TEXT ("{\"a\\u0062\":\"\",\"\\\"\":[]}"),
  TEXT ("{ \"a\" : 1 , \"b\" : [ ] }"),
};

static const Document invalid[] = {
  TEXT (""),
  TEXT (" "),
  TEXT ("\0"),
  TEXT ("null\0"),
  TEXT ("\xef\xbb\xbf{}"),
  TEXT ("\xff\xfe[\0]\0"),
  TEXT ("nul"),
  TEXT ("nulL"),
  TEXT ("nullx"),
  TEXT ("True"),
  TEXT ("NaN"),
  TEXT ("-NaN"),
  TEXT ("Infinity"),
  TEXT ("-Infinity"),
  TEXT ("undefined"),
  TEXT ("-"),
  TEXT ("+1"),
  TEXT ("--1"),
  TEXT ("- 1"),
  TEXT ("01"),
  TEXT ("-01"),
  TEXT ("00"),
  TEXT ("0x10"),
  TEXT ("1."),
  TEXT (".5"),
  TEXT ("-.5"),
  TEXT ("1.e1"),
  TEXT ("1e"),
  TEXT ("1e+"),
  TEXT ("1e1.5"),
  TEXT ("1e1e1"),
  TEXT ("1_000"),
  TEXT ("1 000"),
  TEXT ("\xef\xbc\x91"),
  TEXT ("\""),
  TEXT ("\"a"),
  TEXT ("\"a\\"),
  TEXT ("\"a\\\""),
  TEXT ("'a'"),
  TEXT ("a"),
  TEXT ("\"\\x41\""),
  TEXT ("\"\\'\""),
  TEXT ("\"\\a\""),
  TEXT ("\"\\\0\""),
  TEXT ("\"\\u\""),
  TEXT ("\"\\u004\""),
  TEXT ("\"\\u004g\""),
  TEXT ("\"\\U0041\""),
  TEXT ("\"\\ud800\\u\""),
  TEXT ("\"\\ud800\\u00\""),
  TEXT ("\"a\nb\""),
  TEXT ("\"a\tb\""),
  TEXT ("\"a\0b\""),
  TEXT ("\"\x1f\""),
  TEXT ("\"\x80\""),
  TEXT ("\"\xff\""),
  TEXT ("\"\xc0\x80\""),
  TEXT ("\"\xc1\xbf\""),
  TEXT ("\"\xc3\""),
  TEXT ("\"\xc3\x28\""),
  TEXT ("\"\xe0\x9f\xbf\""),
  TEXT ("\"\xe2\x82\""),
  TEXT ("\"\xe2\x28\xa1\""),
  TEXT ("\"\xed\xa0\x80\""),
  TEXT ("\"\xed\xbf\xbf\""),
  TEXT ("\"\xf0\x8f\xbf\xbf\""),
  TEXT ("\"\xf0\x90\x80\""),
  TEXT ("\"\xf4\x90\x80\x80\""),
  TEXT ("\"\xf5\x80\x80\x80\""),
  TEXT ("\"\xf8\x88\x80\x80\x80\""),
  TEXT ("\"\xc3"),
  TEXT ("["),
  TEXT ("]"),
  TEXT ("[1"),
  TEXT ("[1,"),
  TEXT ("[1,]"),
  TEXT ("[,1]"),
  TEXT ("[,]"),
  TEXT ("[1,,2]"),
  TEXT ("[1 2]"),
  TEXT ("[1;2]"),
  TEXT ("[1}"),
  TEXT ("[\"a\":1]"),
  TEXT ("[1]]"),
  TEXT ("[1]x"),
  TEXT ("[] []"),
  TEXT ("1 2"),
  TEXT ("{"),
  TEXT ("}"),
  TEXT ("{]"),
  TEXT ("{\"a\""),
  TEXT ("{\"a\":"),
  TEXT ("{\"a\":}"),
  TEXT ("{\"a\":1"),
  TEXT ("{\"a\":1,"),
  TEXT ("{\"a\":1,}"),
  TEXT ("{\"a\":1]"),
  TEXT ("{,}"),
  TEXT ("{\"a\"}"),
  TEXT ("{\"a\" 1}"),
  TEXT ("{\"a\"::1}"),
  TEXT ("{\"a\"=1}"),
  TEXT ("{a:1}"),
  TEXT ("{'a':1}"),
  TEXT ("{1:1}"),
  TEXT ("{null:1}"),
  TEXT ("{[]:1}"),
  TEXT ("{\"a\":1 \"b\":2}"),
  TEXT ("{\"a\":1,,\"b\":2}"),
  TEXT ("{\"a\":1}}"),
  TEXT ("{\"a\":1}#"),
  TEXT ("// c\n1"),
  TEXT ("/* c */1"),
  TEXT ("[1/**/]"),
  TEXT ("[1]\xc2\xa0"),
  TEXT ("[\f1]"),
  TEXT ("\xe2\x80\xa8[]"),
};

/* Parses a copy that ends exactly where the text does, so that a read behind it is caught. */
static BawnJson *
parse_exactly (Document document, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (document.text, document.size);

  return bawn_json_parse (bytes, NULL, error);
}

static void
test_valid_documents_are_accepted (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (valid); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnJson) json = parse_exactly (valid[i], &error);

      if (json == NULL)
        g_error ("%s: %s", valid[i].text, error->message);
      g_assert_true (bawn_json_node_equal (bawn_json_root (json), bawn_json_root (json)));
    }
}

static void
test_invalid_documents_are_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (invalid); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnJson) json = parse_exactly (invalid[i], &error);

      if (json != NULL)
        g_error ("accepted: %s", invalid[i].text);
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      g_assert_true (g_str_has_prefix (error->message, "invalid JSON"));
    }
}

static void
test_a_cut_container_is_refused_everywhere (void)
{
  static const char whole[] =
      "{\"name\":[1.5e+10,true,false,null,\"\\u00e9\\ud83d\\ude00 \xc3\xa9\"],\"o\":{\"\":{}}}";

  for (gsize size = 0; size < sizeof whole - 1; size++)
    {
      g_autoptr (BawnJson) json = parse_exactly ((Document){ whole, size }, NULL);

      g_assert_null (json);
    }

  g_autoptr (BawnJson) json = parse_exactly ((Document){ whole, sizeof whole - 1 }, NULL);

  g_assert_nonnull (json);
}

static void
append_random_string (BawnJsonWriter *w, GRand *rand, gboolean name)
{
  static const char *const pieces[] = { "a",
                                        "bc",
                                        "\"",
                                        "\\",
                                        "/",
                                        "\n",
                                        "\x01",
                                        "\x7f",
                                        "\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x98\x80",
                                        " ",
                                        "0123456789abcdef",
                                        "{",
                                        "]" };
  g_autoptr (GString) text = g_string_new (NULL);

  for (gint n = g_rand_int_range (rand, 0, 6); n > 0; n--)
    g_string_append (text, pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))]);
  if (name)
    bawn_json_writer_name (w, text->str);
  else
    bawn_json_writer_string (w, text->str);
}

static void
append_random_value (BawnJsonWriter *w, GRand *rand, guint depth)
{
  switch (g_rand_int_range (rand, 0, depth > 0 ? 10 : 7))
    {
    case 0:
      bawn_json_writer_null (w);
      return;
    case 1:
      bawn_json_writer_bool (w, g_rand_boolean (rand));
      return;
    case 2:
      bawn_json_writer_int (w, g_rand_int_range (rand, -1000, 1000));
      return;
    case 3:
      bawn_json_writer_int (w, (gint64) g_rand_int (rand) << 31);
      return;
    case 4:
      bawn_json_writer_double (w, g_rand_double_range (rand, -1e9, 1e9));
      return;
    case 7:
    case 8:
      bawn_json_writer_begin_object (w);
      for (gint n = g_rand_int_range (rand, 0, 5); n > 0; n--)
        {
          append_random_string (w, rand, TRUE);
          append_random_value (w, rand, depth - 1);
        }
      bawn_json_writer_end_object (w);
      return;
    case 9:
      bawn_json_writer_begin_array (w);
      for (gint n = g_rand_int_range (rand, 0, 5); n > 0; n--)
        append_random_value (w, rand, depth - 1);
      bawn_json_writer_end_array (w);
      return;
    default:
      append_random_string (w, rand, FALSE);
    }
}

static void compare_nodes (const BawnJsonNode *ours, JsonNode *theirs);

static void
compare_objects (const BawnJsonNode *ours, JsonObject *theirs)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (const BawnJsonNode *child = ours->children; child != NULL; child = child->next)
    {
      g_hash_table_add (names, (gpointer) child->name);
      compare_nodes (bawn_json_get (ours, child->name),
                     json_object_get_member (theirs, child->name));
    }
  g_assert_cmpuint (g_hash_table_size (names), ==, json_object_get_size (theirs));
}

static void
compare_numbers (const BawnJsonNode *ours, JsonNode *theirs)
{
  gint64 integer = 0;
  double real = 0;

  g_assert_true (bawn_json_node_double (ours, &real));
  g_assert_false (real < json_node_get_double (theirs) || real > json_node_get_double (theirs));
  if (json_node_get_value_type (theirs) != G_TYPE_INT64)
    return;
  g_assert_true (bawn_json_node_int (ours, &integer));
  g_assert_cmpint (integer, ==, json_node_get_int (theirs));
}

static void
compare_nodes (const BawnJsonNode *ours, JsonNode *theirs)
{
  guint index = 0;

  switch (ours->kind)
    {
    case BAWN_JSON_NULL:
      g_assert_true (json_node_is_null (theirs));
      return;
    case BAWN_JSON_FALSE:
    case BAWN_JSON_TRUE:
      g_assert_cmpint (json_node_get_boolean (theirs), ==, ours->kind == BAWN_JSON_TRUE);
      return;
    case BAWN_JSON_NUMBER:
      compare_numbers (ours, theirs);
      return;
    case BAWN_JSON_STRING:
      g_assert_cmpstr (ours->string, ==, json_node_get_string (theirs));
      g_assert_cmpuint (ours->string_size, ==, strlen (ours->string));
      return;
    case BAWN_JSON_ARRAY:
      g_assert_cmpuint (ours->n_children, ==, json_array_get_length (json_node_get_array (theirs)));
      for (const BawnJsonNode *child = ours->children; child != NULL; child = child->next)
        compare_nodes (child, json_array_get_element (json_node_get_array (theirs), index++));
      return;
    case BAWN_JSON_OBJECT:
      compare_objects (ours, json_node_get_object (theirs));
      return;
    }

  g_assert_not_reached ();
}

/* json-glib is right about these: no numbers beyond 64 bits, no NULs, no deep nesting. */
static void
test_random_documents_agree_with_json_glib (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32) g_test_rand_int ());

  for (guint i = 0; i < 2000; i++)
    {
      g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

      append_random_value (&w, rand, 5);

      g_autoptr (GBytes) text = bawn_json_writer_finish (&w);
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnJson) ours = bawn_json_parse (text, NULL, &error);
      g_autoptr (JsonParser) parser = json_parser_new ();

      g_assert_no_error (error);
      json_parser_load_from_data (parser, g_bytes_get_data (text, NULL),
                                  (gssize) g_bytes_get_size (text), &error);
      g_assert_no_error (error);
      compare_nodes (bawn_json_root (ours), json_parser_get_root (parser));
    }
}

static void
write_again (BawnJsonWriter *w, const BawnJsonNode *node)
{
  switch (node->kind)
    {
    case BAWN_JSON_STRING:
      bawn_json_writer_string_n (w, node->string, node->string_size);
      return;
    case BAWN_JSON_ARRAY:
      bawn_json_writer_begin_array (w);
      for (const BawnJsonNode *child = node->children; child != NULL; child = child->next)
        write_again (w, child);
      bawn_json_writer_end_array (w);
      return;
    case BAWN_JSON_OBJECT:
      bawn_json_writer_begin_object (w);
      for (const BawnJsonNode *child = node->children; child != NULL; child = child->next)
        {
          bawn_json_writer_name (w, child->name);
          write_again (w, child);
        }
      bawn_json_writer_end_object (w);
      return;
    case BAWN_JSON_NULL:
    case BAWN_JSON_FALSE:
    case BAWN_JSON_TRUE:
    case BAWN_JSON_NUMBER:
      bawn_json_writer_node (w, node);
      return;
    }

  g_assert_not_reached ();
}

static void
test_what_is_written_reads_the_same (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32) g_test_rand_int ());

  for (guint i = 0; i < 1000; i++)
    {
      g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

      append_random_value (&w, rand, 6);

      g_autoptr (GBytes) text = bawn_json_writer_finish (&w);
      g_autoptr (BawnJson) json = bawn_json_parse (text, NULL, NULL);

      write_again (&w, bawn_json_root (json));

      g_autoptr (GBytes) again = bawn_json_writer_finish (&w);
      g_autoptr (BawnJson) json_again = bawn_json_parse (again, NULL, NULL);

      g_assert_true (bawn_bytes_equal (text, again));
      g_assert_true (bawn_json_node_equal (bawn_json_root (json), bawn_json_root (json_again)));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/util/json-documents/valid-ones-are-accepted",
                   test_valid_documents_are_accepted);
  g_test_add_func ("/util/json-documents/invalid-ones-are-refused",
                   test_invalid_documents_are_refused);
  g_test_add_func ("/util/json-documents/a-cut-container-is-refused-everywhere",
                   test_a_cut_container_is_refused_everywhere);
  g_test_add_func ("/util/json-documents/random-ones-agree-with-json-glib",
                   test_random_documents_agree_with_json_glib);
  g_test_add_func ("/util/json-documents/what-is-written-reads-the-same",
                   test_what_is_written_reads_the_same);

  return g_test_run ();
}
