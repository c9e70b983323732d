/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-target.h"

#include "util/bawn-error.h"

#include <string.h>

/* What may stand in the path of a Location as it is (RFC 3986, pchar, and '/'). */
#define PATH_CHARS "!$&'()*+,;=:@/"

/**
 * BawnHttpPairs:
 * @names: (element-type utf8): in order
 * @values: name to (element-type GBytes) #GPtrArray
 */
struct _BawnHttpPairs
{
  GPtrArray *names;
  GHashTable *values;
};

/* Undoes percent-encoding; @plus: and '+' for a blank. FALSE when an escape is not one. */
static gboolean
unescape (const char *text, gsize size, gboolean plus, BawnBuffer *out)
{
  for (gsize i = 0; i < size; i++)
    {
      char c = text[i];

      if (c == '%')
        {
          if (i + 2 >= size || !g_ascii_isxdigit (text[i + 1]) || !g_ascii_isxdigit (text[i + 2]))
            return FALSE;
          c = (char) (g_ascii_xdigit_value (text[i + 1]) * 16 + g_ascii_xdigit_value (text[i + 2]));
          i += 2;
        }
      else if (c == '+' && plus)
        c = ' ';
      bawn_buffer_append_byte (out, (guint8) c);
    }

  return TRUE;
}

/* What Go's unicode.IsPrint() says, which the API goes by: of blanks only the plain one. */
static gboolean
is_printable (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return FALSE;
    case G_UNICODE_SPACE_SEPARATOR:
      return c == ' ';
    default:
      return TRUE;
    }
}

static gboolean
path_is_printable (const char *path, gsize size)
{
  if (!g_utf8_validate_len (path, size, NULL))
    return FALSE;
  for (const char *p = path; p < path + size; p = g_utf8_next_char (p))
    if (!is_printable (g_utf8_get_char (p)))
      return FALSE;

  return TRUE;
}

/**
 * bawn_http_target_local:
 * @target: what stands in the request line; "http://host/path" is allowed too (RFC 9112, 3.2.2)
 *
 * Returns: (nullable): where its path begins; %NULL if there is none
 */
const char *
bawn_http_target_local (const char *target)
{
  const char *rest = NULL;

  if (g_ascii_strncasecmp (target, "http://", 7) == 0)
    rest = target + 7;
  else if (g_ascii_strncasecmp (target, "https://", 8) == 0)
    rest = target + 8;
  if (rest == NULL)
    return target;
  rest += strcspn (rest, "/?#");

  return *rest == '/' ? rest : NULL;
}

/**
 * bawn_http_target_read:
 * @target: what stands in the request line
 * @out_path: (out): its path, decoded; or, when it has moved, where to
 * @out_query: (out) (nullable): its query, still encoded
 *
 * Takes a target apart. The outputs are set for a good one and for a moved one.
 *
 * Returns: what kind it is
 */
BawnHttpTargetKind
bawn_http_target_read (const char *target, char **out_path, const char **out_query)
{
  g_auto(BawnBuffer) decoded = BAWN_BUFFER_INIT;
  const char *path = bawn_http_target_local (target);

  if (path == NULL || *path != '/')
    return BAWN_HTTP_TARGET_BAD;

  gsize size = strcspn (path, "?#");
  const char *query = path[size] == '?' ? path + size + 1 : NULL;
  if (!unescape (path, size, FALSE, &decoded))
    return BAWN_HTTP_TARGET_BAD;
  if (memchr (decoded.data, '\0', decoded.size) != NULL || !path_is_printable ((char *) decoded.data, decoded.size))
    return BAWN_HTTP_TARGET_UNPRINTABLE;
  bawn_buffer_append_byte (&decoded, '\0');

  g_autofree char *clean = bawn_http_path_clean ((char *) decoded.data);
  if (strcmp (clean, (char *) decoded.data) != 0 || strcmp (clean, "/v1") == 0)
    {
      *out_path = bawn_http_path_location (strcmp (clean, "/v1") == 0 ? "/v1/" : clean, query);
      *out_query = NULL;
      return BAWN_HTTP_TARGET_MOVED;
    }
  *out_path = g_steal_pointer (&clean);
  *out_query = query;

  return BAWN_HTTP_TARGET_GOOD;
}

/**
 * bawn_http_path_clean:
 * @path: a decoded path that begins with '/'
 *
 * Takes "//", "." and ".." out. A '/' at the end stays.
 *
 * Returns: (transfer full): the shortest path that means the same
 */
char *
bawn_http_path_clean (const char *path)
{
  GString *clean = g_string_sized_new (strlen (path) + 1);
  const char *segment = path;

  while (*segment != '\0')
    {
      segment += strspn (segment, "/");
      gsize size = strcspn (segment, "/");

      if (size == 2 && strncmp (segment, "..", 2) == 0)
        g_string_truncate (clean, clean->len > 0 ? (gsize) (strrchr (clean->str, '/') - clean->str) : 0);
      else if (size > 0 && !(size == 1 && *segment == '.'))
        {
          g_string_append_c (clean, '/');
          g_string_append_len (clean, segment, (gssize) size);
        }
      segment += size;
    }
  if (clean->len == 0 || (segment > path && segment[-1] == '/'))
    g_string_append_c (clean, '/');

  return g_string_free (clean, FALSE);
}

/**
 * bawn_http_path_location:
 * @path: a decoded path
 * @query: (nullable): an encoded query
 *
 * Returns: (transfer full): both as a Location
 */
