/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-error.h"
#include "util/bawn-json.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

static BawnJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  BawnJson *json = bawn_json_parse_string (text, &error);

  g_assert_no_error (error);
  g_assert_nonnull (json);

  return json;
}

static void
assert_raw (const BawnJsonNode *node, const char *expected)
{
  g_assert_nonnull (node);
  g_assert_cmpmem (node->raw, node->raw_size, expected, strlen (expected));
}

static void
test_values_keep_their_bytes (void)
{
  g_autoptr (BawnJson) json = parse (" { \"a\" : [ 1.00e+2 , \"\\u0041b\" ] , \"b\":{ } } ");
  const BawnJsonNode *root = bawn_json_root (json);
  const BawnJsonNode *a = bawn_json_get (root, "a");

  assert_raw (root, "{ \"a\" : [ 1.00e+2 , \"\\u0041b\" ] , \"b\":{ } }");
  assert_raw (a, "[ 1.00e+2 , \"\\u0041b\" ]");
  assert_raw (bawn_json_index (a, 0), "1.00e+2");
  assert_raw (bawn_json_index (a, 1), "\"\\u0041b\"");
  g_assert_cmpstr (bawn_json_index (a, 1)->string, ==, "Ab");
  assert_raw (bawn_json_get (root, "b"), "{ }");
  g_assert_null (bawn_json_index (a, 2));
}

static void
test_typed_getters_fall_back (void)
{
  g_autoptr (BawnJson) json =
      parse ("{\"s\":\"x\",\"i\":-7,\"b\":true,\"n\":null,\"f\":1.0,\"l\":[\"a\",\"b\"],"
             "\"m\":[\"a\",1],\"e\":[]}");
  const BawnJsonNode *root = bawn_json_root (json);
  g_auto (GStrv) list = bawn_json_get_strv (root, "l");
  g_auto (GStrv) empty = bawn_json_get_strv (root, "e");

  g_assert_cmpstr (bawn_json_get_string (root, "s", "no"), ==, "x");
  g_assert_cmpstr (bawn_json_get_string (root, "i", "no"), ==, "no");
  g_assert_cmpstr (bawn_json_get_string (root, "n", "no"), ==, "no");
  g_assert_cmpint (bawn_json_get_int (root, "i", 1), ==, -7);
  g_assert_cmpint (bawn_json_get_int (root, "f", 1), ==, 1);
  g_assert_cmpint (bawn_json_get_int (root, "absent", 1), ==, 1);
  g_assert_true (bawn_json_get_bool (root, "b", FALSE));
  g_assert_true (bawn_json_get_bool (root, "s", TRUE));
  g_assert_true (bawn_json_is (bawn_json_get (root, "n"), BAWN_JSON_NULL));
  g_assert_true (g_strv_equal ((const char *const *) list, (const char *[]){ "a", "b", NULL }));
  g_assert_cmpuint (g_strv_length (empty), ==, 0);
  g_assert_null (bawn_json_get_strv (root, "m"));
  g_assert_null (bawn_json_get_strv (root, "s"));
  g_assert_null (bawn_json_get (NULL, "x"));
  g_assert_null (bawn_json_get (bawn_json_get (root, "s"), "x"));
  g_assert_null (bawn_json_index (NULL, 0));
  g_assert_false (bawn_json_is (NULL, BAWN_JSON_NULL));
}

static void
test_the_last_of_equal_names_wins (void)
{
  g_autoptr (BawnJson) json = parse ("{\"a\":1,\"b\":2,\"a\":3}");

  g_assert_cmpuint (bawn_json_root (json)->n_children, ==, 3);
  g_assert_cmpint (bawn_json_get_int (bawn_json_root (json), "a", 0), ==, 3);
}

static void
test_names_can_be_found_in_any_case (void)
{
  g_autoptr (BawnJson) json = parse ("{\"KEY\":1,\"Other\":2,\"other\":3,\"OTHER\":4}");
  const BawnJsonNode *root = bawn_json_root (json);

  assert_raw (bawn_json_get_any_case (root, "key"), "1");
  assert_raw (bawn_json_get_any_case (root, "other"), "3");
  g_assert_null (bawn_json_get_any_case (root, "keys"));
}

