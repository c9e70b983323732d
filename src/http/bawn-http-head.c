/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-head.h"

#include <string.h>

/*
 * The message format is that of RFC 9112. Where it lets a server choose between leniency and refusal (folded lines,
 * blanks before a colon, bare CR, a length beside chunks, repeated lengths) we refuse, because a proxy in front may have
 * chosen otherwise, and two readings of one request are how requests are smuggled.
 */

static gboolean
refuse (BawnHttpRefusal *out_refusal, guint status, const char *text)
{
  *out_refusal = (BawnHttpRefusal) { status, text };
  return FALSE;
}

static gboolean
is_token_char (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("!#$%&'*+-.^_`|~", c) != NULL);
}

/* The length of the token that @text begins with. */
static gsize
token_length (const char *text)
{
  gsize n = 0;

  while (is_token_char (text[n]))
    n++;

  return n;
}

/* Whether the comma-separated @list holds @word, in any case. */
static gboolean
list_has (const char *list, const char *word)
{
  gsize length = strlen (word);

  while (*list != '\0')
    {
      list += strspn (list, " \t,");
      gsize item = strcspn (list, " \t,");

      if (item == length && g_ascii_strncasecmp (list, word, length) == 0)
        return TRUE;
      list += item;
    }

  return FALSE;
}

/* Cuts the next line off @inout_rest; NULL at the end. Takes CRLF, and a lone LF as most servers do. */
static char *
next_line (char **inout_rest)
{
  char *line = *inout_rest;
  char *end = strchr (line, '\n');

  if (end == NULL)
    return NULL;
  *inout_rest = end + 1;
  if (end > line && end[-1] == '\r')
    end--;
  *end = '\0';

  return line;
}

static gboolean
parse_version (BawnHttpHead *head, const char *version, BawnHttpRefusal *out_refusal)
{
  if (!g_str_has_prefix (version, "HTTP/") || !g_ascii_isdigit (version[5]) || version[6] != '.'
      || !g_ascii_isdigit (version[7]) || version[8] != '\0')
    return refuse (out_refusal, 400, "malformed HTTP version");
  if (version[5] != '1' || version[7] > '1')
    return refuse (out_refusal, 505, "unsupported HTTP version");
  head->minor = (guint) (version[7] - '0');

  return TRUE;
}

static gboolean
parse_request_line (BawnHttpHead *head, char *line, BawnHttpRefusal *out_refusal)
{
  gsize method_end = token_length (line);
  char *target = line + method_end + 1;

  if (method_end == 0 || line[method_end] != ' ')
    return refuse (out_refusal, 400, "malformed request line");
  line[method_end] = '\0';

  char *target_end = strchr (target, ' ');
  if (target_end == NULL || target_end == target)
    return refuse (out_refusal, 400, "malformed request line");
  *target_end = '\0';
  for (const char *p = target; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      return refuse (out_refusal, 400, "malformed request line");

  head->method = line;
  head->target = target;
  return parse_version (head, target_end + 1, out_refusal);
}

static gboolean
parse_field (BawnHttpHead *head, char *line, BawnHttpRefusal *out_refusal)
{
  gsize name_end = token_length (line);
  char *value = line + name_end + 1;

  if (name_end == 0 || line[name_end] != ':')
    return refuse (out_refusal, 400, "malformed header line");
  if (head->n_fields == BAWN_HTTP_MAX_FIELDS)
    return refuse (out_refusal, 431, "too many header fields");
  line[name_end] = '\0';

  value += strspn (value, " \t");
  gsize length = strlen (value);
  while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
    length--;
  value[length] = '\0';
  for (const char *p = value; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p) && *p != '\t')
      return refuse (out_refusal, 400, "malformed header line");

  head->fields[head->n_fields++] = (BawnHttpField) { line, value };
  return TRUE;
}

/* At most one @name; its value or NULL goes to @out_value. */
static gboolean
single (const BawnHttpHead *head, const char *name, const char **out_value)
{
  const char *value = NULL;

  for (guint i = 0; i < head->n_fields; i++)
    if (g_ascii_strcasecmp (head->fields[i].name, name) == 0)
      {
        if (value != NULL)
          return FALSE;
        value = head->fields[i].value;
      }
  *out_value = value;

  return TRUE;
}

static gboolean
parse_host (const BawnHttpHead *head, BawnHttpRefusal *out_refusal)
{
  const char *host = NULL;

  if (!single (head, "Host", &host) || (host == NULL && head->minor == 1))
    return refuse (out_refusal, 400, "missing or repeated Host header");
  for (const char *p = host; p != NULL && *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr (".-_~:[]%!$&'()*+,;=", *p) == NULL)
      return refuse (out_refusal, 400, "malformed Host header");

  return TRUE;
}

