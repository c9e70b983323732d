/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-token-file.h"

#include "cli/bawn-cli-data.h"
#include "cli/bawn-cli-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Batch tokens are the longest, some hundred bytes. */
#define MAX_TOKEN 65536

static gboolean
check_owner (const char *path, int fd, GError **error)
{
  struct stat info;

  if (fstat (fd, &info) != 0)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("Cannot read %s: %s"), path,
                          g_strerror (errno));
  if (!S_ISREG (info.st_mode))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("%s is not a file"), path);
  if (info.st_uid != geteuid () && info.st_uid != 0)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("%s belongs to somebody else"), path);
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                          _ ("Others can read %s: the token in it is not used. Revoke it, or run "
                             "“chmod 600 %s” if that was a mistake"),
                          path, path);

  return TRUE;
}

/* Absent is TRUE with NULL. */
static gboolean
load_one (const char *path, char **out_token, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0 && errno == ENOENT)
    {
      *out_token = NULL;
      return TRUE;
    }
  if (fd < 0)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("Cannot read %s: %s"), path,
                          g_strerror (errno));

  g_autoptr (GBytes) content =
      check_owner (path, fd, error) ? bawn_cli_read_fd (fd, MAX_TOKEN, error) : NULL;
  close (fd);
  if (content == NULL)
    return FALSE;

  gsize size = 0;
  const char *text = g_bytes_get_data (content, &size);
  char *token = size > 0 ? g_strstrip (g_strndup (text, size)) : g_strdup ("");
  if (token[0] == '\0')
    g_clear_pointer (&token, bawn_string_wipe_free);
  *out_token = token;
  return TRUE;
}

/**
 * bawn_cli_token_file_load:
 * @home: the home folder
 * @out_token: (out) (transfer full) (nullable): free with bawn_string_wipe_free()
 * @error: (out) (optional): above all when others could have read or written the file
 *
 * Returns: %FALSE with @error set if there is a file that must not be used
 */
gboolean
bawn_cli_token_file_load (const char *home, char **out_token, GError **error)
{
  static const char *const names[] = { BAWN_CLI_TOKEN_FILE, BAWN_CLI_TOKEN_FILE_FALLBACK };
  char *token = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names) && token == NULL; i++)
    {
      g_autofree char *path = g_build_filename (home, names[i], NULL);

      if (!load_one (path, &token, error))
        return FALSE;
    }

  *out_token = token;
  return TRUE;
}

static gboolean
write_all (int fd, const char *text, gsize size)
{
  while (size > 0)
    {
      gssize n = write (fd, text, size);

      if (n < 0 && errno != EINTR)
        return FALSE;
      if (n > 0)
        {
          text += n;
          size -= (gsize) n;
        }
    }

  return fsync (fd) == 0;
}

/**
 * bawn_cli_token_file_store:
 * @home: the home folder
 * @token: what to keep
 * @error: (out) (optional): naming the file
 *
 * Replaces the file as a whole, so that a reader finds the old token or the new one; nobody but its
 * owner may read it at any moment.
 *
 * Returns: %FALSE with @error set if that failed, and the old file is as it was
 */
gboolean
bawn_cli_token_file_store (const char *home, const char *token, GError **error)
{
  g_autofree char *path = g_build_filename (home, BAWN_CLI_TOKEN_FILE, NULL);
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  int fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);

  if (fd < 0)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("Cannot write %s: %s"), path,
                          g_strerror (errno));

  gboolean written = write_all (fd, token, strlen (token));
  int cause = errno;
  close (fd);
  if (written && g_rename (temporary, path) == 0)
    return TRUE;

  if (written)
    cause = errno;
  g_unlink (temporary);
  return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("Cannot write %s: %s"), path,
                        g_strerror (cause));
}

/**
 * bawn_cli_token_file_erase:
 * @home: the home folder
 * @error: (out) (optional): naming the file
 *
 * Removes our own file; what Vault's command line keeps is not ours.
 *
 * Returns: %FALSE with @error set if it is still there
 */
gboolean
bawn_cli_token_file_erase (const char *home, GError **error)
{
  g_autofree char *path = g_build_filename (home, BAWN_CLI_TOKEN_FILE, NULL);

  if (g_unlink (path) == 0 || errno == ENOENT)
    return TRUE;

  return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("Cannot remove %s: %s"), path,
                        g_strerror (errno));
}
