/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <gnutls/gnutls.h>

G_BEGIN_DECLS

typedef enum
{
  BAWN_HTTP_TLS_1_2,
  BAWN_HTTP_TLS_1_3,
} BawnHttpTlsVersion;

/**
 * BawnHttpTlsFiles:
 * @certificate: PEM file, the server's own certificate first
 * @key: PEM file
 * @client_ca: (nullable): PEM file of authorities: their names are shown to clients, and @require_client checks by them
 * @require_client: whether a client without a certificate of these authorities is turned away
 * @min_version: the oldest version spoken
 */
typedef struct
{
  char *certificate;
  char *key;
  char *client_ca;
  gboolean require_client;
  BawnHttpTlsVersion min_version;
} BawnHttpTlsFiles;

/**
 * BawnHttpTls:
 *
 * A certificate with its key, read and checked. Immutable and reference-counted: each connection keeps the one that it
 * began with, so that a reload disturbs nobody.
 */
typedef struct _BawnHttpTls BawnHttpTls;

BawnHttpTls *bawn_http_tls_load (const BawnHttpTlsFiles *files, GError **error);
BawnHttpTls *bawn_http_tls_ref (BawnHttpTls *tls);
void bawn_http_tls_unref (BawnHttpTls *tls);
gboolean bawn_http_tls_open_session (BawnHttpTls *tls, int fd, gnutls_session_t *out_session, GError **error);
gboolean bawn_http_tls_check_client (BawnHttpTls *tls, gnutls_session_t session, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpTls, bawn_http_tls_unref)

G_END_DECLS
