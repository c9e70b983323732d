/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/bawn-cli-render.h"
#include "cli/bawn-cli.h"

G_BEGIN_DECLS

/* A value in the format asked for; as a table, an object has a row for each member. */
void bawn_cli_output_node (BawnCli *cli, const BawnJsonNode *node);
/* What @w has written: finishes it. */
void bawn_cli_output_writer (BawnCli *cli, BawnJsonWriter *w);
void bawn_cli_output_table (BawnCli *cli, BawnCliTable *table);
/* One of the answer's fields as it is. */
gboolean bawn_cli_output_field (BawnCli *cli, const BawnCliReply *reply, const BawnJsonNode *data,
                                const char *field, GError **error);
/* A text as it is: with a line end on a terminal only. */
void bawn_cli_output_raw (BawnCli *cli, const char *text, gsize size);

/* An answer: all of it, or as a table what matters of it. NULL prints nothing. */
void bawn_cli_output_reply (BawnCli *cli, const BawnCliReply *reply);
/* The same, or what -field says. */
gboolean bawn_cli_output_secret (BawnCli *cli, BawnCliArgs *args, const BawnCliReply *reply,
                                 GError **error);
/* "keys" of an answer; without any, that is said as an error. */
gboolean bawn_cli_output_keys (BawnCli *cli, const BawnCliReply *reply, const char *path,
                               GError **error);
void bawn_cli_output_warnings (const BawnCliReply *reply);
gboolean bawn_cli_reply_is_wrapped (const BawnCliReply *reply);

G_END_DECLS
