/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-backend.h"

#include "storage/bawn-outage.h"

#include <string.h>

G_DEFINE_INTERFACE (BawnBackend, bawn_backend, G_TYPE_OBJECT)

static void
bawn_backend_default_init (BawnBackendInterface *iface)
{
}

/* A backend hands a cancelled call back as GIO does; above it there is one error domain only. What
 * was cut short has a text of that library, or of none: here it is known why. */
static gboolean
take_error (GError *local, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) owned = local;

  if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || (g_cancellable_is_cancelled (cancellable) && bawn_error_is (local, BAWN_ERROR_UPSTREAM)))
    return bawn_fail (error, BAWN_ERROR_TIMEOUT, "it did not answer in the time that it was given");
  if (g_cancellable_is_cancelled (cancellable)
      && bawn_error_is (local, BAWN_ERROR_UNKNOWN_OUTCOME))
    return bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME,
                      "it did not say in the time that it was given whether the write is in");

  g_propagate_error (error, g_steal_pointer (&owned));
  return FALSE;
}

static gboolean
end_call (BawnBackend *self,
          BawnOutageSide side,
          gboolean ok,
          GError *local,
          GCancellable *cancellable,
          GError **error)
{
  g_autoptr (GError) told = NULL;

  if (ok)
    {
      bawn_outage_note (self, side, NULL);
      return TRUE;
    }

  take_error (local, cancellable, &told);
  bawn_outage_note (self, side, told);
  g_propagate_error (error, g_steal_pointer (&told));
  return FALSE;
}

static gboolean
may_go_on (GCancellable *cancellable, GError **error)
{
  if (g_cancellable_is_cancelled (cancellable))
    return bawn_fail (error, BAWN_ERROR_TIMEOUT, "the storage was given no more time");

  return TRUE;
}

static gboolean
check_key (const char *key, GError **error)
{
  if (!bawn_backend_key_is_valid (key))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "a storage key must be 1 to %d bytes of UTF-8 without empty segments",
                      BAWN_BACKEND_MAX_KEY);

  return TRUE;
}

static gboolean
check_listing (const char *prefix, const char *after, GError **error)
{
  gsize size = strlen (prefix);

  if (size > 0)
    {
      g_autofree char *folder = g_strndup (prefix, size - 1);

      if (prefix[size - 1] != '/' || size > BAWN_BACKEND_MAX_KEY
          || !bawn_backend_key_is_valid (folder))
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          "a storage folder must be a key that ends in '/'");
    }
  if (after == NULL)
    return TRUE;

  const char *slash = strchr (after, '/');

  if (*after == '\0' || *after == '/' || (slash != NULL && slash[1] != '\0')
      || strlen (after) > BAWN_BACKEND_MAX_KEY || !g_utf8_validate (after, -1, NULL))
    return bawn_fail (error, BAWN_ERROR_INVALID, "a listing can only go on after a name");

  return TRUE;
}

static gboolean
check_unique (GHashTable *seen, const char *key, const char *what, GError **error)
{
  if (!check_key (key, error))
    return FALSE;
  if (!g_hash_table_add (seen, (gpointer) key))
    return bawn_fail (error, BAWN_ERROR_INVALID, "the key %s stands in one commit twice (%s)", key,
                      what);

  return TRUE;
}

static gboolean
check_writes (BawnBackend *self, const BawnWrite *writes, guint n_writes, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  BawnBackendLimits limits = { 0 };
  gsize total = 0;

  bawn_backend_get_limits (self, &limits);
  if (n_writes > limits.max_writes)
    return bawn_fail (error, BAWN_ERROR_TOO_LARGE,
                      "%u writes are more than the %u that the storage takes in one commit",
                      n_writes, limits.max_writes);

  for (guint i = 0; i < n_writes; i++)
    {
      gsize size = writes[i].kind == BAWN_WRITE_PUT ? g_bytes_get_size (writes[i].value) : 0;

      if (!check_unique (seen, writes[i].key, "writes", error))
        return FALSE;
      if (size > limits.max_value)
        return bawn_fail (error, BAWN_ERROR_TOO_LARGE,
                          "a value of %" G_GSIZE_FORMAT " bytes is larger than the %" G_GSIZE_FORMAT
                          " that the storage takes",
                          size, limits.max_value);
      total += strlen (writes[i].key) + size;
    }

  if (total > limits.max_commit)
    return bawn_fail (error, BAWN_ERROR_TOO_LARGE,
                      "%" G_GSIZE_FORMAT " bytes are more than the %" G_GSIZE_FORMAT
                      " that the storage takes in one commit",
                      total, limits.max_commit);

  return TRUE;
}

static gboolean
check_conditions (const BawnCondition *conditions, guint n_conditions, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < n_conditions; i++)
    if (!check_unique (seen, conditions[i].key, "conditions", error))
      return FALSE;

  return TRUE;
}

/**
 * bawn_backend_key_is_valid:
 * @key: a string
 *
 * Returns: %TRUE if @key is 1 to %BAWN_BACKEND_MAX_KEY bytes of UTF-8 and no segment of it is empty
 */
gboolean
bawn_backend_key_is_valid (const char *key)
{
  gsize size = strnlen (key, BAWN_BACKEND_MAX_KEY + 1);

  if (size == 0 || size > BAWN_BACKEND_MAX_KEY || key[0] == '/' || key[size - 1] == '/')
    return FALSE;

  return strstr (key, "//") == NULL && g_utf8_validate (key, (gssize) size, NULL);
}

