/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-settings.h"

#include "cli/bawn-cli-error.h"
#include "util/bawn-bytes.h"
#include "util/bawn-clock.h"

#include <glib/gi18n.h>
#include <string.h>

#define DEFAULT_ADDRESS "https://127.0.0.1:8200"
#define DEFAULT_TIMEOUT_S 60
#define DEFAULT_MAX_RETRIES 2
/* Longer waits than a day, or more tries than anyone means, are typing mistakes. */
#define MAX_TIMEOUT_S 86400
#define MAX_MAX_RETRIES 100

const BawnCliFlag bawn_cli_flags_http[] = {
  { "address", BAWN_CLI_FLAG_STRING, "URL",
    N_ ("Where the server is: https://HOST:PORT, http://HOST:PORT or unix:/PATH. Also BAWN_ADDR; "
        "by default https://127.0.0.1:8200.") },
  { "ca-cert", BAWN_CLI_FLAG_STRING, "FILE",
    N_ ("PEM file of the authorities that may have signed the server's certificate. Also "
        "BAWN_CACERT.") },
  { "ca-path", BAWN_CLI_FLAG_STRING, "FOLDER", N_ ("Folder of such PEM files. Also BAWN_CAPATH.") },
  { "client-cert", BAWN_CLI_FLAG_STRING, "FILE",
    N_ ("PEM file of a certificate to show to the server. Also BAWN_CLIENT_CERT.") },
  { "client-key", BAWN_CLI_FLAG_STRING, "FILE",
    N_ ("PEM file of its private key. Also BAWN_CLIENT_KEY.") },
  { "tls-server-name", BAWN_CLI_FLAG_STRING, "NAME",
    N_ ("The name that the server's certificate must carry, if not that of the address. Also "
        "BAWN_TLS_SERVER_NAME.") },
  { "tls-skip-verify", BAWN_CLI_FLAG_BOOL, NULL,
    N_ ("Do not check the server's certificate: anyone in between can read everything. Also "
        "BAWN_SKIP_VERIFY.") },
  { "namespace", BAWN_CLI_FLAG_STRING, "NAME",
    N_ ("The namespace to work in, for servers that have any. Also BAWN_NAMESPACE.") },
  { "ns", BAWN_CLI_FLAG_STRING, "NAME", NULL },
  { "wrap-ttl", BAWN_CLI_FLAG_DURATION, "DURATION",
    N_ ("Have the answer wrapped in a token that can be used once, within this time. Also "
        "BAWN_WRAP_TTL.") },
  { "header", BAWN_CLI_FLAG_MAP, "NAME=VALUE",
    N_ ("Add a header to the requests. May be repeated.") },
  { "mfa", BAWN_CLI_FLAG_LIST, "METHOD:CODE",
    N_ ("Credentials for a second factor. May be repeated.") },
  { "policy-override", BAWN_CLI_FLAG_BOOL, NULL, NULL },
  { "disable-redirects", BAWN_CLI_FLAG_BOOL, NULL,
    N_ ("Do not follow a redirection to another server. Also BAWN_DISABLE_REDIRECTS.") },
  { "output-curl-string", BAWN_CLI_FLAG_BOOL, NULL,
    N_ ("Do not send the request, but print a curl command that would.") },
  { NULL },
};

const BawnCliFlag bawn_cli_flags_format[] = {
  { "format", BAWN_CLI_FLAG_STRING, "FORMAT",
    N_ ("How to print: table, json or yaml. Also BAWN_FORMAT; by default table."),
    "table json yaml" },
  { NULL },
};

const BawnCliFlag bawn_cli_flags_field[] = {
  { "field", BAWN_CLI_FLAG_STRING, "NAME",
    N_ ("Print this one field only, as it is; without a line end unless on a terminal.") },
  { NULL },
};

