/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-unsealer.h"

#include "core/bawn-self-unseal.h"
#include "tests/contract/bawn-backend-fault.h"
#include "tests/unit/core/core-fixture.h"
#include "util/bawn-handed.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A server that was restarted, whose root key the service manager has kept. */

#define NAME BAWN_HANDED_STORED "root-key"
#define STORE "FDSTORE=1\nFDNAME=" NAME "\nFDPOLL=0"
#define FORGET "FDSTOREREMOVE=1\nFDNAME=" NAME
#define FIRST_FD 3
/* As many as are taken by all tests together, two in each. */
#define N_FDS 8
#define PATIENCE_MS (60 * 1000)

static struct
{
  int manager;
  int next_fd; /* of those that are handed over */
} state;

typedef struct
{
  BawnBackend *memory;
  BawnBackendFault *storage;
  CoreFixture node;
  BawnUnsealer *unsealer;
} Place;

/* What the service manager has been sent next; %NULL: nothing, unless @wait. */
static char *
receive (gboolean wait, int *out_fd)
{
  struct pollfd watched = { state.manager, POLLIN, 0 };
  char text[128] = "";
  struct iovec part = { text, sizeof text - 1 };
  union
  {
    char room[CMSG_SPACE (sizeof (int))];
    struct cmsghdr align;
  } control = { 0 };
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };

  *out_fd = -1;
  if (poll (&watched, 1, wait ? PATIENCE_MS : 0) == 0)
    return NULL;

  g_assert_cmpint (recvmsg (state.manager, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC), >, 0);
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  if (header != NULL)
    memcpy (out_fd, CMSG_DATA (header), sizeof *out_fd);

  return g_strdup (text);
}

static void
expect_forget (void)
{
  int fd = -1;
  g_autofree char *text = receive (TRUE, &fd);

  g_assert_cmpstr (text, ==, FORGET);
  g_assert_cmpint (fd, ==, -1);
}

static gboolean
is_sealed (Place *p)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (p->node.core);

  return status->sealed;
}

static void
start (Place *p)
{
  static const BawnSealSettings settings = { .keep = TRUE };

  p->unsealer = bawn_unsealer_start (p->node.core, &settings);
}

static void
stop (Place *p)
{
  bawn_unsealer_stop (p->unsealer);
  bawn_unsealer_leave (p->unsealer);
  bawn_core_stop (p->node.core);
  g_clear_pointer (&p->unsealer, bawn_unsealer_free);
}

/* The first process: is unsealed by people, and has its key kept. The next one begins. */
static void
set_up (Place *p, gconstpointer data)
{
  int fd = -1;

  p->memory = core_fixture_new_backend ();
  p->storage = bawn_backend_fault_new (p->memory);
  core_fixture_open (&p->node, BAWN_BACKEND (p->storage));
  start (p);
  state.next_fd++;
  core_fixture_ready (&p->node, 1, 1);
  expect_forget ();
  g_autofree char *text = receive (TRUE, &fd);
  g_assert_cmpstr (text, ==, STORE);
  g_assert_cmpint (dup3 (fd, state.next_fd++, O_CLOEXEC), >, 0);
  close (fd);
  stop (p);
  g_assert_null (receive (FALSE, &fd));
  core_fixture_close (&p->node);
  core_fixture_open (&p->node, BAWN_BACKEND (p->storage));
  g_assert_true (is_sealed (p));
}

static void
tear_down (Place *p, gconstpointer data)
{
  int fd = -1;

  stop (p);
  core_fixture_close (&p->node);
  g_clear_object (&p->storage);
  g_clear_object (&p->memory);
  for (char *text = receive (FALSE, &fd); text != NULL; text = receive (FALSE, &fd))
    {
      g_free (text);
      if (fd >= 0)
        close (fd);
    }
}

