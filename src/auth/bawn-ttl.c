/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-lease.h"
#include "util/bawn-clock.h"
#include "util/bawn-error.h"

#include <string.h>

/* No time counts as longer than this (36,000 years), so that sums do not pass what a gint64 holds.
 */
#define LONGEST_US (G_GINT64_CONSTANT (1) << 60)

static gint64
bounded (gint64 us)
{
  return MIN (us, LONGEST_US);
}

/* The smallest time that lives are counted in. */
static gint64
to_seconds (gint64 us)
{
  return us - us % G_USEC_PER_SEC;
}

static gint64
smaller_limit (gint64 limit, gint64 other)
{
  return other > 0 && (limit <= 0 || other < limit) ? other : limit;
}

/* As warnings say a time: "768h", "1h30m", "90s" would be "1m30s". Zero parts at the end are left
 * out. */
static char *
format_short (gint64 us)
{
  char *text = bawn_duration_format (us);

  if (g_str_has_suffix (text, "m0s"))
    text[strlen (text) - 2] = '\0';
  if (g_str_has_suffix (text, "h0m"))
    text[strlen (text) - 2] = '\0';

  return text;
}

static char *
capped_warning (const char *what, const char *unit, gint64 wanted_us, gint64 max_us)
{
  g_autofree char *wanted = format_short (wanted_us);
  g_autofree char *max = format_short (max_us);

  return g_strdup_printf (
      "%s of \"%s\" exceeded the effective max_ttl of \"%s\"; %s value is capped accordingly", what,
      wanted, max, unit);
}

/**
 * bawn_ttl_calculate:
 * @input: what was asked for and what limits it; 0 is "none" everywhere
 * @out_ttl_us: (out): the time to live, whole seconds
 * @out_warning: (out) (optional) (nullable): what to tell the caller if it was cut short
 * @error: INVALID when the end that cannot be passed lies behind us
 *
 * One rule for leases and tokens, new ones and renewed ones. Something periodic lives for its
 * period from now on, and only an explicit maximum ends that; anything else lives for the
 * increment, else for what its engine says, else for the mount's default, and never past the
 * smallest of all maxima, counted from its issue.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_ttl_calculate (const BawnTtlInput *input,
                    gint64 *out_ttl_us,
                    char **out_warning,
                    GError **error)
{
  gint64 now = to_seconds (input->now_us);
  gint64 issue = to_seconds (input->issue_us);
  gint64 explicit_max = bounded (input->explicit_max_us);
  gint64 max = smaller_limit (bounded (input->mount_max_us), input->backend_max_us);
  gint64 ttl = 0;
  gint64 left = G_MAXINT64;
  g_autofree char *warning = NULL;

  max = smaller_limit (max, explicit_max);
  if (max <= 0)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "a maximum time to live is missing");

  if (input->period_us > 0)
    {
      ttl = MIN (input->period_us, max);
      if (ttl < input->period_us)
        warning = capped_warning ("period", "period", input->period_us, max);
      if (explicit_max > 0)
        left = issue + explicit_max - now;
    }
  else
    {
      ttl = input->increment_us > 0     ? input->increment_us
            : input->backend_ttl_us > 0 ? input->backend_ttl_us
                                        : input->mount_default_us;
      left = issue + max - now;
    }

  if (left <= 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "past the max TTL, cannot renew");
  if (ttl > left)
    {
      g_free (warning);
      warning = capped_warning ("TTL", "TTL", ttl, left);
      ttl = left;
    }

  /* A part of a second asked for is a second: 0 would mean "for ever" further on. */
  *out_ttl_us = MAX (to_seconds (ttl), G_USEC_PER_SEC);
  if (out_warning != NULL)
    *out_warning = g_steal_pointer (&warning);

  return TRUE;
}
