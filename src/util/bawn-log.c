/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-log-private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define MAX_FIELDS (BAWN_LOG_MAX_FIELDS - BAWN_LOG_N_CONTEXT)

static const char *const level_names[] = { "error", "warn", "info", "debug", "trace", NULL };
/* As syslog counts; it has nothing below debug. */
static const char *const priorities[] = { "3", "4", "6", "7", "7" };

/* Logging belongs to the process, as GLib has it: there is one writer, one stderr and one level. */
static struct
{
  int level;
  GMutex mutex;
  const char *program;
  GLogLevelFlags always_fatal;
  int journal;
  gboolean colour;
  guint64 n_dropped;
  guint64 n_dropped_told;
} state = { .level = BAWN_LOG_INFO, .journal = -1 };

/**
 * bawn_log_set_level:
 * @level: the least severe level to let through
 *
 * Takes effect at once, for all threads.
 */
void
bawn_log_set_level (BawnLogLevel level)
{
  g_return_if_fail (level <= BAWN_LOG_TRACE);

  g_atomic_int_set (&state.level, (int) level);
}

/**
 * bawn_log_get_level:
 *
 * Returns: the least severe level that is let through
 */
BawnLogLevel
bawn_log_get_level (void)
{
  return (BawnLogLevel) g_atomic_int_get (&state.level);
}

/**
 * bawn_log_level_names:
 *
 * Returns: (array zero-terminated=1): "error", "warn", "info", "debug", "trace": the index is the
 *   #BawnLogLevel
 */
const char *const *
bawn_log_level_names (void)
{
  return level_names;
}

/**
 * bawn_log_level_name:
 * @level: a level
 *
 * Returns: its name
 */
const char *
bawn_log_level_name (BawnLogLevel level)
{
  g_return_val_if_fail (level <= BAWN_LOG_TRACE, NULL);

  return level_names[level];
}

/**
 * bawn_log_level_parse:
 * @name: a name in capital or small letters; "err" and "warning" are understood too
 * @out_level: (out): the level
 *
 * Returns: whether there is such a level
 */
gboolean
bawn_log_level_parse (const char *name, BawnLogLevel *out_level)
{
  const char *plain = g_ascii_strcasecmp (name, "warning") == 0 ? "warn"
                      : g_ascii_strcasecmp (name, "err") == 0   ? "error"
                                                                : name;

  for (guint i = 0; level_names[i] != NULL; i++)
    if (g_ascii_strcasecmp (level_names[i], plain) == 0)
      {
        *out_level = (BawnLogLevel) i;
        return TRUE;
      }

  return FALSE;
}

/**
 * bawn_log_count_dropped:
 *
 * Returns: how many messages could not be written because the reader of stderr was too slow
 */
guint64
bawn_log_count_dropped (void)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&state.mutex);

  return state.n_dropped;
}

static const char *
field_text (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, key) && fields[i].length < 0)
      return fields[i].value;

  return NULL;
}

/* Our own messages say their level; those of libraries are judged by what GLib calls them. What a
 * library has to say for debugging is our trace. */
