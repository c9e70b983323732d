/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-policy-fmt.h"

#include "cli/bawn-cli-error.h"
#include "cli/bawn-cli-render.h"
#include "util/bawn-hcl.h"

#include <glib/gi18n.h>
#include <string.h>

#define INDENT 2

/* One line of the result, without its indent. */
typedef struct
{
  GString *text;
  guint depth;
  /* where the `=` of an assignment stands that begins and ends on this line; 0: none */
  gsize assign_at;
  gboolean is_verbatim; /* inside a heredoc or comment: not even indented */
} Line;

typedef struct
{
  const char *at;
  const char *end;
  GPtrArray *lines; /* of Line */
  Line *line;       /* the last one */
  guint depth;      /* of braces and of brackets */
  gboolean wants_blank;
} Formatter;

static void
line_free (Line *line)
{
  g_string_free (line->text, TRUE);
  g_free (line);
}

static void
new_line (Formatter *f)
{
  Line *line = g_new0 (Line, 1);

  line->text = g_string_new (NULL);
  line->depth = f->depth;
  g_ptr_array_add (f->lines, line);
  f->line = line;
  f->wants_blank = FALSE;
}

static void
fresh_line (Formatter *f)
{
  if (f->line->text->len > 0)
    new_line (f);
  f->line->depth = f->depth;
}

static void
put (Formatter *f, const char *text, gsize size)
{
  if (f->wants_blank && f->line->text->len > 0)
    g_string_append_c (f->line->text, ' ');
  g_string_append_len (f->line->text, text, (gssize) size);
  f->wants_blank = TRUE;
}

/* Text that may have several lines, which stay as they are from the second on. */
static void
put_verbatim (Formatter *f, const char *text, gsize size)
{
  const char *end = text + size;
  gboolean first = TRUE;

  while (text < end)
    {
      const char *stop = memchr (text, '\n', (gsize) (end - text));
      gsize length = (gsize) ((stop != NULL ? stop : end) - text);

      if (!first)
        {
          new_line (f);
          f->line->is_verbatim = TRUE;
        }
      put (f, text, length);
      first = FALSE;
      text += length + 1;
    }
}

/* Where the string that begins at @at ends; what is behind its last quote. ${…} may hold quotes of
 * its own. */
static const char *
string_end (const char *at, const char *end)
{
  guint braces = 0;

  for (at++; at < end; at++)
    {
      if (*at == '\\' && at + 1 < end)
        at++;
      else if (*at == '$' && at + 1 < end && at[1] == '{')
        braces++, at++;
      else if (*at == '}' && braces > 0)
        braces--;
      else if (*at == '"' && braces == 0)
        return at + 1;
    }

  return end;
}

/* Where the heredoc that begins at @at ends: behind its mark, before that line's end. */
static const char *
heredoc_end (const char *at, const char *end)
{
  const char *line_end = memchr (at, '\n', (gsize) (end - at));
  const char *start = at + 2;

  if (line_end == NULL)
    return end;
  if (start < line_end && *start == '-')
    start++;
  g_autofree char *mark = g_strstrip (g_strndup (start, (gsize) (line_end - start)));

  while (line_end < end)
    {
      const char *next = line_end + 1;
      line_end = next < end ? memchr (next, '\n', (gsize) (end - next)) : NULL;
      if (line_end == NULL)
        line_end = end;

      g_autofree char *line = g_strstrip (g_strndup (next, (gsize) (line_end - next)));
      if (strcmp (line, mark) == 0)
        return line_end;
    }

  return end;
}

static const char *
word_end (const char *at, const char *end)
{
  while (at < end && strchr (" \t\r\n={}[],\"#", *at) == NULL
         && !(*at == '/' && at + 1 < end && (at[1] == '/' || at[1] == '*')))
    at++;

  return at;
}

/* A comment to the end of its line. */
static void
take_line_comment (Formatter *f)
{
  const char *stop = memchr (f->at, '\n', (gsize) (f->end - f->at));
  const char *end = stop != NULL ? stop : f->end;
  g_autofree char *text = g_strchomp (g_strndup (f->at, (gsize) (end - f->at)));

  put (f, text, strlen (text));
  f->at = end;
}

static void
take_block_comment (Formatter *f)
{
  const char *stop = g_strstr_len (f->at + 2, f->end - f->at - 2, "*/");
  const char *end = stop != NULL ? stop + 2 : f->end;

  put_verbatim (f, f->at, (gsize) (end - f->at));
  f->at = end;
}

/* Line ends of the source: one may end a line, two or more leave one empty line. */
static void
take_line_ends (Formatter *f)
{
  guint n = 0;

  for (; f->at < f->end && g_ascii_isspace (*f->at); f->at++)
    n += *f->at == '\n' ? 1 : 0;
  fresh_line (f);
  if (n > 1 && f->lines->len > 1)
    {
      Line *before = g_ptr_array_index (f->lines, f->lines->len - 2);

      if (before->text->len > 0 && !g_str_has_suffix (before->text->str, "{"))
        new_line (f);
    }
}

static void
drop_blank_line (Formatter *f)
{
  if (f->lines->len < 2 || f->line->text->len > 0)
    return;

  Line *before = g_ptr_array_index (f->lines, f->lines->len - 2);
  if (before->text->len > 0)
    return;
  g_ptr_array_set_size (f->lines, (int) f->lines->len - 1);
  f->line = before;
}

