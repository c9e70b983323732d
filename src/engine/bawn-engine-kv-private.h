/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-engine.h"

G_BEGIN_DECLS

/* Where things lie below the mount:
 *
 *   d/<path>            version 1: the secret, the caller's JSON text
 *   config              version 2: BawnKvConfig
 *   m/<path>            version 2: BawnKvMeta
 *   v/<path>/<number>   version 2: one version's data, the caller's JSON text
 *
 * A mount that was upgraded keeps its old secrets under d/ until they are written again. They are shown as version 1 of
 * the key, so that an upgrade costs one write, however many secrets there are. */
#define BAWN_KV_V1 "d/"
#define BAWN_KV_CONFIG "config"
#define BAWN_KV_META "m/"
#define BAWN_KV_DATA "v/"

/* A key with all its versions must fit into one commit of every storage, so that it can be deleted in one. */
#define BAWN_KV_VERSIONS_MAX 100
#define BAWN_KV_VERSIONS_DEFAULT 10

/**
 * BawnKvConfig:
 * @delete_after_us: below 0: switched off for all keys
 * @upgraded_us: when it was version 1 before; 0: never
 *
 * The settings of a version 2 mount. Immutable, reference-counted.
 */
typedef struct
{
  gint64 max_versions;
  gboolean cas_required;
  gint64 delete_after_us;
  gint64 upgraded_us;
} BawnKvConfig;

void bawn_kv_config_unref (BawnKvConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnKvConfig, bawn_kv_config_unref)
BawnKvConfig *bawn_kv_config_copy (const BawnKvConfig *config);
/* Never NULL: the defaults if nothing is stored. */
gboolean bawn_kv_config_get (BawnTxn *txn, BawnKvConfig **out_config, GError **error);
void bawn_kv_config_put (BawnTxn *txn, const BawnKvConfig *config);
/* Checks a "max_versions" that was asked for. */
gboolean bawn_kv_check_max_versions (gint64 value, GError **error);

/**
 * BawnKvVersion:
 * @deletion_us: when it is or will be deleted; 0: not
 */
typedef struct
{
  gint64 number;
  gint64 created_us;
  gint64 deletion_us;
  gboolean destroyed;
} BawnKvVersion;

/**
 * BawnKvMeta:
 * @current: number of the newest version; 0: none yet
 * @oldest: as the API shows it
 * @custom: (nullable): custom_metadata
 * @versions: of #BawnKvVersion, ascending
 * @is_v1: made up for a secret that is still stored as version 1
 *
 * What is known of a key. Immutable once stored, reference-counted; to change it, copy it.
 */
typedef struct
{
  gint64 created_us;
  gint64 updated_us;
  gint64 current;
  gint64 oldest;
  gint64 max_versions;
  gint64 delete_after_us;
  gboolean cas_required;
  GHashTable *custom;
  GArray *versions;
  gboolean is_v1;
} BawnKvMeta;

BawnKvMeta *bawn_kv_meta_new (gint64 now_us);
BawnKvMeta *bawn_kv_meta_copy (const BawnKvMeta *meta);
void bawn_kv_meta_unref (BawnKvMeta *meta);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnKvMeta, bawn_kv_meta_unref)

/* Absent is TRUE with NULL. */
gboolean bawn_kv_meta_get (BawnTxn *txn, const char *path, BawnKvMeta **out_meta, GError **error);
/* Stores it; a secret of version 1 is moved. */
gboolean bawn_kv_meta_put (BawnTxn *txn, const char *path, BawnKvMeta *meta, GError **error);
void bawn_kv_meta_delete (BawnTxn *txn, const char *path, const BawnKvMeta *meta);
/* NULL if there is none of that number; 0 is the current one. */
BawnKvVersion *bawn_kv_meta_version (const BawnKvMeta *meta, gint64 number);
gboolean bawn_kv_version_is_deleted (const BawnKvVersion *version, gint64 now_us);
gboolean bawn_kv_data_get (BawnTxn *txn, const char *path, const BawnKvMeta *meta, gint64 number,
                           GBytes **out_data, GError **error);
/* Adds a version, and drops those that are too many. */
const BawnKvVersion *bawn_kv_meta_add (BawnTxn *txn, const char *path, BawnKvMeta *meta,
                                       const BawnKvConfig *config, GBytes *data, gint64 now_us);
/* Marks a version destroyed and deletes its data. */
void bawn_kv_meta_destroy (BawnTxn *txn, const char *path, BawnKvMeta *meta, BawnKvVersion *version);

gboolean bawn_kv_path_is_valid (BawnRequest *request, const char *path);
/* How a route names its path: FALSE with NOT_FOUND if it can be no key. */
gboolean bawn_kv_check_path (BawnRequest *request, const char *path, GError **error);
/* The same for the path of a list. */
gboolean bawn_kv_check_folder (BawnRequest *request, const char *path, GError **error);
/* The same for writes: FALSE with INVALID, telling why. */
gboolean bawn_kv_check_write (BawnRequest *request, const char *path, GError **error);
/* The names below a folder, of one or (upgraded) two places, with the request's "after" and "limit". */
BawnResponse *bawn_kv_list (BawnRequest *request, BawnTxn *txn, const char *const *places,
                            const char *path, GError **error);
/* A time as version 2 shows it: "" for none. */
void bawn_kv_add_time (BawnJsonWriter *w, const char *name, gint64 us);
void bawn_kv_add_version (BawnJsonWriter *w, const BawnKvMeta *meta, const BawnKvVersion *version);

extern const BawnRoute bawn_kv1_routes[];
extern const BawnRoute bawn_kv2_routes[];

gboolean bawn_kv1_exists (BawnRequest *request, BawnTxn *txn, gboolean *out_exists, GError **error);
gboolean bawn_kv2_exists (BawnRequest *request, BawnTxn *txn, gboolean *out_exists, GError **error);

BawnResponse *bawn_kv2_config_read (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_config_write (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_data_read (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_data_write (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_data_patch (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_data_delete (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_delete (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_undelete (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_destroy (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_subkeys (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_meta_read (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_meta_list (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_meta_write (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_meta_patch (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);
BawnResponse *bawn_kv2_meta_delete (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error);

G_END_DECLS
