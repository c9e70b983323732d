/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-suggest.h"

#include <string.h>

/* Longer words are nobody's typing mistake; the bound also bounds the work. */
#define MAX_WORD 48

/* Number of insertions, deletions, replacements and swaps of neighbours between two words
 * (optimal string alignment). */
static guint
distance (const char *a, const char *b)
{
  gsize m = strlen (a);
  gsize n = strlen (b);
  guint rows[3][MAX_WORD + 1];
  guint *before = rows[0];
  guint *above = rows[1];
  guint *row = rows[2];

  for (gsize j = 0; j <= n; j++)
    above[j] = (guint) j;
  for (gsize i = 1; i <= m; i++)
    {
      row[0] = (guint) i;
      for (gsize j = 1; j <= n; j++)
        {
          guint replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);

          row[j] = MIN (replaced, MIN (above[j], row[j - 1]) + 1);
          if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            row[j] = MIN (row[j], before[j - 2] + 1);
        }
      guint *oldest = before;
      before = above;
      above = row;
      row = oldest;
    }

  return above[n];
}

/**
 * bawn_cli_suggest:
 * @word: what a person wrote
 * @candidates: (array zero-terminated=1): what exists
 *
 * Returns: (nullable): the nearest of @candidates, if it is near enough to be meant
 */
const char *
bawn_cli_suggest (const char *word, const char *const *candidates)
{
  const char *best = NULL;
  gsize size = strlen (word);
  /* One mistake in a short word, two in a longer one. */
  guint best_distance = size < 5 ? 2 : 3;

  if (size < 2 || size > MAX_WORD)
    return NULL;
  for (guint i = 0; candidates[i] != NULL; i++)
    {
      if (strlen (candidates[i]) > MAX_WORD)
        continue;

      guint d = distance (word, candidates[i]);
      if (d < best_distance)
        {
          best = candidates[i];
          best_distance = d;
        }
    }

  return best;
}
