/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "audit/bawn-audit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* New files are for their owner only; the operator may say otherwise, but never make them
 * executable: whoever may enable devices chooses path and, through requests, content. */
#define DEFAULT_MODE 0600
#define ALLOWED_MODE 0666
#define FOLDER_MODE 0700

/* How long standard output may be full before a record counts as lost. */
#define STDOUT_WAIT_MS 5000

typedef enum
{
  TARGET_FILE,
  TARGET_STDOUT,
  TARGET_DISCARD,
} Target;

#define BAWN_TYPE_AUDIT_FILE (bawn_audit_file_get_type ())
G_DECLARE_FINAL_TYPE (BawnAuditFile, bawn_audit_file, BAWN, AUDIT_FILE, BawnAuditDevice)

struct _BawnAuditFile
{
  BawnAuditDevice parent_instance;

  Target target;
  char *path;
  mode_t mode;
  gboolean keep_mode;

  GMutex mutex; /* guards the descriptor: one record at a time */
  int fd;
};

G_DEFINE_FINAL_TYPE (BawnAuditFile, bawn_audit_file, BAWN_TYPE_AUDIT_DEVICE)

static gboolean
parse_mode (BawnAuditFile *self, const char *text, GError **error)
{
  guint64 mode = 0;

  self->mode = DEFAULT_MODE;
  if (text == NULL || *text == '\0')
    return TRUE;
  if (!g_ascii_string_to_unsigned (text, 8, 0, 07777, &mode, NULL))
    return bawn_fail (error, BAWN_ERROR_INVALID, "mode must be a number in octal, such as 0600");
  if ((mode & ~(guint64) ALLOWED_MODE) != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "mode must not make the file executable or set special bits");
  self->keep_mode = mode == 0;
  if (!self->keep_mode)
    self->mode = (mode_t) mode;

  return TRUE;
}

static gboolean
has_control (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    {
      if (g_ascii_iscntrl (*at))
        return TRUE;
    }

  return FALSE;
}

static gboolean
check_path (const char *path, GError **error)
{
  static const char *const forbidden[] = { "/proc/", "/sys/", "/dev/" };
  g_autofree char *canonical = g_canonicalize_filename (path, "/");

  if (!g_path_is_absolute (path) || !g_str_equal (canonical, path) || g_str_equal (path, "/"))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "file_path must be an absolute path without '.', '..' or double '/'");
  if (strlen (path) >= PATH_MAX || has_control (path))
    return bawn_fail (error, BAWN_ERROR_INVALID, "file_path is not a sane path");
  for (gsize i = 0; i < G_N_ELEMENTS (forbidden); i++)
    {
      if (g_str_has_prefix (path, forbidden[i]))
        return bawn_fail (error, BAWN_ERROR_INVALID, "file_path must not be below %s",
                          forbidden[i]);
    }

  return TRUE;
}

