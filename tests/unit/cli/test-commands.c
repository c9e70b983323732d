/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-help.h"
#include "cli/bawn-cli-policy-fmt.h"
#include "cli/bawn-cli-suggest.h"
#include "cli/bawn-cli-terminal.h"

#include <string.h>

#define LIST(...)                                                                                  \
  (const char *const[])                                                                            \
  {                                                                                                \
    __VA_ARGS__, NULL                                                                              \
  }

static void
test_rows (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; bawn_cli_commands[i] != NULL; i++)
    {
      const BawnCliCommand *command = bawn_cli_commands[i];
      const char *last = strrchr (command->name, ' ');

      g_assert_true (g_hash_table_add (names, (gpointer) command->name));
      g_assert_nonnull (command->summary);
      g_assert_cmpuint (command->min_operands, <=, command->max_operands);
      g_assert_true ((command->max_operands > 0) == (command->operands != NULL));
      if (last == NULL)
        continue;

      g_autofree char *family = g_strndup (command->name, (gsize) (last - command->name));
      const BawnCliCommand *head = bawn_cli_command_lookup (family);
      g_assert_nonnull (head);
      g_assert_null (head->run);
    }
}

static void
test_flags (void)
{
  for (guint i = 0; bawn_cli_commands[i] != NULL; i++)
    {
      const BawnCliFlag *tables[BAWN_CLI_MAX_TABLES];
      g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

      bawn_cli_command_tables (bawn_cli_commands[i], tables);
      for (guint t = 0; tables[t] != NULL; t++)
        for (const BawnCliFlag *flag = tables[t]; flag->name != NULL; flag++)
          {
            g_assert_true (g_hash_table_add (names, (gpointer) flag->name));
            g_assert_true ((flag->kind == BAWN_CLI_FLAG_BOOL) == (flag->metavar == NULL));
          }
    }
}

static void
test_help (void)
{
  for (guint i = 0; bawn_cli_commands[i] != NULL; i++)
    {
      const BawnCliCommand *command = bawn_cli_commands[i];
      g_autofree char *text = bawn_cli_help_command (command);
      g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

      g_assert_true (g_utf8_validate (text, -1, NULL));
      g_assert_nonnull (strstr (text, command->name));
      for (guint j = 0; lines[j] != NULL; j++)
        {
          g_assert_false (g_str_has_suffix (lines[j], " "));
          if (lines[j][0] == ' ' && strchr (lines[j], '$') == NULL
              && strchr (lines[j], '[') == NULL)
            g_assert_cmpuint (bawn_cli_text_width (lines[j]), <=, 100);
        }
      for (const BawnCliFlag *flag = command->flags; flag != NULL && flag->name != NULL; flag++)
        {
          g_autofree char *shown = g_strconcat ("\n  -", flag->name, NULL);
          g_assert_true ((strstr (text, shown) != NULL) == (flag->help != NULL)
                         || flag->help == NULL);
        }
    }
}

static void
test_examples (void)
{
  for (guint i = 0; bawn_cli_commands[i] != NULL; i++)
    {
      const BawnCliCommand *command = bawn_cli_commands[i];
      g_autofree char *start = g_strconcat ("bawn ", command->name, NULL);
      g_auto (GStrv) lines =
          g_strsplit (command->examples != NULL ? command->examples : "", "\n", -1);
      const BawnCliFlag *tables[BAWN_CLI_MAX_TABLES];

      bawn_cli_command_tables (command, tables);
      for (guint j = 0; command->examples != NULL && lines[j] != NULL; j++)
        {
          g_autoptr (GError) error = NULL;
          g_autofree char *line = g_strndup (lines[j], strcspn (lines[j], "<"));
          g_auto (GStrv) words = NULL;

          g_assert_true (g_str_has_prefix (line, start));
          if (line[strlen (start)] == '\0')
            continue;
          g_assert_true (g_shell_parse_argv (line + strlen (start), NULL, &words, &error));
          g_autoptr (BawnCliArgs) args =
              bawn_cli_args_parse ((const char *const *) words, tables, &error);
          g_assert_no_error (error);
          g_assert_cmpuint (bawn_cli_args_n_operands (args), >=, command->min_operands);
          g_assert_cmpuint (bawn_cli_args_n_operands (args), <=, command->max_operands);
        }
    }
}

