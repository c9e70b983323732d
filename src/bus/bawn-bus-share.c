/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-share.h"

#include "util/bawn-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is read goes nowhere but into locked memory. */
typedef struct
{
  int fd;
  gboolean is_file;
  gboolean is_socket;
  guint8 *data; /* BAWN_BUS_SHARE_MAX + 1 */
  gsize size;
} Reading;

static gboolean
fail_errno (GError **error)
{
  return bawn_fail (error, BAWN_ERROR_INVALID, "the file descriptor cannot be read: %s",
                    g_strerror (errno));
}

static gboolean
look_at (Reading *reading, GError **error)
{
  struct stat info = { 0 };

  if (fstat (reading->fd, &info) != 0)
    return fail_errno (error);

  /* Of the wrong end of a pipe nothing would ever come. */
  int flags = fcntl (reading->fd, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY || (flags & O_PATH) != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "the file descriptor is not for reading");

  reading->is_file = S_ISREG (info.st_mode);
  reading->is_socket = S_ISSOCK (info.st_mode);
  if (!reading->is_file && !reading->is_socket && !S_ISFIFO (info.st_mode))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "the file descriptor is neither of a file nor of a pipe or socket");
  if (reading->is_file && info.st_size > BAWN_BUS_SHARE_MAX)
    return bawn_fail (error, BAWN_ERROR_TOO_LARGE, "more than %d bytes are no share",
                      BAWN_BUS_SHARE_MAX);
  if (reading->is_file)
    return TRUE;

  /* Somebody else may have the other end of it, or the same one, and take away what has come. */
  return g_unix_set_fd_nonblocking (reading->fd, TRUE, NULL) || fail_errno (error);
}

/* FALSE: the time is up, or nobody wants it any more. */
static gboolean
wait_for_input (const Reading *reading, gint64 until_us, GCancellable *cancellable, GError **error)
{
  GPollFD watched[2] = { { reading->fd, G_IO_IN, 0 } };
  gint64 left_ms = (until_us - g_get_monotonic_time () + 999) / 1000;

  /* Also where there is always something to be read, and always somebody quicker. */
  if (left_ms <= 0)
    return bawn_fail (error, BAWN_ERROR_TIMEOUT, "no share came in time");

  guint n = g_cancellable_make_pollfd (cancellable, &watched[1]) ? 2 : 1;
  int ready = g_poll (watched, n, (int) MIN (left_ms, G_MAXINT));

  if (n == 2)
    g_cancellable_release_fd (cancellable);
  if (g_cancellable_is_cancelled (cancellable))
    return bawn_fail (error, BAWN_ERROR_TIMEOUT, "the server stops");
  if (ready == 0)
    return bawn_fail (error, BAWN_ERROR_TIMEOUT, "no share came in time");

  return ready > 0 || errno == EINTR || fail_errno (error);
}

static gssize
read_some (const Reading *reading)
{
  guint8 *at = reading->data + reading->size;
  gsize room = BAWN_BUS_SHARE_MAX + 1 - reading->size;

  if (reading->is_file)
    return pread (reading->fd, at, room, (off_t) reading->size);
  if (reading->is_socket)
    return recv (reading->fd, at, room, MSG_DONTWAIT);

  return read (reading->fd, at, room);
}

static gboolean
is_complete (const Reading *reading)
{
  return !reading->is_file && memchr (reading->data, '\n', reading->size) != NULL;
}

static gboolean
read_all (Reading *reading, gint64 timeout_ms, GCancellable *cancellable, GError **error)
{
  gint64 until_us = g_get_monotonic_time () + timeout_ms * 1000;

  while (!is_complete (reading))
    {
      if (reading->size > BAWN_BUS_SHARE_MAX)
        return bawn_fail (error, BAWN_ERROR_TOO_LARGE, "more than %d bytes are no share",
                          BAWN_BUS_SHARE_MAX);
      if (!reading->is_file && !wait_for_input (reading, until_us, cancellable, error))
        return FALSE;

      gssize got = read_some (reading);
      if (got == 0)
        return TRUE;
      if (got > 0)
        reading->size += (gsize) got;
      else if (errno != EAGAIN && errno != EINTR)
        return fail_errno (error);
    }

  return TRUE;
}

static BawnSecret *
trim (const Reading *reading, GError **error)
{
  const char *start = (const char *) reading->data;
  const char *end = start + reading->size;
  guint8 *text = NULL;

  while (start < end && g_ascii_isspace (*start))
    start++;
  if (!reading->is_file && start < end)
    {
      const char *line_end = memchr (start, '\n', (gsize) (end - start));
      end = line_end != NULL ? line_end : end;
    }
  while (end > start && g_ascii_isspace (end[-1]))
    end--;
  if (start == end || memchr (start, '\0', (gsize) (end - start)) != NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "there is no share in it");

  gsize size = (gsize) (end - start);
  BawnSecret *secret = bawn_secret_try_new (size + 1, &text, error);
  if (secret == NULL)
    return NULL;

  memcpy (text, start, size);
  text[size] = '\0';
  return secret;
}

/**
 * bawn_bus_share_read:
 * @fd: somebody else's idea of a file descriptor
 * @timeout_ms: how long a pipe or socket may take
 * @cancellable: (nullable): ends the wait
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the text
 */
BawnSecret *
bawn_bus_share_read (int fd, gint64 timeout_ms, GCancellable *cancellable, GError **error)
{
  Reading reading = { .fd = fd };
  g_autoptr (BawnSecret) buffer =
      bawn_secret_try_new (BAWN_BUS_SHARE_MAX + 1, &reading.data, error);

  if (buffer == NULL || !look_at (&reading, error)
      || !read_all (&reading, timeout_ms, cancellable, error))
    return NULL;

  return trim (&reading, error);
}
