/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/bawn-cli.h"

G_BEGIN_DECLS

/* All commands, or those of one family. */
char *bawn_cli_help_overview (const char *family);
char *bawn_cli_help_command (const BawnCliCommand *command);

/* The flag tables of a command, its own first; NULL-terminated, at most BAWN_CLI_MAX_TABLES. */
#define BAWN_CLI_MAX_TABLES 7
void bawn_cli_command_tables (const BawnCliCommand *command,
                              const BawnCliFlag *tables[BAWN_CLI_MAX_TABLES]);

/* What may stand where the last of @words is being typed, one a line: for shells. */
char *bawn_cli_complete (const char *const *words, gboolean described);

G_END_DECLS
