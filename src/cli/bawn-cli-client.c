/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-client.h"

#include "cli/bawn-cli-address.h"
#include "cli/bawn-cli-error.h"
#include "cli/bawn-cli-tls.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <string.h>

/* Twice the largest body that a server takes by default: a list of names may be long. */
#define MAX_REPLY ((gsize) 64 * 1024 * 1024)
#define CHUNK_SIZE 16384
/* Before the second try; each further one waits twice as long. A random half more keeps clients
 * apart. */
#define RETRY_WAIT_MS 250
#define MAX_RETRY_WAIT_MS 4000
#define MAX_REDIRECTS 1
/* What may stand in a path as it is (RFC 3986, pchar). */
#define PATH_CHARACTERS "/:@!$&'()*+,;=-._~"

struct _BawnCliClient
{
  const BawnCliSettings *settings;
  SoupSession *session;
  GTlsCertificate *identity; /* nullable */
  char *scratch;             /* nullable: a file to remove in the end */
  char *shown;               /* the address as people know it, no slash at its end */
  char *wire;                /* what requests are built from */
};

/* GLib's own resolver knows the usual variables, but costs time to load: only when they are there.
 */
static gboolean
environment_names_proxy (void)
{
  static const char *const names[] = { "http_proxy",  "HTTP_PROXY", "https_proxy",
                                       "HTTPS_PROXY", "all_proxy",  "ALL_PROXY" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_getenv (names[i]) != NULL)
      return TRUE;

  return FALSE;
}

/**
 * bawn_cli_client_open:
 * @settings: where the server is; must outlive the client
 * @error: (out) (optional): naming the address or file that is wrong
 *
 * Nothing is sent yet.
 *
 * Returns: (transfer full): a client
 */
BawnCliClient *
bawn_cli_client_open (const BawnCliSettings *settings, GError **error)
{
  g_autoptr (GUri) uri = bawn_cli_address_parse (settings->address, error);
  g_autoptr (GTlsDatabase) authorities = NULL;
  g_autoptr (BawnCliClient) client = g_new0 (BawnCliClient, 1);
  g_autoptr (GTlsCertificate) identity = NULL;

  if (uri == NULL)
    return NULL;
  if (!bawn_cli_tls_load_authorities (settings->ca_cert, settings->ca_path, &authorities,
                                      &client->scratch, error)
      || !bawn_cli_tls_load_identity (settings->client_cert, settings->client_key, &identity,
                                      error))
    return NULL;

  g_autoptr (GSocketConnectable) connectable =
      bawn_cli_address_connectable (uri, settings->tls_server_name);
  client->settings = settings;
  client->identity = g_steal_pointer (&identity);
  client->wire = bawn_cli_address_base (uri, settings->address);
  client->shown = g_strdup (settings->address);
  while (g_str_has_suffix (client->shown, "/"))
    client->shown[strlen (client->shown) - 1] = '\0';
  client->session = soup_session_new_with_options ("remote-connectable", connectable, "timeout",
                                                   settings->timeout_s, "user-agent",
                                                   "bawn/" PACKAGE_VERSION, NULL);
  soup_session_remove_feature_by_type (client->session, SOUP_TYPE_CONTENT_DECODER);
  if (authorities != NULL)
    soup_session_set_tls_database (client->session, authorities);
  if (connectable != NULL || !environment_names_proxy ())
    soup_session_set_proxy_resolver (client->session, NULL);

  return g_steal_pointer (&client);
}

/**
 * bawn_cli_client_free:
 * @client: (nullable) (transfer full): a client
 */
void
bawn_cli_client_free (BawnCliClient *client)
{
  if (client == NULL)
    return;

  g_clear_object (&client->session);
  g_clear_object (&client->identity);
  if (client->scratch != NULL)
    g_unlink (client->scratch);
  g_free (client->scratch);
  g_free (client->shown);
  g_free (client->wire);
  g_free (client);
}

/* @base plus the call's path and query. */
static char *
call_url (const char *base, const BawnCliCall *call)
{
  g_autofree char *path = g_uri_escape_string (call->path, PATH_CHARACTERS, FALSE);

  return g_strconcat (base, "/v1/", path, call->query != NULL ? "?" : "",
                      call->query != NULL ? call->query : "", NULL);
}

