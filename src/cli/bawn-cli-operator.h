/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-output.h"

G_BEGIN_DECLS

/* The key share among the operands, or what is entered for it; free with bawn_string_wipe_free().
 */
char *bawn_cli_ask_share (BawnCli *cli, BawnCliArgs *args, const char *prompt, GError **error);
/* {"key": @share, "nonce": @nonce}; @nonce may be NULL. */
GBytes *bawn_cli_share_body (const char *share, const char *nonce);

/* OpenPGP keys, for shares that only their owners shall see: each word names a file with a binary
 * or base64 key. A JSON array of base64 texts. */
gboolean bawn_cli_write_pgp_keys (BawnJsonWriter *w, const char *const *files, GError **error);
char *bawn_cli_load_pgp_key (const char *file, GError **error);

/* Whether several of these flags, which exclude each other, were given. @names: NULL-terminated. */
gboolean bawn_cli_at_most_one (BawnCliArgs *args, const char *const *names, GError **error);

G_END_DECLS
