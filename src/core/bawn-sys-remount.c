/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"
#include "crypto/bawn-crypto.h"

/* sys/remount. A mount is moved by giving its row another path: its entries stay where they are.
 * Clients since 1.10 take an id and ask how far it is; here it is done when they get the id, and
 * the last few ids are remembered to say so. */

#define MIGRATIONS_KEY "sys/remount"
/* Clients ask within seconds; an older id is of no use to anybody. */
#define MIGRATIONS_MAX 32

static const char *const protected_mounts[] = { "audit/",    "auth/token/", "cubbyhole/",
                                                "identity/", "sys/",        NULL };

static gboolean
read_paths (BawnRequest *request, char **out_from, char **out_to, GError **error)
{
  g_autofree char *from = NULL;
  g_autofree char *to = NULL;

  if (!bawn_field_string (request, "from", &from, error)
      || !bawn_field_string (request, "to", &to, error))
    return FALSE;
  if (from == NULL || to == NULL || *from == '\0' || *to == '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "both 'from' and 'to' path must be specified as a string");

  if (strlen (to) >= BAWN_SYS_MOUNT_PATH_MAX)
    return bawn_fail (error, BAWN_ERROR_INVALID, "a mount's path has at most %d bytes",
                      BAWN_SYS_MOUNT_PATH_MAX);

  *out_from = bawn_sys_mount_path (from, FALSE);
  *out_to = bawn_sys_mount_path (to, FALSE);
  return TRUE;
}

static const BawnMount *
check_move (const BawnMountTable *table, const char *from, const char *to, GError **error)
{
  gboolean is_auth = g_str_has_prefix (from, "auth/");

  if (bawn_sys_mount_is_protected (from, protected_mounts) || g_str_equal (from, "auth/"))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "cannot remount \"%s\"", from);
  if (bawn_sys_mount_is_protected (to, protected_mounts) || g_str_equal (to, "auth/"))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "cannot remount to \"%s\"", to);
  if (is_auth && !g_str_has_prefix (to, "auth/"))
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "cannot remount auth mount to non-auth mount \"%s\"", to);
  if (!is_auth && g_str_has_prefix (to, "auth/"))
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "cannot remount non-auth mount to auth mount \"%s\"", to);

  const BawnMount *mount = bawn_mount_table_lookup (table, from);
  if (mount == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "no matching mount at \"%s\"", from);

  const BawnMount *other = bawn_mount_table_conflict (table, to);
  if (other != NULL && other != mount)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "existing mount at \"%s\"", other->path);
  if (g_str_equal (from, to))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "existing mount at \"%s\"", to);

  return mount;
}

static void
write_migration (BawnJsonWriter *w, const char *id, const char *from, const char *to)
{
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "migration_id", id);
  bawn_json_writer_name (w, "migration_info");
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "source_mount", from);
  bawn_json_writer_add_string (w, "status", "success");
  bawn_json_writer_add_string (w, "target_mount", to);
  bawn_json_writer_end_object (w);
  bawn_json_writer_end_object (w);
}

/* Newest first. */
static gboolean
remember_migration (BawnTxn *txn, const char *id, const char *from, const char *to, GError **error)
{
  g_autoptr (GBytes) stored = NULL;
  g_autoptr (BawnJson) json = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_txn_get (txn, MIGRATIONS_KEY, &stored, error))
    return FALSE;
  if (stored != NULL && (json = bawn_json_parse (stored, NULL, error)) == NULL)
    return FALSE;

  bawn_json_writer_begin_array (&w);
  write_migration (&w, id, from, to);
  const BawnJsonNode *old = json != NULL ? bawn_json_root (json)->children : NULL;
  for (guint n = 1; old != NULL && n < MIGRATIONS_MAX; n++, old = old->next)
    bawn_json_writer_node (&w, old);
  bawn_json_writer_end_array (&w);

  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);
  bawn_txn_put (txn, MIGRATIONS_KEY, value);
  return TRUE;
}

/* Leases carry the old path in their names and could not find their engine afterwards, so they end
 * first. One that is made between that and the commit shows up in the listing, or collides with it.
 */
static gboolean
end_leases (BawnEngine *engine, BawnTxn *txn, const char *from, GError **error)
{
  g_auto (GStrv) left = NULL;

  if (!bawn_lease_list (txn, from, &left, error))
    return FALSE;
  if (left[0] == NULL)
    return TRUE;
  if (!bawn_sys_revoke_prefix (engine, txn, from, FALSE, error))
    return FALSE;

  return bawn_fail (error, BAWN_ERROR_CONFLICT, "leases below \"%s\" were ended", from);
}

static BawnResponse *
remount (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *from = NULL;
  g_autofree char *to = NULL;
  g_autoptr (BawnMountTable) table = NULL;

  if (!read_paths (request, &from, &to, error) || !bawn_mount_table_get (txn, &table, error))
    return NULL;

  const BawnMount *mount = check_move (table, from, to, error);
  if (mount == NULL || !end_leases (engine, txn, from, error))
    return NULL;

  g_autoptr (BawnMount) moved = bawn_mount_copy (mount);
  g_free (moved->path);
  moved->path = g_strdup (to);
  g_autoptr (BawnMountTable) without = bawn_mount_table_remove (table, from);
  g_autoptr (BawnMountTable) clean = bawn_mount_table_forget (without, mount->uuid);
  g_autoptr (BawnMountTable) changed = bawn_mount_table_add (clean, g_steal_pointer (&moved));
  bawn_mount_table_put (txn, changed);

  g_autofree char *id = bawn_random_uuid ();
  if (!remember_migration (txn, id, from, to, error))
    return NULL;

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "migration_id", id);
  bawn_json_writer_end_object (&w);
  return bawn_sys_injected (&w);
}

static BawnResponse *
remount_status (BawnEngine *engine G_GNUC_UNUSED,
                BawnRequest *request,
                BawnTxn *txn,
                GError **error)
{
  const char *id = bawn_request_param (request, "id");
  g_autoptr (GBytes) stored = NULL;

  if (!bawn_txn_get (txn, MIGRATIONS_KEY, &stored, error))
    return NULL;

  g_autoptr (BawnJson) json =
      stored != NULL ? bawn_json_parse (stored, NULL, error) : bawn_json_parse_string ("[]", error);
  if (json == NULL)
    return NULL;

  for (const BawnJsonNode *row = bawn_json_root (json)->children; row != NULL; row = row->next)
    if (g_strcmp0 (bawn_json_get_string (row, "migration_id", NULL), id) == 0)
      return bawn_response_new_data (bawn_json_node_bytes (json, row));

  return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "%s", "");
}

const BawnRoute bawn_sys_remount_routes[] = {
  { "remount", BAWN_OP_WRITE, remount, BAWN_ROUTE_SUDO,
    "Move the mount point of an already-mounted backend." },
  { "remount/status/{id}", BAWN_OP_READ, remount_status, BAWN_ROUTE_NONE,
    "Read how far a move is." },
  { 0 },
};
