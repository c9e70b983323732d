/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-json-private.h"

#include "util/bawn-error.h"
#include "util/bawn-utf8.h"

#include <string.h>

/* Nodes come in blocks: the first is guessed from the length of the text (a value for every sixteen
 * bytes is typical of a request), each further one is twice as big, up to 64 KiB or so. */
#define BYTES_PER_NODE 16
#define MIN_BLOCK 8
#define MAX_BLOCK 1024

typedef struct
{
  BawnJsonNode *node;
  BawnJsonNode *last;
} Frame;

typedef struct
{
  BawnJson *json;
  const guint8 *start;
  const guint8 *at;
  const guint8 *end;
  char *strings;
  guint n_nodes;
  guint max_nodes;
  guint depth;
  guint max_depth;
  /* the name that the next value of an object belongs to */
  const char *name;
  gsize name_size;
  GError **error;
  Frame frames[BAWN_JSON_MAX_DEPTH];
} Parser;

/* Says where and what was expected, never what was found: that may be a secret. */
static gboolean
refuse (Parser *p, const char *what)
{
  return bawn_fail (p->error, BAWN_ERROR_INVALID, "invalid JSON at byte %" G_GSIZE_FORMAT ": %s",
                    (gsize) (p->at - p->start), what);
}

static void
skip_blanks (Parser *p)
{
  while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
    p->at++;
}

static gboolean
next_is (Parser *p, char c)
{
  return p->at < p->end && *p->at == (guint8) c;
}

static gboolean
next_is_digit (Parser *p)
{
  return p->at < p->end && g_ascii_isdigit (*p->at);
}

static BawnJsonNode *
take_node (BawnJson *json)
{
  BawnJsonBlock *block = json->blocks;

  if (block->used == block->size)
    {
      guint size = MIN (block->size * 2, MAX_BLOCK);

      block = g_malloc (sizeof *block + size * sizeof block->nodes[0]);
      block->used = 0;
      block->size = size;
      block->next = json->blocks;
      json->blocks = block;
    }

  return &block->nodes[block->used++];
}

static BawnJsonNode *
add_node (Parser *p, BawnJsonKind kind)
{
  if (p->n_nodes == p->max_nodes)
    {
      refuse (p, "too many values");
      return NULL;
    }

  BawnJsonNode *node = take_node (p->json);

  p->n_nodes++;
  *node = (BawnJsonNode){ .kind = kind, .raw = (const char *) p->at };
  if (p->depth == 0)
    {
      p->json->root = node;
      return node;
    }

  Frame *frame = &p->frames[p->depth - 1];

  node->name = p->name;
  node->name_size = p->name_size;
  p->name = NULL;
  p->name_size = 0;
  if (frame->last == NULL)
    frame->node->children = node;
  else
    frame->last->next = node;
  frame->last = node;
  frame->node->n_children++;

  return node;
}

/* Finds the end of a run of bytes that stand for themselves: not a quote, not a backslash, not a
 * control character, not above ASCII. Eight at a time: the classic test for a zero byte in a word.
 */
static const guint8 *
plain_run (const guint8 *at, const guint8 *end)
{
  const guint64 ones = G_GUINT64_CONSTANT (0x0101010101010101);
  const guint64 highs = ones * 0x80;

  while (end - at >= 8)
    {
      guint64 word = 0;

      memcpy (&word, at, sizeof word);

      guint64 quote = word ^ (ones * '"');
      guint64 backslash = word ^ (ones * '\\');

      if ((((word - ones * 0x20) | (quote - ones) | (backslash - ones) | word) & highs) != 0)
        break;
      at += 8;
    }
  while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
    at++;

  return at;
}

static gboolean
scan_hex4 (Parser *p, guint32 *out_unit)
{
  guint32 unit = 0;

  for (guint i = 0; i < 4; i++, p->at++)
    {
      int digit = p->at < p->end ? g_ascii_xdigit_value ((char) *p->at) : -1;

      if (digit < 0)
        return refuse (p, "four hexadecimal digits expected");
      unit = unit << 4 | (guint32) digit;
    }

  *out_unit = unit;
  return TRUE;
}

/* What follows `\u`. A surrogate without its other half becomes U+FFFD, as in Go's encoding/json;
 * what followed it is then read on its own. */
static gboolean
scan_unicode_escape (Parser *p)
{
  guint32 unit = 0;

  if (!scan_hex4 (p, &unit))
    return FALSE;

  if (unit >= 0xd800 && unit <= 0xdbff && p->end - p->at >= 2 && p->at[0] == '\\'
      && p->at[1] == 'u')
    {
      const guint8 *second = p->at;
      guint32 low = 0;

      p->at += 2;
      if (!scan_hex4 (p, &low))
        return FALSE;
      if (low >= 0xdc00 && low <= 0xdfff)
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
      else
        p->at = second;
    }

  p->strings += bawn_utf8_encode (unit, (guint8 *) p->strings);
  return TRUE;
}

