/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The longest text; a policy has a few hundred bytes. */
#define BAWN_HCL_MAX_SIZE (1024 * 1024)
/* Nesting of objects and lists; a policy needs four levels. */
#define BAWN_HCL_MAX_DEPTH 32

typedef enum
{
  BAWN_HCL_NULL,
  BAWN_HCL_BOOL,
  BAWN_HCL_NUMBER,
  BAWN_HCL_STRING,
  BAWN_HCL_LIST,
  BAWN_HCL_OBJECT,
} BawnHclKind;

typedef struct _BawnHclNode BawnHclNode;
typedef struct _BawnHclItem BawnHclItem;

/**
 * BawnHclNode:
 * @kind: what it is; null comes from JSON only
 * @line: where it begins, from 1
 * @text: (nullable): the decoded text of a string, which holds no NUL; a number or truth as written
 * @n_children: how many elements or items
 * @elements: (nullable): of a list: the first element
 * @items: (nullable): of an object: the first item
 * @next: (nullable): the next element of the same list
 *
 * A value. Immutable; lives as long as its #BawnHcl.
 */
struct _BawnHclNode
{
  BawnHclKind kind;
  guint line;
  const char *text;
  guint n_children;
  const BawnHclNode *elements;
  const BawnHclItem *items;
  const BawnHclNode *next;
};

/**
 * BawnHclItem:
 * @keys: (array zero-terminated=1): an identifier, and for a block its labels
 * @n_keys: how many, at least one
 * @value: what stands behind them
 * @line: where the first key stands, from 1; of JSON, where the colon stands
 * @assign_line: where the = or the colon stands; 0 for a block, which has none
 * @next: (nullable): the next item of the same object
 *
 * `key = value`, or `key "label" { … }`. Items of the same keys are all kept, in their order.
 */
struct _BawnHclItem
{
  const char *const *keys;
  guint n_keys;
  const BawnHclNode *value;
  guint line;
  guint assign_line;
  const BawnHclItem *next;
};

/* A parsed text: immutable, reference-counted, usable from any thread. */
typedef struct _BawnHcl BawnHcl;

BawnHcl *bawn_hcl_parse (const char *text, gsize size, GError **error);
BawnHcl *bawn_hcl_ref (BawnHcl *hcl);
void bawn_hcl_unref (BawnHcl *hcl);
const BawnHclNode *bawn_hcl_root (const BawnHcl *hcl);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHcl, bawn_hcl_unref)

/* These take NULL for a node, which reads as "absent". */
const BawnHclNode *bawn_hcl_get (const BawnHclNode *object, const char *key);
const char *bawn_hcl_node_string (const BawnHclNode *node);
gboolean bawn_hcl_node_int (const BawnHclNode *node, gint64 *out_value);
gboolean bawn_hcl_node_bool (const BawnHclNode *node, gboolean *out_value);
GStrv bawn_hcl_node_strv (const BawnHclNode *node);

/**
 * BawnHclBlock:
 * @label: the one label
 * @body: an object
 * @line: where it stands
 *
 * A labelled block, however it was written: see bawn_hcl_find_blocks().
 */
typedef struct
{
  const char *label;
  const BawnHclNode *body;
  guint line;
} BawnHclBlock;

GArray *bawn_hcl_find_blocks (const BawnHclNode *object, const char *type, GError **error);

G_END_DECLS
