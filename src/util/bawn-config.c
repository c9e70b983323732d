/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-config-private.h"

#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

#include <string.h>

/* Of those of others only addresses are ever asked for: see bawn_config_set_variables(). */
#define VARIABLE_PREFIX "BAWN_"
#define FOREIGN_PREFIX "VAULT_"
#define FOREIGN_SUFFIX "_ADDR"

G_DEFINE_BOXED_TYPE (BawnConfigGroup,
                     bawn_config_group,
                     bawn_config_group_ref,
                     bawn_config_group_unref)

static void
entry_free (BawnConfigEntry *entry)
{
  g_free (entry->key);
  bawn_string_wipe_free (entry->value);
  g_free (entry->variable);
  g_free (entry);
}

static void
section_free (BawnConfigSection *section)
{
  g_free (section->name);
  g_ptr_array_unref (section->entries);
  g_hash_table_unref (section->asked);
  g_hash_table_unref (section->variables);
  g_free (section);
}

static gboolean
is_variable (const char *assignment)
{
  g_autofree char *name = g_strndup (assignment, strcspn (assignment, "="));

  return g_str_has_prefix (name, VARIABLE_PREFIX)
         || (g_str_has_prefix (name, FOREIGN_PREFIX) && g_str_has_suffix (name, FOREIGN_SUFFIX));
}

static BawnConfig *
config_new (const char *const *environment)
{
  BawnConfig *config = g_new0 (BawnConfig, 1);
  g_autoptr (GStrvBuilder) ours = g_strv_builder_new ();

  for (gsize i = 0; environment != NULL && environment[i] != NULL; i++)
    if (is_variable (environment[i]))
      g_strv_builder_add (ours, environment[i]);

  g_atomic_ref_count_init (&config->refs);
  g_mutex_init (&config->mutex);
  config->files = g_ptr_array_new_with_free_func (g_free);
  config->sections = g_ptr_array_new_with_free_func ((GDestroyNotify) section_free);
  config->problems = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_config_problem_free);
  config->families = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  config->environment = g_strv_builder_end (ours);

  return config;
}

BawnConfigSection *
bawn_config_lookup_section (BawnConfig *config, const char *name)
{
  for (guint i = 0; i < config->sections->len; i++)
    {
      BawnConfigSection *section = config->sections->pdata[i];

      if (g_str_equal (section->name, name))
        return section;
    }

  return NULL;
}

BawnConfigSection *
bawn_config_ensure_section (BawnConfig *config, const char *name)
{
  BawnConfigSection *section = bawn_config_lookup_section (config, name);

  if (section != NULL)
    return section;

  section = g_new0 (BawnConfigSection, 1);
  section->name = g_strdup (name);
  section->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  section->asked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  section->variables =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
  g_ptr_array_add (config->sections, section);

  return section;
}

BawnConfigEntry *
bawn_config_lookup_entry (const BawnConfigSection *section, const char *key)
{
  for (guint i = 0; i < section->entries->len; i++)
    {
      BawnConfigEntry *entry = section->entries->pdata[i];

      if (g_str_equal (entry->key, key))
        return entry;
    }

  return NULL;
}

static gboolean
read_file (BawnConfig *config, const char *path, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree char *data = NULL;
  gsize size = 0;

  if (!g_file_get_contents (path, &data, &size, &cause))
    return bawn_fail (error,
                      g_error_matches (cause, G_FILE_ERROR, G_FILE_ERROR_NOENT)
                          ? BAWN_ERROR_NOT_FOUND
                          : BAWN_ERROR_INVALID,
                      "cannot read the configuration: %s", cause->message);

  bawn_config_read_data (config, path, data, size);
  bawn_wipe (data, size);

  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static gboolean
read_drop_ins (BawnConfig *config, const char *path, GError **error)
{
  g_autofree char *folder = g_strconcat (path, ".d", NULL);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &cause);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (dir == NULL)
    return g_error_matches (cause, G_FILE_ERROR, G_FILE_ERROR_NOENT)
           || bawn_fail (error, BAWN_ERROR_INVALID, "cannot read the configuration: %s",
                         cause->message);

  for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
    if (g_str_has_suffix (name, ".conf") && name[0] != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *file = g_build_filename (folder, names->pdata[i], NULL);

      if (!read_file (config, file, error))
        return FALSE;
    }

  return TRUE;
}