/* A header ends at a line end, so a token that holds one could say anything else too. */
static gboolean
check_token (const char *token, GError **error)
{
  for (const char *c = token; c != NULL && *c != '\0'; c++)
    if (!g_ascii_isgraph (*c))
      return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                            _ ("The token holds characters that no token has"));

  return TRUE;
}

static const char *
content_type (const BawnCliCall *call)
{
  return strcmp (call->method, "PATCH") == 0 ? "application/merge-patch+json" : "application/json";
}

/* Name, value, name, value … of what we add; %NULL-terminated. */
static GStrv
call_headers (BawnCliClient *client, const BawnCliCall *call)
{
  const BawnCliSettings *settings = client->settings;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_strv_builder_add_many (builder, "X-Vault-Request", "true", NULL);
  if (settings->name_space != NULL && settings->name_space[0] != '\0')
    g_strv_builder_add_many (builder, "X-Vault-Namespace", settings->name_space, NULL);
  if (call->wrap_ttl != NULL)
    g_strv_builder_add_many (builder, "X-Vault-Wrap-TTL", call->wrap_ttl, NULL);
  if (settings->policy_override)
    g_strv_builder_add_many (builder, "X-Vault-Policy-Override", "true", NULL);
  for (guint i = 0; settings->mfa != NULL && settings->mfa[i] != NULL; i++)
    g_strv_builder_add_many (builder, "X-Vault-MFA", settings->mfa[i], NULL);
  for (guint i = 0; settings->headers != NULL && settings->headers[i] != NULL; i++)
    g_strv_builder_add (builder, settings->headers[i]);

  return g_strv_builder_end (builder);
}

static gboolean
accept_any (SoupMessage *message,
            GTlsCertificate *certificate,
            GTlsCertificateFlags problems,
            gpointer user_data)
{
  return TRUE;
}

static SoupMessage *
message_new (BawnCliClient *client, const BawnCliCall *call, const char *url, GError **error)
{
  g_autoptr (SoupMessage) message = soup_message_new (call->method, url);
  g_auto (GStrv) headers = call_headers (client, call);

  if (message == NULL)
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL, _ ("Cannot make an URL of %s"),
                               call->path);

  SoupMessageHeaders *target = soup_message_get_request_headers (message);
  for (guint i = 0; headers[i] != NULL; i += 2)
    soup_message_headers_append (target, headers[i], headers[i + 1]);
  if (call->token != NULL)
    soup_message_headers_replace (target, "X-Vault-Token", call->token);
  if (call->body != NULL)
    soup_message_set_request_body_from_bytes (message, content_type (call), call->body);
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  if (client->settings->tls_skip_verify)
    g_signal_connect (message, "accept-certificate", G_CALLBACK (accept_any), NULL);
  if (client->identity != NULL)
    soup_message_set_tls_client_certificate (message, client->identity);

  return g_steal_pointer (&message);
}

static GBytes *
read_stream (GInputStream *stream, GError **error)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  while (buffer.size <= MAX_REPLY)
    {
      bawn_buffer_reserve (&buffer, CHUNK_SIZE);
      gssize n = g_input_stream_read (stream, buffer.data + buffer.size, CHUNK_SIZE, NULL, error);

      if (n < 0)
        return NULL;
      if (n == 0)
        return bawn_buffer_steal (&buffer);
      buffer.size += (gsize) n;
    }

  return bawn_cli_fail_null (error, BAWN_CLI_ERROR_REMOTE, _ ("the answer has more than %zu bytes"),
                             MAX_REPLY);
}

