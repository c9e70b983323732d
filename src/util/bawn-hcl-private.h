/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-hcl.h"

G_BEGIN_DECLS

typedef enum
{
  BAWN_HCL_TOKEN_ILLEGAL,
  BAWN_HCL_TOKEN_EOF,
  BAWN_HCL_TOKEN_IDENT,
  BAWN_HCL_TOKEN_NUMBER,
  BAWN_HCL_TOKEN_FLOAT,
  BAWN_HCL_TOKEN_BOOL,
  BAWN_HCL_TOKEN_STRING,
  BAWN_HCL_TOKEN_HEREDOC,
  BAWN_HCL_TOKEN_LBRACK,
  BAWN_HCL_TOKEN_LBRACE,
  BAWN_HCL_TOKEN_COMMA,
  BAWN_HCL_TOKEN_PERIOD,
  BAWN_HCL_TOKEN_RBRACK,
  BAWN_HCL_TOKEN_RBRACE,
  BAWN_HCL_TOKEN_ASSIGN,
  BAWN_HCL_TOKEN_ADD,
  BAWN_HCL_TOKEN_SUB,
} BawnHclTokenType;

/* Lines and columns count from 1, columns in characters. */
typedef struct
{
  guint line;
  guint column;
} BawnHclPosition;

/* @start and @size: as written. @text: a string or heredoc decoded, owned by whoever got the token.
 */
typedef struct
{
  BawnHclTokenType type;
  BawnHclPosition at;
  const char *start;
  gsize size;
  char *text;
} BawnHclToken;

/* What next() changes, so that it can be taken back. */
typedef struct
{
  const guint8 *at;
  guint line;
  guint column;
  guint last_column;
} BawnHclCursor;

typedef struct
{
  const guint8 *end;
  BawnHclCursor now;
  BawnHclCursor before;
  /* the first fault, with its place */
  GError *fault;
} BawnHclScanner;

void bawn_hcl_scanner_init (BawnHclScanner *self, const char *text, gsize size);
void bawn_hcl_scanner_scan (BawnHclScanner *self, BawnHclToken *out_token);
void bawn_hcl_scanner_scan_string (BawnHclScanner *self, BawnHclToken *token);
void bawn_hcl_scanner_scan_heredoc (BawnHclScanner *self, BawnHclToken *token);
const char *bawn_hcl_token_name (BawnHclTokenType type);

/* The parts of the scanner that its two files share. A character, or -1 at the end and after a
 * fault. */
gint32 bawn_hcl_scanner_next (BawnHclScanner *self);
gint32 bawn_hcl_scanner_peek (BawnHclScanner *self);
void bawn_hcl_scanner_unread (BawnHclScanner *self);
BawnHclPosition bawn_hcl_scanner_position (const BawnHclScanner *self);
void bawn_hcl_scanner_refuse (BawnHclScanner *self, const char *message);
gboolean bawn_hcl_is_letter (gint32 c);

struct _BawnHcl
{
  gatomicrefcount refs;
  const BawnHclNode *root;
  /* every node, item, key array and text */
  GPtrArray *memory;
};

gpointer bawn_hcl_own (BawnHcl *hcl, gpointer memory);
BawnHclNode *bawn_hcl_add_node (BawnHcl *hcl, BawnHclKind kind, guint line);
gboolean bawn_hcl_read_hcl (BawnHcl *hcl, const char *text, gsize size, GError **error);
gboolean bawn_hcl_read_json (BawnHcl *hcl, const char *text, gsize size, GError **error);

G_END_DECLS
