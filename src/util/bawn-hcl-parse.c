/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-hcl-private.h"

#include "util/bawn-error.h"

#include <string.h>

/* How many bytes of the text an error shows at most. */
#define MAX_SHOWN 64

typedef struct
{
  BawnHcl *hcl;
  BawnHclScanner scanner;
  BawnHclToken token;
  /* the token was looked at and not taken */
  gboolean held;
  guint depth;
  GError **error;
} Parser;

static void
scan (Parser *p)
{
  if (p->held)
    {
      p->held = FALSE;
      return;
    }

  g_clear_pointer (&p->token.text, g_free);
  bawn_hcl_scanner_scan (&p->scanner, &p->token);
}

static gboolean
next_is (Parser *p, BawnHclTokenType type)
{
  scan (p);
  p->held = TRUE;

  return p->token.type == type;
}

static gboolean refuse (Parser *p, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (Parser *p, const char *format, ...)
{
  va_list args;

  va_start (args, format);

  g_autofree char *message = g_strdup_vprintf (format, args);

  va_end (args);

  return bawn_fail (p->error, BAWN_ERROR_INVALID, "At %u:%u: %s", p->token.at.line,
                    p->token.at.column, message);
}

/* What of the text is shown in an error: whole characters. */
static char *
shorten (const char *text, gsize size)
{
  if (size > MAX_SHOWN)
    for (size = MAX_SHOWN; ((guint8) text[size] & 0xc0) == 0x80; size--)
      ;

  return g_strndup (text, size);
}

static gboolean
enter (Parser *p)
{
  if (p->depth == BAWN_HCL_MAX_DEPTH)
    return refuse (p, "nested too deeply");
  p->depth++;

  return TRUE;
}

static char *
token_text (Parser *p)
{
  char *text = p->token.text != NULL ? g_steal_pointer (&p->token.text)
                                     : g_strndup (p->token.start, p->token.size);

  return bawn_hcl_own (p->hcl, text);
}

static BawnHclNode *parse_value (Parser *p);
static gboolean parse_items (Parser *p, BawnHclNode *object, gboolean braces);

static BawnHclNode *
parse_literal (Parser *p, BawnHclKind kind)
{
  BawnHclNode *node = bawn_hcl_add_node (p->hcl, kind, p->token.at.line);

  node->text = token_text (p);
  return node;
}

/* After the opening brace. */
static BawnHclNode *
parse_object (Parser *p)
{
  BawnHclNode *node = bawn_hcl_add_node (p->hcl, BAWN_HCL_OBJECT, p->token.at.line);

  if (!enter (p) || !parse_items (p, node, TRUE))
    return NULL;
  scan (p);
  if (p->token.type != BAWN_HCL_TOKEN_RBRACE)
    {
      refuse (p, "object expected closing RBRACE got: %s", bawn_hcl_token_name (p->token.type));
      return NULL;
    }
  p->depth--;

  return node;
}

static BawnHclNode *
parse_element (Parser *p)
{
  switch (p->token.type)
    {
    case BAWN_HCL_TOKEN_NUMBER:
    case BAWN_HCL_TOKEN_FLOAT:
    case BAWN_HCL_TOKEN_BOOL:
    case BAWN_HCL_TOKEN_STRING:
    case BAWN_HCL_TOKEN_HEREDOC:
    case BAWN_HCL_TOKEN_LBRACE:
    case BAWN_HCL_TOKEN_LBRACK:
      p->held = TRUE;
      return parse_value (p);
    case BAWN_HCL_TOKEN_ILLEGAL:
    case BAWN_HCL_TOKEN_EOF:
    case BAWN_HCL_TOKEN_IDENT:
    case BAWN_HCL_TOKEN_COMMA:
    case BAWN_HCL_TOKEN_PERIOD:
    case BAWN_HCL_TOKEN_RBRACK:
    case BAWN_HCL_TOKEN_RBRACE:
    case BAWN_HCL_TOKEN_ASSIGN:
    case BAWN_HCL_TOKEN_ADD:
    case BAWN_HCL_TOKEN_SUB:
      break;
    }

  refuse (p, "unexpected token while parsing list: %s", bawn_hcl_token_name (p->token.type));
  return NULL;
}

/* After the opening bracket. A comma too many does no harm. */
static BawnHclNode *
parse_list (Parser *p)
{
  BawnHclNode *list = bawn_hcl_add_node (p->hcl, BAWN_HCL_LIST, p->token.at.line);
  BawnHclNode *last = NULL;
  gboolean need_comma = FALSE;

  if (!enter (p))
    return NULL;
  while (TRUE)
    {
      scan (p);
      if (p->token.type == BAWN_HCL_TOKEN_RBRACK)
        break;
      if (p->token.type == BAWN_HCL_TOKEN_COMMA)
        {
          need_comma = FALSE;
          continue;
        }
      if (need_comma)
        {
          refuse (p, "error parsing list, expected comma or list end, got: %s",
                  bawn_hcl_token_name (p->token.type));
          return NULL;
        }

      BawnHclNode *element = parse_element (p);

      if (element == NULL)
        return NULL;
      if (last == NULL)
        list->elements = element;
      else
        last->next = element;
      last = element;
      list->n_children++;
      need_comma = TRUE;
    }
  p->depth--;

  return list;
}

static BawnHclNode *
parse_value (Parser *p)
{
  scan (p);
  switch (p->token.type)
    {
    case BAWN_HCL_TOKEN_NUMBER:
    case BAWN_HCL_TOKEN_FLOAT:
      return parse_literal (p, BAWN_HCL_NUMBER);
    case BAWN_HCL_TOKEN_BOOL:
      return parse_literal (p, BAWN_HCL_BOOL);
    case BAWN_HCL_TOKEN_STRING:
    case BAWN_HCL_TOKEN_HEREDOC:
      return parse_literal (p, BAWN_HCL_STRING);
    case BAWN_HCL_TOKEN_LBRACE:
      return parse_object (p);
    case BAWN_HCL_TOKEN_LBRACK:
      return parse_list (p);
    case BAWN_HCL_TOKEN_ILLEGAL:
    case BAWN_HCL_TOKEN_EOF:
    case BAWN_HCL_TOKEN_IDENT:
    case BAWN_HCL_TOKEN_COMMA:
    case BAWN_HCL_TOKEN_PERIOD:
    case BAWN_HCL_TOKEN_RBRACK:
    case BAWN_HCL_TOKEN_RBRACE:
    case BAWN_HCL_TOKEN_ASSIGN:
    case BAWN_HCL_TOKEN_ADD:
    case BAWN_HCL_TOKEN_SUB:
      break;
    }

  g_autofree char *shown = shorten (p->token.start, p->token.size);

  refuse (p, "Unknown token: %u:%u %s %s", p->token.at.line, p->token.at.column,
          bawn_hcl_token_name (p->token.type), shown);
  return NULL;
}

/* Reads keys up to = or {, which is then the current token; anything else ends them too, if there
 * is at least one and something can be said about them together. */
static gboolean
parse_keys (Parser *p, GPtrArray *keys)
{
  while (TRUE)
    {
      scan (p);
      switch (p->token.type)
        {
        case BAWN_HCL_TOKEN_IDENT:
        case BAWN_HCL_TOKEN_STRING:
          g_ptr_array_add (keys, token_text (p));
          continue;
        case BAWN_HCL_TOKEN_ASSIGN:
          if (keys->len > 1)
            return refuse (p, "nested object expected: LBRACE got: ASSIGN");
          return keys->len == 1 || refuse (p, "expected to find at least one object key!");
        case BAWN_HCL_TOKEN_LBRACE:
          return keys->len > 0 || refuse (p, "expected: IDENT | STRING got: LBRACE");
        case BAWN_HCL_TOKEN_EOF:
        case BAWN_HCL_TOKEN_RBRACE:
          if (keys->len > 0)
            return TRUE;
          break;
        case BAWN_HCL_TOKEN_ILLEGAL:
        case BAWN_HCL_TOKEN_NUMBER:
        case BAWN_HCL_TOKEN_FLOAT:
        case BAWN_HCL_TOKEN_BOOL:
        case BAWN_HCL_TOKEN_HEREDOC:
        case BAWN_HCL_TOKEN_LBRACK:
        case BAWN_HCL_TOKEN_COMMA:
        case BAWN_HCL_TOKEN_PERIOD:
        case BAWN_HCL_TOKEN_RBRACK:
        case BAWN_HCL_TOKEN_ADD:
        case BAWN_HCL_TOKEN_SUB:
          break;
        }

      return refuse (p, "expected: IDENT | STRING | ASSIGN | LBRACE got: %s",
                     bawn_hcl_token_name (p->token.type));
    }
}

static BawnHclItem *
parse_item (Parser *p)
{
  BawnHclItem *item = bawn_hcl_own (p->hcl, g_new0 (BawnHclItem, 1));
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();

  scan (p);
  p->held = TRUE;
  item->line = p->token.at.line;
  if (!parse_keys (p, keys))
    return NULL;

  item->n_keys = keys->len;
  g_ptr_array_add (keys, NULL);
  item->keys = bawn_hcl_own (p->hcl, g_ptr_array_free (g_steal_pointer (&keys), FALSE));

  if (p->token.type == BAWN_HCL_TOKEN_ASSIGN)
    {
      item->assign_line = p->token.at.line;
      item->value = parse_value (p);
    }
  else if (p->token.type == BAWN_HCL_TOKEN_LBRACE)
    item->value = parse_object (p);
  else
    {
      g_autofree char *names = g_strjoinv (" ", (char **) item->keys);
      g_autofree char *shown = shorten (names, strlen (names));

      refuse (p, "key '%s' expected start of object ('{') or assignment ('=')", shown);
    }

  return item->value != NULL ? item : NULL;
}

/* Items up to the end, or to the closing brace, which is left there. */
static gboolean
parse_items (Parser *p, BawnHclNode *object, gboolean braces)
{
  BawnHclItem *last = NULL;

  while (!next_is (p, BAWN_HCL_TOKEN_EOF) && !(braces && p->token.type == BAWN_HCL_TOKEN_RBRACE))
    {
      BawnHclItem *item = parse_item (p);

      if (item == NULL)
        return FALSE;
      if (last == NULL)
        object->items = item;
      else
        last->next = item;
      last = item;
      object->n_children++;
      if (next_is (p, BAWN_HCL_TOKEN_COMMA))
        p->held = FALSE;
    }
  /* The end was looked at and is taken here; who wants a brace finds it again, one column on. */
  if (p->token.type == BAWN_HCL_TOKEN_EOF)
    p->held = FALSE;

  return TRUE;
}

/* Reads the syntax of HCL 1 into @hcl. The scanner's faults go before the parser's. */
gboolean
bawn_hcl_read_hcl (BawnHcl *hcl, const char *text, gsize size, GError **error)
{
  g_autoptr (GError) fault = NULL;
  Parser p = { .hcl = hcl, .error = &fault };
  BawnHclNode *root = bawn_hcl_add_node (hcl, BAWN_HCL_OBJECT, 1);

  bawn_hcl_scanner_init (&p.scanner, text, size);
  hcl->root = root;

  gboolean ok = parse_items (&p, root, FALSE);

  g_clear_pointer (&p.token.text, g_free);
  if (p.scanner.fault != NULL)
    {
      g_propagate_error (error, p.scanner.fault);
      return FALSE;
    }
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&fault));

  return ok;
}
