/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-harden.h"
#include "crypto/bawn-secret.h"
#include "util/bawn-error.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define UNCHECKED __attribute__ ((no_sanitize ("address"), noinline))
#else
#define UNCHECKED __attribute__ ((noinline))
#endif

static void
test_bytes_are_kept (void)
{
  g_autoptr (BawnSecret) secret = bawn_secret_new_copy ("key material", 12);

  g_assert_cmpmem (bawn_secret_data (secret), bawn_secret_size (secret), "key material", 12);
}

static void
test_new_memory_is_zero (void)
{
  const guint8 zero[100] = { 0 };
  guint8 *data = NULL;
  g_autoptr (BawnSecret) first = bawn_secret_new (100, &data);

  memset (data, 0xaa, 100);
  g_clear_pointer (&first, bawn_secret_unref);
  first = bawn_secret_new (100, &data);

  g_assert_cmpmem (data, 100, zero, sizeof zero);
}

static void
test_an_empty_secret_is_allowed (void)
{
  g_autoptr (BawnSecret) a = bawn_secret_new (0, NULL);
  g_autoptr (BawnSecret) b = bawn_secret_new_copy (NULL, 0);

  g_assert_cmpuint (bawn_secret_size (a), ==, 0);
  g_assert_nonnull (bawn_secret_data (a));
  g_assert_true (bawn_secret_equal (a, b));
}

static void
test_equal_compares_all_bytes (void)
{
  g_autoptr (BawnSecret) a = bawn_secret_new_copy ("0123456789abcdef", 16);
  g_autoptr (BawnSecret) same = bawn_secret_new_copy ("0123456789abcdef", 16);
  g_autoptr (BawnSecret) shorter = bawn_secret_new_copy ("0123456789abcde", 15);

  g_assert_true (bawn_secret_equal (a, same));
  g_assert_false (bawn_secret_equal (a, shorter));
  for (guint i = 0; i < 16 * 8; i++)
    {
      guint8 flipped[16];
      memcpy (flipped, "0123456789abcdef", 16);
      flipped[i / 8] ^= (guint8) (1 << i % 8);
      g_autoptr (BawnSecret) other = bawn_secret_new_copy (flipped, 16);
      g_assert_false (bawn_secret_equal (a, other));
    }
}

static void
test_random_secrets_differ (void)
{
  g_autoptr (BawnSecret) a = bawn_secret_new_random (32);
  g_autoptr (BawnSecret) b = bawn_secret_new_random (32);

  g_assert_false (bawn_secret_equal (a, b));
}

/* Sizes around every slot size and page, each filled with its own pattern: nobody writes into a
 * neighbour. */
static void
test_secrets_do_not_overlap (void)
{
  g_autoptr (GPtrArray) secrets =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_secret_unref);

  for (gsize round = 0; round < 3; round++)
    for (gsize size = 1; size <= 20000; size = size * 5 / 4 + 1)
      {
        guint8 *data = NULL;
        g_ptr_array_add (secrets, bawn_secret_new (size, &data));
        memset (data, (int) (secrets->len & 0xff), size);
      }
  for (guint i = 0; i < secrets->len; i += 3)
    g_ptr_array_index (secrets, i) =
        (bawn_secret_unref (g_ptr_array_index (secrets, i)), bawn_secret_new (1, NULL));

  for (guint i = 0; i < secrets->len; i++)
    {
      const BawnSecret *secret = g_ptr_array_index (secrets, i);
      guint8 expected = i % 3 == 0 ? 0 : (guint8) (i + 1);
      for (gsize k = 0; k < bawn_secret_size (secret); k++)
        g_assert_cmpuint (bawn_secret_data (secret)[k], ==, expected);
    }
}

