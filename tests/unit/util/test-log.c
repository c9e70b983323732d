/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-log-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* 2026-01-02T03:04:05.678901Z */
#define NOW G_GINT64_CONSTANT (1767323045678901)

static void
test_lines_are_readable (void)
{
  const GLogField fields[] = {
    { "MESSAGE", "became active", -1 },
    { "PRIORITY", "6", -1 },
    { "GLIB_DOMAIN", "bawn", -1 },
    { "BAWN_MODULE", "core", -1 },
    { "REQUEST_ID", "abc-1", -1 },
    { "NOTE", "two words", -1 },
    { "EMPTY", "", -1 },
    { "QUOTED", "a\"b\\c", -1 },
    { "SIZED", "xyz", 2 },
    { "CODE_LINE", "7", -1 },
  };
  g_autofree char *plain =
      bawn_log_format (NOW, BAWN_LOG_INFO, fields, G_N_ELEMENTS (fields), FALSE);
  g_autofree char *colour = bawn_log_format (NOW, BAWN_LOG_ERROR, fields, 4, TRUE);

  g_assert_cmpstr (plain, ==,
                   "2026-01-02T03:04:05.678Z [INFO]  core: became active request_id=abc-1"
                   " note=\"two words\" empty=\"\" quoted=\"a\\\"b\\\\c\" sized=xy\n");
  g_assert_cmpstr (colour, ==,
                   "2026-01-02T03:04:05.678Z \033[31m[ERROR]\033[0m core: became active\n");
}

static void
test_libraries_speak_by_their_domain (void)
{
  const GLogField fields[] = { { "GLIB_DOMAIN", "libsoup", -1 }, { "MESSAGE", "oh", -1 } };
  g_autofree char *line = bawn_log_format (NOW, BAWN_LOG_WARN, fields, 2, FALSE);

  g_assert_cmpstr (line, ==, "2026-01-02T03:04:05.678Z [WARN]  libsoup: oh\n");
}

static void
test_messages_cannot_forge_lines (void)
{
  const GLogField fields[] = {
    { "MESSAGE", "a\nb\r\t\x1b[2J\x7f\xc2\x9b\xff\xc3\xa9", -1 },
    { "X", "1\n2", -1 },
  };
  g_autofree char *line = bawn_log_format (NOW, BAWN_LOG_TRACE, fields, 2, FALSE);

  g_assert_cmpstr (line, ==,
                   "2026-01-02T03:04:05.678Z [TRACE] a\\nb\\x0d\\x09\\x1b[2J\\x7f\\x9b\xef\xbf\xbd"
                   "\xc3\xa9 x=\"1\\n2\"\n");
}

static void
test_long_lines_are_cut (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  while (text->len < 2 * BAWN_LOG_MAX_LINE)
    g_string_append (text, "\xc3\xa9");

  const GLogField field = { "MESSAGE", text->str, -1 };
  g_autofree char *line = bawn_log_format (NOW, BAWN_LOG_INFO, &field, 1, FALSE);

  g_assert_cmpuint (strlen (line), <=, BAWN_LOG_MAX_LINE);
  g_assert_cmpuint (strlen (line), >, BAWN_LOG_MAX_LINE - 4);
  g_assert_true (g_str_has_suffix (line, "\xc3\xa9\xe2\x80\xa6\n"));
  g_assert_true (g_utf8_validate (line, -1, NULL));
}

static void
test_a_full_pipe_is_not_waited_for (void)
{
  char line[1000] = { 0 };
  int ends[2] = { -1, -1 };
  gsize written = 0;

  memset (line, 'x', sizeof line);
  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  while (bawn_log_try_write (ends[1], line, sizeof line))
    written += sizeof line;
  g_assert_cmpuint (written, >, 0);

  while (written > 0)
    {
      gssize n = read (ends[0], line, sizeof line);

      g_assert_cmpint (n, >, 0);
      written -= (gsize) n;
    }
  g_assert_true (bawn_log_try_write (ends[1], "y", 1));

  close (ends[0]);
  g_assert_false (bawn_log_try_write (ends[1], "z", 1));
  close (ends[1]);
}

