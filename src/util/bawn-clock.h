/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * BawnClock:
 *
 * Where time comes from, so that a test can hold it still. Handed to constructors; %NULL is the
 * system's. Thread-safe.
 */
typedef struct _BawnClock BawnClock;

BawnClock *bawn_clock_new_fake (gint64 real_us);
void bawn_clock_advance (BawnClock *clock, gint64 by_us);
void bawn_clock_set_real (BawnClock *clock, gint64 real_us);
BawnClock *bawn_clock_ref (BawnClock *clock);
void bawn_clock_unref (BawnClock *clock);

/* Microseconds since 1970, for what people and tokens see. */
gint64 bawn_clock_real_us (BawnClock *clock);
/* Microseconds on a clock that never jumps and counts time asleep too (CLOCK_BOOTTIME). */
gint64 bawn_clock_boot_us (BawnClock *clock);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnClock, bawn_clock_unref)

/* RFC 3339 in UTC with up to nine digits of fraction, trailing zeros cut, as the API prints times.
 * 0 gives the zero time "0001-01-01T00:00:00Z". */
char *bawn_time_format (gint64 real_us);
gboolean bawn_time_parse (const char *text, gint64 *out_real_us);

/* "1h", "90m", "1h30m", "500ms", "2d", a bare number is seconds. */
gboolean bawn_duration_parse (const char *text, gint64 *out_us, GError **error);
/* The API's duration string: "3h25m19s", "0s", "500ms". */
char *bawn_duration_format (gint64 us);

G_END_DECLS
