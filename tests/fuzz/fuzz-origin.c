/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The beginning of a connection: maybe a header of the PROXY protocol, then a request's head, maybe
 * with X-Forwarded-For. Who is said to be there has an address, and what is read of the connection
 * is the header and no more. */
#include "config.h"

#include "http/bawn-http-origin.h"
#include "http/bawn-http-proxy.h"
#include "util/bawn-net.h"

#include "fuzz.h"

static void
check_host (const char *host)
{
  g_autofree char *normal = bawn_cidr_normalize (host, NULL);

  g_assert_cmpstr (normal, ==, host);
}

/* Returns how much of @data is header. */
static gsize
check_proxy (const uint8_t *data, size_t size)
{
  BawnHttpProxyHeader header = { 0 };
  BawnHttpProxyHeader again = { 0 };
  BawnHttpProxyVerdict verdict = bawn_http_proxy_parse (data, size, &header);

  if (verdict == BAWN_HTTP_PROXY_MORE)
    g_assert_cmpuint (size, <, BAWN_HTTP_PROXY_V2_MAX);
  if (verdict != BAWN_HTTP_PROXY_HEADER)
    return 0;

  g_assert_cmpuint (header.size, <=, MIN (size, BAWN_HTTP_PROXY_V2_MAX));
  g_assert_cmpint (bawn_http_proxy_parse (data, header.size, &again), ==, BAWN_HTTP_PROXY_HEADER);
  g_assert_cmpint (bawn_http_proxy_parse (data, header.size - 1, &again), ==, BAWN_HTTP_PROXY_MORE);
  if (header.source.any.sa_family != AF_UNSPEC)
    {
      g_autofree char *host = bawn_http_address_host (&header.source);

      check_host (host);
    }

  return header.size;
}

static void
check_forwarded (BawnHttpHead *head, guint hop_skips, gboolean strict)
{
  static const char *const everybody[] = { "0.0.0.0/0", NULL };
  const BawnHttpOrigin origin = { .proxy = BAWN_HTTP_PROXY_OFF,
                                  .forwarded_addrs = (GStrv) everybody,
                                  .hop_skips = hop_skips,
                                  .reject_not_present = strict };
  g_auto (BawnHttpReply) refusal = { 0 };
  g_autofree char *client = NULL;

  if (bawn_http_origin_resolve (&origin, head, "10.0.0.1", &client, &refusal))
    check_host (client);
  else
    g_assert_cmpuint (refusal.status, ==, 400);
  g_assert_true ((client == NULL) == (refusal.status != 0));
}

static void
check_dropped (BawnHttpHead *head)
{
  static const char *const nobody[] = { "255.255.255.255", NULL };
  const BawnHttpOrigin origin = { .proxy = BAWN_HTTP_PROXY_OFF, .forwarded_addrs = (GStrv) nobody };
  g_auto (BawnHttpReply) refusal = { 0 };
  g_autofree char *client = NULL;

  g_assert_true (bawn_http_origin_resolve (&origin, head, "10.0.0.1", &client, &refusal));
  g_assert_cmpstr (client, ==, "10.0.0.1");
  g_assert_null (bawn_http_head_get (head, "X-Forwarded-For"));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  gsize skipped = check_proxy (data, size);
  gsize scanned = 0;
  gsize end = bawn_http_head_end (data + skipped, size - skipped, &scanned);
  BawnHttpHead head = { 0 };
  BawnHttpRefusal why = { 0 };

  if (end > 0 && bawn_http_head_parse (&head, data + skipped, end, &why))
    {
      for (guint hop_skips = 0; hop_skips < 4; hop_skips++)
        check_forwarded (&head, hop_skips, hop_skips % 2 == 0);
      check_dropped (&head);
    }
  bawn_http_head_clear (&head);

  return 0;
}
