/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-tls.h"

#include "cli/bawn-cli-error.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* Appends the certificates of @path to @pem, re-encoded: what is in there besides does not matter.
 * Files that hold none are passed over, as such folders have a README, links by hash and more. */
static void
append_file (GString *pem, const char *path)
{
  g_autolist (GTlsCertificate) list = g_tls_certificate_list_new_from_file (path, NULL);

  for (GList *l = list; l != NULL; l = l->next)
    {
      g_autofree char *text = NULL;

      g_object_get (l->data, "certificate-pem", &text, NULL);
      g_string_append (pem, text);
    }
}

static GString *
read_folder (const char *folder, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &cause);
  g_autoptr (GString) pem = g_string_new (NULL);
  const char *name = NULL;

  if (dir == NULL)
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL, "%s", cause->message);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
        append_file (pem, path);
    }
  if (pem->len == 0)
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL, _ ("There is no certificate in %s"),
                               folder);

  return g_steal_pointer (&pem);
}

static GTlsDatabase *
open_database (const char *path, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GTlsDatabase) database = NULL;
  g_autolist (GTlsCertificate) list = g_tls_certificate_list_new_from_file (absolute, &cause);

  if (list != NULL)
    database = g_tls_file_database_new (absolute, &cause);
  if (database == NULL)
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL,
                               _ ("No certificate can be read from %s: %s"), path,
                               cause != NULL ? cause->message : _ ("there is none"));

  return g_steal_pointer (&database);
}

/**
 * bawn_cli_tls_load_authorities:
 * @file: (nullable): PEM file with one certificate or more
 * @folder: (nullable): folder of such files; used if there is no @file
 * @out_database: (out) (transfer full) (nullable): whom to trust; %NULL is the system's choice
 * @out_scratch: (out) (transfer full) (nullable): a file to remove when the database is no longer
 * needed
 * @error: (out) (optional): naming what could not be read
 *
 * GIO takes the authorities from one file, which it reads again later.
 *
 * Returns: %FALSE with @error set if there was something wrong
 */
gboolean
bawn_cli_tls_load_authorities (const char *file,
                               const char *folder,
                               GTlsDatabase **out_database,
                               char **out_scratch,
                               GError **error)
{
  g_autofree char *scratch = NULL;
  GTlsDatabase *database = NULL;

  *out_scratch = NULL;
  *out_database = NULL;
  if (file != NULL)
    {
      *out_database = open_database (file, error);
      return *out_database != NULL;
    }
  if (folder == NULL)
    return TRUE;

  g_autoptr (GString) pem = read_folder (folder, error);
  if (pem == NULL)
    return FALSE;

  int fd = g_file_open_tmp ("bawn-ca-XXXXXX", &scratch, error);
  if (fd < 0)
    return FALSE;
  close (fd);
  if (g_file_set_contents (scratch, pem->str, (gssize) pem->len, error))
    database = open_database (scratch, error);
  if (database == NULL)
    {
      g_unlink (scratch);
      return FALSE;
    }

  *out_database = database;
  *out_scratch = g_steal_pointer (&scratch);
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
