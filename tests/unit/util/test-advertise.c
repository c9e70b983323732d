/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-advertise.h"
#include "util/bawn-error.h"
#include "util/bawn-net-private.h"

#include <string.h>

#define WITHOUT(what) "an address is a scheme, a host and a port, without " what
#define NO_HOST "the address needs a host"
#define NO_SCHEME "an address must begin with https:// or http://"
#define NO_HOST_PORT "expected host:port, with brackets around an IPv6 address"
#define NO_PORT "expected a port from 1 to 65535"
#define EVERY(host) host " is every address of this machine; others need one that leads to it"
#define NEITHER(host) "\"" host "\" is neither an address nor a name"
#define UNKNOWN(call)                                                                              \
  "unknown template {{ " call " }}; known are {{ GetPrivateIP }}, {{ GetPublicIP }} and "          \
  "{{ GetInterfaceIP \"NAME\" }}"

typedef struct
{
  const char *text;
  const char *result;
  const char *error;
} Case;

/* With a private address by the default route, a bridge with another, one that is IPv6 only, and
 * one with too many. */
static BawnNetMachine *
make_machine (void)
{
  BawnNetMachine *machine = bawn_net_machine_new ("eth0", "eth0");

  bawn_net_machine_add (machine, "lo", "127.0.0.1", TRUE);
  bawn_net_machine_add (machine, "br0", "172.17.0.1", FALSE);
  bawn_net_machine_add (machine, "eth0", "10.0.0.5", FALSE);
  bawn_net_machine_add (machine, "eth0", "fd00::5", FALSE);
  bawn_net_machine_add (machine, "eth0", "fe80::5", FALSE);
  bawn_net_machine_add (machine, "six0", "fd00::6", FALSE);
  bawn_net_machine_add (machine, "two0", "10.1.0.1", FALSE);
  bawn_net_machine_add (machine, "two0", "10.1.0.2", FALSE);

  return machine;
}

static BawnNetMachine *
make_ipv6_machine (void)
{
  BawnNetMachine *machine = bawn_net_machine_new (NULL, "eth0");

  bawn_net_machine_add (machine, "lo", "::1", TRUE);
  bawn_net_machine_add (machine, "eth0", "fd00::5", FALSE);

  return machine;
}

static void
assert_case (const Case *at, const char *result, const GError *error)
{
  if (g_strcmp0 (result, at->result) != 0
      || g_strcmp0 (error != NULL ? error->message : NULL, at->error) != 0)
    g_error ("%s: got %s, %s", at->text, result != NULL ? result : "nothing",
             error != NULL ? error->message : "no error");
}

static void
test_a_set_address_is_told_as_it_is (void)
{
  static const Case cases[] = {
    { "https://10.0.0.5:8200", "https://10.0.0.5:8200", NULL },
    { " https://10.0.0.5:8200 ", "https://10.0.0.5:8200", NULL },
    { "HTTPS://vault.example.org", "https://vault.example.org", NULL },
    { "http://vault-1_a.example.org.:8200/", "http://vault-1_a.example.org.:8200", NULL },
    { "https://7node:443", "https://7node:443", NULL },
    { "https://localhost:8200", "https://localhost:8200", NULL },
    { "https://127.0.0.1:8200", "https://127.0.0.1:8200", NULL },
    { "https://[FD00:0::5]:8200", "https://[fd00::5]:8200", NULL },
    { "https://[fd00::5]", "https://[fd00::5]", NULL },
    { "https://{{ GetPrivateIP }}:8200", "https://10.0.0.5:8200", NULL },
    { "https://{{GetPrivateIP}}", "https://10.0.0.5", NULL },
    { "https://{{ GetInterfaceIP \"br0\" }}:8200", "https://172.17.0.1:8200", NULL },
    { "https://{{ GetInterfaceIP \"eth0\" }}:8200", "https://10.0.0.5:8200", NULL },
    { "https://{{ GetInterfaceIP \"six0\" }}:8200", "https://[fd00::6]:8200", NULL },
    { "https://[{{ GetInterfaceIP \"six0\" }}]:8200", "https://[fd00::6]:8200", NULL },
    { "https://{{ GetInterfaceIP \"lo\" }}:8200", "https://127.0.0.1:8200", NULL },
  };
  static const char *const listeners[] = { "http://127.0.0.1:9", NULL };
  g_autoptr (BawnNetMachine) machine = make_machine ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *result = bawn_advertise_api (cases[i].text, listeners, machine, &error);

      assert_case (&cases[i], result, error);
      bawn_advertise_check (cases[i].text, &error);
      g_assert_no_error (error);
    }
}

