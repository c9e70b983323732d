/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-advertise.h"

#include "util/bawn-error.h"

#include <arpa/inet.h>
#include <gio/gio.h>
#include <string.h>

#define TEMPLATE_OPEN "{{"
#define TEMPLATE_CLOSE "}}"
#define KNOWN_TEMPLATES "{{ GetPrivateIP }}, {{ GetPublicIP }} and {{ GetInterfaceIP \"NAME\" }}"
/* Stand for the address of a template where only the form of a value is checked. */
#define ANY_ADDRESS "10.0.0.1"
#define ANY_ADDRESS_V6 "fd00::1"
/* Of a name in the DNS (RFC 1035). */
#define MAX_HOST 253

/* A port of 0 is one that was not given. */
typedef struct
{
  gboolean tls;
  char *host;
  guint16 port;
} Url;

static void
url_clear (Url *url)
{
  g_free (url->host);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Url, url_clear)

static guint16
effective_port (const Url *url)
{
  if (url->port != 0)
    return url->port;

  return url->tls ? 443 : 80;
}

static char *
url_format (const Url *url)
{
  g_autofree char *host_port = bawn_net_format_host_port (url->host, url->port);
  gsize size = url->port != 0 ? strlen (host_port) : (gsize) (strrchr (host_port, ':') - host_port);

  return g_strdup_printf ("%s://%.*s", url->tls ? "https" : "http", (int) size, host_port);
}

/* "8.8", "0x7f.1" and "1.2.3.400" are addresses to some, and names to nobody. */
static gboolean
looks_numeric (const char *host)
{
  struct in_addr address = { 0 };
  gsize size = strlen (host);
  g_autofree char *name = g_strndup (host, g_str_has_suffix (host, ".") ? size - 1 : size);
  const char *dot = strrchr (name, '.');
  const char *last = dot != NULL ? dot + 1 : name;

  return inet_aton (name, &address) != 0 || last[strspn (last, "0123456789")] == '\0';
}

static gboolean
check_name (const char *host, GError **error)
{
  if (strlen (host) > MAX_HOST)
    return bawn_fail (error, BAWN_ERROR_INVALID, "the host is longer than %d bytes", MAX_HOST);
  if (looks_numeric (host) || host[0] == '.' || host[0] == '-' || strstr (host, "..") != NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "\"%s\" is neither an address nor a name", host);

  return TRUE;
}

static gboolean
is_wildcard (const char *host)
{
  return bawn_cidr_match ("0.0.0.0", host) || bawn_cidr_match ("::", host);
}

