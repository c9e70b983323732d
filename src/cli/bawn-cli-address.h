/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GUri *bawn_cli_address_parse (const char *address, GError **error);
GSocketConnectable *bawn_cli_address_connectable (GUri *uri, const char *tls_server_name);
char *bawn_cli_address_base (GUri *uri, const char *address);

G_END_DECLS