/* What is wrong whatever the machine. */
static void
test_what_leads_nowhere_is_refused (void)
{
  static const Case cases[] = {
    { "", NULL, NO_SCHEME },
    { "10.0.0.5:8200", NULL, NO_SCHEME },
    { "vault.example.org", NULL, NO_SCHEME },
    { "//10.0.0.5", NULL, NO_SCHEME },
    { "https:10.0.0.5", NULL, NO_SCHEME },
    { "ftp://10.0.0.5", NULL, NO_SCHEME },
    { "unix:/run/bawn.sock", NULL, NO_SCHEME },
    { "{{ GetPrivateIP }}:8200", NULL, NO_SCHEME },
    { "https://", NULL, NO_HOST },
    { "https:///", NULL, NO_HOST },
    { "https://:8200", NULL, NO_HOST },
    { "https://[]:8200", NULL, NO_HOST },
    { "https://0.0.0.0:8200", NULL, EVERY ("0.0.0.0") },
    { "https://[::]:8200", NULL, EVERY ("::") },
    { "https://[::0:0]:8200", NULL, EVERY ("::0:0") },
    { "https://[::ffff:0.0.0.0]:8200", NULL, EVERY ("::ffff:0.0.0.0") },
    { "https://0:8200", NULL, NEITHER ("0") },
    { "https://0x0:8200", NULL, NEITHER ("0x0") },
    { "https://10.1:8200", NULL, NEITHER ("10.1") },
    { "https://010.0.0.1:8200", NULL, NEITHER ("010.0.0.1") },
    { "https://10.0.0.256:8200", NULL, NEITHER ("10.0.0.256") },
    { "https://10.0.0.1.:8200", NULL, NEITHER ("10.0.0.1.") },
    { "https://a..b:8200", NULL, NEITHER ("a..b") },
    { "https://-a:8200", NULL, NEITHER ("-a") },
    { "https://.:8200", NULL, NEITHER (".") },
    { "https://224.0.0.1:8200", NULL, "224.0.0.1 is not the address of one machine" },
    { "https://255.255.255.255:1", NULL, "255.255.255.255 is not the address of one machine" },
    { "https://[ff02::1]:8200", NULL, "ff02::1 is not the address of one machine" },
    { "https://[fe80::1%eth0]:8200", NULL,
      "fe80::1%eth0 has a zone, which means something on this machine only" },
    { "https://fd00::5:8200", NULL, "an IPv6 address needs brackets around it" },
    { "https://[fd00::5:8200", NULL, NO_HOST_PORT },
    { "https://[fd00::5]8200", NULL, NO_HOST_PORT },
    { "https://[10.0.0.5]:8200", NULL, NO_HOST_PORT },
    { "https://a b:8200", NULL, NO_HOST_PORT },
    { "https://a%20b:8200", NULL, NO_HOST_PORT },
    { "https://a\\b:8200", NULL, NO_HOST_PORT },
    { "https://b\xc3\xa4wn:8200", NULL, NO_HOST_PORT },
    { "https://\xff:8200", NULL, NO_HOST_PORT },
    { "https://10.0.0.5:0", NULL, NO_PORT },
    { "https://10.0.0.5:", NULL, NO_PORT },
    { "https://10.0.0.5:65536", NULL, NO_PORT },
    { "https://10.0.0.5:+1", NULL, NO_PORT },
    { "https://10.0.0.5:https", NULL, NO_PORT },
    { "https://10.0.0.5:8200/v1", NULL, WITHOUT ("a path") },
    { "https://10.0.0.5:8200//", NULL, WITHOUT ("a path") },
    { "https://root@10.0.0.5:8200", NULL, WITHOUT ("a user") },
    { "https://root:pw@10.0.0.5:8200", NULL, WITHOUT ("a user") },
    { "https://10.0.0.5:8200#here", NULL, WITHOUT ("a fragment") },
    { "https://10.0.0.5:8200?a=b", NULL, WITHOUT ("a query") },
    { "https://{{ GetAllInterfaces }}:8200", NULL, UNKNOWN ("GetAllInterfaces") },
    { "https://{{ GetPrivateIP | attr \"address\" }}:8200", NULL,
      UNKNOWN ("GetPrivateIP | attr \"address\"") },
    { "https://{{ GetPrivateIPs }}:8200", NULL, UNKNOWN ("GetPrivateIPs") },
    { "https://{{ }}:8200", NULL, UNKNOWN ("") },
    { "https://{{ GetInterfaceIP }}:8200", NULL, UNKNOWN ("GetInterfaceIP") },
    { "https://{{ GetInterfaceIP \"\" }}:8200", NULL, UNKNOWN ("GetInterfaceIP \"\"") },
    { "https://{{ GetInterfaceIP eth0 }}:8200", NULL, UNKNOWN ("GetInterfaceIP eth0") },
    { "https://{{ GetInterfaceIP \"a\" \"b\" }}:8200", NULL,
      UNKNOWN ("GetInterfaceIP \"a\" \"b\"") },
    { "https://{{ GetInterfaceIP \"a }}:8200", NULL, UNKNOWN ("GetInterfaceIP \"a") },
    { "https://{{ GetInterfaceIP\"a\" }}:8200", NULL, UNKNOWN ("GetInterfaceIP\"a\"") },
    { "https://{{ GetPrivateIP:8200", NULL, "a template begins with {{ and ends with }}" },
    { "https://{{ GetPrivateIP }}:{{ GetPrivateIP }}", NULL,
      "one template is enough for one address" },
  };
  static const char *const listeners[] = { "http://127.0.0.1:9", NULL };
  g_autoptr (BawnNetMachine) machine = make_machine ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) check_error = NULL;
      g_autofree char *result = bawn_advertise_api (cases[i].text, listeners, machine, &error);

      assert_case (&cases[i], result, error);
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      bawn_advertise_check (cases[i].text, &check_error);
      assert_case (&cases[i], NULL, check_error);
    }
}

