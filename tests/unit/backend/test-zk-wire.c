/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-messages.h"
#include "backend/bawn-zk-path.h"
#include "backend/bawn-zk-plan.h"
#include "tests/contract/bawn-expect.h"

#include <string.h>

#define ROOT "/bawn/tree"

/* Bytes from "00 00 00 01 'a'": what stands between quotes as it is. */
static GBytes *
bytes_of (const char *text)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  for (const char *p = text; *p != '\0';)
    {
      if (*p == '\'')
        {
          const char *end = strchr (p + 1, '\'');

          bawn_buffer_append (&buffer, p + 1, (gsize) (end - p - 1));
          p = end + 1;
          continue;
        }
      if (*p == ' ')
        {
          p++;
          continue;
        }
      bawn_buffer_append_byte (
          &buffer, (guint8) (g_ascii_xdigit_value (p[0]) * 16 + g_ascii_xdigit_value (p[1])));
      p += 2;
    }
  return bawn_buffer_steal (&buffer);
}

#define STAT                                                                                       \
  "0000000000000001 0000000000000002 0000000000000000 0000000000000000 00000003 00000004 "         \
  "00000005 0000000000000000 00000001 00000006 0000000000000007"

static void
test_numbers (void)
{
  g_autoptr (GBytes) bytes = bytes_of ("fffffffe 8000000000000001 01 00000002 'ab' ffffffff");
  BawnZkReader reader;
  gsize at = 0;
  gsize size = 0;

  bawn_zk_reader_init (&reader, bytes);
  g_assert_cmpint (bawn_zk_read_int (&reader), ==, -2);
  g_assert_cmpint (bawn_zk_read_long (&reader), ==, G_MININT64 + 1);
  g_assert_true (bawn_zk_read_bool (&reader));
  g_assert_true (bawn_zk_read_buffer (&reader, &at, &size));
  g_assert_cmpuint (at, ==, 17);
  g_assert_cmpuint (size, ==, 2);
  g_assert_null (bawn_zk_read_string (&reader));
  assert_works (bawn_zk_reader_end (&reader, "a test", &error));
}

static void
test_mirror (void)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;
  BawnZkReader reader;

  bawn_zk_write_int (&buffer, G_MININT32);
  bawn_zk_write_long (&buffer, G_MAXINT64);
  bawn_zk_write_bool (&buffer, TRUE);
  bawn_zk_write_string (&buffer, "\xc3\xa4");
  bawn_zk_write_buffer (&buffer, "", 0);
  bawn_zk_patch_int (&buffer, 0, 7);

  g_autoptr (GBytes) bytes = bawn_buffer_steal (&buffer);
  gsize at = 0;
  gsize size = 1;

  bawn_zk_reader_init (&reader, bytes);
  g_assert_cmpint (bawn_zk_read_int (&reader), ==, 7);
  g_assert_cmpint (bawn_zk_read_long (&reader), ==, G_MAXINT64);
  g_assert_true (bawn_zk_read_bool (&reader));

  g_autofree char *text = bawn_zk_read_string (&reader);

  g_assert_cmpstr (text, ==, "\xc3\xa4");
  g_assert_true (bawn_zk_read_buffer (&reader, &at, &size));
  g_assert_cmpuint (size, ==, 0);
  g_assert_true (bawn_zk_reader_at_end (&reader));
}

static void
test_short (void)
{
  static const char *const texts[] = { "",           "00",          "000000",       "00000001",
                                       "7fffffff",   "80000000",    "fffffffe",     "00000003 'ab'",
                                       "00000001ff", "00000001 00", "00000002 c328" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GBytes) bytes = bytes_of (texts[i]);
      BawnZkReader reader;

      bawn_zk_reader_init (&reader, bytes);
      g_assert_null (bawn_zk_read_string (&reader));
      /* What comes after a mistake is nothing. */
      g_assert_cmpint (bawn_zk_read_int (&reader), ==, 0);
      g_assert_cmpuint (bawn_zk_read_count (&reader, 1), ==, 0);
      assert_fails (bawn_zk_reader_end (&reader, "a test", &error), BAWN_ERROR_UPSTREAM);
    }
}

