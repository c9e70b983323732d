/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* What can be known of Consul without one: its keys, its bodies, and what its answers mean. */

#include "backend/bawn-consul-txn.h"
#include "storage/bawn-backend-registry.h"
#include "tests/contract/bawn-expect.h"
#include "util/bawn-bytes.h"

#include <string.h>

GType bawn_backend_consul_get_type (void);

static void
test_keys (void)
{
  static const char *const pairs[][2] = {
    { "", "p/" },
    { "a/b", "p/a/b" },
    { "a/", "p/a/" },
    { "a b", "p/a b" },
    { "100%", "p/100%25" },
    { ".", "p/%2E" },
    { "../x", "p/%2E%2E/x" },
    { "...", "p/..." },
    { ".a/b.", "p/.a/b." },
    { "\xc3\xa4", "p/%C3%A4" },
    { "\n\x7f", "p/%0A%7F" },
    { "\"\\?#+&", "p/\"\\?#+&" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree char *encoded = bawn_consul_key_encode ("p/", pairs[i][0]);

      g_assert_cmpstr (encoded, ==, pairs[i][1]);
    }
}

static void
test_path (void)
{
  g_autofree char *path = bawn_consul_key_path ("p/%2E/a b?#");

  g_assert_cmpstr (path, ==, "/v1/kv/p/%252E/a%20b%3F%23");
}

static void
test_names_come_back (void)
{
  for (guint i = 0; i < 20000; i++)
    {
      static const char *const pieces[] = { ".",    "..", "%",        "%2E",
                                            "a",    "B",  "\xc3\xa4", "\xf0\x9f\x94\x91",
                                            "\x01", " ",  "-" };
      g_autoptr (GString) name = g_string_new (NULL);

      for (gint n = g_test_rand_int_range (1, 5); n > 0; n--)
        g_string_append (name, pieces[g_test_rand_int_range (0, G_N_ELEMENTS (pieces))]);
      if (g_test_rand_bit ())
        g_string_append_c (name, '/');

      g_autofree char *encoded = bawn_consul_key_encode ("", name->str);
      g_autofree char *decoded = bawn_consul_name_decode (encoded, strlen (encoded));

      g_assert_cmpstr (decoded, ==, name->str);
    }
}

static void
test_foreign_names (void)
{
  static const char *const foreign[] = { "",    "/",        "%",      "%2",     "%zz", "%41",
                                         "%2e", "a%2Fb",    "%00",    "%FF",    ".",   "..",
                                         "./",  "\xc3\xa4", "%clock", "%probe", "a%" };

  for (guint i = 0; i < G_N_ELEMENTS (foreign); i++)
    g_assert_null (bawn_consul_name_decode (foreign[i], strlen (foreign[i])));
  g_assert_null (bawn_consul_name_decode ("a\0b", 3));
}

static void
test_body (void)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string ("v1");
  g_autoptr (GBytes) empty = bawn_bytes_new_string ("");
  const BawnWrite writes[] = { { BAWN_WRITE_PUT, "a", value },
                               { BAWN_WRITE_DELETE, "b\"", NULL },
                               { BAWN_WRITE_PUT, "c", empty } };
  const BawnCondition conditions[] = { { "a", 7 }, { "d", 0 } };
  g_auto (BawnConsulTxn) txn = { NULL };

  bawn_consul_txn_init (&txn, "p/", writes, 3, conditions, 2);

  g_autofree char *body =
      g_strndup (g_bytes_get_data (txn.body, NULL), g_bytes_get_size (txn.body));
  g_autofree char *expected = g_strdup_printf (
      "[{\"KV\":{\"Verb\":\"check-index\",\"Key\":\"p/a\",\"Index\":7}},"
      "{\"KV\":{\"Verb\":\"check-not-exists\",\"Key\":\"p/d\"}},"
      "{\"KV\":{\"Verb\":\"set\",\"Key\":\"p/a\",\"Value\":\"djE=\",\"Flags\":%" G_GUINT64_FORMAT
      "}},"
      "{\"KV\":{\"Verb\":\"delete\",\"Key\":\"p/b\\\"\"}},"
      "{\"KV\":{\"Verb\":\"set\",\"Key\":\"p/c\",\"Value\":\"\",\"Flags\":%" G_GUINT64_FORMAT "}}]",
      txn.mark, txn.mark);

  g_assert_cmpstr (body, ==, expected);
  g_assert_cmpuint (txn.n_puts, ==, 2);
  g_assert_cmpuint (bawn_consul_txn_count (writes, 3, 2), ==, 5);
}

