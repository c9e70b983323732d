/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-data.h"
#include "cli/bawn-cli-error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* A file descriptor that reads @text. */
static int
input_of (const char *text)
{
  int ends[2];

  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_cmpint (write (ends[1], text, strlen (text)), ==, (gssize) strlen (text));
  close (ends[1]);
  return ends[0];
}

static char *
json_of (const char *const *operands, const char *input, GError **error)
{
  g_autoptr (BawnCliData) data = bawn_cli_data_new ();
  int fd = input_of (input);
  gboolean added = bawn_cli_data_add (data, operands, fd, FALSE, error);

  close (fd);
  if (!added)
    return NULL;

  g_autoptr (GBytes) json = bawn_cli_data_to_json (data);
  return g_strndup (g_bytes_get_data (json, NULL), g_bytes_get_size (json));
}

static char *
scratch_file (const char *content)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("bawn-test-XXXXXX", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  g_assert_true (g_file_set_contents (path, content, -1, NULL));
  return g_steal_pointer (&path);
}

#define OPERANDS(...)                                                                              \
  (const char *const[])                                                                            \
  {                                                                                                \
    __VA_ARGS__, NULL                                                                              \
  }

static void
test_strings (void)
{
  g_autofree char *json =
      json_of (OPERANDS ("a=1", "b=true", "c=", "d=x=y", "e=ü\"", ""), "", NULL);

  g_assert_cmpstr (json, ==,
                   "{\"a\":\"1\",\"b\":\"true\",\"c\":\"\",\"d\":\"x=y\",\"e\":\"ü\\\"\"}");
}

static void
test_repeated_keys (void)
{
  g_autofree char *json = json_of (OPERANDS ("a=1", "b=x", "a=2", "a=3"), "", NULL);

  g_assert_cmpstr (json, ==, "{\"a\":[\"1\",\"2\",\"3\"],\"b\":\"x\"}");
}

static void
test_repeated_array (void)
{
  g_autofree char *json = json_of (OPERANDS ("-", "a=2"), "{\"a\":[1.50]}", NULL);

  g_assert_cmpstr (json, ==, "{\"a\":[1.50,\"2\"]}");
}

static void
test_files (void)
{
  g_autofree char *path = scratch_file ("line\n");
  g_autofree char *at = g_strconcat ("k=@", path, NULL);
  g_autofree char *json = json_of (OPERANDS (at, "l=\\@no", "m=\\no"), "", NULL);

  g_assert_cmpstr (json, ==, "{\"k\":\"line\\n\",\"l\":\"@no\",\"m\":\"\\\\no\"}");
  g_unlink (path);
}

static void
test_input_value (void)
{
  g_autofree char *json = json_of (OPERANDS ("k=-", "l=x"), "from\nthere", NULL);

  g_assert_cmpstr (json, ==, "{\"k\":\"from\\nthere\",\"l\":\"x\"}");
}

static void
test_json_keeps_numbers (void)
{
  g_autofree char *path =
      scratch_file ("{ \"n\": 12345678901234567890, \"f\": 1.50, \"o\": {\"x\": [ ]} }");
  g_autofree char *at = g_strconcat ("@", path, NULL);
  g_autofree char *json = json_of (OPERANDS (at), "", NULL);

  g_assert_cmpstr (json, ==, "{\"n\":12345678901234567890,\"f\":1.50,\"o\":{\"x\": [ ]}}");
  g_unlink (path);
}

static void
test_json_replaces (void)
{
  g_autofree char *json = json_of (OPERANDS ("a=1", "-"), "{\"a\":null,\"b\":2}", NULL);

  g_assert_cmpstr (json, ==, "{\"a\":null,\"b\":2}");
}

static void
test_mistakes (void)
{
  static const struct
  {
    const char *operands[3];
    const char *input;
    const char *hint;
  } rows[] = {
    { { "s3cret" }, "", "key=value" },
    { { "=s3cret" }, "", "key=value" },
    { { "a=-", "b=-" }, "s3cret", "only once" },
    { { "-", "-" }, "{}", "only once" },
    { { "-" }, "[\"s3cret\"]", "not an object" },
    { { "-" }, "{\"a\":s3cret", "not JSON" },
    { { "-" }, "", "not JSON" },
    { { "-" }, "{\"a\\u0000b\":\"s3cret\"}", "NUL" },
    { { "a=@/nonexistent/file" }, "", "/nonexistent/file" },
    { { "@/nonexistent/file" }, "", "/nonexistent/file" },
    { { "@" }, "", "Cannot read" },
    { { "a=@/" }, "", "Cannot read" },
    { { "k=-" }, "\xff\xfe s3cret", "UTF-8" },
    { { "\xff=x" }, "", "UTF-8" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *json = json_of (rows[i].operands, rows[i].input, &error);

      g_assert_null (json);
      g_assert_nonnull (error);
      g_assert_nonnull (strstr (error->message, rows[i].hint));
      g_assert_null (strstr (error->message, "s3cret"));
    }
}

static void
test_query (void)
{
  g_autoptr (BawnCliData) data = bawn_cli_data_new ();
  g_autoptr (BawnCliData) empty = bawn_cli_data_new ();

  g_assert_true (
      bawn_cli_data_add (data, OPERANDS ("a=x y&z", "b=1", "b=ü", "version=2"), -1, FALSE, NULL));
  g_autofree char *query = bawn_cli_data_to_query (data);
  g_assert_cmpstr (query, ==, "a=x%20y%26z&b=1&b=%C3%BC&version=2");
  g_assert_null (bawn_cli_data_to_query (empty));
}

static void
test_remove_and_look (void)
{
  g_autoptr (BawnCliData) data = bawn_cli_data_new ();

  g_assert_true (bawn_cli_data_add (data, OPERANDS ("a=1", "b=2", "b=3"), -1, FALSE, NULL));
  g_autofree char *a = bawn_cli_data_dup_string (data, "a");
  g_autofree char *b = bawn_cli_data_dup_string (data, "b");
  g_assert_cmpstr (a, ==, "1");
  g_assert_null (b);
  g_assert_true (bawn_cli_data_has (data, "b"));

  bawn_cli_data_remove (data, "b");
  bawn_cli_data_remove (data, "nothing");
  g_assert_false (bawn_cli_data_has (data, "b"));
  g_assert_cmpuint (bawn_cli_data_size (data), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/data/values-are-strings", test_strings);
  g_test_add_func ("/cli/data/a-repeated-key-becomes-a-list", test_repeated_keys);
  g_test_add_func ("/cli/data/a-repeated-key-joins-a-list-from-json", test_repeated_array);
  g_test_add_func ("/cli/data/an-at-sign-reads-a-file-unless-escaped", test_files);
  g_test_add_func ("/cli/data/a-dash-reads-the-standard-input", test_input_value);
  g_test_add_func ("/cli/data/json-keeps-its-numbers", test_json_keeps_numbers);
  g_test_add_func ("/cli/data/json-replaces-earlier-members", test_json_replaces);
  g_test_add_func ("/cli/data/mistakes-are-named-and-values-are-not", test_mistakes);
  g_test_add_func ("/cli/data/a-query-is-escaped", test_query);
  g_test_add_func ("/cli/data/members-can-be-looked-at-and-removed", test_remove_and_look);

  return g_test_run ();
}
