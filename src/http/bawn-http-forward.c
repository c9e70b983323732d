/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-forward.h"

#include "http/bawn-http-frame.h"
#include "http/bawn-http-target.h"

#include <string.h>

/* What concerns the client's connection only (RFC 9110, 7.6.1), or its framing, which is not ours.
 */
static gboolean
is_for_one_hop (const BawnHttpField *field)
{
  static const char *const names[] = { "Connection",
                                       "Content-Length",
                                       "Expect",
                                       "Keep-Alive",
                                       "Proxy-Authenticate",
                                       "Proxy-Authorization",
                                       "Proxy-Connection",
                                       "TE",
                                       "Trailer",
                                       "Transfer-Encoding",
                                       "Upgrade" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (field->name, names[i]) == 0)
      return TRUE;

  return g_ascii_strncasecmp (field->name, "X-Bawn-", strlen ("X-Bawn-")) == 0;
}

static void
write_head (const BawnHttpHead *head, BawnBuffer *out)
{
  bawn_buffer_append_string (out, head->method);
  bawn_buffer_append_byte (out, ' ');
  bawn_buffer_append_string (out, head->target);
  bawn_buffer_append_string (out, head->minor == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  for (guint i = 0; i < head->n_fields; i++)
    {
      if (is_for_one_hop (&head->fields[i]))
        continue;
      bawn_buffer_append_string (out, head->fields[i].name);
      bawn_buffer_append_string (out, ": ");
      bawn_buffer_append_string (out, head->fields[i].value);
      bawn_buffer_append_string (out, "\r\n");
    }
  bawn_buffer_append_string (out, "\r\n");
}

/**
 * bawn_http_forward_write:
 * @exchange: a request
 * @out: empty
 *
 * Writes the head of a REQUEST, as bawn_http_link_post() wants it. The certificate that the client
 * has shown stays here: the listener has checked it, and no login method asks for it. One that does
 * needs it in #BawnHttpCall, and in #BawnRequest to begin with.
 */
void
bawn_http_forward_write (BawnHttpExchange *exchange, BawnBuffer *out)
{
  static const guint8 prefix[BAWN_HTTP_FRAME_MESSAGE_PREFIX] = { 0 };
  const BawnRequest *request = bawn_http_exchange_get_request (exchange);
  gint64 left_us = bawn_http_exchange_get_deadline (exchange) - g_get_monotonic_time ();
  g_auto (BawnBuffer) head = BAWN_BUFFER_INIT;

  write_head (bawn_http_exchange_get_head (exchange), &head);
  BawnHttpCall call = {
    .id = request->id,
    .remote_address = request->remote_address,
    .remote_port = request->remote_port,
    .authorize_only = request->authorize_only,
    .repeated = request->repeated,
    .deadline_ms = (guint32) CLAMP (left_us / G_TIME_SPAN_MILLISECOND, 0, G_MAXUINT32),
    .head = head.data,
    .head_size = head.size,
  };
  bawn_buffer_reserve (out, sizeof prefix + head.size + 128);
  bawn_buffer_append (out, prefix, sizeof prefix);
  bawn_http_call_write (&call, out);
}

/**
 * bawn_http_forward_redirect:
 * @api_addr: where the active node says that clients reach it
 * @head: of the request
 * @out_reply: zeroed; filled
 *
 * Returns: whether that is an address
 */
gboolean
bawn_http_forward_redirect (const char *api_addr,
                            const BawnHttpHead *head,
                            BawnHttpReply *out_reply)
{
  g_autoptr (GUri) uri = g_uri_parse (api_addr, G_URI_FLAGS_NONE, NULL);
  const char *local = bawn_http_target_local (head->target);

  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0' || local == NULL)
    return FALSE;

  g_autofree char *origin = g_uri_join (G_URI_FLAGS_NONE, g_uri_get_scheme (uri), NULL,
                                        g_uri_get_host (uri), g_uri_get_port (uri), "", NULL, NULL);
  out_reply->status = 307;
  out_reply->location = g_strconcat (origin, local, NULL);

  return TRUE;
}

/* Whether it is of a kind that changes nothing, so that it may be sent once more. Where it writes
 * all the same, such as another use of a token that has only so many, the active node does not do
 * it (see BawnRequest.repeated). */
gboolean
bawn_http_forward_is_repeatable (const BawnHttpHead *head)
{
  static const char *const methods[] = { "GET", "HEAD", "LIST", "HELP", "OPTIONS" };

  /* A wrapped answer is a write: there would be a second token, and nobody to use it. */
  if (bawn_http_head_get (head, "X-Vault-Wrap-TTL") != NULL)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strcmp (head->method, methods[i]) == 0)
      return TRUE;

  return FALSE;
}
