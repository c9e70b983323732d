/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-proxy.h"

#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4_BYTES                                                                                 \
  "\x0a\1\2\3"                                                                                     \
  "\x0a\0\0\1"                                                                                     \
  "\x30\x39"                                                                                       \
  "\x20\x08"
#define TCP6_BYTES                                                                                 \
  "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"                                                         \
  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"                                                               \
  "\x30\x39"                                                                                       \
  "\x20\x08"
#define MAPPED_BYTES                                                                               \
  "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\1\2\3"                                                         \
  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"                                                               \
  "\x30\x39"                                                                                       \
  "\x20\x08"
/* A literal with its size, NULs inside included. */
#define BYTES(text) (text), sizeof (text) - 1

typedef struct
{
  const char *data;
  gsize size;
  /* NULL: refused; "": the connection's address stands */
  const char *host;
  guint port;
} Case;

static const Case cases[] = {
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 12345 8200\r\n"), "10.1.2.3", 12345 },
  { BYTES ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255",
    65535 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 0 0\r\n"), "10.1.2.3", 0 },
  { BYTES ("PROXY TCP6 2001:db8::1 ::1 12345 8200\r\n"), "2001:db8::1", 12345 },
  { BYTES ("PROXY TCP6 2001:0DB8:0000:0000:0000:0000:0000:0001 "
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
    "2001:db8::1", 65535 },
  { BYTES ("PROXY TCP6 ::ffff:10.1.2.3 ::1 1 2\r\n"), "10.1.2.3", 1 },
  { BYTES ("PROXY UNKNOWN\r\n"), "", 0 },
  { BYTES ("PROXY UNKNOWN ffff:f...f:ffff whatever 65535 65535\r\n"), "", 0 },

  { BYTES ("PROXY \r\n"), NULL, 0 },
  { BYTES ("PROXY  TCP4 10.1.2.3 10.0.0.1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY UNKNOWNS\r\n"), NULL, 0 },
  { BYTES ("PROXY unknown\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP 10.1.2.3 10.0.0.1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY UDP4 10.1.2.3 10.0.0.1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 1\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 1 2 3\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 1 2 \r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3  10.0.0.1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4\t10.1.2.3 10.0.0.1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 1 2\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 1 2\r\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 65536 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 1 65536\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 01 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 +1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 -1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 x 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1  2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2 10.0.0.1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.256 10.0.0.1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 host 10.0.0.1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 host 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 ::1 ::1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP6 10.1.2.3 10.0.0.1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP6 [::1] ::1 1 2\r\n"), NULL, 0 },
  { BYTES ("PROXY UNKNOWN\0\r\n"), NULL, 0 },
  { BYTES ("PROXY TCP4 10.1.2.3 10.0.0.1 1 2\0\r\n"), NULL, 0 },

  { BYTES (SIGNATURE "\x21\x11\0\x0c" TCP4_BYTES), "10.1.2.3", 12345 },
  { BYTES (SIGNATURE "\x21\x11\0\x10" TCP4_BYTES "\4\0\1x"), "10.1.2.3", 12345 },
  { BYTES (SIGNATURE "\x21\x21\0\x24" TCP6_BYTES), "2001:db8::1", 12345 },
  { BYTES (SIGNATURE "\x21\x21\0\x24" MAPPED_BYTES), "10.1.2.3", 12345 },
  { BYTES (SIGNATURE "\x20\0\0\0"), "", 0 },
  { BYTES (SIGNATURE "\x20\x11\0\x0c" TCP4_BYTES), "", 0 },
  { BYTES (SIGNATURE "\x20\xff\0\1x"), "", 0 },
  { BYTES (SIGNATURE "\x21\0\0\0"), "", 0 },
  { BYTES (SIGNATURE "\x21\0\0\3\4\0\0"), "", 0 },

  { BYTES (SIGNATURE "\x22\x11\0\x0c" TCP4_BYTES), NULL, 0 },
  { BYTES (SIGNATURE "\x11\x11\0\x0c" TCP4_BYTES), NULL, 0 },
  { BYTES (SIGNATURE "\x31\x11\0\x0c" TCP4_BYTES), NULL, 0 },
  { BYTES (SIGNATURE "\x21\x12\0\x0c" TCP4_BYTES), NULL, 0 },
  { BYTES (SIGNATURE "\x21\x10\0\x0c" TCP4_BYTES), NULL, 0 },
  { BYTES (SIGNATURE "\x21\x41\0\x0c" TCP4_BYTES), NULL, 0 },
  { BYTES (SIGNATURE "\x21\x11\0\x0b" TCP4_BYTES), NULL, 0 },
  { BYTES (SIGNATURE "\x21\x11\0\0" TCP4_BYTES), NULL, 0 },
  { BYTES (SIGNATURE "\x21\x21\0\x0c" TCP4_BYTES), NULL, 0 },
  { BYTES (SIGNATURE "\x21\x31\0\x0c" TCP4_BYTES), NULL, 0 },
  /* More than anybody has to take, whether it comes or not. */
  { BYTES (SIGNATURE "\x21\x11\2\x09" TCP4_BYTES), NULL, 0 },
  { BYTES (SIGNATURE "\x20\0\xff\xff"), NULL, 0 },
};

static void
assert_header (const Case *at, const guint8 *data, gsize size)
{
  BawnHttpProxyHeader header = { 0 };
  BawnHttpProxyVerdict verdict = bawn_http_proxy_parse (data, size, &header);

  if (at->host == NULL)
    {
      g_assert_cmpint (verdict, ==, BAWN_HTTP_PROXY_BAD);
      return;
    }

  g_autofree char *host = bawn_http_address_host (&header.source);

  g_assert_cmpint (verdict, ==, BAWN_HTTP_PROXY_HEADER);
  g_assert_cmpuint (header.size, ==, at->size);
  g_assert_cmpstr (host, ==, at->host);
  g_assert_cmpuint (bawn_http_address_port (&header.source), ==, at->port);
  g_assert_cmpint (header.source.any.sa_family == AF_UNSPEC, ==, *at->host == '\0');
}

/* In a buffer of just that size, so that a sanitizer sees whoever reads on. */
static void
test_headers_are_read_or_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree guint8 *data = g_memdup2 (cases[i].data, cases[i].size);

      assert_header (&cases[i], data, cases[i].size);
    }
}