static void
test_counts (void)
{
  static const struct
  {
    const char *text;
    gboolean ok;
    guint count;
  } cases[] = {
    { "00000002 00000000 00000000", TRUE, 2 },
    { "00000003 00000000 00000000", FALSE, 0 },
    { "7fffffff 00000000", FALSE, 0 },
    { "ffffffff", FALSE, 0 },
    { "00000000", TRUE, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes = bytes_of (cases[i].text);
      BawnZkReader reader;

      bawn_zk_reader_init (&reader, bytes);
      g_assert_cmpuint (bawn_zk_read_count (&reader, 4), ==, cases[i].count);
      g_assert_cmpint (!reader.failed, ==, cases[i].ok);
    }
}

static void
test_greeting (void)
{
  static const char *const bad[] = {
    "",
    "00000000 00000fa0 0000000000000001 00000010 '0123456789abcde'",
    "00000000 00000fa0 0000000000000001 0000000f '0123456789abcde' 00",
    "00000000 00000fa0 0000000000000001 ffffffff 00",
    "00000000 00000000 0000000000000001 00000010 '0123456789abcdef' 00",
    "00000000 ffffffff 0000000000000001 00000010 '0123456789abcdef' 00",
    "00000001 00000fa0 0000000000000001 00000010 '0123456789abcdef' 00",
    "00000000 00000fa0 0000000000000001 00000010 '0123456789abcdef' 02",
    "00000000 00000fa0 0000000000000001 00000010 '0123456789abcdef' 00 00",
    "'HTTP/1.1 400 Bad Request'",
  };
  static const char *const good[] = {
    "00000000 00000fa0 0000000000000001 00000010 '0123456789abcdef' 00",
    "00000000 00000fa0 0000000000000001 00000010 '0123456789abcdef'",
  };
  BawnZkSession session = { 0 };
  gint32 timeout_ms = 0;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GBytes) bytes = bytes_of (bad[i]);

      assert_fails (bawn_zk_parse_connect (bytes, &timeout_ms, &session, &error),
                    BAWN_ERROR_UPSTREAM);
      g_assert_cmpint (session.id, ==, 0);
    }
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GBytes) bytes = bytes_of (good[i]);

      assert_works (bawn_zk_parse_connect (bytes, &timeout_ms, &session, &error));
      g_assert_cmpint (session.id, ==, 1);
      g_assert_cmpint (timeout_ms, ==, 4000);
      g_assert_cmpmem (session.password, 16, "0123456789abcdef", 16);
    }
}

static void
test_bodies (void)
{
  g_autoptr (GBytes) stat_bytes = bytes_of (STAT);
  g_autoptr (GBytes) data_bytes = bytes_of ("00000002 'ab'" STAT);
  g_autoptr (GBytes) null_bytes = bytes_of ("ffffffff" STAT);
  g_autoptr (GBytes) children_bytes = bytes_of ("00000002 00000001 'a' 00000000" STAT);
  g_autoptr (GBytes) event_bytes = bytes_of ("00000003 00000003 00000002 '/a'");
  g_autoptr (GBytes) value = NULL;
  g_autoptr (GBytes) nothing = NULL;
  g_autoptr (GPtrArray) names = NULL;
  g_autofree char *path = NULL;
  BawnZkStat stat = { 0 };

  assert_works (bawn_zk_parse_stat (stat_bytes, &stat, &error));
  g_assert_cmpint (stat.czxid, ==, 1);
  g_assert_cmpint (stat.mzxid, ==, 2);
  g_assert_cmpint (stat.version, ==, 3);
  g_assert_cmpint (stat.cversion, ==, 4);
  g_assert_cmpint (stat.num_children, ==, 6);
  g_assert_cmpint (stat.pzxid, ==, 7);
  assert_works (bawn_zk_parse_data (data_bytes, &value, &stat, &error));
  g_assert_cmpmem (g_bytes_get_data (value, NULL), g_bytes_get_size (value), "ab", 2);
  assert_works (bawn_zk_parse_data (null_bytes, &nothing, &stat, &error));
  g_assert_cmpuint (g_bytes_get_size (nothing), ==, 0);
  assert_works (bawn_zk_parse_children (children_bytes, &names, &stat, &error));
  g_assert_cmpuint (names->len, ==, 2);
  g_assert_cmpstr (names->pdata[0], ==, "a");
  g_assert_cmpstr (names->pdata[1], ==, "");
  assert_works (bawn_zk_parse_event (event_bytes, &path, &error));
  g_assert_cmpstr (path, ==, "/a");
}

