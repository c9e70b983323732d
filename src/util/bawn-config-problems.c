/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-config-private.h"

#include <string.h>

/* Names longer than this are compared by their beginning only. */
#define MAX_WORD 63
/* A word is near another if at most every third letter of it is wrong, and never more than these.
 */
#define MAX_DISTANCE 3

BawnConfigProblem *
bawn_config_problem_new (BawnConfigPlace place, char *text)
{
  BawnConfigProblem *problem = g_new0 (BawnConfigProblem, 1);

  problem->text = text;
  problem->place = place;

  return problem;
}

void
bawn_config_problem_free (BawnConfigProblem *problem)
{
  g_free (problem->text);
  g_free (problem);
}

/* BAWN_<GROUP>_<KEY> */
char *
bawn_config_variable_name (const char *group, const char *key)
{
  g_autofree char *name = g_strdup_printf ("BAWN_%s_%s", group, key);

  for (char *at = name; *at != '\0'; at++)
    *at = g_ascii_isalnum (*at) ? g_ascii_toupper (*at) : '_';

  return g_steal_pointer (&name);
}

/* "/etc/bawn/bawn.conf:12: [listener] tls-disable: what is wrong" */
char *
bawn_config_describe (const BawnConfig *config,
                      BawnConfigPlace place,
                      const BawnConfigSection *section,
                      const char *key,
                      const char *text)
{
  GString *out = g_string_new (NULL);

  if (place.file == BAWN_CONFIG_ENVIRONMENT)
    {
      const BawnConfigEntry *entry = bawn_config_lookup_entry (section, key);

      g_string_append_printf (out, "%s: ", entry->variable);
    }
  else if (place.file != BAWN_CONFIG_NOWHERE)
    g_string_append_printf (out, "%s:", (const char *) config->files->pdata[place.file - 1]);
  else if (config->files->len > 0)
    g_string_append_printf (out, "%s: ", (const char *) config->files->pdata[0]);
  if (place.line > 0)
    g_string_append_printf (out, "%u:", place.line);
  if (place.file != BAWN_CONFIG_NOWHERE && place.file != BAWN_CONFIG_ENVIRONMENT)
    g_string_append_c (out, ' ');

  if (section != NULL)
    g_string_append_printf (out, "[%s]%s", section->name, key != NULL ? " " : ": ");
  if (key != NULL)
    g_string_append_printf (out, "%s: ", key);
  g_string_append (out, text);

  return g_string_free (out, FALSE);
}

/* The same complaint counts once: a value may be read twice. */
void
bawn_config_note (BawnConfig *config, BawnConfigPlace place, const char *text)
{
  for (guint i = 0; i < config->problems->len; i++)
    if (g_str_equal (((BawnConfigProblem *) config->problems->pdata[i])->text, text))
      return;

  g_ptr_array_add (config->problems, bawn_config_problem_new (place, g_strdup (text)));
}

void
bawn_config_note_at (BawnConfig *config,
                     BawnConfigPlace place,
                     const BawnConfigSection *section,
                     const char *key,
                     const char *text)
{
  g_autofree char *described = bawn_config_describe (config, place, section, key, text);

  bawn_config_note (config, place, described);
}

static char
fold (char c)
{
  return c == '_' ? '-' : g_ascii_tolower (c);
}

/* Letters to insert, drop, change or swap with their neighbour (optimal string alignment). */
static guint
distance (const char *a, const char *b)
{
  guint rows[3][MAX_WORD + 1] = { 0 };
  guint a_size = (guint) MIN (strlen (a), MAX_WORD);
  guint b_size = (guint) MIN (strlen (b), MAX_WORD);

  for (guint j = 0; j <= b_size; j++)
    rows[0][j] = j;
  for (guint i = 1; i <= a_size; i++)
    {
      guint *row = rows[i % 3];
      const guint *above = rows[(i + 2) % 3];
      const guint *twice_above = rows[(i + 1) % 3];

      row[0] = i;
      for (guint j = 1; j <= b_size; j++)
        {
          guint cost = fold (a[i - 1]) == fold (b[j - 1]) ? 0 : 1;

          row[j] = MIN (MIN (above[j], row[j - 1]) + 1, above[j - 1] + cost);
          if (i > 1 && j > 1 && fold (a[i - 1]) == fold (b[j - 2])
              && fold (a[i - 2]) == fold (b[j - 1]))
            row[j] = MIN (row[j], twice_above[j - 2] + 1);
        }
    }

  return rows[a_size % 3][b_size];
}

