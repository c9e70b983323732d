/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "fixture.h"

#include "http/bawn-http-origin.h"

#include <glib/gstdio.h>
#include <string.h>

/* Who a client is, when proxies speak for others. */

#define GET "GET /v1/x HTTP/1.1\r\nHost: h\r\n"
#define END "\r\n"
#define XFF(value) "X-Forwarded-For: " value "\r\n"
#define PLAIN "address=127.0.0.1:0\ntls-disable=true\n"
#define TLS "tls-cert-file=@DIR@/cert.pem\ntls-key-file=@DIR@/key.pem\n"
#define ANYBODY "x-forwarded-for-authorized-addrs=127.0.0.0/8\n"
#define NOBODY "x-forwarded-for-authorized-addrs=10.0.0.0/8, fd00::/8\n"
#define LENIENT                                                                                    \
  "x-forwarded-for-reject-not-authorized=false\nx-forwarded-for-reject-not-present=false\n"
#define PROXY(behavior) "proxy-protocol-behavior=" behavior "\n"
#define PROXIES "proxy-protocol-authorized-addrs=127.0.0.0/8\n"
#define STRANGERS "proxy-protocol-authorized-addrs=10.0.0.0/8\n"
#define V1 "PROXY TCP4 10.1.2.3 10.0.0.1 12345 8200\r\n"

#define MISSING "missing x-forwarded-for header and configured to reject when not present"
#define NOT_AUTHORIZED                                                                             \
  "client address not authorized for x-forwarded-for and configured to reject connection"
#define SKIPS(n, length)                                                                           \
  "malformed x-forwarded-for configuration or request, hops to skip (" n                           \
  ") would skip before earliest chain link (chain length " length ")"
#define NO_ADDRESS "malformed x-forwarded-for header: not an address"

typedef struct
{
  const char *lines;
  const char *fields;
  /* who it is from, or why it is refused */
  const char *remote;
  const char *refusal;
  /* what the house sees of the header */
  const char *seen;
} Case;

static const Case forwarded[] = {
  { "", "", "127.0.0.1", NULL, "" },
  { "", XFF ("1.2.3.4"), "127.0.0.1", NULL, "1.2.3.4" },
  { ANYBODY, XFF ("1.2.3.4"), "1.2.3.4", NULL, "1.2.3.4" },
  { ANYBODY, XFF ("  1.2.3.4  "), "1.2.3.4", NULL, "1.2.3.4" },
  { ANYBODY, "x-forwarded-FOR: 1.2.3.4\r\n", "1.2.3.4", NULL, "1.2.3.4" },
  { ANYBODY, XFF ("9.9.9.9, 1.2.3.4"), "1.2.3.4", NULL, "9.9.9.9, 1.2.3.4" },
  { ANYBODY, XFF ("nonsense,,1.2.3.4"), "1.2.3.4", NULL, "nonsense,,1.2.3.4" },
  { ANYBODY, XFF ("9.9.9.9") XFF ("1.2.3.4"), "1.2.3.4", NULL, "9.9.9.9" },
  { ANYBODY, XFF ("2001:DB8:0::1"), "2001:db8::1", NULL, "2001:DB8:0::1" },
  { ANYBODY, XFF ("::ffff:1.2.3.4"), "1.2.3.4", NULL, "::ffff:1.2.3.4" },
  { ANYBODY, XFF ("1.2.3.4:5678"), "1.2.3.4", NULL, "1.2.3.4:5678" },
  { ANYBODY, XFF ("[2001:db8::1]:5678"), "2001:db8::1", NULL, "[2001:db8::1]:5678" },
  { ANYBODY "x-forwarded-for-hop-skips=1\n", XFF ("1.2.3.4, 10.0.0.9"), "1.2.3.4", NULL,
    "1.2.3.4, 10.0.0.9" },
  { ANYBODY "x-forwarded-for-hop-skips=1\n", XFF ("1.2.3.4") XFF ("10.0.0.9"), "1.2.3.4", NULL,
    "1.2.3.4" },
  { ANYBODY "x-forwarded-for-hop-skips=2\n", XFF ("8.8.8.8,1.2.3.4") XFF ("a,b"), "1.2.3.4", NULL,
    "8.8.8.8,1.2.3.4" },
  { ANYBODY "x-forwarded-for-reject-not-present=false\n", "", "127.0.0.1", NULL, "" },
  { NOBODY "x-forwarded-for-reject-not-authorized=false\n", XFF ("1.2.3.4"), "127.0.0.1", NULL,
    "" },
  { NOBODY LENIENT, XFF ("nonsense") XFF ("1.2.3.4"), "127.0.0.1", NULL, "" },
  { NOBODY LENIENT "x-forwarded-for-hop-skips=9\n", XFF ("1.2.3.4"), "127.0.0.1", NULL, "" },

  { ANYBODY, "", NULL, MISSING, NULL },
  { NOBODY, "", NULL, MISSING, NULL },
  { NOBODY "x-forwarded-for-reject-not-authorized=false\n", "", NULL, MISSING, NULL },
  { NOBODY, XFF ("1.2.3.4"), NULL, NOT_AUTHORIZED, NULL },
  { NOBODY, XFF ("10.0.0.1"), NULL, NOT_AUTHORIZED, NULL },
  { ANYBODY "x-forwarded-for-hop-skips=1\n", XFF ("1.2.3.4"), NULL, SKIPS ("1", "1"), NULL },
  { ANYBODY "x-forwarded-for-hop-skips=3\n", XFF ("1.2.3.4, 5.6.7.8") XFF ("x"), NULL,
    SKIPS ("3", "3"), NULL },
  { ANYBODY, XFF (""), NULL, NO_ADDRESS, NULL },
  { ANYBODY, XFF ("1.2.3.4,"), NULL, NO_ADDRESS, NULL },
  { ANYBODY, XFF ("unknown"), NULL, NO_ADDRESS, NULL },
  { ANYBODY, XFF ("host:1"), NULL, NO_ADDRESS, NULL },
  { ANYBODY, XFF ("1.2.3"), NULL, NO_ADDRESS, NULL },
  { ANYBODY, XFF ("1.2.3.4/8"), NULL, NO_ADDRESS, NULL },
  { ANYBODY, XFF ("1.2.3.4:0"), NULL, NO_ADDRESS, NULL },
  { ANYBODY, XFF ("fe80::1%eth0"), NULL, NO_ADDRESS, NULL },
  { ANYBODY, XFF ("\"1.2.3.4\""), NULL, NO_ADDRESS, NULL },
  { ANYBODY, XFF ("\xff\xfe"), NULL, NO_ADDRESS, NULL },
};