static gboolean
scan_escape (Parser *p)
{
  static const char from[] = "\"\\/bfnrt";
  static const char to[] = "\"\\/\b\f\n\r\t";

  p->at++;
  if (next_is (p, 'u'))
    {
      p->at++;
      return scan_unicode_escape (p);
    }

  const char *found = p->at < p->end && *p->at != 0 ? strchr (from, *p->at) : NULL;

  if (found == NULL)
    return refuse (p, "unknown escape");
  *p->strings++ = to[found - from];
  p->at++;

  return TRUE;
}

/* Copies characters beyond ASCII, which come in groups. */
static gboolean
scan_characters (Parser *p)
{
  while (p->at < p->end && *p->at >= 0x80)
    {
      guint length = bawn_utf8_sequence (p->at, (gsize) (p->end - p->at));

      if (length == 0)
        return FALSE;
      for (; length > 0; length--)
        *p->strings++ = (char) *p->at++;
    }

  return TRUE;
}

/* Decodes a string into the document's text block. That is as long as the source, which suffices:
 * no escape gets longer, and the NUL takes the place of a quote. */
static gboolean
scan_string (Parser *p, const char **out_text, gsize *out_size)
{
  const char *text = p->strings;

  p->at++;
  while (TRUE)
    {
      const guint8 *stop = plain_run (p->at, p->end);
      gsize run = (gsize) (stop - p->at);

      memcpy (p->strings, p->at, run);
      p->strings += run;
      p->at = stop;
      if (p->at == p->end)
        return refuse (p, "the string does not end");
      if (*p->at == '"')
        break;
      if (*p->at < 0x20)
        return refuse (p, "control character in a string");
      if (*p->at == '\\')
        {
          if (!scan_escape (p))
            return FALSE;
          continue;
        }

      if (!scan_characters (p))
        return refuse (p, "not UTF-8");
    }

  p->at++;
  *out_text = text;
  *out_size = (gsize) (p->strings - text);
  *p->strings++ = 0;
  return TRUE;
}

static gboolean
scan_digits (Parser *p)
{
  if (!next_is_digit (p))
    return refuse (p, "digit expected");
  while (next_is_digit (p))
    p->at++;

  return TRUE;
}

static gboolean
scan_number (Parser *p)
{
  if (next_is (p, '-'))
    p->at++;
  if (next_is (p, '0'))
    {
      p->at++;
      if (next_is_digit (p))
        return refuse (p, "leading zero");
    }
  else if (!scan_digits (p))
    return FALSE;

  if (next_is (p, '.'))
    {
      p->at++;
      if (!scan_digits (p))
        return FALSE;
    }
  if (next_is (p, 'e') || next_is (p, 'E'))
    {
      p->at++;
      if (next_is (p, '+') || next_is (p, '-'))
        p->at++;
      if (!scan_digits (p))
        return FALSE;
    }

  return TRUE;
}

static gboolean
scan_word (Parser *p, const char *word)
{
  for (; *word != '\0'; word++, p->at++)
    if (!next_is (p, *word))
      return refuse (p, "value expected");

  return TRUE;
}

static gboolean
scan_scalar (Parser *p)
{
  guint8 first = *p->at;
  BawnJsonKind kind = first == '"'   ? BAWN_JSON_STRING
                      : first == 't' ? BAWN_JSON_TRUE
                      : first == 'f' ? BAWN_JSON_FALSE
                      : first == 'n' ? BAWN_JSON_NULL
                                     : BAWN_JSON_NUMBER;

  if (kind == BAWN_JSON_NUMBER && first != '-' && !g_ascii_isdigit (first))
    return refuse (p, "value expected");

  BawnJsonNode *node = add_node (p, kind);
  gboolean ok = FALSE;

  if (node == NULL)
    return FALSE;
  if (kind == BAWN_JSON_STRING)
    ok = scan_string (p, &node->string, &node->string_size);
  else if (kind == BAWN_JSON_NUMBER)
    ok = scan_number (p);
  else
    ok = scan_word (p, kind == BAWN_JSON_TRUE    ? "true"
                       : kind == BAWN_JSON_FALSE ? "false"
                                                 : "null");
  node->raw_size = (gsize) ((const char *) p->at - node->raw);

  return ok;
}

static gboolean
scan_name (Parser *p)
{
  skip_blanks (p);
  if (!next_is (p, '"'))
    return refuse (p, "member name expected");
  if (!scan_string (p, &p->name, &p->name_size))
    return FALSE;
  skip_blanks (p);
  if (!next_is (p, ':'))
    return refuse (p, "colon expected");
  p->at++;

  return TRUE;
}

