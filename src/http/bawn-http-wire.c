/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-wire.h"

#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A TLS record holds no more, so there is nothing to win by gathering more. */
#define GATHER_MAX 16384

/* All that libsoup asks of an error is whether it means "later", so the domain is GIO's here. */
static gssize
failed (GError **error, int errsv)
{
  if (errsv == EAGAIN || errsv == EINTR)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "would block");
  else
    g_set_error_literal (error, G_IO_ERROR, (gint) g_io_error_from_errno (errsv), g_strerror (errsv));

  return -1;
}

static gssize
tls_failed (GError **error, gssize code)
{
  if (code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED)
    return failed (error, EAGAIN);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, gnutls_strerror ((int) code));

  return -1;
}

/**
 * bawn_http_wire_open:
 * @wire: to be filled
 * @fd: a non-blocking socket, which the wire owns from here on if this succeeds
 * @tls: (nullable): for a TLS connection
 * @error: INTERNAL
 *
 * Returns: whether the wire can be used; a TLS one after its handshake
 */
gboolean
bawn_http_wire_open (BawnHttpWire *wire, int fd, BawnHttpTls *tls, GError **error)
{
  gnutls_session_t session = NULL;

  if (tls != NULL && !bawn_http_tls_open_session (tls, fd, &session, error))
    return FALSE;
  *wire = (BawnHttpWire) { fd, tls != NULL ? bawn_http_tls_ref (tls) : NULL, session };

  return TRUE;
}

/**
 * bawn_http_wire_handshake:
 * @wire: a wire
 * @out_wants: (out): 0 when it is done, else what to wait for before calling again
 * @error: DENIED
 *
 * Returns: whether there is still hope
 */
gboolean
bawn_http_wire_handshake (BawnHttpWire *wire, GIOCondition *out_wants, GError **error)
{
  if (wire->session == NULL)
    {
      *out_wants = 0;
      return TRUE;
    }

  int code = gnutls_handshake (wire->session);
  while (code < 0 && code != GNUTLS_E_AGAIN && !gnutls_error_is_fatal (code))
    code = gnutls_handshake (wire->session);

  if (code == GNUTLS_E_AGAIN)
    {
      *out_wants = gnutls_record_get_direction (wire->session) != 0 ? G_IO_OUT : G_IO_IN;
      return TRUE;
    }
  if (code < 0)
    {
      gnutls_alert_send_appropriate (wire->session, code);
      return bawn_fail (error, BAWN_ERROR_DENIED, "TLS handshake: %s", gnutls_strerror (code));
    }
  if (wire->tls != NULL && !bawn_http_tls_check_client (wire->tls, wire->session, error))
    {
      gnutls_alert_send (wire->session, GNUTLS_AL_FATAL, GNUTLS_A_UNKNOWN_CA);
      return FALSE;
    }
  *out_wants = 0;

  return TRUE;
}

/**
 * bawn_http_wire_receive:
 * @wire: a wire
 * @data: where to put it
 * @size: the most that is taken
 * @error: G_IO_ERROR_WOULD_BLOCK if nothing is there
 *
 * Returns: how much came, 0 at the end, -1 with @error set
 */
gssize
bawn_http_wire_receive (BawnHttpWire *wire, gpointer data, gsize size, GError **error)
{
  if (wire->fd < 0)
    return failed (error, EPIPE);
  if (wire->session == NULL)
    {
      gssize n = recv (wire->fd, data, size, 0);
      return n >= 0 ? n : failed (error, errno);
    }

  gssize n = gnutls_record_recv (wire->session, data, size);
  /* A client that closes without a farewell is at its end like any other: HTTP has lengths of its own. */
  if (n == GNUTLS_E_PREMATURE_TERMINATION)
    return 0;
  return n >= 0 ? n : tls_failed (error, n);
}

/**
 * bawn_http_wire_send:
 * @wire: a wire
 * @data: what to send
 * @size: its length
 * @error: G_IO_ERROR_WOULD_BLOCK if there is no room
 *
 * Returns: how much was taken, or -1 with @error set
 */
