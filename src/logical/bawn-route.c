/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-engine.h"

/* How many captures a pattern may have. */
#define CAPTURES_MAX 4

typedef struct
{
  const char *name;
  gsize name_size;
  const char *value;
  gsize value_size;
} Capture;

typedef struct
{
  Capture items[CAPTURES_MAX];
  guint n;
} Captures;

static gboolean
is_word (char c)
{
  return g_ascii_isalnum (c) || c == '_';
}

/* The API's names: \w(([\w-.]+)?\w)? */
static gboolean
is_name (const char *text, gsize size)
{
  if (size == 0 || !is_word (text[0]) || !is_word (text[size - 1]))
    return FALSE;

  for (gsize i = 1; i + 1 < size; i++)
    {
      if (!is_word (text[i]) && text[i] != '-' && text[i] != '.')
        return FALSE;
    }

  return TRUE;
}

static void
capture (Captures *captures, const char *name, gsize name_size, const char *value, gsize value_size)
{
  g_return_if_fail (captures->n < CAPTURES_MAX);

  captures->items[captures->n++] = (Capture){ name, name_size, value, value_size };
}

/* One segment of the pattern against one of the path, both without '/'. */
static gboolean
match_segment (
    const char *pattern, gsize pattern_size, const char *text, gsize size, Captures *captures)
{
  if (pattern_size < 2 || pattern[0] != '{')
    return pattern_size == size && memcmp (pattern, text, size) == 0;
  if (!is_name (text, size))
    return FALSE;
  capture (captures, pattern + 1, pattern_size - 2, text, size);

  return TRUE;
}

/* The length of the name in a last "{name...}", or 0 if this is none. */
static gsize
rest_name_size (const char *pattern)
{
  if (*pattern != '{' || strchr (pattern, '/') != NULL || !g_str_has_suffix (pattern, "...}"))
    return 0;

  return strlen (pattern) - strlen ("{...}");
}

/* A '/' at the path's end that the pattern does not have counts only with @loose. Policies tell "a" from "a/", so a row
 * that took both for the same would be open to whoever is denied only one of them. */
static gboolean
match_pattern (const char *pattern, const char *path, gboolean loose, Captures *captures)
{
  captures->n = 0;
  while (TRUE)
    {
      gsize rest_size = rest_name_size (pattern);

      if (rest_size > 0)
        {
          capture (captures, pattern + 1, rest_size, path, strlen (path));
          return TRUE;
        }
      if (*pattern == '\0' || *path == '\0')
        break;

      gsize pattern_size = strcspn (pattern, "/");
      gsize size = strcspn (path, "/");

      if (!match_segment (pattern, pattern_size, path, size, captures))
        return FALSE;
      pattern += pattern_size;
      path += size;
      if (*path == '/' && path[1] == '\0' && *pattern == '\0' && !loose)
        return FALSE;
      if (*pattern == '/')
        pattern++;
      if (*path == '/')
        path++;
    }

  return *pattern == '\0' && *path == '\0';
}

static void
take_captures (BawnRequest *request, const Captures *captures)
{
  g_clear_pointer (&request->params, g_hash_table_unref);
  if (captures->n == 0)
    return;

  request->params = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < captures->n; i++)
    {
      const Capture *item = &captures->items[i];

      g_hash_table_insert (request->params, g_strndup (item->name, item->name_size),
                           g_strndup (item->value, item->value_size));
    }
}

/**
 * bawn_route_match:
 * @routes: a table, ended by a row without a pattern
 * @request: a request with its rest set; gets its params and any_field
 * @error: NOT_FOUND or UNSUPPORTED, in the API's words
 *
 * Finds the first row that fits path and operation. Help is there for every path. A '/' too many at the end is forgiven
 * where there are names to be listed.
 *
 * Returns: (nullable): the row
 */
const BawnRoute *
bawn_route_match (const BawnRoute *routes, BawnRequest *request, GError **error)
{
  g_return_val_if_fail (routes != NULL, NULL);
  g_return_val_if_fail (request->rest != NULL, NULL);

  gboolean path_fits = FALSE;

  for (const BawnRoute *route = routes; route->pattern != NULL; route++)
    {
      gboolean loose = ((request->op | route->ops) & BAWN_OP_LIST) != 0 || request->op == BAWN_OP_HELP;
      Captures captures;

      if (!match_pattern (route->pattern, request->rest, loose, &captures))
        continue;
      path_fits = TRUE;
      if (request->op != BAWN_OP_HELP && (route->ops & request->op) == 0)
        continue;
      take_captures (request, &captures);
      request->any_field = (route->flags & BAWN_ROUTE_ANY_FIELD) != 0;
      return route;
    }

  if (path_fits)
    return bawn_fail_null (error, BAWN_ERROR_UNSUPPORTED, "unsupported operation");

  return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "unsupported path");
}

/**
 * bawn_route_is_open_path:
 * @routes: a table, ended by a row without a pattern
 * @rest: a path below the mount
 *
 * Whether a path needs no token is the path's own nature: an operation that it does not have is unsupported, and not
 * denied, for those without a token too.
 *
 * Returns: whether a row with this path takes requests without a token
 */
gboolean
bawn_route_is_open_path (const BawnRoute *routes, const char *rest)
{
  g_return_val_if_fail (routes != NULL, FALSE);
  g_return_val_if_fail (rest != NULL, FALSE);

  for (const BawnRoute *route = routes; route->pattern != NULL; route++)
    {
      Captures captures;

      if ((route->flags & BAWN_ROUTE_OPEN) != 0 && match_pattern (route->pattern, rest, FALSE, &captures))
        return TRUE;
    }

  return FALSE;
}
