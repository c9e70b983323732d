/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-tls.h"

#include "cli/bawn-cli-error.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Appends the certificates of @path to @pem, re-encoded, so that what is in there besides does not
 * matter. */
static gboolean
append_file (GString *pem, const char *path, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autolist (GTlsCertificate) list = g_tls_certificate_list_new_from_file (path, &cause);

  if (list == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("No certificate can be read from %s: %s"),
                          path, cause != NULL ? cause->message : _ ("there is none"));
  for (GList *l = list; l != NULL; l = l->next)
    {
      g_autofree char *text = NULL;

      g_object_get (l->data, "certificate-pem", &text, NULL);
      g_string_append (pem, text);
    }

  return TRUE;
}

/* Files that hold no certificate are passed over: such folders have a README, links by hash and
 * more. */
static gboolean
append_folder (GString *pem, const char *folder, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &cause);
  const char *name = NULL;
  gsize before = pem->len;

  if (dir == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, "%s", cause->message);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
        append_file (pem, path, NULL);
    }
  if (pem->len == before)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("There is no certificate in %s"), folder);

  return TRUE;
}

/* GIO takes the authorities from a file only. */
static GTlsDatabase *
database_from_pem (GString *pem, GError **error)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("bawn-ca-XXXXXX", &path, error);

  if (fd < 0)
    return NULL;
  close (fd);

  g_autoptr (GTlsDatabase) database = NULL;
  if (g_file_set_contents (path, pem->str, (gssize) pem->len, error))
    database = g_tls_file_database_new (path, error);
  g_unlink (path);

  return g_steal_pointer (&database);
}

/**
 * bawn_cli_tls_load_authorities:
 * @file: (nullable): PEM file with one certificate or more
 * @folder: (nullable): folder of such files
 * @out_database: (out) (transfer full) (nullable): whom to trust; %NULL is the system's choice
 * @error: (out) (optional): naming what could not be read
 *
 * Returns: %FALSE with @error set if there was something wrong
 */
gboolean
bawn_cli_tls_load_authorities (const char *file,
                               const char *folder,
                               GTlsDatabase **out_database,
                               GError **error)
{
  g_autoptr (GString) pem = g_string_new (NULL);

  if (file == NULL && folder == NULL)
    {
      *out_database = NULL;
      return TRUE;
    }
  if (file != NULL && !append_file (pem, file, error))
    return FALSE;
  if (folder != NULL && !append_folder (pem, folder, error))
    return FALSE;

  GTlsDatabase *database = database_from_pem (pem, error);
  if (database == NULL)
    return FALSE;

  *out_database = database;
  return TRUE;
}

/**
 * bawn_cli_tls_load_identity:
 * @cert_file: (nullable): PEM file of a certificate, its chain behind it
 * @key_file: (nullable): PEM file of its key; without it, the key is in @cert_file
 * @out_certificate: (out) (transfer full) (nullable): both together
 * @error: (out) (optional): naming what could not be read
 *
 * Returns: %FALSE with @error set if there was something wrong
 */
gboolean
bawn_cli_tls_load_identity (const char *cert_file,
                            const char *key_file,
                            GTlsCertificate **out_certificate,
                            GError **error)
{
  if (cert_file == NULL && key_file == NULL)
    {
      *out_certificate = NULL;
      return TRUE;
    }
  if (cert_file == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                          _ ("A client key was given, but no client certificate"));

  g_autoptr (GError) cause = NULL;
  GTlsCertificate *certificate =
      g_tls_certificate_new_from_files (cert_file, key_file != NULL ? key_file : cert_file, &cause);
  if (certificate == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                          _ ("The client certificate %s or its key cannot be read: %s"), cert_file,
                          cause->message);

  *out_certificate = certificate;
  return TRUE;
}