/* Says which of the certificate's faults it was: GIO's own message does not. */
static const char *
certificate_fault (SoupMessage *message)
{
  GTlsCertificateFlags faults = soup_message_get_tls_peer_certificate_errors (message);

  if (faults & G_TLS_CERTIFICATE_UNKNOWN_CA)
    return _ ("the server's certificate is not signed by a known authority; -ca-cert names one");
  if (faults & G_TLS_CERTIFICATE_BAD_IDENTITY)
    return _ (
        "the server's certificate is for another name; -tls-server-name tells which is right");
  if (faults & G_TLS_CERTIFICATE_NOT_ACTIVATED)
    return _ ("the server's certificate is not valid yet");
  if (faults & G_TLS_CERTIFICATE_EXPIRED)
    return _ ("the server's certificate has expired");
  if (faults & G_TLS_CERTIFICATE_REVOKED)
    return _ ("the server's certificate was revoked");
  if (faults != 0)
    return _ ("the server's certificate is not sound");

  return NULL;
}

static gboolean
fail_transport (SoupMessage *message,
                const char *method,
                const char *shown,
                const GError *cause,
                GError **error)
{
  const char *fault = certificate_fault (message);

  return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, "%s %s: %s", method, shown,
                        fault != NULL ? fault : cause->message);
}

/* One exchange, whatever comes back. *out_location is where a redirection leads, or NULL. */
static gboolean
send_once (BawnCliClient *client,
           const BawnCliCall *call,
           const char *url,
           const char *shown,
           BawnCliReply **out_reply,
           char **out_location,
           GError **error)
{
  g_autoptr (SoupMessage) message = message_new (client, call, url, error);
  g_autoptr (GError) cause = NULL;

  if (message == NULL)
    return FALSE;

  g_autoptr (GInputStream) stream = soup_session_send (client->session, message, NULL, &cause);
  g_autoptr (GBytes) body = stream != NULL ? read_stream (stream, &cause) : NULL;
  if (body == NULL)
    return fail_transport (message, call->method, shown, cause, error);

  BawnCliReply *reply = g_new0 (BawnCliReply, 1);
  reply->status = soup_message_get_status (message);
  reply->method = call->method;
  reply->url = g_strdup (shown);
  reply->body = g_steal_pointer (&body);
  if (g_bytes_get_size (reply->body) > 0)
    reply->json = bawn_json_parse (reply->body, NULL, NULL);
  *out_location = g_strdup (
      soup_message_headers_get_one (soup_message_get_response_headers (message), "Location"));
  *out_reply = reply;
  return TRUE;
}

static gboolean
is_redirect (const BawnCliReply *reply)
{
  return reply->status == 301 || reply->status == 302 || reply->status == 307
         || reply->status == 308;
}

/* Where to go instead; never from TLS to the open. */
static char *
redirect_target (const char *url, const char *location, GError **error)
{
  g_autofree char *target =
      location != NULL ? g_uri_resolve_relative (url, location, SOUP_HTTP_URI_FLAGS, NULL) : NULL;

  if (target == NULL)
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_REMOTE, _ ("the server redirects to nowhere"));
  if (g_str_has_prefix (url, "https:") && !g_str_has_prefix (target, "https:"))
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_REMOTE,
                               _ ("the server redirects to %s, which is not protected by TLS; "
                                  "that is not followed"),
                               target);

  return g_steal_pointer (&target);
}

static gboolean
send_and_follow (BawnCliClient *client,
                 const BawnCliCall *call,
                 BawnCliReply **out_reply,
                 GError **error)
{
  g_autofree char *url = call_url (client->wire, call);
  g_autofree char *shown = call_url (client->shown, call);
  gboolean may_follow = client->settings->follow_redirects
                        && soup_session_get_remote_connectable (client->session) == NULL;

  for (guint followed = 0;; followed++)
    {
      g_autoptr (BawnCliReply) reply = NULL;
      g_autofree char *location = NULL;

      if (!send_once (client, call, url, shown, &reply, &location, error))
        return FALSE;
      if (!is_redirect (reply) || !may_follow || followed == MAX_REDIRECTS)
        {
          *out_reply = g_steal_pointer (&reply);
          return TRUE;
        }

      char *target = redirect_target (url, location, error);
      if (target == NULL)
        return FALSE;
      g_free (url);
      url = target;
      g_free (shown);
      shown = g_strdup (target);
    }
}

/* Worth another try: the server did nothing (412), or a mere read met a passing fault. A sealed
 * server stays sealed until somebody comes, so there is no point in waiting. */
