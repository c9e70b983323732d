/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-hcl-private.h"

#include "util/bawn-error.h"
#include "util/bawn-utf8.h"

#include <string.h>

static const char *const token_names[] = {
  [BAWN_HCL_TOKEN_ILLEGAL] = "ILLEGAL", [BAWN_HCL_TOKEN_EOF] = "EOF",
  [BAWN_HCL_TOKEN_IDENT] = "IDENT",     [BAWN_HCL_TOKEN_NUMBER] = "NUMBER",
  [BAWN_HCL_TOKEN_FLOAT] = "FLOAT",     [BAWN_HCL_TOKEN_BOOL] = "BOOL",
  [BAWN_HCL_TOKEN_STRING] = "STRING",   [BAWN_HCL_TOKEN_HEREDOC] = "HEREDOC",
  [BAWN_HCL_TOKEN_LBRACK] = "LBRACK",   [BAWN_HCL_TOKEN_LBRACE] = "LBRACE",
  [BAWN_HCL_TOKEN_COMMA] = "COMMA",     [BAWN_HCL_TOKEN_PERIOD] = "PERIOD",
  [BAWN_HCL_TOKEN_RBRACK] = "RBRACK",   [BAWN_HCL_TOKEN_RBRACE] = "RBRACE",
  [BAWN_HCL_TOKEN_ASSIGN] = "ASSIGN",   [BAWN_HCL_TOKEN_ADD] = "ADD",
  [BAWN_HCL_TOKEN_SUB] = "SUB",
};

const char *
bawn_hcl_token_name (BawnHclTokenType type)
{
  return token_names[type];
}

void
bawn_hcl_scanner_init (BawnHclScanner *self, const char *text, gsize size)
{
  *self = (BawnHclScanner){ .end = (const guint8 *) text + size };
  self->now = (BawnHclCursor){ .at = (const guint8 *) text, .line = 1 };
  self->before = self->now;
}

/* Of the character that was read last. */
BawnHclPosition
bawn_hcl_scanner_position (const BawnHclScanner *self)
{
  if (self->now.column > 0)
    return (BawnHclPosition){ self->now.line, self->now.column };
  if (self->now.last_column > 0)
    return (BawnHclPosition){ self->now.line - 1, self->now.last_column };

  return (BawnHclPosition){ 1, 1 };
}

/* Only the first fault counts; afterwards nothing but the end is found. */
void
bawn_hcl_scanner_refuse (BawnHclScanner *self, const char *message)
{
  BawnHclPosition at = bawn_hcl_scanner_position (self);

  if (self->fault == NULL)
    bawn_fail (&self->fault, BAWN_ERROR_INVALID, "At %u:%u: %s", at.line, at.column, message);
}

gint32
bawn_hcl_scanner_next (BawnHclScanner *self)
{
  if (self->fault != NULL)
    return -1;

  BawnHclCursor *now = &self->now;
  guint length = bawn_utf8_sequence (now->at, (gsize) (self->end - now->at));

  self->before = *now;
  now->column++;
  /* Asking for more at the end moves on by a column each time: the positions in messages that
   * clients know include that. */
  if (now->at == self->end)
    return -1;
  if (length == 0 || *now->at == 0)
    {
      bawn_hcl_scanner_refuse (self, length == 0 ? "illegal UTF-8 encoding"
                                                 : "unexpected null character (0x00)");
      return -1;
    }

  gunichar c = g_utf8_get_char ((const char *) now->at);

  now->at += length;
  if (c == '\n')
    {
      now->line++;
      now->last_column = now->column;
      now->column = 0;
    }

  return (gint32) c;
}

/* Takes the last bawn_hcl_scanner_next() back. */
void
bawn_hcl_scanner_unread (BawnHclScanner *self)
{
  self->now = self->before;
}

gint32
bawn_hcl_scanner_peek (BawnHclScanner *self)
{
  return self->fault == NULL && self->now.at < self->end ? *self->now.at : -1;
}

gboolean
bawn_hcl_is_letter (gint32 c)
{
  return c == '_' || (c > 0 && c < 0x80 && g_ascii_isalpha (c))
         || (c >= 0x80 && g_unichar_isalpha ((gunichar) c));
}

static gboolean
is_digit (gint32 c)
{
  return c >= '0' && c <= '9';
}

static gboolean
is_hex_digit (gint32 c)
{
  return c > 0 && c < 0x80 && g_ascii_isxdigit (c);
}

static gboolean
is_identifier_part (gint32 c)
{
  return bawn_hcl_is_letter (c) || is_digit (c) || c == '-' || c == '.'
         || (c >= 0x80 && g_unichar_isdigit ((gunichar) c));
}

/* Reads as long as @wanted says, and gives back what is not. */
static guint
skip_while (BawnHclScanner *self, gboolean (*wanted) (gint32))
{
  gint32 c = bawn_hcl_scanner_next (self);
  guint n = 0;

  for (; wanted (c); n++)
    c = bawn_hcl_scanner_next (self);
  if (c >= 0)
    bawn_hcl_scanner_unread (self);

  return n;
}

