/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-flags.h"

#include "cli/bawn-cli-error.h"
#include "cli/bawn-cli-suggest.h"
#include "util/bawn-bytes.h"
#include "util/bawn-clock.h"

#include <glib/gi18n.h>
#include <string.h>

/* The API's word for "whatever the server's own setting is". */
#define SYSTEM_DURATION "system"

struct _BawnCliArgs
{
  const BawnCliFlag *const *tables;
  GHashTable *values;  /* flag name, static → GPtrArray of wiped strings, NULL-terminated */
  GPtrArray *operands; /* wiped strings, NULL-terminated */
};

static GPtrArray *
words_new (void)
{
  GPtrArray *words = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_string_wipe_free);

  g_ptr_array_add (words, NULL);
  return words;
}

static void
words_add (GPtrArray *words, const char *word)
{
  g_ptr_array_insert (words, (int) words->len - 1, g_strdup (word));
}

/**
 * bawn_cli_bool_parse:
 * @text: what a person wrote
 * @out_value: (out): what it means
 *
 * Takes the spellings that the API takes in its query strings.
 *
 * Returns: %FALSE if @text is none of them
 */
gboolean
bawn_cli_bool_parse (const char *text, gboolean *out_value)
{
  static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True", NULL };
  static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False", NULL };

  if (g_strv_contains (yes, text))
    *out_value = TRUE;
  else if (g_strv_contains (no, text))
    *out_value = FALSE;
  else
    return FALSE;

  return TRUE;
}

/**
 * bawn_cli_flag_lookup:
 * @tables: NULL-terminated list of flag tables
 * @name: a name without dashes
 *
 * Returns: (nullable): the first flag of that name
 */
const BawnCliFlag *
bawn_cli_flag_lookup (const BawnCliFlag *const *tables, const char *name)
{
  for (guint i = 0; tables[i] != NULL; i++)
    for (const BawnCliFlag *flag = tables[i]; flag->name != NULL; flag++)
      if (strcmp (flag->name, name) == 0)
        return flag;

  return NULL;
}

static gboolean
duration_is_system (const char *text)
{
  return text[0] == '-' || strcmp (text, SYSTEM_DURATION) == 0;
}

static gboolean
check_number (const BawnCliFlag *flag, const char *value, GError **error)
{
  if (g_ascii_string_to_signed (value, 10, G_MININT64, G_MAXINT64, NULL, NULL))
    return TRUE;

  return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("Flag -%s wants a whole number"),
                        flag->name);
}

static gboolean
check_duration (const BawnCliFlag *flag, const char *value, GError **error)
{
  gint64 ignored = 0;

  if (duration_is_system (value) || bawn_duration_parse (value, &ignored, NULL))
    return TRUE;

  return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE,
                        _ ("Flag -%s wants a duration such as 30s, 5m or 1h30m"), flag->name);
}

static gboolean
check_choice (const BawnCliFlag *flag, const char *value, GError **error)
{
  if (flag->choices == NULL)
    return TRUE;

  g_auto (GStrv) choices = g_strsplit (flag->choices, " ", -1);
  if (g_strv_contains ((const char *const *) choices, value))
    return TRUE;

  return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("Flag -%s wants one of: %s"), flag->name,
                        flag->choices);
}

static gboolean
check_value (const BawnCliFlag *flag, const char *value, GError **error)
{
  gboolean ignored = FALSE;

  switch (flag->kind)
    {
    case BAWN_CLI_FLAG_BOOL:
      if (bawn_cli_bool_parse (value, &ignored))
        return TRUE;
      return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("Flag -%s wants true or false"),
                            flag->name);
    case BAWN_CLI_FLAG_INT:
      return check_number (flag, value, error);
    case BAWN_CLI_FLAG_DURATION:
      return check_duration (flag, value, error);
    case BAWN_CLI_FLAG_MAP:
      if (strchr (value, '=') != NULL && value[0] != '=')
        return TRUE;
      return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("Flag -%s wants key=value"),
                            flag->name);
    case BAWN_CLI_FLAG_STRING:
    case BAWN_CLI_FLAG_LIST:
      break;
    }

  return check_choice (flag, value, error);
}

