/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-exchange.h"

#include "http/bawn-http-codec.h"

#include <string.h>

/**
 * BawnHttpExchange:
 * @conn: (nullable): %NULL once the message is over; worker's thread
 * @message: (nullable): likewise
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
  BawnRequest *request;
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
  g_clear_pointer (&exchange->request, bawn_request_unref);
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

/* The handler has answered after it had returned. Nobody may be waiting any more. */
static void
deliver (gpointer data)
{
  g_autoptr(BawnHttpExchange) exchange = data;

  if (exchange->conn == NULL || exchange->written)
    return;
  write_answer (exchange);
  soup_server_message_unpause (exchange->message);
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

/* Has the request answered: now, or later while the message is paused. */
static void
dispatch (BawnHttpExchange *exchange)
{
  const BawnHttpHandler *handler = &exchange->worker->handler;

  g_atomic_ref_count_inc (&exchange->refs);
  exchange->dispatching = TRUE;
  handler->dispatch (handler->core, exchange->request, on_reply, exchange);
  exchange->dispatching = FALSE;

  if (exchange->in_place)
    {
      write_answer (exchange);
      exchange_unref (exchange);
      return;
    }
  /* libsoup takes a message without a status for one that nobody wants, and says 404. */
  soup_server_message_set_status (exchange->message, SOUP_STATUS_OK, NULL);
  soup_server_message_pause (exchange->message);
  bawn_http_conn_enter (exchange->conn, BAWN_HTTP_PHASE_REQUEST);
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
  const BawnHttpListenerConfig *config = conn->port->listener->config;
  const BawnHttpHead *head = bawn_http_stream_get_head (conn->stream);
  g_auto(BawnHttpReply) refusal = { 0 };
  g_autofree char *client = NULL;

  g_atomic_ref_count_init (&exchange->refs);
  exchange->worker = bawn_http_worker_ref (conn->port->worker);
  exchange->conn = bawn_http_conn_ref (conn);
  exchange->message = g_object_ref (message);
  conn->exchange = exchange;
  bawn_http_count (exchange->worker->stats.in_flight);

  if (bawn_http_origin_resolve (&config->origin, head, conn->remote_host, &client, &refusal))
    exchange->request
      = bawn_http_codec_decode (head, bawn_http_stream_get_body (conn->stream), &config->limits.json, &refusal);
  if (exchange->request == NULL)
    {
      write_reply (exchange, &refusal);
      return;
    }
  bawn_http_origin_apply (&config->origin, exchange->request, g_steal_pointer (&client), conn->remote_host);
  exchange->request->remote_port = conn->remote_port;
  dispatch (exchange);
}

/* The deadline has passed. The handler may still answer, but nobody listens. */
void
bawn_http_exchange_expire (BawnHttpExchange *exchange)
{
  g_autoptr(GError) error = g_error_new_literal (BAWN_ERROR, BAWN_ERROR_TIMEOUT, "the request took too long");
  g_auto(BawnHttpReply) reply = { 0 };

  bawn_http_reply_from_error (&reply, error, exchange->request);
  write_reply (exchange, &reply);
  soup_server_message_unpause (exchange->message);
}

/* The message is over, one way or another. */
void
bawn_http_exchange_end (BawnHttpExchange *exchange)
{
  bawn_http_uncount (exchange->worker->stats.in_flight);
  g_clear_object (&exchange->message);
  exchange->conn->exchange = NULL;
  g_clear_pointer (&exchange->conn, bawn_http_conn_unref);
  exchange_unref (exchange);
}