static void
take_sign (Formatter *f)
{
  char sign = *f->at++;

  switch (sign)
    {
    case '{':
      put (f, "{", 1);
      f->depth++;
      break;
    case '[':
      put (f, "[", 1);
      f->depth++;
      f->wants_blank = FALSE;
      return;
    case '}':
    case ']':
      f->depth -= f->depth > 0 ? 1 : 0;
      if (sign == '}')
        fresh_line (f);
      drop_blank_line (f);
      if (f->line->text->len == 0)
        f->line->depth = f->depth;
      f->wants_blank = FALSE;
      put (f, sign == '}' ? "}" : "]", 1);
      return;
    case ',':
      f->wants_blank = FALSE;
      put (f, ",", 1);
      return;
    default:
      f->line->assign_at = f->line->text->len + 1;
      put (f, "=", 1);
      return;
    }
}

/* Whether what comes next must not stand on the line of a `{` or behind a `}`. */
static void
break_around_braces (Formatter *f)
{
  const char *text = f->line->text->str;
  gboolean empty = *f->at == '}' && g_str_has_suffix (text, "{");

  if (empty || *f->at == ',' || *f->at == '#' || *f->at == '/')
    return;
  if (g_str_has_suffix (text, "{") || g_str_has_suffix (text, "}"))
    fresh_line (f);
}

static void
take_empty_braces (Formatter *f)
{
  f->at++;
  f->depth -= f->depth > 0 ? 1 : 0;
  f->wants_blank = FALSE;
  put (f, "}", 1);
}

static void
take_next (Formatter *f)
{
  const char *start = f->at;

  break_around_braces (f);
  if (*f->at == '}' && g_str_has_suffix (f->line->text->str, "{"))
    take_empty_braces (f);
  else if (strchr ("{}[],=", *f->at) != NULL)
    take_sign (f);
  else if (*f->at == '#' || g_str_has_prefix (f->at, "//"))
    take_line_comment (f);
  else if (g_str_has_prefix (f->at, "/*"))
    take_block_comment (f);
  else if (g_str_has_prefix (f->at, "<<"))
    {
      f->at = heredoc_end (f->at, f->end);
      put_verbatim (f, start, (gsize) (f->at - start));
    }
  else
    {
      f->at = *f->at == '"' ? string_end (f->at, f->end) : word_end (f->at, f->end);
      if (f->at == start)
        f->at++;
      put (f, start, (gsize) (f->at - start));
    }
}

/* Puts the `=` of neighbouring assignments below each other. */
static void
align (GPtrArray *lines)
{
  for (guint i = 0; i < lines->len;)
    {
      Line *first = g_ptr_array_index (lines, i);
      gsize widest = first->assign_at;
      guint end = i + 1;

      for (; first->assign_at > 0 && end < lines->len; end++)
        {
          Line *line = g_ptr_array_index (lines, end);
          if (line->assign_at == 0 || line->depth != first->depth)
            break;
          widest = MAX (widest, line->assign_at);
        }
      for (; i < end; i++)
        {
          Line *line = g_ptr_array_index (lines, i);
          for (gsize n = line->assign_at; n > 0 && n < widest; n++)
            g_string_insert_c (line->text, (gssize) line->assign_at, ' ');
        }
    }
}

/* An assignment that goes on in the next line has no say in the alignment. */
static void
forget_long_assignments (GPtrArray *lines)
{
  for (guint i = 0; i < lines->len; i++)
    {
      Line *line = g_ptr_array_index (lines, i);
      gboolean opens =
          g_str_has_suffix (line->text->str, "[") || g_str_has_suffix (line->text->str, "{");

      if (opens || line->is_verbatim || strstr (line->text->str, "<<") != NULL)
        line->assign_at = 0;
    }
}

static GString *
join (GPtrArray *lines)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < lines->len; i++)
    {
      Line *line = g_ptr_array_index (lines, i);

      for (guint n = 0; n < line->depth * INDENT && line->text->len > 0 && !line->is_verbatim; n++)
        g_string_append_c (out, ' ');
      g_string_append_len (out, line->text->str, (gssize) line->text->len);
      g_string_append_c (out, '\n');
    }
  while (g_str_has_suffix (out->str, "\n\n"))
    g_string_truncate (out, out->len - 1);

  return g_steal_pointer (&out);
}

static GString *
format_hcl (const char *text, gsize size)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func ((GDestroyNotify) line_free);
  Formatter f = { text, text + size, lines, NULL, 0, FALSE };

  new_line (&f);
  while (f.at < f.end)
    {
      if (*f.at == '\n')
        take_line_ends (&f);
      else if (g_ascii_isspace (*f.at))
        f.at++;
      else
        take_next (&f);
    }
  forget_long_assignments (lines);
  align (lines);

  return join (lines);
}

static GString *
format_json (GBytes *text, GError **error)
{
  g_autoptr (BawnJson) json = bawn_json_parse (text, NULL, error);
  g_auto (BawnBuffer) out = BAWN_BUFFER_INIT;

  if (json == NULL)
    return NULL;
  bawn_cli_render_json (&out, bawn_json_root (json));

  return g_string_new_len ((const char *) out.data, (gssize) out.size);
}

/**
 * bawn_cli_policy_fmt:
 * @text: a policy, in HCL or JSON
 * @size: its length
 * @error: (out) (optional): where it makes no sense
 *
 * Changes nothing but blanks and line ends; comments stay where they are.
 *
 * Returns: (transfer full): it, laid out the usual way
 */
GString *
bawn_cli_policy_fmt (const char *text, gsize size, GError **error)
{
  g_autoptr (BawnHcl) hcl = bawn_hcl_parse (text, size, error);
  gsize blanks = 0;

  if (hcl == NULL)
    return NULL;
  while (blanks < size && g_ascii_isspace (text[blanks]))
    blanks++;
  if (blanks < size && text[blanks] == '{')
    {
      g_autoptr (GBytes) bytes = bawn_bytes_new (text, size);
      return format_json (bytes, error);
    }

  return format_hcl (text, size);
}