static void
test_a_nul_is_a_character (void)
{
  g_autoptr (BawnJson) json = parse ("{\"a\\u0000b\":\"x\\u0000y\"}");
  const BawnJsonNode *child = bawn_json_root (json)->children;

  g_assert_cmpmem (child->name, child->name_size, "a\0b", 3);
  g_assert_cmpmem (child->string, child->string_size + 1, "x\0y", 4);
  g_assert_null (bawn_json_get (bawn_json_root (json), "a"));
}

static void
test_escapes_are_decoded (void)
{
  static const struct
  {
    const char *json;
    const char *text;
  } cases[] = {
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
    { "\"\\u00e9\\u20AC\\uD83D\\ude00\"", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
    { "\"\\ud800\"", "\xef\xbf\xbd" },
    { "\"\\udc00x\"", "\xef\xbf\xbdx" },
    { "\"\\ud800\\n\"", "\xef\xbf\xbd\n" },
    { "\"\\ud800\\u0041\"", "\xef\xbf\xbd"
                            "A" },
    { "\"\\ud800\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
    { "\"\\uffff\\ufffd\"", "\xef\xbf\xbf\xef\xbf\xbd" },
    { "\"plain text that is longer than a word of the machine \xc3\xa4\\\\ and goes on\"",
      "plain text that is longer than a word of the machine \xc3\xa4\\ and goes on" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (BawnJson) json = parse (cases[i].json);
      const BawnJsonNode *root = bawn_json_root (json);

      g_assert_cmpmem (root->string, root->string_size, cases[i].text, strlen (cases[i].text));
      g_assert_cmpstr (root->string, ==, cases[i].text);
    }
}

static void
test_integers_are_read_exactly (void)
{
  static const struct
  {
    const char *json;
    gboolean ok;
    gint64 value;
  } cases[] = {
    { "0", TRUE, 0 },
    { "-0", TRUE, 0 },
    { "9007199254740993", TRUE, G_GINT64_CONSTANT (9007199254740993) },
    { "9223372036854775807", TRUE, G_MAXINT64 },
    { "-9223372036854775808", TRUE, G_MININT64 },
    { "9223372036854775808", FALSE, 0 },
    { "-9223372036854775809", FALSE, 0 },
    { "99999999999999999999999", FALSE, 0 },
    { "1.0", FALSE, 0 },
    { "1e3", FALSE, 0 },
    { "\"1\"", FALSE, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (BawnJson) json = parse (cases[i].json);
      gint64 value = 42;

      g_assert_cmpint (bawn_json_node_int (bawn_json_root (json), &value), ==, cases[i].ok);
      g_assert_cmpint (value, ==, cases[i].ok ? cases[i].value : 42);
    }
}

static void
test_doubles_are_read (void)
{
  g_autofree char *zeros = g_strnfill (200, '0');
  g_autofree char *small = g_strdup_printf ("0.%s1e201", zeros);
  g_autoptr (BawnJson) json = parse ("[1.5,-2e3,1e400,\"1\"]");
  g_autoptr (BawnJson) longer = parse (small);
  const BawnJsonNode *root = bawn_json_root (json);
  double value = 0;

  g_assert_true (bawn_json_node_double (bawn_json_index (root, 0), &value));
  g_assert_true (fabs (value - (1.5)) < 1e-12);
  g_assert_true (bawn_json_node_double (bawn_json_index (root, 1), &value));
  g_assert_true (fabs (value - (-2000.0)) < 1e-12);
  g_assert_false (bawn_json_node_double (bawn_json_index (root, 2), &value));
  g_assert_false (bawn_json_node_double (bawn_json_index (root, 3), &value));
  g_assert_true (bawn_json_node_double (bawn_json_root (longer), &value));
  g_assert_true (fabs (value - (1.0)) < 1e-12);
}

static void
test_equality_is_by_meaning (void)
{
  static const struct
  {
    const char *a;
    const char *b;
    gboolean equal;
  } cases[] = {
    { "1", "1.0", TRUE },
    { "1", "10e-1", TRUE },
    { "100", "1E+2", TRUE },
    { "0", "-0.00e9", TRUE },
    { "0.00120", "12e-4", TRUE },
    { "10.01", "10.1", FALSE },
    { "1001e-2", "10.01", TRUE },
    { "1", "-1", FALSE },
    { "1", "10", FALSE },
    { "9007199254740993", "9007199254740992", FALSE },
    { "1e99999999999999999999", "1e99999999999999999999", TRUE },
    { "1e99999999999999999999", "10e99999999999999999998", FALSE },
    { "\"\\u0041\"", "\"A\"", TRUE },
    { "\"a\"", "\"a\\u0000\"", FALSE },
    { "\"1\"", "1", FALSE },
    { "true", "false", FALSE },
    { "null", "null", TRUE },
    { "[1,2]", "[1.0,2.0]", TRUE },
    { "[1,2]", "[2,1]", FALSE },
    { "[1,2]", "[1,2,3]", FALSE },
    { "{\"a\":1,\"b\":{\"c\":[]}}", "{\"b\":{\"c\":[]},\"a\":1.0}", TRUE },
    { "{\"a\":1,\"a\":2}", "{\"a\":2}", TRUE },
    { "{\"a\":1,\"a\":2}", "{\"a\":1}", FALSE },
    { "{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", FALSE },
    { "{\"a\":1}", "{\"a\\u0000\":1}", FALSE },
    { "{}", "[]", FALSE },
    { "{}", "{}", TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (BawnJson) a = parse (cases[i].a);
      g_autoptr (BawnJson) b = parse (cases[i].b);

      if (bawn_json_node_equal (bawn_json_root (a), bawn_json_root (b)) != cases[i].equal
          || bawn_json_node_equal (bawn_json_root (b), bawn_json_root (a)) != cases[i].equal)
        g_error ("%s and %s: wrong answer", cases[i].a, cases[i].b);
    }
  g_assert_true (bawn_json_node_equal (NULL, NULL));
}

static void
test_a_node_outlives_as_bytes (void)
{
  g_autoptr (BawnJson) json = parse ("{\"data\": {\"n\": 1.10}}");
  g_autoptr (GBytes) bytes =
      bawn_json_node_bytes (json, bawn_json_get (bawn_json_root (json), "data"));

  g_clear_pointer (&json, bawn_json_unref);

  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "{\"n\": 1.10}", 11);
}

static void
test_limits_are_kept (void)
{
  g_autoptr (GBytes) text = bawn_bytes_new_string ("[[1,2],[[3]]]");
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnJson) fits = bawn_json_parse (text, &(BawnJsonLimits){ 3, 7 }, &error);

  g_assert_no_error (error);
  g_assert_nonnull (fits);
  g_assert_null (bawn_json_parse (text, &(BawnJsonLimits){ 2, 0 }, &error));
  g_assert_cmpstr (error->message, ==, "invalid JSON at byte 8: nested too deeply");
  g_clear_error (&error);
  g_assert_null (bawn_json_parse (text, &(BawnJsonLimits){ 0, 6 }, &error));
  g_assert_cmpstr (error->message, ==, "invalid JSON at byte 9: too many values");
}

static gpointer
parse_in_thread (gpointer text)
{
  return bawn_json_parse (text, NULL, NULL);
}

/* Parses on a stack of 64 KiB. */
static BawnJson *
parse_on_small_stack (const char *text)
{
  g_autoptr (GBytes) bytes = bawn_bytes_new_string (text);
  pthread_attr_t attributes;
  pthread_t thread = 0;
  gpointer json = NULL;

  g_assert_cmpint (pthread_attr_init (&attributes), ==, 0);
  g_assert_cmpint (pthread_attr_setstacksize (&attributes, 65536), ==, 0);
  g_assert_cmpint (pthread_create (&thread, &attributes, parse_in_thread, bytes), ==, 0);
  g_assert_cmpint (pthread_join (thread, &json), ==, 0);
  pthread_attr_destroy (&attributes);

  return json;
}

static void
test_deep_nesting_needs_no_stack (void)
{
  g_autofree char *brackets = g_strnfill (1000000, '[');
  g_autofree char *open = g_strnfill (BAWN_JSON_MAX_DEPTH, '[');
  g_autofree char *close = g_strnfill (BAWN_JSON_MAX_DEPTH, ']');
  g_autofree char *deepest = g_strconcat (open, close, NULL);
  g_autoptr (BawnJson) json = parse_on_small_stack (deepest);

  g_assert_nonnull (json);
  g_assert_true (bawn_json_node_equal (bawn_json_root (json), bawn_json_root (json)));
  g_assert_null (parse_on_small_stack (brackets));
}

static void
test_many_values_are_linked_in_order (void)
{
  g_autoptr (GString) text = g_string_new ("[");

  for (guint i = 0; i < 20000; i++)
    g_string_append_printf (text, "%s%u", i > 0 ? "," : "", i);
  g_string_append_c (text, ']');

  g_autoptr (BawnJson) json = parse (text->str);
  gint64 expected = 0;

  g_assert_cmpuint (bawn_json_root (json)->n_children, ==, 20000);
  for (const BawnJsonNode *node = bawn_json_root (json)->children; node != NULL; node = node->next)
    {
      gint64 value = -1;

      g_assert_true (bawn_json_node_int (node, &value));
      g_assert_cmpint (value, ==, expected++);
    }
  g_assert_cmpint (expected, ==, 20000);
}

static void
test_errors_tell_no_content (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (bawn_json_parse_string ("{\"password\":hunter2}", &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==, "invalid JSON at byte 12: value expected");
  g_clear_error (&error);
  g_assert_null (bawn_json_parse_string (" \n", &error));
  g_assert_cmpstr (error->message, ==, "invalid JSON: the text is empty");
}

static void
test_writing_takes_care_of_commas (void)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "s", "x");
  bawn_json_writer_add_string (&w, "absent", NULL);
  bawn_json_writer_add_int (&w, "i", G_MININT64);
  bawn_json_writer_name (&w, "u");
  bawn_json_writer_uint (&w, G_MAXUINT64);
  bawn_json_writer_add_bool (&w, "t", TRUE);
  bawn_json_writer_add_bool (&w, "f", FALSE);
  bawn_json_writer_add_null (&w, "n");
  bawn_json_writer_add_strv (&w, "l", (const char *[]){ "a", "b", NULL });
  bawn_json_writer_add_strv (&w, "e", (const char *[]){ NULL });
  bawn_json_writer_add_strv (&w, "z", NULL);
  bawn_json_writer_name (&w, "o");
  bawn_json_writer_begin_array (&w);
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_end_object (&w);
  bawn_json_writer_begin_array (&w);
  bawn_json_writer_end_array (&w);
  bawn_json_writer_raw (&w, "{\"r\":1}", 7);
  bawn_json_writer_end_array (&w);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) text = bawn_json_writer_finish (&w);

  g_assert_cmpstr (g_bytes_get_data (text, NULL), ==,
                   "{\"s\":\"x\",\"absent\":null,\"i\":-9223372036854775808,"
                   "\"u\":18446744073709551615,\"t\":true,\"f\":false,\"n\":null,"
                   "\"l\":[\"a\",\"b\"],\"e\":[],\"z\":null,\"o\":[{},[],{\"r\":1}]}");
}

static void
test_writing_escapes_text (void)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_array (&w);
  bawn_json_writer_string (&w, "\"\\/\b\f\n\r\t\x01\x1f\x7f<>&");
  bawn_json_writer_string (&w, "\xc3\xa9\xf0\x9f\x98\x80\xe2\x80\xa8");
  bawn_json_writer_string (&w, "a\xffz\xc0\x80\xed\xa0\x80");
  bawn_json_writer_string_n (&w, "x\0y", 3);
  bawn_json_writer_end_array (&w);

  g_autoptr (GBytes) text = bawn_json_writer_finish (&w);

  g_assert_cmpstr (g_bytes_get_data (text, NULL), ==,
                   "[\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\\u001f\x7f<>&\","
                   "\"\xc3\xa9\xf0\x9f\x98\x80\xe2\x80\xa8\","
                   "\"a\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
                   "\"x\\u0000y\"]");
}

