/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-intake.h"

#include <string.h>

static gboolean
refuse (BawnHttpRefusal *out_refusal, guint status, const char *text)
{
  *out_refusal = (BawnHttpRefusal) { status, text };
  return FALSE;
}

/**
 * bawn_http_intake_init:
 * @intake: to be set up
 * @limits: kept
 * @buffered: counts the bytes of bodies of many connections; atomic
 */
void
bawn_http_intake_init (BawnHttpIntake *intake, const BawnHttpLimits *limits, gssize *buffered)
{
  *intake = (BawnHttpIntake) { .limits = limits, .buffered = buffered };
}

/* Counts the body with those of all others. */
static gboolean
count_body (BawnHttpIntake *intake, BawnHttpRefusal *out_refusal)
{
  gsize more = intake->body.data.size - intake->counted;
  gsize before = (gsize) g_atomic_pointer_add (intake->buffered, (gssize) more);

  intake->counted += more;
  if (more > 0 && before + more > intake->limits->max_buffered_size)
    return refuse (out_refusal, 503, "too many requests are being received");

  return TRUE;
}

/* Looks for a head in @data. Blank lines before it are allowed (RFC 9112, 2.2). */
static gboolean
digest_head (BawnHttpIntake *intake, const guint8 *data, gsize size, gsize *out_used, BawnHttpRefusal *out_refusal)
{
  const BawnHttpLimits *limits = intake->limits;
  gsize blank = 0;

  while (blank < size && intake->scanned == 0 && (data[blank] == '\r' || data[blank] == '\n'))
    blank++;
  *out_used = blank;
  data += blank;
  size -= blank;

  gsize end = bawn_http_head_end (data, size, &intake->scanned);
  if ((end > 0 ? end : size) > limits->max_header_size)
    return memchr (data, '\n', limits->max_header_size) != NULL
             ? refuse (out_refusal, 431, "request headers too large")
             : refuse (out_refusal, 414, "request line too long");
  if (end == 0)
    return TRUE;

  *out_used = blank + end;
  intake->scanned = 0;
  intake->head = g_new0 (BawnHttpHead, 1);
  if (!bawn_http_head_parse (intake->head, data, end, out_refusal)
      || !bawn_http_body_begin (&intake->body, intake->head, limits->max_request_size, out_refusal))
    return FALSE;
  intake->state = BAWN_HTTP_INTAKE_BODY;

  return TRUE;
}

/* Takes a request, or a part of one, out of @data. */
static gboolean
digest (BawnHttpIntake *intake, const guint8 *data, gsize size, gsize *out_used, BawnHttpRefusal *out_refusal)
{
  gsize used = 0;
  gsize body_used = 0;

  if (intake->state == BAWN_HTTP_INTAKE_HEAD && !digest_head (intake, data, size, &used, out_refusal))
    return FALSE;
  if (intake->state == BAWN_HTTP_INTAKE_BODY)
    {
      if (!bawn_http_body_feed (&intake->body, data + used, size - used, intake->limits->max_request_size, &body_used,
                                out_refusal)
          || !count_body (intake, out_refusal))
        return FALSE;
      if (intake->body.state == BAWN_HTTP_BODY_DONE)
        intake->state = BAWN_HTTP_INTAKE_COMPLETE;
    }
  *out_used = used + body_used;

  return TRUE;
}

/* What is behind the first @used bytes stays for later. */
static void
keep_rest (BawnHttpIntake *intake, gsize used)
{
  if (used == 0)
    return;
  memmove (intake->in.data, intake->in.data + used, intake->in.size - used);
  bawn_buffer_truncate (&intake->in, intake->in.size - used);
  if (intake->in.size == 0)
    bawn_buffer_clear (&intake->in);
}

/**
 * bawn_http_intake_take:
 * @intake: not complete
 * @data: what has come in
 * @size: its length
 * @out_refusal: what to answer if it is refused
 *
 * Takes more bytes.
 *
 * Returns: whether all is well so far
 */
gboolean
bawn_http_intake_take (BawnHttpIntake *intake, const guint8 *data, gsize size, BawnHttpRefusal *out_refusal)
{
  gsize used = 0;

  intake->begun = TRUE;
  if (intake->in.size > 0)
    {
      bawn_buffer_append (&intake->in, data, size);
      return bawn_http_intake_take_rest (intake, out_refusal);
    }
  if (!digest (intake, data, size, &used, out_refusal))
    return FALSE;
  bawn_buffer_append (&intake->in, data + used, size - used);
  intake->starved = TRUE;

  return TRUE;
}

/**
 * bawn_http_intake_has_rest:
 * @intake: an intake
 *
 * Returns: whether something has come behind the last request that has not been looked at
 */
gboolean
bawn_http_intake_has_rest (const BawnHttpIntake *intake)
{
  return intake->in.size > 0 && !intake->starved;
}

/* Goes on with what has come already. */
gboolean
bawn_http_intake_take_rest (BawnHttpIntake *intake, BawnHttpRefusal *out_refusal)
{
  gsize used = 0;

  intake->begun = TRUE;
  intake->starved = TRUE;
  if (!digest (intake, intake->in.data, intake->in.size, &used, out_refusal))
    return FALSE;
  keep_rest (intake, used);

  return TRUE;
}

/* The request has been answered: forgets it. */
void
bawn_http_intake_next (BawnHttpIntake *intake)
{
  if (intake->head != NULL)
    bawn_http_head_clear (intake->head);
  g_clear_pointer (&intake->head, g_free);
  bawn_http_body_clear (&intake->body);
  g_atomic_pointer_add (intake->buffered, -(gssize) intake->counted);
  intake->counted = 0;
  intake->state = BAWN_HTTP_INTAKE_HEAD;
  intake->begun = FALSE;
  intake->starved = FALSE;
}

/* Wipes and frees everything. */
void
bawn_http_intake_clear (BawnHttpIntake *intake)
{
  bawn_http_intake_next (intake);
  bawn_buffer_clear (&intake->in);
}