static void
test_what_follows_a_header_is_left_alone (void)
{
  static const char *const rests[] = { "G", "\r\n", "GET / HTTP/1.1\r\n\r\n", "\x16\3\1",
                                       "PROXY UNKNOWN\r\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (rests); j++)
      {
        g_autoptr (GByteArray) both = g_byte_array_new ();

        g_byte_array_append (both, (const guint8 *) cases[i].data, (guint) cases[i].size);
        g_byte_array_append (both, (const guint8 *) rests[j], (guint) strlen (rests[j]));
        assert_header (&cases[i], both->data, both->len);
      }
}

static void
test_the_beginning_of_a_header_is_waited_for (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize size = 0; cases[i].host != NULL && size < cases[i].size; size++)
      {
        g_autofree guint8 *data = g_memdup2 (cases[i].data, MAX (size, 1));
        BawnHttpProxyHeader header = { 0 };

        g_assert_cmpint (bawn_http_proxy_parse (data, size, &header), ==, BAWN_HTTP_PROXY_MORE);
        g_assert_cmpuint (header.size, ==, size);
      }
}

static void
test_other_beginnings_are_nobodys_header (void)
{
  static const char *const others[] = { "GET / HTTP/1.1\r\n",
                                        "POST / HTTP/1.1\r\n",
                                        "PUT",
                                        "PRI * HTTP/2.0",
                                        "\r\nGET / HTTP/1.1",
                                        "\r\n\r\nGET",
                                        "\x16\3\1\2",
                                        "proxy TCP4",
                                        "PROXYX",
                                        "X" };

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      BawnHttpProxyHeader header = { 0 };

      g_assert_cmpint (
          bawn_http_proxy_parse ((const guint8 *) others[i], strlen (others[i]), &header), ==,
          BAWN_HTTP_PROXY_NONE);
    }
}

static void
test_a_line_has_an_end_in_time (void)
{
  g_autofree char *filling = g_strnfill (200, 'x');
  g_autofree char *line = g_strconcat ("PROXY UNKNOWN ", filling, "\r\n", NULL);
  g_autofree char *longest = g_strdup_printf ("PROXY UNKNOWN %.91s\r\n", filling);
  g_autofree char *longer = g_strdup_printf ("PROXY UNKNOWN %.92s\r\n", filling);
  BawnHttpProxyHeader header = { 0 };

  g_assert_cmpuint (strlen (longest), ==, BAWN_HTTP_PROXY_V1_MAX);
  g_assert_cmpint (bawn_http_proxy_parse ((guint8 *) longest, strlen (longest), &header), ==,
                   BAWN_HTTP_PROXY_HEADER);
  g_assert_cmpint (bawn_http_proxy_parse ((guint8 *) longer, strlen (longer), &header), ==,
                   BAWN_HTTP_PROXY_BAD);
  for (gsize size = 0; size <= strlen (line); size++)
    g_assert_cmpint (bawn_http_proxy_parse ((guint8 *) line, size, &header), ==,
                     size < BAWN_HTTP_PROXY_V1_MAX ? BAWN_HTTP_PROXY_MORE : BAWN_HTTP_PROXY_BAD);
}

static void
test_the_largest_header_is_taken (void)
{
  guint8 data[BAWN_HTTP_PROXY_V2_MAX] = SIGNATURE "\x21\x11\2\x08" TCP4_BYTES;
  BawnHttpProxyHeader header = { 0 };

  g_assert_cmpint (bawn_http_proxy_parse (data, sizeof data, &header), ==, BAWN_HTTP_PROXY_HEADER);
  g_assert_cmpuint (header.size, ==, sizeof data);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/http/proxy/headers-are-read-or-refused", test_headers_are_read_or_refused);
  g_test_add_func ("/http/proxy/what-follows-a-header-is-left-alone",
                   test_what_follows_a_header_is_left_alone);
  g_test_add_func ("/http/proxy/the-beginning-of-a-header-is-waited-for",
                   test_the_beginning_of_a_header_is_waited_for);
  g_test_add_func ("/http/proxy/other-beginnings-are-nobodys-header",
                   test_other_beginnings_are_nobodys_header);
  g_test_add_func ("/http/proxy/a-line-has-an-end-in-time", test_a_line_has_an_end_in_time);
  g_test_add_func ("/http/proxy/the-largest-header-is-taken", test_the_largest_header_is_taken);

  return g_test_run ();
}
