/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-config.h"
#include "util/bawn-error.h"

#include <glib/gstdio.h>
#include <string.h>

#define SECOND ((gint64) G_USEC_PER_SEC)

static BawnConfig *
load (const char *text)
{
  g_autoptr (GError) error = NULL;
  BawnConfig *config = bawn_config_load_data ("test.conf", text, strlen (text), &error);

  g_assert_no_error (error);
  return config;
}

static void
assert_problems (BawnConfig *config, const char *expected)
{
  g_auto (GStrv) problems = bawn_config_dup_problems (config);
  g_autofree char *text = g_strjoinv ("\n", problems);
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpint (bawn_config_check (config, &error), ==, *expected == '\0');
  if (*expected == '\0')
    g_assert_no_error (error);
  else
    {
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      g_assert_cmpstr (error->message, ==, expected);
    }
}

/* A folder with a bawn.conf and drop-ins, gone after the test. */
typedef struct
{
  char *folder;
  char *path;
  char *drop_ins;
} Files;

static void
files_set_up (Files *files, gconstpointer data)
{
  files->folder = g_dir_make_tmp ("bawn-config-XXXXXX", NULL);
  g_assert_nonnull (files->folder);
  files->path = g_build_filename (files->folder, "bawn.conf", NULL);
  files->drop_ins = g_build_filename (files->folder, "bawn.conf.d", NULL);
}

static void
files_remove (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);

  for (const char *name = dir ? g_dir_read_name (dir) : NULL; name; name = g_dir_read_name (dir))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        files_remove (path);
      else
        g_assert_cmpint (g_unlink (path), ==, 0);
    }
  if (dir != NULL)
    g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
files_tear_down (Files *files, gconstpointer data)
{
  files_remove (files->folder);
  g_free (files->folder);
  g_free (files->path);
  g_free (files->drop_ins);
}

static void
write_file (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_values_of_every_type_are_read (void)
{
  g_autoptr (BawnConfig) config = load ("# a comment\n"
                                        "\n"
                                        "  [server]  \r\n"
                                        "text = two words \r\n"
                                        "escaped=a\\sb\\\\c\\n\n"
                                        "hash=#a#b\\s#c\n"
                                        "list = a, b;c ,, d\\,e;\n"
                                        "yes=true\nno=false\none=1\n"
                                        "int=-12\nsize=64K\ngigs=2G\nplain=77\n"
                                        "time=1m30s\nbare=5\nempty=\nchoice=forward\n"
                                        "equals=a=b\n");
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "server");
  g_autofree char *text = bawn_config_get_string (group, "text", NULL);
  g_autofree char *escaped = bawn_config_get_string (group, "escaped", NULL);
  g_autofree char *hash = bawn_config_get_string (group, "hash", NULL);
  g_autofree char *empty = bawn_config_get_string (group, "empty", "x");
  g_autofree char *equals = bawn_config_get_string (group, "equals", NULL);
  g_autofree char *absent = bawn_config_get_string (group, "absent", "fallback");
  g_auto (GStrv) list = bawn_config_get_list (group, "list");
  g_auto (GStrv) no_list = bawn_config_get_list (group, "absent");
  static const char *const names[] = { "linearizable", "session", "forward", NULL };

  g_assert_cmpstr (bawn_config_group_get_name (group), ==, "server");
  g_assert_cmpstr (text, ==, "two words");
  g_assert_cmpstr (escaped, ==, "a b\\c\n");
  g_assert_cmpstr (hash, ==, "#a#b #c");
  g_assert_cmpstr (empty, ==, "");
  g_assert_cmpstr (equals, ==, "a=b");
  g_assert_cmpstr (absent, ==, "fallback");
  g_assert_true (
      g_strv_equal ((const char *const *) list, (const char *[]){ "a", "b", "c", "d,e", NULL }));
  g_assert_null (no_list);
  g_assert_true (bawn_config_get_bool (group, "yes", FALSE));
  g_assert_false (bawn_config_get_bool (group, "no", TRUE));
  g_assert_true (bawn_config_get_bool (group, "one", FALSE));
  g_assert_true (bawn_config_get_bool (group, "absent", TRUE));
  g_assert_cmpint (bawn_config_get_int (group, "int", 1, -12, 10), ==, -12);
  g_assert_cmpint (bawn_config_get_int (group, "absent", 99, 0, 10), ==, 99);
  g_assert_cmpint (bawn_config_get_size (group, "size", 0, 0, G_MAXINT64), ==, 65536);
  g_assert_cmpint (bawn_config_get_size (group, "gigs", 0, 0, G_MAXINT64), ==,
                   G_GINT64_CONSTANT (2147483648));
  g_assert_cmpint (bawn_config_get_size (group, "plain", 0, 0, G_MAXINT64), ==, 77);
  g_assert_cmpint (bawn_config_get_duration_us (group, "time", 0, 0, G_MAXINT64), ==, 90 * SECOND);
  g_assert_cmpint (bawn_config_get_duration_us (group, "bare", 0, 0, G_MAXINT64), ==, 5 * SECOND);
  g_assert_cmpuint (bawn_config_get_choice (group, "choice", names, 0), ==, 2);
  g_assert_cmpuint (bawn_config_get_choice (group, "absent", names, 1), ==, 1);
  g_assert_true (bawn_config_group_has (group, "empty"));
  g_assert_false (bawn_config_group_has (group, "absent"));
  assert_problems (config, "");
}

