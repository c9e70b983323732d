/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Tells the service manager, if there is one: "READY=1", "STATUS=…", lines separated by newlines. */
void bawn_notify (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* The same, with a descriptor that it is to keep. FALSE if nobody has got it. */
gboolean bawn_notify_with_fd (int fd, const char *text);

G_END_DECLS