/* Each body, cut at each place and with a byte too many, is refused. */
static void
test_cut_bodies (void)
{
  static const char *const bodies[] = {
    STAT,
    "00000002 'ab'" STAT,
    "00000002 00000001 'a' 00000001 'b'" STAT,
    "00000003 00000003 00000002 '/a'",
    "00000005 00 00000000" STAT "0000000d 00 00000000 ffffffff 01 ffffffff",
  };

  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (GBytes) whole = bytes_of (bodies[i]);
      g_autofree char *longer_text = g_strconcat (bodies[i], "00", NULL);
      g_autoptr (GBytes) longer = bytes_of (longer_text);
      gsize size = g_bytes_get_size (whole);

      for (gsize cut = 0; cut <= size; cut++)
        {
          g_autoptr (GBytes) bytes =
              cut < size ? g_bytes_new_from_bytes (whole, 0, cut) : g_bytes_ref (longer);
          g_autoptr (GBytes) value = NULL;
          g_autoptr (GPtrArray) names = NULL;
          g_autofree char *path = NULL;
          BawnZkStat stat = { 0 };

          switch (i)
            {
            case 0:
              assert_fails (bawn_zk_parse_stat (bytes, &stat, &error), BAWN_ERROR_UPSTREAM);
              break;
            case 1:
              assert_fails (bawn_zk_parse_data (bytes, &value, &stat, &error), BAWN_ERROR_UPSTREAM);
              break;
            case 2:
              assert_fails (bawn_zk_parse_children (bytes, &names, &stat, &error),
                            BAWN_ERROR_UPSTREAM);
              break;
            case 3:
              assert_fails (bawn_zk_parse_event (bytes, &path, &error), BAWN_ERROR_UPSTREAM);
              break;
            default:
              assert_fails (bawn_zk_parse_multi (bytes, &error) != NULL, BAWN_ERROR_UPSTREAM);
              break;
            }
        }
    }
}

