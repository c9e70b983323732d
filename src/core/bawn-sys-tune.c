/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* Tuning of mounts, for both spellings: sys/mounts/PATH/tune and sys/auth/PATH/tune. */

static const char *const untunable[] = { "cubbyhole/", "sys/", "audit/", "identity/", NULL };

static void
write_tuning (BawnJsonWriter *w, const BawnMount *mount)
{
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_int (w, "default_lease_ttl",
                            bawn_mount_default_ttl_us (mount) / G_USEC_PER_SEC);
  bawn_json_writer_add_string (w, "description",
                               mount->description != NULL ? mount->description : "");
  bawn_json_writer_add_bool (w, "force_no_cache", mount->force_no_cache);
  bawn_json_writer_add_int (w, "max_lease_ttl", bawn_mount_max_ttl_us (mount) / G_USEC_PER_SEC);
  bawn_sys_mount_config_write (w, mount);
  if (mount->options != NULL && g_hash_table_size (mount->options) > 0)
    {
      bawn_json_writer_name (w, "options");
      bawn_sys_write_map (w, mount->options);
    }
  bawn_json_writer_end_object (w);
}

BawnResponse *
bawn_sys_tune_read (BawnEngine *engine G_GNUC_UNUSED,
                    BawnRequest *request G_GNUC_UNUSED,
                    BawnTxn *txn,
                    const char *path,
                    GError **error)
{
  g_autoptr (BawnMountTable) table = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_mount_table_get (txn, &table, error))
    return NULL;

  const BawnMount *mount = bawn_mount_table_lookup (table, path);
  if (mount == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "cannot fetch sysview for path \"%s\"", path);

  write_tuning (&w, mount);
  return bawn_response_new_writer (&w);
}

/* A kv mount goes from version 1 to 2 and never back. */
static gboolean
check_version (const BawnMount *before, const char *version, GError **error)
{
  const char *now = bawn_mount_option (before, "version");

  if (!g_str_equal (version, "1") && !g_str_equal (version, "2"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "invalid version provided: %s", version);
  if (!g_str_equal (before->type, "kv"))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "secrets engine \"%s\" does not allow setting a version", before->type);
  if (g_strcmp0 (now, "2") == 0 && g_str_equal (version, "1"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "cannot downgrade mount from version 2");

  return TRUE;
}

/* An empty value takes an option away, but for the version, which can not be taken back. */
static gboolean
merge_options (BawnRequest *request,
               const BawnMount *before,
               BawnMount *after,
               gboolean *out_changed,
               GError **error)
{
  g_autoptr (GHashTable) given = NULL;

  *out_changed = FALSE;
  if (!bawn_field_map (request, "options", &given, error))
    return FALSE;
  if (given == NULL || g_hash_table_size (given) == 0)
    return TRUE;

  g_autoptr (GHashTable) merged = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer name = NULL;
  gpointer value = NULL;

  if (before->options != NULL)
    {
      g_hash_table_iter_init (&iter, before->options);
      while (g_hash_table_iter_next (&iter, &name, &value))
        g_hash_table_replace (merged, g_strdup (name), g_strdup (value));
    }
  g_hash_table_iter_init (&iter, given);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      gboolean is_version = g_str_equal (name, "version");

      if (*(const char *) value == '\0' && !is_version)
        g_hash_table_remove (merged, name);
      else if (is_version && !check_version (before, value, error))
        return FALSE;
      else
        g_hash_table_replace (merged, g_strdup (name), g_strdup (value));
    }

  g_clear_pointer (&after->options, g_hash_table_unref);
  after->options = g_steal_pointer (&merged);
  *out_changed = TRUE;
  return TRUE;
}

/* Only a login has tokens of its own to give a type; those of auth/token choose theirs when they
 * are made. */
static gboolean
check_token_type (BawnRequest *request, const BawnMount *mount, GError **error)
{
  g_autofree char *given = NULL;

  if (!bawn_field_string (request, "token_type", &given, error))
    return FALSE;
  if (given == NULL || *given == '\0')
    return TRUE;
  if (!bawn_sys_mount_is_auth (mount))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "'token_type' can only be modified on auth mounts");
  if (g_str_equal (mount->type, "token"))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "'token_type' cannot be set for 'token' or 'ns_token' auth mounts");

  return TRUE;
}

static gboolean
read_tuning (BawnRequest *request, BawnMount *mount, GError **error)
{
  gboolean force_no_cache = mount->force_no_cache;

  if (!check_token_type (request, mount, error)
      || !bawn_field_string (request, "description", &mount->description, error)
      || !bawn_sys_mount_config_read (request, mount, error))
    return FALSE;

  mount->force_no_cache = force_no_cache;
  if (mount->max_ttl_us != 0 && mount->default_ttl_us > mount->max_ttl_us)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "backend max lease TTL of %" G_GINT64_FORMAT
                      " would be less than backend default lease TTL of %" G_GINT64_FORMAT,
                      mount->max_ttl_us / G_USEC_PER_SEC, mount->default_ttl_us / G_USEC_PER_SEC);

  return TRUE;
}

static gboolean
carry_out (BawnEngine *system,
           BawnTxn *txn,
           const BawnMount *before,
           const BawnMount *after,
           GError **error)
{
  BawnEngine *engine = bawn_core_lookup_engine (bawn_engine_system_get_core (system), after->type,
                                                bawn_sys_mount_is_auth (after));

  if (engine == NULL || BAWN_ENGINE_GET_CLASS (engine)->tuned == NULL)
    return TRUE;

  g_autoptr (BawnTxn) scoped = bawn_txn_scope (txn, after->view);
  return BAWN_ENGINE_GET_CLASS (engine)->tuned (engine, before, after, scoped, error);
}

BawnResponse *
bawn_sys_tune_write (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, const char *path, GError **error)
{
  g_autoptr (BawnMountTable) table = NULL;
  gboolean options_changed = FALSE;

  if (bawn_sys_mount_is_protected (path, untunable))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "cannot tune \"%s\"", path);
  if (!bawn_mount_table_get (txn, &table, error))
    return NULL;

  const BawnMount *before = bawn_mount_table_lookup (table, path);
  if (before == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "tune of path \"%s\" failed: no mount entry found", path);

  g_autoptr (BawnMount) after = bawn_mount_copy (before);
  if (!read_tuning (request, after, error)
      || !merge_options (request, before, after, &options_changed, error)
      || (options_changed && !carry_out (engine, txn, before, after, error)))
    return NULL;

  const char *old_version = bawn_mount_option (before, "version");
  const char *new_version = bawn_mount_option (after, "version");
  g_autoptr (BawnResponse) response = bawn_response_new_empty ();
  if (g_strcmp0 (new_version, "2") == 0 && g_strcmp0 (old_version, "2") != 0)
    bawn_response_warn (response,
                        "Upgrading mount from version %s to version 2. This mount will be "
                        "unavailable for a brief period "
                        "and will resume service shortly.",
                        old_version != NULL ? old_version : "1");

  g_autoptr (BawnMountTable) changed = bawn_mount_table_add (table, g_steal_pointer (&after));
  bawn_mount_table_put (txn, changed);
  return g_steal_pointer (&response);
}
