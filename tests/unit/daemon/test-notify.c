/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-status.h"
#include "daemon/bawn-notify.h"
#include "daemon/bawn-status-line.h"
#include "daemon/bawn-watchdog.h"

#include <glib/gstdio.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 20

/* The service manager's end. */
typedef struct
{
  int fd;
  char *path; /* NULL: abstract */
} Manager;

static void
manager_listen (Manager *manager, const char *name)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct timeval patience = { .tv_sec = PATIENCE_S };

  g_assert_cmpuint (g_strlcpy (address.sun_path, name, sizeof address.sun_path), <, sizeof address.sun_path);
  if (name[0] == '@')
    address.sun_path[0] = '\0';
  manager->fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (manager->fd, (gconstpointer) &address,
                         (socklen_t) (offsetof (struct sockaddr_un, sun_path) + strlen (name))),
                   ==, 0);
  setsockopt (manager->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  manager->path = name[0] == '/' ? g_strdup (name) : NULL;
  g_setenv ("NOTIFY_SOCKET", name, TRUE);
}

static void
manager_clear (Manager *manager)
{
  if (manager->path != NULL)
    g_unlink (manager->path);
  g_free (manager->path);
  close (manager->fd);
  g_unsetenv ("NOTIFY_SOCKET");
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Manager, manager_clear)

static char *
manager_read (Manager *manager, int flags)
{
  char text[512] = "";
  gssize size = recv (manager->fd, text, sizeof text - 1, flags);

  return size >= 0 ? g_strndup (text, (gsize) size) : NULL;
}

static char *
manager_name (gboolean abstract)
{
  g_autofree char *uuid = g_uuid_string_random ();

  return g_strdup_printf (abstract ? "@bawn-test-%s" : "/tmp/bawn-test-%s", uuid);
}

static void
test_told (gconstpointer abstract)
{
  g_autofree char *name = manager_name (GPOINTER_TO_INT (abstract));
  g_auto(Manager) manager = { .fd = -1 };

  manager_listen (&manager, name);
  bawn_notify ("STATUS=%s, %d of %d", "sealed", 1, 3);
  g_autofree char *text = manager_read (&manager, 0);
  g_assert_cmpstr (text, ==, "STATUS=sealed, 1 of 3");
}

/* None of these may end the process, or reach anybody. */
static void
test_hostile (void)
{
  g_autofree char *name = manager_name (FALSE);
  g_autofree char *longest = g_strnfill (4000, 'x');
  g_autofree char *too_long = g_strconcat ("/", longest, NULL);
  g_autofree char *absent = g_strconcat (name, "-absent", NULL);
  const char *names[] = { "", "/", "@", "relative", "vsock:2:1", too_long, absent, NULL };
  g_auto(Manager) manager = { .fd = -1 };

  manager_listen (&manager, name);
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_setenv ("NOTIFY_SOCKET", names[i], TRUE);
      bawn_notify ("READY=1");
      g_assert_false (bawn_notify_with_fd (1, "FDSTORE=1"));
    }
  g_unsetenv ("NOTIFY_SOCKET");
  bawn_notify ("READY=1");

  g_autofree char *text = manager_read (&manager, MSG_DONTWAIT);
  g_assert_null (text);
}

static void
test_descriptor (void)
{
  g_autofree char *name = manager_name (FALSE);
  g_auto(Manager) manager = { .fd = -1 };
  char text[64] = "";
  struct iovec part = { text, sizeof text - 1 };
  union
  {
    char room[CMSG_SPACE (sizeof (int))];
    struct cmsghdr align;
  } control = { 0 };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
  int passed = -1;
  char byte = 0;

  manager_listen (&manager, name);
  int fd = memfd_create ("bawn-test", MFD_CLOEXEC);
  g_assert_cmpint (write (fd, "k", 1), ==, 1);
  g_assert_true (bawn_notify_with_fd (fd, "FDSTORE=1\nFDNAME=x"));
  close (fd);

  g_assert_cmpint (recvmsg (manager.fd, &message, 0), >, 0);
  g_assert_cmpstr (text, ==, "FDSTORE=1\nFDNAME=x");
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  g_assert_nonnull (header);
  g_assert_cmpint (header->cmsg_type, ==, SCM_RIGHTS);
  memcpy (&passed, CMSG_DATA (header), sizeof passed);
  g_assert_cmpint (pread (passed, &byte, 1, 0), ==, 1);
  g_assert_cmpint (byte, ==, 'k');
  close (passed);
}

/* The loops that the watchdog watches: two, one of which may be stuck. */
typedef struct
{
  gboolean stuck;
  guint n_pings;
} Loops;

static guint
ping (void (*pong) (gpointer data), gpointer pong_data, gpointer user_data)
{
  Loops *loops = user_data;

  loops->n_pings++;
  pong (pong_data);
  if (!loops->stuck)
    pong (pong_data);

  return 2;
}

static void
turn_for (guint ms)
{
  gint64 until = g_get_monotonic_time () + ms * 1000;

  while (g_get_monotonic_time () < until)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
    }
}