static void
test_the_journal_gets_fields (void)
{
  static const char expected[] = "MESSAGE\n\x03\0\0\0\0\0\0\0a\nb\n"
                                 "REQUEST_ID\n\x02\0\0\0\0\0\0\0xy\n";
  const GLogField fields[] = { { "MESSAGE", "a\nb", -1 }, { "REQUEST_ID", "xyz", 2 } };
  char entry[200] = { 0 };
  int ends[2] = { -1, -1 };

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  g_assert_true (bawn_log_try_journal (ends[0], fields, 2));

  gssize size = recv (ends[1], entry, sizeof entry, MSG_DONTWAIT);

  g_assert_cmpmem (entry, (gsize) MAX (size, 0), expected, sizeof expected - 1);
  while (bawn_log_try_journal (ends[0], fields, 2))
    ;
  g_assert_cmpint (errno, ==, EAGAIN);
  close (ends[0]);
  close (ends[1]);
}

static const char *
value_of (const GLogField *fields, gsize n, const char *key)
{
  const char *found = NULL;

  for (gsize i = 0; i < n; i++)
    if (g_str_equal (fields[i].key, key))
      {
        g_assert_null (found);
        found = fields[i].value;
      }

  return found;
}

static void
test_what_a_message_is_about_goes_with_it (void)
{
  const GLogField plain[] = { { "MESSAGE", "m", -1 } };
  const GLogField own[] = { { "MESSAGE", "m", -1 }, { "EPOCH", "9", -1 }, { "REQUEST_ID", "other", -1 } };
  GLogField many[2 * BAWN_LOG_MAX_FIELDS];
  GLogField all[BAWN_LOG_MAX_FIELDS];
  BawnLogContext context;

  g_assert_cmpuint (bawn_log_add_context (plain, 1, TRUE, &context, all), ==, 1);
  bawn_log_set_node ("active", 7);
  g_assert_null (bawn_log_set_request ("r-1"));
  gsize n = bawn_log_add_context (plain, 1, TRUE, &context, all);
  g_assert_cmpstr (value_of (all, n, "EPOCH"), ==, "7");
  g_assert_cmpstr (value_of (all, n, "HA_STATE"), ==, "active");
  g_assert_cmpstr (value_of (all, n, "REQUEST_ID"), ==, "r-1");
  /* A line on a terminal is about what it says. */
  n = bawn_log_add_context (plain, 1, FALSE, &context, all);
  g_assert_null (value_of (all, n, "EPOCH"));
  g_assert_cmpstr (value_of (all, n, "REQUEST_ID"), ==, "r-1");
  /* What a message says itself counts. */
  n = bawn_log_add_context (own, 3, TRUE, &context, all);
  g_assert_cmpstr (value_of (all, n, "EPOCH"), ==, "9");
  g_assert_cmpstr (value_of (all, n, "REQUEST_ID"), ==, "other");
  /* There is room for what is added, however many fields a library has. */
  for (guint i = 0; i < G_N_ELEMENTS (many); i++)
    many[i] = (GLogField){ "X", "y", -1 };
  g_assert_cmpuint (bawn_log_add_context (many, G_N_ELEMENTS (many), TRUE, &context, all), ==, BAWN_LOG_MAX_FIELDS);

  g_assert_cmpstr (bawn_log_set_request (NULL), ==, "r-1");
  bawn_log_set_ha_state ("standby");
  n = bawn_log_add_context (plain, 1, TRUE, &context, all);
  g_assert_cmpstr (value_of (all, n, "HA_STATE"), ==, "standby");
  g_assert_cmpstr (value_of (all, n, "EPOCH"), ==, "7");
  bawn_log_set_node ("sealed", 0);
  n = bawn_log_add_context (plain, 1, TRUE, &context, all);
  g_assert_null (value_of (all, n, "REQUEST_ID"));
  g_assert_null (value_of (all, n, "EPOCH"));
  g_assert_cmpstr (value_of (all, n, "HA_STATE"), ==, "sealed");
}

static void
test_a_missing_journal_is_an_error (void)
{
  g_autofree char *longer = g_strnfill (200, 'x');

  g_assert_cmpint (bawn_log_open_journal ("/nonexistent/socket"), ==, -1);
  g_assert_cmpint (errno, ==, ENOENT);
  g_assert_cmpint (bawn_log_open_journal (longer), ==, -1);
  g_assert_cmpint (errno, ==, ENAMETOOLONG);
}

