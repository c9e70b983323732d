/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-tls.h"

#include "util/bawn-error.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <time.h>
#include <unistd.h>

struct _BawnHttpTls
{
  gatomicrefcount refs;
  gnutls_certificate_credentials_t credentials;
  gnutls_priority_t priority;
  gnutls_datum_t ticket_key;
  gboolean require_client;
};

/* Appended to the default, so that a distribution's system-wide policy still has its say. */
static const char *
version_rule (BawnHttpTlsVersion version)
{
  switch (version)
    {
    case BAWN_HTTP_TLS_1_2:
      return "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    case BAWN_HTTP_TLS_1_3:
      return "-VERS-ALL:+VERS-TLS1.3";
    }
  g_return_val_if_reached (NULL);
}

static gboolean
load_failed (GError **error, const char *what, int code)
{
  return bawn_fail (error, BAWN_ERROR_INVALID, "%s: %s", what, gnutls_strerror (code));
}

/* An expired certificate is served all the same, as the clients' refusal is clearer than a server that is not there. */
static void
warn_of_expiry (BawnHttpTls *tls, const char *file)
{
  gnutls_x509_crt_t *chain = NULL;
  unsigned int n = 0;

  if (gnutls_certificate_get_x509_crt (tls->credentials, 0, &chain, &n) < 0)
    return;
  if (n > 0 && gnutls_x509_crt_get_expiration_time (chain[0]) < time (NULL))
    g_message ("%s: the certificate has expired", file);
  for (unsigned int i = 0; i < n; i++)
    gnutls_x509_crt_deinit (chain[i]);
  gnutls_free (chain);
}

/* GnuTLS does not say which of its files it cannot read, nor why. */
static gboolean
check_readable (const char *file, GError **error)
{
  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  int errsv = errno;

  if (fd < 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s: cannot be read: %s", file, g_strerror (errsv));

  close (fd);
  return TRUE;
}

static gboolean
load_into (BawnHttpTls *tls, const BawnHttpTlsFiles *files, GError **error)
{
  if (!check_readable (files->certificate, error) || !check_readable (files->key, error)
      || (files->client_ca != NULL && !check_readable (files->client_ca, error)))
    return FALSE;

  int code = gnutls_certificate_allocate_credentials (&tls->credentials);
  if (code < 0)
    return load_failed (error, "TLS", code);

  code = gnutls_certificate_set_x509_key_file (tls->credentials, files->certificate, files->key, GNUTLS_X509_FMT_PEM);
  if (code < 0)
    {
      g_autofree char *what = g_strdup_printf ("%s, %s", files->certificate, files->key);
      return load_failed (error, what, code);
    }
  if (files->client_ca != NULL)
    {
      code = gnutls_certificate_set_x509_trust_file (tls->credentials, files->client_ca, GNUTLS_X509_FMT_PEM);
      if (code <= 0)
        return load_failed (error, files->client_ca, code < 0 ? code : GNUTLS_E_NO_CERTIFICATE_FOUND);
    }
  code = gnutls_priority_init2 (&tls->priority, version_rule (files->min_version), NULL, GNUTLS_PRIORITY_INIT_DEF_APPEND);
  if (code < 0)
    return load_failed (error, "TLS versions", code);
  code = gnutls_session_ticket_key_generate (&tls->ticket_key);
  if (code < 0)
    return load_failed (error, "TLS tickets", code);

  tls->require_client = files->require_client;
  warn_of_expiry (tls, files->certificate);
  return TRUE;
}

/**
 * bawn_http_tls_load:
 * @files: where everything lies
 * @error: INVALID, naming the file
 *
 * Reads the certificate and its key and sees that they fit.
 *
 * Returns: (transfer full): what connections are opened with
 */
BawnHttpTls *
bawn_http_tls_load (const BawnHttpTlsFiles *files, GError **error)
{
  g_autoptr(BawnHttpTls) tls = g_new0 (BawnHttpTls, 1);

  g_atomic_ref_count_init (&tls->refs);
  if (!load_into (tls, files, error))
    return NULL;

  return g_steal_pointer (&tls);
}

BawnHttpTls *
bawn_http_tls_ref (BawnHttpTls *tls)
{
  g_atomic_ref_count_inc (&tls->refs);
  return tls;
}

void
bawn_http_tls_unref (BawnHttpTls *tls)
{
  if (!g_atomic_ref_count_dec (&tls->refs))
    return;
  if (tls->credentials != NULL)
    gnutls_certificate_free_credentials (tls->credentials);
  if (tls->priority != NULL)
    gnutls_priority_deinit (tls->priority);
  if (tls->ticket_key.data != NULL)
    gnutls_memset (tls->ticket_key.data, 0, tls->ticket_key.size);
  gnutls_free (tls->ticket_key.data);
  g_free (tls);
}

static gboolean
configure (BawnHttpTls *tls, gnutls_session_t session, int fd, GError **error)
{
  static const gnutls_datum_t protocol = { (unsigned char *) "http/1.1", 8 };
  int code = gnutls_priority_set (session, tls->priority);

  if (code >= 0)
    code = gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE, tls->credentials);
  if (code >= 0)
    code = gnutls_session_ticket_enable_server (session, &tls->ticket_key);
  if (code >= 0)
    code = gnutls_alpn_set_protocols (session, &protocol, 1, 0);
  if (code < 0)
    return load_failed (error, "TLS session", code);

  /* Asked for always, since a login may want it; missing or unknown ones do not fail the handshake. */
  gnutls_certificate_server_set_request (session, tls->require_client ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
  gnutls_handshake_set_timeout (session, GNUTLS_INDEFINITE_TIMEOUT); /* the guard's business */
  gnutls_transport_set_int (session, fd);
  return TRUE;
}

/**
 * bawn_http_tls_open_session:
 * @tls: a certificate
 * @fd: a non-blocking socket
 * @out_session: (out): a session on it, its handshake still to be done
 * @error: INTERNAL
 *
 * Returns: whether there is one
 */
gboolean
bawn_http_tls_open_session (BawnHttpTls *tls, int fd, gnutls_session_t *out_session, GError **error)
{
  gnutls_session_t session = NULL;
  int code = gnutls_init (&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

  if (code < 0)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "TLS: %s", gnutls_strerror (code));
  if (!configure (tls, session, fd, error))
    {
      gnutls_deinit (session);
      return FALSE;
    }
  *out_session = session;

  return TRUE;
}

/**
 * bawn_http_tls_check_client:
 * @tls: a certificate
 * @session: after its handshake
 * @error: DENIED
 *
 * Returns: whether the client may stay: always, unless certificates are required
 */
gboolean
bawn_http_tls_check_client (BawnHttpTls *tls, gnutls_session_t session, GError **error)
{
  unsigned int status = 0;

  if (!tls->require_client)
    return TRUE;

  int code = gnutls_certificate_verify_peers2 (session, &status);
  if (code < 0)
    return bawn_fail (error, BAWN_ERROR_DENIED, "client certificate: %s", gnutls_strerror (code));
  if (status != 0)
    return bawn_fail (error, BAWN_ERROR_DENIED, "client certificate was not issued by a trusted authority");

  return TRUE;
}
