/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-log.h"

G_BEGIN_DECLS

/* What a pipe takes as a whole or not at all; longer lines are cut. */
#define BAWN_LOG_MAX_LINE 4096

char *bawn_log_format (
    gint64 real_us, BawnLogLevel level, const GLogField *fields, gsize n_fields, gboolean colour);
/* More fields than any message has; the rest would be left out. */
#define BAWN_LOG_MAX_FIELDS 32
#define BAWN_LOG_N_CONTEXT 3

/* What the process as a whole adds to its messages. */
typedef struct
{
  char ha_state[32];
  char epoch[24];
} BawnLogContext;

gsize bawn_log_add_context (const GLogField *fields, gsize n_fields, gboolean for_journal, BawnLogContext *context,
                            GLogField out_fields[BAWN_LOG_MAX_FIELDS]);
gboolean bawn_log_try_write (int fd, const char *line, gsize size);
gboolean bawn_log_try_journal (int fd, const GLogField *fields, gsize n_fields);
int bawn_log_open_journal (const char *path);

G_END_DECLS