static gboolean
fail_unknown (const BawnCliFlag *const *tables, const char *name, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; tables[i] != NULL; i++)
    for (const BawnCliFlag *flag = tables[i]; flag->name != NULL; flag++)
      if (flag->help != NULL)
        g_ptr_array_add (names, (gpointer) flag->name);
  g_ptr_array_add (names, NULL);

  const char *closest = bawn_cli_suggest (name, (const char *const *) names->pdata);
  if (closest == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("There is no flag -%s"), name);

  return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("There is no flag -%s; did you mean -%s?"),
                        name, closest);
}

static void
args_keep (BawnCliArgs *args, const BawnCliFlag *flag, const char *value)
{
  GPtrArray *values = g_hash_table_lookup (args->values, flag->name);

  if (values == NULL)
    {
      values = words_new ();
      g_hash_table_insert (args->values, (gpointer) flag->name, values);
    }
  words_add (values, value);
}

/* @word starts with a dash and is longer than it. @next is what follows; *@out_used says if it was
 * taken. */
static gboolean
args_take_flag (
    BawnCliArgs *args, const char *word, const char *next, gboolean *out_used, GError **error)
{
  const char *start = g_str_has_prefix (word, "--") ? word + 2 : word + 1;
  const char *equals = strchr (start, '=');
  g_autofree char *name =
      equals != NULL ? g_strndup (start, (gsize) (equals - start)) : g_strdup (start);
  const BawnCliFlag *flag = bawn_cli_flag_lookup (args->tables, name);
  const char *value = equals != NULL ? equals + 1 : NULL;

  *out_used = FALSE;
  if (flag == NULL)
    return fail_unknown (args->tables, name, error);
  if (value == NULL && flag->kind == BAWN_CLI_FLAG_BOOL)
    value = "true";
  if (value == NULL)
    {
      if (next == NULL)
        return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("Flag -%s wants a value"), name);
      value = next;
      *out_used = TRUE;
    }
  if (!check_value (flag, value, error))
    return FALSE;

  args_keep (args, flag, value);
  return TRUE;
}

/**
 * bawn_cli_args_parse:
 * @words: what follows the command's name
 * @tables: (array zero-terminated=1): the flags it knows; must live as long as the result
 * @error: (out) (optional): %BAWN_CLI_ERROR_USAGE
 *
 * Flags may stand before, between and after operands, with one dash or two, and take their value
 * behind `=` or as the next word. A lone dash is an operand; after `--` everything is.
 *
 * Returns: (transfer full): the parts
 */
BawnCliArgs *
bawn_cli_args_parse (const char *const *words, const BawnCliFlag *const *tables, GError **error)
{
  g_autoptr (BawnCliArgs) args = g_new0 (BawnCliArgs, 1);
  gboolean only_operands = FALSE;

  args->tables = tables;
  args->operands = words_new ();
  args->values =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  for (guint i = 0; words[i] != NULL; i++)
    {
      gboolean used_next = FALSE;

      if (only_operands || words[i][0] != '-' || words[i][1] == '\0')
        words_add (args->operands, words[i]);
      else if (strcmp (words[i], "--") == 0)
        only_operands = TRUE;
      else if (!args_take_flag (args, words[i], words[i + 1], &used_next, error))
        return NULL;
      if (used_next)
        i++;
    }

  return g_steal_pointer (&args);
}

/**
 * bawn_cli_args_free:
 * @args: (nullable) (transfer full): parts of a command line
 */
void
bawn_cli_args_free (BawnCliArgs *args)
{
  if (args == NULL)
    return;

  g_clear_pointer (&args->values, g_hash_table_unref);
  g_clear_pointer (&args->operands, g_ptr_array_unref);
  g_free (args);
}

static const char *
args_last (BawnCliArgs *args, const char *name)
{
  g_assert (bawn_cli_flag_lookup (args->tables, name) != NULL);

  GPtrArray *values = g_hash_table_lookup (args->values, name);
  return values != NULL ? g_ptr_array_index (values, values->len - 2) : NULL;
}