static gboolean
parse_length (BawnHttpHead *head, const char *text, BawnHttpRefusal *out_refusal)
{
  gsize digits = strspn (text, "0123456789");

  /* g_ascii_string_to_unsigned() takes no sign and tells of overflow, but takes a leading blank. */
  if (digits == 0 || text[digits] != '\0'
      || !g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &head->length, NULL))
    return refuse (out_refusal, 400, "malformed Content-Length header");

  return TRUE;
}

/* How long the body is, and what becomes of the connection after it. */
static gboolean
parse_framing (BawnHttpHead *head, BawnHttpRefusal *out_refusal)
{
  const char *length = NULL;
  const char *coding = NULL;
  const char *expect = NULL;
  const char *connection = NULL;

  if (!single (head, "Content-Length", &length) || !single (head, "Transfer-Encoding", &coding)
      || !single (head, "Expect", &expect))
    return refuse (out_refusal, 400, "repeated header");
  if (length != NULL && coding != NULL)
    return refuse (out_refusal, 400, "both Content-Length and Transfer-Encoding");
  if (coding != NULL && head->minor == 0)
    return refuse (out_refusal, 400, "Transfer-Encoding in HTTP/1.0");
  if (coding != NULL && g_ascii_strcasecmp (coding, "chunked") != 0)
    return refuse (out_refusal, 501, "unsupported Transfer-Encoding");
  if (length != NULL && !parse_length (head, length, out_refusal))
    return FALSE;
  if (expect != NULL && g_ascii_strcasecmp (expect, "100-continue") != 0)
    return refuse (out_refusal, 417, "unsupported expectation");

  head->chunked = coding != NULL;
  head->expects_continue = expect != NULL && head->minor == 1 && (head->chunked || head->length > 0);
  head->keep_alive = head->minor == 1;
  for (guint i = 0; i < head->n_fields; i++)
    if (g_ascii_strcasecmp (head->fields[i].name, "Connection") == 0)
      {
        connection = head->fields[i].value;
        if (list_has (connection, "close"))
          {
            head->keep_alive = FALSE;
            break;
          }
        if (list_has (connection, "keep-alive"))
          head->keep_alive = TRUE;
      }

  return TRUE;
}

/**
 * bawn_http_head_end:
 * @data: what has come in so far
 * @size: its length
 * @inout_scanned: how far an earlier call has looked; 0 at first
 *
 * Returns: the length of the head with its empty line, or 0 while that line has not come
 */
gsize
bawn_http_head_end (const guint8 *data, gsize size, gsize *inout_scanned)
{
  gsize at = *inout_scanned;

  while (at < size)
    {
      const guint8 *lf = memchr (data + at, '\n', size - at);

      if (lf == NULL)
        break;
      at = (gsize) (lf - data) + 1;
      if (at < size && data[at] == '\n')
        return at + 1;
      if (at + 1 < size && data[at] == '\r' && data[at + 1] == '\n')
        return at + 2;
      /* The end may be half here: look at this line feed once more when more has come. */
      if (at + 1 >= size)
        {
          *inout_scanned = at - 1;
          return 0;
        }
    }
  *inout_scanned = size;

  return 0;
}

/**
 * bawn_http_head_parse:
 * @head: to be filled; empty or cleared
 * @data: a head, its empty line included
 * @size: its length
 * @out_refusal: what to answer if it is refused
 *
 * Reads a request's head.
 *
 * Returns: whether it is a request that can be taken further
 */
gboolean
bawn_http_head_parse (BawnHttpHead *head, const guint8 *data, gsize size, BawnHttpRefusal *out_refusal)
{
  if (memchr (data, '\0', size) != NULL)
    return refuse (out_refusal, 400, "NUL in the request's head");

  bawn_buffer_append (&head->text, data, size);
  bawn_buffer_append_byte (&head->text, '\0');

  char *rest = (char *) head->text.data;
  char *line = next_line (&rest);
  if (line == NULL || !parse_request_line (head, line, out_refusal))
    return line != NULL ? FALSE : refuse (out_refusal, 400, "malformed request line");

  for (line = next_line (&rest); line != NULL && *line != '\0'; line = next_line (&rest))
    if (!parse_field (head, line, out_refusal))
      return FALSE;

  return parse_host (head, out_refusal) && parse_framing (head, out_refusal);
}

/**
 * bawn_http_head_get:
 * @head: a head
 * @name: of a field, in any case
 *
 * Returns: (nullable): the value of the first field of that name
 */
const char *
bawn_http_head_get (const BawnHttpHead *head, const char *name)
{
  for (guint i = 0; i < head->n_fields; i++)
    if (g_ascii_strcasecmp (head->fields[i].name, name) == 0)
      return head->fields[i].value;

  return NULL;
}

/**
 * bawn_http_head_clear:
 * @head: a head
 *
 * Wipes it, ready for the next one.
 */
void
bawn_http_head_clear (BawnHttpHead *head)
{
  bawn_buffer_clear (&head->text);
  *head = (BawnHttpHead) { .text = BAWN_BUFFER_INIT };
}
