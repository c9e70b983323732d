/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-bytes.h"

G_BEGIN_DECLS

/* No known client nests deeper than ten; whoever walks a document by recursion may rely on this. */
#define BAWN_JSON_MAX_DEPTH 128
/* A node takes 72 bytes: this bounds what a hostile body can make of memory to 72 MB. */
#define BAWN_JSON_MAX_NODES 1000000

typedef enum
{
  BAWN_JSON_NULL,
  BAWN_JSON_FALSE,
  BAWN_JSON_TRUE,
  BAWN_JSON_NUMBER,
  BAWN_JSON_STRING,
  BAWN_JSON_ARRAY,
  BAWN_JSON_OBJECT,
} BawnJsonKind;

/**
 * BawnJsonNode:
 * @kind: what it is
 * @raw: the node's own text in the document, exactly as it was written, without blanks around it
 * @raw_size: length of @raw in bytes
 * @name: (nullable): the decoded member name, if the parent is an object
 * @string: (nullable): the decoded text of a string, NUL-terminated (it may hold NULs too)
 * @string_size: length of @string
 * @n_children: how many elements or members
 * @children: (nullable): the first element or member
 * @next: (nullable): the next one of the same parent
 * @name_size: length of @name, which may hold NULs too
 *
 * A value in a document. Immutable; lives as long as its #BawnJson.
 */
typedef struct _BawnJsonNode BawnJsonNode;
struct _BawnJsonNode
{
  BawnJsonKind kind;
  guint n_children;
  const char *raw;
  gsize raw_size;
  const char *name;
  const char *string;
  gsize string_size;
  const BawnJsonNode *children;
  const BawnJsonNode *next;
  gsize name_size;
};

/**
 * BawnJsonLimits:
 * @max_depth: nesting of arrays and objects; 0 means %BAWN_JSON_MAX_DEPTH, and more is not possible
 * @max_nodes: number of values in the document; 0 means %BAWN_JSON_MAX_NODES, and more is not possible
 */
typedef struct
{
  guint max_depth;
  guint max_nodes;
} BawnJsonLimits;

/* A parsed document: immutable, reference-counted, usable from any thread. Its memory is wiped. */
typedef struct _BawnJson BawnJson;

BawnJson *bawn_json_parse (GBytes *text, const BawnJsonLimits *limits, GError **error);
BawnJson *bawn_json_parse_string (const char *text, GError **error);
BawnJson *bawn_json_ref (BawnJson *json);
void bawn_json_unref (BawnJson *json);
const BawnJsonNode *bawn_json_root (const BawnJson *json);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnJson, bawn_json_unref)

/* All of these take NULL for a node, which reads as "absent". A lookup in a duplicate name finds the
 * last one. JSON null counts as present for bawn_json_get() and as absent for the typed getters. */
const BawnJsonNode *bawn_json_get (const BawnJsonNode *object, const char *name);
const BawnJsonNode *bawn_json_get_any_case (const BawnJsonNode *object, const char *name);
const BawnJsonNode *bawn_json_index (const BawnJsonNode *array, guint index);
gboolean bawn_json_is (const BawnJsonNode *node, BawnJsonKind kind);
const char *bawn_json_get_string (const BawnJsonNode *object, const char *name, const char *fallback);
gint64 bawn_json_get_int (const BawnJsonNode *object, const char *name, gint64 fallback);
gboolean bawn_json_get_bool (const BawnJsonNode *object, const char *name, gboolean fallback);
GStrv bawn_json_get_strv (const BawnJsonNode *object, const char *name);
gboolean bawn_json_node_int (const BawnJsonNode *node, gint64 *out_value);
gboolean bawn_json_node_double (const BawnJsonNode *node, double *out_value);
gboolean bawn_json_node_bool (const BawnJsonNode *node, gboolean *out_value);
gboolean bawn_json_node_equal (const BawnJsonNode *a, const BawnJsonNode *b);
GBytes *bawn_json_node_bytes (const BawnJson *json, const BawnJsonNode *node);

/* How deep a writer can nest: any document that was read, in an answer of our own around it. */
#define BAWN_JSON_WRITER_LEVELS (BAWN_JSON_MAX_DEPTH + 64)

/**
 * BawnJsonWriter:
 *
 * Writes JSON text into wiping memory. Commas and escapes are its business; what is nested wrongly is
 * a programming error. Lives on the stack: `g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT`.
 */
typedef struct
{
  BawnBuffer buffer;
  /*< private >*/
  guint depth;
  gboolean comma;
  /* one bit for each open level: is it an object? And is its next value named? */
  guint64 objects[BAWN_JSON_WRITER_LEVELS / 64];
  gboolean named;
} BawnJsonWriter;

#define BAWN_JSON_WRITER_INIT { BAWN_BUFFER_INIT, 0, FALSE, { 0 }, FALSE }

void bawn_json_writer_begin_object (BawnJsonWriter *w);
void bawn_json_writer_end_object (BawnJsonWriter *w);
void bawn_json_writer_begin_array (BawnJsonWriter *w);
void bawn_json_writer_end_array (BawnJsonWriter *w);
void bawn_json_writer_name (BawnJsonWriter *w, const char *name);
void bawn_json_writer_string (BawnJsonWriter *w, const char *text);
void bawn_json_writer_string_n (BawnJsonWriter *w, const char *text, gsize size);
void bawn_json_writer_int (BawnJsonWriter *w, gint64 value);
void bawn_json_writer_uint (BawnJsonWriter *w, guint64 value);
void bawn_json_writer_double (BawnJsonWriter *w, double value);
void bawn_json_writer_bool (BawnJsonWriter *w, gboolean value);
void bawn_json_writer_null (BawnJsonWriter *w);
void bawn_json_writer_strv (BawnJsonWriter *w, const char *const *strings);
void bawn_json_writer_raw (BawnJsonWriter *w, const char *json, gsize size);
void bawn_json_writer_node (BawnJsonWriter *w, const BawnJsonNode *node);

/* name and value in one call */
void bawn_json_writer_add_string (BawnJsonWriter *w, const char *name, const char *text);
void bawn_json_writer_add_int (BawnJsonWriter *w, const char *name, gint64 value);
void bawn_json_writer_add_bool (BawnJsonWriter *w, const char *name, gboolean value);
void bawn_json_writer_add_null (BawnJsonWriter *w, const char *name);
void bawn_json_writer_add_strv (BawnJsonWriter *w, const char *name, const char *const *strings);

GBytes *bawn_json_writer_finish (BawnJsonWriter *w);
void bawn_json_writer_clear (BawnJsonWriter *w);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnJsonWriter, bawn_json_writer_clear)

G_END_DECLS
