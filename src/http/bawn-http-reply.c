/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-reply.h"

#include "http/bawn-http-status.h"
#include "util/bawn-log.h"

/**
 * bawn_http_reply_clear:
 * @reply: a reply
 *
 * Frees what it holds.
 */
void
bawn_http_reply_clear (BawnHttpReply *reply)
{
  g_clear_pointer (&reply->body, g_bytes_unref);
  g_free (reply->content_type);
  g_free (reply->location);
  g_clear_pointer (&reply->headers, g_ptr_array_unref);
  *reply = (BawnHttpReply) { 0 };
}

/**
 * bawn_http_reply_from_text:
 * @reply: empty; to be filled
 * @status: HTTP
 * @message: (nullable): the one error; %NULL for an empty list of errors
 */
void
bawn_http_reply_from_text (BawnHttpReply *reply, guint status, const char *message)
{
  *reply = (BawnHttpReply) { .status = status, .body = bawn_errors_encode (message) };
}

/**
 * bawn_http_reply_from_error:
 * @reply: empty; to be filled
 * @error: what went wrong
 * @request: whose
 *
 * Turns an error into an answer. What is not for the client goes to the log, under the id that the client gets.
 */
void
bawn_http_reply_from_error (BawnHttpReply *reply, const GError *error, const BawnRequest *request)
{
  BawnHttpRule rule = bawn_http_rule (error);
  g_autofree char *hidden = NULL;

  if (rule.hidden)
    {
      bawn_log_with (BAWN_LOG_WARN, "http", BAWN_LOG_FIELDS ({ "REQUEST_ID", request->id }), "%s %s: %s",
                     bawn_op_name (request->op), request->path, error->message);
      hidden = g_strdup_printf ("internal error (request %s)", request->id);
    }

  bawn_http_reply_from_text (reply, rule.status, hidden != NULL ? hidden : rule.text != NULL ? rule.text : error->message);
  reply->retry_after_s = rule.retry_after_s;
}

/**
 * bawn_http_reply_from_response:
 * @reply: empty; to be filled
 * @response: what the core says
 * @request: to what
 */
void
bawn_http_reply_from_response (BawnHttpReply *reply, BawnResponse *response, const BawnRequest *request)
{
  *reply = (BawnHttpReply) { 0 };
  reply->body = bawn_response_encode (response, request->id, &reply->status);
  if (response->form == BAWN_RESPONSE_RAW)
    reply->content_type = g_strdup (response->content_type);
  reply->headers = g_steal_pointer (&response->headers);
}

/**
 * bawn_http_reply_write:
 * @reply: what to say
 * @message: to whom
 * @secure: whether it goes over TLS
 * @keep_alive: whether the connection lives on
 *
 * Hands the answer to libsoup; the body is not copied.
 */
void
bawn_http_reply_write (const BawnHttpReply *reply, SoupServerMessage *message, gboolean secure, gboolean keep_alive)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_server_message_set_status (message, reply->status, NULL);
  soup_message_headers_append (headers, "Cache-Control", "no-store");
  soup_message_headers_append (headers, "Content-Type",
                               reply->content_type != NULL ? reply->content_type : "application/json");
  if (secure)
    soup_message_headers_append (headers, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
  if (reply->location != NULL)
    soup_message_headers_append (headers, "Location", reply->location);
  if (reply->retry_after_s > 0)
    {
      g_autofree char *seconds = g_strdup_printf ("%u", reply->retry_after_s);
      soup_message_headers_append (headers, "Retry-After", seconds);
    }
  if (!keep_alive)
    soup_message_headers_append (headers, "Connection", "close");
  else if (soup_server_message_get_http_version (message) == SOUP_HTTP_1_0)
    soup_message_headers_append (headers, "Connection", "Keep-Alive");
  for (guint i = 0; reply->headers != NULL && i + 1 < reply->headers->len; i += 2)
    soup_message_headers_append (headers, g_ptr_array_index (reply->headers, i), g_ptr_array_index (reply->headers, i + 1));
  if (reply->body != NULL && g_bytes_get_size (reply->body) > 0)
    soup_message_body_append_bytes (soup_server_message_get_response_body (message), reply->body);
}
