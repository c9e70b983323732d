/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-json.h"

G_BEGIN_DECLS

/* More than any server takes (32 MiB by default); a guard against reading a device by mistake. */
#define BAWN_CLI_MAX_INPUT ((gsize) 64 * 1024 * 1024)

/**
 * BawnCliData:
 *
 * The object that `key=value` operands describe, in the order given.
 */
typedef struct _BawnCliData BawnCliData;

BawnCliData *bawn_cli_data_new (void);
/* @input_fd: where `-` reads from; @may_ask: whether a person may be asked if that is a terminal. */
gboolean bawn_cli_data_add (BawnCliData *data, const char *const *operands, int input_fd,
                            gboolean may_ask, GError **error);
void bawn_cli_data_add_string (BawnCliData *data, const char *name, const char *value);
gboolean bawn_cli_data_add_json (BawnCliData *data, GBytes *text, GError **error);
/* NULL if there is none or it is no text; free with bawn_string_wipe_free(). */
char *bawn_cli_data_dup_string (BawnCliData *data, const char *name);
gboolean bawn_cli_data_has (BawnCliData *data, const char *name);
void bawn_cli_data_remove (BawnCliData *data, const char *name);
guint bawn_cli_data_size (BawnCliData *data);
/* The object as JSON text. */
void bawn_cli_data_write (BawnCliData *data, BawnJsonWriter *w);
GBytes *bawn_cli_data_to_json (BawnCliData *data);
/* As a query string, each value as text; NULL when empty. */
char *bawn_cli_data_to_query (BawnCliData *data);
void bawn_cli_data_free (BawnCliData *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnCliData, bawn_cli_data_free)

/* Everything up to the end, in wiping memory. */
GBytes *bawn_cli_read_fd (int fd, gsize max, GError **error);
GBytes *bawn_cli_read_file (const char *path, GError **error);
/* `-` is @input_fd. */
GBytes *bawn_cli_read_source (const char *path, int input_fd, GError **error);

G_END_DECLS
