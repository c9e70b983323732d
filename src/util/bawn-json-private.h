/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-json.h"

G_BEGIN_DECLS

/* Told apart by callers to whom no body at all is fine. */
#define BAWN_JSON_EMPTY_TEXT "invalid JSON: the text is empty"

typedef struct _BawnJsonBlock BawnJsonBlock;
struct _BawnJsonBlock
{
  BawnJsonBlock *next;
  guint used;
  guint size;
  BawnJsonNode nodes[];
};

struct _BawnJson
{
  gatomicrefcount refs;
  GBytes *text;
  const BawnJsonNode *root;
  /* newest first */
  BawnJsonBlock *blocks;
  /* decoded names and strings, each with its NUL */
  char *strings;
  gsize strings_used;
};

BawnJson *bawn_json_alloc (GBytes *text, guint first_block);

G_END_DECLS