const BawnCliFlag bawn_cli_flags_common[] = {
  { "non-interactive", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Never ask on the terminal; fail instead.") },
  { "help", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Print this help.") },
  { "h", BAWN_CLI_FLAG_BOOL, NULL, NULL },
  { NULL },
};

/**
 * bawn_cli_environment:
 * @environment: (array zero-terminated=1): as of g_get_environ()
 * @name: such as "ADDR"
 *
 * Returns: (nullable): the value of BAWN_name or VAULT_name
 */
const char *
bawn_cli_environment (const char *const *environment, const char *name)
{
  static const char *const prefixes[] = { "BAWN_", "VAULT_" };

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    {
      g_autofree char *variable = g_strconcat (prefixes[i], name, NULL);
      const char *value = g_environ_getenv ((char **) environment, variable);

      if (value != NULL && value[0] != '\0')
        return value;
    }

  return NULL;
}

static char *
dup_setting (BawnCliArgs *args,
             const char *flag,
             const char *const *environment,
             const char *variable,
             const char *fallback)
{
  const char *value = bawn_cli_args_string (args, flag, NULL);

  if (value == NULL)
    value = bawn_cli_environment (environment, variable);
  return g_strdup (value != NULL ? value : fallback);
}

static gboolean
load_bool (const char *const *environment,
           const char *variable,
           gboolean *out_value,
           GError **error)
{
  const char *text = bawn_cli_environment (environment, variable);

  if (text == NULL || bawn_cli_bool_parse (text, out_value))
    return TRUE;

  return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("BAWN_%s must be true or false"), variable);
}

static gboolean
load_timeout (BawnCliSettings *settings, const char *const *environment, GError **error)
{
  const char *text = bawn_cli_environment (environment, "CLIENT_TIMEOUT");
  gint64 us = (gint64) DEFAULT_TIMEOUT_S * G_USEC_PER_SEC;

  if (text != NULL && (!bawn_duration_parse (text, &us, NULL) || us < 0))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                          _ ("BAWN_CLIENT_TIMEOUT must be a duration such as 60s"));

  /* A part of a second is rounded up: 0 would mean for ever. */
  gint64 s = us / G_USEC_PER_SEC + (us % G_USEC_PER_SEC != 0 ? 1 : 0);
  settings->timeout_s = (guint) MIN (s, MAX_TIMEOUT_S);
  return TRUE;
}

static gboolean
load_retries (BawnCliSettings *settings, const char *const *environment, GError **error)
{
  const char *text = bawn_cli_environment (environment, "MAX_RETRIES");
  guint64 n = DEFAULT_MAX_RETRIES;

  if (text != NULL && !g_ascii_string_to_unsigned (text, 10, 0, MAX_MAX_RETRIES, &n, NULL))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                          _ ("BAWN_MAX_RETRIES must be a number up to %d"), MAX_MAX_RETRIES);

  settings->max_retries = (guint) n;
  return TRUE;
}

/* What HTTP says a header may hold; above all no line end. */
static gboolean
header_is_sound (const char *name, const char *value)
{
  for (const char *c = name; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("!#$%&'*+-.^_`|~", *c) == NULL)
      return FALSE;
  for (const char *c = value; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c) && *c != '\t')
      return FALSE;

  return name[0] != '\0';
}

static gboolean
load_headers (BawnCliSettings *settings, BawnCliArgs *args, GError **error)
{
  const char *const *pairs = bawn_cli_args_list (args, "header");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; pairs[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (pairs[i], "=", 2);

      if (!header_is_sound (parts[0], parts[1]))
        return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("This is no header HTTP knows: %s"),
                              parts[0]);
      if (g_ascii_strncasecmp (parts[0], "X-Vault-", strlen ("X-Vault-")) == 0)
        return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE,
                              _ ("Headers that start with X-Vault- have flags of their own"));
      g_strv_builder_add_many (builder, parts[0], parts[1], NULL);
    }
  settings->headers = g_strv_builder_end (builder);

  return TRUE;
}

