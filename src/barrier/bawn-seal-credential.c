/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-seal-credential.h"

#include "barrier/bawn-auto-record.h"
#include "barrier/bawn-entry.h"
#include "util/bawn-error.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct _BawnSealCredential
{
  GObject parent_instance;

  BawnSecret *key; /* nullable */
};

static void bawn_seal_credential_seal_init (BawnSealInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (BawnSealCredential,
                               bawn_seal_credential,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (BAWN_TYPE_SEAL, bawn_seal_credential_seal_init))

static gboolean
check_key (BawnSealCredential *self, GError **error)
{
  return self->key != NULL
         || bawn_fail (error, BAWN_ERROR_SEALED, "the service manager has passed no unseal key to this server");
}

static GBytes *
bawn_seal_credential_wrap (BawnSeal *seal, BawnSecret *root_key, GCancellable *cancellable, GError **error)
{
  BawnSealCredential *self = BAWN_SEAL_CREDENTIAL (seal);

  return check_key (self, error) ? bawn_entry_seal_secret (self->key, BAWN_AUTO_RECORD_KEY, root_key) : NULL;
}

static BawnSecret *
bawn_seal_credential_unwrap (BawnSeal *seal, GBytes *box, GCancellable *cancellable, GError **error)
{
  BawnSealCredential *self = BAWN_SEAL_CREDENTIAL (seal);
  guint32 term = 0;

  if (!check_key (self, error) || !bawn_entry_peek_term (BAWN_AUTO_RECORD_KEY, box, &term, error))
    return NULL;

  g_autoptr(BawnSecret) root_key = bawn_entry_open_secret (self->key, BAWN_AUTO_RECORD_KEY, box, NULL);
  if (root_key == NULL || bawn_secret_size (root_key) != BAWN_KEY_SIZE)
    return bawn_fail_null (error, BAWN_ERROR_DENIED, "the unseal key that the service manager has passed is not that of this storage");

  return g_steal_pointer (&root_key);
}

static void
bawn_seal_credential_finalize (GObject *object)
{
  BawnSealCredential *self = BAWN_SEAL_CREDENTIAL (object);

  g_clear_pointer (&self->key, bawn_secret_unref);
  G_OBJECT_CLASS (bawn_seal_credential_parent_class)->finalize (object);
}

static void
bawn_seal_credential_class_init (BawnSealCredentialClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = bawn_seal_credential_finalize;
}

static void
bawn_seal_credential_seal_init (BawnSealInterface *iface)
{
  iface->type = "credential";
  iface->automatic = TRUE;
  iface->wrap = bawn_seal_credential_wrap;
  iface->unwrap = bawn_seal_credential_unwrap;
}

static void
bawn_seal_credential_init (BawnSealCredential *self)
{
}

/**
 * bawn_seal_credential_new:
 * @key: (nullable): what wraps the root key
 *
 * Returns: (transfer full): a seal
 */
BawnSealCredential *
bawn_seal_credential_new (BawnSecret *key)
{
  BawnSealCredential *self = g_object_new (BAWN_TYPE_SEAL_CREDENTIAL, NULL);

  self->key = key != NULL ? bawn_secret_ref (key) : NULL;
  return self;
}

/* All bytes up to @size, or fewer at the end of the file; -1 with errno. */
static gssize
read_all (int fd, guint8 *data, gsize size)
{
  gsize n = 0;

  while (n < size)
    {
      gssize got = read (fd, data + n, size - n);

      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return -1;
      if (got == 0)
        break;
      n += (gsize) got;
    }

  return (gssize) n;
}

/**
 * bawn_seal_credential_read:
 * @path: of a file
 * @error: return location
 *
 * The bytes never are anywhere but in locked memory.
 *
 * Returns: (transfer full) (nullable): the key
 */
BawnSecret *
bawn_seal_credential_read (const char *path, GError **error)
{
  guint8 *data = NULL;
  g_autoptr(BawnSecret) key = bawn_secret_new (BAWN_SEAL_CREDENTIAL_SIZE, &data);
  guint8 more = 0;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

  if (fd < 0)
    return bawn_fail_null (error, errno == ENOENT ? BAWN_ERROR_NOT_FOUND : BAWN_ERROR_INVALID, "%s: %s", path,
                           g_strerror (errno));

  gssize n = read_all (fd, data, BAWN_SEAL_CREDENTIAL_SIZE);
  gboolean fits = n == BAWN_SEAL_CREDENTIAL_SIZE && read_all (fd, &more, 1) == 0;
  explicit_bzero (&more, sizeof more);
  close (fd);
  if (!fits)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "%s: an unseal key has %d bytes, no more and no less", path,
                           BAWN_SEAL_CREDENTIAL_SIZE);

  return g_steal_pointer (&key);
}