static void
assert_answer (Client *client, const Case *at)
{
  g_autofree char *text = g_strconcat (GET, at->fields, END, NULL);
  guint status = 0;
  g_autofree char *answer = client_ask (client, &status, text);

  g_assert_cmpuint (status, ==, at->refusal != NULL ? 400 : 200);
  if (at->refusal != NULL)
    {
      g_autofree char *wanted = g_strdup_printf ("{\"errors\":[\"%s\"]}", at->refusal);

      fixture_assert_has (answer, wanted);
      return;
    }

  g_autofree char *remote = g_strdup_printf ("\"remote\":\"%s\"", at->remote);
  g_autofree char *seen = g_strdup_printf ("\"forwarded_for\":\"%s\"", at->seen);

  fixture_assert_has (answer, remote);
  fixture_assert_has (answer, seen);
}

/* Each question twice on one connection: what one has said does not stick. */
static void
test_the_header_is_believed_of_whom_it_should_be (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (forwarded); i++)
    {
      g_autofree char *lines = g_strconcat (PLAIN, forwarded[i].lines, NULL);
      g_autoptr (Fixture) fixture = fixture_new (lines);
      g_autoptr (Client) client = client_connect (fixture);

      assert_answer (client, &forwarded[i]);
      assert_answer (client, &forwarded[i]);
    }
}

static void
test_a_refusal_comes_before_everything_else (void)
{
  g_autoptr (Fixture) fixture = fixture_new (PLAIN NOBODY);
  g_autoptr (Client) client = client_connect (fixture);
  guint status = 0;
  g_autofree char *answer =
      client_ask (client, &status, "NONSENSE /somewhere HTTP/1.1\r\nHost: h\r\n\r\n");

  fixture_assert_has (answer, MISSING);
  g_assert_cmpuint (status, ==, 400);
  g_assert_cmpuint (fixture_n_seen (fixture), ==, 0);
}

typedef struct
{
  const char *lines;
  const char *prefix;
  /* NULL: hung up on */
  const char *remote;
} ProxyCase;

static const ProxyCase relayed[] = {
  { PROXY ("use-always"), V1, "10.1.2.3" },
  { PROXY ("use-always"), "PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1" },
  { PROXY ("use-always"), "PROXY UNKNOWN\r\n", "127.0.0.1" },
  { PROXY ("use-always"), "", "127.0.0.1" },
  { PROXY ("use-always") STRANGERS, V1, "10.1.2.3" },
  { PROXY ("allow-authorized") PROXIES, V1, "10.1.2.3" },
  { PROXY ("allow-authorized") PROXIES, "", "127.0.0.1" },
  { PROXY ("allow-authorized") STRANGERS, V1, "127.0.0.1" },
  { PROXY ("allow-authorized") STRANGERS, "", "127.0.0.1" },
  { PROXY ("deny-unauthorized") PROXIES, V1, "10.1.2.3" },
  { PROXY ("deny-unauthorized") PROXIES, "", "127.0.0.1" },

  { PROXY ("deny-unauthorized") STRANGERS, V1, NULL },
  { PROXY ("deny-unauthorized") STRANGERS, "", NULL },
  { PROXY ("use-always"), "PROXY TCP4 nonsense\r\n", NULL },
  { PROXY ("allow-authorized") STRANGERS, "PROXY TCP4 nonsense\r\n", NULL },
};