/**
 * bawn_config_load:
 * @path: (nullable) (type filename): a key file
 * @environment: (nullable): variables, as from g_get_environ()
 * @error: (out) (optional): %BAWN_ERROR_NOT_FOUND without the file, %BAWN_ERROR_INVALID for others
 *
 * Reads @path, the files *.conf of the folder "@path.d" in the order of their names, and keeps the
 * variables BAWN_* of @environment. Mistakes in the files are not errors here but problems, to be
 * told by bawn_config_check() together with those that readers find.
 *
 * Returns: (transfer full) (nullable): the configuration; %NULL if a file cannot be read
 */
BawnConfig *
bawn_config_load (const char *path, const char *const *environment, GError **error)
{
  g_autoptr (BawnConfig) config = config_new (environment);

  if (path != NULL && (!read_file (config, path, error) || !read_drop_ins (config, path, error)))
    return NULL;

  return g_steal_pointer (&config);
}

/**
 * bawn_config_load_data:
 * @name: what to call the text in complaints
 * @data: (array length=size): the text of a key file
 * @size: its length
 * @error: (out) (optional): not set so far
 *
 * Reads a configuration from memory, without any environment.
 *
 * Returns: (transfer full) (nullable): the configuration
 */
BawnConfig *
bawn_config_load_data (const char *name, const char *data, gsize size, GError **error)
{
  g_autoptr (BawnConfig) config = config_new (NULL);

  bawn_config_read_data (config, name, data, size);

  return g_steal_pointer (&config);
}

/**
 * bawn_config_ref:
 * @config: a configuration
 *
 * Returns: (transfer full): @config
 */
BawnConfig *
bawn_config_ref (BawnConfig *config)
{
  g_atomic_ref_count_inc (&config->refs);
  return config;
}

/**
 * bawn_config_unref:
 * @config: (transfer full): a configuration
 */
void
bawn_config_unref (BawnConfig *config)
{
  if (!g_atomic_ref_count_dec (&config->refs))
    return;

  g_ptr_array_unref (config->files);
  g_ptr_array_unref (config->sections);
  g_ptr_array_unref (config->problems);
  g_hash_table_unref (config->families);
  g_strfreev (config->environment);
  g_mutex_clear (&config->mutex);
  g_free (config);
}

static BawnConfigGroup *
group_new (BawnConfig *config, BawnConfigSection *section)
{
  BawnConfigGroup *group = g_new0 (BawnConfigGroup, 1);

  g_atomic_ref_count_init (&group->refs);
  group->config = bawn_config_ref (config);
  group->section = section;
  section->opened = TRUE;

  return group;
}

/**
 * bawn_config_get_group:
 * @config: a configuration
 * @name: name of a group
 *
 * Opens a group; one that stands nowhere is empty but for the environment.
 *
 * Returns: (transfer full): the group
 */
BawnConfigGroup *
bawn_config_get_group (BawnConfig *config, const char *name)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&config->mutex);

  return group_new (config, bawn_config_ensure_section (config, name));
}

static gboolean
is_of_family (const char *name, const char *family)
{
  gsize size = strlen (family);

  return strncmp (name, family, size) == 0 && (name[size] == '\0' || name[size] == ' ');
}

static gboolean
environment_has_family (BawnConfig *config, const char *family)
{
  g_autofree char *prefix = bawn_config_variable_name (family, "");

  for (gsize i = 0; config->environment[i] != NULL; i++)
    if (g_str_has_prefix (config->environment[i], prefix))
      return TRUE;

  return FALSE;
}

/**
 * bawn_config_get_family:
 * @config: a configuration
 * @family: first word of the names of some groups
 *
 * Opens [family] and each [family NAME], in the order they stand in the files. If there is none,
 * but variables of the environment begin with BAWN_FAMILY_, there is one [family] for them.
 *
 * Returns: (transfer full) (element-type BawnConfigGroup): the groups, maybe none
 */
GPtrArray *
bawn_config_get_family (BawnConfig *config, const char *family)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&config->mutex);
  GPtrArray *groups = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_config_group_unref);

  g_hash_table_add (config->families, g_strdup (family));
  for (guint i = 0; i < config->sections->len; i++)
    {
      BawnConfigSection *section = config->sections->pdata[i];

      if (is_of_family (section->name, family))
        g_ptr_array_add (groups, group_new (config, section));
    }
  if (groups->len == 0 && environment_has_family (config, family))
    g_ptr_array_add (groups, group_new (config, bawn_config_ensure_section (config, family)));

  return groups;
}

