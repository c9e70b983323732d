/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-address.h"

#include "cli/bawn-cli-error.h"
#include "cli/bawn-cli-named-address.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gi18n.h>
#include <libsoup/soup.h>
#include <string.h>

static gboolean
is_unix (GUri *uri)
{
  return strcmp (g_uri_get_scheme (uri), "unix") == 0;
}

/**
 * bawn_cli_address_parse:
 * @address: https://HOST:PORT, http://HOST:PORT or unix:/PATH
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL
 *
 * Returns: (transfer full): its parts
 */
GUri *
bawn_cli_address_parse (const char *address, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : NULL;

  if (g_strcmp0 (scheme, "unix") == 0 && g_path_is_absolute (g_uri_get_path (uri)))
    return g_steal_pointer (&uri);
  if ((g_strcmp0 (scheme, "http") == 0 || g_strcmp0 (scheme, "https") == 0)
      && g_uri_get_host (uri) != NULL && g_uri_get_host (uri)[0] != '\0')
    return g_steal_pointer (&uri);

  return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL,
                             _ ("The address “%s” must look like https://HOST:PORT, "
                                "http://HOST:PORT or unix:/PATH"),
                             address);
}

/**
 * bawn_cli_address_connectable:
 * @uri: an address
 * @tls_server_name: (nullable): the name that the server's certificate must carry
 *
 * Returns: (transfer full) (nullable): where to connect to, if that is not simply what the address
 * says
 */
GSocketConnectable *
bawn_cli_address_connectable (GUri *uri, const char *tls_server_name)
{
  if (is_unix (uri))
    return G_SOCKET_CONNECTABLE (g_unix_socket_address_new (g_uri_get_path (uri)));
  if (tls_server_name == NULL || strcmp (g_uri_get_scheme (uri), "https") != 0)
    return NULL;

  return bawn_cli_named_address_new (tls_server_name, g_uri_get_host (uri),
                                     (guint16) g_uri_get_port (uri));
}

/**
 * bawn_cli_address_base:
 * @uri: an address
 * @address: the same as it was written
 *
 * Returns: (transfer full): what the URLs of requests start with; no slash at its end
 */
char *
bawn_cli_address_base (GUri *uri, const char *address)
{
  char *text = g_strdup (is_unix (uri) ? "http://localhost" : address);

  while (g_str_has_suffix (text, "/"))
    text[strlen (text) - 1] = '\0';
  return text;
}
