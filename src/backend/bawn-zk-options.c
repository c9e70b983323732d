/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-options.h"

#include "backend/bawn-zk-messages.h"
#include "backend/bawn-zk-path.h"
#include "util/bawn-net.h"

#include <string.h>

#define DEFAULT_ADDRESS "127.0.0.1:2181"
#define DEFAULT_PORT 2181
#define DEFAULT_PATH "/bawn"
/* Nobody has an ensemble of more members. */
#define MAX_ADDRESSES 32
/* With the key below it, a path still takes little of a request. */
#define MAX_PATH 512

/* Servers of an ordinary configuration give 4 s to 40 s. Nothing of ours goes with the session, so
 * it says only how soon a silent server is left for another one: with this, before a lease of 3 s
 * is over. */
#define SESSION_TIMEOUT_US (3 * G_TIME_SPAN_SECOND)
#define SESSION_TIMEOUT_MIN_US (100 * G_TIME_SPAN_MILLISECOND)
#define SESSION_TIMEOUT_MAX_US (10 * G_TIME_SPAN_MINUTE)
/* Within a site a connection stands in milliseconds, so that the next server gets its chance soon.
 */
#define CONNECT_TIMEOUT_US (2 * G_TIME_SPAN_SECOND)
/* A commit takes milliseconds; an ensemble that is electing its leader answers within some seconds.
 */
#define REQUEST_TIMEOUT_US (10 * G_TIME_SPAN_SECOND)
#define MIN_TIMEOUT_US (10 * G_TIME_SPAN_MILLISECOND)
#define MAX_TIMEOUT_US (10 * G_TIME_SPAN_MINUTE)
/* What servers take if nobody told them otherwise. Less than the minimum holds no value worth the
 * name. */
#define JUTE_MAXBUFFER 0xfffff
#define JUTE_MAXBUFFER_MIN (512 * 1024)
#define JUTE_MAXBUFFER_MAX (64 * 1024 * 1024)
/* What operators know from Vault. */
#define MAX_PARALLEL 128
#define MAX_PARALLEL_CEILING 4096
/* A line with a user and a password. */
#define MAX_AUTH_FILE 4096

static void
address_free (gpointer data)
{
  BawnZkAddress *address = data;

  g_free (address->host);
  g_free (address->text);
  g_free (address);
}

static void
read_addresses (BawnConfigGroup *group, BawnZkOptions *options)
{
  g_auto (GStrv) list = bawn_config_get_list (group, "address");

  if (list == NULL)
    list = g_strsplit (DEFAULT_ADDRESS, ",", -1);
  if (list[0] == NULL)
    bawn_config_complain (group, "address", "names no server");
  if (g_strv_length (list) > MAX_ADDRESSES)
    bawn_config_complain (group, "address", "names more than %d servers", MAX_ADDRESSES);

  for (guint i = 0; list[i] != NULL; i++)
    {
      g_autoptr (GError) why = NULL;
      g_autofree char *host = NULL;
      guint16 port = 0;

      if (!bawn_net_parse_host_port (list[i], DEFAULT_PORT, &host, &port, &why) || *host == '\0')
        {
          bawn_config_complain (group, "address", "%s",
                                why != NULL ? why->message : "names no host");
          continue;
        }

      BawnZkAddress *address = g_new0 (BawnZkAddress, 1);

      address->text = bawn_net_format_host_port (host, port);
      address->host = g_steal_pointer (&host);
      address->port = port;
      g_ptr_array_add (options->addresses, address);
    }
}

static void
read_path (BawnConfigGroup *group, BawnZkOptions *options)
{
  g_autofree char *given = bawn_config_get_string (group, "path", DEFAULT_PATH);
  GString *path = g_string_new (given[0] == '/' ? "" : "/");

  g_string_append (path, given);
  if (path->len > 1 && path->str[path->len - 1] == '/')
    g_string_truncate (path, path->len - 1);
  if (path->len > MAX_PATH || !bawn_zk_path_is_valid (path->str))
    {
      bawn_config_complain (group, "path", "must be the path of a node, such as %s", DEFAULT_PATH);
      g_string_assign (path, DEFAULT_PATH);
    }
  options->path = g_string_free (path, FALSE);
}

