/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times and durations that are accepted read the same when they are written again. */
#include "config.h"

#include "util/bawn-clock.h"

#include "fuzz.h"

static void
check_time (const char *text)
{
  gint64 us = 0;
  gint64 again = 0;

  if (!bawn_time_parse (text, &us))
    return;

  g_autofree char *written = bawn_time_format (us);

  g_assert_true (bawn_time_parse (written, &again));
  /* A zone can lead out of the years that four digits hold; such times are written as the nearest.
   */
  g_assert_true (again == us || g_str_has_prefix (written, "0001-01-01T00:00:00")
                 || g_str_has_prefix (written, "9999-12-31T23:59:59"));
}

static void
check_duration (const char *text)
{
  g_autoptr (GError) error = NULL;
  gint64 us = 0;
  gint64 again = 0;

  if (!bawn_duration_parse (text, &us, &error))
    {
      g_assert_true (g_str_has_prefix (error->message, "time: "));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return;
    }

  g_autofree char *written = bawn_duration_format (us);

  g_assert_true (bawn_duration_parse (written, &again, NULL));
  g_assert_cmpint (again, ==, us);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);

  check_time (text);
  check_duration (text);

  return 0;
}
