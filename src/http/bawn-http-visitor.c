/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-visitor.h"

#include "http/bawn-http-codec.h"
#include "util/bawn-error.h"

#include <string.h>

/**
 * BawnHttpVisitor:
 * @visits: (element-type guint32 Visit): requests being received or answered
 * @leaving_us: when it was told to send no more; 0: it was not
 */
struct _BawnHttpVisitor
{
  BawnHttpLink *link;
  const BawnHttpVisitorHost *host;
  GHashTable *visits;
  gint64 leaving_us;
};

/**
 * Visit:
 * @visitor: (nullable): %NULL once nobody waits for the answer; worker's thread
 * @request: (nullable): %NULL while it is being received
 * @buffered: bytes of it that are counted
 * @replied: atomic: the handler has answered
 *
 * One request. One reference is the visitor's, one the handler's until it has answered.
 */
typedef struct
{
  gatomicrefcount refs;
  BawnHttpWorker *worker;
  BawnHttpVisitor *visitor;
  guint32 id;
  BawnHttpMessage message;
  gsize buffered;
  BawnRequest *request;
  gint64 deadline_us;
  gboolean dispatching;
  gboolean in_place;
  gint replied;
  BawnResponse *response;
  GError *error;
} Visit;

static void
visit_unref (gpointer data)
{
  Visit *visit = data;

  if (!g_atomic_ref_count_dec (&visit->refs))
    return;
  bawn_http_message_clear (&visit->message);
  g_clear_pointer (&visit->request, bawn_request_unref);
  g_clear_pointer (&visit->response, bawn_response_free);
  g_clear_error (&visit->error);
  bawn_http_worker_unref (visit->worker);
  g_free (visit);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Visit, visit_unref)

static void
uncount (Visit *visit)
{
  g_atomic_pointer_add (visit->visitor->host->buffered, -(gssize) visit->buffered);
  visit->buffered = 0;
}

/* Nobody waits for it any more. */
static void
leave (Visit *visit)
{
  BawnHttpVisitor *visitor = visit->visitor;

  uncount (visit);
  visit->visitor = NULL;
  g_hash_table_remove (visitor->visits, GUINT_TO_POINTER (visit->id));
}

static void
send_reply (Visit *visit, BawnHttpReply *reply)
{
  g_auto (BawnBuffer) head = BAWN_BUFFER_INIT;
  static const guint8 prefix[BAWN_HTTP_FRAME_MESSAGE_PREFIX] = { 0 };

  bawn_buffer_append (&head, prefix, sizeof prefix);
  bawn_http_answer_write (reply, &head);
  bawn_http_link_post (visit->visitor->link, BAWN_HTTP_FRAME_ANSWER, visit->id, &head, reply->body,
                       NULL);
  bawn_http_count (visit->worker->stats.answered_for_peers);
  leave (visit);
}

static void
refuse (Visit *visit, guint status, const char *text)
{
  g_auto (BawnHttpReply) reply = { 0 };

  bawn_http_reply_from_text (&reply, status, text);
  reply.retry_after_s = status == 503 ? 1 : 0;
  send_reply (visit, &reply);
}

static void
decline (Visit *visit)
{
  bawn_http_link_say (visit->visitor->link, BAWN_HTTP_FRAME_NOT_ACTIVE, visit->id);
  leave (visit);
}

/* The handler has answered. */
static void
send_answer (Visit *visit)
{
  g_auto (BawnHttpReply) reply = { 0 };

  /* Whether it is not active or not even unsealed: another node may do it. */
  if (bawn_error_is (visit->error, BAWN_ERROR_STANDBY)
      || bawn_error_is (visit->error, BAWN_ERROR_SEALED))
    {
      decline (visit);
      return;
    }
  if (visit->response != NULL)
    bawn_http_reply_from_response (&reply, visit->response, visit->request);
  else
    bawn_http_reply_from_error (&reply, visit->error, visit->request);
  send_reply (visit, &reply);
}

static void
deliver (gpointer data)
{
  g_autoptr (Visit) visit = data;

  if (visit->visitor != NULL)
    send_answer (visit);
}

static void
on_reply (BawnRequest *request, BawnResponse *response, GError *error, gpointer user_data)
{
  Visit *visit = user_data;

  if (!g_atomic_int_compare_and_exchange (&visit->replied, FALSE, TRUE))
    {
      g_critical ("request %s was answered twice", request->id);
      g_clear_pointer (&response, bawn_response_free);
      g_clear_error (&error);
      return;
    }
  visit->response = response;
  visit->error = error;
  if (response == NULL && error == NULL)
    visit->error = g_error_new_literal (BAWN_ERROR, BAWN_ERROR_INTERNAL, "answered with nothing");

  if (!bawn_http_worker_is_current (visit->worker))
    {
      if (!bawn_http_worker_post (visit->worker, deliver, visit))
        visit_unref (visit);
    }
  else if (visit->dispatching)
    visit->in_place = TRUE;
  else
    deliver (visit);
}

