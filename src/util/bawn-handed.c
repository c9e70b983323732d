/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-handed.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/bawn-error.h"

/* Where they begin (sd_listen_fds(3)). */
#define FIRST_FD 3
/* More than any unit has; a larger number is not meant for us. */
#define MAX_FDS 1024
#define UNNAMED "unknown"

typedef struct
{
  int fd;
  char *name;
  gboolean taken;
} Handed;

static struct
{
  GMutex lock;
  GArray *all; /* (element-type Handed) (nullable): not looked at yet */
} state;

static gboolean
is_for_us (guint64 *out_n)
{
  const char *pid = g_getenv ("LISTEN_PID");
  const char *count = g_getenv ("LISTEN_FDS");
  guint64 whose = 0;

  return pid != NULL && count != NULL && g_ascii_string_to_unsigned (pid, 10, 1, G_MAXINT, &whose, NULL)
         && whose == (guint64) getpid () && g_ascii_string_to_unsigned (count, 10, 1, MAX_FDS, out_n, NULL);
}

/* A child of this process would have the variables, but not the descriptors. */
static GArray *
look_locked (void)
{
  const char *names = g_getenv ("LISTEN_FDNAMES");
  g_auto(GStrv) list = g_strsplit (names != NULL ? names : "", ":", -1);
  guint64 n = 0;

  if (state.all != NULL)
    return state.all;

  state.all = g_array_new (FALSE, FALSE, sizeof (Handed));
  if (!is_for_us (&n))
    return state.all;
  for (int i = 0; i < (int) n; i++)
    {
      gboolean named = i < (int) g_strv_length (list) && *list[i] != '\0';
      Handed handed = { .fd = FIRST_FD + i, .name = g_strdup (named ? list[i] : UNNAMED) };

      /* One that is not open is passed over: it may become something else. */
      if (fcntl (handed.fd, F_SETFD, FD_CLOEXEC) == 0)
        g_array_append_val (state.all, handed);
      else
        g_free (handed.name);
    }

  return state.all;
}

static gboolean
is_listening (int fd)
{
  int listening = 0;
  socklen_t size = sizeof listening;

  return getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

static void
take_locked (Handed *handed, GArray *out_fds)
{
  handed->taken = TRUE;
  g_unix_set_fd_nonblocking (handed->fd, TRUE, NULL);
  g_array_append_val (out_fds, handed->fd);
}

/**
 * bawn_handed_take:
 * @name: what it was stored as
 *
 * Returns: a descriptor that is the caller's now; -1 if there is none of that name
 */
int
bawn_handed_take (const char *name)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&state.lock);
  GArray *all = look_locked ();

  for (guint i = 0; i < all->len; i++)
    {
      Handed *handed = &g_array_index (all, Handed, i);

      if (handed->taken || strcmp (handed->name, name) != 0)
        continue;
      handed->taken = TRUE;
      return handed->fd;
    }

  return -1;
}

/* The index of one that is wanted and does not listen; -1 if all are fit. */
static int
find_unfit_locked (GArray *all, const char *name, guint *out_n)
{
  for (guint i = 0; i < all->len; i++)
    {
      const Handed *handed = &g_array_index (all, Handed, i);

      if (handed->taken || g_str_has_prefix (handed->name, BAWN_HANDED_STORED)
          || (name != NULL && strcmp (name, handed->name) != 0))
        continue;
      if (!is_listening (handed->fd))
        return (int) i;
      (*out_n)++;
    }

  return -1;
}

/**
 * bawn_handed_take_sockets:
 * @name: (nullable): FileDescriptorName= of the socket unit; %NULL: whatever there is
 * @out_fds: (element-type gint): where they go
 * @error: INVALID
 *
 * Returns: whether there is at least one, and all are fit; if not, none is taken
 */
gboolean
bawn_handed_take_sockets (const char *name, GArray *out_fds, GError **error)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&state.lock);
  GArray *all = look_locked ();
  guint n = 0;

  int unfit = find_unfit_locked (all, name, &n);
  if (unfit >= 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "descriptor %d (%s) is not a listening socket",
                      g_array_index (all, Handed, unfit).fd, g_array_index (all, Handed, unfit).name);
  if (n == 0 && name == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "no sockets were handed over by systemd");
  if (n == 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "no sockets were handed over by systemd with the name %s", name);

  for (guint i = 0; i < all->len; i++)
    {
      Handed *handed = &g_array_index (all, Handed, i);

      if (!handed->taken && !g_str_has_prefix (handed->name, BAWN_HANDED_STORED)
          && (name == NULL || strcmp (name, handed->name) == 0))
        take_locked (handed, out_fds);
    }

  return TRUE;
}