static void
test_wrong_values_are_named (void)
{
  g_autoptr (BawnConfig) config = load ("[listener]\n"
                                        "tls-disable=maybe\n"
                                        "n=12x\nbig=11\nsmall=0\n"
                                        "size=5T\nhuge=9999999999G\nhalf=1.5M\n"
                                        "time=5 minutes\nlong=2h\n"
                                        "choice=none\n"
                                        "escape=a\\qb\nhanging=a\\\n"
                                        "list=a\\q,b\n"
                                        "umlaut=\xc3\xa4\\t\"\n");
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "listener");
  static const char *const names[] = { "a", "b", NULL };
  g_autofree char *escape = bawn_config_get_string (group, "escape", "fallback");
  g_autofree char *hanging = bawn_config_get_string (group, "hanging", NULL);
  g_auto (GStrv) list = bawn_config_get_list (group, "list");

  g_assert_true (bawn_config_get_bool (group, "tls-disable", TRUE));
  g_assert_true (bawn_config_get_bool (group, "tls-disable", TRUE));
  g_assert_cmpint (bawn_config_get_int (group, "n", 5, 1, 10), ==, 5);
  g_assert_cmpint (bawn_config_get_int (group, "big", 5, 1, 10), ==, 5);
  g_assert_cmpint (bawn_config_get_int (group, "small", 5, 1, G_MAXINT64), ==, 5);
  g_assert_cmpint (bawn_config_get_size (group, "size", 5, 1024, 1024 * 1024), ==, 5);
  g_assert_cmpint (bawn_config_get_size (group, "huge", 5, 0, G_MAXINT64), ==, 5);
  g_assert_cmpint (bawn_config_get_size (group, "half", 5, 0, G_MAXINT64), ==, 5);
  g_assert_cmpint (bawn_config_get_duration_us (group, "time", 5, 0, G_MAXINT64), ==, 5);
  g_assert_cmpint (bawn_config_get_duration_us (group, "long", 5, SECOND, 3600 * SECOND), ==, 5);
  g_assert_cmpuint (bawn_config_get_choice (group, "choice", names, 1), ==, 1);
  g_assert_cmpstr (escape, ==, "fallback");
  g_assert_null (hanging);
  g_assert_cmpstr (list[0], ==, "b");
  g_assert_false (bawn_config_get_bool (group, "umlaut", FALSE));
  bawn_config_complain (group, "n", "is no good with %s", "big");
  bawn_config_complain (group, "absent", "is needed");
  bawn_config_complain (group, NULL, "lacks something");

  assert_problems (
      config,
      "test.conf:1: [listener] absent: is needed\n"
      "test.conf:1: [listener]: lacks something\n"
      "test.conf:2: [listener] tls-disable: expected true or false, not \"maybe\"\n"
      "test.conf:3: [listener] n: expected a number from 1 to 10, not \"12x\"\n"
      "test.conf:3: [listener] n: is no good with big\n"
      "test.conf:4: [listener] big: expected a number from 1 to 10, not \"11\"\n"
      "test.conf:5: [listener] small: expected a number of at least 1, not \"0\"\n"
      "test.conf:6: [listener] size: expected a size from 1K to 1M, not \"5T\"\n"
      "test.conf:7: [listener] huge: expected a size of at least 0, not \"9999999999G\"\n"
      "test.conf:8: [listener] half: expected a size of at least 0, not \"1.5M\"\n"
      "test.conf:9: [listener] time: expected a duration of at least 0s, not \"5 minutes\"\n"
      "test.conf:10: [listener] long: expected a duration from 1s to 1h0m0s, not \"2h\"\n"
      "test.conf:11: [listener] choice: expected one of a, b, not \"none\"\n"
      "test.conf:12: [listener] escape: expected s, n, r, t or \\ after a \\\n"
      "test.conf:13: [listener] hanging: expected s, n, r, t or \\ after a \\\n"
      "test.conf:14: [listener] list: expected s, n, r, t or \\ after a \\\n"
      "test.conf:15: [listener] umlaut: expected true or false, not \"\xc3\xa4\\t\\\"\"");
}

