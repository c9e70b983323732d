/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-lease-private.h"
#include "util/bawn-error.h"


typedef struct
{
  BawnLease lease;
  gatomicrefcount refs;
} LeaseBox;

/**
 * bawn_lease_new:
 *
 * Returns: (transfer full): an empty lease, to be filled before it is shared
 */
BawnLease *
bawn_lease_new (void)
{
  LeaseBox *box = g_new0 (LeaseBox, 1);

  g_atomic_ref_count_init (&box->refs);
  return &box->lease;
}

/**
 * bawn_lease_ref:
 * @lease: a lease
 *
 * Returns: (transfer full): @lease
 */
BawnLease *
bawn_lease_ref (BawnLease *lease)
{
  g_atomic_ref_count_inc (&((LeaseBox *) lease)->refs);
  return lease;
}

/**
 * bawn_lease_unref:
 * @lease: (transfer full) (nullable): a lease
 */
void
bawn_lease_unref (BawnLease *lease)
{
  LeaseBox *box = (LeaseBox *) lease;

  if (box == NULL || !g_atomic_ref_count_dec (&box->refs))
    return;

  g_free (lease->id);
  g_free (lease->token);
  g_free (lease->mount);
  g_clear_pointer (&lease->internal, g_bytes_unref);
  g_free (lease->revoke_error);
  g_free (box);
}

/**
 * bawn_lease_copy:
 * @lease: a lease
 *
 * Returns: (transfer full): a new one like it, to be changed before it is shared
 */
BawnLease *
bawn_lease_copy (const BawnLease *lease)
{
  BawnLease *copy = bawn_lease_new ();

  *copy = *lease;
  copy->id = g_strdup (lease->id);
  copy->token = g_strdup (lease->token);
  copy->mount = g_strdup (lease->mount);
  copy->internal = lease->internal != NULL ? g_bytes_ref (lease->internal) : NULL;
  copy->revoke_error = g_strdup (lease->revoke_error);

  return copy;
}

GBytes *
bawn_lease_write (const BawnLease *lease)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "id", lease->id);
  if (lease->token != NULL)
    bawn_json_writer_add_string (&w, "token", lease->token);
  if (lease->mount != NULL)
    bawn_json_writer_add_string (&w, "mount", lease->mount);
  bawn_json_writer_add_bool (&w, "auth", lease->is_auth);
  bawn_json_writer_add_bool (&w, "renewable", lease->renewable);
  bawn_json_writer_add_int (&w, "issued", lease->issue_us);
  bawn_json_writer_add_int (&w, "expires", lease->expire_us);
  bawn_json_writer_add_int (&w, "renewed", lease->last_renewal_us);
  bawn_json_writer_add_int (&w, "ttl", lease->ttl_us);
  bawn_json_writer_add_int (&w, "max_ttl", lease->max_ttl_us);
  if (lease->internal != NULL)
    {
      bawn_json_writer_name (&w, "internal");
      bawn_json_writer_raw (&w, g_bytes_get_data (lease->internal, NULL),
                            g_bytes_get_size (lease->internal));
    }
  if (lease->revoke_attempts > 0)
    bawn_json_writer_add_int (&w, "attempts", lease->revoke_attempts);
  if (lease->revoke_error != NULL)
    bawn_json_writer_add_string (&w, "failure", lease->revoke_error);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

static gpointer
lease_parse (const char *key, GBytes *plain, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (BawnJson) json = bawn_json_parse (plain, NULL, &local);
  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;
  const char *id = bawn_json_get_string (root, "id", NULL);

  if (id == NULL)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s: not a lease", key);

  BawnLease *lease = bawn_lease_new ();
  const BawnJsonNode *internal = bawn_json_get (root, "internal");

  lease->id = g_strdup (id);
  lease->token = g_strdup (bawn_json_get_string (root, "token", NULL));
  lease->mount = g_strdup (bawn_json_get_string (root, "mount", NULL));
  lease->is_auth = bawn_json_get_bool (root, "auth", FALSE);
  lease->renewable = bawn_json_get_bool (root, "renewable", FALSE);
  lease->issue_us = bawn_json_get_int (root, "issued", 0);
  lease->expire_us = bawn_json_get_int (root, "expires", 0);
  lease->last_renewal_us = bawn_json_get_int (root, "renewed", 0);
  lease->ttl_us = bawn_json_get_int (root, "ttl", 0);
  lease->max_ttl_us = bawn_json_get_int (root, "max_ttl", 0);
  lease->internal = internal != NULL ? bawn_json_node_bytes (json, internal) : NULL;
  lease->revoke_attempts = (guint) CLAMP (bawn_json_get_int (root, "attempts", 0), 0, G_MAXINT);
  lease->revoke_error = g_strdup (bawn_json_get_string (root, "failure", NULL));

  return lease;
}

static gpointer
lease_ref (gpointer object)
{
  return bawn_lease_ref (object);
}

static void
lease_unref (gpointer object)
{
  bawn_lease_unref (object);
}

const BawnObjectKind bawn_lease_kind = { "lease", lease_parse, lease_ref, lease_unref };

