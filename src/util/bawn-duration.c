/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-clock.h"

#include "util/bawn-error.h"

#include <string.h>

/* Nanoseconds in 64 bits, as in Go: at most 292 years. */
#define NS_PER_US G_GINT64_CONSTANT (1000)
#define NS_PER_SECOND G_GINT64_CONSTANT (1000000000)
/* How much of a faulty text goes into the error. */
#define MAX_QUOTED 64

typedef struct
{
  const char *name;
  gint64 ns;
} Unit;

/* Longer names before those they begin with. The two ways to write a micro sign are both in use. */
static const Unit units[] = {
  { "ns", 1 },
  { "us", NS_PER_US },
  { "\xc2\xb5s", NS_PER_US },
  { "\xce\xbcs", NS_PER_US },
  { "ms", 1000 * NS_PER_US },
  { "s", NS_PER_SECOND },
  { "m", 60 * NS_PER_SECOND },
  { "h", 3600 * NS_PER_SECOND },
  { "d", 24 * 3600 * NS_PER_SECOND },
};

static char *
quote (const char *text)
{
  g_autofree char *start = g_strndup (text, MAX_QUOTED);
  g_autofree char *escaped = g_strescape (start, NULL);

  return g_strdup_printf ("\"%s\"", escaped);
}

static gboolean
refuse (GError **error, const char *text)
{
  g_autofree char *quoted = quote (text);

  return bawn_fail (error, BAWN_ERROR_INVALID, "time: invalid duration %s", quoted);
}

static gboolean
read_whole (const char **at, gint64 *out_value)
{
  gint64 value = 0;

  for (; g_ascii_isdigit (**at); (*at)++)
    if (__builtin_mul_overflow (value, 10, &value)
        || __builtin_add_overflow (value, (gint64) (**at - '0'), &value))
      return FALSE;

  *out_value = value;
  return TRUE;
}

/* The digits after the point, in nanoseconds of @unit and rounded down; digits that no longer
 * matter are skipped. */
static gint64
fraction_ns (const char *digits, const char *end, gint64 unit)
{
  gint64 scale = 1;
  gint64 value = 0;

  for (; digits < end && scale <= NS_PER_SECOND * 1000; digits++)
    {
      value = value * 10 + (*digits - '0');
      scale *= 10;
    }

  /* Up to 13 digits times up to 9 * 10^13: wider than 64 bits. */
  return (gint64) ((__int128) value * unit / scale);
}

static const Unit *
find_unit (const char *name, gsize size)
{
  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    if (strlen (units[i].name) == size && memcmp (units[i].name, name, size) == 0)
      return &units[i];

  return NULL;
}

/* One number with its unit, added to @total_ns. */
static gboolean
read_part (const char *text, const char **at, gint64 *total_ns, GError **error)
{
  const char *start = *at;
  gint64 whole = 0;

  if (!read_whole (at, &whole))
    return refuse (error, text);

  gsize n_digits = (gsize) (*at - start);
  const char *fraction = *at;

  if (**at == '.')
    {
      fraction = ++(*at);
      while (g_ascii_isdigit (**at))
        (*at)++;
      n_digits += (gsize) (*at - fraction);
    }
  if (n_digits == 0)
    return refuse (error, text);

  const char *fraction_end = *at;
  gsize unit_size = strcspn (*at, "0123456789.");
  const Unit *unit = find_unit (*at, unit_size);

  if (unit == NULL)
    {
      g_autofree char *name = g_strndup (*at, unit_size);
      g_autofree char *quoted_unit = quote (name);
      g_autofree char *quoted = quote (text);

      if (unit_size == 0)
        return bawn_fail (error, BAWN_ERROR_INVALID, "time: missing unit in duration %s", quoted);
      return bawn_fail (error, BAWN_ERROR_INVALID, "time: unknown unit %s in duration %s",
                        quoted_unit, quoted);
    }
  *at += unit_size;
  if (__builtin_mul_overflow (whole, unit->ns, &whole)
      || __builtin_add_overflow (whole, fraction_ns (fraction, fraction_end, unit->ns), &whole)
      || __builtin_add_overflow (*total_ns, whole, total_ns))
    return refuse (error, text);

  return TRUE;
}

/**
 * bawn_duration_parse:
 * @text: a duration
 * @out_us: (out): microseconds; finer parts are dropped; negative if @text has a minus
 * @error: (out) (optional): %BAWN_ERROR_INVALID in the words of Go, @text quoted
 *
 * Reads what Go's time.ParseDuration reads ("1h30m", "1.5h", "-3s", units ns us µs ms s m h), days
 * ("2d"), and a bare integer as seconds. An empty text is no duration. More than 292 years is too
 * much.
 *
 * Returns: whether @text is a duration
 */
gboolean
bawn_duration_parse (const char *text, gint64 *out_us, GError **error)
{
  g_return_val_if_fail (text != NULL, FALSE);

  const char *at = text;
  gboolean negative = *at == '-';
  gint64 ns = 0;

  if (*at == '-' || *at == '+')
    at++;
  if (*at == '\0')
    return refuse (error, text);

  if (at[strspn (at, "0123456789")] == '\0')
    {
      if (!read_whole (&at, &ns) || __builtin_mul_overflow (ns, NS_PER_SECOND, &ns))
        return refuse (error, text);
    }
  else
    {
      while (*at != '\0')
        if (!read_part (text, &at, &ns, error))
          return FALSE;
    }

  *out_us = (negative ? -ns : ns) / NS_PER_US;
  return TRUE;
}

static void
append_decimal (GString *text, guint64 value, guint64 unit)
{
  g_string_append_printf (text, "%" G_GUINT64_FORMAT, value / unit);
  value %= unit;
  if (value > 0)
    g_string_append_c (text, '.');
  for (; value > 0; value %= unit)
    {
      unit /= 10;
      g_string_append_c (text, (char) ('0' + value / unit));
    }
}

/**
 * bawn_duration_format:
 * @us: microseconds
 *
 * Writes a duration as Go does: "1h0m0s", "3m20.5s", and below a second in one unit: "1.5ms".
 *
 * Returns: (transfer full): the text
 */
char *
bawn_duration_format (gint64 us)
{
  GString *text = g_string_sized_new (24);
  guint64 rest = us < 0 ? -(guint64) us : (guint64) us;

  if (us < 0)
    g_string_append_c (text, '-');

  if (rest == 0)
    g_string_append (text, "0s");
  else if (rest < 1000)
    g_string_append_printf (text, "%" G_GUINT64_FORMAT "\xc2\xb5s", rest);
  else if (rest < G_USEC_PER_SEC)
    {
      append_decimal (text, rest, 1000);
      g_string_append (text, "ms");
    }
  else
    {
      guint64 minutes = rest / G_USEC_PER_SEC / 60;

      if (minutes >= 60)
        g_string_append_printf (text, "%" G_GUINT64_FORMAT "h", minutes / 60);
      if (minutes > 0)
        g_string_append_printf (text, "%" G_GUINT64_FORMAT "m", minutes % 60);
      append_decimal (text, rest % (60 * G_USEC_PER_SEC), G_USEC_PER_SEC);
      g_string_append_c (text, 's');
    }

  return g_string_free (text, FALSE);
}