typedef union
{
  struct sockaddr any;
  struct sockaddr_in in;
  struct sockaddr_in6 in6;
  struct sockaddr_un un;
  struct sockaddr_storage room;
} Address;

/* ListenStream=8200 is an IPv6 socket that takes IPv4 too. */
static gboolean
takes_both (int fd, const struct sockaddr_in6 *bound, const struct sockaddr_in *wanted)
{
  int v6_only = 1;
  socklen_t size = sizeof v6_only;

  return wanted->sin_addr.s_addr == htonl (INADDR_ANY) && IN6_IS_ADDR_UNSPECIFIED (&bound->sin6_addr)
         && bound->sin6_port == wanted->sin_port && getsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, &size) == 0
         && !v6_only;
}

static gboolean
is_same (int fd, const Address *bound, const Address *wanted)
{
  if (bound->any.sa_family == AF_INET6 && wanted->any.sa_family == AF_INET)
    return takes_both (fd, &bound->in6, &wanted->in);
  if (bound->any.sa_family != wanted->any.sa_family)
    return FALSE;
  if (bound->any.sa_family == AF_INET)
    return bound->in.sin_port == wanted->in.sin_port && bound->in.sin_addr.s_addr == wanted->in.sin_addr.s_addr;
  if (bound->any.sa_family == AF_INET6)
    return bound->in6.sin6_port == wanted->in6.sin6_port
           && IN6_ARE_ADDR_EQUAL (&bound->in6.sin6_addr, &wanted->in6.sin6_addr)
           && bound->in6.sin6_scope_id == wanted->in6.sin6_scope_id;

  return bound->any.sa_family == AF_UNIX && bound->un.sun_path[0] == '/'
         && strncmp (bound->un.sun_path, wanted->un.sun_path, sizeof bound->un.sun_path) == 0;
}

/**
 * bawn_handed_take_bound:
 * @address: where to listen
 * @size: its size
 * @out_fds: (element-type gint): where they go
 *
 * Returns: whether the service manager listens there for us
 */
gboolean
bawn_handed_take_bound (const struct sockaddr *address, socklen_t size, GArray *out_fds)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&state.lock);
  GArray *all = look_locked ();
  Address wanted = { 0 };
  guint before = out_fds->len;

  memcpy (&wanted, address, MIN (size, sizeof wanted));
  for (guint i = 0; i < all->len; i++)
    {
      Handed *handed = &g_array_index (all, Handed, i);
      Address bound = { 0 };
      socklen_t bound_size = sizeof bound;

      if (!handed->taken && is_listening (handed->fd) && getsockname (handed->fd, &bound.any, &bound_size) == 0
          && is_same (handed->fd, &bound, &wanted))
        take_locked (handed, out_fds);
    }

  return out_fds->len > before;
}

static char *
describe (const Handed *handed)
{
  Address bound = { 0 };
  socklen_t size = sizeof bound;
  char host[INET6_ADDRSTRLEN] = "";

  if (getsockname (handed->fd, &bound.any, &size) != 0)
    return g_strdup (handed->name);
  if (bound.any.sa_family == AF_UNIX)
    return g_strdup_printf ("%.*s (%s)", (int) sizeof bound.un.sun_path, bound.un.sun_path, handed->name);
  if (bound.any.sa_family == AF_INET && inet_ntop (AF_INET, &bound.in.sin_addr, host, sizeof host) != NULL)
    return g_strdup_printf ("%s:%u (%s)", host, ntohs (bound.in.sin_port), handed->name);
  if (bound.any.sa_family == AF_INET6 && inet_ntop (AF_INET6, &bound.in6.sin6_addr, host, sizeof host) != NULL)
    return g_strdup_printf ("[%s]:%u (%s)", host, ntohs (bound.in6.sin6_port), handed->name);

  return g_strdup (handed->name);
}

/**
 * bawn_handed_dup_idle:
 *
 * Returns: (transfer full): the sockets that clients can connect to and nobody will answer on
 */
GStrv
bawn_handed_dup_idle (void)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&state.lock);
  GArray *all = look_locked ();
  g_autoptr(GStrvBuilder) idle = g_strv_builder_new ();

  for (guint i = 0; i < all->len; i++)
    {
      const Handed *handed = &g_array_index (all, Handed, i);

      if (!handed->taken && is_listening (handed->fd))
        {
          g_autofree char *text = describe (handed);
          g_strv_builder_add (idle, text);
        }
    }

  return g_strv_builder_end (idle);
}
