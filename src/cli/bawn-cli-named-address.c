/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-named-address.h"

/* TLS takes the name that it asks for and checks from the network address that was connected to. So
 * this is one, with the name wanted, and leads elsewhere. */
#define BAWN_TYPE_CLI_NAMED_ADDRESS (bawn_cli_named_address_get_type ())
G_DECLARE_FINAL_TYPE (
    BawnCliNamedAddress, bawn_cli_named_address, BAWN, CLI_NAMED_ADDRESS, GNetworkAddress)

struct _BawnCliNamedAddress
{
  GNetworkAddress parent;
  GSocketConnectable *target;
};

static void bawn_cli_named_address_iface_init (GSocketConnectableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (BawnCliNamedAddress,
                               bawn_cli_named_address,
                               G_TYPE_NETWORK_ADDRESS,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SOCKET_CONNECTABLE,
                                                      bawn_cli_named_address_iface_init))

static GSocketAddressEnumerator *
bawn_cli_named_address_enumerate (GSocketConnectable *connectable)
{
  return g_socket_connectable_enumerate (BAWN_CLI_NAMED_ADDRESS (connectable)->target);
}

static GSocketAddressEnumerator *
bawn_cli_named_address_proxy_enumerate (GSocketConnectable *connectable)
{
  return g_socket_connectable_proxy_enumerate (BAWN_CLI_NAMED_ADDRESS (connectable)->target);
}

static char *
bawn_cli_named_address_to_string (GSocketConnectable *connectable)
{
  return g_socket_connectable_to_string (BAWN_CLI_NAMED_ADDRESS (connectable)->target);
}

static void
bawn_cli_named_address_finalize (GObject *object)
{
  g_clear_object (&BAWN_CLI_NAMED_ADDRESS (object)->target);
  G_OBJECT_CLASS (bawn_cli_named_address_parent_class)->finalize (object);
}

static void
bawn_cli_named_address_class_init (BawnCliNamedAddressClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = bawn_cli_named_address_finalize;
}

static void
bawn_cli_named_address_init (BawnCliNamedAddress *self)
{
}

static void
bawn_cli_named_address_iface_init (GSocketConnectableIface *iface)
{
  iface->enumerate = bawn_cli_named_address_enumerate;
  iface->proxy_enumerate = bawn_cli_named_address_proxy_enumerate;
  iface->to_string = bawn_cli_named_address_to_string;
}

/**
 * bawn_cli_named_address_new:
 * @name: what the other side is to prove that it is
 * @host: where it is
 * @port: where it listens
 *
 * Returns: (transfer full): an address to connect to
 */
GSocketConnectable *
bawn_cli_named_address_new (const char *name, const char *host, guint16 port)
{
  BawnCliNamedAddress *self =
      g_object_new (BAWN_TYPE_CLI_NAMED_ADDRESS, "hostname", name, "port", (guint) port, NULL);

  self->target = g_network_address_new (host, port);
  return G_SOCKET_CONNECTABLE (self);
}
