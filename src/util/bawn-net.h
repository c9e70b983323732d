/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Networks as clients write them: "10.0.0.0/8", "fd00::/8", or an address, which means only itself.
 * Bits of the host in a network do not matter. */
char *bawn_cidr_normalize (const char *text, GError **error);
gboolean bawn_cidr_match (const char *cidr, const char *address);
gboolean bawn_cidrs_match (const char *const *cidrs, const char *address);

/* "host:8200", "10.0.0.1:8200", "[::1]:8200", ":8200" for any address. */
gboolean bawn_net_parse_host_port (
    const char *text, guint16 default_port, char **out_host, guint16 *out_port, GError **error);
char *bawn_net_format_host_port (const char *host, guint16 port);

/**
 * BawnNetMachine:
 *
 * The addresses of this machine's interfaces that are up, as they were at one moment.
 */
typedef struct _BawnNetMachine BawnNetMachine;

/**
 * BawnNetFamilies:
 * @BAWN_NET_V4: IPv4
 * @BAWN_NET_ANY: IPv4, and where there is none, IPv6
 */
typedef enum
{
  BAWN_NET_V4,
  BAWN_NET_ANY,
} BawnNetFamilies;

BawnNetMachine *bawn_net_machine_read (void);
void bawn_net_machine_free (BawnNetMachine *machine);
char *bawn_net_machine_find_private (const BawnNetMachine *machine, BawnNetFamilies families);
char *bawn_net_machine_find_public (const BawnNetMachine *machine);
char *bawn_net_machine_find_of_interface (const BawnNetMachine *machine,
                                          const char *interface,
                                          GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnNetMachine, bawn_net_machine_free)

G_END_DECLS