static void
dispatch (Visit *visit)
{
  const BawnHttpHandler *handler = &visit->worker->handler;

  g_atomic_ref_count_inc (&visit->refs);
  visit->dispatching = TRUE;
  handler->dispatch (handler->core, visit->request, on_reply, visit);
  visit->dispatching = FALSE;
  if (visit->in_place)
    deliver (visit);
}

/* What the client has sent to the other node, as if it had sent it here. */
static BawnRequest *
decode (Visit *visit, const BawnHttpCall *call, BawnHttpReply *out_refusal)
{
  g_autofree BawnHttpHead *head = g_new0 (BawnHttpHead, 1);
  g_autoptr (GBytes) body =
      visit->message.body.size > 0 ? bawn_buffer_steal (&visit->message.body) : NULL;
  BawnHttpRefusal why = { 0, NULL };
  BawnRequest *request = NULL;

  if (bawn_http_head_parse (head, call->head, call->head_size, &why))
    request = bawn_http_codec_decode (head, body, &visit->visitor->host->limits->json, out_refusal);
  else
    bawn_http_reply_from_text (out_refusal, why.status, why.text);
  bawn_http_head_clear (head);

  return request;
}

static gboolean
on_complete (Visit *visit, GError **error)
{
  g_auto (BawnHttpCall) call = { 0 };
  g_auto (BawnHttpReply) refusal = { 0 };

  if (!bawn_http_call_read (&call, visit->message.head.data, visit->message.head.size, error))
    return FALSE;
  visit->deadline_us = g_get_monotonic_time () + call.deadline_ms * G_TIME_SPAN_MILLISECOND;
  visit->request = decode (visit, &call, &refusal);
  uncount (visit);
  if (visit->request == NULL)
    {
      send_reply (visit, &refusal);
      return TRUE;
    }

  BawnRequest *request = visit->request;
  g_free (request->id);
  request->id = g_steal_pointer (&call.id);
  request->remote_address = g_steal_pointer (&call.remote_address);
  request->remote_port = call.remote_port;
  request->forwarded = TRUE;
  request->authorize_only = call.authorize_only;
  request->repeated = call.repeated;
  bawn_http_message_clear (&visit->message);
  dispatch (visit);

  return TRUE;
}

/* Counts what has come with what comes from others. FALSE: that is too much. */
static gboolean
count (Visit *visit)
{
  const BawnHttpVisitorHost *host = visit->visitor->host;
  gsize more = visit->message.head.size + visit->message.body.size - visit->buffered;
  gsize before = (gsize) g_atomic_pointer_add (host->buffered, (gssize) more);

  visit->buffered += more;
  return before + more <= host->limits->max_buffered;
}

/* A part of it has come. It may have gone when this returns. */
static gboolean
go_on (Visit *visit, GError **error)
{
  if (bawn_http_message_is_complete (&visit->message))
    return on_complete (visit, error);
  if (visit->message.wanted_body > visit->visitor->host->limits->max_size)
    refuse (visit, 413, "error parsing JSON");
  else if (!count (visit))
    refuse (visit, 503, "too many requests are being received");

  return TRUE;
}

static gboolean
take_request (BawnHttpVisitor *visitor, const BawnHttpFrame *frame, GError **error)
{
  if (g_hash_table_contains (visitor->visits, GUINT_TO_POINTER (frame->id)))
    return bawn_fail (error, BAWN_ERROR_INVALID, "uses a number twice");

  Visit *visit = g_new0 (Visit, 1);
  g_atomic_ref_count_init (&visit->refs);
  visit->worker = bawn_http_worker_ref (visitor->host->worker);
  visit->visitor = visitor;
  visit->id = frame->id;
  visit->message = (BawnHttpMessage) BAWN_HTTP_MESSAGE_INIT;
  g_hash_table_insert (visitor->visits, GUINT_TO_POINTER (frame->id), visit);
  if (visitor->leaving_us > 0)
    {
      decline (visit);
      return TRUE;
    }
  if (g_hash_table_size (visitor->visits) > BAWN_HTTP_VISITOR_MAX_REQUESTS)
    {
      refuse (visit, 503, "too many requests of this node are being answered");
      return TRUE;
    }

  return bawn_http_message_begin (&visit->message, frame, error) && go_on (visit, error);
}

