/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-help.h"
#include "cli/bawn-cli-suggest.h"
#include "cli/bawn-cli-terminal.h"
#include "cli/bawn-cli.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#define RED "\033[31m"
#define PLAIN "\033[0m"

/* The table: one row a command. Declared here, defined where each command is. */
#define BAWN_CLI_COMMAND(id) extern const BawnCliCommand bawn_cli_command_##id;
#include "cli/bawn-cli-commands.def"
#undef BAWN_CLI_COMMAND

const BawnCliCommand *const bawn_cli_commands[] = {
#define BAWN_CLI_COMMAND(id) &bawn_cli_command_##id,
#include "cli/bawn-cli-commands.def"
#undef BAWN_CLI_COMMAND
  NULL,
};

/* The longest name of a command, in words. */
#define MAX_NAME_WORDS 3

/**
 * bawn_cli_command_lookup:
 * @name: its words, with one blank between
 *
 * Returns: (nullable): the row of that name
 */
const BawnCliCommand *
bawn_cli_command_lookup (const char *name)
{
  for (guint i = 0; bawn_cli_commands[i] != NULL; i++)
    if (strcmp (bawn_cli_commands[i]->name, name) == 0)
      return bawn_cli_commands[i];

  return NULL;
}

static void
print_error (const char *message)
{
  gboolean colour = bawn_cli_wants_colour (STDERR_FILENO);
  g_autofree char *harmless = bawn_cli_make_harmless (message, strlen (message));

  g_printerr ("%s%s%s\n", colour ? RED : "", harmless, colour ? PLAIN : "");
}

static void
print_text (int fd, const char *text)
{
  g_autoptr (BawnCli) cli = bawn_cli_new (g_new0 (BawnCliSettings, 1), "/", -1, fd);

  bawn_cli_put (cli, text, strlen (text));
}

static const BawnCliCommand *
find_command (const char *const *words, guint *out_used)
{
  const BawnCliCommand *found = NULL;
  g_autoptr (GString) name = g_string_new (NULL);

  *out_used = 0;
  for (guint i = 0; i < MAX_NAME_WORDS && words[i] != NULL; i++)
    {
      g_string_append_printf (name, "%s%s", i > 0 ? " " : "", words[i]);

      const BawnCliCommand *command = bawn_cli_command_lookup (name->str);
      if (command == NULL)
        continue;
      found = command;
      *out_used = i + 1;
    }

  return found;
}

static const char *
suggest_command (const char *family, const char *word)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  gsize size = strlen (family);

  for (guint i = 0; bawn_cli_commands[i] != NULL; i++)
    {
      const char *name = bawn_cli_commands[i]->name;

      if (size > 0 && !(g_str_has_prefix (name, family) && name[size] == ' '))
        continue;
      name += size > 0 ? size + 1 : 0;
      if (strchr (name, ' ') == NULL)
        g_ptr_array_add (names, (gpointer) name);
    }
  g_ptr_array_add (names, NULL);

  return bawn_cli_suggest (word, (const char *const *) names->pdata);
}

/* @word is no command of @family ("" for none). */
static int
refuse_word (const char *family, const char *word)
{
  const char *gap = family[0] != '\0' ? " " : "";
  const char *suggestion = suggest_command (family, word);
  g_autofree char *message =
      g_strdup_printf (_ ("There is no command “bawn %s%s%s”."), family, gap, word);

  print_error (message);
  if (suggestion != NULL)
    g_printerr (_ ("Did you mean “bawn %s%s%s”?\n"), family, gap, suggestion);
  else if (family[0] == '\0' && strcmp (word, "server") == 0)
    g_printerr (_ ("The server is a program of its own: bawnd.\n"));
  else
    g_printerr (_ ("“bawn %s%s-help” shows what there is.\n"), family, gap);

  return BAWN_CLI_EXIT_LOCAL;
}

static int
run_family (const BawnCliCommand *command, const char *const *rest, int output_fd)
{
  const char *word = rest[0];

  if (word != NULL && word[0] != '-')
    return refuse_word (command->name, word);

  g_autofree char *text = bawn_cli_help_command (command);
  gboolean asked = word != NULL && g_str_has_prefix (word + strspn (word, "-"), "h");
  if (!asked)
    {
      g_printerr ("%s", text);
      return BAWN_CLI_EXIT_LOCAL;
    }

  print_text (output_fd, text);
  return BAWN_CLI_EXIT_OK;
}

static gboolean
check_operands (const BawnCliCommand *command, BawnCliArgs *args, GError **error)
{
  guint n = bawn_cli_args_n_operands (args);

  if (n < command->min_operands)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE,
                          _ ("Not enough arguments (expected %u, got %u)"), command->min_operands,
                          n);
  if (n > command->max_operands)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE,
                          _ ("Too many arguments (expected %u, got %u)"), command->max_operands, n);

  return TRUE;
}

