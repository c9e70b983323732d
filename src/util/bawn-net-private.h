/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-net.h"

G_BEGIN_DECLS

/**
 * BawnNetAddress:
 * @interface: whose it is
 * @address: without length and zone
 * @loopback: the interface leads nowhere else
 *
 * An address of an interface that is up.
 */
typedef struct
{
  const char *interface;
  const char *address;
  gboolean loopback;
} BawnNetAddress;

struct _BawnNetMachine
{
  /* (element-type BawnNetAddress), in the kernel's order */
  GPtrArray *addresses;
  /* of the default routes; NULL: there is none */
  char *interface_v4;
  char *interface_v6;
};

BawnNetMachine *bawn_net_machine_new (const char *interface_v4, const char *interface_v6);
void bawn_net_machine_add (BawnNetMachine *machine,
                           const char *interface,
                           const char *address,
                           gboolean loopback);

char *bawn_net_find_default_interface (const char *routes);
char *bawn_net_find_default_interface_v6 (const char *routes);

G_END_DECLS