char *
bawn_http_path_location (const char *path, const char *query)
{
  g_autofree char *escaped = g_uri_escape_string (path, PATH_CHARS, FALSE);

  return query != NULL ? g_strconcat (escaped, "?", query, NULL) : g_steal_pointer (&escaped);
}

/* One "name=value". Names of queries are compared as C strings, so a NUL has no place in them. */
static gboolean
add_pair (BawnHttpPairs *pairs, const char *text, gsize size)
{
  g_auto(BawnBuffer) name = BAWN_BUFFER_INIT;
  g_auto(BawnBuffer) value = BAWN_BUFFER_INIT;
  const char *equals = memchr (text, '=', size);
  gsize name_size = equals != NULL ? (gsize) (equals - text) : size;

  if (!unescape (text, name_size, TRUE, &name)
      || (equals != NULL && !unescape (equals + 1, size - name_size - 1, TRUE, &value)))
    return FALSE;
  if ((name.size > 0 && !g_utf8_validate_len ((char *) name.data, name.size, NULL))
      || (value.size > 0 && !g_utf8_validate_len ((char *) value.data, value.size, NULL)))
    return FALSE;
  bawn_buffer_append_byte (&name, '\0');

  GPtrArray *values = g_hash_table_lookup (pairs->values, name.data);
  if (values == NULL)
    {
      char *key = g_strdup ((char *) name.data);

      values = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
      g_ptr_array_add (pairs->names, key);
      g_hash_table_insert (pairs->values, key, values);
    }
  g_ptr_array_add (values, bawn_buffer_steal (&value));

  return TRUE;
}

/**
 * bawn_http_pairs_parse:
 * @text: a query or a form, encoded
 * @size: its length
 * @error: INVALID
 *
 * Reads "a=1&b=2&a=3".
 *
 * Returns: (transfer full): the pairs
 */
BawnHttpPairs *
bawn_http_pairs_parse (const char *text, gsize size, GError **error)
{
  g_autoptr(BawnHttpPairs) pairs = g_new0 (BawnHttpPairs, 1);
  const char *end = text + size;

  pairs->names = g_ptr_array_new_with_free_func (g_free);
  pairs->values = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  while (text < end)
    {
      const char *stop = memchr (text, '&', (gsize) (end - text));

      if (stop == NULL)
        stop = end;
      if (stop > text && !add_pair (pairs, text, (gsize) (stop - text)))
        return bawn_fail_null (error, BAWN_ERROR_INVALID, "malformed parameters");
      text = stop + 1;
    }

  return g_steal_pointer (&pairs);
}

void
bawn_http_pairs_free (BawnHttpPairs *pairs)
{
  g_hash_table_unref (pairs->values);
  g_ptr_array_unref (pairs->names);
  g_free (pairs);
}

gboolean
bawn_http_pairs_is_empty (const BawnHttpPairs *pairs)
{
  return pairs->names->len == 0;
}

/**
 * bawn_http_pairs_get:
 * @pairs: some pairs
 * @name: a name
 *
 * Returns: (nullable): its first value
 */
const char *
bawn_http_pairs_get (const BawnHttpPairs *pairs, const char *name)
{
  GPtrArray *values = g_hash_table_lookup (pairs->values, name);

  return values != NULL ? g_bytes_get_data (g_ptr_array_index (values, 0), NULL) : NULL;
}

/* Forgets all values of @name. */
void
bawn_http_pairs_remove (BawnHttpPairs *pairs, const char *name)
{
  g_hash_table_remove (pairs->values, name);
  for (guint i = 0; i < pairs->names->len; i++)
    if (strcmp (g_ptr_array_index (pairs->names, i), name) == 0)
      {
        g_ptr_array_remove_index (pairs->names, i);
        return;
      }
}

static void
write_value (BawnJsonWriter *w, GBytes *value)
{
  gsize size = 0;
  const char *text = g_bytes_get_data (value, &size);

  bawn_json_writer_string_n (w, text, size);
}

static void
write_joined (BawnJsonWriter *w, GPtrArray *values)
{
  g_auto(BawnBuffer) joined = BAWN_BUFFER_INIT;

  for (guint i = 0; i < values->len; i++)
    {
      gsize size = 0;
      gconstpointer text = g_bytes_get_data (g_ptr_array_index (values, i), &size);

      if (i > 0)
        bawn_buffer_append_byte (&joined, ',');
      bawn_buffer_append (&joined, text, size);
    }
  bawn_json_writer_string_n (w, joined.data != NULL ? (char *) joined.data : "", joined.size);
}

/**
 * bawn_http_pairs_to_json:
 * @pairs: some pairs
 * @join: whether several values of a name become one text with commas, as of a form, and not a list, as of a query
 *
 * Returns: (transfer full): an object, in wiping memory
 */
GBytes *
bawn_http_pairs_to_json (const BawnHttpPairs *pairs, gboolean join)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  for (guint i = 0; i < pairs->names->len; i++)
    {
      const char *name = g_ptr_array_index (pairs->names, i);
      GPtrArray *values = g_hash_table_lookup (pairs->values, name);

      bawn_json_writer_name (&w, name);
      if (values->len == 1)
        write_value (&w, g_ptr_array_index (values, 0));
      else if (join)
        write_joined (&w, values);
      else
        {
          bawn_json_writer_begin_array (&w);
          for (guint j = 0; j < values->len; j++)
            write_value (&w, g_ptr_array_index (values, j));
          bawn_json_writer_end_array (&w);
        }
    }
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}