static void
read_acl (BawnConfigGroup *group, BawnZkOptions *options)
{
  g_autofree char *owner = bawn_config_get_string (group, "znode-owner", "world:anyone");
  char *colon = strchr (owner, ':');

  /* The scheme "auth" has no name behind it: it means whoever we are. */
  if (colon == NULL || colon == owner || (colon[1] == '\0' && !g_str_has_prefix (owner, "auth:"))
      || !g_utf8_validate (owner, -1, NULL))
    {
      bawn_config_complain (group, "znode-owner",
                            "must be a scheme and a name, such as "
                            "digest:user:hash");
      return;
    }

  *colon = '\0';
  g_clear_pointer (&options->acl, g_bytes_unref);
  options->acl = bawn_zk_acl_new (owner, colon + 1);
}

/* What is wrong with it is said without repeating it. */
static gboolean
take_auth (BawnZkOptions *options, const char *text)
{
  const char *colon = strchr (text, ':');

  if (colon == NULL || colon == text || colon[1] == '\0' || !g_utf8_validate (text, -1, NULL))
    return FALSE;

  g_clear_pointer (&options->auth_scheme, g_free);
  g_clear_pointer (&options->auth, g_bytes_unref);
  options->auth_scheme = g_strndup (text, (gsize) (colon - text));
  options->auth = bawn_bytes_new_string (colon + 1);
  return TRUE;
}

static void
read_auth_file (BawnConfigGroup *group, BawnZkOptions *options, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnWipedString) text = NULL;
  gsize size = 0;

  if (!g_file_get_contents (file, &text, &size, &error))
    {
      bawn_config_complain (group, "auth-info-file", "cannot be read: %s", error->message);
      return;
    }
  if (size > MAX_AUTH_FILE || strlen (text) != size || !take_auth (options, g_strchomp (text)))
    bawn_config_complain (group, "auth-info-file",
                          "must hold a scheme and what goes with it, such as digest:user:password");
}

static void
read_auth (BawnConfigGroup *group, BawnZkOptions *options)
{
  g_autoptr (BawnWipedString) text = bawn_config_get_string (group, "auth-info", NULL);
  g_autofree char *file = bawn_config_get_string (group, "auth-info-file", NULL);

  if (text != NULL && file != NULL)
    bawn_config_complain (group, "auth-info-file", "is given beside auth-info");
  else if (file != NULL)
    read_auth_file (group, options, file);
  else if (text != NULL && !take_auth (options, text))
    bawn_config_complain (group, "auth-info",
                          "must be a scheme and what goes with it, such as "
                          "digest:user:password");
}

static void
read_tls (BawnConfigGroup *group, BawnZkOptions *options)
{
  static const char *const keys[] = { "tls-ca-file",     "tls-cert-file",   "tls-key-file",
                                      "tls-server-name", "tls-skip-verify", "tls-min-version" };
  static const char *const versions[] = { "tls12", "tls13", NULL };

  options->tls = bawn_config_get_bool (group, "tls-enabled", FALSE);
  options->ca_file = bawn_config_get_string (group, "tls-ca-file", NULL);
  options->cert_file = bawn_config_get_string (group, "tls-cert-file", NULL);
  options->key_file = bawn_config_get_string (group, "tls-key-file", NULL);
  options->server_name = bawn_config_get_string (group, "tls-server-name", NULL);
  options->skip_verify = bawn_config_get_bool (group, "tls-skip-verify", FALSE);
  options->min_version = bawn_config_get_choice (group, "tls-min-version", versions, 0) == 0
                             ? G_TLS_PROTOCOL_VERSION_TLS_1_2
                             : G_TLS_PROTOCOL_VERSION_TLS_1_3;

  if ((options->cert_file == NULL) != (options->key_file == NULL))
    bawn_config_complain (group, options->cert_file != NULL ? "tls-cert-file" : "tls-key-file",
                          "tls-cert-file and tls-key-file go together");
  /* Whoever names a certificate believes to be protected. */
  for (gsize i = 0; !options->tls && i < G_N_ELEMENTS (keys); i++)
    if (bawn_config_group_has (group, keys[i]))
      bawn_config_complain (group, keys[i], "is of no use without tls-enabled");
}

static void
read_numbers (BawnConfigGroup *group, BawnZkOptions *options)
{
  options->session_timeout_us = bawn_config_get_duration_us (
      group, "session-timeout", SESSION_TIMEOUT_US, SESSION_TIMEOUT_MIN_US, SESSION_TIMEOUT_MAX_US);
  options->connect_timeout_us = bawn_config_get_duration_us (
      group, "connect-timeout", CONNECT_TIMEOUT_US, MIN_TIMEOUT_US, MAX_TIMEOUT_US);
  options->request_timeout_us = bawn_config_get_duration_us (
      group, "request-timeout", REQUEST_TIMEOUT_US, MIN_TIMEOUT_US, MAX_TIMEOUT_US);
  options->max_request = (gsize) bawn_config_get_size (group, "jute-maxbuffer", JUTE_MAXBUFFER,
                                                       JUTE_MAXBUFFER_MIN, JUTE_MAXBUFFER_MAX);
  options->max_parallel =
      (guint) bawn_config_get_int (group, "max-parallel", MAX_PARALLEL, 1, MAX_PARALLEL_CEILING);
  options->ha_enabled = bawn_config_get_bool (group, "ha-enabled", TRUE);
}