static void
test_multi_results (void)
{
  g_autoptr (GBytes) good = bytes_of ("00000005 00 00000000" STAT
                                      "00000001 00 00000000 00000002 '/a' 00000002 00 00000000"
                                      "0000000d 00 00000000 ffffffff 01 ffffffff");
  g_autoptr (GBytes) refused = bytes_of ("ffffffff 00 00000000 00000000"
                                         "ffffffff 00 ffffff99 ffffff99"
                                         "ffffffff 00 fffffffe fffffffe ffffffff 01 ffffffff");
  g_autoptr (GBytes) odd = bytes_of ("00000063 00 00000000 ffffffff 01 ffffffff");
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) results = bawn_zk_parse_multi (good, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (results->len, ==, 4);
  g_assert_cmpint (g_array_index (results, BawnZkResult, 0).op, ==, BAWN_ZK_SET_DATA);
  g_assert_cmpint (g_array_index (results, BawnZkResult, 0).stat.mzxid, ==, 2);
  g_assert_cmpint (g_array_index (results, BawnZkResult, 3).op, ==, BAWN_ZK_CHECK);

  g_autoptr (GArray) failures = bawn_zk_parse_multi (refused, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (failures->len, ==, 3);
  g_assert_cmpint (g_array_index (failures, BawnZkResult, 0).error, ==, 0);
  g_assert_cmpint (g_array_index (failures, BawnZkResult, 1).error, ==, BAWN_ZK_BAD_VERSION);
  g_assert_cmpint (g_array_index (failures, BawnZkResult, 1).op, ==, 0);
  g_assert_null (bawn_zk_parse_multi (odd, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
}

static void
test_paths (void)
{
  static const struct
  {
    const char *key;
    const char *path;
  } cases[] = {
    { "a", ROOT "/_a" },
    { "a/b/c", ROOT "/a/b/_c" },
    { "_a/_b", ROOT "/%5Fa/__b" },
    { "./..", ROOT "/%2E/_.." },
    { "../...", ROOT "/%2E%2E/_..." },
    { ".../.", ROOT "/.../_." },
    { "a%2Fb/%", ROOT "/a%252Fb/_%25" },
    { "\n/\x7f", ROOT "/%0A/_%7F" },
    { "\xc3\xa4/\xe2\x82\xac", ROOT "/\xc3\xa4/_\xe2\x82\xac" },
    /* What needs two units of UTF-16, private use, specials. */
    { "\xf0\x9f\x94\x91/\xee\x80\x80", ROOT "/%F0%9F%94%91/_%EE%80%80" },
    { "\xef\xbf\xbd", ROOT "/_%EF%BF%BD" },
    { "zookeeper", ROOT "/_zookeeper" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = bawn_zk_path_of_key (ROOT, cases[i].key);
      const char *slash = strrchr (cases[i].key, '/');

      g_assert_cmpstr (path, ==, cases[i].path);

      g_autofree char *name = bawn_zk_name_of_child (strrchr (path, '/') + 1);

      g_assert_cmpstr (name, ==, slash != NULL ? slash + 1 : cases[i].key);
      if (slash == NULL)
        continue;

      g_autofree char *prefix = g_strndup (cases[i].key, (gsize) (slash - cases[i].key) + 1);
      g_autofree char *folder = bawn_zk_path_of_folder (ROOT, prefix);
      g_autofree char *above = g_path_get_dirname (path);

      g_assert_cmpstr (folder, ==, above);
    }
}

static void
test_foreign_names (void)
{
  static const char *const names[] = { "",        "_",    "%5f",  "%41",    "_%41",
                                       "%",       "%4",   "%zz",  "%2F",    "_%2F",
                                       "%00",     "_%00", "a%FF", "%2E%2e", "a%2Eb",
                                       "%5Fa%5F", ".",    "..",   "_%5Fa",  "%C3%A4" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = bawn_zk_name_of_child (names[i]);

      g_assert_null (name);
    }
}

static void
test_configured_paths (void)
{
  static const char *const good[] = { "/bawn", "/a/b/c", "/a.b", "/.../x", "/\xc3\xa4" };
  static const char *const bad[] = { "",      "/",      "bawn", "/a/",        "//a",
                                     "/a//b", "/a/./b", "/..",  "/zookeeper", "/zookeeper/x",
                                     "/a\n",  "/a%",    "/\xff" };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (bawn_zk_path_is_valid (good[i]));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (bawn_zk_path_is_valid (bad[i]));
}

/* The operations of @plan as words: "+path" create, "=path" set, "-path" delete. */
static char *
tell_plan (BawnZkPlan *plan)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;
  g_autoptr (GBytes) acl = bawn_zk_acl_new ("world", "anyone");
  GString *out = g_string_new (NULL);
  BawnZkReader reader;

  bawn_zk_plan_write (plan, &buffer, acl);

  g_autoptr (GBytes) bytes = bawn_buffer_steal (&buffer);

  bawn_zk_reader_init (&reader, bytes);
  while (!bawn_zk_reader_at_end (&reader))
    {
      gint32 op = bawn_zk_read_int (&reader);
      gsize at = 0;
      gsize size = 0;

      g_assert_false (bawn_zk_read_bool (&reader));
      g_assert_cmpint (bawn_zk_read_int (&reader), ==, -1);

      g_autofree char *path = bawn_zk_read_string (&reader);

      g_string_append_printf (out, "%s%c%s", out->len > 0 ? " " : "",
                              op == BAWN_ZK_CREATE     ? '+'
                              : op == BAWN_ZK_SET_DATA ? '='
                                                       : '-',
                              path + strlen (ROOT));
      if (op != BAWN_ZK_DELETE)
        g_assert_true (bawn_zk_read_buffer (&reader, &at, &size));
      if (op == BAWN_ZK_CREATE)
        {
          g_assert_cmpuint (bawn_zk_read_count (&reader, 12), ==, 1);
          g_assert_cmpint (bawn_zk_read_int (&reader), ==, 31);
          g_free (bawn_zk_read_string (&reader));
          g_free (bawn_zk_read_string (&reader));
        }
      bawn_zk_read_int (&reader);
      g_assert_false (reader.failed);
    }
  return g_string_free (out, FALSE);
}

/* Plans what @words say ("+key" put, "-key" delete) where the nodes "path:children" are. */
static char *
plan_of (const char *words, const char *nodes)
{
  g_auto (GStrv) keys = g_strsplit (words, " ", -1);
  g_auto (GStrv) there = g_strsplit (nodes, " ", -1);
  g_autoptr (GBytes) value = bawn_bytes_new_string ("v");
  BawnWrite writes[8] = { 0 };
  guint n = g_strv_length (keys);

  g_assert_cmpuint (n, <=, G_N_ELEMENTS (writes));
  for (guint i = 0; i < n; i++)
    writes[i] = (BawnWrite){ keys[i][0] == '+' ? BAWN_WRITE_PUT : BAWN_WRITE_DELETE, keys[i] + 1,
                             keys[i][0] == '+' ? value : NULL };

  g_autoptr (BawnZkPlan) plan = bawn_zk_plan_new (ROOT, writes, n, NULL, 0);

  for (guint i = 0; i < bawn_zk_plan_n_nodes (plan); i++)
    {
      const char *path = bawn_zk_plan_path (plan, i) + strlen (ROOT);
      BawnZkStat stat = { .mzxid = 1 };
      gboolean exists = FALSE;

      for (guint j = 0; there[j] != NULL; j++)
        {
          gsize size = strcspn (there[j], ":");

          if (strlen (path) != size || strncmp (path, there[j], size) != 0)
            continue;
          exists = TRUE;
          stat.num_children = there[j][size] != '\0' ? atoi (there[j] + size + 1) : 0;
        }
      bawn_zk_plan_learn (plan, i, exists ? &stat : NULL);
    }
  return tell_plan (plan);
}

static void
test_plans (void)
{
  static const struct
  {
    const char *words;
    const char *nodes;
    const char *operations;
  } cases[] = {
    { "+a", "", "+/_a" },
    { "+a", "/_a", "=/_a" },
    { "-a", "", "" },
    { "-a", "/_a", "-/_a" },
    { "+a/b/c", "", "+/a +/a/b +/a/b/_c" },
    { "+a/b/c", "/a:1", "+/a/b +/a/b/_c" },
    { "+a/b/c +a/b/d +a/e", "", "+/a +/a/b +/a/b/_c +/a/b/_d +/a/_e" },
    { "-a/b/c", "/a:1 /a/b:1 /a/b/_c", "-/a/b/_c -/a/b -/a" },
    { "-a/b/c", "/a:2 /a/b:1 /a/b/_c", "-/a/b/_c -/a/b" },
    { "-a/b/c", "/a:1 /a/b:2 /a/b/_c", "-/a/b/_c" },
    { "-a/b/c -a/d", "/a:2 /a/b:1 /a/b/_c /a/_d", "-/a/b/_c -/a/_d -/a/b -/a" },
    { "-a/b/c", "/a:1 /a/b:1", "" },
    { "-a/b +a/c", "/a:1 /a/_b", "+/a/_c -/a/_b" },
    { "-a/b/c +a/d", "/a:1 /a/b:1 /a/b/_c", "+/a/_d -/a/b/_c -/a/b" },
    { "+a +a/b", "/_a", "=/_a +/a +/a/_b" },
    { "-a -a/b", "/_a /a:1 /a/_b", "-/_a -/a/_b -/a" },
    { "-x/y +a/b/c", "/x:1 /x/_y", "+/a +/a/b +/a/b/_c -/x/_y -/x" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *operations = plan_of (cases[i].words, cases[i].nodes);

      g_assert_cmpstr (operations, ==, cases[i].operations);
    }
}

static void
test_conflicts (void)
{
  const BawnCondition conditions[] = { { "a", 7 }, { "b/c", 0 } };
  g_autoptr (BawnZkPlan) plan = bawn_zk_plan_new (ROOT, NULL, 0, conditions, 2);
  const BawnZkStat same = { .mzxid = 7 };
  const BawnZkStat later = { .mzxid = 8 };

  /* Of what a condition is about, only the key itself is looked at. */
  g_assert_cmpuint (bawn_zk_plan_n_nodes (plan), ==, 2);
  bawn_zk_plan_learn (plan, 0, &same);
  bawn_zk_plan_learn (plan, 1, NULL);
  g_assert_null (bawn_zk_plan_find_conflict (plan));
  bawn_zk_plan_learn (plan, 1, &same);
  g_assert_cmpstr (bawn_zk_plan_find_conflict (plan), ==, "b/c");
  bawn_zk_plan_learn (plan, 1, NULL);
  bawn_zk_plan_learn (plan, 0, &later);
  g_assert_cmpstr (bawn_zk_plan_find_conflict (plan), ==, "a");
  bawn_zk_plan_learn (plan, 0, NULL);
  g_assert_cmpstr (bawn_zk_plan_find_conflict (plan), ==, "a");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/zk-wire/numbers-are-read-with-their-sign", test_numbers);
  g_test_add_func ("/zk-wire/what-is-written-is-read", test_mirror);
  g_test_add_func ("/zk-wire/a-text-that-is-not-there-is-refused", test_short);
  g_test_add_func ("/zk-wire/a-count-is-bounded-by-what-follows", test_counts);
  g_test_add_func ("/zk-wire/only-a-whole-greeting-is-taken", test_greeting);
  g_test_add_func ("/zk-wire/bodies-are-read", test_bodies);
  g_test_add_func ("/zk-wire/bodies-that-are-cut-are-refused", test_cut_bodies);
  g_test_add_func ("/zk-wire/a-multi-says-what-became-of-each-part", test_multi_results);
  g_test_add_func ("/zk-path/each-key-has-one-path", test_paths);
  g_test_add_func ("/zk-path/names-that-are-not-ours-are-told-apart", test_foreign_names);
  g_test_add_func ("/zk-path/a-path-of-the-configuration-is-checked", test_configured_paths);
  g_test_add_func ("/zk-plan/folders-come-and-go-with-their-keys", test_plans);
  g_test_add_func ("/zk-plan/a-condition-is-about-the-last-change", test_conflicts);
  return g_test_run ();
}
