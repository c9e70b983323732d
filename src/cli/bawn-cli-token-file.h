/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where `login` leaves the token for later commands, and where Vault's command line does. */
#define BAWN_CLI_TOKEN_FILE ".bawn-token"
#define BAWN_CLI_TOKEN_FILE_FALLBACK ".vault-token"

/* @home: the folder of both files. Absent is TRUE with NULL. */
gboolean bawn_cli_token_file_load (const char *home, char **out_token, GError **error);
gboolean bawn_cli_token_file_store (const char *home, const char *token, GError **error);
gboolean bawn_cli_token_file_erase (const char *home, GError **error);

G_END_DECLS