/* It has a version too, so something must be put that can tell it. */
static void
test_body_of_deletes (void)
{
  const BawnWrite write = { BAWN_WRITE_DELETE, "b", NULL };
  g_auto (BawnConsulTxn) txn = { NULL };

  bawn_consul_txn_init (&txn, "p/", &write, 1, NULL, 0);

  g_autofree char *body =
      g_strndup (g_bytes_get_data (txn.body, NULL), g_bytes_get_size (txn.body));

  g_assert_nonnull (strstr (body, "\"Key\":\"p/%clock\",\"Value\":\"\""));
  g_assert_cmpuint (txn.n_puts, ==, 1);
  g_assert_cmpuint (bawn_consul_txn_count (&write, 1, 0), ==, 2);
}

static BawnBackend *
configured (const char *lines)
{
  g_autofree char *text = g_strconcat ("[storage]\ntype=consul\n", lines, NULL);
  g_autoptr (BawnConfig) config = bawn_config_load_data ("test", text, strlen (text), NULL);

  g_assert_nonnull (config);

  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");
  BawnBackend *backend = g_object_new (bawn_backend_consul_get_type (), "config", group, NULL);
  g_autofree char *type = bawn_config_get_string (group, "type", NULL);

  BAWN_BACKEND_GET_IFACE (backend)->configure (backend);
  assert_works (bawn_config_check (config, &error));
  return backend;
}

/* The largest commit that the limits let through, with keys that grow the most, and as many
 * conditions as are kept room for. */
static void
check_worst (const char *lines, const char *prefix, gsize max_body, gsize key_size)
{
  g_autoptr (BawnBackend) backend = configured (lines);
  BawnBackendLimits limits = { 0 };

  bawn_backend_get_limits (backend, &limits);

  g_autoptr (GArray) writes = g_array_new (FALSE, TRUE, sizeof (BawnWrite));
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *room = g_strnfill (limits.max_commit, 'v');
  gsize left = limits.max_commit - limits.max_writes * key_size;
  BawnCondition conditions[4];
  g_auto (BawnConsulTxn) txn = { NULL };

  for (guint i = 0; i < limits.max_writes; i++)
    {
      gsize size = i + 1 < limits.max_writes
                       ? MIN (left, limits.max_commit / limits.max_writes + i % 3)
                       : MIN (left, limits.max_value);
      BawnWrite write = { BAWN_WRITE_PUT, g_strnfill (key_size, '\x01'),
                          bawn_bytes_new (room, size) };

      left -= size;
      g_ptr_array_add (keys, (gpointer) write.key);
      g_array_append_val (writes, write);
    }
  g_assert_cmpuint (left, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (conditions); i++)
    {
      g_ptr_array_add (keys, g_strnfill (BAWN_BACKEND_MAX_KEY, '\x02'));
      conditions[i] = (BawnCondition){ g_ptr_array_index (keys, keys->len - 1), G_MAXINT64 };
    }

  bawn_consul_txn_init (&txn, prefix, (const BawnWrite *) (gpointer) writes->data, writes->len,
                        conditions, G_N_ELEMENTS (conditions));
  g_assert_cmpuint (g_bytes_get_size (txn.body), <=, max_body);
  for (guint i = 0; i < writes->len; i++)
    g_bytes_unref (g_array_index (writes, BawnWrite, i).value);
}

static void
test_limits_fit (void)
{
  g_autofree char *path = g_strnfill (256, 'p');
  g_autofree char *prefix = g_strconcat (path, "/", NULL);
  g_autofree char *lines = g_strdup_printf ("path=%s\nmax-txn-ops=128\nmax-txn-size=600K\n", path);
  static const gsize sizes[] = { 1, 20, 1000, BAWN_BACKEND_MAX_KEY };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      check_worst ("", "bawn/", 512 * 1024, sizes[i]);
      check_worst ("max-txn-ops=4096", "bawn/", 512 * 1024, sizes[i]);
      check_worst ("max-txn-size=3M\nmax-value-size=2M\nmax-txn-ops=32", "bawn/", 3 * 1024 * 1024,
                   sizes[i]);
      check_worst (lines, prefix, 600 * 1024, sizes[i]);
    }
}

