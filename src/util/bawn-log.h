/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* By the names that operators know. Messages above the set level are not even formatted. */
typedef enum
{
  BAWN_LOG_ERROR,
  BAWN_LOG_WARN,
  BAWN_LOG_INFO,
  BAWN_LOG_DEBUG,
  BAWN_LOG_TRACE,
} BawnLogLevel;

/**
 * BawnLogField:
 * @name: of capital letters, digits and underscores, beginning with a letter: REQUEST_ID, EPOCH
 * @value: (nullable): a text; a field without one is left out
 *
 * Something to be found by: a field of its own in the journal, ` request_id=…` behind the message
 * elsewhere. Nothing secret.
 */
typedef struct
{
  const char *name;
  const char *value;
} BawnLogField;

/* BAWN_LOG_FIELDS ({ "REQUEST_ID", id }, { "EPOCH", epoch }) */
#define BAWN_LOG_FIELDS(...) ((const BawnLogField[]){ __VA_ARGS__, { NULL, NULL } })

void bawn_log_init (const char *program);
void bawn_log_set_level (BawnLogLevel level);
BawnLogLevel bawn_log_get_level (void);
gboolean bawn_log_level_parse (const char *name, BawnLogLevel *out_level);
const char *bawn_log_level_name (BawnLogLevel level);
/* The names, most severe first, NULL-terminated: for bawn_config_get_choice(). */
const char *const *bawn_log_level_names (void);
guint64 bawn_log_count_dropped (void);
void bawn_log_set_node (const char *ha_state, guint64 epoch);
void bawn_log_set_ha_state (const char *ha_state);
const char *bawn_log_set_request (const char *id);

void bawn_log_full (BawnLogLevel level,
                    const char *module,
                    const BawnLogField *fields,
                    const char *format,
                    ...) G_GNUC_PRINTF (4, 5);

/* @module is the word before the message: "core", "storage.sqlite". */
#define bawn_log_with(level, module, fields, ...)                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if ((level) <= bawn_log_get_level ())                                                          \
      bawn_log_full (level, module, fields, __VA_ARGS__);                                          \
  }                                                                                                \
  G_STMT_END
#define bawn_log_error(module, ...) bawn_log_with (BAWN_LOG_ERROR, module, NULL, __VA_ARGS__)
#define bawn_log_warn(module, ...) bawn_log_with (BAWN_LOG_WARN, module, NULL, __VA_ARGS__)
#define bawn_log_info(module, ...) bawn_log_with (BAWN_LOG_INFO, module, NULL, __VA_ARGS__)
#define bawn_log_debug(module, ...) bawn_log_with (BAWN_LOG_DEBUG, module, NULL, __VA_ARGS__)
#define bawn_log_trace(module, ...) bawn_log_with (BAWN_LOG_TRACE, module, NULL, __VA_ARGS__)

G_END_DECLS
