/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-frame.h"

#include "util/bawn-error.h"

#include <string.h>

#define NO_TEXT G_MAXUINT32
/* Of an answer: engines set a handful. */
#define MAX_HEADERS 100
#define CALL_AUTHORIZE_ONLY (1u << 0)
#define CALL_REPEATED (1u << 1)

static gboolean
bad (GError **error, const char *what)
{
  return bawn_fail (error, BAWN_ERROR_INVALID, "malformed %s", what);
}

static void
put_number (guint8 *out, guint32 number)
{
  guint32 wire = GUINT32_TO_BE (number);

  memcpy (out, &wire, sizeof wire);
}

static guint32
get_number (const guint8 *data)
{
  guint32 wire = 0;

  memcpy (&wire, data, sizeof wire);
  return GUINT32_FROM_BE (wire);
}

static void
add_number (BawnBuffer *out, guint32 number)
{
  guint8 wire[4];

  put_number (wire, number);
  bawn_buffer_append (out, wire, sizeof wire);
}

static void
add_data (BawnBuffer *out, gconstpointer data, gsize size)
{
  add_number (out, (guint32) size);
  bawn_buffer_append (out, data, size);
}

static void
add_text (BawnBuffer *out, const char *text)
{
  if (text != NULL)
    add_data (out, text, strlen (text));
  else
    add_number (out, NO_TEXT);
}

/* Reads fields one after another; after the first that is not there, nothing is. */
typedef struct
{
  const guint8 *data;
  gsize left;
  gboolean failed;
} Reader;

static const guint8 *
take (Reader *reader, gsize size)
{
  if (reader->failed || reader->left < size)
    {
      reader->failed = TRUE;
      return NULL;
    }

  const guint8 *data = reader->data;
  reader->data += size;
  reader->left -= size;
  return data;
}

static guint32
take_number (Reader *reader)
{
  const guint8 *wire = take (reader, 4);

  return wire != NULL ? get_number (wire) : 0;
}

/* A text that may stand in a header: UTF-8 without control characters. NULL: none, or failed. */
static char *
take_text (Reader *reader, gsize max)
{
  guint32 size = take_number (reader);

  if (reader->failed || size == NO_TEXT)
    return NULL;
  if (size > max)
    {
      reader->failed = TRUE;
      return NULL;
    }

  const char *text = (const char *) take (reader, size);
  if (text == NULL || !g_utf8_validate_len (text, size, NULL))
    {
      reader->failed = TRUE;
      return NULL;
    }
  for (gsize i = 0; i < size; i++)
    if (g_ascii_iscntrl (text[i]) && text[i] != '\t')
      reader->failed = TRUE;

  return reader->failed ? NULL : g_strndup (text, size);
}

/* The same where there must be one. */
static char *
take_some_text (Reader *reader, gsize max)
{
  char *text = take_text (reader, max);

  if (text == NULL)
    reader->failed = TRUE;
  return text;
}

/**
 * bawn_http_frame_read:
 * @data: what has come in
 * @size: its length
 * @out_frame: (out): the first frame
 * @out_used: (out): how much of @data it takes; 0: it is not complete yet
 * @error: INVALID
 *
 * Returns: %FALSE if this is no frame, and never will be
 */
gboolean
bawn_http_frame_read (
    const guint8 *data, gsize size, BawnHttpFrame *out_frame, gsize *out_used, GError **error)
{
  *out_used = 0;
  if (size < BAWN_HTTP_FRAME_HEADER_SIZE)
    return TRUE;

  gsize length = get_number (data);
  if (length > BAWN_HTTP_FRAME_MAX_PAYLOAD || data[4] < BAWN_HTTP_FRAME_HELLO
      || data[4] > BAWN_HTTP_FRAME_GOODBYE || data[5] != 0 || data[6] != 0 || data[7] != 0)
    return bad (error, "frame");
  if (size - BAWN_HTTP_FRAME_HEADER_SIZE < length)
    return TRUE;

  *out_frame = (BawnHttpFrame){
    .type = (BawnHttpFrameType) data[4],
    .id = get_number (data + 8),
    .payload = data + BAWN_HTTP_FRAME_HEADER_SIZE,
    .size = length,
  };
  *out_used = BAWN_HTTP_FRAME_HEADER_SIZE + length;
  return TRUE;
}

/* @out: (array fixed-size=12) */
void
bawn_http_frame_write_header (guint8 *out, BawnHttpFrameType type, guint32 id, gsize size)
{
  put_number (out, (guint32) size);
  put_number (out + 4, (guint32) type << 24);
  put_number (out + 8, id);
}

