/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or "@" and an abstract name. */
static gboolean
find_manager (struct sockaddr_un *address, socklen_t *out_size)
{
  const char *path = g_getenv ("NOTIFY_SOCKET");

  if (path == NULL || (path[0] != '/' && path[0] != '@') || path[1] == '\0' || strlen (path) >= sizeof address->sun_path)
    return FALSE;

  address->sun_family = AF_UNIX;
  memcpy (address->sun_path, path, strlen (path));
  if (path[0] == '@')
    address->sun_path[0] = '\0';
  *out_size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + strlen (path));
  return TRUE;
}

static gboolean
notify (const char *text, int passed_fd)
{
  struct sockaddr_un address = { 0 };
  struct iovec part = { (gpointer) text, strlen (text) };
  struct msghdr message = { .msg_name = &address, .msg_iov = &part, .msg_iovlen = 1 };
  union
  {
    char room[CMSG_SPACE (sizeof (int))];
    struct cmsghdr align;
  } control = { 0 };

  if (!find_manager (&address, &message.msg_namelen))
    return FALSE;
  if (passed_fd >= 0)
    {
      message.msg_control = &control;
      message.msg_controllen = sizeof control.room;
      struct cmsghdr *header = CMSG_FIRSTHDR (&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN (sizeof (int));
      memcpy (CMSG_DATA (header), &passed_fd, sizeof (int));
    }

  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return FALSE;

  gboolean sent = sendmsg (fd, &message, MSG_NOSIGNAL) >= 0;
  if (!sent)
    g_debug ("the service manager did not take a notification: %s", g_strerror (errno));
  close (fd);
  return sent;
}

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
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);

  (void) notify (text, -1);
}

/**
 * bawn_notify_with_fd:
 * @fd: a descriptor, which stays the caller's
 * @text: the assignments of sd_notify(3), one a line
 *
 * Returns: whether the service manager has been sent both
 */
gboolean
bawn_notify_with_fd (int fd, const char *text)
{
  return notify (text, fd);
}
