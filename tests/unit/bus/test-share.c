/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-share-async.h"
#include "util/bawn-error.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is never to come is not waited for. */
#define SHORT_MS 20
#define LONG_MS (60 * 1000)

static int
make_memfd (const char *data, gsize size)
{
  int fd = memfd_create ("share", MFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, data, size), ==, (gssize) size);
  return fd;
}

static void
make_pipe (int fds[2])
{
  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
}

static void
put (int fd, const char *text)
{
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize) strlen (text));
}

static void
expect_text (int fd, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnSecret) share = bawn_bus_share_read (fd, LONG_MS, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (bawn_secret_size (share), ==, strlen (text) + 1);
  g_assert_cmpstr ((const char *) bawn_secret_data (share), ==, text);
}

static void
expect_error (int fd, gint64 timeout_ms, BawnErrorCode code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (bawn_bus_share_read (fd, timeout_ms, NULL, &error));
  g_assert_error (error, BAWN_ERROR, (int) code);
}

static void
test_a_file_is_read_from_its_beginning (void)
{
  int fd = make_memfd (" \nabc\n\n", 7);

  expect_text (fd, "abc");
  expect_text (fd, "abc");
  close (fd);
}

static void
test_a_pipe_is_read_up_to_a_line_end (void)
{
  int fds[2] = { -1, -1 };

  make_pipe (fds);
  put (fds[1], "abc \nmore");
  expect_text (fds[0], "abc");
  close (fds[0]);
  close (fds[1]);
}

static void
test_a_pipe_is_read_to_its_end (void)
{
  int fds[2] = { -1, -1 };

  make_pipe (fds);
  put (fds[1], "abc");
  close (fds[1]);
  expect_text (fds[0], "abc");
  close (fds[0]);
}

static void
test_a_socket_is_read (void)
{
  int fds[2] = { -1, -1 };

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  put (fds[1], "abc\n");
  expect_text (fds[0], "abc");
  close (fds[0]);
  close (fds[1]);
}

static void
test_what_cannot_be_a_share_is_refused (void)
{
  g_autofree char *long_text = g_strnfill (BAWN_BUS_SHARE_MAX + 1, 'a');
  int folder = open ("/", O_RDONLY | O_CLOEXEC);
  int device = open ("/dev/zero", O_RDONLY | O_CLOEXEC);
  int path = open ("/", O_PATH | O_CLOEXEC);
  int empty = make_memfd ("", 0);
  int blank = make_memfd (" \n ", 3);
  int nul = make_memfd ("a\0b", 3);
  int big = make_memfd (long_text, BAWN_BUS_SHARE_MAX + 1);
  int fds[2] = { -1, -1 };

  make_pipe (fds);
  put (fds[1], long_text);
  expect_error (folder, LONG_MS, BAWN_ERROR_INVALID);
  expect_error (device, LONG_MS, BAWN_ERROR_INVALID);
  expect_error (path, LONG_MS, BAWN_ERROR_INVALID);
  expect_error (empty, LONG_MS, BAWN_ERROR_INVALID);
  expect_error (blank, LONG_MS, BAWN_ERROR_INVALID);
  expect_error (nul, LONG_MS, BAWN_ERROR_INVALID);
  expect_error (big, LONG_MS, BAWN_ERROR_TOO_LARGE);
  expect_error (fds[1], LONG_MS, BAWN_ERROR_INVALID);
  expect_error (fds[0], LONG_MS, BAWN_ERROR_TOO_LARGE);
  expect_error (-1, LONG_MS, BAWN_ERROR_INVALID);
  for (guint i = 0; i < 2; i++)
    close (fds[i]);
  close (folder);
  close (device);
  close (path);
  close (empty);
  close (blank);
  close (nul);
  close (big);
}

static void
test_the_longest_text_is_taken (void)
{
  g_autofree char *text = g_strnfill (BAWN_BUS_SHARE_MAX, 'a');
  int file = make_memfd (text, BAWN_BUS_SHARE_MAX);
  int fds[2] = { -1, -1 };

  make_pipe (fds);
  put (fds[1], text);
  close (fds[1]);
  expect_text (file, text);
  expect_text (fds[0], text);
  close (file);
  close (fds[0]);
}

static void
test_silence_is_given_up (void)
{
  int fds[2] = { -1, -1 };

  make_pipe (fds);
  expect_error (fds[0], SHORT_MS, BAWN_ERROR_TIMEOUT);
  put (fds[1], "half a sha");
  expect_error (fds[0], SHORT_MS, BAWN_ERROR_TIMEOUT);
  close (fds[0]);
  close (fds[1]);
}

static void
test_a_wait_can_be_ended (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  int fds[2] = { -1, -1 };

  make_pipe (fds);
  g_cancellable_cancel (cancellable);
  g_assert_null (bawn_bus_share_read (fds[0], LONG_MS, cancellable, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_TIMEOUT);
  close (fds[0]);
  close (fds[1]);
}

typedef struct
{
  guint n;
  guint busy;
  guint ended;
} Answers;

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Answers *answers = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnSecret) share = bawn_bus_share_read_finish (result, &error);

  g_assert_null (share);
  answers->n++;
  answers->busy += bawn_error_is (error, BAWN_ERROR_BUSY);
  answers->ended += bawn_error_is (error, BAWN_ERROR_TIMEOUT);
}

static void
test_only_so_many_are_read_at_a_time (void)
{
  BawnBusReaders *readers = bawn_bus_readers_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Answers answers = { 0 };
  int fds[2] = { -1, -1 };

  make_pipe (fds);
  for (guint i = 0; i < BAWN_BUS_MAX_READERS + 2; i++)
    bawn_bus_share_read_async (readers, fcntl (fds[0], F_DUPFD_CLOEXEC, 3), cancellable, on_read,
                               &answers);
  while (answers.n < 2)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (answers.busy, ==, 2);
  g_cancellable_cancel (cancellable);
  while (answers.n < BAWN_BUS_MAX_READERS + 2)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (answers.ended, ==, BAWN_BUS_MAX_READERS);
  bawn_bus_readers_unref (readers);
  close (fds[0]);
  close (fds[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bus/share/a-file-is-read-from-its-beginning",
                   test_a_file_is_read_from_its_beginning);
  g_test_add_func ("/bus/share/a-pipe-is-read-up-to-a-line-end",
                   test_a_pipe_is_read_up_to_a_line_end);
  g_test_add_func ("/bus/share/a-pipe-is-read-to-its-end", test_a_pipe_is_read_to_its_end);
  g_test_add_func ("/bus/share/a-socket-is-read", test_a_socket_is_read);
  g_test_add_func ("/bus/share/what-cannot-be-a-share-is-refused",
                   test_what_cannot_be_a_share_is_refused);
  g_test_add_func ("/bus/share/the-longest-text-is-taken", test_the_longest_text_is_taken);
  g_test_add_func ("/bus/share/silence-is-given-up", test_silence_is_given_up);
  g_test_add_func ("/bus/share/a-wait-can-be-ended", test_a_wait_can_be_ended);
  g_test_add_func ("/bus/share/only-so-many-are-read-at-a-time",
                   test_only_so_many_are_read_at_a_time);
  return g_test_run ();
}
