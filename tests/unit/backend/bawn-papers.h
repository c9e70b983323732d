/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Makes ca.pem, and for each of server, client and stranger NAME.pem and NAME.key in @directory.
 * The first two are signed by ca.pem, the server's is for the name "storage.test" and 127.0.0.1 and
 * fit for a client too; no client has a common name. */
void bawn_papers_write (const char *directory);
void bawn_papers_remove (const char *directory);

G_END_DECLS
