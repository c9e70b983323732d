/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-data.h"

#include "cli/bawn-cli-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_SIZE 16384

/**
 * bawn_cli_read_fd:
 * @fd: an open file
 * @max: the most that is sensible
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL
 *
 * Reads to the end. Blocks.
 *
 * Returns: (transfer full): what was read, in memory that is wiped
 */
GBytes *
bawn_cli_read_fd (int fd, gsize max, GError **error)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  while (TRUE)
    {
      bawn_buffer_reserve (&buffer, CHUNK_SIZE);
      gssize n = read (fd, buffer.data + buffer.size, CHUNK_SIZE);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL, "%s", g_strerror (errno));
      if (n == 0)
        return bawn_buffer_steal (&buffer);
      buffer.size += (gsize) n;
      if (buffer.size > max)
        return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL, _ ("more than %zu bytes"), max);
    }
}

/**
 * bawn_cli_read_file:
 * @path: a file; `~/` at its start is the home folder
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL, naming @path
 *
 * Returns: (transfer full): what is in it, in memory that is wiped
 */
GBytes *
bawn_cli_read_file (const char *path, GError **error)
{
  g_autofree char *expanded = g_str_has_prefix (path, "~/")
                                  ? g_build_filename (g_get_home_dir (), path + 2, NULL)
                                  : g_strdup (path);
  int fd = open (expanded, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL, _ ("Cannot read %s: %s"), path,
                               g_strerror (errno));

  g_autoptr (GBytes) content = bawn_cli_read_fd (fd, BAWN_CLI_MAX_INPUT, error);
  close (fd);
  if (content == NULL)
    g_prefix_error (error, _ ("Cannot read %s: "), path);

  return g_steal_pointer (&content);
}

/**
 * bawn_cli_read_source:
 * @path: a file, or `-`
 * @input_fd: what `-` means
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL
 *
 * Returns: (transfer full): what is in it, in memory that is wiped
 */
GBytes *
bawn_cli_read_source (const char *path, int input_fd, GError **error)
{
  if (strcmp (path, "-") != 0)
    return bawn_cli_read_file (path, error);

  g_autoptr (GBytes) content = bawn_cli_read_fd (input_fd, BAWN_CLI_MAX_INPUT, error);
  if (content == NULL)
    g_prefix_error (error, _ ("Cannot read the standard input: "));

  return g_steal_pointer (&content);
}