/* @out: (array fixed-size=8) */
void
bawn_http_message_prefix (guint8 *out, gsize head_size, gsize body_size)
{
  put_number (out, (guint32) head_size);
  put_number (out + 4, (guint32) body_size);
}

/**
 * bawn_http_message_begin:
 * @message: empty
 * @frame: a REQUEST or an ANSWER
 * @error: INVALID
 *
 * Returns: whether a message begins so
 */
gboolean
bawn_http_message_begin (BawnHttpMessage *message, const BawnHttpFrame *frame, GError **error)
{
  if (frame->size < BAWN_HTTP_FRAME_MESSAGE_PREFIX)
    return bad (error, "message");
  message->wanted_head = get_number (frame->payload);
  message->wanted_body = get_number (frame->payload + 4);
  if (message->wanted_head > BAWN_HTTP_FRAME_MAX_HEAD)
    return bad (error, "message");

  return bawn_http_message_feed (message, frame->payload + BAWN_HTTP_FRAME_MESSAGE_PREFIX,
                                 frame->size - BAWN_HTTP_FRAME_MESSAGE_PREFIX, error);
}

/**
 * bawn_http_message_feed:
 * @message: begun
 * @data: what comes next
 * @size: its length
 * @error: INVALID
 *
 * Memory is taken for what has come, and never for what is only promised.
 *
 * Returns: whether it is no more than was promised
 */
gboolean
bawn_http_message_feed (BawnHttpMessage *message, const guint8 *data, gsize size, GError **error)
{
  gsize head = MIN (size, message->wanted_head - message->head.size);

  if (size - head > message->wanted_body - message->body.size)
    return bad (error, "message");
  bawn_buffer_append (&message->head, data, head);
  bawn_buffer_append (&message->body, data + head, size - head);

  return TRUE;
}

gboolean
bawn_http_message_is_complete (const BawnHttpMessage *message)
{
  return message->head.size == message->wanted_head && message->body.size == message->wanted_body;
}

void
bawn_http_message_clear (BawnHttpMessage *message)
{
  bawn_buffer_clear (&message->head);
  bawn_buffer_clear (&message->body);
  message->wanted_head = 0;
  message->wanted_body = 0;
}

/* Appends the head of a REQUEST. */
void
bawn_http_call_write (const BawnHttpCall *call, BawnBuffer *out)
{
  add_number (out, (call->authorize_only ? CALL_AUTHORIZE_ONLY : 0)
                       | (call->repeated ? CALL_REPEATED : 0));
  add_number (out, call->deadline_ms);
  add_number (out, call->remote_port);
  add_text (out, call->id);
  add_text (out, call->remote_address);
  add_data (out, call->head, call->head_size);
}

/**
 * bawn_http_call_read:
 * @call: zeroed
 * @data: the head of a REQUEST
 * @size: its length
 * @error: INVALID
 *
 * Returns: whether it is one; to be cleared in any case
 */
gboolean
bawn_http_call_read (BawnHttpCall *call, const guint8 *data, gsize size, GError **error)
{
  Reader reader = { data, size, FALSE };
  guint32 flags = take_number (&reader);

  call->authorize_only = (flags & CALL_AUTHORIZE_ONLY) != 0;
  call->repeated = (flags & CALL_REPEATED) != 0;
  call->deadline_ms = take_number (&reader);
  call->remote_port = take_number (&reader);
  call->id = take_some_text (&reader, BAWN_HTTP_FRAME_MAX_TEXT);
  call->remote_address = take_some_text (&reader, BAWN_HTTP_FRAME_MAX_TEXT);
  call->head_size = take_number (&reader);
  call->head = take (&reader, call->head_size);
  /* What we do not know might change what is asked. */
  if (reader.failed || (flags & ~(CALL_AUTHORIZE_ONLY | CALL_REPEATED)) != 0
      || call->remote_port > G_MAXUINT16)
    return bad (error, "request");

  return TRUE;
}

void
bawn_http_call_clear (BawnHttpCall *call)
{
  g_free (call->id);
  g_free (call->remote_address);
  *call = (BawnHttpCall){ 0 };
}

