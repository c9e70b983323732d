/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-bytes.h"

#include <string.h>

static void
test_bytes_hold_what_was_given (void)
{
  g_autoptr (GBytes) bytes = bawn_bytes_new ("a\0b", 3);
  g_autoptr (GBytes) text = bawn_bytes_new_string ("hello");
  g_autoptr (GBytes) empty = bawn_bytes_new (NULL, 0);
  const char *data = g_bytes_get_data (text, NULL);

  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "a\0b", 3);
  g_assert_cmpstr (data, ==, "hello");
  g_assert_cmpuint (g_bytes_get_size (text), ==, 5);
  g_assert_cmpuint (g_bytes_get_size (empty), ==, 0);
}

static void
test_allocated_bytes_can_be_filled (void)
{
  guint8 *data = NULL;
  g_autoptr (GBytes) bytes = bawn_bytes_alloc (4, &data);

  memcpy (data, "wxyz", 4);

  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "wxyz", 4);
}

static void
test_a_slice_keeps_the_whole_alive (void)
{
  g_autoptr (GBytes) whole = bawn_bytes_new_string ("0123456789");
  g_autoptr (GBytes) slice = g_bytes_new_from_bytes (whole, 3, 4);

  g_clear_pointer (&whole, g_bytes_unref);

  g_assert_cmpmem (g_bytes_get_data (slice, NULL), g_bytes_get_size (slice), "3456", 4);
}

static void
test_bytes_are_compared_by_content (void)
{
  g_autoptr (GBytes) a = bawn_bytes_new_string ("same");
  g_autoptr (GBytes) b = bawn_bytes_new_string ("same");
  g_autoptr (GBytes) c = bawn_bytes_new_string ("sAme");
  g_autoptr (GBytes) d = bawn_bytes_new_string ("same!");

  g_assert_true (bawn_bytes_equal (a, b));
  g_assert_false (bawn_bytes_equal (a, c));
  g_assert_false (bawn_bytes_equal (a, d));
  g_assert_false (bawn_bytes_equal (a, NULL));
  g_assert_true (bawn_bytes_equal (NULL, NULL));
}

static void
test_a_wipe_clears_everything (void)
{
  char secret[] = "correct horse";
  char zeros[sizeof secret] = { 0 };

  bawn_wipe (secret, sizeof secret);
  bawn_wipe (NULL, 0);

  g_assert_cmpmem (secret, sizeof secret, zeros, sizeof zeros);
}

static void
test_a_string_may_be_absent (void)
{
  bawn_string_wipe_free (NULL);
  bawn_string_wipe_free (g_strdup (""));
  bawn_string_wipe_free (g_strdup ("something"));
}

static void
test_a_buffer_grows (void)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;
  g_autoptr (GString) expected = g_string_new (NULL);

  for (guint i = 0; i < 10000; i++)
    {
      g_autofree char *piece = g_strdup_printf ("%u,", i);

      bawn_buffer_append_string (&buffer, piece);
      bawn_buffer_append_byte (&buffer, ';');
      g_string_append (expected, piece);
      g_string_append_c (expected, ';');
    }

  g_assert_cmpmem (buffer.data, buffer.size, expected->str, expected->len);
}

static void
test_reserved_room_does_not_move (void)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  bawn_buffer_reserve (&buffer, 5000);

  const guint8 *before = buffer.data;

  for (guint i = 0; i < 5000; i++)
    bawn_buffer_append_byte (&buffer, 'x');

  g_assert_true (buffer.data == before);
}

static void
test_truncating_wipes_the_rest (void)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  bawn_buffer_append_string (&buffer, "public secret");
  bawn_buffer_truncate (&buffer, 6);

  g_assert_cmpmem (buffer.data, buffer.size, "public", 6);
  g_assert_cmpmem (buffer.data + 6, 7, "\0\0\0\0\0\0\0", 7);
}

static void
test_a_stolen_buffer_starts_anew (void)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  bawn_buffer_append_string (&buffer, "one");

  const guint8 *before = buffer.data;
  g_autoptr (GBytes) one = bawn_buffer_steal (&buffer);

  bawn_buffer_append_string (&buffer, "two");

  g_autoptr (GBytes) two = bawn_buffer_steal (&buffer);
  g_autoptr (GBytes) nothing = bawn_buffer_steal (&buffer);

  g_assert_true (g_bytes_get_data (one, NULL) == before);
  g_assert_cmpmem (g_bytes_get_data (one, NULL), g_bytes_get_size (one), "one", 3);
  g_assert_cmpmem (g_bytes_get_data (two, NULL), g_bytes_get_size (two), "two", 3);
  g_assert_cmpuint (g_bytes_get_size (nothing), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/util/bytes/hold-what-was-given", test_bytes_hold_what_was_given);
  g_test_add_func ("/util/bytes/allocated-bytes-can-be-filled", test_allocated_bytes_can_be_filled);
  g_test_add_func ("/util/bytes/a-slice-keeps-the-whole-alive", test_a_slice_keeps_the_whole_alive);
  g_test_add_func ("/util/bytes/are-compared-by-content", test_bytes_are_compared_by_content);
  g_test_add_func ("/util/bytes/a-wipe-clears-everything", test_a_wipe_clears_everything);
  g_test_add_func ("/util/bytes/a-string-may-be-absent", test_a_string_may_be_absent);
  g_test_add_func ("/util/buffer/grows", test_a_buffer_grows);
  g_test_add_func ("/util/buffer/reserved-room-does-not-move", test_reserved_room_does_not_move);
  g_test_add_func ("/util/buffer/truncating-wipes-the-rest", test_truncating_wipes_the_rest);
  g_test_add_func ("/util/buffer/a-stolen-buffer-starts-anew", test_a_stolen_buffer_starts_anew);

  return g_test_run ();
}
