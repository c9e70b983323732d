/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-certificate.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

static gnutls_datum_t
as_datum (gconstpointer data, gsize size)
{
  return (gnutls_datum_t){ (unsigned char *) data, (unsigned int) size };
}

/* What TLS will do with it: the key must be the certificate's, and the certificate must vouch for itself. */
static void
test_is_accepted_by_tls (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) certificate = NULL;
  g_autoptr (BawnSecret) key = NULL;
  gnutls_certificate_credentials_t credentials = NULL;
  gnutls_x509_crt_t parsed = NULL;
  gnutls_x509_trust_list_t trust = NULL;
  unsigned int verdict = 0;

  g_assert_true (bawn_certificate_new_self_signed ("bawn-cluster", &certificate, &key, &error));
  g_assert_no_error (error);

  gnutls_datum_t text =
      as_datum (g_bytes_get_data (certificate, NULL), g_bytes_get_size (certificate));
  gnutls_datum_t secret = as_datum (bawn_secret_data (key), bawn_secret_size (key));

  g_assert_cmpint (gnutls_certificate_allocate_credentials (&credentials), ==, 0);
  g_assert_cmpint (
      gnutls_certificate_set_x509_key_mem (credentials, &text, &secret, GNUTLS_X509_FMT_PEM), >=,
      0);
  g_assert_cmpint (gnutls_x509_crt_init (&parsed), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_import (parsed, &text, GNUTLS_X509_FMT_PEM), ==, 0);
  g_assert_cmpint (gnutls_x509_trust_list_init (&trust, 0), ==, 0);
  g_assert_cmpint (gnutls_x509_trust_list_add_cas (trust, &parsed, 1, 0), ==, 1);
  g_assert_cmpint (gnutls_x509_trust_list_verify_crt (trust, &parsed, 1, 0, &verdict, NULL), ==, 0);
  g_assert_cmpuint (verdict, ==, 0);
  g_assert_cmpint (gnutls_x509_crt_check_hostname (parsed, "bawn-cluster"), !=, 0);
  g_assert_cmpint (gnutls_x509_crt_check_hostname (parsed, "other"), ==, 0);

  gnutls_x509_trust_list_deinit (trust, 1);
  gnutls_certificate_free_credentials (credentials);
}

static void
test_no_two_are_alike (void)
{
  g_autoptr (GBytes) one = NULL;
  g_autoptr (GBytes) other = NULL;
  g_autoptr (BawnSecret) one_key = NULL;
  g_autoptr (BawnSecret) other_key = NULL;

  g_assert_true (bawn_certificate_new_self_signed ("a", &one, &one_key, NULL));
  g_assert_true (bawn_certificate_new_self_signed ("a", &other, &other_key, NULL));
  g_assert_false (g_bytes_equal (one, other));
  g_assert_false (bawn_secret_equal (one_key, other_key));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crypto/certificate/is-accepted-by-tls", test_is_accepted_by_tls);
  g_test_add_func ("/crypto/certificate/no-two-are-alike", test_no_two_are_alike);
  return g_test_run ();
}
