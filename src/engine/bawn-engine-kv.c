/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "engine/bawn-engine-kv-private.h"

#include <string.h>

/* What a key in the storage has besides mount and path: the place, '/', and a version's number. */
#define KEY_EXTRA (2 + 1 + 20)

#define BAWN_TYPE_ENGINE_KV (bawn_engine_kv_get_type ())
G_DECLARE_FINAL_TYPE (BawnEngineKv, bawn_engine_kv, BAWN, ENGINE_KV, BawnEngine)

struct _BawnEngineKv
{
  BawnEngine parent_instance;
};

G_DEFINE_FINAL_TYPE (BawnEngineKv, bawn_engine_kv, BAWN_TYPE_ENGINE)

static gboolean
is_version_2 (const BawnMount *mount)
{
  return mount != NULL && g_strcmp0 (bawn_mount_option (mount, "version"), "2") == 0;
}

static const BawnRoute *
kv_get_routes (BawnEngine *engine, const BawnMount *mount)
{
  return is_version_2 (mount) ? bawn_kv2_routes : bawn_kv1_routes;
}

static gboolean
kv_exists (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, gboolean *out_exists, GError **error)
{
  if (is_version_2 (request->mount))
    return bawn_kv2_exists (request, txn, out_exists, error);

  return bawn_kv1_exists (request, txn, out_exists, error);
}

static gboolean
check_version (const BawnMount *mount, GError **error)
{
  const char *version = bawn_mount_option (mount, "version");

  if (version == NULL || *version == '\0' || g_str_equal (version, "1")
      || g_str_equal (version, "2"))
    return TRUE;

  return bawn_fail (error, BAWN_ERROR_INVALID, "invalid version provided: %s", version);
}

static gboolean
kv_mounted (BawnEngine *engine, const BawnMount *mount, BawnTxn *txn, GError **error)
{
  return check_version (mount, error);
}

/* The upgrade itself is one write: secrets of version 1 are read where they are until they are
 * written again. */
static gboolean
kv_tuned (BawnEngine *engine,
          const BawnMount *before,
          const BawnMount *after,
          BawnTxn *txn,
          GError **error)
{
  g_auto (GStrv) names = NULL;
  g_autoptr (BawnKvConfig) old = NULL;

  if (!check_version (after, error))
    return FALSE;
  if (is_version_2 (before) && !is_version_2 (after))
    return bawn_fail (error, BAWN_ERROR_INVALID, "cannot downgrade mount from version 2");
  if (is_version_2 (before) || !is_version_2 (after))
    return TRUE;
  if (!bawn_txn_list (txn, BAWN_KV_V1, NULL, 1, &names, error)
      || !bawn_kv_config_get (txn, &old, error))
    return FALSE;
  if (names[0] == NULL)
    return TRUE;

  g_autoptr (BawnKvConfig) config = bawn_kv_config_copy (old);

  config->upgraded_us = g_get_real_time ();
  bawn_kv_config_put (txn, config);

  return TRUE;
}

static void
bawn_engine_kv_class_init (BawnEngineKvClass *klass)
{
  BawnEngineClass *engine_class = BAWN_ENGINE_CLASS (klass);

  engine_class->name = "kv";
  engine_class->help = "Stores secrets under paths; version 2 keeps older versions of each.";
  engine_class->get_routes = kv_get_routes;
  engine_class->exists = kv_exists;
  engine_class->mounted = kv_mounted;
  engine_class->tuned = kv_tuned;
}

static void
bawn_engine_kv_init (BawnEngineKv *self)
{
}

static gboolean
fits (BawnRequest *request, const char *path)
{
  gsize view_size =
      request->mount != NULL && request->mount->view != NULL ? strlen (request->mount->view) : 0;

  return view_size + strlen (path) + KEY_EXTRA <= BAWN_BACKEND_MAX_KEY;
}

/**
 * bawn_kv_path_is_valid:
 * @request: a request
 * @path: what stands for the key in its path
 *
 * Returns: whether a secret could be there
 */
gboolean
bawn_kv_path_is_valid (BawnRequest *request, const char *path)
{
  return bawn_backend_key_is_valid (path) && fits (request, path);
}

/**
 * bawn_kv_check_path:
 * @request: a request that looks for something
 * @path: what stands for the key in its path
 * @error: NOT_FOUND
 *
 * Returns: whether a secret could be there
 */
gboolean
bawn_kv_check_path (BawnRequest *request, const char *path, GError **error)
{
  if (bawn_kv_path_is_valid (request, path))
    return TRUE;

  return bawn_fail (error, BAWN_ERROR_NOT_FOUND, "%s", "");
}

/**
 * bawn_kv_check_folder:
 * @request: a list
 * @path: the folder, which may end in '/'
 * @error: NOT_FOUND
 *
 * Returns: whether anything could be there
 */
gboolean
bawn_kv_check_folder (BawnRequest *request, const char *path, GError **error)
{
  gsize size = strlen (path);
  g_autofree char *bare = g_strndup (path, size > 0 && path[size - 1] == '/' ? size - 1 : size);

  return bawn_kv_check_path (request, bare, error);
}

/**
 * bawn_kv_check_write:
 * @request: a request that changes something
 * @path: what stands for the key in its path
 * @error: INVALID, with the reason
 *
 * Returns: whether a secret may be stored there
 */
gboolean
bawn_kv_check_write (BawnRequest *request, const char *path, GError **error)
{
  if (*path == '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID, "missing path");
  if (!fits (request, path))
    return bawn_fail (error, BAWN_ERROR_INVALID, "the path is too long");
  if (!bawn_backend_key_is_valid (path))
    return bawn_fail (error, BAWN_ERROR_INVALID, "the path has an empty part");

  return TRUE;
}
