/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* A storage that obeys a script: lines on standard input, each answered with one line.
 *
 *   storage-driver NAME=VALUE…     the lines of [storage]
 *
 *   open                           again, if it was open
 *   get KEY                        "ok VERSION VALUE", "ok absent"
 *   put KEY VALUE [KEY@VERSION…]   with conditions; "ok VERSION"
 *   fill KEY SIZE                  puts that many bytes
 *   delete KEY
 *   many FOLDER N                  puts N small entries into a folder
 *   list FOLDER                    "ok N FIRST LAST", from all pages; "." is the root
 *   wait KEY VERSION MS            "ok"
 *   count KEY N                    counts the key up by N, one by one, and finds out what became of
 * each step; "ok VALUE LOST" limits                         "ok MAX_VALUE MAX_WRITES MAX_COMMIT"
 *   spawn NAME COMMAND…            runs it on a thread of its own and answers "ok" at once, later
 * "NAME: …"
 *
 * A failure is "fail CODE MESSAGE". */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/bawn-backend-registry.h"
#include "storage/bawn-ha-backend.h"
#include "util/bawn-bytes.h"

GType bawn_backend_consul_get_type (void);
GType bawn_backend_etcd_get_type (void);
GType bawn_backend_zookeeper_get_type (void);

/* How often a step is tried again while the storage is away. */
#define PAUSE_US (50 * G_TIME_SPAN_MILLISECOND)

static BawnConfigGroup *group;
static BawnBackend *backend;
static GMutex out_lock;

static const char *
code_name (const GError *error)
{
  static const char *const names[] = {
    [BAWN_ERROR_INVALID] = "INVALID",   [BAWN_ERROR_TOO_LARGE] = "TOO_LARGE",
    [BAWN_ERROR_INTERNAL] = "INTERNAL", [BAWN_ERROR_UPSTREAM] = "UPSTREAM",
    [BAWN_ERROR_TIMEOUT] = "TIMEOUT",   [BAWN_ERROR_CORRUPT] = "CORRUPT",
    [BAWN_ERROR_CONFLICT] = "CONFLICT", [BAWN_ERROR_UNKNOWN_OUTCOME] = "UNKNOWN_OUTCOME",
  };
  guint code = (guint) error->code;

  return error->domain == BAWN_ERROR && code < G_N_ELEMENTS (names) && names[code] != NULL
             ? names[code]
             : "OTHER";
}

static char *
do_open (GStrv words, GError **error)
{
  g_clear_object (&backend);
  backend = bawn_backend_open (group, NULL, error);
  return backend != NULL ? g_strdup ("") : NULL;
}

static char *
do_get (GStrv words, GError **error)
{
  g_autoptr (GBytes) value = NULL;
  guint64 version = 0;

  if (!bawn_backend_get (backend, words[1], &value, &version, NULL, error))
    return NULL;
  if (value == NULL)
    return g_strdup ("absent");

  return g_strdup_printf ("%" G_GUINT64_FORMAT " %.*s", version,
                          (int) MIN (g_bytes_get_size (value), 100),
                          (const char *) g_bytes_get_data (value, NULL));
}

static char *
commit (const BawnWrite *write, GStrv conditions, GError **error)
{
  g_autoptr (GArray) array = g_array_new (FALSE, FALSE, sizeof (BawnCondition));
  guint64 version = 0;

  for (guint i = 0; conditions != NULL && conditions[i] != NULL; i++)
    {
      char *at = strrchr (conditions[i], '@');
      BawnCondition condition = { conditions[i], g_ascii_strtoull (at + 1, NULL, 10) };

      *at = '\0';
      g_array_append_val (array, condition);
    }
  if (!bawn_backend_commit (backend, write, 1, (const BawnCondition *) (gpointer) array->data,
                            array->len, &version, NULL, error))
    return NULL;

  return g_strdup_printf ("%" G_GUINT64_FORMAT, version);
}

static char *
do_put (GStrv words, GError **error)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string (words[2]);
  const BawnWrite write = { BAWN_WRITE_PUT, words[1], value };

  return commit (&write, words + 3, error);
}