gssize
bawn_http_wire_send (BawnHttpWire *wire, gconstpointer data, gsize size, GError **error)
{
  if (wire->fd < 0)
    return failed (error, EPIPE);
  if (wire->session == NULL)
    {
      gssize n = send (wire->fd, data, size, MSG_NOSIGNAL);
      return n >= 0 ? n : failed (error, errno);
    }

  gssize n = gnutls_record_send (wire->session, data, size);
  return n >= 0 ? n : tls_failed (error, n);
}

static gssize
send_two_plain (BawnHttpWire *wire, gconstpointer first, gsize first_size, gconstpointer second, gsize second_size,
                GError **error)
{
  struct iovec parts[2] = {
    { (gpointer) first, first_size },
    { (gpointer) second, second_size },
  };
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = G_N_ELEMENTS (parts) };

  gssize n = sendmsg (wire->fd, &message, MSG_NOSIGNAL);
  return n >= 0 ? n : failed (error, errno);
}

/**
 * bawn_http_wire_send_two:
 * @wire: a wire
 * @first: what to send
 * @first_size: its length, above 0
 * @second: what to send behind it
 * @second_size: its length
 * @error: G_IO_ERROR_WOULD_BLOCK if there is no room
 *
 * Sends both in one packet (or TLS record) where they fit.
 *
 * Returns: how much was taken of both, or -1 with @error set
 */
gssize
bawn_http_wire_send_two (BawnHttpWire *wire, gconstpointer first, gsize first_size, gconstpointer second,
                         gsize second_size, GError **error)
{
  if (wire->fd < 0)
    return failed (error, EPIPE);
  if (wire->session == NULL)
    return send_two_plain (wire, first, first_size, second, second_size, error);
  if (first_size + second_size > GATHER_MAX)
    return bawn_http_wire_send (wire, first, first_size, error);

  g_auto(BawnBuffer) both = BAWN_BUFFER_INIT;
  bawn_buffer_reserve (&both, first_size + second_size);
  bawn_buffer_append (&both, first, first_size);
  bawn_buffer_append (&both, second, second_size);
  return bawn_http_wire_send (wire, both.data, both.size, error);
}

/**
 * bawn_http_wire_pending:
 * @wire: a wire
 *
 * Returns: whether something can be received of which the socket knows nothing
 */
gboolean
bawn_http_wire_pending (BawnHttpWire *wire)
{
  return wire->session != NULL && wire->fd >= 0 && gnutls_record_check_pending (wire->session) > 0;
}

/**
 * bawn_http_wire_peer_chain:
 * @wire: a wire
 *
 * Returns: (transfer full) (nullable) (element-type GBytes): the certificates that the client has shown, its own first,
 *   unchecked
 */
GPtrArray *
bawn_http_wire_peer_chain (BawnHttpWire *wire)
{
  unsigned int n = 0;
  const gnutls_datum_t *list = wire->session != NULL ? gnutls_certificate_get_peers (wire->session, &n) : NULL;

  if (list == NULL || n == 0)
    return NULL;

  GPtrArray *chain = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (unsigned int i = 0; i < n; i++)
    g_ptr_array_add (chain, bawn_bytes_new (list[i].data, list[i].size));
  return chain;
}

/* Ends one or both directions of the socket; whoever polls it wakes up. */
void
bawn_http_wire_shutdown (BawnHttpWire *wire, int how)
{
  if (wire->fd < 0)
    return;
  if (wire->session != NULL && how != SHUT_RD)
    gnutls_bye (wire->session, GNUTLS_SHUT_WR);
  shutdown (wire->fd, how);
}

/* Frees everything; harmless when done already. */
void
bawn_http_wire_close (BawnHttpWire *wire)
{
  if (wire->fd < 0)
    return;
  if (wire->session != NULL)
    gnutls_deinit (wire->session);
  g_clear_pointer (&wire->tls, bawn_http_tls_unref);
  close (wire->fd);
  *wire = (BawnHttpWire) { .fd = -1 };
}