/* Whether others can be told this host; an address is written in its shortest form. */
static gboolean
check_host (char **inout_host, GError **error)
{
  const char *host = *inout_host;
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  if (strchr (host, '%') != NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "%s has a zone, which means something on this machine only", host);
  if (address == NULL)
    return check_name (host, error);
  if (is_wildcard (host))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "%s is every address of this machine; others need one that leads to it",
                      host);
  if (g_inet_address_get_is_multicast (address) || g_str_equal (host, "255.255.255.255"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s is not the address of one machine", host);

  char *shortest = g_inet_address_to_string (address);

  g_free (*inout_host);
  *inout_host = shortest;
  return TRUE;
}

static const char *
skip_scheme (const char *text, gboolean *out_tls)
{
  *out_tls = g_ascii_strncasecmp (text, "https://", strlen ("https://")) == 0;
  if (*out_tls)
    return text + strlen ("https://");
  if (g_ascii_strncasecmp (text, "http://", strlen ("http://")) == 0)
    return text + strlen ("http://");

  return NULL;
}

/* What is between the scheme and the end, of which nothing but host and port is wanted. */
static gboolean
check_authority (const char *authority, GError **error)
{
  const char *what = strchr (authority, '@') != NULL   ? "a user"
                     : strchr (authority, '?') != NULL ? "a query"
                     : strchr (authority, '#') != NULL ? "a fragment"
                     : strchr (authority, '/') != NULL ? "a path"
                                                       : NULL;

  if (what != NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "an address is a scheme, a host and a port, without %s", what);
  if (authority[0] == '\0' || authority[0] == ':' || g_str_has_prefix (authority, "[]"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "the address needs a host");
  if (authority[0] != '[' && strchr (authority, ':') != strrchr (authority, ':'))
    return bawn_fail (error, BAWN_ERROR_INVALID, "an IPv6 address needs brackets around it");

  return TRUE;
}

static gboolean
url_parse (const char *text, Url *out_url, GError **error)
{
  g_auto (Url) url = { 0 };
  const char *rest = skip_scheme (text, &url.tls);
  gsize size = rest != NULL ? strlen (rest) : 0;

  if (rest == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "an address must begin with https:// or http://");

  /* A path that says nothing is what browsers put there. */
  g_autofree char *authority =
      g_strndup (rest, size > 0 && strchr (rest, '/') == rest + size - 1 ? size - 1 : size);
  guint16 fallback = url.tls ? 443 : 80;

  if (!check_authority (authority, error)
      || !bawn_net_parse_host_port (authority, fallback, &url.host, &url.port, error)
      || !check_host (&url.host, error))
    return FALSE;

  const char *behind = authority[0] == '[' ? strchr (authority, ']') : authority;

  if (strchr (behind, ':') == NULL)
    url.port = 0;
  *out_url = url;
  url.host = NULL;
  return TRUE;
}

/* What is between {{ and }}: a function, and maybe a name in quotes. */
static gboolean
is_call (const char *call, const char *function, char **out_argument)
{
  gsize size = strlen (function);

  if (!g_str_has_prefix (call, function))
    return FALSE;
  if (out_argument == NULL)
    return call[size] == '\0';

  const char *open = call + size + strspn (call + size, " \t");
  const char *close = *open == '"' ? strchr (open + 1, '"') : NULL;

  if (open == call + size || close == NULL || close == open + 1 || close[1] != '\0')
    return FALSE;
  *out_argument = g_strndup (open + 1, (gsize) (close - open) - 1);

  return TRUE;
}

/* Without a machine: any address, if only there is such a template. */
static char *
evaluate (const char *call, const BawnNetMachine *machine, gboolean in_brackets, GError **error)
{
  g_autofree char *interface = NULL;
  gboolean private = is_call (call, "GetPrivateIP", NULL);
  gboolean public = is_call (call, "GetPublicIP", NULL);

  if (!private && !public && !is_call (call, "GetInterfaceIP", &interface))
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "unknown template {{ %s }}; known are " KNOWN_TEMPLATES, call);
  if (machine == NULL)
    return g_strdup (in_brackets ? ANY_ADDRESS_V6 : ANY_ADDRESS);
  if (interface != NULL)
    return bawn_net_machine_find_of_interface (machine, interface, error);

  char *found = private ? bawn_net_machine_find_private (machine, BAWN_NET_ANY)
                        : bawn_net_machine_find_public (machine);

  if (found != NULL)
    return found;

  return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "{{ %s }}: no interface has a %s address",
                         call, private ? "private" : "public");
}

/* Puts the address in place of a template, if there is one. */
static char *
expand (const char *text, const BawnNetMachine *machine, GError **error)
{
  const char *open = strstr (text, TEMPLATE_OPEN);
  const char *close = open != NULL ? strstr (open, TEMPLATE_CLOSE) : NULL;

  if (open == NULL)
    return g_strdup (text);
  if (close == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "a template begins with {{ and ends with }}");

  g_autofree char *inner = g_strndup (open + 2, (gsize) (close - open) - 2);
  g_autofree char *before = g_strndup (text, (gsize) (open - text));
  gboolean in_brackets = g_str_has_suffix (before, "[");
  g_autofree char *address = evaluate (g_strstrip (inner), machine, in_brackets, error);
  const char *after = close + strlen (TEMPLATE_CLOSE);

  if (address == NULL)
    return NULL;
  if (strstr (after, TEMPLATE_OPEN) != NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "one template is enough for one address");
  if (strchr (address, ':') == NULL || in_brackets)
    return g_strconcat (before, address, after, NULL);

  return g_strconcat (before, "[", address, "]", after, NULL);
}