static guint
count_lines (Manager *manager)
{
  guint n = 0;

  for (;;)
    {
      g_autofree char *text = manager_read (manager, MSG_DONTWAIT);

      if (text == NULL)
        return n;
      g_assert_cmpstr (text, ==, "WATCHDOG=1");
      n++;
    }
}

static void
test_watchdog (void)
{
  g_autofree char *name = manager_name (FALSE);
  g_auto(Manager) manager = { .fd = -1 };
  Loops loops = { 0 };

  manager_listen (&manager, name);
  g_setenv ("WATCHDOG_USEC", "40000", TRUE);
  g_autoptr(BawnWatchdog) watchdog = bawn_watchdog_new (ping, &loops);
  g_assert_nonnull (watchdog);
  while (loops.n_pings < 5)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (count_lines (&manager), >=, 5);

  /* The round that is under way may still be good; after it there is silence, and no further ping. */
  loops.stuck = TRUE;
  guint before = loops.n_pings;
  while (loops.n_pings == before)
    g_main_context_iteration (NULL, TRUE);
  count_lines (&manager);
  turn_for (200);
  g_assert_cmpuint (count_lines (&manager), ==, 0);
  g_assert_cmpuint (loops.n_pings, ==, before + 1);
  g_unsetenv ("WATCHDOG_USEC");
}

/* The main loop is watched too: while it does not turn, nothing is said. */
static void
test_watchdog_main (void)
{
  g_autofree char *name = manager_name (FALSE);
  g_auto(Manager) manager = { .fd = -1 };
  Loops loops = { 0 };

  manager_listen (&manager, name);
  g_setenv ("WATCHDOG_USEC", "40000", TRUE);
  g_autoptr(BawnWatchdog) watchdog = bawn_watchdog_new (ping, &loops);
  g_usleep (100 * 1000);
  g_assert_cmpuint (count_lines (&manager), ==, 0);
  g_unsetenv ("WATCHDOG_USEC");
}

static void
test_watchdog_unwanted (void)
{
  const char *bad[] = { "", "0", "-1", "x", "99999999999999999999999", NULL };

  g_assert_null (bawn_watchdog_new (ping, NULL));
  for (guint i = 0; bad[i] != NULL; i++)
    {
      g_setenv ("WATCHDOG_USEC", bad[i], TRUE);
      g_assert_null (bawn_watchdog_new (ping, NULL));
    }
  /* Somebody else's. */
  g_setenv ("WATCHDOG_USEC", "1000000", TRUE);
  g_setenv ("WATCHDOG_PID", "1", TRUE);
  g_assert_null (bawn_watchdog_new (ping, NULL));
  g_unsetenv ("WATCHDOG_USEC");
  g_unsetenv ("WATCHDOG_PID");
}

static void
assert_line (const BawnStatus *status, const GPtrArray *peers, const char *wanted)
{
  g_autofree char *line = bawn_status_line_format (status, peers);

  g_assert_cmpstr (line, ==, wanted);
}

static void
test_line (void)
{
  g_autoptr(BawnStatus) status = bawn_status_new ();
  g_autoptr(GPtrArray) peers = g_ptr_array_new ();
  BawnPeer standby = { .state = (char *) "standby" };
  BawnPeer sealed = { .state = (char *) "sealed" };
  BawnPeer unknown = { .state = NULL };

  assert_line (status, peers, "not initialized");
  status->initialized = TRUE;
  status->sealed = TRUE;
  status->progress = 1;
  status->threshold = 3;
  assert_line (status, peers, "sealed, 1 of 3 shares");
  status->sealed = FALSE;
  status->active_since_us = G_GINT64_CONSTANT (1767323045) * G_USEC_PER_SEC;
  assert_line (status, peers, "active since 2026-01-02 03:04:05 UTC");
  status->ha_enabled = TRUE;
  status->epoch = 7;
  assert_line (status, peers, "active since 2026-01-02 03:04:05 UTC, epoch 7, 0 standbys");
  g_ptr_array_add (peers, &standby);
  g_ptr_array_add (peers, &sealed);
  g_ptr_array_add (peers, &unknown);
  assert_line (status, peers, "active since 2026-01-02 03:04:05 UTC, epoch 7, 1 standby");
  status->standby = TRUE;
  assert_line (status, peers, "standby, nobody is active");
  status->leader = bawn_leader_new (8, "a", "https://10.0.0.5:8200", NULL, FALSE);
  assert_line (status, peers, "standby of https://10.0.0.5:8200, epoch 8");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/daemon/notify/by-path", GINT_TO_POINTER (FALSE), test_told);
  g_test_add_data_func ("/daemon/notify/by-abstract-name", GINT_TO_POINTER (TRUE), test_told);
  g_test_add_func ("/daemon/notify/a-bad-address-does-no-harm", test_hostile);
  g_test_add_func ("/daemon/notify/a-descriptor-arrives", test_descriptor);
  g_test_add_func ("/daemon/watchdog/a-loop-that-is-stuck-silences-it", test_watchdog);
  g_test_add_func ("/daemon/watchdog/the-main-loop-is-one-of-them", test_watchdog_main);
  g_test_add_func ("/daemon/watchdog/only-if-the-manager-wants-it", test_watchdog_unwanted);
  g_test_add_func ("/daemon/status-line/tells-the-state", test_line);

  return g_test_run ();
}