static gboolean
is_passing (const BawnCliCall *call, const BawnCliReply *reply)
{
  if (reply->status == 412)
    return TRUE;
  if (strcmp (call->method, "GET") != 0 || reply->status < 500 || reply->status == 501)
    return FALSE;

  const char *body = g_bytes_get_data (reply->body, NULL);
  return body == NULL
         || g_strstr_len (body, (gssize) g_bytes_get_size (reply->body), "is sealed") == NULL;
}

static void
wait_before_retry (guint tries)
{
  guint wait_ms = MIN (RETRY_WAIT_MS << MIN (tries, 8), MAX_RETRY_WAIT_MS);

  g_usleep ((gulong) (wait_ms + (guint) g_random_int_range (0, (gint32) wait_ms / 2)) * 1000);
}

/**
 * bawn_cli_client_send:
 * @client: a client
 * @call: what to ask
 * @out_reply: (out) (transfer full): the answer, whatever it says
 * @error: (out) (optional): why there is none
 *
 * Follows one redirection and tries again what can be tried again without harm. Blocks.
 *
 * Returns: %FALSE with @error set if no answer came
 */
gboolean
bawn_cli_client_send (BawnCliClient *client,
                      const BawnCliCall *call,
                      BawnCliReply **out_reply,
                      GError **error)
{
  if (!check_token (call->token, error))
    return FALSE;

  for (guint tries = 0;; tries++)
    {
      g_autoptr (BawnCliReply) reply = NULL;

      if (!send_and_follow (client, call, &reply, error))
        return FALSE;
      if (tries >= client->settings->max_retries || !is_passing (call, reply))
        {
          *out_reply = g_steal_pointer (&reply);
          return TRUE;
        }
      wait_before_retry (tries);
    }
}

static void
append_option (GString *command, const char *option, const char *value)
{
  g_autofree char *quoted = g_shell_quote (value);

  g_string_append_printf (command, " %s %s", option, quoted);
}

static void
append_header (GString *command, const char *name, const char *value)
{
  g_autofree char *header = g_strdup_printf ("%s: %s", name, value);

  append_option (command, "-H", header);
}

/**
 * bawn_cli_client_to_curl:
 * @client: a client
 * @call: what would be asked
 *
 * The token is left to the shell to fetch, so that it does not stand there.
 *
 * Returns: (transfer full): a command for the shell, to be freed with bawn_string_wipe_free()
 */
char *
bawn_cli_client_to_curl (BawnCliClient *client, const BawnCliCall *call)
{
  const BawnCliSettings *settings = client->settings;
  g_autoptr (GString) command = g_string_new ("curl");
  g_auto (GStrv) headers = call_headers (client, call);
  gboolean is_unix = g_str_has_prefix (client->shown, "unix:");
  g_autofree char *url = call_url (is_unix ? client->wire : client->shown, call);

  if (strcmp (call->method, "GET") != 0)
    append_option (command, "-X", call->method);
  if (is_unix)
    append_option (command, "--unix-socket", client->shown + strlen ("unix:"));
  if (settings->ca_cert != NULL)
    append_option (command, "--cacert", settings->ca_cert);
  if (settings->ca_path != NULL)
    append_option (command, "--capath", settings->ca_path);
  if (settings->client_cert != NULL)
    append_option (command, "--cert", settings->client_cert);
  if (settings->client_key != NULL)
    append_option (command, "--key", settings->client_key);
  if (settings->tls_skip_verify)
    g_string_append (command, " --insecure");
  if (call->token != NULL)
    g_string_append (command, " -H \"X-Vault-Token: $(bawn print token)\"");
  for (guint i = 0; headers[i] != NULL; i += 2)
    append_header (command, headers[i], headers[i + 1]);
  if (call->body != NULL)
    {
      gsize size = 0;
      const char *text = g_bytes_get_data (call->body, &size);
      append_header (command, "Content-Type", content_type (call));
      g_autoptr (BawnWipedString) body = g_strndup (text, size);
      append_option (command, "-d", body);
    }

  g_autofree char *quoted = g_shell_quote (url);
  g_string_append_printf (command, " %s", quoted);
  return g_string_free (g_steal_pointer (&command), FALSE);
}