static gboolean
read_url (const char *text, const BawnNetMachine *machine, Url *out_url, GError **error)
{
  g_autofree char *stripped = g_strstrip (g_strdup (text));
  g_autofree char *expanded = expand (stripped, machine, error);

  return expanded != NULL && url_parse (expanded, out_url, error);
}

/**
 * bawn_advertise_check:
 * @text: an address as operators write it, maybe with a template
 * @error: (out) (optional): %BAWN_ERROR_INVALID, in words for an operator
 *
 * Checks the form only: this need not be the machine that the address is for.
 *
 * Returns: whether others can be told such an address
 */
gboolean
bawn_advertise_check (const char *text, GError **error)
{
  g_auto (Url) url = { 0 };

  return read_url (text, NULL, &url, error);
}

/* The URL of a listener, where any host will do; FALSE for Unix sockets. */
static gboolean
read_listener (const char *text, Url *out_url)
{
  const char *rest = skip_scheme (text, &out_url->tls);

  return rest != NULL && bawn_net_parse_host_port (rest, 0, &out_url->host, &out_url->port, NULL);
}

/* The listener that others can reach, or one that only this machine can. */
static gboolean
choose_listener (const char *const *listeners, Url *out_url)
{
  for (; *listeners != NULL; listeners++)
    {
      g_auto (Url) url = { 0 };

      if (!read_listener (*listeners, &url))
        continue;

      gboolean local =
          bawn_cidr_match ("127.0.0.0/8", url.host) || bawn_cidr_match ("::1", url.host);

      if (local && out_url->host != NULL)
        continue;
      g_free (out_url->host);
      *out_url = url;
      url.host = NULL;
      if (!local)
        return TRUE;
    }

  return out_url->host != NULL;
}

/* In place of a wildcard. An IPv6 address leads nowhere if only IPv4 is listened to. */
static gboolean
make_reachable (Url *url, const BawnNetMachine *machine, GError **error)
{
  gboolean v4_only = strchr (url->host, ':') == NULL && *url->host != '\0';
  char *found = NULL;

  if (*url->host != '\0' && !is_wildcard (url->host))
    return TRUE;

  found = bawn_net_machine_find_private (machine, v4_only ? BAWN_NET_V4 : BAWN_NET_ANY);
  if (found == NULL)
    return bawn_fail (error, BAWN_ERROR_NOT_FOUND,
                      "no interface has a private %saddress, so it must be set",
                      v4_only ? "IPv4 " : "");
  g_free (url->host);
  url->host = found;

  return TRUE;
}

/**
 * bawn_advertise_api:
 * @text: (nullable): the address as set, maybe with a template
 * @listeners: (array zero-terminated=1): where the API is listened for, as URLs with the real
 * ports; Unix sockets do not count
 * @machine: this machine
 * @error: (out) (optional): %BAWN_ERROR_INVALID, or %BAWN_ERROR_NOT_FOUND if an address is missing
 * that may come later; in words for an operator, to stand behind the name of the key
 *
 * The address at which clients reach this node. Without @text it is that of the first listener that
 * is not on loopback, or of the first at all; in place of a wildcard the first private address.
 *
 * Returns: (transfer full) (nullable): "https://10.0.0.5:8200"
 */
