/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-rest-json.h"

#include <string.h>

/* Larger than any value that a storage takes. */
#define LARGE (2 * 1024 * 1024)

static BawnJson *
write_value (gconstpointer data, gsize size)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autoptr (GError) error = NULL;

  bawn_json_writer_begin_object (&w);
  bawn_rest_json_base64 (&w, BAWN_REST_ETCD_VALUE, data, size);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) text = bawn_json_writer_finish (&w);
  BawnJson *json = bawn_json_parse (text, NULL, &error);

  g_assert_no_error (error);
  return json;
}

static void
assert_comes_back (const guint8 *data, gsize size)
{
  g_autoptr (BawnJson) json = write_value (data, size);
  g_autofree char *expected = g_base64_encode (data, size);
  g_autoptr (GBytes) back = NULL;

  g_assert_cmpstr (bawn_rest_json_get_string (bawn_json_root (json), BAWN_REST_ETCD_VALUE, NULL),
                   ==, expected);
  g_assert_true (bawn_rest_json_get_base64 (bawn_json_root (json), BAWN_REST_ETCD_VALUE, &back));
  g_assert_cmpmem (g_bytes_get_data (back, NULL), g_bytes_get_size (back), data, size);
}

static void
test_base64 (void)
{
  g_autofree guint8 *data = g_malloc (LARGE);

  for (gsize i = 0; i < LARGE; i++)
    data[i] = (guint8) g_test_rand_int ();
  for (gsize size = 0; size < 20; size++)
    assert_comes_back (data, size);
  /* Around the steps it is encoded in. */
  for (gsize size = 3070; size < 3076; size++)
    assert_comes_back (data, size);
  assert_comes_back (data, LARGE - 1);
  assert_comes_back (data, LARGE);
}

static void
test_bad_base64 (void)
{
  static const char *const bad[] = {
    "\"Zg\"", "\"Zg=\"", "\"Zg==Zg==\"", "\"_-8=\"", "\"Z g=\"",    "\"====\"",       "\"A===\"",
    "\"=\"",  "7",       "{}",           "true",     "\"Zm9v\\n\"", "\"Zm\\u00009v\""
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"value\":%s}", bad[i]);
      g_autoptr (BawnJson) json = bawn_json_parse_string (text, NULL);
      g_autoptr (GBytes) value = NULL;

      g_assert_nonnull (json);
      g_assert_false (
          bawn_rest_json_get_base64 (bawn_json_root (json), BAWN_REST_ETCD_VALUE, &value));
    }
}

static void
test_numbers (void)
{
  static const struct
  {
    const char *text;
    gboolean good;
    guint64 value;
  } cases[] = {
    { "{}", TRUE, 0 },
    { "{\"revision\":\"18446744073709551615\"}", TRUE, G_MAXUINT64 },
    { "{\"revision\":18446744073709551615}", TRUE, G_MAXUINT64 },
    { "{\"revision\":\"0\"}", TRUE, 0 },
    { "{\"revision\":7}", TRUE, 7 },
    { "{\"revision\":\"18446744073709551616\"}", FALSE, 0 },
    { "{\"revision\":\"-1\"}", FALSE, 0 },
    { "{\"revision\":-1}", FALSE, 0 },
    { "{\"revision\":1.5}", FALSE, 0 },
    { "{\"revision\":1e3}", FALSE, 0 },
    { "{\"revision\":\"\"}", FALSE, 0 },
    { "{\"revision\":\"7\\u00008\"}", FALSE, 0 },
    { "{\"revision\":true}", FALSE, 0 },
    { "{\"revision\":[]}", FALSE, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (BawnJson) json = bawn_json_parse_string (cases[i].text, NULL);
      guint64 value = 1;

      g_assert_nonnull (json);
      g_assert_true (
          bawn_rest_json_get_uint64 (bawn_json_root (json), BAWN_REST_ETCD_REVISION, &value)
          == cases[i].good);
      g_assert_cmpuint (value, ==, cases[i].good ? cases[i].value : 1);
    }
}

/* Two fields that are spelt alike on one server would be two names for one thing. */
static void
test_names (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < BAWN_REST_N_FIELDS; i++)
    {
      const char *name = bawn_rest_field_name ((BawnRestField) i);

      g_assert_nonnull (name);
      g_assert_true (g_hash_table_add (seen, (gpointer) name));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rest-json/base64-of-any-size-comes-back", test_base64);
  g_test_add_func ("/rest-json/what-is-not-base64-is-refused", test_bad_base64);
  g_test_add_func ("/rest-json/a-number-may-be-a-string", test_numbers);
  g_test_add_func ("/rest-json/every-field-has-a-name-of-its-own", test_names);

  return g_test_run ();
}
