/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-help.h"

#include <glib/gi18n.h>
#include <string.h>

/* What is typed, and what it may become. */
typedef struct
{
  const char *typed;
  gboolean described; /* each word with what it is for */
  GString *out;
} BawnCliOffers;

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

/* @about: (nullable): what it is for, in the language of the program */
static void
offer (BawnCliOffers *offers, const char *word, const char *about)
{
  if (!g_str_has_prefix (word, offers->typed))
    return;

  g_string_append (offers->out, word);
  if (offers->described && about != NULL)
    {
      /* A list has a line for each. */
      gsize size = strcspn (about, "\n");
      if (size > 0 && about[size - 1] == '.')
        size--;
      g_string_append_c (offers->out, '\t');
      g_string_append_len (offers->out, about, (gssize) size);
    }
  g_string_append_c (offers->out, '\n');
}

static void
offer_commands (BawnCliOffers *offers, const char *family)
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
        offer (offers, name, _ (bawn_cli_commands[i]->summary));
    }
}

static void
offer_choices (BawnCliOffers *offers, const BawnCliFlag *flag, const char *before)
{
  g_auto (GStrv) choices = g_strsplit (flag->choices, " ", -1);

  for (guint i = 0; choices[i] != NULL; i++)
    {
      g_autofree char *word = g_strconcat (before, choices[i], NULL);
      offer (offers, word, NULL);
    }
}

static void
offer_flags (BawnCliOffers *offers, const BawnCliFlag *const *tables)
{
  const char *typed = offers->typed;
  const char *dashes = g_str_has_prefix (typed, "--") ? "--" : "-";
  const char *equals = strchr (typed, '=');

  if (equals != NULL)
    {
      g_autofree char *before = g_strndup (typed, (gsize) (equals + 1 - typed));
      g_autofree char *name =
          g_strndup (typed + strlen (dashes), (gsize) (equals - typed) - strlen (dashes));
      const BawnCliFlag *flag = bawn_cli_flag_lookup (tables, name);

      if (flag != NULL && flag->choices != NULL)
        offer_choices (offers, flag, before);
      return;
    }

  for (guint i = 0; tables[i] != NULL; i++)
    for (const BawnCliFlag *flag = tables[i]; flag->name != NULL; flag++)
      {
        g_autofree char *word =
            g_strconcat (dashes, flag->name, flag->kind != BAWN_CLI_FLAG_BOOL ? "=" : "", NULL);
        if (flag->help != NULL)
          offer (offers, word, _ (flag->help));
      }
}

/**
 * bawn_cli_complete:
 * @words: (array zero-terminated=1): what stands behind `bawn` so far; the last is being typed
 * @described: whether to say what each is for, behind a tab
 *
 * Returns: (transfer full): what that last word may become, one a line; a flag that wants a value
 * ends in `=`
 */
char *
bawn_cli_complete (const char *const *words, gboolean described)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean helping = words[0] != NULL && words[1] != NULL && strcmp (words[0], "help") == 0;

  /* Behind “help” stands what else would begin the line. */
  if (helping)
    words++;
  guint n_words = g_strv_length ((char **) words);
  if (n_words == 0)
    return g_string_free (g_steal_pointer (&out), FALSE);

  BawnCliOffers offers = { words[n_words - 1], described, out };
  guint used = 0;
  const BawnCliCommand *command = find_command (words, n_words - 1, &used);
  if (command == NULL && n_words == 1)
    offer_commands (&offers, "");
  if (command != NULL && command->run == NULL && used == n_words - 1)
    offer_commands (&offers, command->name);
  if (command != NULL && command->run != NULL && !helping)
    {
      const BawnCliFlag *tables[BAWN_CLI_MAX_TABLES];

      bawn_cli_command_tables (command, tables);
      if (offers.typed[0] == '-')
        offer_flags (&offers, tables);
    }

  return g_string_free (g_steal_pointer (&out), FALSE);
}