static gboolean
on_frame (gpointer owner, const BawnHttpFrame *frame, GError **error)
{
  BawnHttpVisitor *visitor = owner;
  Visit *visit = g_hash_table_lookup (visitor->visits, GUINT_TO_POINTER (frame->id));

  switch (frame->type)
    {
    case BAWN_HTTP_FRAME_REQUEST:
      return take_request (visitor, frame, error);
    case BAWN_HTTP_FRAME_MORE:
      /* Of one that was refused or cancelled, the rest may still come. */
      if (visit == NULL)
        return TRUE;
      if (visit->request != NULL)
        return bawn_fail (error, BAWN_ERROR_INVALID, "sends more than it said");
      return bawn_http_message_feed (&visit->message, frame->payload, frame->size, error)
             && go_on (visit, error);
    case BAWN_HTTP_FRAME_CANCEL:
      if (visit != NULL)
        leave (visit);
      return TRUE;
    case BAWN_HTTP_FRAME_GOODBYE:
      return TRUE;
    case BAWN_HTTP_FRAME_HELLO:
    case BAWN_HTTP_FRAME_ANSWER:
    case BAWN_HTTP_FRAME_NOT_ACTIVE:
      break;
    }

  return bawn_fail (error, BAWN_ERROR_INVALID, "answers what nobody has asked");
}

/* Those whose time is over: the other node has told its client so, and cancels them; unless it
 * forgets. */
static void
forget_late (BawnHttpVisitor *visitor, gint64 now_us)
{
  g_autoptr (GPtrArray) visits = bawn_http_table_values (visitor->visits);

  for (guint i = 0; i < visits->len; i++)
    {
      Visit *visit = g_ptr_array_index (visits, i);

      if (visit->request != NULL && now_us > visit->deadline_us + BAWN_HTTP_LINK_DEAD_US)
        leave (visit);
    }
}

static void
on_hello (gpointer owner)
{
  BawnHttpVisitor *visitor = owner;
  gint64 now_us = g_get_monotonic_time ();

  if (visitor->leaving_us > 0 && g_hash_table_size (visitor->visits) == 0
      && now_us > visitor->leaving_us + BAWN_HTTP_LINK_DEAD_US)
    {
      bawn_http_link_close (visitor->link, "stays after the farewell");
      return;
    }
  forget_late (visitor, now_us);
  visitor->host->hello (visitor->host->owner, bawn_http_link_get_peer (visitor->link));
}

static void
on_closed (gpointer owner, const char *why)
{
  BawnHttpVisitor *visitor = owner;
  g_autoptr (GPtrArray) visits = bawn_http_table_values (visitor->visits);

  for (guint i = 0; i < visits->len; i++)
    leave (g_ptr_array_index (visits, i));
  visitor->host->closed (visitor->host->owner, visitor, bawn_http_link_get_peer (visitor->link),
                         why);
  g_hash_table_unref (visitor->visits);
  bawn_http_link_unref (visitor->link);
  g_free (visitor);
}

static const BawnHttpLinkEvents link_events = { .hello = on_hello,
                                                .frame = on_frame,
                                                .closed = on_closed };

/**
 * bawn_http_visitor_new:
 * @wire: its handshake done; owned from here on if this succeeds
 * @self: this node
 * @host: where it is; outlives it; this is the thread of its worker
 * @error: INTERNAL
 *
 * Returns: a visitor, which frees itself after its link has closed
 */
BawnHttpVisitor *
bawn_http_visitor_new (BawnHttpWire *wire,
                       const BawnPeer *self,
                       const BawnHttpVisitorHost *host,
                       GError **error)
{
  BawnHttpVisitor *visitor = g_new0 (BawnHttpVisitor, 1);

  visitor->host = host;
  visitor->link = bawn_http_link_new (wire, TRUE, host->worker->context, host->worker->poller, self,
                                      &link_events, visitor, error);
  if (visitor->link == NULL)
    {
      g_free (visitor);
      return NULL;
    }
  visitor->visits = g_hash_table_new_full (NULL, NULL, NULL, visit_unref);

  return visitor;
}

/* Ends it now: it is freed when this returns. */
void
bawn_http_visitor_close (BawnHttpVisitor *visitor, const char *why)
{
  bawn_http_link_close (visitor->link, why);
}

void
bawn_http_visitor_say_hello (BawnHttpVisitor *visitor, const BawnPeer *self)
{
  bawn_http_link_say_hello (visitor->link, self);
}

/* Takes no more requests. What is under way is answered; the other node closes when it has all. */
void
bawn_http_visitor_say_goodbye (BawnHttpVisitor *visitor)
{
  if (visitor->leaving_us > 0)
    return;
  visitor->leaving_us = g_get_monotonic_time ();
  bawn_http_link_say (visitor->link, BAWN_HTTP_FRAME_GOODBYE, 0);
}
