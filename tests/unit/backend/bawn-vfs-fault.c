/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/backend/bawn-vfs-fault.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

static sqlite3_vfs *real = NULL;
static sqlite3_vfs faulty;

/* The system has one table of methods for files that are locked and one for those that are not;
 * ours differ from them in three. */
typedef struct
{
  const sqlite3_io_methods *real;
  sqlite3_io_methods ours;
} Methods;

#define MAX_METHODS 4
static Methods methods[MAX_METHODS];
static guint n_methods = 0;

static GMutex lock;
static GHashTable *names = NULL; /* open file to its path */
static char *mirror = NULL;
static guint full = 0;
static guint broken = 0;

static const sqlite3_io_methods *
real_of (sqlite3_file *file)
{
  const char *ours = (const char *) file->pMethods;

  return ((const Methods *) (gconstpointer) (ours - G_STRUCT_OFFSET (Methods, ours)))->real;
}

static gboolean
strikes (guint *plan)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);

  if (*plan == 0)
    return FALSE;

  --*plan;
  return TRUE;
}

static int
fault_write (sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
  return strikes (&full) ? SQLITE_FULL : real_of (file)->xWrite (file, data, size, offset);
}

static void
copy_locked (const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *target = g_build_filename (mirror, base, NULL);
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize size = 0;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  g_file_set_contents_full (target, data, (gssize) size, G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
}

static int
fault_sync (sqlite3_file *file, int flags)
{
  if (strikes (&broken))
    return SQLITE_IOERR_FSYNC;

  int code = real_of (file)->xSync (file, flags);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);
  const char *path = g_hash_table_lookup (names, file);

  if (code == SQLITE_OK && mirror != NULL && path != NULL)
    copy_locked (path);
  return code;
}

static int
fault_close (sqlite3_file *file)
{
  g_mutex_lock (&lock);
  g_hash_table_remove (names, file);
  g_mutex_unlock (&lock);
  return real_of (file)->xClose (file);
}

static const sqlite3_io_methods *
ours_for_locked (const sqlite3_io_methods *theirs)
{
  for (guint i = 0; i < n_methods; i++)
    if (methods[i].real == theirs)
      return &methods[i].ours;

  g_assert_cmpuint (n_methods, <, MAX_METHODS);

  Methods *pair = &methods[n_methods++];

  pair->real = theirs;
  pair->ours = *theirs;
  pair->ours.xWrite = fault_write;
  pair->ours.xSync = fault_sync;
  pair->ours.xClose = fault_close;
  return &pair->ours;
}

static int
fault_open (sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
  int code = real->xOpen (real, name, file, flags, out_flags);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);

  if (code != SQLITE_OK || file->pMethods == NULL)
    return code;

  file->pMethods = ours_for_locked (file->pMethods);
  if (name != NULL)
    g_hash_table_insert (names, file, g_strdup (name));
  return code;
}

static int
fault_delete (sqlite3_vfs *vfs, const char *name, int sync_directory)
{
  int code = real->xDelete (real, name, sync_directory);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);

  if (code == SQLITE_OK && mirror != NULL)
    {
      g_autofree char *base = g_path_get_basename (name);
      g_autofree char *copy = g_build_filename (mirror, base, NULL);

      g_unlink (copy);
    }
  return code;
}

void
bawn_vfs_fault_install (void)
{
  real = sqlite3_vfs_find (NULL);
  faulty = *real;
  faulty.zName = "bawn-fault";
  faulty.xOpen = fault_open;
  faulty.xDelete = fault_delete;
  names = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_assert_cmpint (sqlite3_vfs_register (&faulty, 1), ==, SQLITE_OK);
}

void
bawn_vfs_fault_fill (guint times)
{
  g_mutex_lock (&lock);
  full = times;
  g_mutex_unlock (&lock);
}

void
bawn_vfs_fault_break_sync (guint times)
{
  g_mutex_lock (&lock);
  broken = times;
  g_mutex_unlock (&lock);
}

void
bawn_vfs_fault_mirror (const char *directory)
{
  g_mutex_lock (&lock);
  g_free (mirror);
  mirror = g_strdup (directory);
  g_mutex_unlock (&lock);
}