/**
 * bawn_zk_options_read:
 * @group: [storage] or [ha-storage]
 *
 * Reads all keys; mistakes are noted in @group.
 *
 * Returns: (transfer full): the settings
 */
BawnZkOptions *
bawn_zk_options_read (BawnConfigGroup *group)
{
  BawnZkOptions *options = g_new0 (BawnZkOptions, 1);

  options->addresses = g_ptr_array_new_with_free_func (address_free);
  options->acl = bawn_zk_acl_new ("world", "anyone");
  read_addresses (group, options);
  read_path (group, options);
  read_acl (group, options);
  read_auth (group, options);
  read_tls (group, options);
  read_numbers (group, options);
  return options;
}

/**
 * bawn_zk_options_free:
 * @options: (transfer full): the settings
 */
void
bawn_zk_options_free (BawnZkOptions *options)
{
  g_ptr_array_unref (options->addresses);
  g_free (options->path);
  g_clear_pointer (&options->acl, g_bytes_unref);
  g_free (options->auth_scheme);
  g_clear_pointer (&options->auth, g_bytes_unref);
  g_free (options->ca_file);
  g_free (options->cert_file);
  g_free (options->key_file);
  g_free (options->server_name);
  g_free (options);
}

static gboolean
load_authority (const BawnZkOptions *options, GTlsDatabase **out_database, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (options->ca_file == NULL)
    return TRUE;

  *out_database = g_tls_file_database_new (options->ca_file, &why);
  return *out_database != NULL
         || bawn_fail (error, BAWN_ERROR_INVALID, "the certificates in %s cannot be used: %s",
                       options->ca_file, why->message);
}

static gboolean
load_certificate (const BawnZkOptions *options, GTlsCertificate **out_certificate, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (options->cert_file == NULL || options->key_file == NULL)
    return TRUE;

  *out_certificate = g_tls_certificate_new_from_files (options->cert_file, options->key_file, &why);
  return *out_certificate != NULL
         || bawn_fail (error, BAWN_ERROR_INVALID,
                       "the certificate in %s and the key in %s cannot be used: %s",
                       options->cert_file, options->key_file, why->message);
}

gboolean
bawn_zk_options_load (BawnZkOptions *options, GError **error)
{
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;

  if (!options->tls)
    return TRUE;
  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "TLS needs glib-networking, which is not installed");

  return load_authority (options, &database, error)
         && load_certificate (options, &certificate, error);
}

static gboolean
accept_any (GTlsConnection *connection G_GNUC_UNUSED,
            GTlsCertificate *peer G_GNUC_UNUSED,
            GTlsCertificateFlags errors G_GNUC_UNUSED,
            gpointer user_data G_GNUC_UNUSED)
{
  return TRUE;
}

/**
 * bawn_zk_options_wrap:
 * @options: the settings
 * @base: a connection to the server
 * @address: where that is
 * @error: (out) (optional): why not
 *
 * Reads the files anew, so that a renewed certificate is used from the next connection on.
 *
 * Returns: (transfer full): TLS over @base
 */
GTlsConnection *
bawn_zk_options_wrap (const BawnZkOptions *options,
                      GIOStream *base,
                      const BawnZkAddress *address,
                      GError **error)
{
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GSocketConnectable) identity = g_network_address_new (
      options->server_name != NULL ? options->server_name : address->host, address->port);

  if (!load_authority (options, &database, error)
      || !load_certificate (options, &certificate, error))
    return NULL;

  g_autoptr (GIOStream) stream = g_tls_client_connection_new (base, identity, error);

  if (stream == NULL)
    return NULL;

  GTlsConnection *tls = G_TLS_CONNECTION (stream);

  if (database != NULL)
    g_tls_connection_set_database (tls, database);
  if (certificate != NULL)
    g_tls_connection_set_certificate (tls, certificate);
  if (options->skip_verify)
    g_signal_connect (tls, "accept-certificate", G_CALLBACK (accept_any), NULL);
  /* Frames say where they end, so a connection cut without a farewell is no worse than one with it.
   */
  g_tls_connection_set_require_close_notify (tls, FALSE);
  return G_TLS_CONNECTION (g_steal_pointer (&stream));
}
