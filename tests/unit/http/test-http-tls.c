/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "fixture.h"

#include <gio/gio.h>
#include <string.h>

#define GET(path) "GET /v1/" path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define CHILD "--without-tls-child"
#define TLS "tls-cert-file=@DIR@/cert.pem\ntls-key-file=@DIR@/key.pem\n"

static void
assert_served (Client *client, const char *text)
{
  guint status = 0;
  g_autofree char *answer = client_ask (client, &status, text);

  g_assert_cmpuint (status, ==, 200);
  fixture_assert_has (answer, "\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n");
}

static void
test_served (void)
{
  g_autoptr(Fixture) fixture = fixture_new (TLS);
  g_autoptr(Client) client = client_connect_tls (fixture, FALSE);

  g_assert_true (g_str_has_prefix (fixture->url, "https://127.0.0.1:"));
  for (guint i = 0; i < 20; i++)
    {
      assert_served (client, GET ("echo"));
      assert_served (client, GET ("later"));
      assert_served (client, GET ("big"));
    }
}

static void
test_pipelining (void)
{
  g_autoptr(Fixture) fixture = fixture_new (TLS);
  g_autoptr(Client) client = client_connect_tls (fixture, FALSE);
  guint status = 0;

  client_send (client, GET ("big") GET ("later") GET ("last"), -1);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *answer = client_answer (client, &status);
      g_assert_cmpuint (status, ==, 200);
    }
}

/* More than one record, so that some of it waits within GnuTLS. */
static void
test_large_body (void)
{
  g_autoptr(Fixture) fixture = fixture_new (TLS);
  g_autoptr(Client) client = client_connect_tls (fixture, FALSE);
  g_autofree char *blank = g_strnfill (3 * 1024 * 1024, ' ');
  guint status = 0;

  client_send (client, "PUT /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3145735\r\n\r\n", -1);
  client_send (client, blank, -1);
  g_autofree char *answer = client_ask (client, &status, "{\"a\":1}");
  g_assert_cmpuint (status, ==, 200);
  fixture_assert_has (answer, "\"data\":{\"a\":1}");
}

static void
test_client_certificate (void)
{
  g_autoptr(Fixture) fixture = fixture_new (TLS);
  g_autoptr(Client) client = client_connect_tls (fixture, TRUE);

  assert_served (client, GET ("echo"));
}

static void
test_required_certificate (void)
{
  g_autoptr(Fixture) fixture = fixture_new (TLS "tls-client-ca-file=@DIR@/cert.pem\ntls-require-client-cert=true\n");
  guint status = 0;

  g_autoptr(Client) good = client_connect_tls (fixture, TRUE);
  assert_served (good, GET ("echo"));

  g_autoptr(Client) without = client_connect_tls (fixture, FALSE);
  g_autofree char *none = client_ask (without, &status, GET ("echo"));
  g_assert_cmpuint (status, ==, 0);

  /* A certificate of somebody else. The server goes on with the authority that it has read. */
  fixture_write_certificate (fixture, "stranger");
  g_autoptr(Client) stranger = client_connect_tls (fixture, TRUE);
  g_autofree char *nothing = client_ask (stranger, &status, GET ("echo"));
  g_assert_cmpuint (status, ==, 0);
  fixture_until (fixture_stats (fixture).failed_handshakes == 2);
  g_assert_cmpuint (fixture_n_seen (fixture), ==, 1);
}

static void
test_reload (void)
{
  g_autoptr(Fixture) fixture = fixture_new (TLS);
  g_autoptr(Client) old = client_connect_tls (fixture, FALSE);
  g_autofree char *old_name = client_peer_name (old);
  g_autoptr(GError) error = NULL;

  g_assert_cmpstr (old_name, ==, "first");
  assert_served (old, GET ("echo"));
  fixture_write_certificate (fixture, "second");
  bawn_http_server_reload (fixture->server, &error);
  g_assert_no_error (error);

  g_autoptr(Client) fresh = client_connect_tls (fixture, FALSE);
  g_autofree char *fresh_name = client_peer_name (fresh);
  g_assert_cmpstr (fresh_name, ==, "second");
  assert_served (fresh, GET ("echo"));
  assert_served (old, GET ("echo"));
}

/* Whatever is wrong with the new files, the old certificate stays in use, and the message names a file. */
static void
test_bad_reload (void)
{
  static const char *const bad[] = { "cert.pem", "key.pem" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr(Fixture) fixture = fixture_new (TLS);
      g_autofree char *path = fixture_path (fixture, bad[i]);
      g_autofree char *kept = NULL;
      gsize size = 0;
      g_autoptr(GError) garbage = NULL;
      g_autoptr(GError) mismatch = NULL;

      g_assert_true (g_file_get_contents (path, &kept, &size, NULL));
      g_assert_true (g_file_set_contents (path, "garbage", -1, NULL));
      g_assert_false (bawn_http_server_reload (fixture->server, &garbage));
      fixture_assert_has (garbage->message, path);

      fixture_write_certificate (fixture, "other");
      g_assert_true (g_file_set_contents (path, kept, (gssize) size, NULL));
      g_assert_false (bawn_http_server_reload (fixture->server, &mismatch));
      fixture_assert_has (mismatch->message, path);

      g_autoptr(Client) client = client_connect_tls (fixture, FALSE);
      g_autofree char *name = client_peer_name (client);
      g_assert_cmpstr (name, ==, "first");
      assert_served (client, GET ("echo"));
    }
}

