/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-credential.h"

#include <string.h>

#define VARIABLE "CREDENTIALS_DIRECTORY"
/* The length of a file's name. */
#define MAX_NAME 255

/**
 * bawn_credential_is_name:
 * @name: what somebody has written
 *
 * Returns: whether it can be the name of a file in a folder, and of nothing else
 */
gboolean
bawn_credential_is_name (const char *name)
{
  gsize size = strlen (name);

  if (size == 0 || size > MAX_NAME || strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
    return FALSE;
  for (gsize i = 0; i < size; i++)
    if (!g_ascii_isgraph (name[i]) || name[i] == '/' || name[i] == ':')
      return FALSE;

  return TRUE;
}

/**
 * bawn_credential_dup_path:
 * @name: of a credential
 *
 * Returns: (transfer full): where it is
 */
char *
bawn_credential_dup_path (const char *name)
{
  const char *folder = g_getenv (VARIABLE);

  if (folder == NULL || !g_path_is_absolute (folder))
    return g_build_filename ("$" VARIABLE, name, NULL);

  return g_build_filename (folder, name, NULL);
}

/**
 * bawn_credential_is_out_of_reach:
 * @message: what is wrong with a file
 *
 * Returns: whether that is a credential which the service manager has not passed to this process
 */
gboolean
bawn_credential_is_out_of_reach (const char *message)
{
  return strstr (message, "$" VARIABLE "/") != NULL;
}
