/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-client.h"
#include "cli/bawn-cli-error.h"
#include "cli/bawn-cli-settings.h"

#include <string.h>

static const BawnCliFlag *const tables[] = { bawn_cli_flags_format, bawn_cli_flags_http,
                                             bawn_cli_flags_common, NULL };

#define LIST(...)                                                                                  \
  (const char *const[])                                                                            \
  {                                                                                                \
    __VA_ARGS__, NULL                                                                              \
  }
#define NOTHING                                                                                    \
  (const char *const[])                                                                            \
  {                                                                                                \
    NULL                                                                                           \
  }

static BawnCliSettings *
load (const char *const *words, const char *const *environment, GError **error)
{
  g_autoptr (BawnCliArgs) args = bawn_cli_args_parse (words, tables, error);

  g_assert_nonnull (args);
  return bawn_cli_settings_load (args, TRUE, TRUE, environment, error);
}

static void
test_defaults (void)
{
  g_autoptr (BawnCliSettings) settings = load (NOTHING, NOTHING, NULL);

  g_assert_cmpstr (settings->address, ==, "https://127.0.0.1:8200");
  g_assert_cmpuint (settings->timeout_s, ==, 60);
  g_assert_cmpuint (settings->max_retries, ==, 2);
  g_assert_cmpint (settings->format, ==, BAWN_CLI_FORMAT_TABLE);
  g_assert_true (settings->follow_redirects);
  g_assert_false (settings->tls_skip_verify);
  g_assert_null (settings->token);
  g_assert_null (settings->ca_cert);
}

static void
test_precedence (void)
{
  const char *const *environment =
      LIST ("VAULT_ADDR=http://vault", "BAWN_ADDR=http://bawn", "VAULT_TOKEN=v",
            "BAWN_TOKEN=", "VAULT_FORMAT=json", "BAWN_SKIP_VERIFY=true", "VAULT_NAMESPACE=ns1");
  g_autoptr (BawnCliSettings) from_environment = load (NOTHING, environment, NULL);
  g_autoptr (BawnCliSettings) from_flags =
      load (LIST ("-address=http://flag", "-format=yaml", "-tls-skip-verify=false", "-ns=ns2"),
            environment, NULL);

  g_assert_cmpstr (from_environment->address, ==, "http://bawn");
  g_assert_cmpstr (from_environment->token, ==, "v");
  g_assert_cmpint (from_environment->format, ==, BAWN_CLI_FORMAT_JSON);
  g_assert_true (from_environment->tls_skip_verify);
  g_assert_cmpstr (from_environment->name_space, ==, "ns1");
  g_assert_cmpstr (from_flags->address, ==, "http://flag");
  g_assert_cmpint (from_flags->format, ==, BAWN_CLI_FORMAT_YAML);
  g_assert_false (from_flags->tls_skip_verify);
  g_assert_cmpstr (from_flags->name_space, ==, "ns2");
}

static void
test_every_variable (void)
{
  g_autoptr (BawnCliSettings) settings = load (
      NOTHING,
      LIST ("BAWN_CACERT=/ca", "BAWN_CAPATH=/cas", "BAWN_CLIENT_CERT=/cert", "BAWN_CLIENT_KEY=/key",
            "BAWN_TLS_SERVER_NAME=name", "BAWN_WRAP_TTL=5m", "BAWN_CLIENT_TIMEOUT=1500ms",
            "BAWN_MAX_RETRIES=0", "BAWN_TOKEN= t\n", "BAWN_DISABLE_REDIRECTS=1"),
      NULL);

  g_assert_cmpstr (settings->ca_cert, ==, "/ca");
  g_assert_cmpstr (settings->ca_path, ==, "/cas");
  g_assert_cmpstr (settings->client_cert, ==, "/cert");
  g_assert_cmpstr (settings->client_key, ==, "/key");
  g_assert_cmpstr (settings->tls_server_name, ==, "name");
  g_assert_cmpstr (settings->wrap_ttl, ==, "5m");
  g_assert_cmpuint (settings->timeout_s, ==, 2);
  g_assert_cmpuint (settings->max_retries, ==, 0);
  g_assert_cmpstr (settings->token, ==, "t");
  g_assert_false (settings->follow_redirects);
}

static void
test_mistakes (void)
{
  static const struct
  {
    const char *variable;
    const char *hint;
  } rows[] = {
    { "BAWN_SKIP_VERIFY=maybe", "BAWN_SKIP_VERIFY" },
    { "VAULT_CLIENT_TIMEOUT=soon", "BAWN_CLIENT_TIMEOUT" },
    { "BAWN_MAX_RETRIES=-1", "BAWN_MAX_RETRIES" },
    { "BAWN_MAX_RETRIES=1000000", "BAWN_MAX_RETRIES" },
    { "BAWN_FORMAT=xml", "BAWN_FORMAT" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnCliSettings) settings = load (NOTHING, LIST (rows[i].variable), &error);

      g_assert_null (settings);
      g_assert_nonnull (strstr (error->message, rows[i].hint));
    }
}

