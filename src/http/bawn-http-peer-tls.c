/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-peer-tls.h"

#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

#include <glib-unix.h>
#include <gnutls/x509.h>
#include <unistd.h>

/* Appended to the default, so that a distribution's system-wide policy still has its say. */
#define VERSIONS "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct _BawnHttpPeerTls
{
  gatomicrefcount refs;
  BawnClusterIdentity *identity;
  GBytes *der; /* of the certificate */
  gnutls_certificate_credentials_t credentials;
  gnutls_priority_t priority;
};

static gboolean
failed (GError **error, int code)
{
  return bawn_fail (error, BAWN_ERROR_INTERNAL, "the cluster's certificate: %s",
                    gnutls_strerror (code));
}

static gnutls_datum_t
datum (const guint8 *data, gsize size)
{
  return (gnutls_datum_t){ (unsigned char *) data, (unsigned int) size };
}

static gboolean
read_der (BawnHttpPeerTls *tls, const gnutls_datum_t *pem, GError **error)
{
  gnutls_x509_crt_t crt = NULL;
  gnutls_datum_t der = { NULL, 0 };
  int code = gnutls_x509_crt_init (&crt);

  if (code < 0)
    return failed (error, code);
  code = gnutls_x509_crt_import (crt, pem, GNUTLS_X509_FMT_PEM);
  if (code >= 0)
    code = gnutls_x509_crt_export2 (crt, GNUTLS_X509_FMT_DER, &der);
  gnutls_x509_crt_deinit (crt);
  if (code < 0)
    return failed (error, code);

  tls->der = bawn_bytes_new (der.data, der.size);
  gnutls_free (der.data);
  return TRUE;
}

static gboolean
load (BawnHttpPeerTls *tls, GError **error)
{
  gsize size = 0;
  const guint8 *pem = g_bytes_get_data (tls->identity->certificate, &size);
  gnutls_datum_t certificate = datum (pem, size);
  gnutls_datum_t key =
      datum (bawn_secret_data (tls->identity->key), bawn_secret_size (tls->identity->key));

  if (!read_der (tls, &certificate, error))
    return FALSE;

  int code = gnutls_certificate_allocate_credentials (&tls->credentials);
  if (code >= 0)
    code = gnutls_certificate_set_x509_key_mem (tls->credentials, &certificate, &key,
                                                GNUTLS_X509_FMT_PEM);
  if (code >= 0)
    code = gnutls_priority_init2 (&tls->priority, VERSIONS, NULL, GNUTLS_PRIORITY_INIT_DEF_APPEND);

  return code >= 0 ? TRUE : failed (error, code);
}

/**
 * bawn_http_peer_tls_new:
 * @identity: the cluster's
 * @error: INTERNAL
 *
 * Returns: (transfer full): what connections between nodes are made with
 */
BawnHttpPeerTls *
bawn_http_peer_tls_new (BawnClusterIdentity *identity, GError **error)
{
  g_autoptr (BawnHttpPeerTls) tls = g_new0 (BawnHttpPeerTls, 1);

  g_atomic_ref_count_init (&tls->refs);
  tls->identity = bawn_cluster_identity_ref (identity);
  if (!load (tls, error))
    return NULL;

  return g_steal_pointer (&tls);
}

BawnHttpPeerTls *
bawn_http_peer_tls_ref (BawnHttpPeerTls *tls)
{
  g_atomic_ref_count_inc (&tls->refs);
  return tls;
}

void
bawn_http_peer_tls_unref (BawnHttpPeerTls *tls)
{
  if (!g_atomic_ref_count_dec (&tls->refs))
    return;
  if (tls->credentials != NULL)
    gnutls_certificate_free_credentials (tls->credentials);
  if (tls->priority != NULL)
    gnutls_priority_deinit (tls->priority);
  g_clear_pointer (&tls->der, g_bytes_unref);
  bawn_cluster_identity_unref (tls->identity);
  g_free (tls);
}

/* Whether it was made of @identity. */
gboolean
bawn_http_peer_tls_is_of (BawnHttpPeerTls *tls, BawnClusterIdentity *identity)
{
  return tls->identity == identity
         || bawn_bytes_equal (tls->identity->certificate, identity->certificate);
}

/* Whether both are of one identity. */
gboolean
bawn_http_peer_tls_equal (BawnHttpPeerTls *a, BawnHttpPeerTls *b)
{
  return a == b || bawn_bytes_equal (a->der, b->der);
}

static gboolean
open_session (
    BawnHttpPeerTls *tls, int fd, gboolean accepted, gnutls_session_t *out_session, GError **error)
{
  static const gnutls_datum_t protocol = { (unsigned char *) "bawn-cluster", 12 };
  unsigned int role = accepted ? GNUTLS_SERVER : GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT;
  gnutls_session_t session = NULL;
  int code = gnutls_init (&session, role | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS);

  if (code < 0)
    return failed (error, code);
  code = gnutls_priority_set (session, tls->priority);
  if (code >= 0)
    code = gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE, tls->credentials);
  if (code >= 0)
    code = gnutls_alpn_set_protocols (session, &protocol, 1, GNUTLS_ALPN_MANDATORY);
  if (code < 0)
    {
      gnutls_deinit (session);
      return failed (error, code);
    }
  if (accepted)
    gnutls_certificate_server_set_request (session, GNUTLS_CERT_REQUIRE);
  gnutls_handshake_set_timeout (session, GNUTLS_INDEFINITE_TIMEOUT); /* our own timer's business */
  gnutls_transport_set_int (session, fd);
  *out_session = session;

  return TRUE;
}