static void
test_a_file_may_be_a_credential (void)
{
  g_autoptr (BawnConfig) config =
      load ("[listener]\ntls-key-file=credential:listener-key\ntls-cert-file=/etc/cert.pem\n"
            "address=credential:x\na-file=credential:../x\nb-file=credential:\n");
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "listener");

  g_unsetenv ("CREDENTIALS_DIRECTORY");
  g_autofree char *nowhere = bawn_config_get_string (group, "tls-key-file", NULL);
  g_setenv ("CREDENTIALS_DIRECTORY", "/run/credentials/bawnd.service", TRUE);
  g_autofree char *key = bawn_config_get_string (group, "tls-key-file", NULL);
  g_autofree char *certificate = bawn_config_get_string (group, "tls-cert-file", NULL);
  g_autofree char *address = bawn_config_get_string (group, "address", NULL);
  g_autofree char *escaping = bawn_config_get_string (group, "a-file", NULL);
  g_autofree char *nameless = bawn_config_get_string (group, "b-file", NULL);
  g_unsetenv ("CREDENTIALS_DIRECTORY");

  /* Whoever cannot open it prints why. */
  g_assert_cmpstr (nowhere, ==, "$CREDENTIALS_DIRECTORY/listener-key");
  g_assert_cmpstr (key, ==, "/run/credentials/bawnd.service/listener-key");
  g_assert_cmpstr (certificate, ==, "/etc/cert.pem");
  g_assert_cmpstr (address, ==, "credential:x");
  g_auto (GStrv) problems = bawn_config_dup_problems (config);
  g_assert_cmpuint (g_strv_length (problems), ==, 2);
  g_assert_nonnull (strstr (problems[0], "a-file"));
  g_assert_nonnull (strstr (problems[1], "b-file"));
}

static void
test_secrets_are_not_shown (void)
{
  g_autoptr (BawnConfig) config =
      load ("[seal]\ntoken=hunter2\ntls-key=hunter2\n"
            "user-password=hunter2\nPIN=hunter2\ntls-key-file=visible\n");
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "seal");

  bawn_config_get_int (group, "token", 0, 0, G_MAXINT64);
  bawn_config_get_bool (group, "tls-key", FALSE);
  bawn_config_get_duration_us (group, "user-password", 0, 0, G_MAXINT64);
  bawn_config_get_bool (group, "PIN", FALSE);
  bawn_config_get_bool (group, "tls-key-file", FALSE);

  assert_problems (config,
                   "test.conf:2: [seal] token: expected a number of at least 0\n"
                   "test.conf:3: [seal] tls-key: expected true or false\n"
                   "test.conf:4: [seal] user-password: expected a duration of at least 0s\n"
                   "test.conf:5: [seal] PIN: expected true or false\n"
                   "test.conf:6: [seal] tls-key-file: expected true or false, not \"visible\"");
}