static void
assert_relayed (Client *client, const ProxyCase *at)
{
  for (guint i = 0; i < 2; i++)
    {
      guint status = 0;
      g_autofree char *answer = client_ask (client, &status, GET END);

      g_assert_cmpuint (status, ==, at->remote != NULL ? 200 : 0);
      if (at->remote == NULL)
        return;

      g_autofree char *remote = g_strdup_printf ("\"remote\":\"%s\"", at->remote);

      fixture_assert_has (answer, remote);
    }
}

static void
test_the_protocol_is_believed_of_whom_it_should_be (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (relayed); i++)
    {
      g_autofree char *lines = g_strconcat (PLAIN, relayed[i].lines, NULL);
      g_autoptr (Fixture) fixture = fixture_new (lines);
      g_autoptr (Client) client = client_connect (fixture);

      client_send (client, relayed[i].prefix, -1);
      assert_relayed (client, &relayed[i]);
      g_assert_cmpuint (fixture_stats (fixture).refused, ==, relayed[i].remote == NULL ? 1 : 0);
    }
}

static void
test_without_the_protocol_its_header_is_nonsense (void)
{
  g_autoptr (Fixture) fixture = fixture_new (PLAIN);
  g_autoptr (Client) client = client_connect (fixture);
  guint status = 0;
  g_autofree char *answer = client_ask (client, &status, V1 GET END);

  g_assert_cmpuint (status, ==, 400);
  g_assert_cmpuint (fixture_n_seen (fixture), ==, 0);
}

static void
test_tls_begins_behind_the_header (void)
{
  g_autoptr (Fixture) fixture = fixture_new (TLS PROXY ("use-always"));
  g_autoptr (Client) with = client_connect_tls_after (fixture, V1);
  g_autoptr (Client) without = client_connect_tls (fixture, FALSE);

  assert_relayed (with, &relayed[0]);
  assert_relayed (without, &relayed[3]);
}

static void
test_a_header_may_come_byte_by_byte (void)
{
  g_autoptr (Fixture) fixture = fixture_new (PLAIN PROXY ("use-always"));
  g_autoptr (Client) client = client_connect (fixture);

  for (const char *at = V1; *at != '\0'; at++)
    {
      client_send (client, at, 1);
      g_usleep (1000);
    }
  assert_relayed (client, &relayed[0]);
}

static void
test_a_header_has_a_deadline (void)
{
  static const char *const starts[] = { "", "P", "PROXY TCP4", "\r\n" };
  g_autoptr (Fixture) fixture =
      fixture_new (PLAIN PROXY ("use-always") "handshake-timeout=200ms\n");

  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    {
      g_autoptr (Client) client = client_connect (fixture);

      client_send (client, starts[i], -1);
      g_assert_true (client_at_end (client));
    }
  g_assert_cmpuint (fixture_stats (fixture).expired, ==, G_N_ELEMENTS (starts));
}

static void
test_the_header_is_asked_of_whom_the_protocol_names (void)
{
  g_autoptr (Fixture) fixture = fixture_new (
      PLAIN PROXY ("use-always") "x-forwarded-for-authorized-addrs=10.1.2.3\n" LENIENT);
  g_autoptr (Client) named = client_connect (fixture);
  g_autoptr (Client) direct = client_connect (fixture);
  guint status = 0;
  g_autofree char *believed = client_ask (named, &status, V1 GET XFF ("1.2.3.4") END);
  g_autofree char *passed_over = client_ask (direct, &status, GET XFF ("1.2.3.4") END);

  fixture_assert_has (believed, "\"remote\":\"1.2.3.4\"");
  fixture_assert_has (passed_over, "\"remote\":\"127.0.0.1\"");
}

