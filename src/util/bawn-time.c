/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-clock.h"

#include <string.h>

#define ZERO_TIME "0001-01-01T00:00:00Z"
#define SECONDS_PER_DAY G_GINT64_CONSTANT (86400)
/* The years that four digits can write, in days from 1970-01-01. */
#define FIRST_DAY G_GINT64_CONSTANT (-719162)
#define LAST_DAY G_GINT64_CONSTANT (2932896)

typedef struct
{
  gint64 year;
  guint month;
  guint day;
} Date;

/* The two conversions are Howard Hinnant's days_from_civil and civil_from_days: years begin in
 * March, so that the leap day is their last; 400 years (146097 days) are an era. */
static gint64
days_from_date (Date date)
{
  gint64 year = date.month <= 2 ? date.year - 1 : date.year;
  gint64 era = (year >= 0 ? year : year - 399) / 400;
  gint64 year_of_era = year - era * 400;
  gint64 month = date.month > 2 ? date.month - 3 : date.month + 9;
  gint64 day_of_year = (153 * month + 2) / 5 + date.day - 1;
  gint64 day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

  return era * 146097 + day_of_era - 719468;
}

static Date
date_from_days (gint64 days)
{
  gint64 shifted = days + 719468;
  gint64 era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  gint64 doe = shifted - era * 146097;
  gint64 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  gint64 doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  gint64 month = (5 * doy + 2) / 153;
  guint day = (guint) (doy - (153 * month + 2) / 5 + 1);

  month = month < 10 ? month + 3 : month - 9;
  return (Date){ yoe + era * 400 + (month <= 2 ? 1 : 0), (guint) month, day };
}

static guint
days_in_month (Date date)
{
  static const guint8 days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  gboolean leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);

  return date.month == 2 && leap ? 29 : days[date.month - 1];
}

/* Writes @value below @unit as a decimal fraction without its trailing zeros. */
static void
append_fraction (GString *text, gint64 value, gint64 unit)
{
  if (value == 0)
    return;

  g_string_append_c (text, '.');
  for (; value > 0; value %= unit)
    {
      unit /= 10;
      g_string_append_c (text, (char) ('0' + value / unit));
    }
}

/**
 * bawn_time_format:
 * @real_us: microseconds since 1970; 0 stands for no time at all
 *
 * Writes RFC 3339 in UTC as Go's time.RFC3339Nano does: a fraction only if there is one, without
 * trailing zeros. What four digits of a year cannot hold is written as the nearest time they can.
 *
 * Returns: (transfer full): the text; the zero time "0001-01-01T00:00:00Z" for 0
 */
char *
bawn_time_format (gint64 real_us)
{
  if (real_us == 0)
    return g_strdup (ZERO_TIME);

  real_us = CLAMP (real_us, FIRST_DAY * SECONDS_PER_DAY * G_USEC_PER_SEC,
                   (LAST_DAY + 1) * SECONDS_PER_DAY * G_USEC_PER_SEC - 1);

  gint64 us = (real_us % G_USEC_PER_SEC + G_USEC_PER_SEC) % G_USEC_PER_SEC;
  gint64 seconds = (real_us - us) / G_USEC_PER_SEC;
  gint64 of_day = (seconds % SECONDS_PER_DAY + SECONDS_PER_DAY) % SECONDS_PER_DAY;
  Date date = date_from_days ((seconds - of_day) / SECONDS_PER_DAY);
  GString *text = g_string_sized_new (32);

  g_string_printf (text, "%04d-%02u-%02uT%02d:%02d:%02d", (int) date.year, date.month, date.day,
                   (int) (of_day / 3600), (int) (of_day / 60 % 60), (int) (of_day % 60));
  append_fraction (text, us, G_USEC_PER_SEC);
  g_string_append_c (text, 'Z');

  return g_string_free (text, FALSE);
}

/* Exactly @n digits. */
static gboolean
read_digits (const char **at, guint n, guint max, guint *out_value)
{
  guint value = 0;

  for (; n > 0; n--, (*at)++)
    {
      if (!g_ascii_isdigit (**at))
        return FALSE;
      value = value * 10 + (guint) (**at - '0');
    }

  *out_value = value;
  return value <= max;
}

static gboolean
read_mark (const char **at, char mark)
{
  if (**at != mark)
    return FALSE;
  (*at)++;

  return TRUE;
}

/* At least one digit; what is finer than a microsecond is dropped. */
static gboolean
read_fraction (const char **at, gint64 *out_us)
{
  gint64 unit = G_USEC_PER_SEC;
  gint64 us = 0;

  if (!g_ascii_isdigit (**at))
    return FALSE;
  for (; g_ascii_isdigit (**at); (*at)++)
    {
      unit /= 10;
      us += (**at - '0') * unit;
    }

  *out_us = us;
  return TRUE;
}

static gboolean
read_zone (const char **at, gint64 *out_seconds)
{
  gint64 sign = **at == '-' ? -1 : 1;
  guint hours = 0;
  guint minutes = 0;

  if (read_mark (at, 'Z'))
    {
      *out_seconds = 0;
      return TRUE;
    }
  if (!read_mark (at, sign < 0 ? '-' : '+') || !read_digits (at, 2, 23, &hours)
      || !read_mark (at, ':') || !read_digits (at, 2, 59, &minutes))
    return FALSE;

  *out_seconds = sign * (gint64) (hours * 3600 + minutes * 60);
  return TRUE;
}

/**
 * bawn_time_parse:
 * @text: a time as RFC 3339 has it, with any zone and any number of digits in its fraction
 * @out_real_us: (out): microseconds since 1970, and 0 for the zero time
 *
 * Reads what bawn_time_format() writes, and what clients send.
 *
 * Returns: whether @text is such a time
 */
gboolean
bawn_time_parse (const char *text, gint64 *out_real_us)
{
  const char *at = text;
  guint year = 0;
  Date date = { 0 };
  guint hour = 0;
  guint minute = 0;
  guint second = 0;
  gint64 us = 0;
  gint64 zone = 0;

  if (!read_digits (&at, 4, 9999, &year) || !read_mark (&at, '-')
      || !read_digits (&at, 2, 12, &date.month) || !read_mark (&at, '-')
      || !read_digits (&at, 2, 31, &date.day) || !read_mark (&at, 'T')
      || !read_digits (&at, 2, 23, &hour) || !read_mark (&at, ':')
      || !read_digits (&at, 2, 59, &minute) || !read_mark (&at, ':')
      || !read_digits (&at, 2, 59, &second))
    return FALSE;
  if (read_mark (&at, '.') && !read_fraction (&at, &us))
    return FALSE;
  if (!read_zone (&at, &zone) || *at != '\0')
    return FALSE;

  date.year = year;
  if (date.month == 0 || date.day == 0 || date.day > days_in_month (date))
    return FALSE;

  gint64 seconds = days_from_date (date) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
  gint64 real_us = (seconds - zone) * G_USEC_PER_SEC + us;

  *out_real_us = real_us == FIRST_DAY * SECONDS_PER_DAY * G_USEC_PER_SEC ? 0 : real_us;
  return TRUE;
}