static void
test_doubles_are_written_shortly (void)
{
  static const struct
  {
    double value;
    const char *text;
  } cases[] = {
    { 0.1, "0.1" },
    { 1.0, "1" },
    { -2.5, "-2.5" },
    { 1e300, "1e+300" },
    { 1.0 / 3, "0.3333333333333333" },
    { 5e-324, "4.94065645841247e-324" },
    { G_MAXDOUBLE, "1.7976931348623157e+308" },
    { (double) INFINITY, "null" },
    { (double) NAN, "null" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

      bawn_json_writer_double (&w, cases[i].value);

      g_autoptr (GBytes) text = bawn_json_writer_finish (&w);

      g_assert_cmpstr (g_bytes_get_data (text, NULL), ==, cases[i].text);
    }
}

static void
test_the_deepest_document_can_be_written (void)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  for (guint i = 0; i < BAWN_JSON_WRITER_LEVELS / 2; i++)
    {
      bawn_json_writer_begin_array (&w);
      bawn_json_writer_begin_object (&w);
      bawn_json_writer_name (&w, "a");
    }
  bawn_json_writer_int (&w, 1);
  for (guint i = 0; i < BAWN_JSON_WRITER_LEVELS / 2; i++)
    {
      bawn_json_writer_add_int (&w, "b", i);
      bawn_json_writer_end_object (&w);
      bawn_json_writer_end_array (&w);
    }

  g_autoptr (GBytes) text = bawn_json_writer_finish (&w);
  const char *start = g_bytes_get_data (text, NULL);

  g_assert_true (g_str_has_prefix (start, "[{\"a\":[{\"a\":[{"));
  g_assert_true (g_str_has_suffix (start, ",\"b\":94}],\"b\":95}]"));
}