char *
bawn_advertise_api (const char *text,
                    const char *const *listeners,
                    const BawnNetMachine *machine,
                    GError **error)
{
  g_auto (Url) url = { 0 };

  if (text != NULL)
    return read_url (text, machine, &url, error) ? url_format (&url) : NULL;
  if (!choose_listener (listeners, &url))
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "no listener has an address and a port, so it must be set");

  return make_reachable (&url, machine, error) && check_host (&url.host, error) ? url_format (&url)
                                                                                : NULL;
}

/* Host of the API's address and the next port, but for what a listener of its own says. */
static gboolean
derive_cluster (const char *api_addr, const char *cluster_listener, Url *url, GError **error)
{
  g_auto (Url) listener = { 0 };

  if (!url_parse (api_addr, url, error))
    return FALSE;
  if (cluster_listener != NULL && read_listener (cluster_listener, &listener))
    {
      url->port = listener.port;
      if (*listener.host == '\0' || is_wildcard (listener.host))
        return TRUE;
      g_free (url->host);
      url->host = g_steal_pointer (&listener.host);
      return check_host (&url->host, error);
    }
  if (effective_port (url) == G_MAXUINT16)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "no port comes after that of %s, so it must be set", api_addr);
  url->port = (guint16) (effective_port (url) + 1);

  return TRUE;
}

/**
 * bawn_advertise_follows:
 * @listeners: (array zero-terminated=1): where the API is listened for, as URLs
 * @cluster_listener: (nullable): where nodes are listened for
 *
 * Returns: whether the latter is at the next port of one of the former, as it is unless it was set
 */
gboolean
bawn_advertise_follows (const char *const *listeners, const char *cluster_listener)
{
  g_auto (Url) cluster = { 0 };

  if (cluster_listener == NULL || !read_listener (cluster_listener, &cluster))
    return FALSE;
  for (; *listeners != NULL; listeners++)
    {
      g_auto (Url) url = { 0 };

      if (read_listener (*listeners, &url) && g_str_equal (url.host, cluster.host)
          && url.port + 1 == cluster.port)
        return TRUE;
    }

  return FALSE;
}

/**
 * bawn_advertise_cluster:
 * @text: (nullable): the address as set, maybe with a template
 * @api_addr: what bawn_advertise_api() has returned
 * @cluster_listener: (nullable): where nodes are listened for, as a URL with the real port, if that
 *   does not follow from the API's listener
 * @machine: this machine
 * @error: (out) (optional): as with bawn_advertise_api()
 *
 * The address at which other nodes reach this one. Without @text it has the host of @api_addr and
 * its port + 1; or the port of @cluster_listener, and its host unless that is a wildcard. The
 * scheme is https whatever @text says: nodes speak nothing else.
 *
 * Returns: (transfer full) (nullable): "https://10.0.0.5:8201", always with a port
 */
char *
bawn_advertise_cluster (const char *text,
                        const char *api_addr,
                        const char *cluster_listener,
                        const BawnNetMachine *machine,
                        GError **error)
{
  g_auto (Url) url = { 0 };

  if (text != NULL ? !read_url (text, machine, &url, error)
                   : !derive_cluster (api_addr, cluster_listener, &url, error))
    return NULL;

  url.tls = TRUE;
  url.port = effective_port (&url);

  g_autofree char *cluster_addr = url_format (&url);

  if (bawn_advertise_same (cluster_addr, api_addr))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "%s is the address of the API too",
                           cluster_addr);

  return g_steal_pointer (&cluster_addr);
}

/**
 * bawn_advertise_same:
 * @one: (nullable): an advertised address
 * @other: (nullable): another
 *
 * Returns: whether both lead to the same host and port
 */
gboolean
bawn_advertise_same (const char *one, const char *other)
{
  g_auto (Url) a = { 0 };
  g_auto (Url) b = { 0 };

  return one != NULL && other != NULL && url_parse (one, &a, NULL) && url_parse (other, &b, NULL)
         && g_ascii_strcasecmp (a.host, b.host) == 0 && effective_port (&a) == effective_port (&b);
}