static char *
do_fill (GStrv words, GError **error)
{
  g_autofree char *text = g_strnfill (g_ascii_strtoull (words[2], NULL, 10), 'x');
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);
  const BawnWrite write = { BAWN_WRITE_PUT, words[1], value };

  return commit (&write, NULL, error);
}

static char *
do_delete (GStrv words, GError **error)
{
  const BawnWrite write = { BAWN_WRITE_DELETE, words[1], NULL };

  return commit (&write, words + 2, error);
}

static gboolean
put_some (const char *folder, guint64 from, guint64 n, GError **error)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string ("v");
  g_autoptr (GArray) writes = g_array_new (FALSE, FALSE, sizeof (BawnWrite));
  g_autoptr (GStringChunk) keys = g_string_chunk_new (4096);

  for (guint64 i = from; i < from + n; i++)
    {
      g_autofree char *key = g_strdup_printf ("%s/%07" G_GUINT64_FORMAT, folder, i);
      BawnWrite write = { BAWN_WRITE_PUT, g_string_chunk_insert (keys, key), value };

      g_array_append_val (writes, write);
    }
  return bawn_backend_commit (backend, (const BawnWrite *) (gpointer) writes->data, writes->len,
                              NULL, 0, NULL, NULL, error);
}

static char *
do_many (GStrv words, GError **error)
{
  guint64 n = g_ascii_strtoull (words[2], NULL, 10);
  BawnBackendLimits limits = { 0 };

  bawn_backend_get_limits (backend, &limits);
  for (guint64 i = 0; i < n; i += limits.max_writes)
    if (!put_some (words[1], i, MIN (n - i, limits.max_writes), error))
      return NULL;

  return g_strdup ("");
}

static char *
do_list (GStrv words, GError **error)
{
  const char *folder = strcmp (words[1], ".") == 0 ? "" : words[1];
  g_autofree char *first = g_strdup ("-");
  g_autofree char *last = NULL;
  guint n = 0;

  for (;;)
    {
      g_auto (GStrv) names = NULL;

      if (!bawn_backend_list (backend, folder, last, 0, &names, NULL, error))
        return NULL;

      guint more = g_strv_length (names);

      if (more == 0)
        break;
      if (n == 0)
        {
          g_free (first);
          first = g_strdup (names[0]);
        }
      n += more;
      g_free (last);
      last = g_strdup (names[more - 1]);
    }
  return g_strdup_printf ("%u %s %s", n, first, last != NULL ? last : "-");
}

static char *
do_wait (GStrv words, GError **error)
{
  guint64 version = g_ascii_strtoull (words[2], NULL, 10);
  gint64 timeout_us = (gint64) g_ascii_strtoull (words[3], NULL, 10) * G_TIME_SPAN_MILLISECOND;

  return bawn_ha_backend_wait (BAWN_HA_BACKEND (backend), words[1], version, timeout_us, NULL,
                               error)
             ? g_strdup ("")
             : NULL;
}

/* FALSE while the storage is away. */
static gboolean
read_number (const char *key, guint64 *out_number, guint64 *out_version)
{
  g_autoptr (GBytes) value = NULL;

  if (!bawn_backend_get (backend, key, &value, out_version, NULL, NULL))
    return FALSE;

  g_autofree char *text =
      value != NULL ? g_strndup (g_bytes_get_data (value, NULL), g_bytes_get_size (value)) : NULL;

  *out_number = text != NULL ? g_ascii_strtoull (text, NULL, 10) : 0;
  return TRUE;
}

/* Each step is on condition of the one before it, so that of several copies of it one gets in at
 * most; whether one has, the number says. */
