/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-exchange.h"

#include "http/bawn-http-codec.h"
#include "http/bawn-http-gate.h"

#include <string.h>

/**
 * BawnHttpExchange:
 * @conn: (nullable): %NULL once the message is over; worker's thread
 * @message: (nullable): likewise
 * @client: whom the request is from
 * @body: (nullable): the request's; kept, since another node may be asked
 * @passage: its way there
 * @paused: libsoup waits
 * @dispatching: the handler has not returned yet; worker's thread
 * @in_place: it has answered before returning; worker's thread
 * @written: the answer is libsoup's; worker's thread
 * @replied: atomic: the handler has answered
 *
 * One reference is the connection's, until the message is over; one is the handler's, until it has answered.
 */
struct _BawnHttpExchange
{
  gatomicrefcount refs;
  BawnHttpWorker *worker;
  BawnHttpConn *conn;
  SoupServerMessage *message;
  char *client;
  BawnRequest *request;
  GBytes *body;
  BawnHttpPassage passage;
  gboolean paused;
  gboolean dispatching;
  gboolean in_place;
  gboolean written;
  gint replied;
  BawnResponse *response;
  GError *error;
};

static void
exchange_unref (BawnHttpExchange *exchange)
{
  if (!g_atomic_ref_count_dec (&exchange->refs))
    return;
  g_free (exchange->client);
  g_clear_pointer (&exchange->request, bawn_request_unref);
  g_clear_pointer (&exchange->body, g_bytes_unref);
  g_clear_pointer (&exchange->response, bawn_response_free);
  g_clear_error (&exchange->error);
  bawn_http_worker_unref (exchange->worker);
  g_free (exchange);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpExchange, exchange_unref)

/* The column of the counters. */
static guint
op_index (const BawnRequest *request)
{
  return request != NULL ? MIN ((guint) g_bit_nth_lsf (request->op, -1), BAWN_HTTP_N_OPS - 1) : BAWN_HTTP_N_OPS - 1;
}

/* Gives the answer to libsoup. */
static void
write_reply (BawnHttpExchange *exchange, const BawnHttpReply *reply)
{
  BawnHttpConn *conn = exchange->conn;
  const BawnHttpHead *head = bawn_http_stream_get_head (conn->stream);
  gboolean has_body = reply->body != NULL && g_bytes_get_size (reply->body) > 0;

  exchange->written = TRUE;
  bawn_http_reply_write (reply, exchange->message, conn->wire.session != NULL,
                         head->keep_alive && !exchange->worker->stopping);
  if (has_body && reply->status != SOUP_STATUS_NO_CONTENT && strcmp (head->method, "HEAD") != 0)
    bawn_http_stream_hold (conn->stream);
  bawn_http_conn_enter (conn, BAWN_HTTP_PHASE_WRITE);
  bawn_http_count (exchange->worker->stats.requests[op_index (exchange->request)][MIN (reply->status / 100, 5)]);
  if (exchange->paused)
    soup_server_message_unpause (exchange->message);
}

static void
write_answer (BawnHttpExchange *exchange)
{
  g_auto(BawnHttpReply) reply = { 0 };

  if (exchange->response != NULL)
    bawn_http_reply_from_response (&reply, exchange->response, exchange->request);
  else
    bawn_http_reply_from_error (&reply, exchange->error, exchange->request);
  write_reply (exchange, &reply);
}

/* The handler has answered: that is the answer, or another node has to be asked. */
static void
settle (BawnHttpExchange *exchange)
{
  if (bawn_error_is (exchange->error, BAWN_ERROR_STANDBY) && exchange->worker->gate != NULL)
    bawn_http_gate_route (exchange->worker->gate, &exchange->passage);
  else
    write_answer (exchange);
}

/* The handler has answered after it had returned. Nobody may be waiting any more. */
static void
deliver (gpointer data)
{
  g_autoptr(BawnHttpExchange) exchange = data;

  if (exchange->conn == NULL || exchange->written)
    return;
  settle (exchange);
}

static void
on_reply (BawnRequest *request, BawnResponse *response, GError *error, gpointer user_data)
{
  BawnHttpExchange *exchange = user_data;

  if (!g_atomic_int_compare_and_exchange (&exchange->replied, FALSE, TRUE))
    {
      g_critical ("request %s was answered twice", request->id);
      g_clear_pointer (&response, bawn_response_free);
      g_clear_error (&error);
      return;
    }
  exchange->response = response;
  exchange->error = error;
  if (response == NULL && error == NULL)
    exchange->error = g_error_new_literal (BAWN_ERROR, BAWN_ERROR_INTERNAL, "answered with nothing");

  if (!bawn_http_worker_is_current (exchange->worker))
    {
      if (!bawn_http_worker_post (exchange->worker, deliver, exchange))
        exchange_unref (exchange);
    }
  else if (exchange->dispatching)
    exchange->in_place = TRUE;
  else
    deliver (exchange);
}

/* Has the request answered: now, or later. */
static void
dispatch (BawnHttpExchange *exchange)
{
  const BawnHttpHandler *handler = &exchange->worker->handler;

  g_atomic_ref_count_inc (&exchange->refs);
  if (exchange->worker->gate != NULL)
    exchange->passage.serial = bawn_http_gate_get_serial (exchange->worker->gate);
  exchange->dispatching = TRUE;
  handler->dispatch (handler->core, exchange->request, on_reply, exchange);
  exchange->dispatching = FALSE;

  if (exchange->in_place)
    {
      exchange->in_place = FALSE;
      settle (exchange);
      exchange_unref (exchange);
    }
}