static void
assert_completed (const char *const *words, const char *expected)
{
  g_autofree char *text = bawn_cli_complete (words, FALSE);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_completion (void)
{
  assert_completed (LIST ("stat"), "status\n");
  assert_completed (LIST ("kv", "m"), "metadata\n");
  assert_completed (LIST ("kv", "metadata", "pa"), "patch\n");
  assert_completed (LIST ("kv", "get", "-fi"), "-field=\n");
  assert_completed (LIST ("kv", "get", "--fi"), "--field=\n");
  assert_completed (LIST ("kv", "get", "secret/x", "-format=j"), "-format=json\n");
  assert_completed (LIST ("lease", "revoke", "-pre"), "-prefix\n");
  assert_completed (LIST ("kv", "get", "sec"), "");
  assert_completed (LIST ("nonsense", "x"), "");
  assert_completed ((const char *const[]){ NULL }, "");
  assert_completed (LIST ("help"), "");
  assert_completed (LIST ("help", "stat"), "status\n");
  assert_completed (LIST ("help", "kv", "get", "-fi"), "");
}

static void
test_completion_with_descriptions (void)
{
  g_autofree char *commands = bawn_cli_complete (LIST ("stat"), TRUE);
  g_autofree char *flags = bawn_cli_complete (LIST ("kv", "get", "-he"), TRUE);
  g_autofree char *choices = bawn_cli_complete (LIST ("read", "-format=j"), TRUE);

  g_assert_cmpstr (commands, ==, "status\tPrint whether the server is sealed, and who leads\n");
  g_assert_true (g_str_has_prefix (flags, "-header=\tAdd a header"));
  g_assert_nonnull (strstr (flags, "\n-help\tPrint this help\n"));
  g_assert_cmpstr (choices, ==, "-format=json\n");
}

static void
test_suggestions (void)
{
  const char *const *words = LIST ("status", "read", "write", "operator");

  g_assert_cmpstr (bawn_cli_suggest ("statsu", words), ==, "status");
  g_assert_cmpstr (bawn_cli_suggest ("raed", words), ==, "read");
  g_assert_cmpstr (bawn_cli_suggest ("oprator", words), ==, "operator");
  g_assert_null (bawn_cli_suggest ("frobnicate", words));
  g_assert_null (bawn_cli_suggest ("x", words));
  g_assert_null (bawn_cli_suggest ("", words));

  g_autofree char *endless = g_strnfill (100000, 'a');
  g_assert_null (bawn_cli_suggest (endless, words));
}

static void
assert_formatted (const char *text, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) once = bawn_cli_policy_fmt (text, strlen (text), &error);

  g_assert_no_error (error);
  g_assert_cmpstr (once->str, ==, expected);

  g_autoptr (GString) twice = bawn_cli_policy_fmt (once->str, once->len, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (twice->str, ==, expected);
}

static void
test_policy_layout (void)
{
  assert_formatted ("path   \"a\"{capabilities=[\"read\" ,\"list\"]}",
                    "path \"a\" {\n  capabilities = [\"read\", \"list\"]\n}\n");
  assert_formatted (
      "# top\n\n\n\npath \"a\" {\n\n  # why\n  policy = \"x\" // and\n\n\n  b = 1\n\n}\n\npath "
      "\"c\" {}",
      "# top\n\npath \"a\" {\n  # why\n  policy = \"x\" // and\n\n  b = 1\n}\n\npath \"c\" {}\n");
  assert_formatted ("path \"a\" {\n allowed_parameters = {\n  \"k\" = []\n \"long\" = [\n\"x\",\n  "
                    " \"y\"\n]\n}\n a = 1\n bcd = 2\n}",
                    "path \"a\" {\n  allowed_parameters = {\n    \"k\" = []\n    \"long\" = [\n    "
                    "  \"x\",\n      \"y\"\n    ]\n  }\n"
                    "  a   = 1\n  bcd = 2\n}\n");
  assert_formatted (
      "/* two\n   lines */ path \"a\" { comment = <<E\n  keep\n me\nE\n x = 1\n}",
      "/* two\n   lines */ path \"a\" {\n  comment = <<E\n  keep\n me\nE\n  x = 1\n}\n");
  assert_formatted ("", "\n");
  assert_formatted ("{\"path\":{\"a\":{\"capabilities\":[\"read\"]}}}",
                    "{\n  \"path\": {\n    \"a\": {\n      \"capabilities\": [\n        \"read\"\n "
                    "     ]\n    }\n  }\n}\n");
}

static void
test_policy_mistakes (void)
{
  static const char *const bad[] = { "path \"a\" {", "path \"a",
                                     "= = =", "{\"a\":", "path \"a\" { x = [ }" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GString) text = bawn_cli_policy_fmt (bad[i], strlen (bad[i]), &error);

      g_assert_null (text);
      g_assert_nonnull (error);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/commands/every-row-is-sound", test_rows);
  g_test_add_func ("/cli/commands/no-flag-hides-another", test_flags);
  g_test_add_func ("/cli/commands/every-command-and-flag-has-help", test_help);
  g_test_add_func ("/cli/commands/every-example-parses", test_examples);
  g_test_add_func ("/cli/commands/the-shell-is-told-what-may-follow", test_completion);
  g_test_add_func ("/cli/commands/a-shell-can-be-told-what-each-word-is-for",
                   test_completion_with_descriptions);
  g_test_add_func ("/cli/commands/near-misses-are-suggested", test_suggestions);
  g_test_add_func ("/cli/commands/policies-are-laid-out-once-and-for-all", test_policy_layout);
  g_test_add_func ("/cli/commands/broken-policies-are-refused", test_policy_mistakes);

  return g_test_run ();
}
