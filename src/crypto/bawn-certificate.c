/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-certificate.h"

#include "crypto/bawn-crypto.h"
#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

/* Certificates of a cluster: made once, never renewed; whoever could read one out of the storage has the storage. RFC
 * 5280, 4.1.2.5, has this time for a certificate without a well-defined end. */
#define NOT_AFTER ((time_t) 253402300799)
/* Clocks of machines differ; a certificate should not be younger than any of them thinks. */
#define BACKDATE_S (24 * 60 * 60)
/* RFC 5280, 4.1.2.2, allows 20 octets and no negative numbers. */
#define SERIAL_SIZE 16

static void
wipe_datum (gnutls_datum_t *datum)
{
  if (datum->data != NULL)
    gnutls_memset (datum->data, 0, datum->size);
  gnutls_free (datum->data);
}

static gboolean
fill (gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const char *name, int *out_code)
{
  guint8 serial[SERIAL_SIZE] = { 0 };
  time_t now = (time_t) (g_get_real_time () / G_USEC_PER_SEC);
  int code = 0;

  bawn_random_bytes (serial, sizeof serial);
  serial[0] = (guint8) ((serial[0] & 0x7f) | 0x40);
  if ((code = gnutls_x509_crt_set_version (certificate, 3)) < 0
      || (code = gnutls_x509_crt_set_serial (certificate, serial, sizeof serial)) < 0
      || (code = gnutls_x509_crt_set_activation_time (certificate, now - BACKDATE_S)) < 0
      || (code = gnutls_x509_crt_set_expiration_time (certificate, NOT_AFTER)) < 0
      || (code = gnutls_x509_crt_set_dn_by_oid (certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                                (unsigned int) strlen (name))) < 0
      || (code = gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_DNSNAME, name,
                                                       (unsigned int) strlen (name), GNUTLS_FSAN_SET)) < 0
      || (code = gnutls_x509_crt_set_basic_constraints (certificate, 1, 0)) < 0
      || (code = gnutls_x509_crt_set_key_usage (certificate, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_CERT_SIGN)) < 0
      || (code = gnutls_x509_crt_set_key_purpose_oid (certificate, GNUTLS_KP_TLS_WWW_SERVER, 0)) < 0
      || (code = gnutls_x509_crt_set_key_purpose_oid (certificate, GNUTLS_KP_TLS_WWW_CLIENT, 0)) < 0
      || (code = gnutls_x509_crt_set_key (certificate, key)) < 0
      || (code = gnutls_x509_crt_sign2 (certificate, certificate, key, GNUTLS_DIG_SHA256, 0)) < 0)
    {
      *out_code = code;
      return FALSE;
    }

  return TRUE;
}

static gboolean
export_both (gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, GBytes **out_certificate, BawnSecret **out_key,
             int *out_code)
{
  gnutls_datum_t text = { 0 };
  gnutls_datum_t secret = { 0 };
  int code = gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_PEM, &text);

  if (code >= 0)
    code = gnutls_x509_privkey_export2_pkcs8 (key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &secret);
  if (code >= 0)
    {
      *out_certificate = bawn_bytes_new (text.data, text.size);
      *out_key = bawn_secret_new_copy (secret.data, secret.size);
    }
  wipe_datum (&secret);
  gnutls_free (text.data);
  *out_code = code;

  return code >= 0;
}

/**
 * bawn_certificate_new_self_signed:
 * @name: its common name and DNS name
 * @out_certificate: (out) (transfer full): PEM
 * @out_key: (out) (transfer full): its key, PKCS#8 as PEM
 * @error: return location
 *
 * Makes a key on NIST's P-256 and a certificate for it (RFC 5280) that is good for both ends of a connection and has no end. Takes
 * about a millisecond.
 *
 * Returns: %FALSE with INTERNAL if GnuTLS cannot
 */
gboolean
bawn_certificate_new_self_signed (const char *name, GBytes **out_certificate, BawnSecret **out_key, GError **error)
{
  gnutls_x509_crt_t certificate = NULL;
  gnutls_x509_privkey_t key = NULL;
  int code = gnutls_x509_crt_init (&certificate);
  gboolean done = FALSE;

  if (code >= 0)
    code = gnutls_x509_privkey_init (&key);
  if (code >= 0)
    code = gnutls_x509_privkey_generate2 (key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0, NULL,
                                          0);
  if (code >= 0)
    done = fill (certificate, key, name, &code) && export_both (certificate, key, out_certificate, out_key, &code);
  if (key != NULL)
    gnutls_x509_privkey_deinit (key);
  if (certificate != NULL)
    gnutls_x509_crt_deinit (certificate);
  if (done)
    return TRUE;

  return bawn_fail (error, BAWN_ERROR_INTERNAL, "no certificate could be made: %s", gnutls_strerror (code));
}
