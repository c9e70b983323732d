/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-output.h"

G_BEGIN_DECLS

/**
 * BawnCliKvPlace:
 * @mount: path of the engine, no slash at its end
 * @path: below the mount
 * @versioned: whether the engine is of version 2
 *
 * Where a key/value secret is.
 */
typedef struct
{
  char *mount;
  char *path;
  gboolean versioned;
} BawnCliKvPlace;

/* The -mount flag, which every command of the family has. */
extern const BawnCliFlag bawn_cli_flags_kv[];

/* Asks the server which engine the first operand belongs to, and of which version it is. @args must
 * know -mount. */
BawnCliKvPlace *bawn_cli_kv_locate (BawnCli *cli, BawnCliArgs *args, GError **error);
void bawn_cli_kv_place_free (BawnCliKvPlace *place);
/* The path to ask: with @prefix ("data", "metadata" …) below a versioned mount. */
char *bawn_cli_kv_path (const BawnCliKvPlace *place, const char *prefix);
/* FALSE with the error set unless it is. */
gboolean bawn_cli_kv_need_versions (const BawnCliKvPlace *place, GError **error);

/* What was written: place and metadata of a version, or that it succeeded. */
gboolean bawn_cli_kv_output_written (BawnCli *cli, BawnCliArgs *args, const char *path,
                                     const BawnCliReply *reply, GError **error);
/* "=== Title ===" above a table whose widest key is in @object. */
void bawn_cli_kv_title (BawnCli *cli, const char *title, const BawnJsonNode *object);
void bawn_cli_kv_title_path (BawnCli *cli, const char *path);
/* The -versions flag as a JSON array of numbers. */
gboolean bawn_cli_kv_write_versions (BawnJsonWriter *w, BawnCliArgs *args, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnCliKvPlace, bawn_cli_kv_place_free)

G_END_DECLS