/* However it is configured, a value that the server above counts on goes in. */
static void
test_limits_are_usable (void)
{
  static const char *const all[] = { "", "max-txn-ops=4096", "max-txn-ops=32\nmax-value-size=256K",
                                     "max-txn-size=64M\nmax-value-size=64M" };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_autoptr (BawnBackend) backend = configured (all[i]);
      BawnBackendLimits limits = { 0 };

      bawn_backend_get_limits (backend, &limits);
      g_assert_cmpuint (limits.max_value, >=, 256 * 1024);
      g_assert_cmpuint (limits.max_value, <=, 64 * 1024 * 1024);
      g_assert_cmpuint (limits.max_commit, >, limits.max_value);
      g_assert_cmpuint (limits.max_commit, <=, 64 * 1024 * 1024);
      g_assert_cmpuint (limits.max_writes, >=, 16);
    }
}

static void
make_reply (BawnRestReply *reply, guint status, const char *text)
{
  *reply = (BawnRestReply){
    .status = status,
    .body = bawn_bytes_new_string (text),
    .headers = g_hash_table_new (g_str_hash, g_str_equal),
    .address = "http://127.0.0.1:8500",
  };
}

#define OK (-1)

static void
test_answers_to_a_commit (void)
{
  static const struct
  {
    guint status;
    const char *body;
    int code;
  } cases[] = {
    { 200,
      "{\"Results\":[{\"KV\":{\"Flags\":5,\"ModifyIndex\":9}},{\"KV\":{\"Flags\":5,\"ModifyIndex\":"
      "9}}],\"Errors\":null}",
      OK },
    /* a condition's own */
    { 200,
      "{\"Results\":[{\"KV\":{\"Flags\":4,\"ModifyIndex\":3}},{\"KV\":{\"Flags\":5,\"ModifyIndex\":"
      "9}},{\"KV\":{\"Flags\":5,\"ModifyIndex\":9}}]}",
      OK },
    { 200,
      "{\"Results\":[{\"KV\":{\"Flags\":5,\"ModifyIndex\":9}},{\"KV\":{\"Flags\":5,\"ModifyIndex\":"
      "8}}]}",
      BAWN_ERROR_UNKNOWN_OUTCOME },
    { 200, "{\"Results\":[{\"KV\":{\"Flags\":5,\"ModifyIndex\":9}}]}", BAWN_ERROR_UNKNOWN_OUTCOME },
    { 200,
      "{\"Results\":[{\"KV\":{\"Flags\":5,\"ModifyIndex\":0}},{\"KV\":{\"Flags\":5,\"ModifyIndex\":"
      "0}}]}",
      BAWN_ERROR_UNKNOWN_OUTCOME },
    { 200, "{\"Results\":[null,7]}", BAWN_ERROR_UNKNOWN_OUTCOME },
    { 200, "true", BAWN_ERROR_UNKNOWN_OUTCOME },
    { 200, "", BAWN_ERROR_UNKNOWN_OUTCOME },
    { 204, "", BAWN_ERROR_UNKNOWN_OUTCOME },
    { 409,
      "{\"Errors\":[{\"OpIndex\":0,\"What\":\"failed index check for key \\\"a\\\", current modify "
      "index 14 != 1\"}]}",
      BAWN_ERROR_CONFLICT },
    { 409,
      "{\"Errors\":[{\"OpIndex\":0,\"What\":\"failed to check index, key \\\"a\\\" doesn't "
      "exist\"}]}",
      BAWN_ERROR_CONFLICT },
    { 409, "{\"Errors\":[{\"OpIndex\":0,\"What\":\"key \\\"a\\\" exists\"}]}",
      BAWN_ERROR_CONFLICT },
    { 409, "{\"Errors\":[{\"OpIndex\":1,\"What\":\"Permission denied\"}]}", BAWN_ERROR_UPSTREAM },
    { 409,
      "{\"Errors\":[{\"OpIndex\":0,\"What\":\"key \\\"a\\\" "
      "exists\"},{\"OpIndex\":1,\"What\":\"Permission denied\"}]}",
      BAWN_ERROR_UPSTREAM },
    { 409, "{\"Errors\":[{\"OpIndex\":0,\"What\":\"unknown KV verb \\\"st\\\"\"}]}",
      BAWN_ERROR_UPSTREAM },
    { 409, "Conflict", BAWN_ERROR_UPSTREAM },
    { 400, "Failed to parse body: json: unknown field", BAWN_ERROR_UPSTREAM },
    { 403, "ACL not found", BAWN_ERROR_UPSTREAM },
    { 404, "404 page not found", BAWN_ERROR_UPSTREAM },
    { 413, "Transaction contains too many operations (65 > 64)", BAWN_ERROR_TOO_LARGE },
    { 429, "Too many requests", BAWN_ERROR_UPSTREAM },
    { 301, "<a href=\"/v1/kv/\">Moved Permanently</a>.", BAWN_ERROR_UPSTREAM },
    { 500, "No cluster leader", BAWN_ERROR_UPSTREAM },
    { 500, "rpc error making call: No cluster leader", BAWN_ERROR_UPSTREAM },
    { 500, "rpc error making call: node is not the leader", BAWN_ERROR_UPSTREAM },
    { 500, "rpc error making call: EOF", BAWN_ERROR_UNKNOWN_OUTCOME },
    { 500, "rpc error making call: stream closed", BAWN_ERROR_UNKNOWN_OUTCOME },
    { 500, "rpc error getting client: failed to get conn: dial tcp: connection refused",
      BAWN_ERROR_UNKNOWN_OUTCOME },
    { 500, "leadership lost while committing log", BAWN_ERROR_UNKNOWN_OUTCOME },
    { 502, "Bad Gateway", BAWN_ERROR_UNKNOWN_OUTCOME },
    { 504, "", BAWN_ERROR_UNKNOWN_OUTCOME },
  };
  const BawnConsulTxn txn = { NULL, 5, 2 };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (BawnRestReply) reply = { 0 };
      g_autoptr (GError) error = NULL;
      guint64 version = 0;

      make_reply (&reply, cases[i].status, cases[i].body);

      gboolean ok = bawn_consul_txn_finish (&txn, &reply, &version, &error);

      g_test_message ("%u %s", cases[i].status, cases[i].body);
      g_assert_cmpint (ok, ==, cases[i].code == OK);
      g_assert_cmpuint (version, ==, ok ? 9 : 0);
      if (!ok)
        g_assert_error (error, BAWN_ERROR, cases[i].code);
    }
}

