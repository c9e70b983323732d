/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  BAWN_CLI_FLAG_BOOL,     /* -force, -force=false */
  BAWN_CLI_FLAG_STRING,   /* the last one counts */
  BAWN_CLI_FLAG_INT,      /* a whole number */
  BAWN_CLI_FLAG_DURATION, /* 30, 30s, 5m, 1h30m, 2d, system, -1 */
  BAWN_CLI_FLAG_LIST,     /* may be repeated */
  BAWN_CLI_FLAG_MAP,      /* key=value, may be repeated */
} BawnCliFlagKind;

/**
 * BawnCliFlag:
 * @name: without the dash; %NULL ends a table
 * @kind: what it takes
 * @metavar: (nullable): what stands for the value in the help
 * @help: (nullable): marked for translation; %NULL hides the flag from help and completion
 * @choices: (nullable): the values it may have, separated by blanks
 *
 * One flag a command knows.
 */
typedef struct
{
  const char *name;
  BawnCliFlagKind kind;
  const char *metavar;
  const char *help;
  const char *choices;
} BawnCliFlag;

/**
 * BawnCliArgs:
 *
 * A command line taken apart: flags with their values, and operands. Its memory is wiped when it
 * goes, as people do put secrets there.
 */
typedef struct _BawnCliArgs BawnCliArgs;

/* @tables: NULL-terminated list of flag tables, the first that knows a name wins. */
BawnCliArgs *bawn_cli_args_parse (const char *const *words, const BawnCliFlag *const *tables,
                                  GError **error);
void bawn_cli_args_free (BawnCliArgs *args);
const BawnCliFlag *bawn_cli_flag_lookup (const BawnCliFlag *const *tables, const char *name);

/* Reading a flag that is in no table is a programming error. */
gboolean bawn_cli_args_has (BawnCliArgs *args, const char *name);
gboolean bawn_cli_args_bool (BawnCliArgs *args, const char *name, gboolean fallback);
const char *bawn_cli_args_string (BawnCliArgs *args, const char *name, const char *fallback);
gint64 bawn_cli_args_int (BawnCliArgs *args, const char *name, gint64 fallback);
/* The values in the order given, NULL-terminated; never NULL. */
const char *const *bawn_cli_args_list (BawnCliArgs *args, const char *name);
/* As the API wants it: a duration such as "1h30m0s", or "system". NULL when the flag was not given.
 */
char *bawn_cli_args_dup_duration (BawnCliArgs *args, const char *name);
/* Like the list, but values with commas inside count as several. */
GStrv bawn_cli_args_dup_split (BawnCliArgs *args, const char *name);

guint bawn_cli_args_n_operands (BawnCliArgs *args);
/* NULL when there are fewer. */
const char *bawn_cli_args_operand (BawnCliArgs *args, guint index);
/* The operands from @from on, NULL-terminated. */
const char *const *bawn_cli_args_operands (BawnCliArgs *args, guint from);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnCliArgs, bawn_cli_args_free)

gboolean bawn_cli_bool_parse (const char *text, gboolean *out_value);

G_END_DECLS
