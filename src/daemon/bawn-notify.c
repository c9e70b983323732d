/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/**
 * bawn_notify:
 * @format: printf-style; the assignments of sd_notify(3), one a line
 *
 * Sends them to $NOTIFY_SOCKET. Nothing happens without one, or if it is not listening: the protocol is one datagram,
 * and a service must not depend on its manager. Any thread.
 */
void
bawn_notify (const char *format, ...)
{
  const char *path = g_getenv ("NOTIFY_SOCKET");
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  va_list args;

  if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen (path) >= sizeof address.sun_path)
    return;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);

  memcpy (address.sun_path, path, strlen (path));
  if (path[0] == '@')
    address.sun_path[0] = '\0';

  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;

  socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + strlen (path));
  if (sendto (fd, text, strlen (text), MSG_NOSIGNAL, (gconstpointer) &address, size) < 0)
    g_debug ("the service manager did not take a notification: %s", g_strerror (errno));
  close (fd);
}