static void
test_freed_slots_are_used_again (void)
{
  g_autoptr (GPtrArray) secrets =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_secret_unref);
  gsize locked_before = 0;
  gsize locked_full = 0;
  gsize locked = 0;
  gsize unlocked = 0;

  for (guint i = 0; i < 4000; i++)
    g_ptr_array_add (secrets, bawn_secret_new_random (32));
  bawn_secret_get_usage (&locked_before, &unlocked);
  for (guint round = 0; round < 5; round++)
    {
      g_ptr_array_set_size (secrets, 0);
      for (guint i = 0; i < 4000; i++)
        g_ptr_array_add (secrets, bawn_secret_new (32, NULL));
    }
  bawn_secret_get_usage (&locked_full, &unlocked);
  g_ptr_array_set_size (secrets, 0);
  bawn_secret_get_usage (&locked, &unlocked);

  g_assert_cmpuint (locked_full, ==, locked_before);
  /* 4000 keys of 32 bytes took eight chunks or so; nearly all of that came back. */
  g_assert_cmpuint (locked + 100000, <, locked_full);
}

/* Reads memory that is no longer ours, as the neighbour in the same chunk keeps it mapped. */
static UNCHECKED guint
count_residue (const volatile guint8 *data, gsize size, guint8 pattern)
{
  guint found = 0;

  for (gsize i = 0; i < size; i++)
    if (data[i] == pattern)
      found++;

  return found;
}

static void
test_the_last_unref_wipes (void)
{
  g_autoptr (BawnSecret) neighbour = bawn_secret_new (64, NULL);
  guint8 *data = NULL;
  BawnSecret *secret = bawn_secret_new (64, &data);

  memset (data, 0xc7, 64);
  BawnSecret *second = bawn_secret_ref (secret);
  bawn_secret_unref (secret);
  g_assert_cmpuint (count_residue (data, 64, 0xc7), ==, 64);
  bawn_secret_unref (second);

  g_assert_cmpuint (count_residue (data, 64, 0xc7), ==, 0);
}

