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

char *bawn_net_find_private_address (void);

G_END_DECLS