/* The candidate that was probably meant, or NULL. Among equals the first. */
const char *
bawn_config_nearest (const char *word, const char *const *candidates)
{
  guint best = (guint) MIN (strlen (word) / 3, MAX_DISTANCE) + 1;
  const char *nearest = NULL;

  for (; *candidates != NULL; candidates++)
    {
      guint d = distance (word, *candidates);

      if (d < best)
        {
          best = d;
          nearest = *candidates;
        }
    }

  return nearest;
}

static int
compare_words (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Sorted, so that the suggestion does not depend on a hash. */
static GPtrArray *
sorted_words (GHashTable *set)
{
  GPtrArray *words = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer word = NULL;

  g_hash_table_iter_init (&iter, set);
  while (g_hash_table_iter_next (&iter, &word, NULL))
    g_ptr_array_add (words, word);
  g_ptr_array_sort (words, compare_words);
  g_ptr_array_add (words, NULL);

  return words;
}

static void
add_unknown (GPtrArray *found,
             BawnConfig *config,
             BawnConfigPlace place,
             const BawnConfigSection *section,
             const char *key,
             const char *nearest)
{
  const char *what = key != NULL ? "unknown key" : "unknown group";
  g_autofree char *text = nearest == NULL ? g_strdup (what)
                          : key != NULL
                              ? g_strdup_printf ("%s; did you mean \"%s\"?", what, nearest)
                              : g_strdup_printf ("%s; did you mean [%s]?", what, nearest);

  g_ptr_array_add (found, bawn_config_problem_new (
                              place, bawn_config_describe (config, place, section, key, text)));
}

static void
find_unknown_keys (GPtrArray *found, BawnConfig *config, BawnConfigSection *section)
{
  g_autoptr (GPtrArray) known = sorted_words (section->asked);

  for (guint i = 0; i < section->entries->len; i++)
    {
      const BawnConfigEntry *entry = section->entries->pdata[i];

      if (!g_hash_table_contains (section->asked, entry->key))
        add_unknown (found, config, entry->place, section, entry->key,
                     bawn_config_nearest (entry->key, (const char *const *) known->pdata));
    }
}

static GHashTable *
known_groups (BawnConfig *config)
{
  GHashTable *known = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer family = NULL;

  g_hash_table_iter_init (&iter, config->families);
  while (g_hash_table_iter_next (&iter, &family, NULL))
    g_hash_table_add (known, family);
  for (guint i = 0; i < config->sections->len; i++)
    {
      BawnConfigSection *section = config->sections->pdata[i];

      if (section->opened)
        g_hash_table_add (known, section->name);
    }

  return known;
}

/* Groups that nobody opened or expects, and keys of opened groups that nobody asked for. */
GPtrArray *
bawn_config_find_unknown (BawnConfig *config)
{
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_config_problem_free);
  g_autoptr (GHashTable) set = known_groups (config);
  g_autoptr (GPtrArray) known = sorted_words (set);

  for (guint i = 0; i < config->sections->len; i++)
    {
      BawnConfigSection *section = config->sections->pdata[i];

      if (section->opened)
        find_unknown_keys (found, config, section);
      else if (!g_hash_table_contains (set, section->name))
        add_unknown (found, config, section->place, section, NULL,
                     bawn_config_nearest (section->name, (const char *const *) known->pdata));
    }

  return found;
}
