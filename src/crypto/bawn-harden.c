/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-harden.h"

#include "util/bawn-error.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/**
 * bawn_process_harden:
 * @error: (out) (optional): where to put the error
 *
 * Keeps the memory of this process to itself: it is no longer dumpable (which also bars other processes of
 * the same user from ptrace and from /proc/PID/mem), and it may leave no core file. To be called early in
 * main(), before any key is in memory; both settings end with execve() or are inherited harmlessly.
 *
 * Returns: %TRUE if both took effect
 */
gboolean
bawn_process_harden (GError **error)
{
  const struct rlimit none = { 0, 0 };

  if (setrlimit (RLIMIT_CORE, &none) != 0)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "cannot forbid core files: %s", g_strerror (errno));
  if (prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "cannot make the process non-dumpable: %s", g_strerror (errno));

  return TRUE;
}