/* Appends the head of an ANSWER. */
void
bawn_http_answer_write (const BawnHttpReply *reply, BawnBuffer *out)
{
  guint n = reply->headers != NULL ? reply->headers->len / 2 : 0;

  add_number (out, reply->status);
  add_number (out, reply->retry_after_s);
  add_text (out, reply->content_type);
  add_text (out, reply->location);
  add_number (out, n);
  for (guint i = 0; i < 2 * n; i++)
    add_text (out, g_ptr_array_index (reply->headers, i));
}

static void
take_headers (Reader *reader, BawnHttpReply *reply)
{
  guint32 n = take_number (reader);

  if (n > MAX_HEADERS)
    reader->failed = TRUE;
  if (n == 0 || reader->failed)
    return;
  reply->headers = g_ptr_array_new_with_free_func (g_free);
  for (guint32 i = 0; i < 2 * n && !reader->failed; i++)
    {
      char *text = take_some_text (reader, BAWN_HTTP_FRAME_MAX_HEAD);

      /* A name that is none would be taken for the end of the head. */
      if (text != NULL && i % 2 == 0
          && (*text == '\0' || strpbrk (text, " \t:()<>@,;\\\"/[]?={}") != NULL))
        reader->failed = TRUE;
      g_ptr_array_add (reply->headers, text);
    }
}

/**
 * bawn_http_answer_read:
 * @reply: zeroed; filled, but for its body
 * @data: the head of an ANSWER
 * @size: its length
 * @error: INVALID
 *
 * Returns: whether it is one; to be cleared in any case
 */
gboolean
bawn_http_answer_read (BawnHttpReply *reply, const guint8 *data, gsize size, GError **error)
{
  Reader reader = { data, size, FALSE };

  reply->status = take_number (&reader);
  reply->retry_after_s = take_number (&reader);
  reply->content_type = take_text (&reader, BAWN_HTTP_FRAME_MAX_HEAD);
  reply->location = take_text (&reader, BAWN_HTTP_FRAME_MAX_HEAD);
  take_headers (&reader, reply);
  if (reader.failed || reply->status < 200 || reply->status > 599)
    return bad (error, "answer");

  return TRUE;
}

/**
 * bawn_http_hello_write:
 * @self: this node
 * @out: where to append it
 */
void
bawn_http_hello_write (const BawnPeer *self, BawnBuffer *out)
{
  add_number (out, BAWN_HTTP_PROTOCOL);
  add_number (out, BAWN_HTTP_PROTOCOL); /* the oldest that is understood */
  add_text (out, self->node_id);
  add_text (out, self->hostname != NULL ? self->hostname : "");
  add_text (out, self->api_addr != NULL ? self->api_addr : "");
  add_text (out, self->cluster_addr != NULL ? self->cluster_addr : "");
  add_text (out, self->version != NULL ? self->version : "");
  add_text (out, self->state != NULL ? self->state : "");
}

/**
 * bawn_http_hello_read:
 * @data: the payload of a HELLO
 * @size: its length
 * @error: INVALID; UNSUPPORTED if that node and this one have no language in common
 *
 * Returns: (transfer full): who says it
 */
BawnPeer *
bawn_http_hello_read (const guint8 *data, gsize size, GError **error)
{
  Reader reader = { data, size, FALSE };
  g_autoptr (BawnPeer) peer = g_new0 (BawnPeer, 1);
  guint32 newest = take_number (&reader);
  guint32 oldest = take_number (&reader);

  if (!reader.failed && (newest < BAWN_HTTP_PROTOCOL || oldest > BAWN_HTTP_PROTOCOL))
    return bawn_fail_null (error, BAWN_ERROR_UNSUPPORTED,
                           "speaks versions %u to %u of the cluster protocol, and not %u", oldest,
                           newest, BAWN_HTTP_PROTOCOL);
  peer->node_id = take_some_text (&reader, BAWN_HTTP_FRAME_MAX_TEXT);
  peer->hostname = take_some_text (&reader, BAWN_HTTP_FRAME_MAX_TEXT);
  peer->api_addr = take_some_text (&reader, BAWN_HTTP_FRAME_MAX_TEXT);
  peer->cluster_addr = take_some_text (&reader, BAWN_HTTP_FRAME_MAX_TEXT);
  peer->version = take_some_text (&reader, BAWN_HTTP_FRAME_MAX_TEXT);
  peer->state = take_some_text (&reader, BAWN_HTTP_FRAME_MAX_TEXT);
  if (reader.failed || *peer->node_id == '\0')
    {
      bad (error, "hello");
      return NULL;
    }
  peer->last_contact_us = g_get_real_time ();

  return g_steal_pointer (&peer);
}
