/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/bawn-cli-client.h"
#include "cli/bawn-cli-error.h"
#include "cli/bawn-cli-flags.h"
#include "cli/bawn-cli-settings.h"

G_BEGIN_DECLS

/**
 * BawnCli:
 *
 * What a command needs from its surroundings: settings, the server, the token, where to print. Main
 * thread only.
 */
typedef struct _BawnCli BawnCli;

/**
 * BawnCliScope:
 * @BAWN_CLI_REMOTE: speaks to the server, and knows the flags that say how
 * @BAWN_CLI_FORMATTED: knows -format
 * @BAWN_CLI_FIELDED: knows -field
 *
 * Which of the shared flags a command has.
 */
typedef enum
{
  BAWN_CLI_REMOTE = 1 << 0,
  BAWN_CLI_FORMATTED = 1 << 1,
  BAWN_CLI_FIELDED = 1 << 2,
} BawnCliScope;

/* Operands without an upper bound. */
#define BAWN_CLI_ANY G_MAXUINT

/**
 * BawnCliCommand:
 * @name: the words that call it
 * @operands: (nullable): how its operands look in the help
 * @summary: one line, marked for translation
 * @help: (nullable): paragraphs, separated by empty lines, marked for translation
 * @examples: (nullable): command lines
 * @flags: (nullable): its own flags
 * @more_flags: (nullable): those that it has in common with its family
 * @scope: which shared ones
 * @min_operands: fewer are a mistake
 * @max_operands: more are a mistake
 * @run: (nullable): what it does; %NULL for the head of a family. FALSE with the error set, or TRUE
 *
 * A row of the command table (bawn-cli-commands.def).
 */
typedef struct
{
  const char *name;
  const char *operands;
  const char *summary;
  const char *help;
  const char *examples;
  const BawnCliFlag *flags;
  const BawnCliFlag *more_flags;
  guint scope;
  guint min_operands;
  guint max_operands;
  gboolean (*run) (BawnCli *cli, BawnCliArgs *args, GError **error);
} BawnCliCommand;

/* NULL-terminated, in the order in which the help shows them. */
extern const BawnCliCommand *const bawn_cli_commands[];
const BawnCliCommand *bawn_cli_command_lookup (const char *name);

/* Takes @settings. The file descriptors stay the caller's. */
BawnCli *bawn_cli_new (BawnCliSettings *settings, const char *home, int input_fd, int output_fd);
void bawn_cli_free (BawnCli *cli);
const BawnCliSettings *bawn_cli_settings (BawnCli *cli);
const char *bawn_cli_home (BawnCli *cli);
int bawn_cli_input (BawnCli *cli);
/* Whether a person may be asked, if the standard input is a terminal. */
gboolean bawn_cli_may_ask (BawnCli *cli);
/* The status of a command that succeeds and yet has something to tell: see `status`. */
void bawn_cli_set_exit_status (BawnCli *cli, int status);
int bawn_cli_exit_status (BawnCli *cli);

/* The token of the environment or of the token file; NULL when there is none. */
const char *bawn_cli_token (BawnCli *cli);
/* From now on this one. NULL: none at all. */
void bawn_cli_set_token (BawnCli *cli, const char *token);
gboolean bawn_cli_client (BawnCli *cli, BawnCliClient **out_client, GError **error);

/* A result. */
void bawn_cli_put (BawnCli *cli, gconstpointer data, gsize size);
/* What happened, for people: not on the standard output when that is to be read by a program. */
void bawn_cli_say (BawnCli *cli, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* On the standard error. */
void bawn_cli_warn (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* FALSE with the error set if something could not be printed. */
gboolean bawn_cli_flush (BawnCli *cli, GError **error);
gboolean bawn_cli_output_is_terminal (BawnCli *cli);
/* A line that is not shown while it is typed; free with bawn_string_wipe_free(). */
char *bawn_cli_ask (BawnCli *cli, const char *prompt, GError **error);

/* The whole program, from the words behind its name to its exit status. */
int bawn_cli_run (const char *const *words, const char *const *environment, int input_fd,
                  int output_fd);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnCli, bawn_cli_free)

G_END_DECLS