static gboolean
take_options (BawnAuditFile *self, GHashTable *options, GError **error)
{
  const char *path = g_hash_table_lookup (options, "file_path");

  if (path == NULL)
    path = g_hash_table_lookup (options, "path");
  if (path == NULL || *path == '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID, "file_path is required");
  if (g_ascii_strcasecmp (path, "stdout") == 0)
    self->target = TARGET_STDOUT;
  else if (g_str_equal (path, "discard"))
    self->target = TARGET_DISCARD;
  else if (!check_path (path, error))
    return FALSE;
  self->path = g_strdup (path);

  return parse_mode (self, g_hash_table_lookup (options, "mode"), error);
}

static gboolean
fail_errno (GError **error, const char *what, const char *path)
{
  int code = errno;

  return bawn_fail (error, BAWN_ERROR_INVALID, "%s %s: %s", what, path, g_strerror (code));
}

static gboolean
check_file (BawnAuditFile *self, int fd, GError **error)
{
  struct stat info = { 0 };

  if (fstat (fd, &info) != 0)
    return fail_errno (error, "could not look at", self->path);
  if (!S_ISREG (info.st_mode))
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s is not a regular file", self->path);
  if ((info.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s is executable", self->path);
  if (!self->keep_mode && (info.st_mode & 07777) != self->mode && fchmod (fd, self->mode) != 0)
    return fail_errno (error, "could not set the mode of", self->path);

  return TRUE;
}

/* O_NONBLOCK is for what turns out to be no regular file: opening a FIFO must not wait for its
 * reader. */
static gboolean
open_file (BawnAuditFile *self, int *out_fd, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);

  if (g_mkdir_with_parents (folder, FOLDER_MODE) != 0)
    return fail_errno (error, "could not make the folder", folder);

  int fd = open (self->path,
                 O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
                 self->mode);

  if (fd < 0)
    return fail_errno (error, "could not open", self->path);
  if (!check_file (self, fd, error))
    {
      close (fd);
      return FALSE;
    }
  *out_fd = fd;

  return TRUE;
}

static gboolean
audit_file_open (BawnAuditDevice *device, GHashTable *options, GError **error)
{
  BawnAuditFile *self = BAWN_AUDIT_FILE (device);

  if (!take_options (self, options, error))
    return FALSE;

  return self->target != TARGET_FILE || open_file (self, &self->fd, error);
}

/* Half a record is worse than none: what a full disk has taken of it goes again, unless somebody
 * else has appended since. */
static void
undo_part (int fd, off_t before, gsize written)
{
  struct stat info = { 0 };

  if (fstat (fd, &info) == 0 && info.st_size == before + (off_t) written)
    {
      /* If this fails too the line stays cut; there is nothing left to try. */
      int result G_GNUC_UNUSED = ftruncate (fd, before);
    }
}

static gboolean
write_file (BawnAuditFile *self, const char *line, gsize size, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->mutex);
  struct stat info = { 0 };
  gssize written = -1;

  if (fstat (self->fd, &info) != 0)
    return fail_errno (error, "could not look at", self->path);
  do
    written = write (self->fd, line, size);
  while (written < 0 && errno == EINTR);
  if (written < 0)
    return fail_errno (error, "could not write to", self->path);
  if ((gsize) written == size)
    return TRUE;

  undo_part (self->fd, info.st_size, (gsize) written);

  return bawn_fail (error, BAWN_ERROR_INTERNAL, "only a part of a record could be written to %s",
                    self->path);
}

static gboolean
wait_for_stdout (GError **error)
{
  struct pollfd item = { STDOUT_FILENO, POLLOUT, 0 };
  int ready = 0;

  do
    ready = poll (&item, 1, STDOUT_WAIT_MS);
  while (ready < 0 && errno == EINTR);
  if (ready <= 0)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "standard output takes no records");

  return TRUE;
}

/* A pipe takes what it has room for, so here the rest has to follow. */
static gboolean
write_stdout (BawnAuditFile *self, const char *line, gsize size, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->mutex);

  while (size > 0)
    {
      if (!wait_for_stdout (error))
        return FALSE;

      gssize written = write (STDOUT_FILENO, line, size);

      if (written < 0 && errno != EINTR && errno != EAGAIN)
        return fail_errno (error, "could not write to", self->path);
      if (written > 0)
        {
          line += written;
          size -= (gsize) written;
        }
    }

  return TRUE;
}

static gboolean
audit_file_write (BawnAuditDevice *device, const char *line, gsize size, GError **error)
{
  BawnAuditFile *self = BAWN_AUDIT_FILE (device);

  switch (self->target)
    {
    case TARGET_FILE:
      return write_file (self, line, size, error);
    case TARGET_STDOUT:
      return write_stdout (self, line, size, error);
    case TARGET_DISCARD:
      break;
    }

  return TRUE;
}

/* The old file is given up only when the new one is there. */
static gboolean
audit_file_reopen (BawnAuditDevice *device, GError **error)
{
  BawnAuditFile *self = BAWN_AUDIT_FILE (device);
  int fd = -1;

  if (self->target != TARGET_FILE)
    return TRUE;
  if (!open_file (self, &fd, error))
    return FALSE;

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->mutex);

  close (self->fd);
  self->fd = fd;

  return TRUE;
}

static void
bawn_audit_file_finalize (GObject *object)
{
  BawnAuditFile *self = BAWN_AUDIT_FILE (object);

  if (self->fd >= 0)
    close (self->fd);
  g_free (self->path);
  g_mutex_clear (&self->mutex);

  G_OBJECT_CLASS (bawn_audit_file_parent_class)->finalize (object);
}

static void
bawn_audit_file_class_init (BawnAuditFileClass *klass)
{
  BawnAuditDeviceClass *device_class = BAWN_AUDIT_DEVICE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = bawn_audit_file_finalize;
  device_class->open = audit_file_open;
  device_class->write = audit_file_write;
  device_class->reopen = audit_file_reopen;
}

static void
bawn_audit_file_init (BawnAuditFile *self)
{
  self->fd = -1;
  g_mutex_init (&self->mutex);
}
