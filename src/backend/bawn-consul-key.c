/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-consul.h"

#include <string.h>

/* "." and "..": the HTTP server resolves them, escaped or not. */
static gboolean
is_dots (const char *segment, gsize size)
{
  return (size == 1 || size == 2) && strncmp (segment, "..", size) == 0;
}

static void
append_segment (GString *out, const char *segment, gsize size)
{
  gboolean dots = is_dots (segment, size);

  for (gsize i = 0; i < size; i++)
    {
      guchar byte = (guchar) segment[i];

      if (byte < ' ' || byte >= 0x7f || byte == '%' || dots)
        g_string_append_printf (out, "%%%02X", byte);
      else
        g_string_append_c (out, (char) byte);
    }
}

/**
 * bawn_consul_key_encode:
 * @prefix: of all keys, encoded
 * @key: a key, or a folder with its '/', or ""
 *
 * Returns: (transfer full): the name that Consul has for it, in printable ASCII
 */
char *
bawn_consul_key_encode (const char *prefix, const char *key)
{
  GString *out = g_string_new (prefix);

  while (*key != '\0')
    {
      gsize size = strcspn (key, "/");

      append_segment (out, key, size);
      key += size;
      if (*key == '/')
        g_string_append_c (out, *key++);
    }
  return g_string_free (out, FALSE);
}

static gboolean
append_unescaped (GString *out, const char *escape)
{
  int high = g_ascii_xdigit_value (escape[0]);
  int low = high >= 0 ? g_ascii_xdigit_value (escape[1]) : -1;

  if (low < 0 || (high == 0 && low == 0))
    return FALSE;

  g_string_append_c (out, (char) (high * 16 + low));
  return TRUE;
}

/**
 * bawn_consul_name_decode:
 * @name: one segment of an encoded key, perhaps with a '/' behind it
 * @size: its length
 *
 * Returns: (transfer full) (nullable): what it stands for; %NULL if bawn_consul_key_encode() has
 * not made it
 */
char *
bawn_consul_name_decode (const char *name, gsize size)
{
  g_autoptr (GString) out = g_string_sized_new (size);
  g_autofree char *text = g_strndup (name, size);

  if (*text == '\0' || *text == '/' || strlen (text) != size)
    return NULL;

  for (const char *at = text; *at != '\0'; at++)
    {
      if (*at != '%')
        {
          g_string_append_c (out, *at);
          continue;
        }
      if (!append_unescaped (out, at + 1))
        return NULL;
      at += 2;
    }

  /* Of the ways to write a name, only ours. */
  g_autofree char *again = bawn_consul_key_encode ("", out->str);

  if (strcmp (again, text) != 0 || !g_utf8_validate (out->str, (gssize) out->len, NULL))
    return NULL;

  return g_string_free (g_steal_pointer (&out), FALSE);
}

/**
 * bawn_consul_key_path:
 * @encoded: from bawn_consul_key_encode()
 *
 * Returns: (transfer full): the path of a URL
 */
char *
bawn_consul_key_path (const char *encoded)
{
  g_autofree char *escaped = g_uri_escape_string (encoded, "/", FALSE);

  return g_strconcat ("/v1/kv/", escaped, NULL);
}
