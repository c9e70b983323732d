/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt: 2.1 has version 1, a line of text,
 * and 2.2 version 2. */
#define V1_PREFIX "PROXY "
#define V2_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2_SIGNATURE_SIZE 12
/* Signature, version and command, family and protocol, length of the rest. */
#define V2_FIXED_SIZE 16
#define V2_LOCAL 0x20
#define V2_PROXY 0x21
#define V2_UNSPEC 0x00
#define V2_TCP4 0x11
#define V2_TCP6 0x21
#define V2_UNIX_STREAM 0x31
#define V2_TCP4_SIZE 12
#define V2_TCP6_SIZE 36
#define V2_UNIX_SIZE 216

/* A port in digits, as anybody would write it. */
static gboolean
read_port (const char *text, guint16 *out_port)
{
  guint64 port = 0;

  if ((text[0] == '0' && text[1] != '\0') || !g_ascii_isdigit (text[0])
      || !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT16, &port, NULL))
    return FALSE;
  *out_port = htons ((guint16) port);

  return TRUE;
}

/* Words: TCP4 or TCP6, source, destination, port of the source, port of the destination. */
static gboolean
read_v1_words (char **words, BawnHttpAddress *out_source)
{
  gboolean v6 = g_str_equal (words[0], "TCP6");
  int family = v6 ? AF_INET6 : AF_INET;
  BawnHttpAddress source = { 0 };
  guint8 destination[sizeof (struct in6_addr)] = { 0 };
  guint16 destination_port = 0;
  void *bytes = v6 ? (void *) &source.in6.sin6_addr : (void *) &source.in.sin_addr;

  if (g_strv_length (words) != 5 || (!v6 && !g_str_equal (words[0], "TCP4"))
      || inet_pton (family, words[1], bytes) != 1 || inet_pton (family, words[2], destination) != 1
      || !read_port (words[3], v6 ? &source.in6.sin6_port : &source.in.sin_port)
      || !read_port (words[4], &destination_port))
    return FALSE;
  source.any.sa_family = (sa_family_t) family;
  *out_source = source;

  return TRUE;
}

static BawnHttpProxyVerdict
parse_v1 (const guint8 *data, gsize size, BawnHttpProxyHeader *out_header)
{
  gsize most = MIN (size, BAWN_HTTP_PROXY_V1_MAX);
  const guint8 *end = memchr (data, '\n', most);

  if (end == NULL)
    return size < BAWN_HTTP_PROXY_V1_MAX ? BAWN_HTTP_PROXY_MORE : BAWN_HTTP_PROXY_BAD;

  gsize length = (gsize) (end - data) - 1;

  if (data[length] != '\r' || memchr (data, '\0', length) != NULL)
    return BAWN_HTTP_PROXY_BAD;

  g_autofree char *line =
      g_strndup ((const char *) data + strlen (V1_PREFIX), length - strlen (V1_PREFIX));
  g_auto (GStrv) words = g_strsplit (line, " ", -1);

  out_header->source = (BawnHttpAddress){ .any.sa_family = AF_UNSPEC };
  out_header->size = length + 2;
  if (g_strcmp0 (words[0], "UNKNOWN") == 0)
    return BAWN_HTTP_PROXY_HEADER;

  return words[0] != NULL && read_v1_words (words, &out_header->source) ? BAWN_HTTP_PROXY_HEADER
                                                                        : BAWN_HTTP_PROXY_BAD;
}

/* How much room the addresses of a family take at least; datagrams do not come here. */
static gboolean
v2_address_size (guint8 family, gsize *out_size)
{
  switch (family)
    {
    case V2_UNSPEC:
      *out_size = 0;
      return TRUE;
    case V2_TCP4:
      *out_size = V2_TCP4_SIZE;
      return TRUE;
    case V2_TCP6:
      *out_size = V2_TCP6_SIZE;
      return TRUE;
    case V2_UNIX_STREAM:
      *out_size = V2_UNIX_SIZE;
      return TRUE;
    default:
      return FALSE;
    }
}

