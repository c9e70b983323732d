/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/bawn-cli.h"

G_BEGIN_DECLS

/* One request each. @path may have slashes around it and is below /v1/. What the server refuses is
 * an error. */

/* Nothing there is TRUE with NULL. */
gboolean bawn_cli_api_read (BawnCli *cli, const char *path, const char *query,
                            BawnCliReply **out_reply, GError **error);
gboolean bawn_cli_api_list (BawnCli *cli, const char *path, BawnCliReply **out_reply,
                            GError **error);
/* @body may be NULL. */
gboolean bawn_cli_api_write (BawnCli *cli, const char *path, GBytes *body, BawnCliReply **out_reply,
                             GError **error);
gboolean bawn_cli_api_patch (BawnCli *cli, const char *path, GBytes *body, BawnCliReply **out_reply,
                             GError **error);
gboolean bawn_cli_api_delete (BawnCli *cli, const char *path, const char *query,
                              BawnCliReply **out_reply, GError **error);

/* Whatever the answer is. @asked: whether -wrap-ttl and -output-curl-string apply. */
gboolean bawn_cli_api_call (BawnCli *cli, const char *method, const char *path, const char *query,
                            GBytes *body, gboolean asked, BawnCliReply **out_reply, GError **error);

/* Without slashes at its ends, nor blanks. */
char *bawn_cli_api_clean_path (const char *path);
/* @a and @b with one slash between. */
char *bawn_cli_api_join (const char *a, const char *b);

G_END_DECLS
