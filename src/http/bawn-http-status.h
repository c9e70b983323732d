/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-error.h"

G_BEGIN_DECLS

/**
 * BawnHttpRule:
 * @status: what the client gets
 * @text: (nullable): what it is told; %NULL: the error's own message
 * @hidden: it is told only which request to ask the operator about
 * @retry_after_s: when it may try again; 0: nothing is said of that
 *
 * How an error leaves the house.
 */
typedef struct
{
  guint status;
  const char *text;
  gboolean hidden;
  guint retry_after_s;
} BawnHttpRule;

BawnHttpRule bawn_http_rule (const GError *error);

G_END_DECLS