/* Has libsoup wait, unless the answer is there already. */
static void
wait (BawnHttpExchange *exchange)
{
  if (exchange->written)
    return;
  /* libsoup takes a message without a status for one that nobody wants, and says 404. */
  soup_server_message_set_status (exchange->message, SOUP_STATUS_OK, NULL);
  soup_server_message_pause (exchange->message);
  exchange->paused = TRUE;
}

static BawnRequest *
decode (BawnHttpExchange *exchange, BawnHttpReply *out_refusal)
{
  BawnHttpConn *conn = exchange->conn;
  BawnRequest *request = bawn_http_codec_decode (bawn_http_stream_get_head (conn->stream), exchange->body,
                                                 &conn->port->listener->config->limits.json, out_refusal);

  if (request == NULL)
    return NULL;
  request->remote_address = g_strdup (exchange->client);
  request->remote_port = conn->remote_port;
  request->open_metrics = conn->port->listener->config->open_metrics;
  return request;
}

/**
 * bawn_http_exchange_begin:
 * @conn: a connection whose stream has a complete request
 * @message: libsoup's view of it
 *
 * Reads the request, has it answered, and if that takes time pauses the message meanwhile.
 */
void
bawn_http_exchange_begin (BawnHttpConn *conn, SoupServerMessage *message)
{
  BawnHttpExchange *exchange = g_new0 (BawnHttpExchange, 1);
  const BawnHttpOrigin *origin = &conn->port->listener->config->origin;
  BawnBuffer *body = bawn_http_stream_get_body (conn->stream);
  g_auto(BawnHttpReply) refusal = { 0 };

  g_atomic_ref_count_init (&exchange->refs);
  exchange->worker = bawn_http_worker_ref (conn->port->worker);
  exchange->conn = bawn_http_conn_ref (conn);
  exchange->message = g_object_ref (message);
  exchange->passage.exchange = exchange;
  exchange->body = body->size > 0 ? bawn_buffer_steal (body) : NULL;
  conn->exchange = exchange;
  bawn_http_count (exchange->worker->stats.in_flight);

  if (bawn_http_origin_resolve (origin, bawn_http_stream_get_head (conn->stream), conn->remote_host, &exchange->client,
                                &refusal))
    exchange->request = decode (exchange, &refusal);
  if (exchange->request == NULL)
    {
      write_reply (exchange, &refusal);
      return;
    }
  bawn_http_conn_enter (conn, BAWN_HTTP_PHASE_REQUEST);
  dispatch (exchange);
  wait (exchange);
}

/* The deadline has passed. The handler may still answer, but nobody listens. */
void
bawn_http_exchange_expire (BawnHttpExchange *exchange)
{
  g_autoptr(GError) error = g_error_new_literal (BAWN_ERROR, BAWN_ERROR_TIMEOUT, "the request took too long");
  g_auto(BawnHttpReply) reply = { 0 };

  if (exchange->worker->gate != NULL)
    bawn_http_gate_forget (exchange->worker->gate, &exchange->passage);
  bawn_http_reply_from_error (&reply, error, exchange->request);
  write_reply (exchange, &reply);
}

/* The message is over, one way or another. */
void
bawn_http_exchange_end (BawnHttpExchange *exchange)
{
  if (exchange->worker->gate != NULL)
    bawn_http_gate_forget (exchange->worker->gate, &exchange->passage);
  bawn_http_uncount (exchange->worker->stats.in_flight);
  g_clear_object (&exchange->message);
  exchange->conn->exchange = NULL;
  g_clear_pointer (&exchange->conn, bawn_http_conn_unref);
  exchange_unref (exchange);
}

const BawnHttpHead *
bawn_http_exchange_get_head (BawnHttpExchange *exchange)
{
  return bawn_http_stream_get_head (exchange->conn->stream);
}

/* NULL: none. */
GBytes *
bawn_http_exchange_get_body (BawnHttpExchange *exchange)
{
  return exchange->body;
}

BawnRequest *
bawn_http_exchange_get_request (BawnHttpExchange *exchange)
{
  return exchange->request;
}

/* What it holds in memory, about. */
gsize
bawn_http_exchange_get_size (BawnHttpExchange *exchange)
{
  return bawn_http_exchange_get_head (exchange)->text.size + (exchange->body != NULL ? g_bytes_get_size (exchange->body) : 0);
}

/* Until when anybody waits for the answer (monotonic). */
gint64
bawn_http_exchange_get_deadline (BawnHttpExchange *exchange)
{
  return exchange->conn->ticket.deadline_us;
}

/* Answers it with what another node has said. */
void
bawn_http_exchange_answer (BawnHttpExchange *exchange, const BawnHttpReply *reply)
{
  write_reply (exchange, reply);
}

/**
 * bawn_http_exchange_retry:
 * @exchange: a request that this node has not answered, since it was not active
 *
 * Tries here once more.
 */
void
bawn_http_exchange_retry (BawnHttpExchange *exchange)
{
  g_auto(BawnHttpReply) refusal = { 0 };
  g_autoptr(BawnRequest) former = exchange->request;

  /* From the beginning: the pipeline has written into the first one. */
  exchange->request = decode (exchange, &refusal);
  g_assert (exchange->request != NULL); /* it could be read before */
  g_free (exchange->request->id);
  exchange->request->id = g_strdup (former->id);
  exchange->request->started_us = former->started_us;
  exchange->request->authorized = exchange->passage.authorized;
  exchange->request->audited = former->audited;
  exchange->request->repeated = former->repeated;
  g_clear_pointer (&exchange->response, bawn_response_free);
  g_clear_error (&exchange->error);
  g_atomic_int_set (&exchange->replied, FALSE);
  dispatch (exchange);
}
