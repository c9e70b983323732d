/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-net.h"

#include "util/bawn-error.h"

#include <gio/gio.h>
#include <string.h>

/* IPv4 addresses as sockets of IPv6 show them, ::ffff:a.b.c.d. */
#define MAPPED_PREFIX 12
static const guint8 mapped[MAPPED_PREFIX] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* 4 or 16 bytes, and how many bits of them count. */
typedef struct
{
  guint8 bytes[16];
  guint size;
  guint bits;
} Network;

/* Letters, digits and what is usual in names of hosts and interfaces. */
static gboolean
is_name (const char *text)
{
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && strchr ("-._", *text) == NULL)
      return FALSE;

  return TRUE;
}

/* Reads an address, but not its zone. A mapped IPv4 address is an IPv4 address. */
static gboolean
read_address (const char *text, Network *out_network)
{
  gsize length = strcspn (text, "%");
  g_autofree char *plain = g_strndup (text, length);

  if (text[length] == '%' && (text[length + 1] == '\0' || !is_name (text + length + 1)))
    return FALSE;

  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (plain);

  if (address == NULL)
    return FALSE;

  const guint8 *bytes = g_inet_address_to_bytes (address);
  gsize size = g_inet_address_get_native_size (address);

  if (size == 16 && memcmp (bytes, mapped, MAPPED_PREFIX) == 0)
    {
      bytes += MAPPED_PREFIX;
      size -= MAPPED_PREFIX;
    }
  memcpy (out_network->bytes, bytes, size);
  out_network->size = (guint) size;
  out_network->bits = (guint) size * 8;

  return TRUE;
}

static gboolean
read_network (const char *text, Network *out_network)
{
  const char *slash = strchr (text, '/');
  g_autofree char *address =
      g_strndup (text, slash != NULL ? (gsize) (slash - text) : strlen (text));
  guint64 bits = 0;

  if (strchr (address, '%') != NULL || !read_address (address, out_network))
    return FALSE;
  if (slash == NULL)
    return TRUE;

  /* Of a mapped address the length counts from the start of the long form. */
  guint before = strchr (address, ':') != NULL && out_network->size == 4 ? MAPPED_PREFIX * 8 : 0;

  if (!g_ascii_string_to_unsigned (slash + 1, 10, before, before + out_network->bits, &bits, NULL))
    return FALSE;

  out_network->bits = (guint) bits - before;
  return TRUE;
}

static gboolean
contains (const Network *network, const Network *address)
{
  guint whole = network->bits / 8;
  guint rest = network->bits % 8;
  guint8 mask = (guint8) (0xff00 >> rest);

  if (network->size != address->size || memcmp (network->bytes, address->bytes, whole) != 0)
    return FALSE;

  return rest == 0 || (network->bytes[whole] & mask) == (address->bytes[whole] & mask);
}

/**
 * bawn_cidr_normalize:
 * @text: a network or an address
 * @error: (out) (optional): %BAWN_ERROR_INVALID
 *
 * Checks @text and writes it as the API shows it: the address in its shortest form, and the length
 * if it is no single address.
 *
 * Returns: (transfer full) (nullable): the text
 */
char *
bawn_cidr_normalize (const char *text, GError **error)
{
  Network network = { 0 };

  if (!read_network (text, &network))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "not an address or CIDR block");

  GSocketFamily family = network.size == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6;
  g_autoptr (GInetAddress) address = g_inet_address_new_from_bytes (network.bytes, family);
  g_autofree char *plain = g_inet_address_to_string (address);

  if (network.bits == network.size * 8)
    return g_steal_pointer (&plain);

  return g_strdup_printf ("%s/%u", plain, network.bits);
}

/**
 * bawn_cidr_match:
 * @cidr: a network or an address
 * @address: an address, without port; it may have a zone
 *
 * Returns: whether both can be read and @address lies in @cidr
 */
gboolean
bawn_cidr_match (const char *cidr, const char *address)
{
  Network network = { 0 };
  Network host = { 0 };

  return read_network (cidr, &network) && read_address (address, &host)
         && contains (&network, &host);
}

/**
 * bawn_cidrs_match:
 * @cidrs: (array zero-terminated=1): networks and addresses
 * @address: an address, without port
 *
 * Returns: whether @address lies in one of @cidrs; what cannot be read contains nothing
 */
gboolean
bawn_cidrs_match (const char *const *cidrs, const char *address)
{
  for (; *cidrs != NULL; cidrs++)
    if (bawn_cidr_match (*cidrs, address))
      return TRUE;

  return FALSE;
}

/* Takes "host", "[v6]" or a bare IPv6 address from the start of @text; returns what follows. */
static const char *
cut_host (const char *text, char **out_host)
{
  Network address = { 0 };

  if (*text == '[')
    {
      const char *close = strchr (text, ']');
      g_autofree char *host =
          close != NULL ? g_strndup (text + 1, (gsize) (close - text) - 1) : NULL;

      if (host == NULL || strchr (host, ':') == NULL || !read_address (host, &address))
        return NULL;
      *out_host = g_steal_pointer (&host);
      return close + 1;
    }

  const char *colon = strchr (text, ':');
  gboolean bare = colon != NULL && strchr (colon + 1, ':') != NULL;
  g_autofree char *host =
      g_strndup (text, colon == NULL || bare ? strlen (text) : (gsize) (colon - text));

  if (bare ? !read_address (host, &address) : !is_name (host))
    return NULL;

  gsize size = strlen (host);

  *out_host = g_steal_pointer (&host);
  return text + size;
}

/**
 * bawn_net_parse_host_port:
 * @text: a host and a port, with a colon between them; IPv6 addresses in brackets
 * @default_port: the port if @text has none; 0 if it must have one
 * @out_host: (out): the host without brackets, empty for any address
 * @out_port: (out): the port, from 1
 * @error: (out) (optional): %BAWN_ERROR_INVALID
 *
 * Returns: whether @text could be read
 */
gboolean
bawn_net_parse_host_port (
    const char *text, guint16 default_port, char **out_host, guint16 *out_port, GError **error)
{
  g_autofree char *host = NULL;
  const char *rest = cut_host (text, &host);
  guint64 port = default_port;

  if (rest == NULL || (*rest != ':' && *rest != '\0') || (*text == '\0'))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "expected host:port, with brackets around an IPv6 address");
  if (*rest == ':' && !g_ascii_string_to_unsigned (rest + 1, 10, 1, G_MAXUINT16, &port, NULL))
    return bawn_fail (error, BAWN_ERROR_INVALID, "expected a port from 1 to 65535");
  if (port == 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "expected a port behind the host");

  *out_host = g_steal_pointer (&host);
  *out_port = (guint16) port;
  return TRUE;
}

/**
 * bawn_net_format_host_port:
 * @host: a host, without brackets
 * @port: a port
 *
 * Returns: (transfer full): both, as bawn_net_parse_host_port() reads them
 */
char *
bawn_net_format_host_port (const char *host, guint16 port)
{
  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}