/* After the first digit: whole numbers, 0x…, fractions and exponents. */
static BawnHclTokenType
scan_number (BawnHclScanner *self, gint32 first)
{
  BawnHclTokenType type = BAWN_HCL_TOKEN_NUMBER;
  gint32 c = bawn_hcl_scanner_peek (self);

  if (first == '0' && (c == 'x' || c == 'X'))
    {
      bawn_hcl_scanner_next (self);
      if (skip_while (self, is_hex_digit) == 0)
        bawn_hcl_scanner_refuse (self, "illegal hexadecimal number");
      return type;
    }

  skip_while (self, is_digit);
  if (bawn_hcl_scanner_peek (self) == '.')
    {
      type = BAWN_HCL_TOKEN_FLOAT;
      bawn_hcl_scanner_next (self);
      skip_while (self, is_digit);
    }
  c = bawn_hcl_scanner_peek (self);
  if (c == 'e' || c == 'E')
    {
      type = BAWN_HCL_TOKEN_FLOAT;
      bawn_hcl_scanner_next (self);
      c = bawn_hcl_scanner_peek (self);
      if (c == '+' || c == '-')
        bawn_hcl_scanner_next (self);
      if (skip_while (self, is_digit) == 0)
        bawn_hcl_scanner_refuse (self, "illegal exponent");
    }

  return type;
}

static void
skip_line (BawnHclScanner *self)
{
  gint32 c = bawn_hcl_scanner_next (self);

  while (c >= 0 && c != '\n')
    c = bawn_hcl_scanner_next (self);
  if (c == '\n')
    bawn_hcl_scanner_unread (self);
}

/* After the character a comment begins with. */
static void
skip_comment (BawnHclScanner *self, gint32 first)
{
  if (first == '#')
    {
      skip_line (self);
      return;
    }

  gint32 second = bawn_hcl_scanner_next (self);

  if (second == '/')
    {
      skip_line (self);
      return;
    }
  if (second != '*')
    {
      bawn_hcl_scanner_refuse (self, "expected '/' for comment");
      return;
    }

  for (gint32 c = bawn_hcl_scanner_next (self), last = 0; c != '/' || last != '*';)
    {
      if (c < 0)
        {
          bawn_hcl_scanner_refuse (self, "comment not terminated");
          return;
        }
      last = c;
      c = bawn_hcl_scanner_next (self);
    }
}

static gboolean
is_blank (gint32 c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static BawnHclTokenType
scan_mark (BawnHclScanner *self, gint32 c)
{
  static const struct
  {
    char mark;
    BawnHclTokenType type;
  } marks[] = {
    { '[', BAWN_HCL_TOKEN_LBRACK }, { ']', BAWN_HCL_TOKEN_RBRACK }, { '{', BAWN_HCL_TOKEN_LBRACE },
    { '}', BAWN_HCL_TOKEN_RBRACE }, { ',', BAWN_HCL_TOKEN_COMMA },  { '=', BAWN_HCL_TOKEN_ASSIGN },
    { '+', BAWN_HCL_TOKEN_ADD },    { '-', BAWN_HCL_TOKEN_SUB },    { '.', BAWN_HCL_TOKEN_PERIOD },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    if (marks[i].mark == c)
      return marks[i].type;

  bawn_hcl_scanner_refuse (self, "illegal character");
  return BAWN_HCL_TOKEN_ILLEGAL;
}

static BawnHclTokenType
scan_identifier (BawnHclScanner *self, const char *start)
{
  skip_while (self, is_identifier_part);

  gsize size = (gsize) ((const char *) self->now.at - start);
  gboolean truth = (size == 4 && memcmp (start, "true", size) == 0)
                   || (size == 5 && memcmp (start, "false", size) == 0);

  return truth ? BAWN_HCL_TOKEN_BOOL : BAWN_HCL_TOKEN_IDENT;
}

/* Skips blanks and comments; returns the first character of what follows. */
static gint32
skip_to_token (BawnHclScanner *self)
{
  while (TRUE)
    {
      gint32 c = bawn_hcl_scanner_next (self);

      if (c == '#' || c == '/')
        skip_comment (self, c);
      else if (!is_blank (c))
        return c;
    }
}

/* The next token but comments. Nothing but EOF comes at the end and after a fault. */
void
bawn_hcl_scanner_scan (BawnHclScanner *self, BawnHclToken *out_token)
{
  gint32 c = skip_to_token (self);
  BawnHclToken token = { .at = bawn_hcl_scanner_position (self) };

  token.start = (const char *) (c < 0 ? self->now.at : self->before.at);
  if (c < 0)
    token.type = BAWN_HCL_TOKEN_EOF;
  else if (bawn_hcl_is_letter (c))
    token.type = scan_identifier (self, token.start);
  else if (is_digit (c))
    token.type = scan_number (self, c);
  else if (c == '-' && is_digit (bawn_hcl_scanner_peek (self)))
    token.type = scan_number (self, bawn_hcl_scanner_next (self));
  else if (c == '.' && is_digit (bawn_hcl_scanner_peek (self)))
    {
      bawn_hcl_scanner_unread (self);
      token.type = scan_number (self, 0);
    }
  else if (c == '"')
    bawn_hcl_scanner_scan_string (self, &token);
  else if (c == '<')
    bawn_hcl_scanner_scan_heredoc (self, &token);
  else
    token.type = scan_mark (self, c);

  if (self->fault != NULL)
    {
      g_clear_pointer (&token.text, g_free);
      token.type = BAWN_HCL_TOKEN_EOF;
    }
  token.size = (gsize) ((const char *) self->now.at - token.start);
  *out_token = token;
}
