/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-output.h"

G_BEGIN_DECLS

/**
 * BawnCliMountKind:
 * @root: the API's path of the table
 * @tune: what its tuning is below
 * @is_auth: whether it is a login method
 *
 * Engines and login methods are mounted the same way.
 */
typedef struct
{
  const char *root;
  const char *tune;
  gboolean is_auth;
} BawnCliMountKind;

extern const BawnCliMountKind bawn_cli_mount_engine;
extern const BawnCliMountKind bawn_cli_mount_auth;

/* What enable and tune have in common, and what enable has besides. */
extern const BawnCliFlag bawn_cli_flags_mount_config[];
extern const BawnCliFlag bawn_cli_flags_mount_enable[];
extern const BawnCliFlag bawn_cli_flags_detailed[];

gboolean bawn_cli_mount_list (BawnCli *cli, BawnCliArgs *args, const BawnCliMountKind *kind,
                              GError **error);
/* *out_path ends in a slash. */
gboolean bawn_cli_mount_enable (BawnCli *cli, BawnCliArgs *args, const BawnCliMountKind *kind,
                                char **out_path, GError **error);
gboolean bawn_cli_mount_disable (BawnCli *cli, BawnCliArgs *args, const BawnCliMountKind *kind,
                                 char **out_path, GError **error);
gboolean bawn_cli_mount_tune (BawnCli *cli, BawnCliArgs *args, const BawnCliMountKind *kind,
                              char **out_path, GError **error);
/* The entries of a table that are objects, by path; free with g_ptr_array_unref(). */
GPtrArray *bawn_cli_mount_entries (const BawnJsonNode *table);

G_END_DECLS
