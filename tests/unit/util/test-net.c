/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-error.h"
#include "util/bawn-net-private.h"

#include <string.h>

static void
test_networks_contain_their_addresses (void)
{
  static const struct
  {
    const char *cidr;
    const char *address;
    gboolean inside;
  } cases[] = {
    { "10.0.0.0/8", "10.255.255.255", TRUE },
    { "10.0.0.0/8", "11.0.0.0", FALSE },
    { "10.1.2.3/8", "10.200.0.1", TRUE },
    { "172.16.0.0/12", "172.31.255.255", TRUE },
    { "172.16.0.0/12", "172.32.0.0", FALSE },
    { "127.0.0.1", "127.0.0.1", TRUE },
    { "127.0.0.1", "127.0.0.2", FALSE },
    { "127.0.0.1/32", "127.0.0.1", TRUE },
    { "0.0.0.0/0", "8.8.8.8", TRUE },
    { "0.0.0.0/0", "::1", FALSE },
    { "::/0", "8.8.8.8", FALSE },
    { "::/0", "fe80::1%eth0", TRUE },
    { "fe80::/10", "fe80::1%eth0", TRUE },
    { "2001:db8::/33", "2001:db8:7fff::", TRUE },
    { "2001:db8::/33", "2001:db8:8000::", FALSE },
    { "::1", "::1", TRUE },
    { "10.0.0.0/8", "::ffff:10.1.2.3", TRUE },
    { "::ffff:10.0.0.0/104", "10.1.2.3", TRUE },
    { "::ffff:10.0.0.0/104", "11.1.2.3", FALSE },
    { "10.0.0.0/33", "10.0.0.0", FALSE },
    { "10.0.0.0/", "10.0.0.0", FALSE },
    { "10.0.0.0/-1", "10.0.0.0", FALSE },
    { "10.0.0.0/8x", "10.0.0.0", FALSE },
    { "10.0.0/8", "10.0.0.0", FALSE },
    { "", "10.0.0.0", FALSE },
    { "10.0.0.0/8", "", FALSE },
    { "10.0.0.0/8", "host", FALSE },
    { "10.0.0.0/8", "10.0.0.1:80", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    if (bawn_cidr_match (cases[i].cidr, cases[i].address) != cases[i].inside)
      g_error ("%s in %s: wrong answer", cases[i].address, cases[i].cidr);
}

static void
test_one_of_several_networks_suffices (void)
{
  static const char *const cidrs[] = { "nonsense", "192.168.0.0/16", "::1/128", NULL };
  static const char *const none[] = { NULL };

  g_assert_true (bawn_cidrs_match (cidrs, "192.168.7.7"));
  g_assert_true (bawn_cidrs_match (cidrs, "::1"));
  g_assert_false (bawn_cidrs_match (cidrs, "10.0.0.1"));
  g_assert_false (bawn_cidrs_match (none, "10.0.0.1"));
}

static void
test_networks_have_one_form (void)
{
  static const struct
  {
    const char *text;
    const char *normal;
  } cases[] = {
    { "10.0.0.0/8", "10.0.0.0/8" },
    { "10.1.2.3/8", "10.1.2.3/8" },
    { "127.0.0.1/32", "127.0.0.1" },
    { "127.0.0.1", "127.0.0.1" },
    { "FD00:0::/8", "fd00::/8" },
    { "::1/128", "::1" },
    { "x", NULL },
    { "10.0.0.1/99", NULL },
    { "fe80::1%eth0", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *normal = bawn_cidr_normalize (cases[i].text, &error);

      g_assert_cmpstr (normal, ==, cases[i].normal);
      if (normal == NULL)
        g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
    }
}

static void
test_hosts_and_ports_are_read (void)
{
  static const struct
  {
    const char *text;
    guint16 fallback;
    const char *host;
    guint16 port;
    const char *again;
  } cases[] = {
    { "0.0.0.0:8200", 0, "0.0.0.0", 8200, "0.0.0.0:8200" },
    { "vault.example.org:1", 0, "vault.example.org", 1, "vault.example.org:1" },
    { "[::1]:65535", 0, "::1", 65535, "[::1]:65535" },
    { "[fe80::1%eth0]:1", 0, "fe80::1%eth0", 1, "[fe80::1%eth0]:1" },
    { ":8200", 0, "", 8200, ":8200" },
    { "host", 8200, "host", 8200, "host:8200" },
    { "[::1]", 8200, "::1", 8200, "[::1]:8200" },
    { "::1", 8200, "::1", 8200, "[::1]:8200" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *host = NULL;
      guint16 port = 0;

      bawn_net_parse_host_port (cases[i].text, cases[i].fallback, &host, &port, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (host, ==, cases[i].host);
      g_assert_cmpuint (port, ==, cases[i].port);

      g_autofree char *again = bawn_net_format_host_port (host, port);

      g_assert_cmpstr (again, ==, cases[i].again);
    }
}

static void
test_what_is_no_host_and_port_is_refused (void)
{
  static const char *const cases[] = {
    "",        "host",       "host:",     "host:0",   "host:65536",  "host:x", "host:1:2",
    "[::1",    "[::1]x",     "[::1]8200", "[host]:1", "[1.2.3.4]:1", "a b:1",  "host:+1",
    "host: 1", "http://a:1", "[]:1",      "[::1%]:1", "[::1%a:b]:1", "::g",    "::1"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *host = NULL;
      guint16 port = 42;

      if (bawn_net_parse_host_port (cases[i], 0, &host, &port, &error))
        g_error ("accepted: %s", cases[i]);
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      g_assert_null (host);
      g_assert_cmpuint (port, ==, 42);
    }
}

static void
test_the_default_route_is_found (void)
{
  static const char routes[] =
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
      "down0\t00000000\t0100A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"
      "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
      "eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
  g_autofree char *found = bawn_net_find_default_interface (routes);
  g_autofree char *none = bawn_net_find_default_interface ("Iface\tDestination\n\n");

  g_assert_cmpstr (found, ==, "eth0");
  g_assert_null (none);
}

static void
test_private_addresses_are_preferred_in_order (void)
{
  static const BawnNetAddress all[] = {
    { "lo", "127.0.0.1", FALSE }, { "down0", "10.9.9.9", FALSE }, { "eth0", "8.8.8.8", TRUE },
    { "ula0", "fd00::1", TRUE },  { "br0", "172.17.0.1", TRUE },  { "eth0", "192.168.1.2", TRUE },
    { "ula1", "fdff::1", TRUE },
  };
  g_autofree char *by_route = bawn_net_choose_private (all, G_N_ELEMENTS (all), "eth0");
  g_autofree char *by_order = bawn_net_choose_private (all, G_N_ELEMENTS (all), NULL);
  g_autofree char *v4_first = bawn_net_choose_private (all, G_N_ELEMENTS (all), "ula1");
  g_autofree char *v6 = bawn_net_choose_private (all, 4, "ula0");
  g_autofree char *none = bawn_net_choose_private (all, 3, "eth0");

  g_assert_cmpstr (by_route, ==, "192.168.1.2");
  g_assert_cmpstr (by_order, ==, "172.17.0.1");
  g_assert_cmpstr (v4_first, ==, "172.17.0.1");
  g_assert_cmpstr (v6, ==, "fd00::1");
  g_assert_null (none);
}

static void
test_this_machine_has_a_private_address_or_none (void)
{
  static const char *const private[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                         "fc00::/7", NULL };
  g_autofree char *address = bawn_net_find_private_address ();

  g_assert_true (address == NULL || bawn_cidrs_match (private, address));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/util/net/networks-contain-their-addresses",
                   test_networks_contain_their_addresses);
  g_test_add_func ("/util/net/one-of-several-networks-suffices",
                   test_one_of_several_networks_suffices);
  g_test_add_func ("/util/net/networks-have-one-form", test_networks_have_one_form);
  g_test_add_func ("/util/net/hosts-and-ports-are-read", test_hosts_and_ports_are_read);
  g_test_add_func ("/util/net/what-is-no-host-and-port-is-refused",
                   test_what_is_no_host_and_port_is_refused);
  g_test_add_func ("/util/net/the-default-route-is-found", test_the_default_route_is_found);
  g_test_add_func ("/util/net/private-addresses-are-preferred-in-order",
                   test_private_addresses_are_preferred_in_order);
  g_test_add_func ("/util/net/this-machine-has-a-private-address-or-none",
                   test_this_machine_has_a_private_address_or_none);

  return g_test_run ();
}
