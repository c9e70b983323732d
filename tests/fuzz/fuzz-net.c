/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks, addresses with ports, what is advertised, and paths: what is accepted stays the same
 * when done again. */
#include "config.h"

#include "util/bawn-advertise.h"
#include "util/bawn-net-private.h"
#include "util/bawn-path.h"

#include "fuzz.h"

static void
check_network (const char *text)
{
  g_autofree char *normal = bawn_cidr_normalize (text, NULL);

  bawn_cidr_match (text, "10.1.2.3");
  bawn_cidr_match ("::/0", text);
  if (normal == NULL)
    return;

  g_autofree char *again = bawn_cidr_normalize (normal, NULL);

  g_assert_cmpstr (again, ==, normal);
}

static void
check_host_port (const char *text)
{
  g_autofree char *host = NULL;
  g_autofree char *host_again = NULL;
  guint16 port = 0;
  guint16 port_again = 0;

  if (!bawn_net_parse_host_port (text, 8200, &host, &port, NULL))
    return;

  g_autofree char *written = bawn_net_format_host_port (host, port);

  g_assert_true (bawn_net_parse_host_port (written, 0, &host_again, &port_again, NULL));
  g_assert_cmpstr (host_again, ==, host);
  g_assert_cmpuint (port_again, ==, port);
}

static void
check_advertised (const char *text)
{
  static const char *const listeners[] = { NULL };
  g_autoptr (BawnNetMachine) machine = bawn_net_machine_new (NULL, NULL);

  bawn_net_machine_add (machine, "eth0", "10.0.0.5", FALSE);

  g_autofree char *told = bawn_advertise_api (text, listeners, machine, NULL);
  g_autofree char *cluster = bawn_advertise_cluster (text, "https://10.0.0.9", text, machine, NULL);

  if (cluster != NULL)
    g_assert_true (bawn_advertise_check (cluster, NULL));
  if (told == NULL)
    return;

  g_autofree char *again = bawn_advertise_api (told, listeners, machine, NULL);

  g_assert_cmpstr (again, ==, told);
  g_assert_true (bawn_advertise_check (text, NULL));
  g_assert_true (bawn_advertise_same (told, again));
}

static void
check_path (const char *text)
{
  g_autofree char *clean = bawn_path_clean (text);
  g_autofree char *again = bawn_path_clean (clean);

  g_assert_true (bawn_path_is_clean (clean));
  g_assert_cmpstr (again, ==, clean);
  if (bawn_path_is_clean (text))
    g_assert_cmpstr (clean, ==, text);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *interface = bawn_net_find_default_interface (text);
  g_autofree char *interface_v6 = bawn_net_find_default_interface_v6 (text);

  if (bawn_path_is_printable ((const char *) data, size))
    g_assert_true (g_utf8_validate (text, -1, NULL));
  check_network (text);
  check_host_port (text);
  check_advertised (text);
  check_path (text);

  return 0;
}
