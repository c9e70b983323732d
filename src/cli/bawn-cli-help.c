/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-help.h"

#include "cli/bawn-cli-terminal.h"

#include <glib/gi18n.h>
#include <string.h>

#define WIDTH 78

static void
append_spaces (GString *out, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_string_append_c (out, ' ');
}

/* One paragraph, broken at blanks. */
static void
append_filled (GString *out, const char *text, gsize indent)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  gsize column = 0;

  for (guint i = 0; words[i] != NULL; i++)
    {
      gsize width = bawn_cli_text_width (words[i]);

      if (column > 0 && column + 1 + width > WIDTH)
        {
          g_string_append_c (out, '\n');
          column = 0;
        }
      if (column == 0)
        {
          append_spaces (out, indent);
          column = indent + width;
        }
      else
        {
          g_string_append_c (out, ' ');
          column += 1 + width;
        }
      g_string_append (out, words[i]);
    }
  g_string_append_c (out, '\n');
}

static void
append_paragraphs (GString *out, const char *text)
{
  g_auto (GStrv) paragraphs = g_strsplit (text, "\n\n", -1);

  for (guint i = 0; paragraphs[i] != NULL; i++)
    {
      g_string_append_c (out, '\n');
      append_filled (out, paragraphs[i], 2);
    }
}

static void
append_examples (GString *out, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_string_append_printf (out, "\n%s\n\n", _ ("Examples:"));
  for (guint i = 0; lines[i] != NULL; i++)
    g_string_append_printf (out, "  $ %s\n", lines[i]);
}

static void
append_flags (GString *out, const BawnCliFlag *flags)
{
  for (const BawnCliFlag *flag = flags; flag != NULL && flag->name != NULL; flag++)
    {
      if (flag->help == NULL)
        continue;
      g_string_append_printf (out, "\n  -%s", flag->name);
      if (flag->metavar != NULL)
        g_string_append_printf (out, "=%s", flag->metavar);
      g_string_append_c (out, '\n');
      append_filled (out, _ (flag->help), 6);
    }
}

static void
append_section (GString *out, const char *title, const BawnCliFlag *flags)
{
  if (flags == NULL || flags[0].name == NULL)
    return;

  g_string_append_printf (out, "\n%s\n", title);
  append_flags (out, flags);
}

/* Whether @name is @family followed by exactly one more word. */
static gboolean
is_child (const char *name, const char *family)
{
  gsize size = strlen (family);

  if (size == 0)
    return strchr (name, ' ') == NULL;

  return g_str_has_prefix (name, family) && name[size] == ' '
         && strchr (name + size + 1, ' ') == NULL;
}

static void
append_children (GString *out, const char *family)
{
  gsize widest = 0;

  for (guint i = 0; bawn_cli_commands[i] != NULL; i++)
    if (is_child (bawn_cli_commands[i]->name, family))
      {
        const char *last = strrchr (bawn_cli_commands[i]->name, ' ');
        widest = MAX (widest, strlen (last != NULL ? last + 1 : bawn_cli_commands[i]->name));
      }
  for (guint i = 0; bawn_cli_commands[i] != NULL; i++)
    {
      const BawnCliCommand *command = bawn_cli_commands[i];
      const char *last = strrchr (command->name, ' ');
      const char *shown = last != NULL ? last + 1 : command->name;

      if (!is_child (command->name, family))
        continue;
      g_string_append_printf (out, "  %s", shown);
      append_spaces (out, widest - strlen (shown) + 3);
      g_string_append_printf (out, "%s\n", _ (command->summary));
    }
}

/**
 * bawn_cli_help_overview:
 * @family: the first words of some commands; "" for all
 *
 * Returns: (transfer full): what there is, one a line
 */
char *
bawn_cli_help_overview (const char *family)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const BawnCliCommand *head = bawn_cli_command_lookup (family);

  if (head == NULL)
    {
      g_string_append_printf (out, "%s bawn COMMAND [%s]\n\n", _ ("Usage:"),
                              _ ("flags and operands"));
      append_filled (out,
                     _ ("The command line of the bawn secrets server. It speaks to any server that "
                        "knows the Vault HTTP API."),
                     2);
    }
  else
    {
      g_string_append_printf (out, "%s bawn %s COMMAND [%s]\n\n", _ ("Usage:"), family,
                              _ ("flags and operands"));
      append_filled (out, _ (head->summary), 2);
      if (head->help != NULL)
        append_paragraphs (out, _ (head->help));
    }

  g_string_append_printf (out, "\n%s\n\n", _ ("Commands:"));
  append_children (out, family);
  g_string_append_c (out, '\n');
  append_filled (
      out, _ ("“bawn COMMAND -help” tells more about each; so does the manual page bawn(1)."), 0);

  return g_string_free (g_steal_pointer (&out), FALSE);
}

/**
 * bawn_cli_help_command:
 * @command: a row of the command table
 *
 * Returns: (transfer full): all there is to know about it
 */
char *
bawn_cli_help_command (const BawnCliCommand *command)
{
  if (command->run == NULL)
    return bawn_cli_help_overview (command->name);

  g_autoptr (GString) out = g_string_new (NULL);
  g_string_append_printf (out, "%s bawn %s [%s]%s%s\n\n", _ ("Usage:"), command->name, _ ("flags"),
                          command->operands != NULL ? " " : "",
                          command->operands != NULL ? command->operands : "");
  append_filled (out, _ (command->summary), 2);
  if (command->help != NULL)
    append_paragraphs (out, _ (command->help));
  if (command->examples != NULL)
    append_examples (out, command->examples);
  if (command->flags != NULL || command->more_flags != NULL)
    g_string_append_printf (out, "\n%s\n", _ ("Flags:"));
  append_flags (out, command->flags);
  append_flags (out, command->more_flags);
  if (command->scope & BAWN_CLI_FORMATTED)
    append_section (out, _ ("Output:"), bawn_cli_flags_format);
  if (command->scope & BAWN_CLI_FIELDED)
    append_flags (out, bawn_cli_flags_field);
  if (command->scope & BAWN_CLI_REMOTE)
    append_section (out, _ ("Connection:"), bawn_cli_flags_http);
  append_section (out, _ ("Common:"), bawn_cli_flags_common);

  return g_string_free (g_steal_pointer (&out), FALSE);
}

/**
 * bawn_cli_command_tables:
 * @command: a row of the command table
 * @tables: (out): the flags it knows
 */
void
bawn_cli_command_tables (const BawnCliCommand *command,
                         const BawnCliFlag *tables[BAWN_CLI_MAX_TABLES])
{
  guint n = 0;

  if (command->flags != NULL)
    tables[n++] = command->flags;
  if (command->more_flags != NULL)
    tables[n++] = command->more_flags;
  if (command->scope & BAWN_CLI_FORMATTED)
    tables[n++] = bawn_cli_flags_format;
  if (command->scope & BAWN_CLI_FIELDED)
    tables[n++] = bawn_cli_flags_field;
  if (command->scope & BAWN_CLI_REMOTE)
    tables[n++] = bawn_cli_flags_http;
  tables[n++] = bawn_cli_flags_common;
  tables[n] = NULL;
}
