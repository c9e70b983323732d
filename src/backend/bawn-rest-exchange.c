/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-rest-private.h"

#include "util/bawn-bytes.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

/* libsoup's own limits are off: the alarm is finer, and one lane has one connection at a time. */
#define NO_TIMEOUT 0
#define READ_SIZE (64 * 1024)
/* Silence of 10 s, then three questions 3 s apart: dead in 19 s. */
#define KEEPALIVE_IDLE_S 10
#define KEEPALIVE_STEP_S 3
#define KEEPALIVE_STEPS 3

/* Nothing of libsoup may fall back to the main context of this thread: see BawnRestLane. */
void
bawn_rest_lane_enter (BawnRestLane *lane)
{
  g_main_context_push_thread_default (lane->context);
}

void
bawn_rest_lane_leave (BawnRestLane *lane)
{
  g_main_context_pop_thread_default (lane->context);
}

BawnRestLane *
bawn_rest_lane_new (guint address, GTlsDatabase *authorities)
{
  BawnRestLane *lane = g_new0 (BawnRestLane, 1);

  lane->address = address;
  lane->context = g_main_context_new ();
  bawn_rest_lane_enter (lane);
  lane->session = soup_session_new_with_options ("max-conns", 1, "max-conns-per-host", 1, "timeout",
                                                 NO_TIMEOUT, "idle-timeout", NO_TIMEOUT, NULL);
  /* These would send a request again, or change what comes back; and storage is not behind a proxy.
   */
  soup_session_remove_feature_by_type (lane->session, SOUP_TYPE_AUTH_MANAGER);
  soup_session_remove_feature_by_type (lane->session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_set_proxy_resolver (lane->session, NULL);
  if (authorities != NULL)
    soup_session_set_tls_database (lane->session, authorities);
  bawn_rest_lane_leave (lane);

  return lane;
}

void
bawn_rest_lane_free (BawnRestLane *lane)
{
  if (lane == NULL)
    return;

  bawn_rest_lane_enter (lane);
  soup_session_abort (lane->session);
  g_object_unref (lane->session);
  bawn_rest_lane_leave (lane);
  g_clear_object (&lane->socket);
  g_main_context_unref (lane->context);
  g_free (lane);
}

static void
refuse (BawnRestExchange *exchange, const char *fault)
{
  exchange->fault = fault;
  g_cancellable_cancel (exchange->alarm->cancellable);
}

static void
prepare_tls (BawnRestExchange *exchange, GTlsConnection *tls)
{
  /* A connection of HTTP/2 belongs to one thread, and gains a lane nothing. */
  static const char *const protocols[] = { "http/1.1", NULL };

  g_tls_connection_set_advertised_protocols (tls, protocols);
  /* Without it, a connection that somebody cut looks like one that the server has closed. */
  g_tls_connection_set_require_close_notify (tls, TRUE);
  /* libsoup's would wait for the lane's main context to ask for a certificate: for ever. */
  g_tls_connection_set_interaction (tls, NULL);
  if (exchange->identity != NULL)
    g_tls_connection_set_certificate (tls, exchange->identity);
  if (exchange->options->server_name != NULL)
    {
      g_autoptr (GSocketConnectable) identity =
          g_network_address_new (exchange->options->server_name, 0);

      g_tls_client_connection_set_server_identity (G_TLS_CLIENT_CONNECTION (tls), identity);
    }
}

/* A kept connection, or a watch, whose other side is gone without a word must not look alive for
 * ever. */
static void
prepare_socket (GSocket *socket)
{
  g_socket_set_keepalive (socket, TRUE);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_STEP_S, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_STEPS, NULL);
}

static void
on_network_event (SoupMessage *message G_GNUC_UNUSED,
                  GSocketClientEvent event,
                  GIOStream *stream,
                  gpointer data)
{
  BawnRestExchange *exchange = data;

  if (event == G_SOCKET_CLIENT_CONNECTED)
    {
      g_set_object (&exchange->lane->socket,
                    g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)));
      prepare_socket (exchange->lane->socket);
    }
  if (event == G_SOCKET_CLIENT_COMPLETE)
    exchange->is_fresh = TRUE;
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
    prepare_tls (exchange, G_TLS_CONNECTION (stream));
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKED
      && g_tls_connection_get_protocol_version (G_TLS_CONNECTION (stream))
             < exchange->options->min_version)
    refuse (exchange, "the server speaks no TLS as new as tls-min-version");
}

