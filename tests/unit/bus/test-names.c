/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-error.h"
#include "bus/bawn-bus-options.h"

#include <string.h>

static void
test_every_error_has_a_name (void)
{
  for (int code = BAWN_ERROR_INVALID; code <= BAWN_ERROR_DEPOSED; code++)
    {
      const char *name = bawn_bus_error_name ((BawnErrorCode) code);

      g_assert_true (g_str_has_prefix (name, BAWN_BUS_ERROR_PREFIX));
      g_assert_true (g_dbus_is_interface_name (name));
    }
  g_assert_cmpstr (bawn_bus_error_name (BAWN_ERROR_SEALED), ==, "org.bawn.Bawn1.Error.Sealed");
  g_assert_cmpstr (bawn_bus_error_name (BAWN_ERROR_STANDBY), ==, "org.bawn.Bawn1.Error.NotActive");
  g_assert_cmpstr (bawn_bus_error_name (BAWN_ERROR_DENIED), ==,
                   "org.bawn.Bawn1.Error.NotAuthorized");
}

static void
expect_message (BawnErrorCode code, gboolean is_public)
{
  g_autoptr (GError) error = g_error_new_literal (BAWN_ERROR, (int) code, "the words");

  g_assert_true ((strcmp (bawn_bus_error_message (error), "the words") == 0) == is_public);
}

static void
test_what_is_for_the_log_stays_there (void)
{
  g_autoptr (GError) foreign = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "the words");

  expect_message (BAWN_ERROR_INVALID, TRUE);
  expect_message (BAWN_ERROR_DENIED, TRUE);
  expect_message (BAWN_ERROR_INTERNAL, FALSE);
  expect_message (BAWN_ERROR_UPSTREAM, FALSE);
  expect_message (BAWN_ERROR_CORRUPT, FALSE);
  g_assert_cmpstr (bawn_bus_error_message (foreign), !=, "the words");
}

static char *
read_name (const char *text, gboolean *out_fine)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnConfig) config = bawn_config_load_data ("test", text, strlen (text), &error);
  static const char *const families[] = { "dbus", NULL };

  g_assert_no_error (error);
  bawn_config_expect (config, families);
  char *name = bawn_bus_options_read (config);
  *out_fine = bawn_config_check (config, NULL);
  return name;
}

static void
expect_name (const char *text, const char *expected, gboolean expected_fine)
{
  gboolean fine = FALSE;
  g_autofree char *name = read_name (text, &fine);

  g_assert_cmpstr (name, ==, expected);
  g_assert_cmpint (fine, ==, expected_fine);
  g_assert_true (name == NULL || g_dbus_is_name (name));
}

static void
test_each_instance_has_a_name_of_its_own (void)
{
  g_autofree char *longest = g_strnfill (BAWN_BUS_MAX_INSTANCE, 'a');
  g_autofree char *good = g_strconcat ("[dbus]\ninstance=", longest, "\n", NULL);
  g_autofree char *bad = g_strconcat ("[dbus]\ninstance=", longest, "a\n", NULL);
  g_autofree char *name = g_strconcat ("org.bawn.Bawn1.node_", longest, NULL);

  expect_name ("", "org.bawn.Bawn1", TRUE);
  expect_name ("[dbus]\ninstance=2\n", "org.bawn.Bawn1.node_2", TRUE);
  expect_name ("[dbus]\ninstance=a-B_3\n", "org.bawn.Bawn1.node_a-B_3", TRUE);
  expect_name (good, name, TRUE);
  expect_name (bad, NULL, FALSE);
  expect_name ("[dbus]\ninstance=a.b c\n", "org.bawn.Bawn1.node_a_b_c", TRUE);
  expect_name ("[dbus]\ninstance=\xc3\xa4\n", "org.bawn.Bawn1.node___", TRUE);
}

static void
test_a_server_can_keep_off_the_bus (void)
{
  expect_name ("[dbus]\nenabled=false\n", NULL, TRUE);
  expect_name ("[dbus]\nenabled=false\ninstance=a\n", NULL, TRUE);
  expect_name ("[dbus]\nenabled=perhaps\n", "org.bawn.Bawn1", FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bus/names/every-error-has-a-name", test_every_error_has_a_name);
  g_test_add_func ("/bus/names/what-is-for-the-log-stays-there",
                   test_what_is_for_the_log_stays_there);
  g_test_add_func ("/bus/names/each-instance-has-a-name-of-its-own",
                   test_each_instance_has_a_name_of_its_own);
  g_test_add_func ("/bus/names/a-server-can-keep-off-the-bus", test_a_server_can_keep_off_the_bus);
  return g_test_run ();
}
