/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Leads to @host and @port, but is to be called @name: that is what TLS asks for and checks. */
GSocketConnectable *bawn_cli_named_address_new (const char *name, const char *host, guint16 port);

G_END_DECLS
