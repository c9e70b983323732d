/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/backend/bawn-papers.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#define GOOD_S 3600

typedef struct
{
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t crt;
} Paper;

static void
write_pem (const char *directory, const char *name, const char *suffix, gnutls_datum_t *pem)
{
  g_autofree char *base = g_strconcat (name, suffix, NULL);
  g_autofree char *path = g_build_filename (directory, base, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents_full (path, (const char *) pem->data, pem->size, G_FILE_SET_CONTENTS_NONE,
                            0600, &error);
  g_assert_no_error (error);
  gnutls_free (pem->data);
}

static void
make (Paper *paper, const char *organisation, guint8 serial)
{
  unsigned int bits = GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1);

  g_assert_cmpint (gnutls_x509_privkey_init (&paper->key), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_generate (paper->key, GNUTLS_PK_ECDSA, bits, 0), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_init (&paper->crt), ==, 0);
  gnutls_x509_crt_set_version (paper->crt, 3);
  gnutls_x509_crt_set_serial (paper->crt, &serial, 1);
  gnutls_x509_crt_set_activation_time (paper->crt, time (NULL) - 60);
  gnutls_x509_crt_set_expiration_time (paper->crt, time (NULL) + GOOD_S);
  gnutls_x509_crt_set_dn_by_oid (paper->crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, organisation,
                                 (unsigned int) strlen (organisation));
  gnutls_x509_crt_set_key (paper->crt, paper->key);
}

static void
finish (Paper *paper, const Paper *signer, const char *directory, const char *name)
{
  gnutls_datum_t pem = { 0 };

  g_assert_cmpint (
      gnutls_x509_crt_sign2 (paper->crt, signer->crt, signer->key, GNUTLS_DIG_SHA256, 0), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_export2 (paper->crt, GNUTLS_X509_FMT_PEM, &pem), ==, 0);
  write_pem (directory, name, ".pem", &pem);
  g_assert_cmpint (gnutls_x509_privkey_export2 (paper->key, GNUTLS_X509_FMT_PEM, &pem), ==, 0);
  write_pem (directory, name, ".key", &pem);
}

static void
discard (Paper *paper)
{
  gnutls_x509_crt_deinit (paper->crt);
  gnutls_x509_privkey_deinit (paper->key);
}

static void
write_leaf (const char *directory, const char *name, guint8 serial, const Paper *signer)
{
  Paper leaf = { 0 };

  make (&leaf, name, serial);
  gnutls_x509_crt_set_key_usage (leaf.crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
  gnutls_x509_crt_set_key_purpose_oid (leaf.crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
  if (strcmp (name, "server") == 0)
    {
      struct in_addr loopback = { .s_addr = htonl (INADDR_LOOPBACK) };

      gnutls_x509_crt_set_key_purpose_oid (leaf.crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
      gnutls_x509_crt_set_subject_alt_name (leaf.crt, GNUTLS_SAN_DNSNAME, "storage.test", 12,
                                            GNUTLS_FSAN_SET);
      gnutls_x509_crt_set_subject_alt_name (leaf.crt, GNUTLS_SAN_IPADDRESS, &loopback,
                                            sizeof loopback, GNUTLS_FSAN_APPEND);
    }
  finish (&leaf, signer != NULL ? signer : &leaf, directory, name);
  discard (&leaf);
}

void
bawn_papers_write (const char *directory)
{
  Paper authority = { 0 };

  make (&authority, "authority", 1);
  gnutls_x509_crt_set_basic_constraints (authority.crt, 1, -1);
  gnutls_x509_crt_set_key_usage (authority.crt, GNUTLS_KEY_KEY_CERT_SIGN);
  finish (&authority, &authority, directory, "ca");
  write_leaf (directory, "server", 2, &authority);
  write_leaf (directory, "client", 3, &authority);
  write_leaf (directory, "stranger", 4, NULL);
  discard (&authority);
}

void
bawn_papers_remove (const char *directory)
{
  static const char *const names[] = { "ca", "server", "client", "stranger" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *pem = g_strdup_printf ("%s/%s.pem", directory, names[i]);
      g_autofree char *key = g_strdup_printf ("%s/%s.key", directory, names[i]);

      g_unlink (pem);
      g_unlink (key);
    }
}