static char *
do_count (GStrv words, GError **error)
{
  guint64 n = g_ascii_strtoull (words[2], NULL, 10);
  guint64 number = 0;
  guint64 version = 0;
  guint64 last = 0;
  guint n_lost = 0;

  while (!read_number (words[1], &number, &version))
    g_usleep (PAUSE_US);
  for (guint64 end = number + n; number < end;)
    {
      g_autoptr (GError) local = NULL;
      g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number + 1);
      g_autoptr (GBytes) value = bawn_bytes_new_string (text);
      const BawnWrite write = { BAWN_WRITE_PUT, words[1], value };
      const BawnCondition condition = { words[1], version };
      guint64 before = number;

      if (bawn_backend_commit (backend, &write, 1, &condition, 1, &version, NULL, &local))
        {
          number++;
          if (version <= last)
            return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "versions went back");
          last = version;
          continue;
        }

      gboolean unknown = bawn_error_is (local, BAWN_ERROR_UNKNOWN_OUTCOME);

      n_lost += unknown ? 1 : 0;
      while (!read_number (words[1], &number, &version))
        g_usleep (PAUSE_US);
      if (number > before + 1 || (number < before))
        return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "counted to %s, found %" G_GUINT64_FORMAT,
                               text, number);
      /* What was not unknown is not in, unless an earlier copy with an unknown outcome got in late.
       */
      if (number == before + 1 && n_lost == 0)
        return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "said to have failed, but is in: %s",
                               local->message);
      if (!unknown)
        g_usleep (PAUSE_US);
    }
  return g_strdup_printf ("%" G_GUINT64_FORMAT " %u", number, n_lost);
}

static char *
do_limits (GStrv words, GError **error)
{
  BawnBackendLimits limits = { 0 };

  bawn_backend_get_limits (backend, &limits);
  return g_strdup_printf ("%" G_GSIZE_FORMAT " %u %" G_GSIZE_FORMAT, limits.max_value,
                          limits.max_writes, limits.max_commit);
}

static const struct
{
  const char *verb;
  guint n_words;
  char *(*run) (GStrv words, GError **error);
} commands[] = {
  { "open", 1, do_open },     { "get", 2, do_get },       { "put", 3, do_put },
  { "fill", 3, do_fill },     { "delete", 2, do_delete }, { "many", 3, do_many },
  { "list", 2, do_list },     { "wait", 4, do_wait },     { "count", 3, do_count },
  { "limits", 1, do_limits },
};

static void
answer (const char *name, GStrv words)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (words[0] != NULL && strcmp (commands[i].verb, words[0]) == 0
        && g_strv_length (words) >= commands[i].n_words)
      text = commands[i].run (words, &error);
  if (text == NULL && error == NULL)
    bawn_fail (&error, BAWN_ERROR_INVALID, "no such command");

  g_mutex_lock (&out_lock);
  if (text != NULL)
    printf ("%s%sok %s\n", name, *name != '\0' ? ": " : "", text);
  else
    printf ("%s%sfail %s %s\n", name, *name != '\0' ? ": " : "", code_name (error), error->message);
  fflush (stdout);
  g_mutex_unlock (&out_lock);
}

static gpointer
spawned (gpointer data)
{
  g_auto (GStrv) words = data;

  answer (words[1], words + 2);
  return NULL;
}

static void
obey (const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);

  if (g_strcmp0 (words[0], "spawn") != 0 || g_strv_length (words) < 3)
    {
      answer ("", words);
      return;
    }

  g_mutex_lock (&out_lock);
  printf ("ok\n");
  fflush (stdout);
  g_mutex_unlock (&out_lock);
  g_thread_unref (g_thread_new ("spawned", spawned, g_steal_pointer (&words)));
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new ("[storage]\n");
  char *line = NULL;
  size_t size = 0;

  for (int i = 1; i < argc; i++)
    g_string_append_printf (text, "%s\n", argv[i]);
  bawn_backend_register ("consul", bawn_backend_consul_get_type, TRUE);
  bawn_backend_register ("etcd", bawn_backend_etcd_get_type, TRUE);
  bawn_backend_register ("zookeeper", bawn_backend_zookeeper_get_type, TRUE);

  g_autoptr (BawnConfig) config = bawn_config_load_data ("driver", text->str, text->len, &error);

  if (config == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }

  group = bawn_config_get_group (config, "storage");
  while (getline (&line, &size, stdin) > 0)
    {
      g_strchomp (line);
      obey (line);
    }
  free (line);
  g_clear_object (&backend);
  bawn_config_group_unref (group);
  return 0;
}