/* TLS has proved that the other end has the key of what it has shown. */
static gboolean
check_peer (BawnHttpPeerTls *tls, gnutls_session_t session, GError **error)
{
  unsigned int n = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers (session, &n);

  if (chain == NULL || n != 1)
    return bawn_fail (error, BAWN_ERROR_DENIED, "the certificate is not the cluster's");

  g_autoptr (GBytes) shown = bawn_bytes_new (chain[0].data, chain[0].size);
  if (!bawn_bytes_equal (shown, tls->der))
    return bawn_fail (error, BAWN_ERROR_DENIED, "the certificate is not the cluster's");

  return TRUE;
}

struct _BawnHttpHandshake
{
  GMainContext *context;
  BawnHttpWire wire;
  BawnHttpPeerTls *tls;
  GSource *source; /* nullable */
  GSource *timer;
  GError *broken; /* nullable: there is not even a session */
  BawnHttpHandshakeDone done;
  gpointer user_data;
};

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
handshake_free (BawnHttpHandshake *handshake)
{
  drop_source (&handshake->source);
  drop_source (&handshake->timer);
  bawn_http_wire_close (&handshake->wire);
  g_clear_error (&handshake->broken);
  bawn_http_peer_tls_unref (handshake->tls);
  g_free (handshake);
}

static void
finish (BawnHttpHandshake *handshake, const GError *error)
{
  BawnHttpWire wire = handshake->wire;

  drop_source (&handshake->source);
  drop_source (&handshake->timer);
  if (error == NULL)
    handshake->wire = (BawnHttpWire){ .fd = -1 };
  handshake->done (handshake, error == NULL ? &wire : NULL, error, handshake->user_data);
  handshake_free (handshake);
}

static gboolean
on_too_late (gpointer user_data)
{
  g_autoptr (GError) error =
      g_error_new_literal (BAWN_ERROR, BAWN_ERROR_TIMEOUT, "the handshake takes too long");

  finish (user_data, error);
  return G_SOURCE_REMOVE;
}

static gboolean on_ready (gint fd, GIOCondition condition, gpointer user_data);

static void
go_on (BawnHttpHandshake *handshake)
{
  g_autoptr (GError) error = NULL;
  GIOCondition wants = 0;
  gboolean good = bawn_http_wire_handshake (&handshake->wire, &wants, &error);

  if (good && wants != 0)
    {
      handshake->source = g_unix_fd_source_new (handshake->wire.fd, wants);
      g_source_set_callback (handshake->source, G_SOURCE_FUNC (on_ready), handshake, NULL);
      g_source_attach (handshake->source, handshake->context);
      return;
    }
  if (good && !check_peer (handshake->tls, handshake->wire.session, &error))
    gnutls_alert_send (handshake->wire.session, GNUTLS_AL_FATAL, GNUTLS_A_UNKNOWN_CA);
  finish (handshake, error);
}

static gboolean
on_ready (gint fd, GIOCondition condition, gpointer user_data)
{
  BawnHttpHandshake *handshake = user_data;

  drop_source (&handshake->source);
  go_on (handshake);
  return G_SOURCE_REMOVE;
}

static gboolean
on_begin (gpointer user_data)
{
  BawnHttpHandshake *handshake = user_data;

  drop_source (&handshake->source);
  if (handshake->broken != NULL)
    finish (handshake, handshake->broken);
  else
    go_on (handshake);
  return G_SOURCE_REMOVE;
}

/**
 * bawn_http_handshake_new:
 * @context: where it goes on
 * @fd: a connected, non-blocking socket; taken over in any case
 * @tls: the cluster's certificate
 * @accepted: the other end has connected, and not this one
 * @done: told once, from @context, unless cancelled
 * @user_data: for @done
 *
 * Returns: a handshake, valid until @done is called
 */
BawnHttpHandshake *
bawn_http_handshake_new (GMainContext *context,
                         int fd,
                         BawnHttpPeerTls *tls,
                         gboolean accepted,
                         BawnHttpHandshakeDone done,
                         gpointer user_data)
{
  BawnHttpHandshake *handshake = g_new0 (BawnHttpHandshake, 1);

  handshake->context = context;
  handshake->tls = bawn_http_peer_tls_ref (tls);
  handshake->wire = (BawnHttpWire){ .fd = fd };
  handshake->done = done;
  handshake->user_data = user_data;
  open_session (tls, fd, accepted, &handshake->wire.session, &handshake->broken);

  handshake->timer = g_timeout_source_new (BAWN_HTTP_PEER_HANDSHAKE_TIMEOUT_US / 1000);
  g_source_set_callback (handshake->timer, on_too_late, handshake, NULL);
  g_source_attach (handshake->timer, context);
  /* Not now: @done must not come before the caller knows what it is about. */
  handshake->source = g_timeout_source_new (0);
  g_source_set_callback (handshake->source, on_begin, handshake, NULL);
  g_source_attach (handshake->source, context);

  return handshake;
}

/* Ends it; nobody is told. */
void
bawn_http_handshake_cancel (BawnHttpHandshake *handshake)
{
  handshake_free (handshake);
}