static gboolean
wants_help (const char *const *words)
{
  for (guint i = 0; words[i] != NULL && strcmp (words[i], "--") != 0; i++)
    if (strcmp (words[i], "-h") == 0 || strcmp (words[i], "-help") == 0
        || strcmp (words[i], "--help") == 0)
      return TRUE;

  return FALSE;
}

static int
report (const BawnCliCommand *command, const GError *error)
{
  if (g_error_matches (error, BAWN_CLI_ERROR, BAWN_CLI_ERROR_DONE))
    return BAWN_CLI_EXIT_OK;

  print_error (error->message);
  if (g_error_matches (error, BAWN_CLI_ERROR, BAWN_CLI_ERROR_USAGE))
    g_printerr (_ ("“bawn %s -help” tells how to use it.\n"), command->name);

  return bawn_cli_error_exit_status (error);
}

static int
run_command (const BawnCliCommand *command,
             const char *const *words,
             const char *const *environment,
             int input_fd,
             int output_fd)
{
  const BawnCliFlag *tables[BAWN_CLI_MAX_TABLES];
  g_autoptr (GError) error = NULL;

  bawn_cli_command_tables (command, tables);
  g_autoptr (BawnCliArgs) args = bawn_cli_args_parse (words, tables, &error);
  if (args == NULL || !check_operands (command, args, &error))
    return report (command, error);

  BawnCliSettings *settings =
      bawn_cli_settings_load (args, (command->scope & BAWN_CLI_REMOTE) != 0,
                              (command->scope & BAWN_CLI_FORMATTED) != 0, environment, &error);
  if (settings == NULL)
    return report (command, error);

  g_autoptr (BawnCli) cli = bawn_cli_new (settings, g_get_home_dir (), input_fd, output_fd);
  gboolean done = command->run (cli, args, &error);
  int status = done ? bawn_cli_exit_status (cli) : report (command, error);

  g_autoptr (GError) output_error = NULL;
  if (!bawn_cli_flush (cli, &output_error))
    return report (command, output_error);
  return status;
}

static int
run_help (const char *const *words, int output_fd)
{
  guint used = 0;
  const BawnCliCommand *command = find_command (words, &used);

  if (words[0] != NULL && command == NULL)
    return refuse_word ("", words[0]);
  if (words[used] != NULL)
    return refuse_word (command->name, words[used]);

  g_autofree char *text =
      command != NULL ? bawn_cli_help_command (command) : bawn_cli_help_overview ("");
  print_text (output_fd, text);
  return BAWN_CLI_EXIT_OK;
}

/**
 * bawn_cli_run:
 * @words: (array zero-terminated=1): what stands behind the program's name
 * @environment: (array zero-terminated=1): as of g_get_environ()
 * @input_fd: the standard input
 * @output_fd: the standard output
 *
 * Finds the command, runs it, says what went wrong. Main thread only.
 *
 * Returns: the exit status
 */
int
bawn_cli_run (const char *const *words, const char *const *environment, int input_fd, int output_fd)
{
  const char *first = words[0];
  const char *flag = first != NULL && first[0] == '-' ? first + strspn (first, "-") : "";
  guint used = 0;

  if (first == NULL)
    {
      g_autofree char *text = bawn_cli_help_overview ("");
      g_printerr ("%s", text);
      return BAWN_CLI_EXIT_LOCAL;
    }
  if (strcmp (first, "__complete") == 0 || strcmp (first, "__describe") == 0)
    {
      gboolean described = strcmp (first, "__describe") == 0;
      g_autofree char *text = bawn_cli_complete (words + 1, described);
      print_text (output_fd, text);
      return BAWN_CLI_EXIT_OK;
    }
  if (strcmp (first, "help") == 0 || strcmp (flag, "help") == 0 || strcmp (flag, "h") == 0)
    return run_help (words + 1, output_fd);
  if (strcmp (flag, "version") == 0 || strcmp (flag, "v") == 0)
    return run_command (bawn_cli_command_lookup ("version"), words + 1, environment, input_fd,
                        output_fd);

  const BawnCliCommand *command = find_command (words, &used);
  if (command == NULL)
    return refuse_word ("", first);
  if (command->run == NULL)
    return run_family (command, words + used, output_fd);
  if (!wants_help (words + used))
    return run_command (command, words + used, environment, input_fd, output_fd);

  g_autofree char *text = bawn_cli_help_command (command);
  print_text (output_fd, text);
  return BAWN_CLI_EXIT_OK;
}