static void
test_a_name_is_not_longer_than_the_dns_allows (void)
{
  g_autofree char *most = g_strnfill (253, 'a');
  g_autofree char *good = g_strconcat ("https://", most, ":8200", NULL);
  g_autofree char *bad = g_strconcat ("https://a", most, ":8200", NULL);
  g_autoptr (GError) error = NULL;

  bawn_advertise_check (good, &error);
  g_assert_no_error (error);
  g_assert_false (bawn_advertise_check (bad, &error));
  g_assert_cmpstr (error->message, ==, "the host is longer than 253 bytes");
}

static void
test_a_template_without_one_address_is_refused (void)
{
  static const Case cases[] = {
    { "https://{{ GetInterfaceIP \"eth9\" }}:8200", NULL,
      "there is no interface \"eth9\" that is up and has an address" },
    { "https://{{ GetPublicIP }}:8200", NULL,
      "{{ GetPublicIP }}: no interface has a public address" },
    { "https://{{ GetInterfaceIP \"two0\" }}:8200", NULL,
      "the interface \"two0\" has several addresses (10.1.0.1, 10.1.0.2); name one of them" },
  };
  static const char *const listeners[] = { "http://127.0.0.1:9", NULL };
  g_autoptr (BawnNetMachine) machine = make_machine ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *result = bawn_advertise_api (cases[i].text, listeners, machine, &error);

      assert_case (&cases[i], result, error);
      bawn_advertise_check (cases[i].text, &error);
    }
}

typedef struct
{
  const char *listeners[4];
  const char *v4;
  const char *v6;
} DefaultCase;