static gboolean
on_accept_certificate (SoupMessage *message G_GNUC_UNUSED,
                       GTlsCertificate *certificate G_GNUC_UNUSED,
                       GTlsCertificateFlags faults,
                       gpointer data)
{
  BawnRestExchange *exchange = data;

  if (exchange->options->skip_verify)
    return TRUE;

  if (faults & G_TLS_CERTIFICATE_UNKNOWN_CA)
    exchange->fault = "its certificate is not signed by an authority of tls-ca-file";
  else if (faults & G_TLS_CERTIFICATE_BAD_IDENTITY)
    exchange->fault = "its certificate is for another name; tls-server-name tells which is right";
  else if (faults & G_TLS_CERTIFICATE_NOT_ACTIVATED)
    exchange->fault = "its certificate is not valid yet";
  else if (faults & G_TLS_CERTIFICATE_EXPIRED)
    exchange->fault = "its certificate has expired";
  else if (faults & G_TLS_CERTIFICATE_REVOKED)
    exchange->fault = "its certificate was revoked";
  else
    exchange->fault = "its certificate is not sound";
  return FALSE;
}

/* Emitted right before the first byte is written. What is cancelled by now writes none: both
 * sockets and TLS look at the cancellable first. */
static void
on_starting (SoupMessage *message G_GNUC_UNUSED, gpointer data)
{
  BawnRestExchange *exchange = data;

  if (g_cancellable_is_cancelled (exchange->alarm->cancellable))
    return;

  exchange->is_sent = TRUE;
  bawn_rest_alarm_move (exchange->alarm, exchange->deadline_us);
}

/* libsoup sends a GET, PUT or DELETE again when a connection that was used before is closed without
 * an answer, and anything at all after a status 421. Whether to ask again is decided above, and
 * never for what must not be repeated. */
static void
on_restarted (SoupMessage *message G_GNUC_UNUSED, gpointer data)
{
  refuse (data, "the connection was closed before an answer came");
}

/* A value from a file may hold anything; with a line end it could say what it likes. */
static gboolean
check_headers (const BawnRestRequest *request, GError **error)
{
  for (guint i = 0; request->headers != NULL && request->headers[i] != NULL; i += 2)
    for (const char *c = request->headers[i + 1]; *c != '\0'; c++)
      if (!g_ascii_isprint (*c))
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          "what is configured for the header %s cannot stand in one",
                          request->headers[i]);

  return TRUE;
}

static SoupMessage *
message_new (BawnRestExchange *exchange, const BawnRestRequest *request)
{
  g_autofree char *url = g_strconcat (exchange->address->shown, request->path, NULL);
  g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);

  if (uri == NULL)
    return NULL;

  SoupMessage *message = soup_message_new_from_uri (request->method, uri);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  for (guint i = 0; request->headers != NULL && request->headers[i] != NULL; i += 2)
    soup_message_headers_append (headers, request->headers[i], request->headers[i + 1]);
  if (request->body != NULL)
    soup_message_set_request_body_from_bytes (message, request->content_type, request->body);
  /* "Idempotent" only makes it use a kept connection for a POST too: to repeat one, libsoup looks
   * at the method alone. */
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_IDEMPOTENT
                                       | SOUP_MESSAGE_COLLECT_METRICS);
  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event), exchange);
  g_signal_connect (message, "accept-certificate", G_CALLBACK (on_accept_certificate), exchange);
  g_signal_connect (message, "starting", G_CALLBACK (on_starting), exchange);
  g_signal_connect (message, "restarted", G_CALLBACK (on_restarted), exchange);
  return message;
}

/* Whether the other side had closed before the first byte was written, or ended the handshake by
 * saying that it misses a certificate: it has read nothing of the request then, and never will. */
static gboolean
was_refused (BawnRestExchange *exchange, const GError *why)
{
  SoupMessageMetrics *metrics = soup_message_get_metrics (exchange->message);

  if (g_error_matches (why, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED))
    return TRUE;

  return soup_message_metrics_get_request_header_bytes_sent (metrics) == 0
         && (g_error_matches (why, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE)
             || g_error_matches (why, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED));
}