static void
close_container (Parser *p)
{
  BawnJsonNode *node = p->frames[--p->depth].node;

  p->at++;
  node->raw_size = (gsize) ((const char *) p->at - node->raw);
}

/* Reads one value, or of an array or object what comes before its first value. */
static gboolean
scan_value (Parser *p, gboolean *out_opened)
{
  *out_opened = FALSE;
  skip_blanks (p);
  if (p->at == p->end)
    return refuse (p, "value expected");
  if (*p->at != '{' && *p->at != '[')
    return scan_scalar (p);
  if (p->depth == p->max_depth)
    return refuse (p, "nested too deeply");

  gboolean object = *p->at == '{';
  BawnJsonNode *node = add_node (p, object ? BAWN_JSON_OBJECT : BAWN_JSON_ARRAY);

  if (node == NULL)
    return FALSE;
  p->frames[p->depth++] = (Frame){ node, NULL };
  p->at++;
  skip_blanks (p);
  if (next_is (p, object ? '}' : ']'))
    {
      close_container (p);
      return TRUE;
    }

  *out_opened = TRUE;
  return !object || scan_name (p);
}

/* After a value: closes what ends here, and stops before the next value or at the end. */
static gboolean
scan_after_value (Parser *p)
{
  while (p->depth > 0)
    {
      gboolean object = p->frames[p->depth - 1].node->kind == BAWN_JSON_OBJECT;

      skip_blanks (p);
      if (next_is (p, ','))
        {
          p->at++;
          return !object || scan_name (p);
        }
      if (!next_is (p, object ? '}' : ']'))
        return refuse (p, object ? "comma or closing brace expected"
                                 : "comma or closing bracket expected");
      close_container (p);
    }

  return TRUE;
}

static gboolean
scan_document (Parser *p)
{
  skip_blanks (p);
  if (p->at == p->end)
    return bawn_fail (p->error, BAWN_ERROR_INVALID, BAWN_JSON_EMPTY_TEXT);

  do
    {
      gboolean opened = FALSE;

      if (!scan_value (p, &opened))
        return FALSE;
      if (!opened && !scan_after_value (p))
        return FALSE;
    }
  while (p->depth > 0);

  skip_blanks (p);
  if (p->at < p->end)
    return refuse (p, "something follows the document");

  return TRUE;
}

static guint
limit_or (guint limit, guint fallback)
{
  return limit == 0 ? fallback : MIN (limit, fallback);
}

/**
 * bawn_json_parse:
 * @text: the document
 * @limits: (nullable): what to allow, at most %BAWN_JSON_MAX_DEPTH and %BAWN_JSON_MAX_NODES, which
 *   %NULL and 0 stand for
 * @error: (out) (optional): %BAWN_ERROR_INVALID with the offset of the fault, and nothing of the
 * text
 *
 * Reads a document as RFC 8259 has it, in one pass and without recursion. What is not UTF-8 is
 * refused. A lone surrogate in an escape reads as U+FFFD, and of members with one name the last
 * one counts, both as in Go's encoding/json. Holds a reference to @text, into which the nodes
 * point.
 *
 * Returns: (transfer full) (nullable): the document
 */
BawnJson *
bawn_json_parse (GBytes *text, const BawnJsonLimits *limits, GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);

  gsize size = 0;
  const guint8 *data = g_bytes_get_data (text, &size);

  if (size == 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, BAWN_JSON_EMPTY_TEXT);

  guint guess = (guint) CLAMP (size / BYTES_PER_NODE, MIN_BLOCK, MAX_BLOCK);
  g_autoptr (BawnJson) json = bawn_json_alloc (text, guess);
  Parser p;

  /* The frames are left as they are: only those below the depth are ever read. */
  memset (&p, 0, G_STRUCT_OFFSET (Parser, frames));
  p.json = json;
  p.start = data;
  p.at = data;
  p.end = data + size;
  p.strings = json->strings;
  p.max_depth = limit_or (limits == NULL ? 0 : limits->max_depth, BAWN_JSON_MAX_DEPTH);
  p.max_nodes = limit_or (limits == NULL ? 0 : limits->max_nodes, BAWN_JSON_MAX_NODES);
  p.error = error;

  gboolean ok = scan_document (&p);

  json->strings_used = (gsize) (p.strings - json->strings);
  return ok ? g_steal_pointer (&json) : NULL;
}

/**
 * bawn_json_parse_string:
 * @text: the document
 * @error: (out) (optional): as for bawn_json_parse()
 *
 * Reads a copy of @text, with the usual limits.
 *
 * Returns: (transfer full) (nullable): the document
 */
BawnJson *
bawn_json_parse_string (const char *text, GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);

  g_autoptr (GBytes) bytes = bawn_bytes_new_string (text);

  return bawn_json_parse (bytes, NULL, error);
}
