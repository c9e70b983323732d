/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-config-private.h"

#include "util/bawn-bytes.h"
#include "util/bawn-clock.h"
#include "util/bawn-credential.h"

#include <string.h>

/* How much of a faulty value goes into a complaint. */
#define MAX_SHOWN 80

/* A value that was found: escapes are taken out, lists are not yet split. */
typedef struct
{
  char *text;
  gboolean literal;
} Value;

static void
value_clear (Value *value)
{
  g_clear_pointer (&value->text, bawn_string_wipe_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Value, value_clear)

/* The name of the variable that sets the key, if one does, with its value. */
static char *
find_variable (BawnConfigGroup *group, const char *key, const char **out_text)
{
  char **environment = group->config->environment;
  const char *const *names = g_hash_table_lookup (group->section->variables, key);
  g_autofree char *usual = bawn_config_variable_name (group->section->name, key);

  if (names == NULL)
    {
      *out_text = g_environ_getenv (environment, usual);
      return *out_text != NULL ? g_steal_pointer (&usual) : NULL;
    }
  for (; *names != NULL; names++)
    {
      *out_text = g_environ_getenv (environment, *names);
      if (*out_text != NULL && **out_text != '\0')
        return g_strdup (*names);
    }

  return NULL;
}

/* The variable of the environment takes the place of what the files say. */
static void
apply_environment (BawnConfigGroup *group, const char *key)
{
  const char *text = NULL;
  g_autofree char *name = find_variable (group, key, &text);

  if (name == NULL)
    return;

  BawnConfigEntry *entry = bawn_config_lookup_entry (group->section, key);

  if (entry == NULL)
    {
      entry = g_new0 (BawnConfigEntry, 1);
      entry->key = g_strdup (key);
      g_ptr_array_add (group->section->entries, entry);
    }
  bawn_string_wipe_free (entry->value);
  entry->value = g_strdup (text);
  entry->variable = g_steal_pointer (&name);
  entry->place = (BawnConfigPlace){ BAWN_CONFIG_ENVIRONMENT, 0 };
}

/* Marks the key as known, and copies its value if there is one. */
static gboolean
lookup (BawnConfigGroup *group, const char *key, Value *out_value)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&group->config->mutex);

  if (g_hash_table_add (group->section->asked, g_strdup (key)))
    apply_environment (group, key);

  BawnConfigEntry *entry = bawn_config_lookup_entry (group->section, key);

  if (entry == NULL)
    return FALSE;

  out_value->text = g_strdup (entry->value);
  out_value->literal = entry->place.file == BAWN_CONFIG_ENVIRONMENT;
  return TRUE;
}

/* Takes out the escapes of a key file in place; @more names what may be escaped besides. */
static gboolean
unescape (char *text, const char *more)
{
  static const char from[] = "snrt\\";
  static const char to[] = " \n\r\t\\";
  char *out = text;

  for (; *text != '\0'; text++)
    {
      if (*text != '\\')
        {
          *out++ = *text;
          continue;
        }
      text++;

      const char *found = *text != '\0' ? strchr (from, *text) : NULL;

      if (found == NULL && (*text == '\0' || strchr (more, *text) == NULL))
        return FALSE;
      *out++ = found != NULL ? to[found - from] : *text;
    }

  *out = '\0';
  return TRUE;
}

static void
complain_escape (BawnConfigGroup *group, const char *key)
{
  bawn_config_complain (group, key, "expected s, n, r, t or \\ after a \\");
}

/* Looks a value up and takes its escapes out. */
static gboolean
lookup_text (BawnConfigGroup *group, const char *key, Value *out_value)
{
  if (!lookup (group, key, out_value))
    return FALSE;
  if (out_value->literal || unescape (out_value->text, ""))
    return TRUE;

  complain_escape (group, key);
  return FALSE;
}

static gboolean
sounds_secret (const char *key)
{
  static const char *const words[] = { "token", "password",   "passphrase",  "secret", "key",
                                       "pin",   "credential", "credentials", NULL };
  g_auto (GStrv) parts = g_strsplit_set (key, "-_", -1);
  guint n = g_strv_length (parts);

  if (n > 0 && g_str_equal (parts[n - 1], "file"))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *part = g_ascii_strdown (parts[i], -1);

      if (g_strv_contains (words, part))
        return TRUE;
    }

  return FALSE;
}

/* The start of a value, in one line and printable. */
static char *
show (const char *value)
{
  if (!g_utf8_validate (value, -1, NULL))
    return g_strdup ("\xef\xbf\xbd");

  char beyond_ascii[129] = { 0 };
  glong length = MIN (g_utf8_strlen (value, -1), MAX_SHOWN);
  g_autofree char *start = g_utf8_substring (value, 0, length);

  for (guint i = 0; i < 128; i++)
    beyond_ascii[i] = (char) (128 + i);

  return g_strescape (start, beyond_ascii);
}

