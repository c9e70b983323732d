/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-file.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/bawn-bytes.h"
#include "util/bawn-json.h"

/* An id and a number. */
#define MAX_BYTES 1024

struct _BawnHaFile
{
  char *path;
  char *node_id;
  int fd; /* of what is at the path, locked; -1: nothing */
};

static GBytes *
format (const BawnHaFile *file, guint64 epoch)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "node_id", file->node_id);
  bawn_json_writer_name (&w, "epoch");
  bawn_json_writer_uint (&w, epoch);
  bawn_json_writer_end_object (&w);
  return bawn_json_writer_finish (&w);
}

/* A short write to a file of a few bytes is a full disk. */
static gboolean
fill (int fd, GBytes *text)
{
  gsize size = 0;
  gconstpointer data = g_bytes_get_data (text, &size);
  gssize done = 0;

  do
    done = write (fd, data, size);
  while (done < 0 && errno == EINTR);

  if (done >= 0 && (gsize) done != size)
    errno = ENOSPC;
  return done >= 0 && (gsize) done == size;
}

static void
drop (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

/**
 * bawn_ha_file_new:
 * @path: where the file is to be
 * @node_id: of this process
 *
 * Returns: (transfer full): what can write it; nothing is done yet
 */
BawnHaFile *
bawn_ha_file_new (const char *path, const char *node_id)
{
  BawnHaFile *file = g_new0 (BawnHaFile, 1);

  file->path = g_strdup (path);
  file->node_id = g_strdup (node_id);
  file->fd = -1;
  return file;
}

/**
 * bawn_ha_file_free:
 * @file: (transfer full): a file; what is written stays, unlocked
 */
void
bawn_ha_file_free (BawnHaFile *file)
{
  drop (&file->fd);
  g_free (file->path);
  g_free (file->node_id);
  g_free (file);
}

/**
 * bawn_ha_file_write:
 * @file: a file
 * @epoch: of the lease
 * @error: (out) (optional): UPSTREAM if it cannot be written
 *
 * Writes it down, locked before others can see it. Not synced: it is of use as long as the machine
 * lives.
 *
 * Returns: %TRUE if it is there
 */
gboolean
bawn_ha_file_write (BawnHaFile *file, guint64 epoch, GError **error)
{
  g_autofree char *fresh = g_strdup_printf ("%s.%s", file->path, file->node_id);
  g_autoptr (GBytes) text = format (file, epoch);

  /* The name is this process' own: what is there was left by an attempt that failed. */
  g_unlink (fresh);

  int fd = g_open (fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  gboolean ok = fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0 && fill (fd, text)
                && g_rename (fresh, file->path) == 0;

  if (!ok)
    {
      bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s cannot be written: %s", file->path,
                 g_strerror (errno));
      drop (&fd);
      g_unlink (fresh);
      return FALSE;
    }

  drop (&file->fd);
  file->fd = fd;
  return TRUE;
}

/**
 * bawn_ha_file_remove:
 * @file: a file
 *
 * Removes what was written: there is no lease to release.
 */
void
bawn_ha_file_remove (BawnHaFile *file)
{
  if (file->fd < 0)
    return;

  g_unlink (file->path);
  drop (&file->fd);
}

static char *
parse (const char *data, gsize size)
{
  g_autoptr (GBytes) text = bawn_bytes_new (data, size);
  g_autoptr (BawnJson) json = bawn_json_parse (text, NULL, NULL);
  const char *node_id =
      json != NULL ? bawn_json_get_string (bawn_json_root (json), "node_id", NULL) : NULL;

  return node_id != NULL && *node_id != '\0' ? g_strdup (node_id) : NULL;
}

/* Locked by us now. If it is not what is at the path, another process has written its own in
 * between. */
static gboolean
is_at (int fd, const char *path)
{
  struct stat there;
  struct stat ours;

  return fstat (fd, &ours) == 0 && lstat (path, &there) == 0 && S_ISREG (ours.st_mode)
         && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static gboolean
take_over (int fd, const char *path, char **out_node_id, GError **error)
{
  char data[MAX_BYTES] = { 0 };

  if (flock (fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "the process that wrote %s is still running: its lease is not released",
                      path);
  if (!is_at (fd, path))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "%s is not a regular file, or is being written by another process", path);

  gssize size = pread (fd, data, sizeof data, 0);
  char *node_id = size > 0 ? parse (data, (gsize) size) : NULL;

  if (node_id == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s does not say whose lease it is", path);

  *out_node_id = node_id;
  return TRUE;
}

/**
 * bawn_ha_file_open_dead:
 * @path: where a process may have written
 * @out_fd: (out): the file, locked; -1 if there is none
 * @out_node_id: (out): the id of that process
 * @error: (out) (optional): INVALID if the process lives, or the file is not such a file; UPSTREAM
 * if it cannot be read
 *
 * Looks for what a dead process has left.
 *
 * Returns: %TRUE if it was found, or is not there
 */
gboolean
bawn_ha_file_open_dead (const char *path, int *out_fd, char **out_node_id, GError **error)
{
  int fd = g_open (path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);

  if (fd < 0 && errno == ENOENT)
    {
      *out_fd = -1;
      return TRUE;
    }
  if (fd < 0)
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s cannot be opened: %s", path,
                      g_strerror (errno));
  if (!take_over (fd, path, out_node_id, error))
    {
      close (fd);
      return FALSE;
    }

  *out_fd = fd;
  return TRUE;
}

/**
 * bawn_ha_file_close_dead:
 * @path: where it was found
 * @fd: what bawn_ha_file_open_dead() has opened
 * @remove: whether it is not needed any more
 *
 * Lets go of what a dead process has left.
 */
void
bawn_ha_file_close_dead (const char *path, int fd, gboolean remove)
{
  if (remove && is_at (fd, path))
    g_unlink (path);
  close (fd);
}
