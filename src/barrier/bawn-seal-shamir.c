/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-seal-shamir.h"

#include "barrier/bawn-entry.h"
#include "barrier/bawn-quorum.h"
#include "util/bawn-error.h"

struct _BawnSealShamir
{
  GObject parent_instance;

  GMutex lock;
  BawnQuorum quorum;
  char config_id[BAWN_UUID_SIZE]; /* whose shares these are */
  BawnSecret *kek;
};

static void bawn_seal_shamir_seal_init (BawnSealInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (BawnSealShamir,
                               bawn_seal_shamir,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (BAWN_TYPE_SEAL, bawn_seal_shamir_seal_init))

static BawnSecret *
ref_key (BawnSealShamir *self, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  if (self->kek == NULL)
    return bawn_fail_null (error, BAWN_ERROR_SEALED, "the seal waits for its shares");

  return bawn_secret_ref (self->kek);
}

static GBytes *
bawn_seal_shamir_wrap (BawnSeal *seal,
                       BawnSecret *root_key,
                       GCancellable *cancellable,
                       GError **error)
{
  g_autoptr (BawnSecret) kek = ref_key (BAWN_SEAL_SHAMIR (seal), error);

  return kek != NULL ? bawn_entry_seal_secret (kek, BAWN_ROOT_KEY_KEY, root_key) : NULL;
}

static BawnSecret *
open_root_key (BawnSecret *kek, GBytes *box, GError **error)
{
  guint32 term = 0;
  if (!bawn_entry_peek_term (BAWN_ROOT_KEY_KEY, box, &term, error))
    return NULL;

  g_autoptr (BawnSecret) root_key = bawn_entry_open_secret (kek, BAWN_ROOT_KEY_KEY, box, NULL);
  if (root_key == NULL || bawn_secret_size (root_key) != BAWN_KEY_SIZE)
    return bawn_fail_null (error, BAWN_ERROR_DENIED, "message authentication failed");

  return g_steal_pointer (&root_key);
}

static BawnSecret *
bawn_seal_shamir_unwrap (BawnSeal *seal, GBytes *box, GCancellable *cancellable, GError **error)
{
  g_autoptr (BawnSecret) kek = ref_key (BAWN_SEAL_SHAMIR (seal), error);

  return kek != NULL ? open_root_key (kek, box, error) : NULL;
}

static void
bawn_seal_shamir_finalize (GObject *object)
{
  BawnSealShamir *self = BAWN_SEAL_SHAMIR (object);

  bawn_quorum_clear (&self->quorum);
  g_clear_pointer (&self->kek, bawn_secret_unref);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (bawn_seal_shamir_parent_class)->finalize (object);
}

static void
bawn_seal_shamir_class_init (BawnSealShamirClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = bawn_seal_shamir_finalize;
}

static void
bawn_seal_shamir_seal_init (BawnSealInterface *iface)
{
  iface->type = "shamir";
  iface->automatic = FALSE;
  iface->wrap = bawn_seal_shamir_wrap;
  iface->unwrap = bawn_seal_shamir_unwrap;
}

static void
bawn_seal_shamir_init (BawnSealShamir *self)
{
  g_mutex_init (&self->lock);
}

/**
 * bawn_seal_shamir_new:
 *
 * Returns: (transfer full): a seal that nobody has given a share to
 */
BawnSealShamir *
bawn_seal_shamir_new (void)
{
  return g_object_new (BAWN_TYPE_SEAL_SHAMIR, NULL);
}

/* Adds a share. At the threshold *out_kek is set and the gathering is over. */
static gboolean
gather (BawnSealShamir *self,
        const BawnSealConfig *config,
        BawnSecret *share,
        BawnSecret **out_kek,
        GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  /* Shares gathered before a rekey on another node are of no use any more. */
  if (!g_str_equal (self->config_id, config->id))
    bawn_quorum_clear (&self->quorum);
  g_strlcpy (self->config_id, config->id, sizeof self->config_id);
  if (self->quorum.given == NULL)
    bawn_quorum_begin (&self->quorum);
  if (!bawn_quorum_has (&self->quorum, share))
    bawn_quorum_add (&self->quorum, share);
  if (bawn_quorum_get_progress (&self->quorum) < config->threshold)
    return TRUE;

  g_autoptr (BawnSecret) kek = bawn_quorum_combine (&self->quorum, config->threshold, error);
  bawn_quorum_clear (&self->quorum);
  if (kek == NULL)
    return FALSE;

  *out_kek = g_steal_pointer (&kek);
  return TRUE;
}

/**
 * bawn_seal_shamir_give:
 * @self: a seal
 * @records: as stored now
 * @share: a share
 * @out_keyring: (out) (nullable): the keyring, if this was the last share needed
 * @error: (out) (optional): INVALID if the shares do not open the store; CORRUPT if they do, and
 * the keyring is broken
 *
 * Takes one share. Storage is not touched: read the records first, so that nothing has changed when
 * that fails.
 *
 * Returns: %TRUE if the share was taken, or was there already
 */
gboolean
bawn_seal_shamir_give (BawnSealShamir *self,
                       const BawnSealRecords *records,
                       BawnSecret *share,
                       BawnKeyring **out_keyring,
                       GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (BawnSecret) kek = NULL;

  if (!gather (self, &records->config, share, &kek, &reason))
    return bawn_fail (error, BAWN_ERROR_INVALID, "Unseal failed, invalid key: %s", reason->message);
  if (kek == NULL)
    {
      *out_keyring = NULL;
      return TRUE;
    }

  g_autoptr (BawnSecret) root_key = open_root_key (kek, records->root_key_box, &reason);
  if (bawn_error_is (reason, BAWN_ERROR_DENIED))
    return bawn_fail (error, BAWN_ERROR_INVALID, "Unseal failed, invalid key: %s", reason->message);
  if (root_key == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }

  BawnKeyring *keyring = bawn_seal_records_open_keyring (records, root_key, error);
  if (keyring == NULL)
    return FALSE;

  *out_keyring = keyring;
  return TRUE;
}

/**
 * bawn_seal_shamir_reset:
 * @self: a seal
 *
 * Forgets the shares that were given.
 */
void
bawn_seal_shamir_reset (BawnSealShamir *self)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  bawn_quorum_clear (&self->quorum);
}

/**
 * bawn_seal_shamir_get_progress:
 * @self: a seal
 *
 * Returns: how many shares were given
 */
guint
bawn_seal_shamir_get_progress (BawnSealShamir *self)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  return bawn_quorum_get_progress (&self->quorum);
}

/**
 * bawn_seal_shamir_dup_nonce:
 * @self: a seal
 *
 * Returns: (transfer full): a uuid for as long as shares are being given, else ""
 */
char *
bawn_seal_shamir_dup_nonce (BawnSealShamir *self)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  return g_strdup (self->quorum.nonce);
}

/**
 * bawn_seal_shamir_set_key:
 * @self: a seal
 * @kek: its key
 *
 * Makes bawn_seal_wrap() and bawn_seal_unwrap() work.
 */
void
bawn_seal_shamir_set_key (BawnSealShamir *self, BawnSecret *kek)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  g_clear_pointer (&self->kek, bawn_secret_unref);
  self->kek = bawn_secret_ref (kek);
}
