/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-listener.h"

#include "http/bawn-http-socket.h"
#include "util/bawn-error.h"
#include "util/bawn-handed.h"

#include <string.h>
#include <unistd.h>

#define SYSTEMD "systemd"

static gboolean
open_sockets (BawnHttpListener *listener, guint n_workers, GError **error)
{
  const char *address = listener->config->address;

  listener->shared = TRUE;
  listener->activated = TRUE;
  if (strcmp (address, SYSTEMD) == 0)
    return bawn_handed_take_sockets (NULL, listener->fds, error);
  if (g_str_has_prefix (address, SYSTEMD ":"))
    return bawn_handed_take_sockets (address + strlen (SYSTEMD ":"), listener->fds, error);
  if (bawn_http_socket_take_bound (address, listener->fds))
    return TRUE;

  listener->activated = FALSE;
  if (g_str_has_prefix (address, BAWN_HTTP_UNIX_PREFIX))
    {
      const char *path = address + strlen (BAWN_HTTP_UNIX_PREFIX);

      if (!bawn_http_socket_open_unix (path, listener->config, listener->fds, error))
        return FALSE;
      listener->unlink_path = g_strdup (path);
      return TRUE;
    }

  listener->shared = FALSE;
  return bawn_http_socket_open_inet (address, n_workers, listener->fds, error);
}

/* Strangers get plain HTTP only where the operator says that he means it. */
static gboolean
check_plain (BawnHttpListener *listener, const BawnHttpAddress *address, GError **error)
{
  const BawnHttpListenerConfig *config = listener->config;

  if (config->tls.certificate != NULL || config->allow_plain || bawn_http_address_is_local (address))
    return TRUE;
  return bawn_fail (error, BAWN_ERROR_INVALID,
                    "[%s] address: %s is not on loopback, so it needs tls-cert-file and tls-key-file, or tls-disable=true",
                    config->name, config->address);
}

static char *
make_url (BawnHttpListener *listener, const BawnHttpAddress *address)
{
  const char *scheme = listener->config->tls.certificate != NULL ? "https" : "http";

  if (address->any.sa_family == AF_UNIX)
    return g_strconcat (BAWN_HTTP_UNIX_PREFIX, address->un.sun_path, NULL);

  g_autofree char *host = bawn_http_address_host (address);
  return g_strdup_printf (strchr (host, ':') != NULL ? "%s://[%s]:%u" : "%s://%s:%u", scheme, host,
                          bawn_http_address_port (address));
}

/**
 * bawn_http_listener_open:
 * @config: (transfer full): what the configuration says
 * @n_workers: how many threads will accept
 * @error: INVALID, or BUSY where another try may help, in words for an operator
 *
 * Opens the sockets and reads the certificate. Connections wait in the kernel until the workers start.
 *
 * Returns: (transfer full): a listener
 */
BawnHttpListener *
bawn_http_listener_open (BawnHttpListenerConfig *config, guint n_workers, GError **error)
{
  g_autoptr(BawnHttpListener) listener = g_new0 (BawnHttpListener, 1);
  BawnHttpAddress address = { 0 };

  g_mutex_init (&listener->mutex);
  listener->config = config;
  listener->fds = g_array_new (FALSE, FALSE, sizeof (int));
  if (!open_sockets (listener, n_workers, error))
    return NULL;
  for (guint i = 0; i < listener->fds->len; i++)
    if (!bawn_http_socket_address (g_array_index (listener->fds, int, i), &address)
        || !check_plain (listener, &address, error))
      return NULL;
  if (config->tls.certificate != NULL && !bawn_http_listener_reload (listener, error))
    return NULL;
  listener->url = make_url (listener, &address);

  return g_steal_pointer (&listener);
}

/**
 * bawn_http_listener_turn_away:
 * @listener: a listener
 * @n_workers: how many will say bawn_http_listener_leave()
 *
 * Begins to close: nobody new comes in, but who has come is still to be accepted. Sockets that systemd holds are left as they
 * are, since who comes now waits there for the next server.
 *
 * Returns: whether somebody may be on the way in, from another machine
 */
gboolean
bawn_http_listener_turn_away (BawnHttpListener *listener, guint n_workers)
{
  BawnHttpAddress address = { 0 };
  gboolean remote = FALSE;

  g_atomic_int_set (&listener->n_leaving, (gint) n_workers);
  if (listener->unlink_path != NULL)
    unlink (listener->unlink_path);
  for (guint i = 0; !listener->activated && i < listener->fds->len; i++)
    {
      int fd = g_array_index (listener->fds, int, i);

      if (!bawn_http_socket_address (fd, &address) || address.any.sa_family == AF_UNIX)
        continue;
      bawn_http_socket_turn_away (fd);
      remote = remote || !bawn_http_address_is_local (&address);
    }

  return remote;
}

/* By a worker that accepts nobody any more; the last one closes. */
void
bawn_http_listener_leave (BawnHttpListener *listener)
{
  if (g_atomic_int_dec_and_test (&listener->n_leaving))
    bawn_http_listener_close (listener);
}

/**
 * bawn_http_listener_close:
 * @listener: a listener
 *
 * Lets nobody in any more: who comes now is refused by the kernel, or waits for the next server if systemd holds the
 * socket. Any thread; harmless when done already.
 */
void
bawn_http_listener_close (BawnHttpListener *listener)
{
  if (!g_atomic_int_compare_and_exchange (&listener->closed, FALSE, TRUE))
    return;
  for (guint i = 0; !listener->activated && i < listener->fds->len; i++)
    shutdown (g_array_index (listener->fds, int, i), SHUT_RDWR);
  if (listener->unlink_path != NULL)
    unlink (listener->unlink_path);
}

void
bawn_http_listener_free (BawnHttpListener *listener)
{
  bawn_http_listener_close (listener);
  for (guint i = 0; i < listener->fds->len; i++)
    close (g_array_index (listener->fds, int, i));
  g_array_unref (listener->fds);
  g_free (listener->unlink_path);
  g_free (listener->url);
  g_clear_pointer (&listener->tls, bawn_http_tls_unref);
  bawn_http_listener_config_free (listener->config);
  g_mutex_clear (&listener->mutex);
  g_free (listener);
}

/**
 * bawn_http_listener_reload:
 * @listener: a listener
 * @error: INVALID, naming the file
 *
 * Reads certificate and key again, for connections to come. If they are not fit, the old ones stay. Any thread.
 *
 * Returns: whether the new ones are in use
 */
gboolean
bawn_http_listener_reload (BawnHttpListener *listener, GError **error)
{
  if (listener->config->tls.certificate == NULL)
    return TRUE;

  g_autoptr(BawnHttpTls) fresh = bawn_http_tls_load (&listener->config->tls, error);
  if (fresh == NULL)
    return FALSE;

  g_mutex_lock (&listener->mutex);
  BawnHttpTls *old = g_steal_pointer (&listener->tls);
  listener->tls = g_steal_pointer (&fresh);
  g_mutex_unlock (&listener->mutex);
  g_clear_pointer (&old, bawn_http_tls_unref);

  return TRUE;
}

/**
 * bawn_http_listener_dup_tls:
 * @listener: a listener
 *
 * Returns: (transfer full) (nullable): what a new connection is to be opened with; %NULL: plain. Any thread.
 */
BawnHttpTls *
bawn_http_listener_dup_tls (BawnHttpListener *listener)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&listener->mutex);

  return listener->tls != NULL ? bawn_http_tls_ref (listener->tls) : NULL;
}
