/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The texts of HCL: quoted strings and heredocs. */
#include "config.h"

#include "util/bawn-hcl-private.h"

#include "util/bawn-utf8.h"

#include <string.h>

/* Reads @n digits, of which @first may be read already. Neither single bytes above ASCII nor NULs
 * can be made of them: nothing that a policy names contains these. */
static void
append_digits (BawnHclScanner *self, GString *text, guint base, guint n, gint32 first)
{
  guint32 max = n > 3 ? 0x10ffff : 0x7f;
  guint32 value = 0;

  for (gint32 c = first >= 0 ? first : bawn_hcl_scanner_next (self); n > 0; n--)
    {
      int digit = c > 0 && c < 0x80 ? g_ascii_xdigit_value ((char) c) : -1;

      if (digit < 0 || digit >= (int) base)
        {
          bawn_hcl_scanner_refuse (self, "illegal char escape");
          return;
        }
      value = value * base + (guint32) digit;
      if (n > 1)
        c = bawn_hcl_scanner_next (self);
    }

  guint8 encoded[BAWN_UTF8_MAX];
  guint size = bawn_utf8_encode (value, encoded);

  if (value == 0 || value > max)
    bawn_hcl_scanner_refuse (self, "illegal char escape");
  else
    g_string_append_len (text, (const char *) encoded, size);
}

/* After the backslash. */
static void
scan_escape (BawnHclScanner *self, GString *text)
{
  static const char from[] = "abfnrtv\\\"";
  static const char to[] = "\a\b\f\n\r\t\v\\\"";
  gint32 c = bawn_hcl_scanner_next (self);
  const char *found = c > 0 && c < 0x80 ? strchr (from, c) : NULL;

  if (found != NULL)
    g_string_append_c (text, to[found - from]);
  else if (c >= '0' && c <= '7')
    append_digits (self, text, 8, 3, c);
  else if (c == 'x')
    append_digits (self, text, 16, 2, -1);
  else if (c == 'u')
    append_digits (self, text, 16, 4, -1);
  else if (c == 'U')
    append_digits (self, text, 16, 8, -1);
  else
    bawn_hcl_scanner_refuse (self, "illegal char escape");
}

/* After the opening quote. Between ${ and its } quotes and line ends are nothing special, and
 * escapes stay as they are. */
void
bawn_hcl_scanner_scan_string (BawnHclScanner *self, BawnHclToken *token)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint braces = 0;
  gint32 last = 0;

  token->type = BAWN_HCL_TOKEN_STRING;
  for (gint32 c = bawn_hcl_scanner_next (self); c != '"' || braces > 0;
       last = c, c = bawn_hcl_scanner_next (self))
    {
      if (c < 0 || (c == '\n' && braces == 0))
        {
          bawn_hcl_scanner_refuse (self, "literal not terminated");
          return;
        }
      if (c == '\\' && braces == 0)
        {
          scan_escape (self, text);
          continue;
        }

      g_string_append_unichar (text, (gunichar) c);
      if (c == '{' && (braces > 0 || last == '$'))
        braces++;
      else if (c == '}' && braces > 0)
        braces--;
    }

  token->text = g_string_free (g_steal_pointer (&text), FALSE);
}

/* The name after << or <<- up to the end of its line. */
static char *
scan_anchor (BawnHclScanner *self, gboolean *out_indented)
{
  g_autoptr (GString) anchor = g_string_new (NULL);
  gint32 c = bawn_hcl_scanner_next (self);

  *out_indented = c == '-';
  if (*out_indented)
    c = bawn_hcl_scanner_next (self);
  for (; bawn_hcl_is_letter (c) || (c >= '0' && c <= '9'); c = bawn_hcl_scanner_next (self))
    g_string_append_unichar (anchor, (gunichar) c);
  if (c == '\r')
    c = bawn_hcl_scanner_next (self);

  if (c < 0)
    bawn_hcl_scanner_refuse (self, "heredoc not terminated");
  else if (c != '\n')
    bawn_hcl_scanner_refuse (self, "invalid characters in heredoc anchor");
  else if (anchor->len == 0)
    bawn_hcl_scanner_refuse (self, "zero-length heredoc anchor");
  else
    return g_string_free (g_steal_pointer (&anchor), FALSE);

  return NULL;
}

/* Reads a line without its end; FALSE at the end of the text. */
static gboolean
scan_line (BawnHclScanner *self, GString *line)
{
  gint32 c = bawn_hcl_scanner_next (self);

  g_string_truncate (line, 0);
  for (; c >= 0 && c != '\n'; c = bawn_hcl_scanner_next (self))
    g_string_append_unichar (line, (gunichar) c);
  if (line->len > 0 && line->str[line->len - 1] == '\r')
    g_string_truncate (line, line->len - 1);

  return c == '\n';
}

/* Takes @indent off every line, if every line has it; as it is for others. */
static char *
unindent (const char *body, const char *indent)
{
  gsize size = strlen (indent);
  g_auto (GStrv) lines = g_strsplit (body, "\n", -1);
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; lines[i] != NULL; i++)
    {
      gboolean last = lines[i + 1] == NULL;

      if (!last && !g_str_has_prefix (lines[i], indent))
        return g_strdup (body);
      if (!last)
        g_string_append_printf (text, "%s\n", lines[i] + size);
    }

  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* After the first <. The text ends with the line end before its closing anchor, which may be
 * indented; for <<- that indentation is taken off all lines. */
void
bawn_hcl_scanner_scan_heredoc (BawnHclScanner *self, BawnHclToken *token)
{
  token->type = BAWN_HCL_TOKEN_HEREDOC;
  if (bawn_hcl_scanner_next (self) != '<')
    {
      bawn_hcl_scanner_refuse (self, "heredoc expected second '<', didn't see it");
      return;
    }

  gboolean indented = FALSE;
  g_autofree char *anchor = scan_anchor (self, &indented);
  g_autoptr (GString) body = g_string_new (NULL);
  g_autoptr (GString) line = g_string_new (NULL);

  if (anchor == NULL)
    return;
  while (TRUE)
    {
      gboolean more = scan_line (self, line);
      gsize blanks = strspn (line->str, " \t\r\v\f");

      if (g_str_equal (line->str + blanks, anchor))
        {
          g_string_truncate (line, blanks);
          break;
        }
      if (!more)
        {
          bawn_hcl_scanner_refuse (self, "heredoc not terminated");
          return;
        }
      g_string_append_len (body, line->str, (gssize) line->len);
      g_string_append_c (body, '\n');
    }

  token->text =
      indented ? unindent (body->str, line->str) : g_string_free (g_steal_pointer (&body), FALSE);
}