static void
test_hiccup (Place *p, gconstpointer data)
{
  int fd = -1;

  bawn_backend_fault_fail (p->storage, BAWN_FAULT_GET, 0, 1, BAWN_ERROR_UPSTREAM);
  start (p);
  g_assert_true (is_sealed (p));
  while (is_sealed (p))
    g_usleep (1000);

  /* Nothing was forgotten but to be kept anew. */
  expect_forget ();
  g_autofree char *text = receive (TRUE, &fd);
  g_assert_cmpstr (text, ==, STORE);
  close (fd);
}

static void
test_other_storage (Place *p, gconstpointer data)
{
  core_fixture_close (&p->node);
  core_fixture_open (&p->node, NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (bawn_core_initialize (p->node.core, 1, 1, &p->node.shares, &p->node.root, &error));
  g_assert_no_error (error);

  start (p);
  expect_forget ();
  g_assert_true (is_sealed (p));
}

static void
test_sealed (Place *p, gconstpointer data)
{
  bawn_backend_fault_fail (p->storage, BAWN_FAULT_GET, 0, G_MAXUINT, BAWN_ERROR_UPSTREAM);
  start (p);
  bawn_core_seal (p->node.core, "the operator wants it");
  bawn_backend_fault_fail (p->storage, BAWN_FAULT_GET, 0, 0, BAWN_ERROR_UPSTREAM);

  expect_forget ();
  g_assert_true (is_sealed (p));
}

/* Requests on their way are still done while the process ends. */
static void
test_sealed_at_the_end (Place *p, gconstpointer data)
{
  int fd = -1;

  start (p);
  g_assert_false (is_sealed (p));
  expect_forget ();
  g_autofree char *text = receive (TRUE, &fd);
  g_assert_cmpstr (text, ==, STORE);
  close (fd);

  bawn_unsealer_stop (p->unsealer);
  bawn_core_seal (p->node.core, "the operator wants it");
  expect_forget ();
}

/* As the service manager does, though it is this process that sends and receives: descriptors whose
 * place is taken by what was kept as soon as that is there. */
static void
be_manager (void)
{
  g_autofree char *uuid = g_uuid_string_random ();
  g_autofree char *path = g_strdup_printf ("/tmp/bawn-unsealer-%s", uuid);
  g_autofree char *pid = g_strdup_printf ("%d", getpid ());
  g_autofree char *count = g_strdup_printf ("%d", N_FDS);
  g_autoptr (GString) names = g_string_new (NAME);
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  for (int i = 0; i < N_FDS; i++)
    {
      int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

      g_assert_cmpint (dup2 (fd, FIRST_FD + i), ==, FIRST_FD + i);
      if (fd >= FIRST_FD + N_FDS)
        close (fd);
      if (i > 0)
        g_string_append (names, ":" NAME);
    }
  state.next_fd = FIRST_FD;
  g_setenv ("LISTEN_PID", pid, TRUE);
  g_setenv ("LISTEN_FDS", count, TRUE);
  g_setenv ("LISTEN_FDNAMES", names->str, TRUE);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  state.manager = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (state.manager, (gconstpointer) &address, sizeof address), ==, 0);
  g_setenv ("NOTIFY_SOCKET", path, TRUE);
}

int
main (int argc, char **argv)
{
  be_manager ();
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/daemon/unsealer/a-storage-that-does-not-answer-costs-no-kept-key", Place, NULL,
              set_up, test_hiccup, tear_down);
  g_test_add ("/daemon/unsealer/the-key-of-another-storage-is-forgotten", Place, NULL, set_up,
              test_other_storage, tear_down);
  g_test_add ("/daemon/unsealer/what-is-sealed-meanwhile-stays-sealed", Place, NULL, set_up,
              test_sealed, tear_down);
  g_test_add ("/daemon/unsealer/a-seal-while-the-process-ends-forgets-the-key", Place, NULL, set_up,
              test_sealed_at_the_end, tear_down);

  int failed = g_test_run ();

  g_unlink (g_getenv ("NOTIFY_SOCKET"));
  return failed;
}