#define NO_PRIVATE "no interface has a private address, so it must be set"
#define NO_PRIVATE_V4 "no interface has a private IPv4 address, so it must be set"
#define NO_LISTENER "no listener has an address and a port, so it must be set"

static void
assert_default (const DefaultCase *at, const BawnNetMachine *machine, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *result = bawn_advertise_api (NULL, at->listeners, machine, &error);

  g_assert_cmpstr (result != NULL ? result : error->message, ==, expected);
}

static void
test_the_default_follows_the_listeners (void)
{
  static const DefaultCase cases[] = {
    { { "https://0.0.0.0:8200" }, "https://10.0.0.5:8200", NO_PRIVATE_V4 },
    { { "https://[::]:8200" }, "https://10.0.0.5:8200", "https://[fd00::5]:8200" },
    { { "http://0.0.0.0:35123" }, "http://10.0.0.5:35123", NO_PRIVATE_V4 },
    { { "https://192.0.2.7:8200" }, "https://192.0.2.7:8200", "https://192.0.2.7:8200" },
    { { "https://[2001:db8::1]:82" }, "https://[2001:db8::1]:82", "https://[2001:db8::1]:82" },
    { { "http://127.0.0.1:8200" }, "http://127.0.0.1:8200", "http://127.0.0.1:8200" },
    { { "http://127.0.0.1:1", "http://127.0.0.2:2" }, "http://127.0.0.1:1", "http://127.0.0.1:1" },
    { { "http://127.0.0.1:1", "http://[::1]:2", "https://0.0.0.0:3" },
      "https://10.0.0.5:3",
      NO_PRIVATE_V4 },
    { { "unix:/run/bawn.sock", "http://127.0.0.1:1" }, "http://127.0.0.1:1", "http://127.0.0.1:1" },
    { { "unix:/run/bawn.sock" }, NO_LISTENER, NO_LISTENER },
    { { NULL }, NO_LISTENER, NO_LISTENER },
  };
  g_autoptr (BawnNetMachine) v4 = make_machine ();
  g_autoptr (BawnNetMachine) v6 = make_ipv6_machine ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      assert_default (&cases[i], v4, cases[i].v4);
      assert_default (&cases[i], v6, cases[i].v6);
    }
}

static void
test_a_machine_without_private_address_must_be_told (void)
{
  static const char *const listeners[] = { "https://[::]:8200", NULL };
  g_autoptr (BawnNetMachine) machine = bawn_net_machine_new (NULL, NULL);
  g_autoptr (GError) error = NULL;

  bawn_net_machine_add (machine, "lo", "127.0.0.1", TRUE);
  bawn_net_machine_add (machine, "eth0", "8.8.8.8", FALSE);
  g_assert_null (bawn_advertise_api (NULL, listeners, machine, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==, NO_PRIVATE);
}

static void
test_the_cluster_address_follows_the_api_address (void)
{
  static const struct
  {
    const char *text;
    const char *api_addr;
    const char *listener;
    const char *result;
  } cases[] = {
    { NULL, "https://10.0.0.5:8200", NULL, "https://10.0.0.5:8201" },
    { NULL, "http://[fd00::5]:8200", NULL, "https://[fd00::5]:8201" },
    { NULL, "https://vault.example.org", NULL, "https://vault.example.org:444" },
    { NULL, "http://vault.example.org", NULL, "https://vault.example.org:81" },
    { NULL, "https://10.0.0.5:65534", NULL, "https://10.0.0.5:65535" },
    { NULL, "https://10.0.0.5:65535", NULL,
      "no port comes after that of https://10.0.0.5:65535, so it must be set" },
    { NULL, "https://10.0.0.5:8200", "https://0.0.0.0:9000", "https://10.0.0.5:9000" },
    { NULL, "https://10.0.0.5:65535", "https://[::]:9000", "https://10.0.0.5:9000" },
    { NULL, "https://10.0.0.5:8200", "https://10.9.9.9:9000", "https://10.9.9.9:9000" },
    { NULL, "https://10.0.0.5:8200", "https://[fd00::9]:9000", "https://[fd00::9]:9000" },
    { NULL, "https://10.0.0.5:8200", "https://0.0.0.0:8200",
      "https://10.0.0.5:8200 is the address of the API too" },
    { "https://10.0.0.6:1", "https://10.0.0.5:8200", "https://10.9.9.9:9000",
      "https://10.0.0.6:1" },
    { "http://10.0.0.6:1", "https://10.0.0.5:8200", NULL, "https://10.0.0.6:1" },
    { "https://node", "https://10.0.0.5:8200", NULL, "https://node:443" },
    { "https://{{ GetInterfaceIP \"six0\" }}:1", "https://a:1", NULL, "https://[fd00::6]:1" },
    { "https://10.0.0.5:8200", "https://10.0.0.5:8200", NULL,
      "https://10.0.0.5:8200 is the address of the API too" },
    { "https://NODE:443", "https://node", NULL, "https://NODE:443 is the address of the API too" },
    { "10.0.0.6:1", "https://10.0.0.5:8200", NULL, NO_SCHEME },
    { "https://0.0.0.0:1", "https://10.0.0.5:8200", NULL, EVERY ("0.0.0.0") },
  };
  g_autoptr (BawnNetMachine) machine = make_machine ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *result = bawn_advertise_cluster (cases[i].text, cases[i].api_addr,
                                                        cases[i].listener, machine, &error);

      g_assert_cmpstr (result != NULL ? result : error->message, ==, cases[i].result);
    }
}

