/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-mount.h"

#include "logical/bawn-string-map.h"

static void
mount_clear (gpointer data)
{
  BawnMount *mount = data;

  g_free (mount->path);
  g_free (mount->type);
  g_free (mount->description);
  g_free (mount->accessor);
  g_free (mount->uuid);
  g_free (mount->view);
  g_clear_pointer (&mount->options, g_hash_table_unref);
  g_free (mount->listing_visibility);
  g_free (mount->token_type);
  g_strfreev (mount->audit_non_hmac_request_keys);
  g_strfreev (mount->audit_non_hmac_response_keys);
  g_strfreev (mount->passthrough_request_headers);
  g_strfreev (mount->allowed_response_headers);
}

/**
 * bawn_mount_new:
 *
 * Returns: (transfer full): a row with nothing set, to be filled before it is shared
 */
BawnMount *
bawn_mount_new (void)
{
  return g_atomic_rc_box_new0 (BawnMount);
}

/**
 * bawn_mount_copy:
 * @mount: a row
 *
 * Returns: (transfer full): a deep copy, to be changed before it is shared
 */
BawnMount *
bawn_mount_copy (const BawnMount *mount)
{
  g_return_val_if_fail (mount != NULL, NULL);

  BawnMount *copy = bawn_mount_new ();

  *copy = *mount;
  copy->path = g_strdup (mount->path);
  copy->type = g_strdup (mount->type);
  copy->description = g_strdup (mount->description);
  copy->accessor = g_strdup (mount->accessor);
  copy->uuid = g_strdup (mount->uuid);
  copy->view = g_strdup (mount->view);
  copy->options = bawn_string_map_copy (mount->options);
  copy->listing_visibility = g_strdup (mount->listing_visibility);
  copy->token_type = g_strdup (mount->token_type);
  copy->audit_non_hmac_request_keys = g_strdupv (mount->audit_non_hmac_request_keys);
  copy->audit_non_hmac_response_keys = g_strdupv (mount->audit_non_hmac_response_keys);
  copy->passthrough_request_headers = g_strdupv (mount->passthrough_request_headers);
  copy->allowed_response_headers = g_strdupv (mount->allowed_response_headers);

  return copy;
}

/**
 * bawn_mount_ref:
 * @mount: a row
 *
 * Returns: (transfer full): @mount. Any thread.
 */
BawnMount *
bawn_mount_ref (BawnMount *mount)
{
  return g_atomic_rc_box_acquire (mount);
}

/**
 * bawn_mount_unref:
 * @mount: (transfer full): a row
 */
void
bawn_mount_unref (BawnMount *mount)
{
  g_atomic_rc_box_release_full (mount, mount_clear);
}

/**
 * bawn_mount_option:
 * @mount: a row
 * @name: an option
 *
 * Returns: (nullable): its value
 */
const char *
bawn_mount_option (const BawnMount *mount, const char *name)
{
  g_return_val_if_fail (mount != NULL, NULL);

  return mount->options != NULL ? g_hash_table_lookup (mount->options, name) : NULL;
}

/**
 * bawn_mount_max_ttl_us:
 * @mount: a row
 *
 * Returns: how long a lease of this mount may live in all, in microseconds
 */
gint64
bawn_mount_max_ttl_us (const BawnMount *mount)
{
  g_return_val_if_fail (mount != NULL, BAWN_SYSTEM_TTL_US);

  return mount->max_ttl_us > 0 ? mount->max_ttl_us : BAWN_SYSTEM_TTL_US;
}

/**
 * bawn_mount_default_ttl_us:
 * @mount: a row
 *
 * Returns: how long a lease of this mount lives if nobody says otherwise, in microseconds; never
 * above the maximum
 */
gint64
bawn_mount_default_ttl_us (const BawnMount *mount)
{
  g_return_val_if_fail (mount != NULL, BAWN_SYSTEM_TTL_US);

  gint64 wanted = mount->default_ttl_us > 0 ? mount->default_ttl_us : BAWN_SYSTEM_TTL_US;

  return MIN (wanted, bawn_mount_max_ttl_us (mount));
}
