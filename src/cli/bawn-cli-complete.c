/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-help.h"

#include <string.h>

/* The longest command that @words starts with; *out_used is how many words that takes. */
static const BawnCliCommand *
find_command (const char *const *words, guint n_words, guint *out_used)
{
  g_autoptr (GString) name = g_string_new (NULL);
  const BawnCliCommand *found = NULL;

  *out_used = 0;
  for (guint i = 0; i < n_words; i++)
    {
      g_string_append_printf (name, "%s%s", i > 0 ? " " : "", words[i]);

      const BawnCliCommand *command = bawn_cli_command_lookup (name->str);
      if (command == NULL)
        break;
      found = command;
      *out_used = i + 1;
    }

  return found;
}

static void
offer (GString *out, const char *word, const char *typed)
{
  if (g_str_has_prefix (word, typed))
    g_string_append_printf (out, "%s\n", word);
}

static void
offer_commands (GString *out, const char *family, const char *typed)
{
  gsize size = strlen (family);

  for (guint i = 0; bawn_cli_commands[i] != NULL; i++)
    {
      const char *name = bawn_cli_commands[i]->name;

      if (size > 0 && !(g_str_has_prefix (name, family) && name[size] == ' '))
        continue;
      if (size > 0)
        name += size + 1;
      if (strchr (name, ' ') == NULL)
        offer (out, name, typed);
    }
}

static void
offer_choices (GString *out, const BawnCliFlag *flag, const char *before, const char *typed)
{
  g_auto (GStrv) choices = g_strsplit (flag->choices, " ", -1);

  for (guint i = 0; choices[i] != NULL; i++)
    {
      g_autofree char *word = g_strconcat (before, choices[i], NULL);
      offer (out, word, typed);
    }
}

static void
offer_flags (GString *out, const BawnCliFlag *const *tables, const char *typed)
{
  const char *dashes = g_str_has_prefix (typed, "--") ? "--" : "-";
  const char *equals = strchr (typed, '=');

  if (equals != NULL)
    {
      g_autofree char *before = g_strndup (typed, (gsize) (equals + 1 - typed));
      g_autofree char *name =
          g_strndup (typed + strlen (dashes), (gsize) (equals - typed) - strlen (dashes));
      const BawnCliFlag *flag = bawn_cli_flag_lookup (tables, name);

      if (flag != NULL && flag->choices != NULL)
        offer_choices (out, flag, before, typed);
      return;
    }

  for (guint i = 0; tables[i] != NULL; i++)
    for (const BawnCliFlag *flag = tables[i]; flag->name != NULL; flag++)
      {
        g_autofree char *word =
            g_strconcat (dashes, flag->name, flag->kind != BAWN_CLI_FLAG_BOOL ? "=" : "", NULL);
        if (flag->help != NULL)
          offer (out, word, typed);
      }
}

/**
 * bawn_cli_complete:
 * @words: (array zero-terminated=1): what stands behind `bawn` so far; the last is being typed
 *
 * Returns: (transfer full): what that last word may become, one a line; a flag that wants a value
 * ends in `=`
 */
char *
bawn_cli_complete (const char *const *words)
{
  g_autoptr (GString) out = g_string_new (NULL);
  guint n_words = g_strv_length ((char **) words);

  if (n_words == 0)
    return g_string_free (g_steal_pointer (&out), FALSE);

  const char *typed = words[n_words - 1];
  guint used = 0;
  const BawnCliCommand *command = find_command (words, n_words - 1, &used);
  if (command == NULL && n_words == 1)
    offer_commands (out, "", typed);
  if (command != NULL && command->run == NULL && used == n_words - 1)
    offer_commands (out, command->name, typed);
  if (command != NULL && command->run != NULL)
    {
      const BawnCliFlag *tables[BAWN_CLI_MAX_TABLES];

      bawn_cli_command_tables (command, tables);
      if (typed[0] == '-')
        offer_flags (out, tables, typed);
    }

  return g_string_free (g_steal_pointer (&out), FALSE);
}
