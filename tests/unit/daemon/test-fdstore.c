/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-fdstore.h"
#include "util/bawn-handed.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHILD "--child"
#define NAME BAWN_HANDED_STORED "test"
#define SECRET "0123456789abcdef0123456789abcdef"

/* The next process of the service: 0 if it finds the secret. */
static int
child (void)
{
  g_autofree char *pid = g_strdup_printf ("%d", getpid ());

  g_setenv ("LISTEN_PID", pid, TRUE);
  g_autoptr(BawnSecret) secret = bawn_fdstore_take (NAME);
  if (secret == NULL)
    return 2;
  if (bawn_secret_size (secret) != strlen (SECRET) || memcmp (bawn_secret_data (secret), SECRET, strlen (SECRET)) != 0)
    return 3;
  /* It is taken once, and was never a socket to listen on. */
  g_autoptr(BawnSecret) again = bawn_fdstore_take (NAME);
  g_autoptr(GArray) sockets = g_array_new (FALSE, FALSE, sizeof (int));
  if (again != NULL || bawn_handed_take_sockets (NULL, sockets, NULL))
    return 4;

  return 0;
}

/* What a child that is handed @fd as @name says. */
static int
hand_over (int fd, const char *name)
{
  g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autoptr(GError) error = NULL;

  g_subprocess_launcher_take_fd (launcher, fcntl (fd, F_DUPFD_CLOEXEC, 0), 3);
  g_subprocess_launcher_setenv (launcher, "LISTEN_FDS", "1", TRUE);
  g_subprocess_launcher_setenv (launcher, "LISTEN_FDNAMES", name, TRUE);
  g_autoptr(GSubprocess) process = g_subprocess_launcher_spawn (launcher, &error, "/proc/self/exe", CHILD, NULL);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait (process, NULL, &error));
  g_assert_true (g_subprocess_get_if_exited (process));

  return g_subprocess_get_exit_status (process);
}

/* One datagram, and the descriptor that came with it, or -1. */
static char *
receive (int manager, int *out_fd)
{
  char text[128] = "";
  struct iovec part = { text, sizeof text - 1 };
  union
  {
    char room[CMSG_SPACE (sizeof (int))];
    struct cmsghdr align;
  } control = { 0 };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };

  *out_fd = -1;
  g_assert_cmpint (recvmsg (manager, &message, MSG_DONTWAIT), >, 0);
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  if (header != NULL)
    memcpy (out_fd, CMSG_DATA (header), sizeof *out_fd);

  return g_strdup (text);
}

static void
test_kept (void)
{
  g_autofree char *uuid = g_uuid_string_random ();
  g_autofree char *path = g_strdup_printf ("/tmp/bawn-fdstore-%s", uuid);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_autoptr(BawnSecret) secret = bawn_secret_new_copy (SECRET, strlen (SECRET));
  g_autoptr(GError) error = NULL;
  int fd = -1;
  int none = -1;

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  int manager = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (manager, (gconstpointer) &address, sizeof address), ==, 0);
  g_setenv ("NOTIFY_SOCKET", path, TRUE);
  g_assert_true (bawn_fdstore_keep (NAME, secret, &error));
  g_assert_no_error (error);
  g_unsetenv ("NOTIFY_SOCKET");
  g_unlink (path);

  /* First what was there before goes. */
  g_autofree char *forget = receive (manager, &none);
  g_assert_cmpstr (forget, ==, "FDSTOREREMOVE=1\nFDNAME=" NAME);
  g_assert_cmpint (none, ==, -1);
  g_autofree char *keep = receive (manager, &fd);
  g_assert_cmpstr (keep, ==, "FDSTORE=1\nFDNAME=" NAME "\nFDPOLL=0");
  g_assert_cmpint (fd, >=, 0);
  close (manager);

  g_assert_cmpint (hand_over (fd, NAME), ==, 0);
  g_assert_cmpint (hand_over (fd, "another"), ==, 2);
  close (fd);
}

/* None of these is taken for a secret, nor ends the process. */
static void
test_strangers (void)
{
  static const gsize sizes[] = { 0, 1, 100, 4095, 4096, 8192 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      int fd = memfd_create ("bawn-test", MFD_CLOEXEC);

      g_assert_cmpint (ftruncate (fd, (off_t) sizes[i]), ==, 0);
      g_assert_cmpint (hand_over (fd, NAME), ==, 2);
      close (fd);
    }

  int pipes[2] = { -1, -1 };
  g_assert_cmpint (pipe2 (pipes, O_CLOEXEC), ==, 0);
  g_assert_cmpint (hand_over (pipes[0], NAME), ==, 2);
  close (pipes[0]);
  close (pipes[1]);
}

static void
test_no_manager (void)
{
  g_autoptr(BawnSecret) secret = bawn_secret_new_copy (SECRET, strlen (SECRET));
  g_autoptr(GError) error = NULL;

  g_unsetenv ("NOTIFY_SOCKET");
  g_assert_false (bawn_fdstore_keep (NAME, secret, &error));
  g_assert_nonnull (error);
}

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], CHILD) == 0)
    return child ();

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/daemon/fdstore/the-next-process-finds-what-was-kept", test_kept);
  g_test_add_func ("/daemon/fdstore/what-is-not-ours-is-left-alone", test_strangers);
  g_test_add_func ("/daemon/fdstore/without-a-manager-it-says-so", test_no_manager);

  return g_test_run ();
}