/* @expected names what is good: "a number". */
static void
complain_value (BawnConfigGroup *group, const char *key, const char *expected, const char *value)
{
  if (sounds_secret (key))
    {
      bawn_config_complain (group, key, "expected %s", expected);
      return;
    }

  g_autofree char *shown = show (value);

  bawn_config_complain (group, key, "expected %s, not \"%s\"", expected, shown);
}

/**
 * bawn_config_set_variables:
 * @group: a group
 * @key: a key that has not been read yet
 * @variables: (array zero-terminated=1): variables of the environment, the strongest first
 *
 * Lets these set the key, instead of the one that is named after group and key. One that is empty
 * counts for nothing: that is how variables are taken back where they cannot be removed.
 */
void
bawn_config_set_variables (BawnConfigGroup *group, const char *key, const char *const *variables)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&group->config->mutex);

  g_hash_table_insert (group->section->variables, g_strdup (key), g_strdupv ((char **) variables));
}

/**
 * bawn_config_group_has:
 * @group: a group
 * @key: a key
 *
 * Returns: whether there is a value, be it empty
 */
gboolean
bawn_config_group_has (BawnConfigGroup *group, const char *key)
{
  g_auto (Value) value = { 0 };

  return lookup (group, key, &value);
}

/* A key that names a file may name a credential in its place: for all readers at once, those of modules too. */
static char *
resolve_credential (BawnConfigGroup *group, const char *key, const char *text)
{
  const char *name = text + strlen (BAWN_CREDENTIAL_PREFIX);

  if (!g_str_has_suffix (key, "-file") || !g_str_has_prefix (text, BAWN_CREDENTIAL_PREFIX))
    return NULL;
  if (!bawn_credential_is_name (name))
    bawn_config_complain (group, key, "what follows " BAWN_CREDENTIAL_PREFIX " is not the name of a credential");

  return bawn_credential_dup_path (name);
}

/**
 * bawn_config_get_string:
 * @group: a group
 * @key: a key
 * @fallback: (nullable): what to return if there is no value
 *
 * Of a key whose name ends in "-file", the value "credential:NAME" stands for the path of that credential of the service
 * manager.
 *
 * Returns: (transfer full) (nullable): the text, with escapes (\s \n \r \t \\) taken out
 */
char *
bawn_config_get_string (BawnConfigGroup *group, const char *key, const char *fallback)
{
  g_auto (Value) value = { 0 };

  if (!lookup_text (group, key, &value))
    return g_strdup (fallback);

  char *path = resolve_credential (group, key, value.text);
  return path != NULL ? path : g_steal_pointer (&value.text);
}

/* Cuts at the next comma or semicolon that has no backslash before it. */
static char *
cut_item (char **rest, gboolean literal)
{
  char *item = *rest;
  char *at = item;

  for (; *at != '\0' && *at != ',' && *at != ';'; at++)
    if (!literal && at[0] == '\\' && at[1] != '\0')
      at++;
  *rest = *at != '\0' ? at + 1 : NULL;
  *at = '\0';

  return g_strstrip (item);
}

/**
 * bawn_config_get_list:
 * @group: a group
 * @key: a key
 *
 * Splits a value at commas and semicolons; blanks around items and empty items do not count. A file
 * can have \, and \; in an item.
 *
 * Returns: (transfer full) (nullable): the items, maybe none; %NULL if there is no value
 */
GStrv
bawn_config_get_list (BawnConfigGroup *group, const char *key)
{
  g_auto (Value) value = { 0 };
  g_autoptr (GStrvBuilder) items = g_strv_builder_new ();

  if (!lookup (group, key, &value))
    return NULL;
  for (char *rest = value.text; rest != NULL;)
    {
      char *item = cut_item (&rest, value.literal);

      if (!value.literal && !unescape (item, ",;"))
        complain_escape (group, key);
      else if (*item != '\0')
        g_strv_builder_add (items, item);
    }

  return g_strv_builder_end (items);
}

/**
 * bawn_config_get_bool:
 * @group: a group
 * @key: a key
 * @fallback: what to return if there is no good value
 *
 * Returns: whether the value is "true" or "1", rather than "false" or "0"
 */
gboolean
bawn_config_get_bool (BawnConfigGroup *group, const char *key, gboolean fallback)
{
  g_auto (Value) value = { 0 };

  if (!lookup_text (group, key, &value))
    return fallback;
  if (g_str_equal (value.text, "true") || g_str_equal (value.text, "1"))
    return TRUE;
  if (g_str_equal (value.text, "false") || g_str_equal (value.text, "0"))
    return FALSE;

  complain_value (group, key, "true or false", value.text);
  return fallback;
}

static char *
format_plain (gint64 value)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT, value);
}

/**
 * bawn_config_format_size:
 * @value: a number of bytes
 *
 * Returns: (transfer full): @value as a configuration would say it: "64M"
 */