static BawnLogLevel
level_of (GLogLevelFlags flags, const GLogField *fields, gsize n_fields)
{
  const char *own = field_text (fields, n_fields, "BAWN_LEVEL");
  BawnLogLevel level = BAWN_LOG_TRACE;

  if (own != NULL && bawn_log_level_parse (own, &level))
    return level;
  if ((flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0)
    return BAWN_LOG_ERROR;
  if ((flags & G_LOG_LEVEL_WARNING) != 0)
    return BAWN_LOG_WARN;
  if ((flags & G_LOG_LEVEL_MESSAGE) != 0)
    return BAWN_LOG_INFO;

  return g_strcmp0 (field_text (fields, n_fields, "GLIB_DOMAIN"), G_LOG_DOMAIN) == 0
             ? BAWN_LOG_DEBUG
             : BAWN_LOG_TRACE;
}

static gboolean
put (BawnLogLevel level, const GLogField *fields, gsize n_fields)
{
  BawnLogContext context;
  GLogField all[BAWN_LOG_MAX_FIELDS];
  gsize n = bawn_log_add_context (fields, n_fields, state.journal >= 0, &context, all);

  if (state.journal >= 0)
    return bawn_log_try_journal (state.journal, all, n);

  g_autofree char *line = bawn_log_format (g_get_real_time (), level, all, n, state.colour);

  return bawn_log_try_write (STDERR_FILENO, line, strlen (line));
}

/* As soon as there is room again, the gap is told. */
static void
tell_dropped_locked (void)
{
  if (state.n_dropped == state.n_dropped_told)
    return;

  g_autofree char *message =
      g_strdup_printf ("%" G_GUINT64_FORMAT " messages were dropped, because nobody took them",
                       state.n_dropped - state.n_dropped_told);
  const GLogField fields[] = {
    { "MESSAGE", message, -1 },
    { "PRIORITY", priorities[BAWN_LOG_WARN], -1 },
    { "SYSLOG_IDENTIFIER", state.program, -1 },
    { "BAWN_MODULE", "log", -1 },
  };

  if (put (BAWN_LOG_WARN, fields, G_N_ELEMENTS (fields)))
    state.n_dropped_told = state.n_dropped;
}

static GLogWriterOutput
write_message (GLogLevelFlags flags, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  BawnLogLevel level = level_of (flags, fields, n_fields);
  gboolean fatal = (flags & state.always_fatal) != 0
                   && field_text (fields, n_fields, "GLIB_OLD_LOG_API") == NULL;

  if (level <= bawn_log_get_level () || fatal)
    {
      g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&state.mutex);

      tell_dropped_locked ();
      if (!put (level, fields, n_fields))
        state.n_dropped++;
    }

  /* GLib leaves this to the writer, and g_error() never returns. */
  if (fatal)
    abort ();

  return G_LOG_WRITER_HANDLED;
}

static gboolean
wants_colour (void)
{
  return isatty (STDERR_FILENO) == 1 && g_getenv ("NO_COLOR") == NULL
         && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
}

/**
 * bawn_log_init:
 * @program: (not nullable): a constant: by what name the journal shall know us
 *
 * Takes over the messages of the process, ours and those of libraries: as structured entries if
 * stderr is the journal, else as lines on stderr. Neither ever waits for a reader: what cannot be
 * written at once is dropped, counted, and the gap told later. To be called once, from main().
 */
void
bawn_log_init (const char *program)
{
  g_return_if_fail (state.program == NULL);

  state.program = program;
  state.always_fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_log_set_always_fatal (state.always_fatal);
  state.colour = wants_colour ();
  if (g_log_writer_is_journald (STDERR_FILENO))
    state.journal = bawn_log_open_journal (JOURNAL_SOCKET);
  g_log_set_writer_func (write_message, NULL, NULL);
}

/**
 * bawn_log_full:
 * @level: how severe
 * @module: which part of the program speaks
 * @fields: (nullable) (array zero-terminated=1): as from BAWN_LOG_FIELDS()
 * @format: printf-style message: one line without a full stop, nothing secret
 *
 * Logs a message whatever the level is set to; the macros bawn_log_info() and so on look at it
 * first. Whatever @level says, a message never ends the process: that is for g_critical().
 */
void
bawn_log_full (
    BawnLogLevel level, const char *module, const BawnLogField *fields, const char *format, ...)
{
  g_return_if_fail (level <= BAWN_LOG_TRACE);

  va_list args;

  va_start (args, format);

  g_autofree char *message = g_strdup_vprintf (format, args);

  va_end (args);

  GLogField all[MAX_FIELDS] = {
    { "MESSAGE", message, -1 },
    { "PRIORITY", priorities[level], -1 },
    { "GLIB_DOMAIN", G_LOG_DOMAIN, -1 },
    { "BAWN_MODULE", module, -1 },
    { "BAWN_LEVEL", level_names[level], -1 },
  };
  gsize n = 5;

  if (state.program != NULL)
    all[n++] = (GLogField){ "SYSLOG_IDENTIFIER", state.program, -1 };
  for (; fields != NULL && fields->name != NULL && n < MAX_FIELDS; fields++)
    if (fields->value != NULL)
      all[n++] = (GLogField){ fields->name, fields->value, -1 };

  /* To GLib every message of ours is a mere message, so that G_DEBUG=fatal-warnings stays about
   * programming errors. */
  g_log_structured_array (G_LOG_LEVEL_MESSAGE, all, n);
}
