/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "util/bawn-error.h"

G_BEGIN_DECLS

/* <installed> */
/* Keys are UTF-8 paths: 1 to 1024 bytes, no NUL, no empty segment. */
#define BAWN_BACKEND_MAX_KEY 1024

typedef enum
{
  BAWN_WRITE_PUT,
  BAWN_WRITE_DELETE,
} BawnWriteKind;

/**
 * BawnWrite:
 * @kind: put or delete
 * @key: the key
 * @value: (nullable): for a put, the bytes
 */
typedef struct
{
  BawnWriteKind kind;
  const char *key;
  GBytes *value;
} BawnWrite;

/**
 * BawnCondition:
 * @key: the key that must be unchanged
 * @version: the version it must have; 0: it must be absent
 */
typedef struct
{
  const char *key;
  guint64 version;
} BawnCondition;

/**
 * BawnBackendLimits:
 * @max_value: largest value in bytes
 * @max_writes: most writes in one commit
 * @max_commit: largest sum of keys and values of one commit in bytes
 *
 * What one commit may hold; the fence's own write is counted by the committer. Every breach is an error
 * before anything is sent.
 */
typedef struct
{
  gsize max_value;
  guint max_writes;
  gsize max_commit;
} BawnBackendLimits;

#define BAWN_TYPE_BACKEND (bawn_backend_get_type ())
G_DECLARE_INTERFACE (BawnBackend, bawn_backend, BAWN, BACKEND, GObject)

/**
 * BawnBackendInterface:
 * @get: reads one key, linearizably
 * @list: the names one level below a prefix
 * @commit: writes all or nothing
 * @get_limits: what a commit may hold; constant over the object's life
 * @configure: (nullable): reads the keys of its "config" and complains there, without opening anything: for a check of the
 *   configuration; called on an object that is not initialised
 *
 * A storage. All calls may block, come from worker threads, several at a time, and honour the cancellable.
 * Errors are of %BAWN_ERROR: UPSTREAM for a storage that does not do its work, CORRUPT for one that is
 * damaged, CONFLICT for a condition that did not hold, UNKNOWN_OUTCOME for a commit that was sent and whose
 * answer was lost. Versions are never 0, and grow: a commit gives one version to all keys it wrote, greater
 * than every version that these keys, absences included, had before.
 */
struct _BawnBackendInterface
{
  GTypeInterface parent;

  gboolean (*get) (BawnBackend *self, const char *key, GBytes **out_value, guint64 *out_version,
                   GCancellable *cancellable, GError **error);
  gboolean (*list) (BawnBackend *self, const char *prefix, const char *after, guint limit,
                    GStrv *out_names, GCancellable *cancellable, GError **error);
  gboolean (*commit) (BawnBackend *self, const BawnWrite *writes, guint n_writes,
                      const BawnCondition *conditions, guint n_conditions, guint64 *out_version,
                      GCancellable *cancellable, GError **error);
  void (*get_limits) (BawnBackend *self, BawnBackendLimits *out_limits);
  void (*configure) (BawnBackend *self);
};

/* The checked fronts of the four: keys, prefixes and limits are validated here, once, for every backend.
 * get: absent is TRUE with NULL and version 0. list: @prefix is "" or ends in '/'; names are sorted bytewise,
 * folders end in '/', a name may stand there as both; @after (nullable) is the last name of the page before;
 * at most @limit names, 0 for a backend's own bound of BAWN_BACKEND_MAX_LIST; an empty array is success. commit:
 * a key may occur once in @writes and once in @conditions; deleting what is absent succeeds. */
#define BAWN_BACKEND_MAX_LIST 10000

gboolean bawn_backend_get (BawnBackend *self, const char *key, GBytes **out_value, guint64 *out_version,
                           GCancellable *cancellable, GError **error);
gboolean bawn_backend_list (BawnBackend *self, const char *prefix, const char *after, guint limit,
                            GStrv *out_names, GCancellable *cancellable, GError **error);
gboolean bawn_backend_commit (BawnBackend *self, const BawnWrite *writes, guint n_writes,
                              const BawnCondition *conditions, guint n_conditions, guint64 *out_version,
                              GCancellable *cancellable, GError **error);
void bawn_backend_get_limits (BawnBackend *self, BawnBackendLimits *out_limits);

/* TRUE if @key may be used as a key. */
gboolean bawn_backend_key_is_valid (const char *key);
/* </installed> */

/* How a backend class is made: g_initable_new (type, cancellable, &error, "config", group, NULL), where the
 * group is a BawnConfigGroup holding [storage]; see storage/bawn-backend-registry.h. */

G_END_DECLS
