/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-error.h"
#include "cli/bawn-cli-flags.h"

static const BawnCliFlag own[] = {
  { "force", BAWN_CLI_FLAG_BOOL, NULL, "help" },
  { "cas", BAWN_CLI_FLAG_INT, "N", "help" },
  { "ttl", BAWN_CLI_FLAG_DURATION, "DURATION", "help" },
  { "policy", BAWN_CLI_FLAG_LIST, "NAME", "help" },
  { "metadata", BAWN_CLI_FLAG_MAP, "KEY=VALUE", "help" },
  { NULL },
};

static const BawnCliFlag shared[] = {
  { "format", BAWN_CLI_FLAG_STRING, "FORMAT", "help", "table json yaml" },
  { "field", BAWN_CLI_FLAG_STRING, "NAME", "help" },
  { NULL },
};

static const BawnCliFlag *const tables[] = { own, shared, NULL };

static BawnCliArgs *
parse (const char *line, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);

  return bawn_cli_args_parse ((const char *const *) words, tables, error);
}

static void
test_before_and_behind (void)
{
  g_autoptr (BawnCliArgs) args = parse ("-force secret/x -field=a b=c --cas=3", NULL);

  g_assert_nonnull (args);
  g_assert_true (bawn_cli_args_bool (args, "force", FALSE));
  g_assert_cmpstr (bawn_cli_args_string (args, "field", NULL), ==, "a");
  g_assert_cmpint (bawn_cli_args_int (args, "cas", -1), ==, 3);
  g_assert_cmpuint (bawn_cli_args_n_operands (args), ==, 2);
  g_assert_cmpstr (bawn_cli_args_operand (args, 0), ==, "secret/x");
  g_assert_cmpstr (bawn_cli_args_operands (args, 1)[0], ==, "b=c");
  g_assert_null (bawn_cli_args_operands (args, 1)[1]);
  g_assert_null (bawn_cli_args_operands (args, 9)[0]);
  g_assert_null (bawn_cli_args_operand (args, 7));
}

static void
test_value_as_next_word (void)
{
  g_autoptr (BawnCliArgs) args = parse ("-field a -policy p -policy q,r -cas -1", NULL);

  g_assert_cmpstr (bawn_cli_args_string (args, "field", NULL), ==, "a");
  g_assert_cmpint (bawn_cli_args_int (args, "cas", 0), ==, -1);
  g_assert_cmpstr (bawn_cli_args_list (args, "policy")[0], ==, "p");
  g_assert_cmpstr (bawn_cli_args_list (args, "policy")[1], ==, "q,r");
  g_assert_null (bawn_cli_args_list (args, "policy")[2]);

  g_auto (GStrv) split = bawn_cli_args_dup_split (args, "policy");
  g_assert_cmpuint (g_strv_length (split), ==, 3);
  g_assert_cmpstr (split[2], ==, "r");
  g_assert_null (bawn_cli_args_list (args, "metadata")[0]);
}

static void
test_boolean_spellings (void)
{
  g_autoptr (BawnCliArgs) no = parse ("-force=false", NULL);
  g_autoptr (BawnCliArgs) yes = parse ("--force=1 x", NULL);
  g_autoptr (BawnCliArgs) last = parse ("-force -force=F", NULL);

  g_assert_false (bawn_cli_args_bool (no, "force", TRUE));
  g_assert_true (bawn_cli_args_has (no, "force"));
  g_assert_true (bawn_cli_args_bool (yes, "force", FALSE));
  g_assert_cmpstr (bawn_cli_args_operand (yes, 0), ==, "x");
  g_assert_false (bawn_cli_args_bool (last, "force", TRUE));
}

static void
test_dash_and_double_dash (void)
{
  g_autoptr (BawnCliArgs) args = parse ("- -- -force -", NULL);

  g_assert_cmpuint (bawn_cli_args_n_operands (args), ==, 3);
  g_assert_cmpstr (bawn_cli_args_operand (args, 0), ==, "-");
  g_assert_cmpstr (bawn_cli_args_operand (args, 1), ==, "-force");
  g_assert_false (bawn_cli_args_has (args, "force"));
}

static void
test_durations (void)
{
  static const struct
  {
    const char *line;
    const char *expected;
  } rows[] = {
    { "-ttl=30", "30s" },    { "-ttl=90m", "1h30m0s" },   { "-ttl 2d", "48h0m0s" },
    { "-ttl=-1", "system" }, { "-ttl=system", "system" }, { "-ttl=500ms", "500ms" },
    { "-ttl=0", "0s" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (BawnCliArgs) args = parse (rows[i].line, NULL);
      g_assert_nonnull (args);
      g_autofree char *value = bawn_cli_args_dup_duration (args, "ttl");
      g_assert_cmpstr (value, ==, rows[i].expected);
    }

  g_autoptr (BawnCliArgs) none = parse ("x", NULL);
  g_assert_null (bawn_cli_args_dup_duration (none, "ttl"));
}

static void
test_mistakes (void)
{
  static const struct
  {
    const char *line;
    const char *hint;
  } rows[] = {
    { "-forse", "did you mean -force?" },
    { "-nothinglikeit", "There is no flag -nothinglikeit" },
    { "-cas=three", "whole number" },
    { "-cas=", "whole number" },
    { "-cas=99999999999999999999", "whole number" },
    { "-ttl=soon", "duration" },
    { "-field", "wants a value" },
    { "-force=maybe", "true or false" },
    { "-metadata=x", "key=value" },
    { "-metadata==x", "key=value" },
    { "-format=xml", "table json yaml" },
    { "--=x", "There is no flag -" },
    { "-=", "There is no flag -" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnCliArgs) args = parse (rows[i].line, &error);

      g_assert_null (args);
      g_assert_error (error, BAWN_CLI_ERROR, BAWN_CLI_ERROR_USAGE);
      g_assert_nonnull (strstr (error->message, rows[i].hint));
    }
}

static void
test_errors_hide_values (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnCliArgs) args = parse ("-metadata=hunter2", &error);

  g_assert_null (args);
  g_assert_null (strstr (error->message, "hunter2"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/flags/may-stand-before-and-behind-operands", test_before_and_behind);
  g_test_add_func ("/cli/flags/take-their-value-from-the-next-word-too", test_value_as_next_word);
  g_test_add_func ("/cli/flags/booleans-have-several-spellings-and-the-last-counts",
                   test_boolean_spellings);
  g_test_add_func ("/cli/flags/a-dash-is-an-operand-and-two-end-the-flags",
                   test_dash_and_double_dash);
  g_test_add_func ("/cli/flags/durations-come-out-as-the-api-wants-them", test_durations);
  g_test_add_func ("/cli/flags/mistakes-are-named", test_mistakes);
  g_test_add_func ("/cli/flags/errors-do-not-repeat-values", test_errors_hide_values);

  return g_test_run ();
}