/* The line of VmFlags of the mapping at @address, or the mapping's name in front of it. */
static char *
describe_mapping (gconstpointer address)
{
  g_autofree char *smaps = NULL;
  g_assert_true (g_file_get_contents ("/proc/self/smaps", &smaps, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (smaps, "\n", -1);
  gboolean inside = FALSE;
  const char *head = "";

  for (guint i = 0; lines[i] != NULL; i++)
    {
      unsigned long from = 0;
      unsigned long to = 0;
      if (sscanf (lines[i], "%lx-%lx ", &from, &to) == 2)
        {
          inside = (gulong) address >= from && (gulong) address < to;
          head = lines[i];
        }
      else if (inside && g_str_has_prefix (lines[i], "VmFlags:"))
        return g_strconcat (head, " ", lines[i], " ", NULL);
    }

  return g_strdup ("");
}

static void
test_pages_are_locked_and_not_dumped (void)
{
  gsize sizes[] = { 32, 2048, 10000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      gsize locked = 0;
      gsize unlocked = 0;
      g_autoptr (BawnSecret) secret = bawn_secret_new (sizes[i], NULL);
      bawn_secret_get_usage (&locked, &unlocked);
      g_autofree char *mapping = describe_mapping (bawn_secret_data (secret));

      g_assert_nonnull (strstr (mapping, " dd "));
      g_assert_nonnull (strstr (mapping, " dc "));
      if (unlocked == 0)
        g_assert_nonnull (strstr (mapping, " lo "));
      g_assert_nonnull (strstr (mapping, " rw-"));
    }
}

static void
test_a_child_has_no_copy (void)
{
  g_autoptr (BawnSecret) secret = bawn_secret_new_copy ("mine", 4);
  const guint8 *data = bawn_secret_data (secret);

  pid_t child = fork ();
  if (child == 0)
    {
      /* write() answers EFAULT rather than a signal for memory that is not there. */
      int fds[2] = { -1, -1 };
      if (pipe (fds) != 0)
        _exit (3);
      _exit (write (fds[1], data, 4) == -1 ? 0 : 1);
    }

  int status = 0;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static volatile guint8 sink;

/* A core file of a test that is meant to crash helps nobody. */
static void
touch (const guint8 *from, gssize step, gsize n)
{
  const struct rlimit none = { 0, 0 };

  setrlimit (RLIMIT_CORE, &none);
  for (gsize i = 0; i < n; i++)
    sink = from[step * (gssize) i];
}

static void
test_reading_past_the_end_faults (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (BawnSecret) secret = bawn_secret_new (5000, NULL);
      touch (bawn_secret_data (secret), 1, 5001);
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
}

static void
test_reading_within_does_not_fault (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (BawnSecret) secret = bawn_secret_new (5000, NULL);
      touch (bawn_secret_data (secret), 1, 5000);
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

static void
test_running_off_either_end_of_small_ones_faults (void)
{
  g_test_trap_subprocess ("/crypto/secret/subprocess/run-off-the-rear", 0,
                          G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_subprocess ("/crypto/secret/subprocess/run-off-the-front", 0,
                          G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
}

static void
run_off (gconstpointer step)
{
  g_autoptr (BawnSecret) secret = bawn_secret_new (32, NULL);

  touch (bawn_secret_data (secret), GPOINTER_TO_INT (step), 128 * 1024);
}

/* The superuser may lock what he likes: tests of the limit are run by nobody. */
static void
become_limited (rlim_t limit)
{
  const struct rlimit limits = { limit, limit };

  g_assert_cmpint (setrlimit (RLIMIT_MEMLOCK, &limits), ==, 0);
  if (geteuid () == 0)
    g_assert_cmpint (setresuid (65534, 65534, 65534), ==, 0);
}

static void
test_a_low_limit_is_explained (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (GError) error = NULL;
      become_limited (65536);
      gboolean opened = bawn_secret_arena_open (TRUE, &error);

      g_assert_false (opened);
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_LIMITED);
      g_assert_nonnull (strstr (error->message, "RLIMIT_MEMLOCK, is 65536 bytes"));
      g_assert_nonnull (strstr (error->message, "LimitMEMLOCK="));
      g_assert_nonnull (strstr (error->message, "disable-mlock"));
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

static void
test_without_locking_a_low_limit_is_fine (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (GError) error = NULL;
      gsize locked = 0;
      gsize unlocked = 0;
      become_limited (0);
      gboolean opened = bawn_secret_arena_open (FALSE, &error);
      g_autoptr (BawnSecret) secret = bawn_secret_new_copy ("works", 5);
      bawn_secret_get_usage (&locked, &unlocked);

      g_assert_no_error (error);
      g_assert_true (opened);
      g_assert_cmpmem (bawn_secret_data (secret), 5, "works", 5);
      g_assert_cmpuint (locked, ==, 0);
      g_assert_cmpuint (unlocked, >, 0);
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

static void
test_thousands_of_keys_fit_the_usual_limit (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) secrets =
          g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_secret_unref);
      become_limited (8 * 1024 * 1024);
      gboolean opened = bawn_secret_arena_open (TRUE, &error);
      g_assert_no_error (error);
      g_assert_true (opened);

      for (guint i = 0; i < 100000; i++)
        g_ptr_array_add (secrets, bawn_secret_new (32, NULL));
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

static void
test_an_exhausted_limit_is_an_error (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) secrets =
          g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_secret_unref);
      become_limited (1024 * 1024);
      g_assert_true (bawn_secret_arena_open (TRUE, NULL));

      guint8 *data = NULL;
      BawnSecret *secret = bawn_secret_try_new (1000, &data, &error);
      while (secret != NULL && secrets->len < 10000)
        {
          g_ptr_array_add (secrets, secret);
          secret = bawn_secret_try_new (1000, &data, &error);
        }
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_LIMITED);
      g_assert_cmpuint (secrets->len, >, 500);

      g_ptr_array_set_size (secrets, 0);
      g_autoptr (BawnSecret) again = bawn_secret_try_new (1000, &data, NULL);
      g_assert_nonnull (again);
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

static void
test_an_exhausted_limit_ends_the_process (void)
{
  if (g_test_subprocess ())
    {
      const struct rlimit none = { 0, 0 };
      setrlimit (RLIMIT_CORE, &none);
      become_limited (1024 * 1024);
      g_assert_true (bawn_secret_arena_open (TRUE, NULL));
      bawn_secret_new (2 * 1024 * 1024, NULL);
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*RLIMIT_MEMLOCK*");
}

static void *
make_and_drop (void *user_data)
{
  BawnSecret *shared = user_data;

  for (guint i = 0; i < 2000; i++)
    {
      guint8 *data = NULL;
      gsize size = 1 + (i * 37) % 300;
      g_autoptr (BawnSecret) kept = bawn_secret_ref (shared);
      g_autoptr (BawnSecret) own = bawn_secret_new (size, &data);
      memset (data, (int) i, size);
      g_assert_cmpuint (data[size - 1], ==, i & 0xff);
      g_assert_cmpuint (bawn_secret_data (kept)[0], ==, 's');
    }

  return NULL;
}

static void
test_threads_share_the_arena (void)
{
  g_autoptr (BawnSecret) shared = bawn_secret_new_copy ("shared", 6);
  pthread_t threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_cmpint (pthread_create (&threads[i], NULL, make_and_drop, shared), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    pthread_join (threads[i], NULL);

  g_assert_cmpmem (bawn_secret_data (shared), 6, "shared", 6);
}

static void
test_a_hardened_process_leaves_no_core (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (GError) error = NULL;
      struct rlimit limit = { 1, 1 };
      gboolean hardened = bawn_process_harden (&error);

      g_assert_no_error (error);
      g_assert_true (hardened);
      g_assert_cmpint (prctl (PR_GET_DUMPABLE, 0, 0, 0, 0), ==, 0);
      g_assert_cmpint (getrlimit (RLIMIT_CORE, &limit), ==, 0);
      g_assert_cmpuint (limit.rlim_cur, ==, 0);
      g_assert_cmpuint (limit.rlim_max, ==, 0);
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/crypto/secret/bytes-are-kept", test_bytes_are_kept);
  g_test_add_func ("/crypto/secret/new-memory-is-zero", test_new_memory_is_zero);
  g_test_add_func ("/crypto/secret/an-empty-secret-is-allowed", test_an_empty_secret_is_allowed);
  g_test_add_func ("/crypto/secret/equal-compares-all-bytes", test_equal_compares_all_bytes);
  g_test_add_func ("/crypto/secret/random-secrets-differ", test_random_secrets_differ);
  g_test_add_func ("/crypto/secret/secrets-do-not-overlap", test_secrets_do_not_overlap);
  g_test_add_func ("/crypto/secret/freed-slots-are-used-again", test_freed_slots_are_used_again);
  g_test_add_func ("/crypto/secret/the-last-unref-wipes", test_the_last_unref_wipes);
  g_test_add_func ("/crypto/secret/pages-are-locked-and-not-dumped",
                   test_pages_are_locked_and_not_dumped);
  g_test_add_func ("/crypto/secret/a-child-has-no-copy", test_a_child_has_no_copy);
  g_test_add_func ("/crypto/secret/reading-past-the-end-faults", test_reading_past_the_end_faults);
  g_test_add_func ("/crypto/secret/reading-within-does-not-fault",
                   test_reading_within_does_not_fault);
  g_test_add_func ("/crypto/secret/running-off-either-end-of-small-ones-faults",
                   test_running_off_either_end_of_small_ones_faults);
  g_test_add_data_func ("/crypto/secret/subprocess/run-off-the-rear", GINT_TO_POINTER (1), run_off);
  g_test_add_data_func ("/crypto/secret/subprocess/run-off-the-front", GINT_TO_POINTER (-1),
                        run_off);
  g_test_add_func ("/crypto/secret/a-low-limit-is-explained", test_a_low_limit_is_explained);
  g_test_add_func ("/crypto/secret/without-locking-a-low-limit-is-fine",
                   test_without_locking_a_low_limit_is_fine);
  g_test_add_func ("/crypto/secret/thousands-of-keys-fit-the-usual-limit",
                   test_thousands_of_keys_fit_the_usual_limit);
  g_test_add_func ("/crypto/secret/an-exhausted-limit-is-an-error",
                   test_an_exhausted_limit_is_an_error);
  g_test_add_func ("/crypto/secret/an-exhausted-limit-ends-the-process",
                   test_an_exhausted_limit_ends_the_process);
  g_test_add_func ("/crypto/secret/threads-share-the-arena", test_threads_share_the_arena);
  g_test_add_func ("/crypto/harden/a-hardened-process-leaves-no-core",
                   test_a_hardened_process_leaves_no_core);

  return g_test_run ();
}