static void
test_faulty_lines_are_named (void)
{
  g_autoptr (BawnConfig) config = load ("early=1\n"
                                        "nonsense\n"
                                        "[ok]\n"
                                        "a=1\n"
                                        "a=2\n"
                                        "=3\n"
                                        "b c=3\n"
                                        "name[de]=3\n"
                                        "; old style\n"
                                        "[ok]\n"
                                        "b=1\n"
                                        "[open\n"
                                        "lost=1\n"
                                        "[bad/name]\n"
                                        "[]\n"
                                        "[a  b]\n"
                                        "[x] # y\n"
                                        "[last]\n"
                                        "a=\xff\n"
                                        "b=/path \t# where it is\n");
  g_autoptr (BawnConfigGroup) ok = bawn_config_get_group (config, "ok");
  g_autoptr (BawnConfigGroup) last = bawn_config_get_group (config, "last");

  g_assert_cmpint (bawn_config_get_int (ok, "a", 0, 0, 9), ==, 1);
  g_assert_cmpint (bawn_config_get_int (ok, "b", 0, 0, 9), ==, 1);
  g_autofree char *path = bawn_config_get_string (last, "b", NULL);

  g_assert_cmpstr (path, ==, "/path");
  g_assert_false (bawn_config_group_has (last, "a"));
  assert_problems (
      config,
      "test.conf:1: early: expected a [group] before the first key\n"
      "test.conf:2: expected [group], key=value, or a comment that starts with #\n"
      "test.conf:5: [ok] a: this key stands on line 4 already\n"
      "test.conf:6: [ok]: expected a key of letters, digits and - before the \"=\"\n"
      "test.conf:7: [ok]: expected a key of letters, digits and - before the \"=\"\n"
      "test.conf:8: [ok]: expected a key of letters, digits and - before the \"=\"\n"
      "test.conf:9: [ok]: expected [group], key=value, or a comment that starts with #\n"
      "test.conf:10: [ok]: this group began on line 3 already\n"
      "test.conf:12: expected nothing but a group in brackets\n"
      "test.conf:14: expected a group's name in the brackets: letters, digits, - _ . and blanks\n"
      "test.conf:15: expected a group's name in the brackets: letters, digits, - _ . and blanks\n"
      "test.conf:16: expected a group's name in the brackets: letters, digits, - _ . and blanks\n"
      "test.conf:17: expected nothing but a group in brackets\n"
      "test.conf:19: expected text in UTF-8\n"
      "test.conf:20: [last] b: a comment stands on a line of its own; a blank before # that belongs "
      "to the value is written \\s");
}

static void
test_binary_files_do_not_flood (void)
{
  g_autofree char *noise = g_strnfill (4000, '\n');

  for (gsize i = 0; i < 4000; i += 2)
    noise[i] = '\0';

  g_autoptr (BawnConfig) config = bawn_config_load_data ("noise", noise, 4000, NULL);
  g_auto (GStrv) problems = bawn_config_dup_problems (config);

  g_assert_cmpuint (g_strv_length (problems), ==, 50);
}

static void
test_unknown_names_are_reported_with_a_suggestion (void)
{
  g_autoptr (BawnConfig) config = load ("[server]\napi_addr=x\nlog-levle=info\nzzz=1\n"
                                        "[listner]\nq=1\n"
                                        "[storage]\npath=/x\n"
                                        "[server extra]\n"
                                        "[qqqqqqqq]\n");
  g_autoptr (BawnConfigGroup) server = bawn_config_get_group (config, "server");

  bawn_config_expect (config, (const char *[]){ "server", "listener", "storage", NULL });
  bawn_config_group_has (server, "api-addr");
  bawn_config_group_has (server, "log-level");

  assert_problems (config,
                   "test.conf:2: [server] api_addr: unknown key; did you mean \"api-addr\"?\n"
                   "test.conf:3: [server] log-levle: unknown key; did you mean \"log-level\"?\n"
                   "test.conf:4: [server] zzz: unknown key\n"
                   "test.conf:5: [listner]: unknown group; did you mean [listener]?\n"
                   "test.conf:9: [server extra]: unknown group\n"
                   "test.conf:10: [qqqqqqqq]: unknown group");
}

