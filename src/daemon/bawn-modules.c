/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-modules.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/bawn-backend-module.h"
#include "storage/bawn-backend-registry.h"
#include "util/bawn-log.h"

#define ROOT 0
#define WRITABLE_BY_OTHERS (S_IWGRP | S_IWOTH)

/* Closes itself, so that every way out does. */
typedef int Descriptor;

static void
descriptor_clear (Descriptor *fd)
{
  if (*fd >= 0)
    close (*fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Descriptor, descriptor_clear)

/* Only its owner, who is trusted, can change what @fd is open on. A folder above the modules' own
 * may be one like /tmp: there everybody can make files, but only the owner of a file can replace
 * it. */
static gboolean
check_owner (const BawnModulesPlace *place,
             int fd,
             const char *path,
             mode_t kind,
             mode_t excuse,
             GError **error)
{
  struct stat info;

  if (fstat (fd, &info) != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "cannot look at %s: %s", path, g_strerror (errno));
  if ((info.st_mode & S_IFMT) != kind)
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s is not a %s", path,
                      kind == S_IFDIR ? "folder" : "regular file");
  if (info.st_uid != ROOT && info.st_uid != place->owner)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "%s belongs to the user %u; what the server loads must belong to root, with "
                      "all folders above it",
                      path, (guint) info.st_uid);
  if ((info.st_mode & WRITABLE_BY_OTHERS) != 0 && (info.st_mode & excuse) == 0)
    return bawn_fail (
        error, BAWN_ERROR_INVALID,
        "%s can be written to by others than its owner (its mode is %04o); it must not be", path,
        (guint) info.st_mode & 07777);

  return TRUE;
}

static gboolean
fail_open (const char *path, int code, GError **error)
{
  if (code == ENOENT)
    return bawn_fail (error, BAWN_ERROR_NOT_FOUND, "there is no %s", path);
  if (code == ELOOP || code == ENOTDIR)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "%s is a symbolic link, or not what it should be; links are not followed",
                      path);

  return bawn_fail (error, BAWN_ERROR_INVALID, "cannot open %s: %s", path, g_strerror (code));
}

/* Goes down from the root, step by step, and follows no link: every folder that the path leads
 * through is looked at. */
static gboolean
open_folder (const BawnModulesPlace *place, Descriptor *out_fd, GError **error)
{
  g_auto (GStrv) names = g_strsplit (place->folder, "/", -1);
  g_autoptr (GString) path = g_string_new (NULL);
  g_auto (Descriptor) at = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

  if (at < 0)
    return fail_open ("/", errno, error);
  if (!check_owner (place, at, "/", S_IFDIR, S_ISVTX, error))
    return FALSE;

  for (guint i = 0; names[i] != NULL; i++)
    {
      if (*names[i] == '\0')
        continue;

      g_string_append_printf (path, "/%s", names[i]);
      int next = openat (at, names[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

      if (next < 0)
        return fail_open (path->str, errno, error);
      close (at);
      at = next;
      if (!check_owner (place, at, path->str, S_IFDIR, S_ISVTX, error))
        return FALSE;
    }

  /* The folder itself holds nobody else's files. */
  if (!check_owner (place, at, place->folder, S_IFDIR, 0, error))
    return FALSE;

  *out_fd = at;
  at = -1;
  return TRUE;
}

static gboolean
open_module (const BawnModulesPlace *place,
             const char *file,
             const char *path,
             Descriptor *out_fd,
             GError **error)
{
  g_auto (Descriptor) folder = -1;

  if (!open_folder (place, &folder, error))
    return FALSE;

  /* Without blocking: it might be a pipe. */
  g_auto (Descriptor) fd = openat (folder, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0)
    return fail_open (path, errno, error);
  if (!check_owner (place, fd, path, S_IFREG, 0, error))
    return FALSE;

  *out_fd = fd;
  fd = -1;
  return TRUE;
}

static gboolean
load_module (const BawnModulesPlace *place, const char *name, GError **error)
{
  g_autofree char *file = bawn_backend_module_file_name (name);
  g_autofree char *path = g_build_filename (place->folder, file, NULL);
  Descriptor fd = -1;

  if (!open_module (place, file, path, &fd, error))
    return FALSE;

  /* What was looked at is what is loaded, whatever has become of the path. The descriptor stays open for good: the linker
   * knows modules by the names they were loaded by, and would take the next one by this name for this one. */
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  const BawnBackendModule *module = bawn_backend_module_load (link, path, name, error);

  if (module == NULL)
    return FALSE;

  bawn_log_info ("daemon", "the storage \"%s\" is the module %s, version %s", name, path,
                 module->version);
  return TRUE;
}

/**
 * bawn_modules_load:
 * @place: where modules are
 * @group: [storage], or another group that describes one
 *
 * Nothing happens for a storage that is known already.
 */
void
bawn_modules_load (const BawnModulesPlace *place, BawnConfigGroup *group)
{
  const char *const *names = bawn_backend_names ();
  g_autofree char *name = bawn_config_get_string (group, "type", BAWN_BACKEND_DEFAULT);
  g_autofree char *known = g_strjoinv (", ", (char **) names);
  g_autoptr (GError) error = NULL;

  if (g_strv_contains (names, name))
    return;
  if (!bawn_backend_module_name_is_valid (name))
    {
      bawn_config_complain (group, "type",
                            "a storage is named by small letters, digits and '-'; built in are: %s",
                            known);
      return;
    }
  if (load_module (place, name, &error))
    return;

  if (bawn_error_is (error, BAWN_ERROR_NOT_FOUND))
    bawn_config_complain (group, "type", "unknown storage \"%s\": built in are %s, and %s", name,
                          known, error->message);
  else
    bawn_config_complain (group, "type", "%s", error->message);
}