/**
 * bawn_config_group_ref:
 * @group: a group
 *
 * Returns: (transfer full): @group
 */
BawnConfigGroup *
bawn_config_group_ref (BawnConfigGroup *group)
{
  g_atomic_ref_count_inc (&group->refs);
  return group;
}

/**
 * bawn_config_group_unref:
 * @group: (transfer full): a group
 */
void
bawn_config_group_unref (BawnConfigGroup *group)
{
  if (!g_atomic_ref_count_dec (&group->refs))
    return;

  bawn_config_unref (group->config);
  g_free (group);
}

/**
 * bawn_config_group_get_name:
 * @group: a group
 *
 * Returns: what stands between the brackets
 */
const char *
bawn_config_group_get_name (BawnConfigGroup *group)
{
  return group->section->name;
}

/**
 * bawn_config_complain:
 * @group: a group
 * @key: (nullable): a key of it, or %NULL if the complaint is about the group
 * @format: printf-style message
 *
 * Notes a problem as if the key had been mistyped: the place is put before the message. It never
 * contains the value of a key whose name sounds like a secret, and neither should the message.
 */
void
bawn_config_complain (BawnConfigGroup *group, const char *key, const char *format, ...)
{
  va_list args;

  va_start (args, format);

  g_autofree char *text = g_strdup_vprintf (format, args);

  va_end (args);

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&group->config->mutex);
  BawnConfigEntry *entry = key != NULL ? bawn_config_lookup_entry (group->section, key) : NULL;

  bawn_config_note_at (group->config, entry != NULL ? entry->place : group->section->place,
                       group->section, key, text);
}

/**
 * bawn_config_expect:
 * @config: a configuration
 * @families: (array zero-terminated=1): first words of group names
 *
 * Says that these groups are not mistakes, even if nobody opens them.
 */
void
bawn_config_expect (BawnConfig *config, const char *const *families)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&config->mutex);

  for (; *families != NULL; families++)
    g_hash_table_add (config->families, g_strdup (*families));
}

static int
compare_problems (gconstpointer a, gconstpointer b)
{
  const BawnConfigPlace *x = &(*(BawnConfigProblem *const *) a)->place;
  const BawnConfigPlace *y = &(*(BawnConfigProblem *const *) b)->place;

  if (x->file != y->file)
    return x->file < y->file ? -1 : 1;

  return (x->line > y->line) - (x->line < y->line);
}

/**
 * bawn_config_dup_problems:
 * @config: a configuration
 *
 * Collects what is wrong so far: faults in the files, what readers complained about, and groups and
 * keys that nobody has asked for until now. In the order of files and lines.
 *
 * Returns: (transfer full): one text for each, none if all is well
 */
GStrv
bawn_config_dup_problems (BawnConfig *config)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&config->mutex);
  g_autoptr (GPtrArray) all = bawn_config_find_unknown (config);
  g_autoptr (GStrvBuilder) texts = g_strv_builder_new ();

  for (guint i = 0; i < config->problems->len; i++)
    {
      const BawnConfigProblem *problem = config->problems->pdata[i];

      g_ptr_array_add (all, bawn_config_problem_new (problem->place, g_strdup (problem->text)));
    }
  g_ptr_array_sort (all, compare_problems);
  for (guint i = 0; i < all->len; i++)
    g_strv_builder_add (texts, ((BawnConfigProblem *) all->pdata[i])->text);

  return g_strv_builder_end (texts);
}

/**
 * bawn_config_check:
 * @config: a configuration of which everything has been read
 * @error: (out) (optional): %BAWN_ERROR_INVALID with all problems, one a line
 *
 * Returns: whether there is no problem
 */
gboolean
bawn_config_check (BawnConfig *config, GError **error)
{
  g_auto (GStrv) problems = bawn_config_dup_problems (config);

  if (problems[0] == NULL)
    return TRUE;

  g_autofree char *text = g_strjoinv ("\n", problems);

  return bawn_fail (error, BAWN_ERROR_INVALID, "%s", text);
}