static void
test_a_family_has_all_its_groups (void)
{
  g_autoptr (BawnConfig) config =
      load ("[listener]\na=1\n[listeners]\n[listener unix]\na=2\n[listener b c]\na=3\n");
  g_autoptr (GPtrArray) groups = bawn_config_get_family (config, "listener");
  g_autoptr (GPtrArray) none = bawn_config_get_family (config, "seal");

  g_assert_cmpuint (groups->len, ==, 3);
  for (guint i = 0; i < groups->len; i++)
    g_assert_cmpint (bawn_config_get_int (groups->pdata[i], "a", 0, 0, 9), ==, i + 1);
  g_assert_cmpstr (bawn_config_group_get_name (groups->pdata[1]), ==, "listener unix");
  g_assert_cmpuint (none->len, ==, 0);
  assert_problems (config, "test.conf:3: [listeners]: unknown group; did you mean [listener]?");
}

static void
test_a_group_outlives_the_configuration (void)
{
  g_autoptr (BawnConfig) config = load ("[a]\nk=1\n");
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "a");
  g_auto (GValue) value = G_VALUE_INIT;

  g_clear_pointer (&config, bawn_config_unref);
  g_value_init (&value, BAWN_TYPE_CONFIG_GROUP);
  g_value_set_boxed (&value, group);
  g_clear_pointer (&group, bawn_config_group_unref);

  g_assert_cmpint (bawn_config_get_int (g_value_get_boxed (&value), "k", 0, 0, 9), ==, 1);
}

static void
test_the_environment_overrides (void)
{
  static const char *const environment[] = { "BAWN_SERVER_LOG_LEVEL=de\\bug",
                                             "BAWN_LISTENER_TLS_DISABLE=maybe",
                                             "BAWN_LISTENER_UNIX_A=5",
                                             "BAWN_ADDR=http://x",
                                             "BAWN_TOKEN=secret",
                                             "PATH=/bin",
                                             NULL };
  g_autoptr (BawnConfig) config = bawn_config_load (NULL, environment, NULL);
  g_autoptr (BawnConfigGroup) server = bawn_config_get_group (config, "server");
  g_autoptr (BawnConfigGroup) unix_listener = bawn_config_get_group (config, "listener unix");
  g_autoptr (BawnConfigGroup) listener = bawn_config_get_group (config, "listener");
  g_autofree char *level = bawn_config_get_string (server, "log-level", NULL);

  g_assert_cmpstr (level, ==, "de\\bug");
  g_assert_cmpint (bawn_config_get_int (unix_listener, "a", 0, 0, 9), ==, 5);
  bawn_config_get_bool (listener, "tls-disable", FALSE);
  bawn_config_complain (server, "other", "is needed");
  assert_problems (config, "[server] other: is needed\n"
                           "BAWN_LISTENER_TLS_DISABLE: [listener] tls-disable: expected true or "
                           "false, not \"maybe\"");
}

/* Reads the key of [server] that these variables may set, and expects @value. */
static void
assert_variable (const char *const *environment, const char *value, const char *problem)
{
  static const char *const names[] = { "BAWN_API_ADDR", "BAWN_SERVER_API_ADDR", "VAULT_API_ADDR",
                                       NULL };
  g_autoptr (BawnConfig) config = bawn_config_load (NULL, environment, NULL);
  g_autoptr (BawnConfigGroup) server = bawn_config_get_group (config, "server");

  bawn_config_set_variables (server, "api-addr", names);

  g_autofree char *found = bawn_config_get_string (server, "api-addr", "fallback");

  g_assert_cmpstr (found, ==, value);
  bawn_config_complain (server, "api-addr", "is odd");
  assert_problems (config, problem);
}

static void
test_a_key_can_have_variables_of_its_own (void)
{
  static const char *const all[] = { "VAULT_API_ADDR=c", "BAWN_SERVER_API_ADDR=b",
                                     "BAWN_API_ADDR=a", NULL };
  static const char *const usual[] = { "VAULT_API_ADDR=c", "BAWN_SERVER_API_ADDR=b",
                                       "BAWN_API_ADDR=", NULL };
  static const char *const foreign[] = { "VAULT_API_ADDR=c", "BAWN_SERVER_API_ADDR=", NULL };
  static const char *const none[] = { "VAULT_API_ADDR=", "API_ADDR=d", NULL };

  assert_variable (all, "a", "BAWN_API_ADDR: [server] api-addr: is odd");
  assert_variable (usual, "b", "BAWN_SERVER_API_ADDR: [server] api-addr: is odd");
  assert_variable (foreign, "c", "VAULT_API_ADDR: [server] api-addr: is odd");
  assert_variable (none, "fallback", "[server] api-addr: is odd");
}

