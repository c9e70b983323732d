/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-net.h"

G_BEGIN_DECLS

/* An address of the machine. */
typedef struct
{
  const char *interface;
  const char *address;
  /* the interface is up and no loopback */
  gboolean usable;
} BawnNetAddress;

char *bawn_net_choose_private (const BawnNetAddress *addresses,
                               gsize n_addresses,
                               const char *preferred_interface);
char *bawn_net_find_default_interface (const char *routes);

G_END_DECLS
