/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Whom to trust: the authorities in a file, or in the files of a folder; both nullable. Neither is
 * TRUE with NULL: the system's. */
gboolean bawn_cli_tls_load_authorities (const char *file, const char *folder,
                                        GTlsDatabase **out_database, char **out_scratch,
                                        GError **error);
/* Who we are. Absent is TRUE with NULL. */
gboolean bawn_cli_tls_load_identity (const char *cert_file, const char *key_file,
                                     GTlsCertificate **out_certificate, GError **error);

G_END_DECLS