static void
test_clients_of_a_unix_socket_have_a_name (void)
{
  g_autofree char *folder = g_dir_make_tmp ("bawn-origin-XXXXXX", NULL);
  g_autofree char *known =
      g_strdup_printf ("address=unix:%s/s\nproxy-protocol-behavior=deny-unauthorized\n"
                       "proxy-protocol-authorized-addrs=unix\n"
                       "x-forwarded-for-authorized-addrs=unix\n" LENIENT,
                       folder);
  g_autofree char *unknown = g_strdup_printf ("address=unix:%s/s\n" NOBODY LENIENT, folder);

  {
    g_autoptr (Fixture) fixture = fixture_new (known);
    g_autoptr (Client) relayed_client = client_connect (fixture);
    g_autoptr (Client) forwarded_client = client_connect (fixture);
    guint status = 0;
    g_autofree char *by_proxy = client_ask (relayed_client, &status, V1 GET END);
    g_autofree char *by_header = client_ask (forwarded_client, &status, GET XFF ("1.2.3.4") END);

    fixture_assert_has (by_proxy, "\"remote\":\"10.1.2.3\"");
    fixture_assert_has (by_header, "\"remote\":\"1.2.3.4\"");
  }
  {
    g_autoptr (Fixture) fixture = fixture_new (unknown);
    g_autoptr (Client) client = client_connect (fixture);
    guint status = 0;
    g_autofree char *answer = client_ask (client, &status, GET XFF ("1.2.3.4") END);

    fixture_assert_has (answer, "\"remote\":\"\"");
    fixture_assert_has (answer, "\"forwarded_for\":\"\"");
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* What the configuration is told about these lines. */
static char *
complaints (const char *lines)
{
  g_autofree char *text = g_strconcat ("[listener]\n", lines, NULL);
  g_autoptr (BawnConfig) config = bawn_config_load_data ("test", text, strlen (text), NULL);
  g_autoptr (GError) error = NULL;

  bawn_http_check_config (config);
  bawn_config_check (config, &error);

  return g_strdup (error != NULL ? error->message : "");
}

static void
test_what_makes_no_sense_is_told (void)
{
  static const char *const cases[][2] = {
    { "", "" },
    { PROXY ("use-always"), "" },
    { PROXY ("allow-authorized") PROXIES ANYBODY LENIENT, "" },
    { "x-forwarded-for-authorized-addrs=unix,10.0.0.1;fd00::/8\n", "" },
    { PROXY ("sometimes"),
      "test:2: [listener] proxy-protocol-behavior: expected one of use-always, allow-authorized, "
      "deny-unauthorized, not \"sometimes\"" },
    { PROXY ("allow-authorized"),
      "test:2: [listener] proxy-protocol-behavior: needs proxy-protocol-authorized-addrs" },
    { PROXY ("deny-unauthorized") "proxy-protocol-authorized-addrs=\n",
      "test:3: [listener] proxy-protocol-authorized-addrs: names no address" },
    { PROXIES,
      "test:2: [listener] proxy-protocol-authorized-addrs: needs proxy-protocol-behavior" },
    { "x-forwarded-for-authorized-addrs=10.0.0.0/8, lb.example.org\n",
      "test:2: [listener] x-forwarded-for-authorized-addrs: lb.example.org: not an address or CIDR "
      "block" },
    { "x-forwarded-for-authorized-addrs=,\n",
      "test:2: [listener] x-forwarded-for-authorized-addrs: names no address" },
    { ANYBODY "x-forwarded-for-hop-skips=-1\n",
      "test:3: [listener] x-forwarded-for-hop-skips: expected a number from 0 to 100, not \"-1\"" },
    { "x-forwarded-for-hop-skips=1\n",
      "test:2: [listener] x-forwarded-for-hop-skips: needs x-forwarded-for-authorized-addrs" },
    { "x-forwarded-for-reject-not-present=false\n",
      "test:2: [listener] x-forwarded-for-reject-not-present: needs "
      "x-forwarded-for-authorized-addrs" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *told = complaints (cases[i][0]);

      g_assert_cmpstr (told, ==, cases[i][1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/http/origin/the-header-is-believed-of-whom-it-should-be",
                   test_the_header_is_believed_of_whom_it_should_be);
  g_test_add_func ("/http/origin/a-refusal-comes-before-everything-else",
                   test_a_refusal_comes_before_everything_else);
  g_test_add_func ("/http/origin/the-protocol-is-believed-of-whom-it-should-be",
                   test_the_protocol_is_believed_of_whom_it_should_be);
  g_test_add_func ("/http/origin/without-the-protocol-its-header-is-nonsense",
                   test_without_the_protocol_its_header_is_nonsense);
  g_test_add_func ("/http/origin/tls-begins-behind-the-header", test_tls_begins_behind_the_header);
  g_test_add_func ("/http/origin/a-header-may-come-byte-by-byte",
                   test_a_header_may_come_byte_by_byte);
  g_test_add_func ("/http/origin/a-header-has-a-deadline", test_a_header_has_a_deadline);
  g_test_add_func ("/http/origin/the-header-is-asked-of-whom-the-protocol-names",
                   test_the_header_is_asked_of_whom_the_protocol_names);
  g_test_add_func ("/http/origin/clients-of-a-unix-socket-have-a-name",
                   test_clients_of_a_unix_socket_have_a_name);
  g_test_add_func ("/http/origin/what-makes-no-sense-is-told", test_what_makes_no_sense_is_told);

  return g_test_run ();
}