static void
test_the_environment_can_make_a_family (void)
{
  static const char *const environment[] = { "BAWN_LISTENER_ADDRESS=x", NULL };
  g_autoptr (BawnConfig) config = bawn_config_load (NULL, environment, NULL);
  g_autoptr (GPtrArray) groups = bawn_config_get_family (config, "listener");

  g_assert_cmpuint (groups->len, ==, 1);
  g_assert_true (bawn_config_group_has (groups->pdata[0], "address"));
}

static void
test_drop_ins_override_in_order (Files *files, gconstpointer data)
{
  static const char *const environment[] = { "BAWN_G_E=env", NULL };

  write_file (files->folder, "bawn.conf", "[g]\na=1\nb=1\nc=1\ne=1\nx=bad\n");
  write_file (files->drop_ins, "20-b.conf", "[h]\n[g]\nc=3\n");
  write_file (files->drop_ins, "10-a.conf", "[g]\nb=2\nc=2\ny=bad\n");
  write_file (files->drop_ins, "30-not.txt", "nonsense");
  write_file (files->drop_ins, ".hidden.conf", "nonsense");

  g_autoptr (GError) error = NULL;
  g_autoptr (BawnConfig) config = bawn_config_load (files->path, environment, &error);
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "g");
  g_autofree char *e = bawn_config_get_string (group, "e", NULL);

  g_assert_no_error (error);
  g_assert_cmpint (bawn_config_get_int (group, "a", 0, 0, 9), ==, 1);
  g_assert_cmpint (bawn_config_get_int (group, "b", 0, 0, 9), ==, 2);
  g_assert_cmpint (bawn_config_get_int (group, "c", 0, 0, 9), ==, 3);
  g_assert_cmpstr (e, ==, "env");
  bawn_config_get_bool (group, "x", FALSE);
  bawn_config_get_bool (group, "y", FALSE);

  g_autofree char *expected =
      g_strdup_printf ("%s:6: [g] x: expected true or false, not \"bad\"\n"
                       "%s/10-a.conf:4: [g] y: expected true or false, not \"bad\"\n"
                       "%s/20-b.conf:1: [h]: unknown group",
                       files->path, files->drop_ins, files->drop_ins);

  assert_problems (config, expected);
}

static void
test_a_missing_file_is_an_error (Files *files, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (bawn_config_load (files->path, NULL, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, files->path));
  g_clear_error (&error);
  g_assert_null (bawn_config_load (files->folder, NULL, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/util/config/values-of-every-type-are-read",
                   test_values_of_every_type_are_read);
  g_test_add_func ("/util/config/wrong-values-are-named", test_wrong_values_are_named);
  g_test_add_func ("/util/config/a-file-may-be-a-credential", test_a_file_may_be_a_credential);
  g_test_add_func ("/util/config/secrets-are-not-shown", test_secrets_are_not_shown);
  g_test_add_func ("/util/config/faulty-lines-are-named", test_faulty_lines_are_named);
  g_test_add_func ("/util/config/binary-files-do-not-flood", test_binary_files_do_not_flood);
  g_test_add_func ("/util/config/unknown-names-are-reported-with-a-suggestion",
                   test_unknown_names_are_reported_with_a_suggestion);
  g_test_add_func ("/util/config/a-family-has-all-its-groups", test_a_family_has_all_its_groups);
  g_test_add_func ("/util/config/a-group-outlives-the-configuration",
                   test_a_group_outlives_the_configuration);
  g_test_add_func ("/util/config/the-environment-overrides", test_the_environment_overrides);
  g_test_add_func ("/util/config/a-key-can-have-variables-of-its-own",
                   test_a_key_can_have_variables_of_its_own);
  g_test_add_func ("/util/config/the-environment-can-make-a-family",
                   test_the_environment_can_make_a_family);
  g_test_add ("/util/config/drop-ins-override-in-order", Files, NULL, files_set_up,
              test_drop_ins_override_in_order, files_tear_down);
  g_test_add ("/util/config/a-missing-file-is-an-error", Files, NULL, files_set_up,
              test_a_missing_file_is_an_error, files_tear_down);

  return g_test_run ();
}
