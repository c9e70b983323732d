/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-socket.h"

#include "util/bawn-error.h"
#include "util/bawn-handed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <netdb.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Connections that the kernel keeps for us; it takes no more than net.core.somaxconn. */
#define BACKLOG 4096

/* An address that somebody else still has, or the machine has not yet, is no mistake of whoever configured it: another try helps. */
static gboolean
failed (GError **error, const char *address, const char *what)
{
  int errsv = errno;
  gboolean will_pass = errsv == EADDRINUSE || errsv == EADDRNOTAVAIL;

  return bawn_fail (error, will_pass ? BAWN_ERROR_BUSY : BAWN_ERROR_INVALID, "%s: cannot %s: %s", address, what, g_strerror (errsv));
}

/* "host:port" or "[v6]:port". */
static struct addrinfo *
resolve (const char *address, GError **error)
{
  const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
  const char *colon = strrchr (address, ':');
  struct addrinfo *list = NULL;
  guint64 port = 0;

  /* getaddrinfo() itself would take 99999 for some other port. */
  if (colon == NULL || colon == address || !g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, &port, NULL))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "%s: an address is HOST:PORT or unix:/PATH", address);

  gboolean bracketed = *address == '[' && colon[-1] == ']';
  g_autofree char *host = bracketed ? g_strndup (address + 1, (gsize) (colon - address) - 2)
                                    : g_strndup (address, (gsize) (colon - address));
  int code = getaddrinfo (host, colon + 1, &hints, &list);
  if (code != 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "%s: %s", address, gai_strerror (code));

  return list;
}

static int
bind_inet (const struct sockaddr *sockaddr, socklen_t size, gboolean spread)
{
  static const int on = 1;
  int fd = socket (sockaddr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0)
    return -1;
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (spread)
    setsockopt (fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bind (fd, sockaddr, size) == 0)
    return fd;

  int errsv = errno;
  close (fd);
  errno = errsv;
  return -1;
}

/* Several sockets may share an address only if all of them say so. That would let a second server of the same user slip
 * in unnoticed, so the address is tried alone first; a port 0 becomes a real one by that. */
static gboolean
claim (struct sockaddr *sockaddr, socklen_t size, const char *address, GError **error)
{
  int fd = bind_inet (sockaddr, size, FALSE);

  if (fd < 0)
    return failed (error, address, "listen");
  getsockname (fd, sockaddr, &size);
  close (fd);

  return TRUE;
}

/**
 * bawn_http_socket_open_inet:
 * @address: "host:port"
 * @n: how many sockets
 * @out_fds: (element-type gint): where they go
 * @error: INVALID, or BUSY where another try may help, naming the address
 *
 * Opens listening sockets between which the kernel spreads the connections.
 *
 * Returns: whether all are open
 */