static gboolean
tell_why (BawnRestExchange *exchange, const GError *why, GError **error)
{
  const char *text = why->message;

  if (exchange->fault != NULL)
    text = exchange->fault;
  else if (bawn_rest_alarm_rang (exchange->alarm))
    text = exchange->is_sent ? "no answer in time" : "no connection in time";
  else if (g_error_matches (why, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    text = "given up before an answer came";

  return bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s: %s", exchange->address->shown, text);
}

BawnRestOutcome
bawn_rest_exchange_run (BawnRestExchange *exchange, const BawnRestRequest *request, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (!check_headers (request, error))
    return BAWN_REST_NOT_SENT;
  exchange->message = message_new (exchange, request);
  if (exchange->message == NULL)
    {
      bawn_fail (error, BAWN_ERROR_INTERNAL, "%s: the path of a request is not one",
                 exchange->address->shown);
      return BAWN_REST_NOT_SENT;
    }

  bawn_rest_lane_enter (exchange->lane);
  exchange->stream = soup_session_send (exchange->lane->session, exchange->message,
                                        exchange->alarm->cancellable, &why);
  bawn_rest_lane_leave (exchange->lane);
  if (exchange->stream != NULL)
    return BAWN_REST_ANSWERED;

  tell_why (exchange, why, error);
  return exchange->is_sent && !was_refused (exchange, why) ? BAWN_REST_LOST : BAWN_REST_NOT_SENT;
}

/* libsoup takes the end of the connection for the end of the body if that was between two chunks.
 * So an answer in chunks is whole only if the server has not closed by then. */
static gboolean
check_end (BawnRestExchange *exchange, SoupEncoding encoding, GError **error)
{
  struct pollfd fd = { .fd = exchange->lane->socket != NULL
                                 ? g_socket_get_fd (exchange->lane->socket)
                                 : -1,
                       .events = POLLRDHUP };

  if (encoding != SOUP_ENCODING_CHUNKED || (fd.fd >= 0 && poll (&fd, 1, 0) == 0))
    return TRUE;

  return bawn_fail (error, BAWN_ERROR_UPSTREAM, "the connection was closed within the answer");
}

static gboolean
read_all (BawnRestExchange *exchange, BawnBuffer *buffer, GError **error)
{
  SoupEncoding encoding =
      soup_message_headers_get_encoding (soup_message_get_response_headers (exchange->message));

  /* Where the end of the connection is the end of the body, a cut cannot be told from it. */
  if (encoding == SOUP_ENCODING_EOF)
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "the answer does not say where it ends");

  while (buffer->size <= BAWN_REST_MAX_REPLY)
    {
      bawn_buffer_reserve (buffer, READ_SIZE);

      gssize n = g_input_stream_read (exchange->stream, buffer->data + buffer->size, READ_SIZE,
                                      exchange->alarm->cancellable, error);

      if (n < 0)
        return FALSE;
      if (n == 0)
        return check_end (exchange, encoding, error);
      buffer->size += (gsize) n;
    }

  return bawn_fail (error, BAWN_ERROR_UPSTREAM, "the answer is longer than %d bytes",
                    BAWN_REST_MAX_REPLY);
}

gboolean
bawn_rest_exchange_read_body (BawnRestExchange *exchange, GBytes **out_body, GError **error)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;
  g_autoptr (GError) why = NULL;

  bawn_rest_lane_enter (exchange->lane);

  gboolean ok = read_all (exchange, &buffer, &why);

  /* Only what is closed without being cancelled leaves its connection to the next. */
  if (ok)
    g_input_stream_close (exchange->stream, NULL, NULL);
  bawn_rest_lane_leave (exchange->lane);
  if (!ok)
    return tell_why (exchange, why, error);

  *out_body = bawn_buffer_steal (&buffer);
  return TRUE;
}

void
bawn_rest_exchange_clear (BawnRestExchange *exchange)
{
  if (exchange->message != NULL)
    g_signal_handlers_disconnect_by_data (exchange->message, exchange);
  if (exchange->stream != NULL)
    {
      g_autoptr (GCancellable) at_once = g_cancellable_new ();

      /* Closing reads what is left of the body, which may never come, unless it is cancelled. */
      g_cancellable_cancel (at_once);
      bawn_rest_lane_enter (exchange->lane);
      g_input_stream_close (exchange->stream, at_once, NULL);
      g_clear_object (&exchange->stream);
      bawn_rest_lane_leave (exchange->lane);
    }
  g_clear_object (&exchange->message);
}
