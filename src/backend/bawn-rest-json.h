/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-json.h"

G_BEGIN_DECLS

/**
 * BawnRestField:
 *
 * Every name that we write to a storage server or read from one. There is no other way to write a
 * name, since etcd's gateway ignores those it does not know: a "compares" for a "compare" would be
 * a commit without its fence.
 */
#define BAWN_REST_FIELD(id, name) BAWN_REST_##id,
typedef enum
{
#include "backend/bawn-rest-fields.def"
  BAWN_REST_N_FIELDS,
} BawnRestField;
#undef BAWN_REST_FIELD

const char *bawn_rest_field_name (BawnRestField field);

/* Writing: a name alone, to be followed by a value, and names with values. */
void bawn_rest_json_name (BawnJsonWriter *w, BawnRestField field);
void bawn_rest_json_begin_object (BawnJsonWriter *w, BawnRestField field);
void bawn_rest_json_begin_array (BawnJsonWriter *w, BawnRestField field);
void bawn_rest_json_string (BawnJsonWriter *w, BawnRestField field, const char *value);
void bawn_rest_json_int (BawnJsonWriter *w, BawnRestField field, gint64 value);
/* As a string: what is beyond 2^53 does not come through every reader of JSON numbers. */
void bawn_rest_json_uint64 (BawnJsonWriter *w, BawnRestField field, guint64 value);
void bawn_rest_json_bool (BawnJsonWriter *w, BawnRestField field, gboolean value);
void bawn_rest_json_base64 (BawnJsonWriter *w, BawnRestField field, gconstpointer data, gsize size);

/* Reading. All take %NULL for a node, which reads as "absent". */
const BawnJsonNode *bawn_rest_json_get (const BawnJsonNode *object, BawnRestField field);
const char *
bawn_rest_json_get_string (const BawnJsonNode *object, BawnRestField field, const char *fallback);
gboolean
bawn_rest_json_get_bool (const BawnJsonNode *object, BawnRestField field, gboolean fallback);
/* A number, or a string with one. FALSE for anything else; absent is TRUE and 0. */
gboolean
bawn_rest_json_get_uint64 (const BawnJsonNode *object, BawnRestField field, guint64 *out_value);
/* Standard base64 with padding. FALSE for anything else; absent is TRUE and empty. */
gboolean
bawn_rest_json_get_base64 (const BawnJsonNode *object, BawnRestField field, GBytes **out_value);

G_END_DECLS
