/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-body.h"

#include <string.h>

/* Chunk extensions and trailers are skipped; nobody sends much of either. */
#define MAX_OVERHEAD 1024

/* The text is the API's, whatever the body is. */
static const BawnHttpRefusal too_large = { 413, "error parsing JSON" };
static const BawnHttpRefusal bad_chunk = { 400, "malformed chunk" };

static gboolean
refuse (BawnHttpRefusal *out_refusal, const BawnHttpRefusal *why)
{
  *out_refusal = *why;
  return FALSE;
}

/**
 * bawn_http_body_begin:
 * @body: cleared
 * @head: the head that it follows
 * @max_size: the most that is taken
 * @out_refusal: what to answer if it is refused
 *
 * Returns: whether the body may come
 */
gboolean
bawn_http_body_begin (BawnHttpBody *body, const BawnHttpHead *head, gsize max_size, BawnHttpRefusal *out_refusal)
{
  if (!head->chunked && head->length > max_size)
    return refuse (out_refusal, &too_large);

  body->left = head->length;
  if (head->chunked)
    body->state = BAWN_HTTP_BODY_CHUNK_SIZE;
  else
    body->state = head->length > 0 ? BAWN_HTTP_BODY_LENGTH : BAWN_HTTP_BODY_DONE;

  return TRUE;
}

/* The line with a chunk's size is complete. */
static gboolean
chunk_begin (BawnHttpBody *body, gsize max_size, BawnHttpRefusal *out_refusal)
{
  guint64 size = 0;

  body->line[body->line_size] = '\0';
  if (body->line_size == 0 || !g_ascii_string_to_unsigned (body->line, 16, 0, G_MAXINT64, &size, NULL))
    return refuse (out_refusal, &bad_chunk);
  if (size > max_size - body->data.size)
    return refuse (out_refusal, &too_large);

  body->left = size;
  body->line_size = 0;
  body->overhead = 0;
  body->state = size > 0 ? BAWN_HTTP_BODY_CHUNK_DATA : BAWN_HTTP_BODY_TRAILER;
  return TRUE;
}

/* Lines of the framing end in CRLF and nothing else: what a proxy may take for data, we do not take for an end.
 * TRUE: @c belongs to the end of a line, which is complete if *out_end. */
static gboolean
line_end (BawnHttpBody *body, char c, gboolean *out_end)
{
  gboolean after_cr = body->after_cr;

  body->after_cr = c == '\r' && !after_cr;
  *out_end = after_cr && c == '\n';

  return body->after_cr || *out_end;
}

/* One byte of a "SIZE[;extension]" line. The digits end with the line, a blank or a semicolon; what comes behind them
 * is counted and forgotten. */
static gboolean
chunk_size_byte (BawnHttpBody *body, char c, gsize max_size, BawnHttpRefusal *out_refusal)
{
  gboolean end = FALSE;
  gboolean after_cr = body->after_cr;

  if (line_end (body, c, &end))
    return end ? chunk_begin (body, max_size, out_refusal) : TRUE;
  if (after_cr || c == '\n' || ++body->overhead > MAX_OVERHEAD)
    return refuse (out_refusal, &bad_chunk);
  if (body->overhead > body->line_size + 1)
    return TRUE;
  if (!g_ascii_isxdigit (c))
    return c == ';' || c == ' ' || c == '\t' ? TRUE : refuse (out_refusal, &bad_chunk);
  if (body->line_size + 1 == sizeof body->line)
    return refuse (out_refusal, &bad_chunk);
  body->line[body->line_size++] = c;

  return TRUE;
}

/* One byte behind a chunk's data, where only an end of line may stand. */
static gboolean
chunk_end_byte (BawnHttpBody *body, char c, BawnHttpRefusal *out_refusal)
{
  gboolean end = FALSE;

  if (!line_end (body, c, &end))
    return refuse (out_refusal, &bad_chunk);
  if (end)
    body->state = BAWN_HTTP_BODY_CHUNK_SIZE;

  return TRUE;
}

/* One byte of the trailer, which an empty line ends. @line_size counts the present line. */
static gboolean
trailer_byte (BawnHttpBody *body, char c, BawnHttpRefusal *out_refusal)
{
  gboolean end = FALSE;
  gboolean after_cr = body->after_cr;

  if (!line_end (body, c, &end))
    {
      if (after_cr || c == '\n' || ++body->overhead > MAX_OVERHEAD)
        return refuse (out_refusal, &bad_chunk);
      body->line_size++;
      return TRUE;
    }
  if (end && body->line_size == 0)
    body->state = BAWN_HTTP_BODY_DONE;
  if (end)
    body->line_size = 0;

  return TRUE;
}

static gboolean
framing_byte (BawnHttpBody *body, char c, gsize max_size, BawnHttpRefusal *out_refusal)
{
  switch (body->state)
    {
    case BAWN_HTTP_BODY_CHUNK_SIZE:
      return chunk_size_byte (body, c, max_size, out_refusal);
    case BAWN_HTTP_BODY_CHUNK_END:
      return chunk_end_byte (body, c, out_refusal);
    case BAWN_HTTP_BODY_TRAILER:
      return trailer_byte (body, c, out_refusal);
    case BAWN_HTTP_BODY_DONE:
    case BAWN_HTTP_BODY_LENGTH:
    case BAWN_HTTP_BODY_CHUNK_DATA:
      break;
    }
  g_return_val_if_reached (FALSE);
}

/**
 * bawn_http_body_feed:
 * @body: begun
 * @data: what has come in
 * @size: its length
 * @max_size: the most that is taken
 * @out_used: how much of @data belongs to this body
 * @out_refusal: what to answer if it is refused
 *
 * Reads on. What is behind the end of the body is left alone: it is the next request.
 *
 * Returns: whether all is well so far
 */
gboolean
bawn_http_body_feed (BawnHttpBody *body, const guint8 *data, gsize size, gsize max_size, gsize *out_used,
                     BawnHttpRefusal *out_refusal)
{
  gsize used = 0;

  while (used < size && body->state != BAWN_HTTP_BODY_DONE)
    {
      if (body->state != BAWN_HTTP_BODY_LENGTH && body->state != BAWN_HTTP_BODY_CHUNK_DATA)
        {
          if (!framing_byte (body, (char) data[used++], max_size, out_refusal))
            return FALSE;
          continue;
        }

      gsize take = (gsize) MIN (body->left, size - used);
      bawn_buffer_append (&body->data, data + used, take);
      used += take;
      body->left -= take;
      if (body->left == 0)
        body->state = body->state == BAWN_HTTP_BODY_LENGTH ? BAWN_HTTP_BODY_DONE : BAWN_HTTP_BODY_CHUNK_END;
    }
  *out_used = used;

  return TRUE;
}

/**
 * bawn_http_body_clear:
 * @body: a body
 *
 * Wipes it, ready for the next one.
 */
void
bawn_http_body_clear (BawnHttpBody *body)
{
  bawn_buffer_clear (&body->data);
  *body = (BawnHttpBody) { .data = BAWN_BUFFER_INIT };
}
