/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes in at the cluster port: frames, and what is in them. What is accepted stays the same
 * when written again. */
#include "config.h"

#include "http/bawn-http-frame.h"

#include "fuzz.h"

static void
check_call (const guint8 *data, gsize size)
{
  g_auto (BawnHttpCall) call = { 0 };
  g_auto (BawnHttpCall) again = { 0 };
  g_auto (BawnBuffer) written = BAWN_BUFFER_INIT;

  if (!bawn_http_call_read (&call, data, size, NULL))
    return;
  bawn_http_call_write (&call, &written);
  g_assert_true (bawn_http_call_read (&again, written.data, written.size, NULL));
  g_assert_cmpstr (again.id, ==, call.id);
  g_assert_cmpstr (again.remote_address, ==, call.remote_address);
  g_assert_cmpmem (again.head, again.head_size, call.head, call.head_size);
}

static void
check_answer (const guint8 *data, gsize size)
{
  g_auto (BawnHttpReply) reply = { 0 };
  g_auto (BawnHttpReply) again = { 0 };
  g_auto (BawnBuffer) written = BAWN_BUFFER_INIT;

  if (!bawn_http_answer_read (&reply, data, size, NULL))
    return;
  bawn_http_answer_write (&reply, &written);
  g_assert_true (bawn_http_answer_read (&again, written.data, written.size, NULL));
  g_assert_cmpuint (again.status, ==, reply.status);
  g_assert_cmpstr (again.content_type, ==, reply.content_type);
  g_assert_cmpstr (again.location, ==, reply.location);
  for (guint i = 0; reply.headers != NULL && i < reply.headers->len; i++)
    g_assert_cmpstr (g_ptr_array_index (again.headers, i), ==,
                     g_ptr_array_index (reply.headers, i));
}

static void
check_hello (const guint8 *data, gsize size)
{
  g_autoptr (BawnPeer) peer = bawn_http_hello_read (data, size, NULL);
  g_auto (BawnBuffer) written = BAWN_BUFFER_INIT;

  if (peer == NULL)
    return;
  bawn_http_hello_write (peer, &written);
  g_autoptr (BawnPeer) again = bawn_http_hello_read (written.data, written.size, NULL);
  g_assert_nonnull (again);
  g_assert_cmpstr (again->node_id, ==, peer->node_id);
  g_assert_cmpstr (again->state, ==, peer->state);
}

static void
check_frame (BawnHttpMessage *message, const BawnHttpFrame *frame)
{
  switch (frame->type)
    {
    case BAWN_HTTP_FRAME_HELLO:
      check_hello (frame->payload, frame->size);
      return;
    case BAWN_HTTP_FRAME_REQUEST:
    case BAWN_HTTP_FRAME_ANSWER:
      bawn_http_message_clear (message);
      if (!bawn_http_message_begin (message, frame, NULL))
        bawn_http_message_clear (message);
      break;
    case BAWN_HTTP_FRAME_MORE:
      if (!bawn_http_message_feed (message, frame->payload, frame->size, NULL))
        bawn_http_message_clear (message);
      break;
    case BAWN_HTTP_FRAME_NOT_ACTIVE:
    case BAWN_HTTP_FRAME_CANCEL:
    case BAWN_HTTP_FRAME_GOODBYE:
      return;
    }
  g_assert_cmpuint (message->head.size, <=, message->wanted_head);
  g_assert_cmpuint (message->body.size, <=, message->wanted_body);
  if (!bawn_http_message_is_complete (message))
    return;
  check_call (message->head.data, message->head.size);
  check_answer (message->head.data, message->head.size);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_auto (BawnHttpMessage) message = BAWN_HTTP_MESSAGE_INIT;
  BawnHttpFrame frame = { 0 };
  gsize at = 0;
  gsize used = 0;

  check_call (data, size);
  check_answer (data, size);
  check_hello (data, size);
  while (bawn_http_frame_read (data + at, size - at, &frame, &used, NULL) && used > 0)
    {
      g_assert_cmpuint (used, <=, size - at);
      at += used;
      check_frame (&message, &frame);
    }

  return 0;
}