static void
test_headers (void)
{
  static const char *const bad[] = { "-header=X-Vault-Token=t", "-header=x y=z",
                                     "-header=A=b\r\nC: d", "-header=A:=b" };
  g_autoptr (BawnCliSettings) settings =
      load (LIST ("-header=X-Trace=a=b", "-header=Y=", NULL), NOTHING, NULL);

  g_assert_cmpuint (g_strv_length (settings->headers), ==, 4);
  g_assert_cmpstr (settings->headers[1], ==, "a=b");
  g_assert_cmpstr (settings->headers[3], ==, "");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnCliSettings) refused = load (LIST (bad[i]), NOTHING, &error);

      g_assert_null (refused);
      g_assert_error (error, BAWN_CLI_ERROR, BAWN_CLI_ERROR_USAGE);
    }
}

static char *
curl_of (const char *address, const BawnCliCall *call)
{
  g_autofree char *flag = g_strconcat ("-address=", address, NULL);
  g_autoptr (BawnCliSettings) settings = load (LIST (flag), NOTHING, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnCliClient) client = bawn_cli_client_open (settings, &error);

  g_assert_no_error (error);
  return bawn_cli_client_to_curl (client, call);
}

static void
test_curl (void)
{
  g_autoptr (GBytes) body = bawn_bytes_new_string ("{\"a\":\"it's\"}");
  const BawnCliCall read = { "GET", "secret/data/ä b#?%", "version=1", NULL, "s3cret", NULL };
  const BawnCliCall write = { "PUT", "secret/x", NULL, body, NULL, "60" };
  g_autofree char *reading = curl_of ("https://h:1/prefix/", &read);
  g_autofree char *writing = curl_of ("unix:/run/b.sock", &write);

  g_assert_cmpstr (reading, ==,
                   "curl -H \"X-Vault-Token: $(bawn print token)\" -H 'X-Vault-Request: true' "
                   "'https://h:1/prefix/v1/secret/data/%C3%A4%20b%23%3F%25?version=1'");
  g_assert_cmpstr (writing, ==,
                   "curl -X 'PUT' --unix-socket '/run/b.sock' -H 'X-Vault-Request: true' "
                   "-H 'X-Vault-Wrap-TTL: 60' -H 'Content-Type: application/json' "
                   "-d '{\"a\":\"it'\\''s\"}' 'http://localhost/v1/secret/x'");
}

static void
test_addresses (void)
{
  static const char *const bad[] = { "localhost:8200", "ftp://h",       "https://",       "",
                                     "http:///x",      "unix:relative", "https://h:99999" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *flag = g_strconcat ("-address=", bad[i], NULL);
      g_autoptr (BawnCliSettings) settings = load (LIST (flag), NOTHING, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnCliClient) client = bawn_cli_client_open (settings, &error);

      g_assert_null (client);
      g_assert_error (error, BAWN_CLI_ERROR, BAWN_CLI_ERROR_LOCAL);
    }
}

static void
test_certificates (void)
{
  static const char *const rows[][2] = {
    { "-ca-cert=/nonexistent", "/nonexistent" },
    { "-ca-path=/nonexistent", "/nonexistent" },
    { "-client-cert=/nonexistent", "/nonexistent" },
    { "-client-key=/nonexistent", "no client certificate" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (BawnCliSettings) settings = load (LIST (rows[i][0]), NOTHING, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnCliClient) client = bawn_cli_client_open (settings, &error);

      g_assert_null (client);
      g_assert_nonnull (strstr (error->message, rows[i][1]));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/settings/have-sensible-defaults", test_defaults);
  g_test_add_func ("/cli/settings/flags-win-over-bawn-which-wins-over-vault", test_precedence);
  g_test_add_func ("/cli/settings/every-variable-is-read", test_every_variable);
  g_test_add_func ("/cli/settings/mistakes-name-the-variable", test_mistakes);
  g_test_add_func ("/cli/settings/headers-cannot-smuggle-anything", test_headers);
  g_test_add_func ("/cli/settings/a-request-can-be-shown-as-curl", test_curl);
  g_test_add_func ("/cli/settings/addresses-that-make-no-sense-are-refused", test_addresses);
  g_test_add_func ("/cli/settings/missing-certificates-are-named", test_certificates);

  return g_test_run ();
}
