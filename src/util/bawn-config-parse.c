/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-config-private.h"

#include "util/bawn-bytes.h"
#include "util/bawn-utf8.h"

#include <string.h>

/* A configuration is written by hand: more than this is some other file. */
#define MAX_FILE (1024 * 1024)
/* Enough to see what is wrong; a binary file has a fault in every line. */
#define MAX_PROBLEMS_PER_FILE 50

typedef struct
{
  BawnConfig *config;
  BawnConfigPlace place;
  /* where keys go now; NULL before the first group and after a faulty one */
  BawnConfigSection *section;
  gboolean any_group;
  guint n_problems;
} Reader;

static void
reader_note (Reader *reader, BawnConfigSection *section, const char *key, const char *text)
{
  if (++reader->n_problems <= MAX_PROBLEMS_PER_FILE)
    bawn_config_note_at (reader->config, reader->place, section, key, text);
}

static gboolean
is_group_name (const char *name)
{
  const char *at = name;

  if (*name == '\0' || *name == ' ')
    return FALSE;
  for (; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("-_. ", *at) == NULL)
      return FALSE;

  return at[-1] != ' ' && strstr (name, "  ") == NULL;
}

static gboolean
is_key (const char *key)
{
  if (*key == '\0')
    return FALSE;
  for (; *key != '\0'; key++)
    if (!g_ascii_isalnum (*key) && *key != '-' && *key != '_')
      return FALSE;

  return TRUE;
}

static void
read_group (Reader *reader, char *line)
{
  gsize size = strlen (line);

  reader->any_group = TRUE;
  reader->section = NULL;
  if (line[size - 1] != ']')
    {
      reader_note (reader, NULL, NULL, "expected nothing but a group in brackets");
      return;
    }
  line[size - 1] = '\0';
  line = g_strstrip (line + 1);
  if (!is_group_name (line))
    {
      reader_note (reader, NULL, NULL,
                   "expected a group's name in the brackets: letters, digits, - _ . and blanks");
      return;
    }

  BawnConfigSection *section = bawn_config_ensure_section (reader->config, line);

  reader->section = section;
  if (section->place.file != reader->place.file)
    {
      section->place = reader->place;
      return;
    }

  g_autofree char *text =
      g_strdup_printf ("this group began on line %u already", section->place.line);

  reader_note (reader, section, NULL, text);
}

/* It would be taken for a part of the value, and the file that is made, or the password that is wrong, is found much later. */
static void
refuse_comment (Reader *reader, const char *key, char *value)
{
  for (char *at = value; *at != '\0'; at++)
    if (at > value && *at == '#' && g_ascii_isspace (at[-1]))
      {
        reader_note (reader, reader->section, key,
                     "a comment stands on a line of its own; a blank before # that belongs to the "
                     "value is written \\s");
        *at = '\0';
        g_strchomp (value);
        return;
      }
}

static void
read_assignment (Reader *reader, char *line, char *equals)
{
  *equals = '\0';

  const char *key = g_strstrip (line);
  char *value = g_strstrip (equals + 1);

  if (!is_key (key))
    {
      reader_note (reader, reader->section, NULL,
                   "expected a key of letters, digits and - before the \"=\"");
      return;
    }
  if (!reader->any_group)
    {
      reader_note (reader, NULL, key, "expected a [group] before the first key");
      return;
    }
  if (reader->section == NULL)
    return;

  BawnConfigEntry *entry = bawn_config_lookup_entry (reader->section, key);

  if (entry == NULL)
    {
      entry = g_new0 (BawnConfigEntry, 1);
      entry->key = g_strdup (key);
      g_ptr_array_add (reader->section->entries, entry);
    }
  else if (entry->place.file == reader->place.file)
    {
      g_autofree char *text =
          g_strdup_printf ("this key stands on line %u already", entry->place.line);

      reader_note (reader, reader->section, key, text);
      return;
    }

  refuse_comment (reader, key, value);
  bawn_string_wipe_free (entry->value);
  entry->value = g_strdup (value);
  entry->place = reader->place;
}

static void
read_line (Reader *reader, const char *start, gsize size)
{
  if (memchr (start, 0, size) != NULL || !bawn_utf8_valid (start, size))
    {
      reader_note (reader, NULL, NULL, "expected text in UTF-8");
      return;
    }

  g_autoptr (BawnWipedString) copy = g_strndup (start, size);
  char *line = g_strstrip (copy);
  char *equals = strchr (line, '=');

  if (*line == '\0' || *line == '#')
    return;
  if (*line == '[')
    read_group (reader, line);
  else if (equals != NULL)
    read_assignment (reader, line, equals);
  else
    reader_note (reader, reader->section, NULL,
                 "expected [group], key=value, or a comment that starts with #");
}

/* Reads the text of one file over what earlier files said. */
void
bawn_config_read_data (BawnConfig *config, const char *name, const char *data, gsize size)
{
  g_ptr_array_add (config->files, g_strdup (name));

  Reader reader = { .config = config, .place = { config->files->len, 0 } };

  if (size > MAX_FILE)
    {
      reader_note (&reader, NULL, NULL, "expected a file of at most 1 MiB");
      return;
    }

  while (size > 0)
    {
      const char *newline = memchr (data, '\n', size);
      gsize length = newline != NULL ? (gsize) (newline - data) : size;
      gsize whole = newline != NULL ? length + 1 : length;

      reader.place.line++;
      read_line (&reader, data, length);
      data += whole;
      size -= whole;
    }
}