static void
test_levels_have_names (void)
{
  BawnLogLevel level = BAWN_LOG_TRACE;

  g_assert_true (bawn_log_level_parse ("error", &level));
  g_assert_cmpint (level, ==, BAWN_LOG_ERROR);
  g_assert_true (bawn_log_level_parse ("WARNING", &level));
  g_assert_cmpint (level, ==, BAWN_LOG_WARN);
  g_assert_false (bawn_log_level_parse ("loud", &level));
  g_assert_false (bawn_log_level_parse ("", &level));
  g_assert_cmpstr (bawn_log_level_name (BAWN_LOG_TRACE), ==, "trace");
  g_assert_cmpuint (g_strv_length ((char **) bawn_log_level_names ()), ==, BAWN_LOG_TRACE + 1);
}

static void
test_the_level_decides (void)
{
  if (g_test_subprocess ())
    {
      bawn_log_init ("test-log");
      bawn_log_debug ("core", "too quiet");
      bawn_log_info ("core", "number %d", 1);
      bawn_log_set_level (BAWN_LOG_TRACE);
      bawn_log_trace ("core", "number %d", 2);
      bawn_log_set_level (BAWN_LOG_ERROR);
      bawn_log_warn ("core", "too quiet");
      g_message ("too quiet");
      bawn_log_with (BAWN_LOG_ERROR, "core",
                     BAWN_LOG_FIELDS ({ "REQUEST_ID", "r" }, { "NONE", NULL }), "number 3");
      g_assert_cmpuint (bawn_log_count_dropped (), ==, 0);
      return;
    }

  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*Z [INFO]  core: number 1\n*Z [TRACE] core: number 2\n"
                             "*Z [ERROR] core: number 3 request_id=r\n");
  g_test_trap_assert_stderr_unmatched ("*too quiet*");
}

static void
test_fatal_messages_still_end_the_process (void)
{
  if (g_test_subprocess ())
    {
      bawn_log_init ("test-log");
      g_critical ("a defect");
      return;
    }

  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*[ERROR] bawn: a defect\n*");
}

static void
test_a_gap_is_told (void)
{
  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, 0);
      g_test_trap_assert_passed ();
      return;
    }

  int ends[2] = { -1, -1 };
  char text[100000] = { 0 };
  gsize size = 0;

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (dup2 (ends[1], STDERR_FILENO), ==, STDERR_FILENO);
  bawn_log_init ("test-log");
  while (bawn_log_count_dropped () < 3)
    bawn_log_info ("test", "filling up");
  g_assert_cmpint (fcntl (ends[0], F_SETFL, O_NONBLOCK), ==, 0);
  for (gssize n = 0; (n = read (ends[0], text, sizeof text)) > 0;)
    ;
  bawn_log_info ("test", "room again");

  for (gssize n = 0; (n = read (ends[0], text + size, sizeof text - 1 - size)) > 0;)
    size += (gsize) n;
  text[size] = '\0';
  g_assert_true (g_pattern_match_simple ("*[WARN]  log: 3 messages were dropped*"
                                         "[INFO]  test: room again\n",
                                         text));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/util/log/lines-are-readable", test_lines_are_readable);
  g_test_add_func ("/util/log/libraries-speak-by-their-domain",
                   test_libraries_speak_by_their_domain);
  g_test_add_func ("/util/log/messages-cannot-forge-lines", test_messages_cannot_forge_lines);
  g_test_add_func ("/util/log/long-lines-are-cut", test_long_lines_are_cut);
  g_test_add_func ("/util/log/a-full-pipe-is-not-waited-for", test_a_full_pipe_is_not_waited_for);
  g_test_add_func ("/util/log/the-journal-gets-fields", test_the_journal_gets_fields);
  g_test_add_func ("/util/log/what-a-message-is-about-goes-with-it",
                   test_what_a_message_is_about_goes_with_it);
  g_test_add_func ("/util/log/a-missing-journal-is-an-error", test_a_missing_journal_is_an_error);
  g_test_add_func ("/util/log/levels-have-names", test_levels_have_names);
  g_test_add_func ("/util/log/the-level-decides", test_the_level_decides);
  g_test_add_func ("/util/log/fatal-messages-still-end-the-process",
                   test_fatal_messages_still_end_the_process);
  g_test_add_func ("/util/log/a-gap-is-told", test_a_gap_is_told);

  return g_test_run ();
}
