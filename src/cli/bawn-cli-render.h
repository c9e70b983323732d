/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-json.h"

G_BEGIN_DECLS

/* All of these append to @out, with a line end last, and keep numbers as they were written. */
void bawn_cli_render_json (BawnBuffer *out, const BawnJsonNode *node);
void bawn_cli_render_yaml (BawnBuffer *out, const BawnJsonNode *node);

/* One value on one line, the way Vault's tables show it: text as it is, [a b], map[a:1 b:2], <nil>.
 */
void bawn_cli_render_value (BawnBuffer *out, const BawnJsonNode *node);
/* The same as a string of its own; free with bawn_string_wipe_free(). */
char *bawn_cli_render_value_dup (const BawnJsonNode *node);
/* ["a" "b"] */
char *bawn_cli_render_quoted_list (const BawnJsonNode *array);

/* (element-type BawnJsonNode): the members of @object (nullable) by their names; borrowed. */
GPtrArray *bawn_cli_sort_members (const BawnJsonNode *object);

/* 2764800 s → "768h", without the zeros behind. */
char *bawn_cli_render_seconds (gint64 seconds);
/* Whether a member of that name is a number of seconds. */
gboolean bawn_cli_name_means_duration (const char *name);

/**
 * BawnCliTable:
 *
 * Rows of cells, to be printed in columns. Cells are wiped.
 */
typedef struct _BawnCliTable BawnCliTable;

/* @header: NULL-terminated; NULL for none. */
BawnCliTable *bawn_cli_table_new (const char *const *header);
void bawn_cli_table_free (BawnCliTable *table);
/* As many cells as the first row has; NULL-terminated. */
void bawn_cli_table_add (BawnCliTable *table, ...) G_GNUC_NULL_TERMINATED;
/* "Key" and "Value" rows: takes no ownership. */
void bawn_cli_table_add_value (BawnCliTable *table, const char *name, const BawnJsonNode *value);
guint bawn_cli_table_n_rows (BawnCliTable *table);
/* @harmless: whether to make visible what a terminal would act upon. */
void bawn_cli_table_render (BawnCliTable *table, gboolean harmless, BawnBuffer *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnCliTable, bawn_cli_table_free)

G_END_DECLS