static gboolean
load_remote (BawnCliSettings *settings,
             BawnCliArgs *args,
             const char *const *environment,
             GError **error)
{
  gboolean no_redirects = FALSE;

  settings->address = dup_setting (args, "address", environment, "ADDR", DEFAULT_ADDRESS);
  settings->ca_cert = dup_setting (args, "ca-cert", environment, "CACERT", NULL);
  settings->ca_path = dup_setting (args, "ca-path", environment, "CAPATH", NULL);
  settings->client_cert = dup_setting (args, "client-cert", environment, "CLIENT_CERT", NULL);
  settings->client_key = dup_setting (args, "client-key", environment, "CLIENT_KEY", NULL);
  settings->tls_server_name =
      dup_setting (args, "tls-server-name", environment, "TLS_SERVER_NAME", NULL);
  settings->name_space = dup_setting (args, bawn_cli_args_has (args, "ns") ? "ns" : "namespace",
                                      environment, "NAMESPACE", NULL);
  settings->wrap_ttl = dup_setting (args, "wrap-ttl", environment, "WRAP_TTL", NULL);
  settings->mfa = g_strdupv ((char **) bawn_cli_args_list (args, "mfa"));
  settings->policy_override = bawn_cli_args_bool (args, "policy-override", FALSE);
  settings->output_curl = bawn_cli_args_bool (args, "output-curl-string", FALSE);
  if (!load_bool (environment, "SKIP_VERIFY", &settings->tls_skip_verify, error)
      || !load_bool (environment, "DISABLE_REDIRECTS", &no_redirects, error)
      || !load_timeout (settings, environment, error)
      || !load_retries (settings, environment, error) || !load_headers (settings, args, error))
    return FALSE;

  settings->tls_skip_verify =
      bawn_cli_args_bool (args, "tls-skip-verify", settings->tls_skip_verify);
  settings->follow_redirects = !bawn_cli_args_bool (args, "disable-redirects", no_redirects);
  return TRUE;
}

static gboolean
load_format (BawnCliSettings *settings,
             BawnCliArgs *args,
             const char *const *environment,
             GError **error)
{
  g_autofree char *text = dup_setting (args, "format", environment, "FORMAT", "table");

  if (g_ascii_strcasecmp (text, "table") == 0)
    settings->format = BAWN_CLI_FORMAT_TABLE;
  else if (g_ascii_strcasecmp (text, "json") == 0)
    settings->format = BAWN_CLI_FORMAT_JSON;
  else if (g_ascii_strcasecmp (text, "yaml") == 0 || g_ascii_strcasecmp (text, "yml") == 0)
    settings->format = BAWN_CLI_FORMAT_YAML;
  else
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("BAWN_FORMAT must be one of: %s"),
                          "table json yaml");

  return TRUE;
}

/**
 * bawn_cli_settings_load:
 * @args: the command line
 * @remote: whether it was parsed with #bawn_cli_flags_http
 * @formatted: whether it was parsed with #bawn_cli_flags_format
 * @environment: (array zero-terminated=1): as of g_get_environ()
 * @error: (out) (optional): naming the variable or flag that makes no sense
 *
 * Returns: (transfer full): what they say together
 */
BawnCliSettings *
bawn_cli_settings_load (BawnCliArgs *args,
                        gboolean remote,
                        gboolean formatted,
                        const char *const *environment,
                        GError **error)
{
  g_autoptr (BawnCliSettings) settings = g_new0 (BawnCliSettings, 1);

  settings->non_interactive = bawn_cli_args_bool (args, "non-interactive", FALSE);
  settings->token = g_strdup (bawn_cli_environment (environment, "TOKEN"));
  if (settings->token != NULL)
    g_strstrip (settings->token);
  if (remote && !load_remote (settings, args, environment, error))
    return NULL;
  if (formatted && !load_format (settings, args, environment, error))
    return NULL;

  return g_steal_pointer (&settings);
}

/**
 * bawn_cli_settings_free:
 * @settings: (nullable) (transfer full): settings
 */
void
bawn_cli_settings_free (BawnCliSettings *settings)
{
  if (settings == NULL)
    return;

  g_free (settings->address);
  g_free (settings->ca_cert);
  g_free (settings->ca_path);
  g_free (settings->client_cert);
  g_free (settings->client_key);
  g_free (settings->tls_server_name);
  g_free (settings->name_space);
  g_free (settings->wrap_ttl);
  bawn_string_wipe_free (settings->token);
  g_strfreev (settings->headers);
  g_strfreev (settings->mfa);
  g_free (settings);
}
