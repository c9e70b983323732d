/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-path.h"

#include "util/bawn-utf8.h"

#include <string.h>

/**
 * bawn_path_is_printable:
 * @path: (array length=size): a path, after %-decoding
 * @size: its length
 *
 * Judges as Go's unicode.IsPrint() does, by which the API refuses paths: letters, marks, numbers,
 * punctuation, symbols and the blank of ASCII, but no other blank.
 *
 * Returns: whether @path is UTF-8 and all of it can be printed
 */
gboolean
bawn_path_is_printable (const char *path, gsize size)
{
  const guint8 *at = (const guint8 *) path;
  const guint8 *end = at + size;

  while (at < end)
    {
      guint length = bawn_utf8_sequence (at, (gsize) (end - at));

      if (length == 0)
        return FALSE;

      gunichar c = g_utf8_get_char ((const char *) at);

      if (c != ' '
          && (!g_unichar_isgraph (c) || g_unichar_type (c) == G_UNICODE_FORMAT
              || g_unichar_type (c) == G_UNICODE_PRIVATE_USE))
        return FALSE;
      at += length;
    }

  return TRUE;
}

/**
 * bawn_path_is_clean:
 * @path: a path
 *
 * Returns: whether no segment is empty, "." or ".."; a slash at either end does no harm
 */
gboolean
bawn_path_is_clean (const char *path)
{
  const char *at = path + (*path == '/' ? 1 : 0);

  while (*at != '\0')
    {
      gsize size = strcspn (at, "/");

      if (size == 0 || (size <= 2 && strspn (at, ".") == size))
        return FALSE;
      at += size + (at[size] == '/' ? 1 : 0);
    }

  return TRUE;
}

/**
 * bawn_path_clean:
 * @path: a path
 *
 * Takes out empty segments, "." and "..", with what the latter leads out of; beyond the root there
 * is nothing. Slashes at the ends stay, as in the redirections of Go's http.ServeMux.
 *
 * Returns: (transfer full): the path
 */
char *
bawn_path_clean (const char *path)
{
  g_auto (GStrv) segments = g_strsplit (path, "/", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  gsize size = strlen (path);
  gboolean slash = size > 0 && path[size - 1] == '/';

  for (gsize i = 0; segments[i] != NULL; i++)
    {
      if (g_str_equal (segments[i], "..") && kept->len > 0)
        g_ptr_array_set_size (kept, (int) kept->len - 1);
      else if (segments[i][strspn (segments[i], ".")] != '\0' || strlen (segments[i]) > 2)
        g_ptr_array_add (kept, segments[i]);
    }
  slash = slash && kept->len > 0;
  g_ptr_array_add (kept, NULL);

  g_autofree char *joined = g_strjoinv ("/", (char **) kept->pdata);

  return g_strconcat (*path == '/' ? "/" : "", joined, slash ? "/" : "", NULL);
}

/**
 * bawn_path_after_prefix:
 * @path: a path
 * @prefix: how it may begin
 *
 * Returns: (nullable): what follows @prefix in @path; %NULL if @path does not begin so
 */
const char *
bawn_path_after_prefix (const char *path, const char *prefix)
{
  gsize size = strlen (prefix);

  return strncmp (path, prefix, size) == 0 ? path + size : NULL;
}

/**
 * bawn_path_with_slash:
 * @path: a path
 *
 * Returns: (transfer full): @path, with a slash at its end; an empty one stays empty
 */
char *
bawn_path_with_slash (const char *path)
{
  return *path == '\0' || g_str_has_suffix (path, "/") ? g_strdup (path)
                                                       : g_strconcat (path, "/", NULL);
}

/**
 * bawn_path_without_slash:
 * @path: a path
 *
 * Returns: (transfer full): @path without slashes at its end
 */
char *
bawn_path_without_slash (const char *path)
{
  gsize size = strlen (path);

  while (size > 0 && path[size - 1] == '/')
    size--;

  return g_strndup (path, size);
}