/**
 * bawn_cli_args_has:
 * @args: parts of a command line
 * @name: a flag
 *
 * Returns: %TRUE if the flag was given
 */
gboolean
bawn_cli_args_has (BawnCliArgs *args, const char *name)
{
  return args_last (args, name) != NULL;
}

/**
 * bawn_cli_args_bool:
 * @args: parts of a command line
 * @name: a flag
 * @fallback: its value when not given
 *
 * Returns: its value
 */
gboolean
bawn_cli_args_bool (BawnCliArgs *args, const char *name, gboolean fallback)
{
  const char *text = args_last (args, name);
  gboolean value = fallback;

  if (text != NULL)
    bawn_cli_bool_parse (text, &value);
  return value;
}

/**
 * bawn_cli_args_string:
 * @args: parts of a command line
 * @name: a flag
 * @fallback: (nullable): its value when not given
 *
 * Returns: (nullable): its value; lives as long as @args
 */
const char *
bawn_cli_args_string (BawnCliArgs *args, const char *name, const char *fallback)
{
  const char *text = args_last (args, name);

  return text != NULL ? text : fallback;
}

/**
 * bawn_cli_args_int:
 * @args: parts of a command line
 * @name: a flag
 * @fallback: its value when not given
 *
 * Returns: its value
 */
gint64
bawn_cli_args_int (BawnCliArgs *args, const char *name, gint64 fallback)
{
  const char *text = args_last (args, name);

  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : fallback;
}

/**
 * bawn_cli_args_list:
 * @args: parts of a command line
 * @name: a flag
 *
 * Returns: (array zero-terminated=1): its values in order; lives as long as @args
 */
const char *const *
bawn_cli_args_list (BawnCliArgs *args, const char *name)
{
  static const char *const nothing[] = { NULL };

  if (args_last (args, name) == NULL)
    return nothing;

  GPtrArray *values = g_hash_table_lookup (args->values, name);
  return (const char *const *) values->pdata;
}

/**
 * bawn_cli_args_dup_split:
 * @args: parts of a command line
 * @name: a flag
 *
 * Returns: (transfer full) (array zero-terminated=1): its values in order, split at commas, without
 * blanks
 */
GStrv
bawn_cli_args_dup_split (BawnCliArgs *args, const char *name)
{
  const char *const *values = bawn_cli_args_list (args, name);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; values[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (values[i], ",", -1);

      for (guint j = 0; parts[j] != NULL; j++)
        if (g_strstrip (parts[j])[0] != '\0')
          g_strv_builder_add (builder, parts[j]);
    }

  return g_strv_builder_end (builder);
}

/**
 * bawn_cli_args_dup_duration:
 * @args: parts of a command line
 * @name: a flag
 *
 * Returns: (transfer full) (nullable): its value as the API takes it
 */
char *
bawn_cli_args_dup_duration (BawnCliArgs *args, const char *name)
{
  const char *text = args_last (args, name);
  gint64 us = 0;

  if (text == NULL)
    return NULL;
  if (duration_is_system (text) || !bawn_duration_parse (text, &us, NULL))
    return g_strdup (SYSTEM_DURATION);

  return bawn_duration_format (us);
}

/**
 * bawn_cli_args_n_operands:
 * @args: parts of a command line
 *
 * Returns: how many operands there are
 */
guint
bawn_cli_args_n_operands (BawnCliArgs *args)
{
  return args->operands->len - 1;
}

/**
 * bawn_cli_args_operand:
 * @args: parts of a command line
 * @index: from 0
 *
 * Returns: (nullable): an operand; lives as long as @args
 */
const char *
bawn_cli_args_operand (BawnCliArgs *args, guint index)
{
  return index < args->operands->len ? g_ptr_array_index (args->operands, index) : NULL;
}

/**
 * bawn_cli_args_operands:
 * @args: parts of a command line
 * @from: how many to leave out
 *
 * Returns: (array zero-terminated=1): the operands behind these; lives as long as @args
 */
const char *const *
bawn_cli_args_operands (BawnCliArgs *args, guint from)
{
  guint start = MIN (from, args->operands->len - 1);

  return (const char *const *) args->operands->pdata + start;
}
