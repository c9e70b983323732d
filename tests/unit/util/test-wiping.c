/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks into every block at the moment our code gives it back. The linker puts the two functions
 * below in the place of g_malloc() and g_free() for the library under test. */
#include "config.h"

#include "util/bawn-bytes.h"
#include "util/bawn-config.h"
#include "util/bawn-json.h"

#include <malloc.h>
#include <string.h>

static const char secret[] = "correct horse battery staple";
static guint n_freed;
static guint n_betrayed;

gpointer __real_g_malloc (gsize size);
void __real_g_free (gpointer memory);
gpointer __wrap_g_malloc (gsize size);
void __wrap_g_free (gpointer memory);

gpointer
__wrap_g_malloc (gsize size)
{
  gpointer memory = __real_g_malloc (size);

  /* So that no byte is unknown when it is looked at. */
  if (memory != NULL)
    memset (memory, 0, malloc_usable_size (memory));

  return memory;
}

void
__wrap_g_free (gpointer memory)
{
  gsize size = memory != NULL ? malloc_usable_size (memory) : 0;

  n_freed++;
  if (memory != NULL && memmem (memory, size, secret, sizeof secret - 1) != NULL)
    n_betrayed++;
  __real_g_free (memory);
}

static void
begin (void)
{
  n_freed = 0;
  n_betrayed = 0;
}

static void
assert_wiped (void)
{
  g_assert_cmpuint (n_freed, >, 0);
  g_assert_cmpuint (n_betrayed, ==, 0);
}

static void
test_the_watch_sees_what_is_not_wiped (void)
{
  char *copy = g_malloc (100);

  begin ();
  memcpy (copy, secret, sizeof secret);
  g_free (copy);

  g_assert_cmpuint (n_betrayed, ==, 1);
}

static void
test_bytes_are_wiped_with_their_last_slice (void)
{
  GBytes *whole = bawn_bytes_new_string (secret);
  GBytes *slice = g_bytes_new_from_bytes (whole, 3, 4);

  begin ();
  g_bytes_unref (whole);
  g_assert_cmpuint (n_freed, ==, 0);
  g_bytes_unref (slice);

  assert_wiped ();
}

static void
test_a_growing_buffer_leaves_nothing_behind (void)
{
  BawnBuffer buffer = BAWN_BUFFER_INIT;

  begin ();
  for (guint i = 0; i < 1000; i++)
    bawn_buffer_append (&buffer, secret, sizeof secret);
  bawn_buffer_truncate (&buffer, 10);
  bawn_buffer_clear (&buffer);

  g_assert_cmpuint (n_freed, >, 3);
  assert_wiped ();
}

static void
test_stolen_bytes_are_wiped_whole (void)
{
  BawnBuffer buffer = BAWN_BUFFER_INIT;

  begin ();
  bawn_buffer_append (&buffer, "x", 1);
  bawn_buffer_append (&buffer, secret, sizeof secret);
  /* Left behind the end on purpose. */
  buffer.size = 1;
  g_bytes_unref (bawn_buffer_steal (&buffer));

  assert_wiped ();
}

static void
test_strings_are_wiped_behind_their_nul (void)
{
  char *text = g_malloc (100);

  begin ();
  memcpy (text, "a\0", 2);
  memcpy (text + 2, secret, sizeof secret);
  bawn_string_wipe_free (text);

  assert_wiped ();
}

static void
test_a_document_is_wiped (void)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  begin ();
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, secret, secret);
  bawn_json_writer_end_object (&w);

  GBytes *text = bawn_json_writer_finish (&w);
  BawnJson *json = bawn_json_parse (text, NULL, NULL);

  g_assert_cmpstr (bawn_json_get_string (bawn_json_root (json), secret, NULL), ==, secret);
  bawn_json_unref (json);
  g_bytes_unref (text);

  assert_wiped ();
}

static void
test_a_faulty_document_is_wiped (void)
{
  g_autofree char *broken = g_strdup_printf ("{\"a\":\"%s\",", secret);
  GBytes *text = bawn_bytes_new_string (broken);

  begin ();
  g_assert_null (bawn_json_parse (text, NULL, NULL));
  g_bytes_unref (text);

  assert_wiped ();
  memset (broken, 0, strlen (broken));
}

static void
test_values_of_the_configuration_are_wiped (void)
{
  g_autofree char *text = g_strdup_printf ("[seal]\ntoken=%s\n[seal]\ntoken=%s\n", secret, secret);
  BawnConfig *config = bawn_config_load_data ("x", text, strlen (text), NULL);
  BawnConfigGroup *group = bawn_config_get_group (config, "seal");

  begin ();
  bawn_config_get_bool (group, "token", FALSE);
  g_assert_true (bawn_config_group_has (group, "token"));
  bawn_config_group_unref (group);
  bawn_config_unref (config);

  assert_wiped ();
  memset (text, 0, strlen (text));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/util/wiping/the-watch-sees-what-is-not-wiped",
                   test_the_watch_sees_what_is_not_wiped);
  g_test_add_func ("/util/wiping/bytes-are-wiped-with-their-last-slice",
                   test_bytes_are_wiped_with_their_last_slice);
  g_test_add_func ("/util/wiping/a-growing-buffer-leaves-nothing-behind",
                   test_a_growing_buffer_leaves_nothing_behind);
  g_test_add_func ("/util/wiping/stolen-bytes-are-wiped-whole", test_stolen_bytes_are_wiped_whole);
  g_test_add_func ("/util/wiping/strings-are-wiped-behind-their-nul",
                   test_strings_are_wiped_behind_their_nul);
  g_test_add_func ("/util/wiping/a-document-is-wiped", test_a_document_is_wiped);
  g_test_add_func ("/util/wiping/a-faulty-document-is-wiped", test_a_faulty_document_is_wiped);
  g_test_add_func ("/util/wiping/values-of-the-configuration-are-wiped",
                   test_values_of_the_configuration_are_wiped);

  return g_test_run ();
}