char *
bawn_config_format_size (gint64 value)
{
  static const char suffixes[] = { 'G', 'M', 'K' };

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      gint64 unit = G_GINT64_CONSTANT (1) << (30 - 10 * i);

      if (value != 0 && value % unit == 0)
        return g_strdup_printf ("%" G_GINT64_FORMAT "%c", value / unit, suffixes[i]);
    }

  return format_plain (value);
}

/* Returns the value if it is good and in range, otherwise complains. */
static gint64
in_range (BawnConfigGroup *group,
          const char *key,
          const char *text,
          gboolean good,
          gint64 number,
          const char *what,
          char *(*format) (gint64),
          gint64 fallback,
          gint64 min,
          gint64 max)
{
  if (good && number >= min && number <= max)
    return number;

  g_autofree char *low = format (min);
  g_autofree char *high = format (max);
  g_autofree char *expected = min == G_MININT64 && max == G_MAXINT64 ? g_strdup (what)
                              : max == G_MAXINT64 ? g_strdup_printf ("%s of at least %s", what, low)
                              : min == G_MININT64
                                  ? g_strdup_printf ("%s of at most %s", what, high)
                                  : g_strdup_printf ("%s from %s to %s", what, low, high);

  complain_value (group, key, expected, text);
  return fallback;
}

static gboolean
parse_number (const char *text, gint64 *out_number)
{
  return g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, out_number, NULL);
}

/**
 * bawn_config_get_int:
 * @group: a group
 * @key: a key
 * @fallback: what to return if there is no good value; need not be in the range
 * @min: least good value
 * @max: greatest good value
 *
 * Returns: a whole number
 */
gint64
bawn_config_get_int (
    BawnConfigGroup *group, const char *key, gint64 fallback, gint64 min, gint64 max)
{
  g_auto (Value) value = { 0 };
  gint64 number = 0;

  if (!lookup_text (group, key, &value))
    return fallback;

  gboolean good = parse_number (value.text, &number);

  return in_range (group, key, value.text, good, number, "a number", format_plain, fallback, min,
                   max);
}

static gboolean
parse_size (char *text, gint64 *out_number)
{
  static const char suffixes[] = "KMG";
  gsize size = strlen (text);
  const char *found = size > 0 ? strchr (suffixes, g_ascii_toupper (text[size - 1])) : NULL;
  g_autofree char *digits = g_strndup (text, found != NULL ? size - 1 : size);
  gint64 number = 0;

  if (!parse_number (digits, &number))
    return FALSE;

  guint shift = found != NULL ? (guint) (found - suffixes + 1) * 10 : 0;

  return !__builtin_mul_overflow (number, G_GINT64_CONSTANT (1) << shift, out_number);
}

/**
 * bawn_config_get_size:
 * @group: a group
 * @key: a key
 * @fallback: what to return if there is no good value; need not be in the range
 * @min: least good value
 * @max: greatest good value
 *
 * Returns: a number of bytes, written plainly or with K, M or G (of 1024) behind it
 */
gint64
bawn_config_get_size (
    BawnConfigGroup *group, const char *key, gint64 fallback, gint64 min, gint64 max)
{
  g_auto (Value) value = { 0 };
  gint64 number = 0;

  if (!lookup_text (group, key, &value))
    return fallback;

  gboolean good = parse_size (value.text, &number);

  return in_range (group, key, value.text, good, number, "a size", bawn_config_format_size, fallback, min, max);
}

/**
 * bawn_config_get_duration_us:
 * @group: a group
 * @key: a key
 * @fallback: what to return if there is no good value; need not be in the range
 * @min: least good value
 * @max: greatest good value
 *
 * Returns: a duration in microseconds, read by bawn_duration_parse()
 */
gint64
bawn_config_get_duration_us (
    BawnConfigGroup *group, const char *key, gint64 fallback, gint64 min, gint64 max)
{
  g_auto (Value) value = { 0 };
  gint64 us = 0;

  if (!lookup_text (group, key, &value))
    return fallback;

  gboolean good = bawn_duration_parse (value.text, &us, NULL);

  return in_range (group, key, value.text, good, us, "a duration", bawn_duration_format, fallback,
                   min, max);
}

/**
 * bawn_config_get_choice:
 * @group: a group
 * @key: a key
 * @names: (array zero-terminated=1): the words that are allowed
 * @fallback: what to return if there is no good value
 *
 * Returns: the index of the value in @names
 */
guint
bawn_config_get_choice (BawnConfigGroup *group,
                        const char *key,
                        const char *const *names,
                        guint fallback)
{
  g_auto (Value) value = { 0 };

  if (!lookup_text (group, key, &value))
    return fallback;
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_equal (names[i], value.text))
      return i;

  g_autofree char *all = g_strjoinv (", ", (char **) names);
  g_autofree char *expected = g_strdup_printf ("one of %s", all);

  complain_value (group, key, expected, value.text);
  return fallback;
}
