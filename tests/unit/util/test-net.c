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
test_the_default_route_of_ipv6_is_found (void)
{
  static const char routes[] =
      "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 "
      "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth7\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
      "fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth1\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
      "fd000000000000000000000000000001 000000ff 00000002 00000000 00000003     eth0\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
      "00000000000000000000000000000000 00000001 00000001 00000000 00200201       lo\n";
  g_autofree char *found = bawn_net_find_default_interface_v6 (routes);
  g_autofree char *none = bawn_net_find_default_interface_v6 ("0 0 0\n");

  g_assert_cmpstr (found, ==, "eth0");
  g_assert_null (none);
}

/* @n addresses of a machine with many, whose default routes go by these interfaces. */
static BawnNetMachine *
make_machine (guint n, const char *interface_v4, const char *interface_v6)
{
  static const BawnNetAddress all[] = {
    { "lo", "127.0.0.1", TRUE },  { "lo", "10.9.9.9", TRUE },     { "eth0", "100.64.0.1", FALSE },
    { "ula0", "fd00::1", FALSE }, { "br0", "172.17.0.1", FALSE }, { "eth0", "192.168.1.2", FALSE },
    { "ula1", "fdff::1", FALSE }, { "ula1", "2a00::1", FALSE },   { "pub0", "8.8.8.8", FALSE },
    { "ula1", "fe80::1", FALSE },
  };
  BawnNetMachine *machine = bawn_net_machine_new (interface_v4, interface_v6);

  for (guint i = 0; i < MIN (n, G_N_ELEMENTS (all)); i++)
    bawn_net_machine_add (machine, all[i].interface, all[i].address, all[i].loopback);

  return machine;
}

static void
test_private_addresses_are_preferred_in_order (void)
{
  static const struct
  {
    guint n;
    const char *interface_v4;
    const char *interface_v6;
    BawnNetFamilies families;
    const char *found;
  } cases[] = {
    { 10, "eth0", NULL, BAWN_NET_ANY, "192.168.1.2" },
    { 10, NULL, NULL, BAWN_NET_ANY, "172.17.0.1" },
    { 10, "ula1", "ula1", BAWN_NET_ANY, "172.17.0.1" },
    { 10, "pub0", "ula1", BAWN_NET_ANY, "172.17.0.1" },
    { 4, "ula0", "ula0", BAWN_NET_ANY, "fd00::1" },
    { 4, "ula0", "ula0", BAWN_NET_V4, NULL },
    { 3, "eth0", NULL, BAWN_NET_ANY, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (BawnNetMachine) machine =
          make_machine (cases[i].n, cases[i].interface_v4, cases[i].interface_v6);
      g_autofree char *found = bawn_net_machine_find_private (machine, cases[i].families);

      g_assert_cmpstr (found, ==, cases[i].found);
    }
}

static void
test_public_addresses_are_those_of_the_internet (void)
{
  g_autoptr (BawnNetMachine) all = make_machine (10, NULL, NULL);
  g_autoptr (BawnNetMachine) no_v4 = make_machine (8, NULL, NULL);
  g_autoptr (BawnNetMachine) none = make_machine (7, NULL, NULL);
  g_autofree char *v4 = bawn_net_machine_find_public (all);
  g_autofree char *v6 = bawn_net_machine_find_public (no_v4);
  g_autofree char *nothing = bawn_net_machine_find_public (none);

  g_assert_cmpstr (v4, ==, "8.8.8.8");
  g_assert_cmpstr (v6, ==, "2a00::1");
  g_assert_null (nothing);
}

static void
test_an_interface_has_one_address_or_an_error (void)
{
  static const struct
  {
    const char *interface;
    const char *found;
    const char *error;
  } cases[] = {
    { "br0", "172.17.0.1", NULL },
    { "ula0", "fd00::1", NULL },
    { "eth9", NULL, "there is no interface \"eth9\" that is up and has an address" },
    { "eth0", NULL,
      "the interface \"eth0\" has several addresses (100.64.0.1, 192.168.1.2); name one of them" },
    { "ula1", NULL,
      "the interface \"ula1\" has several addresses (fdff::1, 2a00::1); name one of them" },
    { "link0", NULL, "the interface \"link0\" has no address that others can use" },
  };
  g_autoptr (BawnNetMachine) machine = make_machine (10, NULL, NULL);

  bawn_net_machine_add (machine, "link0", "fe80::2", FALSE);
  bawn_net_machine_add (machine, "link0", "169.254.3.4", FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *found =
          bawn_net_machine_find_of_interface (machine, cases[i].interface, &error);

      g_assert_cmpstr (found, ==, cases[i].found);
      g_assert_cmpstr (error != NULL ? error->message : NULL, ==, cases[i].error);
    }
}

static void
test_this_machine_has_a_private_address_or_none (void)
{
  static const char *const private[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                         "fc00::/7", NULL };
  g_autoptr (BawnNetMachine) machine = bawn_net_machine_read ();
  g_autofree char *address = bawn_net_machine_find_private (machine, BAWN_NET_ANY);

  g_assert_true (address == NULL || bawn_cidrs_match (private, address));
}

static void
test_this_machine_has_loopback (void)
{
  g_autoptr (BawnNetMachine) machine = bawn_net_machine_read ();
  gboolean found = FALSE;

  for (guint i = 0; i < machine->addresses->len; i++)
    {
      const BawnNetAddress *address = machine->addresses->pdata[i];

      found = found || (address->loopback && g_str_equal (address->address, "127.0.0.1"));
    }
  g_assert_true (found);
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
  g_test_add_func ("/util/net/the-default-route-of-ipv6-is-found",
                   test_the_default_route_of_ipv6_is_found);
  g_test_add_func ("/util/net/private-addresses-are-preferred-in-order",
                   test_private_addresses_are_preferred_in_order);
  g_test_add_func ("/util/net/public-addresses-are-those-of-the-internet",
                   test_public_addresses_are_those_of_the_internet);
  g_test_add_func ("/util/net/an-interface-has-one-address-or-an-error",
                   test_an_interface_has_one_address_or_an_error);
  g_test_add_func ("/util/net/this-machine-has-a-private-address-or-none",
                   test_this_machine_has_a_private_address_or_none);
  g_test_add_func ("/util/net/this-machine-has-loopback", test_this_machine_has_loopback);

  return g_test_run ();
}