/**
 * bawn_backend_get:
 * @self: a backend
 * @key: the key
 * @out_value: (out) (optional) (nullable) (transfer full): its bytes; %NULL if it is absent
 * @out_version: (out) (optional): its version; 0 if it is absent
 * @cancellable: (nullable): ends the wait; the error is then %BAWN_ERROR_TIMEOUT
 * @error: (out) (optional): INVALID for what is not a key, UPSTREAM or CORRUPT from the storage
 *
 * Reads one key as it is now. Blocks; from any thread.
 *
 * Returns: %TRUE, also if the key is absent; %FALSE with @error set
 */
gboolean
bawn_backend_get (BawnBackend *self,
                  const char *key,
                  GBytes **out_value,
                  guint64 *out_version,
                  GCancellable *cancellable,
                  GError **error)
{
  g_return_val_if_fail (BAWN_IS_BACKEND (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);

  g_autoptr (GBytes) value = NULL;
  guint64 version = 0;
  GError *local = NULL;

  if (!check_key (key, error) || !may_go_on (cancellable, error))
    return FALSE;

  gboolean ok =
      BAWN_BACKEND_GET_IFACE (self)->get (self, key, &value, &version, cancellable, &local);

  if (!end_call (self, BAWN_OUTAGE_READS, ok, local, cancellable, error))
    return FALSE;

  if (out_value != NULL)
    *out_value = g_steal_pointer (&value);
  if (out_version != NULL)
    *out_version = version;
  return TRUE;
}

/**
 * bawn_backend_list:
 * @self: a backend
 * @prefix: "" or a folder, ending in '/'
 * @after: (nullable): the last name of the page before
 * @limit: the most names wanted; 0 is %BAWN_BACKEND_MAX_LIST, which is also the most there can be
 * @out_names: (out) (transfer full): the names, sorted bytewise; fewer than asked for means the end
 * @cancellable: (nullable): ends the wait; the error is then %BAWN_ERROR_TIMEOUT
 * @error: (out) (optional): INVALID for what is not a folder, UPSTREAM or CORRUPT from the storage
 *
 * Reads one page of the names one level below @prefix; folders end in '/', and a name that is both
 * key and folder stands there twice. Blocks; from any thread.
 *
 * Returns: %TRUE, also if there is none; %FALSE with @error set
 */
gboolean
bawn_backend_list (BawnBackend *self,
                   const char *prefix,
                   const char *after,
                   guint limit,
                   GStrv *out_names,
                   GCancellable *cancellable,
                   GError **error)
{
  g_return_val_if_fail (BAWN_IS_BACKEND (self), FALSE);
  g_return_val_if_fail (prefix != NULL, FALSE);

  g_auto (GStrv) names = NULL;
  GError *local = NULL;

  if (!check_listing (prefix, after, error) || !may_go_on (cancellable, error))
    return FALSE;
  if (limit == 0 || limit > BAWN_BACKEND_MAX_LIST)
    limit = BAWN_BACKEND_MAX_LIST;

  gboolean ok =
      BAWN_BACKEND_GET_IFACE (self)->list (self, prefix, after, limit, &names, cancellable, &local);

  if (!end_call (self, BAWN_OUTAGE_READS, ok, local, cancellable, error))
    return FALSE;

  *out_names = g_steal_pointer (&names);
  return TRUE;
}

/**
 * bawn_backend_commit:
 * @self: a backend
 * @writes: (array length=n_writes): what to put and delete, each key once
 * @n_writes: how many
 * @conditions: (array length=n_conditions): what must hold, each key once
 * @n_conditions: how many
 * @out_version: (out) (optional): the version that every key of @writes has now
 * @cancellable: (nullable): ends the wait
 * @error: (out) (optional): see below
 *
 * Writes all or nothing, durably, if every condition holds. Blocks; from any thread.
 *
 * %BAWN_ERROR_UNKNOWN_OUTCOME means that the writes may be in the storage, now or later, or not.
 * Every other error means that they are not and never will be: CONFLICT (a condition did not hold),
 * TOO_LARGE and INVALID (nothing was sent), TIMEOUT (cancelled before anything was sent), UPSTREAM,
 * CORRUPT.
 *
 * Returns: %TRUE if all is written; %FALSE with @error set
 */
gboolean
bawn_backend_commit (BawnBackend *self,
                     const BawnWrite *writes,
                     guint n_writes,
                     const BawnCondition *conditions,
                     guint n_conditions,
                     guint64 *out_version,
                     GCancellable *cancellable,
                     GError **error)
{
  g_return_val_if_fail (BAWN_IS_BACKEND (self), FALSE);
  g_return_val_if_fail (n_writes > 0, FALSE);

  guint64 version = 0;
  GError *local = NULL;

  if (!check_writes (self, writes, n_writes, error)
      || !check_conditions (conditions, n_conditions, error) || !may_go_on (cancellable, error))
    return FALSE;

  gboolean ok = BAWN_BACKEND_GET_IFACE (self)->commit (
      self, writes, n_writes, conditions, n_conditions, &version, cancellable, &local);

  if (!end_call (self, BAWN_OUTAGE_WRITES, ok, local, cancellable, error))
    return FALSE;

  if (out_version != NULL)
    *out_version = version;
  return TRUE;
}

/**
 * bawn_backend_get_limits:
 * @self: a backend
 * @out_limits: (out): what one commit may hold; the same at every call
 */
void
bawn_backend_get_limits (BawnBackend *self, BawnBackendLimits *out_limits)
{
  g_return_if_fail (BAWN_IS_BACKEND (self));

  BAWN_BACKEND_GET_IFACE (self)->get_limits (self, out_limits);
}
