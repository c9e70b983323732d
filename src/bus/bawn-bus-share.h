/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/bawn-secret.h"

G_BEGIN_DECLS

/* More than any share takes, in hex or base64, with blanks around it. */
#define BAWN_BUS_SHARE_MAX 1024
/* For whoever types it into a pipe. */
#define BAWN_BUS_SHARE_TIMEOUT_MS (10 * 1000)

/* Reads one share's text: of a file all of it from its beginning, whatever its position; of a pipe
 * or socket what comes before the first line end or the end. Blanks around it are dropped, a NUL is
 * behind it. Blocks for @timeout_ms at most, except for a file whose file system does; @fd stays
 * the caller's, and does not wait any more. NULL: INVALID for what is no such thing or empty,
 * TOO_LARGE, TIMEOUT. */
BawnSecret *
bawn_bus_share_read (int fd, gint64 timeout_ms, GCancellable *cancellable, GError **error);

G_END_DECLS
