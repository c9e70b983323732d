/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-path.h"

#include "util/bawn-utf8.h"

#include <string.h>

/* What org.apache.zookeeper.common.PathUtils takes, less what needs two units of UTF-16, which its
 * encoder gets wrong, and less '%', which escapes. */
static gboolean
may_stand (gunichar c)
{
  return (c >= 0x20 && c <= 0x7e && c != '%') || (c >= 0xa0 && c <= 0xd7ff)
         || (c >= 0xf900 && c <= 0xffef);
}

static void
append_escaped (GString *out, const char *bytes, gsize size)
{
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (out, "%%%02X", (guint) (guint8) bytes[i]);
}

/* @name is UTF-8 without '/'. */
static void
append_text (GString *out, const char *name, gsize size)
{
  const char *end = name + size;

  for (const char *p = name; p < end;)
    {
      const char *next = g_utf8_next_char (p);

      if (may_stand (g_utf8_get_char (p)))
        g_string_append_len (out, p, next - p);
      else
        append_escaped (out, p, (gsize) (next - p));
      p = next;
    }
}

static void
append_folder (GString *out, const char *name, gsize size)
{
  gboolean is_dots = (size == 1 && name[0] == '.') || (size == 2 && memcmp (name, "..", 2) == 0);
  gsize hidden = is_dots ? size : name[0] == BAWN_ZK_LEAF_MARK ? 1 : 0;

  append_escaped (out, name, hidden);
  append_text (out, name + hidden, size - hidden);
}

static void
append_folders (GString *out, const char *path, const char *end)
{
  while (path < end)
    {
      const char *slash = memchr (path, '/', (gsize) (end - path));

      if (slash == NULL)
        slash = end;
      g_string_append_c (out, '/');
      append_folder (out, path, (gsize) (slash - path));
      path = slash + 1;
    }
}

/**
 * bawn_zk_path_is_valid:
 * @path: a path of the configuration
 *
 * Returns: %TRUE if a node can be there, with others below it
 */
gboolean
bawn_zk_path_is_valid (const char *path)
{
  if (path[0] != '/' || path[1] == '\0' || g_str_has_suffix (path, "/")
      || strstr (path, "//") != NULL || !g_utf8_validate (path, -1, NULL)
      || strcmp (path, "/zookeeper") == 0 || g_str_has_prefix (path, "/zookeeper/"))
    return FALSE;

  g_auto (GStrv) names = g_strsplit (path + 1, "/", -1);

  if (g_strv_contains ((const char *const *) names, ".")
      || g_strv_contains ((const char *const *) names, ".."))
    return FALSE;
  for (const char *p = path; *p != '\0'; p = g_utf8_next_char (p))
    if (!may_stand (g_utf8_get_char (p)))
      return FALSE;

  return TRUE;
}

/**
 * bawn_zk_path_of_key:
 * @root: the node that everything is below
 * @key: a valid key
 *
 * Returns: (transfer full): the path of the node that holds its value
 */
char *
bawn_zk_path_of_key (const char *root, const char *key)
{
  GString *out = g_string_new (root);
  const char *slash = strrchr (key, '/');
  const char *name = slash != NULL ? slash + 1 : key;

  if (slash != NULL)
    append_folders (out, key, slash);
  g_string_append_c (out, '/');
  g_string_append_c (out, BAWN_ZK_LEAF_MARK);
  append_text (out, name, strlen (name));
  return g_string_free (out, FALSE);
}

/**
 * bawn_zk_path_of_folder:
 * @root: the node that everything is below
 * @prefix: "", or a valid key with '/' behind it
 *
 * Returns: (transfer full): the path of the node whose children are one level below @prefix
 */
char *
bawn_zk_path_of_folder (const char *root, const char *prefix)
{
  GString *out = g_string_new (root);
  gsize size = strlen (prefix);

  if (size > 0)
    append_folders (out, prefix, prefix + size - 1);
  return g_string_free (out, FALSE);
}

static char *
unescape (const char *text)
{
  GString *out = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p++)
    {
      gint high = *p == '%' ? g_ascii_xdigit_value (p[1]) : -1;
      gint low = high >= 0 ? g_ascii_xdigit_value (p[2]) : -1;

      if (low < 0)
        {
          g_string_append_c (out, *p);
          continue;
        }
      g_string_append_c (out, (char) (high * 16 + low));
      p += 2;
    }
  return g_string_free (out, FALSE);
}

/**
 * bawn_zk_name_of_child:
 * @child: the name of a node, as the server gave it
 *
 * Returns: (transfer full) (nullable): the name in a listing, with '/' behind a folder's; %NULL if
 * it is not a form that the functions above give
 */
char *
bawn_zk_name_of_child (const char *child)
{
  gboolean is_folder = child[0] != BAWN_ZK_LEAF_MARK;
  g_autofree char *name = unescape (is_folder ? child : child + 1);

  if (*name == '\0' || strchr (name, '/') != NULL || !bawn_utf8_valid (name, strlen (name)))
    return NULL;

  GString *again = g_string_new (NULL);

  if (is_folder)
    append_folder (again, name, strlen (name));
  else
    append_text (again, name, strlen (name));

  gboolean same = strcmp (again->str, is_folder ? child : child + 1) == 0;

  g_string_free (again, TRUE);
  if (!same)
    return NULL;

  return is_folder ? g_strconcat (name, "/", NULL) : g_steal_pointer (&name);
}