gboolean
bawn_http_socket_open_inet (const char *address, guint n, GArray *out_fds, GError **error)
{
  struct addrinfo *list = resolve (address, error);
  BawnHttpAddress sockaddr = { 0 };

  if (list == NULL)
    return FALSE;
  socklen_t size = list->ai_addrlen;
  memcpy (&sockaddr, list->ai_addr, MIN (size, sizeof sockaddr));
  freeaddrinfo (list);

  if (!claim (&sockaddr.any, size, address, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      int fd = bind_inet (&sockaddr.any, size, TRUE);

      if (fd < 0)
        return failed (error, address, "listen");
      g_array_append_val (out_fds, fd);
      if (listen (fd, BACKLOG) != 0)
        return failed (error, address, "listen");
    }

  return TRUE;
}

/* A socket that a dead server has left behind goes away; one that somebody answers on does not. */
static gboolean
remove_stale (const struct sockaddr_un *un, GError **error)
{
  struct stat info = { 0 };

  if (lstat (un->sun_path, &info) != 0)
    return TRUE;
  if (!S_ISSOCK (info.st_mode))
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s: is there and is not a socket", un->sun_path);

  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  gboolean alive = fd >= 0 && (connect (fd, (const struct sockaddr *) un, sizeof *un) == 0 || errno != ECONNREFUSED);
  if (fd >= 0)
    close (fd);
  if (alive)
    return bawn_fail (error, BAWN_ERROR_BUSY, "%s: cannot listen: a server is there already", un->sun_path);
  if (unlink (un->sun_path) != 0)
    return failed (error, un->sun_path, "remove what an earlier server has left");

  return TRUE;
}

static gboolean
set_owner (const char *path, const BawnHttpListenerConfig *config, GError **error)
{
  uid_t uid = (uid_t) -1;
  gid_t gid = (gid_t) -1;

  if (config->socket_user != NULL)
    {
      const struct passwd *user = getpwnam (config->socket_user);
      if (user == NULL)
        return bawn_fail (error, BAWN_ERROR_INVALID, "[%s] socket-user: no such user: %s", config->name, config->socket_user);
      uid = user->pw_uid;
    }
  if (config->socket_group != NULL)
    {
      const struct group *group = getgrnam (config->socket_group);
      if (group == NULL)
        return bawn_fail (error, BAWN_ERROR_INVALID, "[%s] socket-group: no such group: %s", config->name,
                          config->socket_group);
      gid = group->gr_gid;
    }
  /* Where nothing is wanted, nothing is asked of the kernel: a sandbox may forbid the very call. */
  if ((config->socket_user != NULL || config->socket_group != NULL) && chown (path, uid, gid) != 0)
    return failed (error, path, "set the owner");
  if (chmod (path, config->socket_mode) != 0)
    return failed (error, path, "set the mode");

  return TRUE;
}

/**
 * bawn_http_socket_open_unix:
 * @path: of the socket
 * @config: says who may connect
 * @out_fds: (element-type gint): where it goes
 * @error: INVALID, or BUSY where another try may help, naming the path
 *
 * Opens a listening socket in the file system.
 *
 * Returns: whether it is open
 */
gboolean
bawn_http_socket_open_unix (const char *path, const BawnHttpListenerConfig *config, GArray *out_fds, GError **error)
{
  struct sockaddr_un un = { .sun_family = AF_UNIX };

  if (g_strlcpy (un.sun_path, path, sizeof un.sun_path) >= sizeof un.sun_path)
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s: longer than %zu bytes", path, sizeof un.sun_path - 1);
  if (!remove_stale (&un, error))
    return FALSE;

  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return failed (error, path, "listen");
  g_array_append_val (out_fds, fd);
  if (bind (fd, (gpointer) &un, sizeof un) != 0)
    return failed (error, path, "listen");

  /* Nobody can connect before listen(), so the mode is right from the first moment. */
  if (!set_owner (path, config, error))
    return FALSE;
  return listen (fd, BACKLOG) == 0 ? TRUE : failed (error, path, "listen");
}

/**
 * bawn_http_socket_take_bound:
 * @address: "host:port" or "unix:/path"
 * @out_fds: (element-type gint): where they go
 *
 * Takes over sockets that systemd has opened at this very address.
 *
 * Returns: whether there are any
 */
gboolean
bawn_http_socket_take_bound (const char *address, GArray *out_fds)
{
  struct sockaddr_un un = { .sun_family = AF_UNIX };

  if (g_str_has_prefix (address, BAWN_HTTP_UNIX_PREFIX))
    return g_strlcpy (un.sun_path, address + strlen (BAWN_HTTP_UNIX_PREFIX), sizeof un.sun_path) < sizeof un.sun_path
           && bawn_handed_take_bound ((gconstpointer) &un, sizeof un, out_fds);

  struct addrinfo *list = resolve (address, NULL);
  gboolean found = list != NULL && bawn_handed_take_bound (list->ai_addr, list->ai_addrlen, out_fds);
  if (list != NULL)
    freeaddrinfo (list);

  return found;
}

/* Where a socket listens. */
gboolean
bawn_http_socket_address (int fd, BawnHttpAddress *out_address)
{
  BawnHttpAddress address = { 0 };
  socklen_t size = sizeof address;

  if (getsockname (fd, &address.any, &size) != 0)
    return FALSE;
  *out_address = address;

  return TRUE;
}

/* Whether nobody but this machine can reach it. */
gboolean
bawn_http_address_is_local (const BawnHttpAddress *address)
{
  if (address->any.sa_family == AF_INET)
    return ntohl (address->in.sin_addr.s_addr) >> 24 == 127;
  if (address->any.sa_family == AF_INET6)
    return IN6_IS_ADDR_LOOPBACK (&address->in6.sin6_addr);

  return address->any.sa_family == AF_UNIX;
}

/**
 * bawn_http_socket_turn_away:
 * @fd: a TCP socket that listens
 *
 * Has the kernel ignore who wants to connect from now on, so that nobody comes between the last accept() and the close, whom that
 * would reset: whoever asks again after the close is refused. Who is in the middle of it still gets in. Where it cannot be
 * done, somebody may be reset.
 */
void
bawn_http_socket_turn_away (int fd)
{
  /* The 14th byte of a segment has its flags; SYN alone begins a connection. */
  static struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_B | BPF_ABS, 13),
    BPF_STMT (BPF_ALU | BPF_AND | BPF_K, 0x12),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, 0),
    BPF_STMT (BPF_RET | BPF_K, 0xffffffff),
  };
  static const struct sock_fprog program = { G_N_ELEMENTS (code), code };

  if (setsockopt (fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
    g_debug ("newcomers cannot be turned away: %s", g_strerror (errno));
}

/* The numeric host; of an IPv4 client on an IPv6 socket the IPv4 one; of a Unix socket "". */
char *
bawn_http_address_host (const BawnHttpAddress *address)
{
  char text[INET6_ADDRSTRLEN] = "";

  if (address->any.sa_family == AF_INET)
    inet_ntop (AF_INET, &address->in.sin_addr, text, sizeof text);
  else if (address->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED (&address->in6.sin6_addr))
    inet_ntop (AF_INET, address->in6.sin6_addr.s6_addr + 12, text, sizeof text);
  else if (address->any.sa_family == AF_INET6)
    inet_ntop (AF_INET6, &address->in6.sin6_addr, text, sizeof text);

  return g_strdup (text);
}

guint
bawn_http_address_port (const BawnHttpAddress *address)
{
  if (address->any.sa_family == AF_INET)
    return ntohs (address->in.sin_port);
  if (address->any.sa_family == AF_INET6)
    return ntohs (address->in6.sin6_port);

  return 0;
}
