/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-net.h"

G_BEGIN_DECLS

/* What a node tells others about where it is: URLs of scheme, host and port, such as
 * "https://10.0.0.5:8200". In place of the host there may be {{ GetPrivateIP }}, {{ GetPublicIP }}
 * or {{ GetInterfaceIP "NAME" }}. */
gboolean bawn_advertise_check (const char *text, GError **error);
char *bawn_advertise_api (const char *text,
                          const char *const *listeners,
                          const BawnNetMachine *machine,
                          GError **error);
gboolean bawn_advertise_follows (const char *const *listeners, const char *cluster_listener);
char *bawn_advertise_cluster (const char *text,
                              const char *api_addr,
                              const char *cluster_listener,
                              const BawnNetMachine *machine,
                              GError **error);
gboolean bawn_advertise_same (const char *one, const char *other);

G_END_DECLS
