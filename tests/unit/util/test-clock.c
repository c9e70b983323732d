/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-clock.h"
#include "util/bawn-error.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

static void
test_a_fake_clock_moves_when_told (void)
{
  g_autoptr (BawnClock) clock = bawn_clock_new_fake (1000);
  g_autoptr (BawnClock) same = bawn_clock_ref (clock);
  gint64 boot = bawn_clock_boot_us (clock);

  g_assert_cmpint (bawn_clock_real_us (same), ==, 1000);
  bawn_clock_advance (clock, 5);
  g_assert_cmpint (bawn_clock_real_us (same), ==, 1005);
  g_assert_cmpint (bawn_clock_boot_us (same), ==, boot + 5);
}

static void
test_a_jump_is_not_seen_by_the_boot_clock (void)
{
  g_autoptr (BawnClock) clock = bawn_clock_new_fake (1000);
  gint64 boot = bawn_clock_boot_us (clock);

  bawn_clock_set_real (clock, 5);

  g_assert_cmpint (bawn_clock_real_us (clock), ==, 5);
  g_assert_cmpint (bawn_clock_boot_us (clock), ==, boot);
}

static void
test_no_clock_is_the_system_clock (void)
{
  gint64 before = g_get_real_time ();
  gint64 real = bawn_clock_real_us (NULL);
  gint64 boot = bawn_clock_boot_us (NULL);

  g_assert_cmpint (real, >=, before);
  g_assert_cmpint (bawn_clock_boot_us (NULL), >=, boot);
  g_assert_cmpint (boot, >, 0);
  g_assert_null (bawn_clock_ref (NULL));
  bawn_clock_unref (NULL);
}

