/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a message looks, and how it leaves without ever waiting. */
#include "config.h"

#include "util/bawn-log-private.h"

#include "util/bawn-utf8.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CUT "\xe2\x80\xa6\n"

static gsize
field_size (const GLogField *field)
{
  return field->length < 0 ? strlen (field->value) : (gsize) field->length;
}

/* Control characters would let a message forge lines or move the terminal's cursor. */
static void
append_clean (GString *line, const char *text, gsize size)
{
  const guint8 *at = (const guint8 *) text;
  const guint8 *end = at + size;

  while (at < end)
    {
      guint length = bawn_utf8_sequence (at, (gsize) (end - at));
      gunichar c = length > 0 ? g_utf8_get_char_validated ((const char *) at, (gssize) length) : 0;

      if (length == 0)
        g_string_append (line, BAWN_UTF8_REPLACEMENT);
      else if (c == '\n')
        g_string_append (line, "\\n");
      else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        g_string_append_printf (line, "\\x%02x", c);
      else
        g_string_append_len (line, (const char *) at, (gssize) length);
      at += MAX (length, 1);
    }
}

static gboolean
needs_quotes (const char *text, gsize size)
{
  for (gsize i = 0; i < size; i++)
    if ((guint8) text[i] <= ' ' || strchr ("\"=\\", text[i]) != NULL)
      return TRUE;

  return size == 0;
}

static void
append_field (GString *line, const GLogField *field)
{
  gsize size = field_size (field);

  g_string_append_c (line, ' ');
  for (const char *at = field->key; *at != '\0'; at++)
    g_string_append_c (line, g_ascii_tolower (*at));
  g_string_append_c (line, '=');
  if (!needs_quotes (field->value, size))
    {
      append_clean (line, field->value, size);
      return;
    }

  g_autofree char *copy = g_strndup (field->value, size);
  g_autoptr (GString) quoted = g_string_new (copy);

  g_string_replace (quoted, "\\", "\\\\", 0);
  g_string_replace (quoted, "\"", "\\\"", 0);
  g_string_append_c (line, '"');
  append_clean (line, quoted->str, quoted->len);
  g_string_append_c (line, '"');
}

/* Fields that are said in another way or mean nothing to a reader. */
static gboolean
is_plumbing (const char *key)
{
  static const char *const keys[] = { "MESSAGE",     "MESSAGE_ID",        "PRIORITY",
                                      "GLIB_DOMAIN", "GLIB_OLD_LOG_API",  "CODE_FILE",
                                      "CODE_LINE",   "CODE_FUNC",         "BAWN_MODULE",
                                      "BAWN_LEVEL",  "SYSLOG_IDENTIFIER", NULL };

  return g_strv_contains (keys, key);
}

static const GLogField *
find (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, key) && fields[i].value != NULL)
      return &fields[i];

  return NULL;
}

static void
append_level (GString *line, BawnLogLevel level, gboolean colour)
{
  static const char *const tags[] = { "[ERROR]", "[WARN] ", "[INFO] ", "[DEBUG]", "[TRACE]" };
  static const char *const colours[] = { "\033[31m", "\033[33m", "\033[32m", "\033[36m",
                                         "\033[35m" };

  if (colour)
    g_string_append_printf (line, "%s%s\033[0m ", colours[level], tags[level]);
  else
    g_string_append_printf (line, "%s ", tags[level]);
}

/* 2026-01-02T03:04:05.678Z [INFO]  module: message key=value */
char *
bawn_log_format (
    gint64 real_us, BawnLogLevel level, const GLogField *fields, gsize n_fields, gboolean colour)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (real_us / G_USEC_PER_SEC);
  g_autofree char *seconds = g_date_time_format (time, "%Y-%m-%dT%H:%M:%S");
  const GLogField *module = find (fields, n_fields, "BAWN_MODULE");
  const GLogField *message = find (fields, n_fields, "MESSAGE");
  g_autoptr (GString) line = g_string_sized_new (160);

  if (module == NULL)
    module = find (fields, n_fields, "GLIB_DOMAIN");
  g_string_append_printf (line, "%s.%03dZ ", seconds, (int) (real_us % G_USEC_PER_SEC / 1000));
  append_level (line, level, colour);
  if (module != NULL)
    {
      append_clean (line, module->value, field_size (module));
      g_string_append (line, ": ");
    }
  if (message != NULL)
    append_clean (line, message->value, field_size (message));
  for (gsize i = 0; i < n_fields; i++)
    if (!is_plumbing (fields[i].key) && fields[i].value != NULL)
      append_field (line, &fields[i]);
  g_string_append_c (line, '\n');

  if (line->len > BAWN_LOG_MAX_LINE)
    {
      gsize keep = BAWN_LOG_MAX_LINE - strlen (CUT);

      while ((line->str[keep] & 0xc0) == 0x80)
        keep--;
      g_string_truncate (line, keep);
      g_string_append (line, CUT);
    }

  return g_string_free (g_steal_pointer (&line), FALSE);
}

/* Writes a line of at most %BAWN_LOG_MAX_LINE bytes if that is possible now. The descriptor may not
 * be made non-blocking, because it is shared with whoever started us. But a pipe that polls as
 * writable has room for PIPE_BUF bytes, and one without a reader polls as an error. */
gboolean
bawn_log_try_write (int fd, const char *line, gsize size)
{
  while (size > 0)
    {
      struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

      if (poll (&poll_fd, 1, 0) != 1 || poll_fd.revents != POLLOUT)
        return FALSE;

      gssize written = write (fd, line, size);

      if (written < 0 && errno == EINTR)
        continue;
      if (written <= 0)
        return FALSE;
      line += written;
      size -= (gsize) written;
    }

  return TRUE;
}

/* Opens the socket on which the journal takes entries; -1 with errno if that is not possible. */
int
bawn_log_open_journal (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  if (strlen (path) >= sizeof address.sun_path)
    {
      errno = ENAMETOOLONG;
      return -1;
    }
  memcpy (address.sun_path, path, strlen (path));

  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return -1;
  if (connect (fd, (gconstpointer) &address, sizeof address) == 0)
    return fd;

  int saved = errno;

  close (fd);
  errno = saved;
  return -1;
}

/* Sends one entry in the native protocol of systemd-journald (systemd.io/JOURNAL_NATIVE_PROTOCOL)
 * if that is possible now: KEY, newline, 64 bits of length, little end first, value, newline.
 * GLib's writer would wait for a journal that is stuck. */
gboolean
bawn_log_try_journal (int fd, const GLogField *fields, gsize n_fields)
{
  g_autoptr (GByteArray) entry = g_byte_array_sized_new (512);
  gssize sent = -1;

  for (gsize i = 0; i < n_fields; i++)
    {
      if (fields[i].value == NULL)
        continue;

      gsize size = field_size (&fields[i]);
      guint64 length = GUINT64_TO_LE ((guint64) size);

      g_byte_array_append (entry, (const guint8 *) fields[i].key, (guint) strlen (fields[i].key));
      g_byte_array_append (entry, (const guint8 *) "\n", 1);
      g_byte_array_append (entry, (const guint8 *) &length, sizeof length);
      g_byte_array_append (entry, fields[i].value, (guint) size);
      g_byte_array_append (entry, (const guint8 *) "\n", 1);
    }

  do
    sent = send (fd, entry->data, entry->len, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);

  return sent >= 0;
}