/* Source and destination, then the port of each. */
static void
read_v2_source (guint8 family, const guint8 *data, BawnHttpAddress *out_source)
{
  if (family == V2_TCP4)
    {
      out_source->in.sin_family = AF_INET;
      memcpy (&out_source->in.sin_addr, data, 4);
      memcpy (&out_source->in.sin_port, data + 8, 2);
    }
  else if (family == V2_TCP6)
    {
      out_source->in6.sin6_family = AF_INET6;
      memcpy (&out_source->in6.sin6_addr, data, 16);
      memcpy (&out_source->in6.sin6_port, data + 32, 2);
    }
}

static BawnHttpProxyVerdict
parse_v2 (const guint8 *data, gsize size, BawnHttpProxyHeader *out_header)
{
  gsize needed = 0;

  if (size < V2_FIXED_SIZE)
    return BAWN_HTTP_PROXY_MORE;

  gsize length = (gsize) data[14] << 8 | data[15];
  gboolean local = data[12] == V2_LOCAL;

  if ((!local && data[12] != V2_PROXY) || V2_FIXED_SIZE + length > BAWN_HTTP_PROXY_V2_MAX)
    return BAWN_HTTP_PROXY_BAD;
  /* The proxy itself asks how we are; what it says of addresses then is not to be looked at. */
  if (!local && (!v2_address_size (data[13], &needed) || length < needed))
    return BAWN_HTTP_PROXY_BAD;
  if (size < V2_FIXED_SIZE + length)
    return BAWN_HTTP_PROXY_MORE;

  out_header->source = (BawnHttpAddress){ .any.sa_family = AF_UNSPEC };
  out_header->size = V2_FIXED_SIZE + length;
  if (!local)
    read_v2_source (data[13], data + V2_FIXED_SIZE, &out_header->source);

  return BAWN_HTTP_PROXY_HEADER;
}

/**
 * bawn_http_proxy_parse:
 * @data: (array length=size): what a connection begins with
 * @size: how much of it there is
 * @out_header: (out): the header; without one, only its size is set
 *
 * Reads a header of the PROXY protocol, of either version, strictly. What version 2 carries behind
 * the addresses is passed over.
 *
 * Returns: what it is
 */
BawnHttpProxyVerdict
bawn_http_proxy_parse (const guint8 *data, gsize size, BawnHttpProxyHeader *out_header)
{
  gsize v1 = MIN (size, strlen (V1_PREFIX));
  gsize v2 = MIN (size, V2_SIGNATURE_SIZE);

  *out_header = (BawnHttpProxyHeader){ .size = size };
  if (memcmp (data, V1_PREFIX, v1) == 0)
    return size < strlen (V1_PREFIX) ? BAWN_HTTP_PROXY_MORE : parse_v1 (data, size, out_header);
  if (memcmp (data, V2_SIGNATURE, v2) == 0)
    return size < V2_SIGNATURE_SIZE ? BAWN_HTTP_PROXY_MORE : parse_v2 (data, size, out_header);

  return BAWN_HTTP_PROXY_NONE;
}

/**
 * bawn_http_proxy_receive:
 * @fd: a non-blocking socket of which nothing has been read
 * @out_header: (out): as with bawn_http_proxy_parse()
 *
 * Takes the header from the socket, and only that: what does not belong to it stays there, and so
 * does a header that is not complete.
 *
 * Returns: what the connection begins with; %BAWN_HTTP_PROXY_BAD if it is over
 */
BawnHttpProxyVerdict
bawn_http_proxy_receive (int fd, BawnHttpProxyHeader *out_header)
{
  guint8 data[BAWN_HTTP_PROXY_V2_MAX];
  gssize n = recv (fd, data, sizeof data, MSG_PEEK | MSG_DONTWAIT);

  *out_header = (BawnHttpProxyHeader){ 0 };
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return BAWN_HTTP_PROXY_MORE;
  if (n <= 0)
    return BAWN_HTTP_PROXY_BAD;

  BawnHttpProxyVerdict verdict = bawn_http_proxy_parse (data, (gsize) n, out_header);

  if (verdict == BAWN_HTTP_PROXY_HEADER
      && recv (fd, data, out_header->size, MSG_DONTWAIT) != (gssize) out_header->size)
    return BAWN_HTTP_PROXY_BAD;

  return verdict;
}