static void
test_times_are_written_as_go_does (void)
{
  static const struct
  {
    gint64 us;
    const char *text;
  } cases[] = {
    { 0, "0001-01-01T00:00:00Z" },
    { 1, "1970-01-01T00:00:00.000001Z" },
    { -1, "1969-12-31T23:59:59.999999Z" },
    { 1 * SECOND, "1970-01-01T00:00:01Z" },
    { 951782400 * SECOND, "2000-02-29T00:00:00Z" },
    { 1136214245 * SECOND + 120000, "2006-01-02T15:04:05.12Z" },
    { 4107542399 * SECOND, "2100-02-28T23:59:59Z" },
    { 4107542400 * SECOND, "2100-03-01T00:00:00Z" },
    { 253402300799 * SECOND + 999999, "9999-12-31T23:59:59.999999Z" },
    { -62135596799 * SECOND, "0001-01-01T00:00:01Z" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = bawn_time_format (cases[i].us);
      gint64 back = 42;

      g_assert_cmpstr (text, ==, cases[i].text);
      g_assert_true (bawn_time_parse (text, &back));
      g_assert_cmpint (back, ==, cases[i].us);
    }
}

static void
test_times_out_of_range_are_clamped (void)
{
  g_autofree char *late = bawn_time_format (G_MAXINT64);
  g_autofree char *early = bawn_time_format (G_MININT64);

  g_assert_cmpstr (late, ==, "9999-12-31T23:59:59.999999Z");
  g_assert_cmpstr (early, ==, "0001-01-01T00:00:00Z");
}

static void
test_every_day_agrees_with_glib (void)
{
  for (gint64 day = -200000; day < 200000; day += 7)
    {
      g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (day * 86400 + 3661);
      g_autofree char *expected = g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ");
      g_autofree char *text = bawn_time_format ((day * 86400 + 3661) * SECOND);
      gint64 back = 0;

      g_assert_cmpstr (text, ==, expected);
      g_assert_true (bawn_time_parse (text, &back));
      g_assert_cmpint (back, ==, (day * 86400 + 3661) * SECOND);
    }
}

static void
test_times_with_zones_are_read (void)
{
  gint64 us = 0;

  g_assert_true (bawn_time_parse ("2006-01-02T15:04:05+07:00", &us));
  g_assert_cmpint (us, ==, 1136189045 * SECOND);
  g_assert_true (bawn_time_parse ("2006-01-02T15:04:05.123456789-00:30", &us));
  g_assert_cmpint (us, ==, 1136216045 * SECOND + 123456);
}

static void
test_what_is_no_time_is_refused (void)
{
  static const char *const cases[] = {
    "",
    "now",
    "2006-01-02",
    "2006-01-02T15:04:05",
    "2006-01-02 15:04:05Z",
    "2006-01-02t15:04:05Z",
    "2006-01-02T15:04:05z",
    "2006-13-02T15:04:05Z",
    "2006-00-02T15:04:05Z",
    "2006-01-00T15:04:05Z",
    "2006-02-29T15:04:05Z",
    "2100-02-29T15:04:05Z",
    "2006-01-02T24:04:05Z",
    "2006-01-02T15:60:05Z",
    "2006-01-02T15:04:60Z",
    "2006-01-02T15:04:05.Z",
    "2006-01-02T15:04:05,5Z",
    "2006-01-02T15:04:05+7:00",
    "2006-01-02T15:04:05+0700",
    "2006-01-02T15:04:05+24:00",
    "2006-01-02T15:04:05Zx",
    "2006-01-02T15:04:05Z ",
    " 2006-01-02T15:04:05Z",
    "+006-01-02T15:04:05Z",
    "2006-1-2T15:04:05Z",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 us = 42;

      if (bawn_time_parse (cases[i], &us))
        g_error ("\"%s\" was taken for a time", cases[i]);
      g_assert_cmpint (us, ==, 42);
    }
}

static void
test_durations_are_read (void)
{
  static const struct
  {
    const char *text;
    gint64 us;
  } cases[] = {
    { "0", 0 },
    { "30", 30 * SECOND },
    { "-1", -SECOND },
    { "+5s", 5 * SECOND },
    { "1h", 3600 * SECOND },
    { "90m", 5400 * SECOND },
    { "1h30m", 5400 * SECOND },
    { "1h15m30.918s", 4530 * SECOND + 918000 },
    { "1.5h", 5400 * SECOND },
    { ".5s", SECOND / 2 },
    { "1.s", SECOND },
    { "500ms", SECOND / 2 },
    { "2d", 172800 * SECOND },
    { "1d12h", 129600 * SECOND },
    { "0.5d", 43200 * SECOND },
    { "1500us", 1500 },
    { "1500\xc2\xb5s", 1500 },
    { "1500\xce\xbcs", 1500 },
    { "1999ns", 1 },
    { "0.100000000000000000000h", 360 * SECOND },
    { "0.333333333333333333h", 1200 * SECOND - 1 },
    { "2562047h47m16.854s", G_GINT64_CONSTANT (9223372036854000) },
    { "0009s", 9 * SECOND },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 us = 42;

      bawn_duration_parse (cases[i].text, &us, &error);
      g_assert_no_error (error);
      g_assert_cmpint (us, ==, cases[i].us);
    }
}

static void
test_what_is_no_duration_is_refused (void)
{
  static const struct
  {
    const char *text;
    const char *message;
  } cases[] = {
    { "", "time: invalid duration \"\"" },
    { "zz", "time: invalid duration \"zz\"" },
    { "-", "time: invalid duration \"-\"" },
    { ".", "time: invalid duration \".\"" },
    { ".s", "time: invalid duration \".s\"" },
    { "1.5", "time: missing unit in duration \"1.5\"" },
    { "1h30", "time: missing unit in duration \"1h30\"" },
    { "1x", "time: unknown unit \"x\" in duration \"1x\"" },
    { "1H", "time: unknown unit \"H\" in duration \"1H\"" },
    { "3 s", "time: unknown unit \" s\" in duration \"3 s\"" },
    { " 3s", "time: invalid duration \" 3s\"" },
    { "1h-5m", "time: unknown unit \"h-\" in duration \"1h-5m\"" },
    { "--5m", "time: invalid duration \"--5m\"" },
    { "0x10", "time: unknown unit \"x\" in duration \"0x10\"" },
    { "9223372037", "time: invalid duration \"9223372037\"" },
    { "99999999999999999999", "time: invalid duration \"99999999999999999999\"" },
    { "106752d", "time: invalid duration \"106752d\"" },
    { "2562047h47m16.855s", "time: invalid duration \"2562047h47m16.855s\"" },
    { "1\xff", "time: unknown unit \"\\377\" in duration \"1\\377\"" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 us = 42;

      g_assert_false (bawn_duration_parse (cases[i].text, &us, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      g_assert_cmpstr (error->message, ==, cases[i].message);
      g_assert_cmpint (us, ==, 42);
    }
}

static void
test_durations_are_written_as_go_does (void)
{
  static const struct
  {
    gint64 us;
    const char *text;
  } cases[] = {
    { 0, "0s" },
    { 1, "1\xc2\xb5s" },
    { 1100, "1.1ms" },
    { 500000, "500ms" },
    { SECOND, "1s" },
    { 3 * SECOND / 2, "1.5s" },
    { 60 * SECOND, "1m0s" },
    { 3600 * SECOND, "1h0m0s" },
    { 12319 * SECOND, "3h25m19s" },
    { 2764800 * SECOND, "768h0m0s" },
    { 200 * SECOND + 500001, "3m20.500001s" },
    { -5 * SECOND, "-5s" },
    { G_MININT64, "-2562047788h0m54.775808s" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = bawn_duration_format (cases[i].us);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/util/clock/a-fake-clock-moves-when-told", test_a_fake_clock_moves_when_told);
  g_test_add_func ("/util/clock/a-jump-is-not-seen-by-the-boot-clock",
                   test_a_jump_is_not_seen_by_the_boot_clock);
  g_test_add_func ("/util/clock/no-clock-is-the-system-clock", test_no_clock_is_the_system_clock);
  g_test_add_func ("/util/time/is-written-as-go-does", test_times_are_written_as_go_does);
  g_test_add_func ("/util/time/out-of-range-is-clamped", test_times_out_of_range_are_clamped);
  g_test_add_func ("/util/time/every-day-agrees-with-glib", test_every_day_agrees_with_glib);
  g_test_add_func ("/util/time/zones-are-read", test_times_with_zones_are_read);
  g_test_add_func ("/util/time/what-is-none-is-refused", test_what_is_no_time_is_refused);
  g_test_add_func ("/util/duration/is-read", test_durations_are_read);
  g_test_add_func ("/util/duration/what-is-none-is-refused", test_what_is_no_duration_is_refused);
  g_test_add_func ("/util/duration/is-written-as-go-does", test_durations_are_written_as_go_does);

  return g_test_run ();
}