/* The protocol versions that a client of exactly one version gets through with. */
static int
try_version (Fixture *fixture, const char *priority)
{
  g_autoptr(Client) client = client_connect (fixture);
  int code = 0;

  gnutls_init (&client->session, GNUTLS_CLIENT);
  gnutls_priority_set_direct (client->session, priority, NULL);
  gnutls_certificate_allocate_credentials (&client->credentials);
  gnutls_credentials_set (client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
  gnutls_transport_set_int (client->session, client->fd);
  do
    code = gnutls_handshake (client->session);
  while (code < 0 && !gnutls_error_is_fatal (code));

  return code;
}

static void
test_versions (void)
{
  static const char v11[] = "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT";
  static const char v12[] = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
  static const char v13[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
  g_autoptr(Fixture) usual = fixture_new (TLS);
  g_autoptr(Fixture) strict = fixture_new (TLS "tls-min-version=tls13\n");

  g_assert_cmpint (try_version (usual, v11), <, 0);
  g_assert_cmpint (try_version (usual, v12), ==, 0);
  g_assert_cmpint (try_version (usual, v13), ==, 0);
  g_assert_cmpint (try_version (strict, v12), <, 0);
  g_assert_cmpint (try_version (strict, v13), ==, 0);
}

static void
test_plain_to_tls (void)
{
  g_autoptr(Fixture) fixture = fixture_new (TLS);
  g_autoptr(Client) client = client_connect (fixture);

  client_send (client, GET ("echo"), -1);
  fixture_until (fixture_stats (fixture).failed_handshakes == 1);
  fixture_until (fixture_stats (fixture).open_connections == 0);
  g_assert_cmpuint (fixture_n_seen (fixture), ==, 0);
}

/* Many that say nothing keep nobody out: a handshake costs no thread. */
static void
test_silent_clients (void)
{
  g_autoptr(Fixture) fixture = fixture_new (TLS "handshake-timeout=20s\n");
  g_autoptr(GPtrArray) silent = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);

  for (guint i = 0; i < 200; i++)
    g_ptr_array_add (silent, client_connect (fixture));
  fixture_until (fixture_stats (fixture).open_connections == 200);
  g_autoptr(Client) client = client_connect_tls (fixture, FALSE);
  assert_served (client, GET ("echo"));
}

static void
test_handshake_deadline (void)
{
  g_autoptr(Fixture) fixture = fixture_new (TLS "handshake-timeout=100ms\n");
  g_autoptr(Client) client = client_connect (fixture);

  /* The beginning of a record, and nothing more. */
  client_send (client, "\x16\x03\x01", 3);
  g_assert_true (client_at_end (client));
  g_assert_cmpuint (fixture_stats (fixture).expired, ==, 1);
  fixture_until (fixture_stats (fixture).open_connections == 0);
}

static void
test_refusal (void)
{
  g_autoptr(Fixture) fixture = fixture_new (TLS);
  g_autoptr(Client) client = client_connect_tls (fixture, FALSE);
  guint status = 0;
  g_autofree char *answer = client_ask (client, &status, "nonsense\r\n\r\n");

  g_assert_cmpuint (status, ==, 400);
  fixture_assert_has (answer, "malformed request line");
  g_assert_true (client_at_end (client));
}

static int
without_tls_child (void)
{
  g_autoptr(GError) error = NULL;

  g_assert_false (bawn_http_check_tls (&error));
  fixture_assert_has (error->message, "install the package glib-networking");

  return 0;
}

static void
test_backend (void)
{
  g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autoptr(GError) error = NULL;

  g_assert_true (bawn_http_check_tls (&error));
  g_assert_no_error (error);

  /* GIO's own stand-in for a backend that is not there. */
  g_subprocess_launcher_setenv (launcher, "GIO_USE_TLS", "dummy", TRUE);
  g_autoptr(GSubprocess) child = g_subprocess_launcher_spawn (launcher, &error, "/proc/self/exe", CHILD, NULL);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait_check (child, NULL, &error));
}

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], CHILD) == 0)
    return without_tls_child ();

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/tls/requests-are-served", test_served);
  g_test_add_func ("/http/tls/pipelined-requests-are-served", test_pipelining);
  g_test_add_func ("/http/tls/a-body-of-many-records-arrives", test_large_body);
  g_test_add_func ("/http/tls/any-client-certificate-is-fine", test_client_certificate);
  g_test_add_func ("/http/tls/a-certificate-can-be-required", test_required_certificate);
  g_test_add_func ("/http/tls/a-new-certificate-is-for-new-connections", test_reload);
  g_test_add_func ("/http/tls/a-bad-certificate-changes-nothing", test_bad_reload);
  g_test_add_func ("/http/tls/old-versions-are-not-spoken", test_versions);
  g_test_add_func ("/http/tls/plain-http-is-not-understood", test_plain_to_tls);
  g_test_add_func ("/http/tls/silent-clients-keep-nobody-out", test_silent_clients);
  g_test_add_func ("/http/tls/a-handshake-has-a-deadline", test_handshake_deadline);
  g_test_add_func ("/http/tls/a-refusal-is-readable", test_refusal);
  g_test_add_func ("/http/tls/a-missing-backend-is-named", test_backend);

  return g_test_run ();
}
