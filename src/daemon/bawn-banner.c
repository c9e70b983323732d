/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-banner.h"

#include <stdio.h>
#include <string.h>

typedef struct
{
  char *label;
  char *value;
} BawnBannerRow;

static void
free_row (gpointer data)
{
  BawnBannerRow *row = data;

  g_free (row->label);
  g_free (row->value);
  g_free (row);
}

BawnBanner *
bawn_banner_new (void)
{
  return g_ptr_array_new_with_free_func (free_row);
}

void
bawn_banner_add (BawnBanner *banner, const char *label, const char *format, ...)
{
  BawnBannerRow *row = g_new0 (BawnBannerRow, 1);
  va_list args;

  va_start (args, format);
  row->label = g_strdup (label);
  row->value = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (banner, row);
}

/**
 * bawn_banner_print:
 * @banner: the rows
 *
 * Writes them to standard output, labels flush right.
 */
void
bawn_banner_print (BawnBanner *banner)
{
  int width = 24;

  printf ("==> bawn server configuration:\n\n");
  for (guint i = 0; i < banner->len; i++)
    {
      const BawnBannerRow *row = g_ptr_array_index (banner, i);

      printf ("%*s: %s\n", width, row->label, row->value);
    }
  printf ("\n==> bawn server started! Log data will stream in below:\n\n");
  fflush (stdout);
}
