/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * BawnConfig:
 *
 * The configuration as read from a key file, its drop-ins and the environment: where each value stands is
 * kept, so that every complaint names file, line, group and key. Reference-counted and immutable after load.
 */
typedef struct _BawnConfig BawnConfig;

/* <installed> */
/**
 * BawnConfigGroup:
 *
 * A group of the configuration. Reading a key marks it as known; what nobody asked for is reported as unknown. A boxed type,
 * so that it can be a construct property ("config") of a backend.
 */
typedef struct _BawnConfigGroup BawnConfigGroup;

#define BAWN_TYPE_CONFIG_GROUP (bawn_config_group_get_type ())
GType bawn_config_group_get_type (void);
/* </installed> */
char *bawn_config_format_size (gint64 value);

/* @path (nullable) is read first, then the files *.conf of the folder @path.d in order, then
 * BAWN_<GROUP>_<KEY> from @environment (nullable, a g_get_environ() array). */
BawnConfig *bawn_config_load (const char *path, const char *const *environment, GError **error);
BawnConfig *bawn_config_load_data (const char *name, const char *data, gsize size, GError **error);
BawnConfig *bawn_config_ref (BawnConfig *config);
void bawn_config_unref (BawnConfig *config);

/* Groups: [listener] and [listener NAME] are both of the family "listener". An absent group is an empty one. */
BawnConfigGroup *bawn_config_get_group (BawnConfig *config, const char *name);
GPtrArray *bawn_config_get_family (BawnConfig *config, const char *family);
/* Before @key is first read: the variables that may set it, NULL-terminated, instead of BAWN_<GROUP>_<KEY>. The first that is
 * set and not empty wins. */
void bawn_config_set_variables (BawnConfigGroup *group, const char *key, const char *const *variables);
/* <installed> */
BawnConfigGroup *bawn_config_group_ref (BawnConfigGroup *group);
void bawn_config_group_unref (BawnConfigGroup *group);
const char *bawn_config_group_get_name (BawnConfigGroup *group);
gboolean bawn_config_group_has (BawnConfigGroup *group, const char *key);

/* Typed reading. A value that does not parse or is out of range is noted as a problem (naming file, line, group
 * and key), and the fallback is returned, so that one pass finds every mistake. */
char *bawn_config_get_string (BawnConfigGroup *group, const char *key, const char *fallback);
GStrv bawn_config_get_list (BawnConfigGroup *group, const char *key);
gboolean bawn_config_get_bool (BawnConfigGroup *group, const char *key, gboolean fallback);
gint64 bawn_config_get_int (BawnConfigGroup *group, const char *key, gint64 fallback, gint64 min, gint64 max);
gint64 bawn_config_get_size (BawnConfigGroup *group, const char *key, gint64 fallback, gint64 min, gint64 max);
gint64 bawn_config_get_duration_us (BawnConfigGroup *group, const char *key, gint64 fallback, gint64 min, gint64 max);
/* @names is NULL-terminated; the index of the value, or @fallback. */
guint bawn_config_get_choice (BawnConfigGroup *group, const char *key, const char *const *names, guint fallback);

/* A reader's own finding about a value, in the same form. */
void bawn_config_complain (BawnConfigGroup *group, const char *key, const char *format, ...) G_GNUC_PRINTF (3, 4);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnConfigGroup, bawn_config_group_unref)
/* </installed> */

/* Marks group families as known; anything else is then reported by bawn_config_check(). */
void bawn_config_expect (BawnConfig *config, const char *const *families);
/* After every reader has read: FALSE with all problems, one a line, unknown groups and keys included. */
gboolean bawn_config_check (BawnConfig *config, GError **error);
/* The same list, to be printed by --check-config; empty when all is well. */
GStrv bawn_config_dup_problems (BawnConfig *config);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnConfig, bawn_config_unref)

G_END_DECLS