static void
test_wrong_nesting_is_a_critical (void)
{
  if (g_test_subprocess ())
    {
      g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

      bawn_json_writer_begin_object (&w);
      bawn_json_writer_int (&w, 1);
      return;
    }

  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*assertion*failed*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/util/json/values-keep-their-bytes", test_values_keep_their_bytes);
  g_test_add_func ("/util/json/typed-getters-fall-back", test_typed_getters_fall_back);
  g_test_add_func ("/util/json/the-last-of-equal-names-wins", test_the_last_of_equal_names_wins);
  g_test_add_func ("/util/json/names-can-be-found-in-any-case",
                   test_names_can_be_found_in_any_case);
  g_test_add_func ("/util/json/a-nul-is-a-character", test_a_nul_is_a_character);
  g_test_add_func ("/util/json/escapes-are-decoded", test_escapes_are_decoded);
  g_test_add_func ("/util/json/integers-are-read-exactly", test_integers_are_read_exactly);
  g_test_add_func ("/util/json/doubles-are-read", test_doubles_are_read);
  g_test_add_func ("/util/json/equality-is-by-meaning", test_equality_is_by_meaning);
  g_test_add_func ("/util/json/a-node-outlives-as-bytes", test_a_node_outlives_as_bytes);
  g_test_add_func ("/util/json/limits-are-kept", test_limits_are_kept);
  g_test_add_func ("/util/json/deep-nesting-needs-no-stack", test_deep_nesting_needs_no_stack);
  g_test_add_func ("/util/json/many-values-are-linked-in-order",
                   test_many_values_are_linked_in_order);
  g_test_add_func ("/util/json/errors-tell-no-content", test_errors_tell_no_content);
  g_test_add_func ("/util/json-writer/takes-care-of-commas", test_writing_takes_care_of_commas);
  g_test_add_func ("/util/json-writer/escapes-text", test_writing_escapes_text);
  g_test_add_func ("/util/json-writer/doubles-are-written-shortly",
                   test_doubles_are_written_shortly);
  g_test_add_func ("/util/json-writer/the-deepest-document-can-be-written",
                   test_the_deepest_document_can_be_written);
  g_test_add_func ("/util/json-writer/wrong-nesting-is-a-critical",
                   test_wrong_nesting_is_a_critical);

  return g_test_run ();
}
