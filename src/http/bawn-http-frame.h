/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"
#include "http/bawn-http-reply.h"

G_BEGIN_DECLS

/*
 * What nodes say to each other at the cluster port, inside TLS: frames of
 *
 *     length of the payload (4)  type (1)  0 (3)  id (4)  payload
 *
 * numbers big-endian. HELLO, GOODBYE have id 0. REQUEST and ANSWER begin a message, which is
 *
 *     size of the head (4)  size of the body (4)  head  body
 *
 * and may go on in MORE frames of the same id, between which other frames may come. Texts in heads
 * are a length (4) and the bytes; the length 0xffffffff is no text at all. What stands behind the
 * fields that we know is a newer version's affair.
 */

#define BAWN_HTTP_FRAME_HEADER_SIZE 12
/* Larger than a TLS record, so that a future version may gather more; small enough to be held for
 * every link. */
#define BAWN_HTTP_FRAME_MAX_PAYLOAD (64 * 1024)
#define BAWN_HTTP_FRAME_MESSAGE_PREFIX 8
/* Of a call or an answer: a request's head of the largest allowed size with its envelope. */
#define BAWN_HTTP_FRAME_MAX_HEAD (2 * 1024 * 1024)
/* Of one field of a HELLO: names and URLs. */
#define BAWN_HTTP_FRAME_MAX_TEXT 1024

#define BAWN_HTTP_PROTOCOL 1u

typedef enum
{
  BAWN_HTTP_FRAME_HELLO = 1, /* who is there; repeated as heartbeat */
  BAWN_HTTP_FRAME_REQUEST,
  BAWN_HTTP_FRAME_ANSWER,
  BAWN_HTTP_FRAME_MORE,
  BAWN_HTTP_FRAME_NOT_ACTIVE, /* nothing was done: ask another node */
  BAWN_HTTP_FRAME_CANCEL,     /* nobody waits for the answer any more */
  BAWN_HTTP_FRAME_GOODBYE,    /* send no more requests here; those under way are answered */
} BawnHttpFrameType;

/**
 * BawnHttpFrame:
 * @payload: points into what was read
 */
typedef struct
{
  BawnHttpFrameType type;
  guint32 id;
  const guint8 *payload;
  gsize size;
} BawnHttpFrame;

gboolean bawn_http_frame_read (
    const guint8 *data, gsize size, BawnHttpFrame *out_frame, gsize *out_used, GError **error);
void bawn_http_frame_write_header (guint8 *out, BawnHttpFrameType type, guint32 id, gsize size);

/**
 * BawnHttpMessage:
 * @wanted_head: size that it will have
 * @wanted_body: likewise
 *
 * A request or an answer that is coming in.
 */
typedef struct
{
  gsize wanted_head;
  gsize wanted_body;
  BawnBuffer head;
  BawnBuffer body;
} BawnHttpMessage;

#define BAWN_HTTP_MESSAGE_INIT                                                                     \
  {                                                                                                \
    0, 0, BAWN_BUFFER_INIT, BAWN_BUFFER_INIT                                                       \
  }

void bawn_http_message_prefix (guint8 *out, gsize head_size, gsize body_size);
gboolean
bawn_http_message_begin (BawnHttpMessage *message, const BawnHttpFrame *frame, GError **error);
gboolean
bawn_http_message_feed (BawnHttpMessage *message, const guint8 *data, gsize size, GError **error);
gboolean bawn_http_message_is_complete (const BawnHttpMessage *message);
void bawn_http_message_clear (BawnHttpMessage *message);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnHttpMessage, bawn_http_message_clear)

/**
 * BawnHttpCall:
 * @id: the request's
 * @remote_address: the client's
 * @authorize_only: see #BawnRequest
 * @repeated: likewise
 * @deadline_ms: how long anybody will wait for the answer
 * @head: as the client sent it, without what concerns its connection only
 * @head_size: its length
 *
 * The head of a REQUEST. When read, texts are owned by it; @head points into what was read.
 */
typedef struct
{
  char *id;
  char *remote_address;
  guint remote_port;
  gboolean authorize_only;
  gboolean repeated;
  guint32 deadline_ms;
  const guint8 *head;
  gsize head_size;
} BawnHttpCall;

void bawn_http_call_write (const BawnHttpCall *call, BawnBuffer *out);
gboolean bawn_http_call_read (BawnHttpCall *call, const guint8 *data, gsize size, GError **error);
void bawn_http_call_clear (BawnHttpCall *call);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnHttpCall, bawn_http_call_clear)

void bawn_http_answer_write (const BawnHttpReply *reply, BawnBuffer *out);
gboolean
bawn_http_answer_read (BawnHttpReply *reply, const guint8 *data, gsize size, GError **error);

void bawn_http_hello_write (const BawnPeer *self, BawnBuffer *out);
BawnPeer *bawn_http_hello_read (const guint8 *data, gsize size, GError **error);

G_END_DECLS