static void
test_answers_to_a_read (void)
{
  static const struct
  {
    const char *body;
    const char *value; /* NULL: refused */
  } cases[] = {
    { "[{\"LockIndex\":0,\"Key\":\"p/"
      "a\",\"Flags\":0,\"Value\":\"eA==\",\"CreateIndex\":7,\"ModifyIndex\":7}]",
      "x" },
    { "[{\"Key\":\"p/a\",\"Value\":null,\"ModifyIndex\":7}]", "" },
    { "[{\"Key\":\"p/b\",\"Value\":\"eA==\",\"ModifyIndex\":7}]", NULL },
    { "[{\"Key\":\"p/a\",\"Value\":\"eA==\",\"ModifyIndex\":0}]", NULL },
    { "[{\"Key\":\"p/a\",\"Value\":\"eA==\"}]", NULL },
    { "[{\"Key\":\"p/a\",\"Value\":\"eA=\",\"ModifyIndex\":7}]", NULL },
    { "[{\"Key\":\"p/a\",\"Value\":5,\"ModifyIndex\":7}]", NULL },
    { "[{\"Key\":\"p/a\",\"Value\":\"eA==\",\"ModifyIndex\":-7}]", NULL },
    { "[]", NULL },
    { "{}", NULL },
    { "x", NULL },
    { "", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (BawnRestReply) reply = { 0 };
      g_autoptr (GBytes) value = NULL;
      guint64 version = 0;

      make_reply (&reply, 200, cases[i].body);
      g_test_message ("%s", cases[i].body);
      g_assert_cmpint (bawn_consul_read_entry (&reply, "p/a", &value, &version), ==,
                       cases[i].value != NULL);
      g_assert_cmpuint (version, ==, cases[i].value != NULL ? 7 : 0);
      if (cases[i].value == NULL)
        continue;
      g_assert_cmpuint (g_bytes_get_size (value), ==, strlen (cases[i].value));
      g_assert_cmpint (
          memcmp (g_bytes_get_data (value, NULL), cases[i].value, strlen (cases[i].value)), ==, 0);
    }
}

static void
test_answers_to_a_list (void)
{
  static const struct
  {
    const char *body;
    const char *after;
    const char *names; /* NULL: refused */
  } cases[] = {
    { "[\"p/b\",\"p/a/\",\"p/%C3%A4\",\"p/%clock\",\"p//\",\"p/\",\"p/a%41\"]", NULL,
      "a/ b \xc3\xa4" },
    { "[\"p/b\",\"p/a/\",\"p/%C3%A4\"]", "a/", "b \xc3\xa4" },
    { "[]", NULL, "" },
    { "[\"q/b\"]", NULL, NULL },
    { "[5]", NULL, NULL },
    { "{}", NULL, NULL },
    { "", NULL, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (BawnRestReply) reply = { 0 };
      g_autoptr (GError) error = NULL;

      make_reply (&reply, 200, cases[i].body);
      g_test_message ("%s", cases[i].body);

      g_autoptr (GPtrArray) names = bawn_consul_read_names (&reply, "p/", cases[i].after, &error);

      if (cases[i].names == NULL)
        {
          g_assert_null (names);
          g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
          continue;
        }
      g_ptr_array_add (names, NULL);

      g_autofree char *joined = g_strjoinv (" ", (GStrv) names->pdata);

      g_assert_cmpstr (joined, ==, cases[i].names);
    }
}

/* What a server says gets into a log, so it may hold neither lines nor pages. */
static void
test_complaints (void)
{
  g_autofree char *long_text = g_strnfill (100000, 'x');
  g_auto (BawnRestReply) reply = { 0 };
  g_auto (BawnRestReply) longer = { 0 };

  make_reply (&reply, 500, "  one\ntwo\x1b[1m\xc3\xa4 ");
  make_reply (&longer, 500, long_text);

  g_autofree char *text = bawn_consul_dup_complaint (&reply);
  g_autofree char *cut = bawn_consul_dup_complaint (&longer);

  g_assert_cmpstr (text, ==, "one two [1m");
  g_assert_cmpuint (strlen (cut), <, 1000);
}

static void
test_mistakes (void)
{
  static const char *const all[] = { "path=/",
                                     "path=a//b",
                                     "path=\xc3\xa4",
                                     "path=a%20",
                                     "path=../a",
                                     "token=a b",
                                     "token=",
                                     "token=x\ntoken-file=/y",
                                     "max-txn-ops=1",
                                     "max-txn-size=1K",
                                     "max-value-size=1M0",
                                     "address=ftp://x",
                                     "max-parallel=0",
                                     "request-timeout=-1",
                                     "sheme=http" };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_autofree char *text = g_strconcat ("[storage]\ntype=consul\n", all[i], "\n", NULL);
      g_autoptr (BawnConfig) config = bawn_config_load_data ("test", text, strlen (text), NULL);
      g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");

      g_test_message ("%s", all[i]);
      bawn_backend_check_config (group);
      assert_fails (bawn_config_check (config, &error), BAWN_ERROR_INVALID);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_backend_register ("consul", bawn_backend_consul_get_type, TRUE);

  g_test_add_func ("/backend/consul/keys-are-printable", test_keys);
  g_test_add_func ("/backend/consul/keys-are-escaped-in-urls", test_path);
  g_test_add_func ("/backend/consul/names-come-back", test_names_come_back);
  g_test_add_func ("/backend/consul/foreign-names-are-none", test_foreign_names);
  g_test_add_func ("/backend/consul/a-commit-checks-before-it-writes", test_body);
  g_test_add_func ("/backend/consul/a-commit-of-deletes-puts-something", test_body_of_deletes);
  g_test_add_func ("/backend/consul/what-the-limits-let-through-fits", test_limits_fit);
  g_test_add_func ("/backend/consul/the-limits-are-usable", test_limits_are_usable);
  g_test_add_func ("/backend/consul/an-answer-to-a-commit-means-one-thing",
                   test_answers_to_a_commit);
  g_test_add_func ("/backend/consul/an-answer-to-a-read-is-checked", test_answers_to_a_read);
  g_test_add_func ("/backend/consul/an-answer-to-a-list-is-checked", test_answers_to_a_list);
  g_test_add_func ("/backend/consul/complaints-fit-into-a-line", test_complaints);
  g_test_add_func ("/backend/consul/mistakes-are-found", test_mistakes);
  return g_test_run ();
}
