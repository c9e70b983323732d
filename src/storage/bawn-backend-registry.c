/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-backend-registry.h"

#include "storage/bawn-outage.h"

/* As many as will ever be built in or loaded; a bound, so that the table needs no locking and no
 * heap. */
#define MAX_BACKENDS 32

typedef struct
{
  const char *name;
  BawnTypeFunc get_type;
  gboolean ha_capable;
} BackendRow;

static BackendRow rows[MAX_BACKENDS];
static const char *names[MAX_BACKENDS + 1];
static guint n_rows = 0;

static const BackendRow *
find_row (const char *name)
{
  for (guint i = 0; i < n_rows; i++)
    if (g_str_equal (rows[i].name, name))
      return &rows[i];

  return NULL;
}

/**
 * bawn_backend_register:
 * @name: what `type=` in the configuration says
 * @get_type: gives the type, which implements #BawnBackend and #GInitable
 * @ha_capable: whether several machines can share the storage
 *
 * Makes a storage known. At start-up only, before there are threads. A name that is known already
 * stays as it is.
 */
void
bawn_backend_register (const char *name, BawnTypeFunc get_type, gboolean ha_capable)
{
  g_return_if_fail (name != NULL && get_type != NULL);
  g_return_if_fail (n_rows < MAX_BACKENDS);

  if (find_row (name) != NULL)
    return;

  const char *interned = g_intern_string (name);

  rows[n_rows] = (BackendRow){ interned, get_type, ha_capable };
  names[n_rows] = interned;
  n_rows++;
}

/**
 * bawn_backend_names:
 *
 * Returns: (transfer none): the known names, in the order of their registration, %NULL-terminated
 */
const char *const *
bawn_backend_names (void)
{
  return names;
}

/**
 * bawn_backend_is_ha_capable:
 * @name: a name
 *
 * Returns: %TRUE if that storage is known and several machines can share it
 */
gboolean
bawn_backend_is_ha_capable (const char *name)
{
  const BackendRow *row = find_row (name);

  return row != NULL && row->ha_capable;
}

/**
 * bawn_backend_open:
 * @group: the [storage] group
 * @cancellable: (nullable): ends the wait
 * @error: (out) (optional): INVALID for a type that is not known, or what the storage has to say
 *
 * Makes the backend that `type=` asks for. Blocks.
 *
 * Returns: (transfer full): the backend; %NULL with @error set
 */
BawnBackend *
bawn_backend_open (BawnConfigGroup *group, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (group != NULL, NULL);

  g_autofree char *name = bawn_config_get_string (group, "type", BAWN_BACKEND_DEFAULT);
  g_autofree char *known = g_strjoinv (" ", (char **) names);
  const BackendRow *row = find_row (name);

  if (row == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "[%s] type is %s; what there is here: %s",
                           bawn_config_group_get_name (group), name, known);

  BawnBackend *backend = (BawnBackend *) g_initable_new (row->get_type (), cancellable, error,
                                                         "config", group, NULL);
  g_autofree char *shown =
      g_strdup_printf ("%s of [%s]", name, bawn_config_group_get_name (group));

  if (backend != NULL)
    bawn_outage_watch (backend, shown);
  return backend;
}

/**
 * bawn_backend_check_config:
 * @group: the [storage] group
 *
 * Has the storage read its keys, and complain, without opening it. Nothing happens for a type that is not known.
 *
 * Returns: whether it has; %FALSE if it reads them only when it is opened
 */
gboolean
bawn_backend_check_config (BawnConfigGroup *group)
{
  g_return_val_if_fail (group != NULL, FALSE);

  g_autofree char *name = bawn_config_get_string (group, "type", BAWN_BACKEND_DEFAULT);
  const BackendRow *row = find_row (name);

  if (row == NULL)
    return TRUE;

  g_autoptr (BawnBackend) backend = g_object_new (row->get_type (), "config", group, NULL);

  if (BAWN_BACKEND_GET_IFACE (backend)->configure == NULL)
    return FALSE;

  BAWN_BACKEND_GET_IFACE (backend)->configure (backend);
  return TRUE;
}