static void
test_a_cluster_listener_follows_at_the_next_port (void)
{
  static const char *const listeners[] = { "unix:/run/bawn.sock", "http://127.0.0.1:1",
                                           "https://[::]:8200", NULL };

  g_assert_true (bawn_advertise_follows (listeners, "https://[::]:8201"));
  g_assert_true (bawn_advertise_follows (listeners, "https://127.0.0.1:2"));
  g_assert_false (bawn_advertise_follows (listeners, "https://127.0.0.1:8201"));
  g_assert_false (bawn_advertise_follows (listeners, "https://[::]:8200"));
  g_assert_false (bawn_advertise_follows (listeners, NULL));
}

static void
test_the_same_address_is_recognised (void)
{
  g_assert_true (bawn_advertise_same ("https://Node:443", "https://node/"));
  g_assert_true (bawn_advertise_same ("http://10.0.0.5:8200", "https://10.0.0.5:8200"));
  g_assert_true (bawn_advertise_same ("https://[fd00:0::5]:1", "https://[fd00::5]:1"));
  g_assert_false (bawn_advertise_same ("https://10.0.0.5:8200", "https://10.0.0.5:8201"));
  g_assert_false (bawn_advertise_same ("https://10.0.0.5:8200", "https://10.0.0.6:8200"));
  g_assert_false (bawn_advertise_same (NULL, "https://10.0.0.6:8200"));
  g_assert_false (bawn_advertise_same ("", ""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/util/advertise/a-set-address-is-told-as-it-is",
                   test_a_set_address_is_told_as_it_is);
  g_test_add_func ("/util/advertise/what-leads-nowhere-is-refused",
                   test_what_leads_nowhere_is_refused);
  g_test_add_func ("/util/advertise/a-name-is-not-longer-than-the-dns-allows",
                   test_a_name_is_not_longer_than_the_dns_allows);
  g_test_add_func ("/util/advertise/a-template-without-one-address-is-refused",
                   test_a_template_without_one_address_is_refused);
  g_test_add_func ("/util/advertise/the-default-follows-the-listeners",
                   test_the_default_follows_the_listeners);
  g_test_add_func ("/util/advertise/a-machine-without-private-address-must-be-told",
                   test_a_machine_without_private_address_must_be_told);
  g_test_add_func ("/util/advertise/the-cluster-address-follows-the-api-address",
                   test_the_cluster_address_follows_the_api_address);
  g_test_add_func ("/util/advertise/a-cluster-listener-follows-at-the-next-port",
                   test_a_cluster_listener_follows_at_the_next_port);
  g_test_add_func ("/util/advertise/the-same-address-is-recognised",
                   test_the_same_address_is_recognised);

  return g_test_run ();
}
