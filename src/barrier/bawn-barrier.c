/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-barrier.h"

#include "barrier/bawn-auto-record.h"
#include "barrier/bawn-entry.h"
#include "barrier/bawn-seal-records.h"
#include "barrier/bawn-use-lock.h"
#include "util/bawn-error.h"

#include <string.h>

/**
 * PreparedTerm:
 * @number: of the term
 * @aead: its key, ready for use
 * @base: its count when the keyring was adopted
 * @since: how often it was used since; counted by many threads
 */
typedef struct
{
  guint32 number;
  BawnAead *aead;
  guint64 base;
  gsize since;
} PreparedTerm;

/**
 * Prepared:
 *
 * A keyring made ready for use.
 */
typedef struct
{
  BawnKeyring *keyring;
  guint n_terms;
  PreparedTerm terms[];
} Prepared;

/**
 * BawnBarrier:
 *
 * @lock is held while a key is in use, which is brief; so whoever gets it for a change knows that
 * no key is. @prepared is %NULL when sealed.
 */
struct _BawnBarrier
{
  GObject parent_instance;

  BawnUseLock lock;
  Prepared *prepared;
  guint missing_term;
};

static void bawn_barrier_codec_init (BawnCodecInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (BawnBarrier,
                               bawn_barrier,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (BAWN_TYPE_CODEC, bawn_barrier_codec_init))

static void
prepared_free (Prepared *prepared)
{
  for (guint i = 0; i < prepared->n_terms; i++)
    bawn_aead_unref (prepared->terms[i].aead);
  bawn_keyring_unref (prepared->keyring);
  g_free (prepared);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Prepared, prepared_free)

static Prepared *
prepared_new (BawnKeyring *keyring)
{
  guint n_terms = bawn_keyring_get_n_terms (keyring);
  Prepared *prepared = g_malloc0 (sizeof (Prepared) + n_terms * sizeof (PreparedTerm));

  prepared->keyring = bawn_keyring_ref (keyring);
  prepared->n_terms = n_terms;
  for (guint i = 0; i < n_terms; i++)
    {
      const BawnTerm *term = bawn_keyring_get_term (keyring, i);
      prepared->terms[i].number = term->number;
      prepared->terms[i].aead = bawn_aead_new (term->key);
      prepared->terms[i].base = term->encryptions;
    }

  return prepared;
}

static PreparedTerm *
prepared_active (Prepared *prepared)
{
  return &prepared->terms[prepared->n_terms - 1];
}

/* Terms ascend, and have gaps at most if somebody made some: look where it ought to be, then
 * everywhere. */
static PreparedTerm *
prepared_lookup (Prepared *prepared, guint32 number)
{
  guint first = prepared->terms[0].number;

  if (number >= first && number - first < prepared->n_terms
      && prepared->terms[number - first].number == number)
    return &prepared->terms[number - first];
  for (guint i = 0; i < prepared->n_terms; i++)
    if (prepared->terms[i].number == number)
      return &prepared->terms[i];

  return NULL;
}

static guint64
count_of (PreparedTerm *term)
{
  return term->base + (gsize) g_atomic_pointer_get (&term->since);
}

/* No count ever goes back: neither that of the keyring nor ours. */
static void
carry_counts (Prepared *to, Prepared *from)
{
  for (guint i = 0; i < from->n_terms; i++)
    {
      PreparedTerm *term = prepared_lookup (to, from->terms[i].number);
      if (term != NULL)
        term->base = MAX (term->base, count_of (&from->terms[i]));
    }
}

static gboolean
fail_sealed (GError **error)
{
  return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");
}

static GBytes *
bawn_barrier_codec_seal (BawnCodec *codec, const char *key, GBytes *plain, GError **error)
{
  BawnBarrier *self = BAWN_BARRIER (codec);

  if (bawn_barrier_is_outside (key))
    return g_bytes_ref (plain);

  g_auto (BawnUser) user G_GNUC_UNUSED = bawn_user_enter (&self->lock);
  if (self->prepared == NULL)
    {
      fail_sealed (error);
      return NULL;
    }

  PreparedTerm *term = prepared_active (self->prepared);
  g_atomic_pointer_add (&term->since, 1);
  return bawn_entry_seal (term->aead, term->number, key, plain);
}

static void
note_missing_term (BawnBarrier *self, guint32 number)
{
  guint32 known = bawn_barrier_get_missing_term (self);

  while (number > known && !g_atomic_int_compare_and_exchange (&self->missing_term, known, number))
    known = bawn_barrier_get_missing_term (self);
}

static GBytes *
bawn_barrier_codec_open (BawnCodec *codec, const char *key, GBytes *box, GError **error)
{
  BawnBarrier *self = BAWN_BARRIER (codec);
  guint32 number = 0;

  if (bawn_barrier_is_outside (key))
    return g_bytes_ref (box);

  g_auto (BawnUser) user G_GNUC_UNUSED = bawn_user_enter (&self->lock);
  if (self->prepared == NULL)
    {
      fail_sealed (error);
      return NULL;
    }
  if (!bawn_entry_peek_term (key, box, &number, error))
    return NULL;

  PreparedTerm *term = prepared_lookup (self->prepared, number);
  if (term != NULL)
    return bawn_entry_open (term->aead, key, box, error);

  note_missing_term (self, number);
  return bawn_fail_null (error, BAWN_ERROR_CORRUPT,
                         "the entry at “%s” is sealed in term %u, which the keyring lacks", key,
                         number);
}

static void
bawn_barrier_finalize (GObject *object)
{
  BawnBarrier *self = BAWN_BARRIER (object);

  g_clear_pointer (&self->prepared, prepared_free);
  bawn_use_lock_clear (&self->lock);

  G_OBJECT_CLASS (bawn_barrier_parent_class)->finalize (object);
}

static void
bawn_barrier_class_init (BawnBarrierClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = bawn_barrier_finalize;
}

static void
bawn_barrier_codec_init (BawnCodecInterface *iface)
{
  iface->seal = bawn_barrier_codec_seal;
  iface->open = bawn_barrier_codec_open;
  iface->overhead = BAWN_ENTRY_OVERHEAD;
}

static void
bawn_barrier_init (BawnBarrier *self)
{
  bawn_use_lock_init (&self->lock);
}

/**
 * bawn_barrier_new:
 *
 * Returns: (transfer full): a sealed barrier
 */
BawnBarrier *
bawn_barrier_new (void)
{
  return g_object_new (BAWN_TYPE_BARRIER, NULL);
}

/**
 * bawn_barrier_is_sealed:
 * @self: a barrier
 *
 * Returns: %TRUE if it holds no keyring
 */
gboolean
bawn_barrier_is_sealed (BawnBarrier *self)
{
  g_auto (BawnUser) user G_GNUC_UNUSED = bawn_user_enter (&self->lock);

  return self->prepared == NULL;
}

/* Swaps in a keyring, unless the one in place knows more. */
static gboolean
swap_keyring (BawnBarrier *self, BawnKeyring *keyring, gboolean unseal)
{
  g_autoptr (Prepared) fresh = prepared_new (keyring);
  gboolean swapped = FALSE;

  bawn_use_lock_begin_change (&self->lock);
  Prepared *old = self->prepared;
  if (old == NULL ? unseal : bawn_keyring_extends (keyring, old->keyring))
    {
      if (old != NULL)
        carry_counts (fresh, old);
      self->prepared = g_steal_pointer (&fresh);
      fresh = old;
    }
  swapped = self->prepared != NULL;
  bawn_use_lock_end_change (&self->lock);

  guint missing = (guint) g_atomic_int_get (&self->missing_term);
  if (missing != 0 && bawn_keyring_lookup (keyring, missing) != NULL)
    g_atomic_int_compare_and_exchange (&self->missing_term, missing, 0);

  return swapped;
}

/**
 * bawn_barrier_adopt:
 * @self: a barrier
 * @keyring: as it is stored
 *
 * Unseals @self, if it is sealed. From now on entries are sealed in the active term of @keyring.
 */
void
bawn_barrier_adopt (BawnBarrier *self, BawnKeyring *keyring)
{
  swap_keyring (self, keyring, TRUE);
}

/**
 * bawn_barrier_replace:
 * @self: a barrier
 * @keyring: as it is stored
 *
 * bawn_barrier_adopt() for an unsealed barrier. To be called after the commit that stored @keyring.
 *
 * Returns: %FALSE if @self is sealed, and so it stays
 */
gboolean
bawn_barrier_replace (BawnBarrier *self, BawnKeyring *keyring)
{
  return swap_keyring (self, keyring, FALSE);
}

/**
 * bawn_barrier_seal:
 * @self: a barrier
 *
 * Forgets all keys. When this returns no call is using one any more.
 */
void
bawn_barrier_seal (BawnBarrier *self)
{
  g_autoptr (Prepared) old = NULL;

  bawn_use_lock_begin_change (&self->lock);
  old = g_steal_pointer (&self->prepared);
  bawn_use_lock_end_change (&self->lock);

  g_atomic_int_set (&self->missing_term, 0);
}

/**
 * bawn_barrier_dup_keyring:
 * @self: a barrier
 *
 * Returns: (transfer full) (nullable): its keyring with the counts of this moment; %NULL when
 * sealed
 */
BawnKeyring *
bawn_barrier_dup_keyring (BawnBarrier *self)
{
  g_auto (BawnUser) user G_GNUC_UNUSED = bawn_user_enter (&self->lock);

  if (self->prepared == NULL)
    return NULL;

  /* Only the active term's count ever changes; those before it were carried over when it was
   * adopted. */
  g_autoptr (BawnKeyring) keyring = bawn_keyring_ref (self->prepared->keyring);
  for (guint i = 0; i < self->prepared->n_terms; i++)
    {
      PreparedTerm *term = &self->prepared->terms[i];
      guint64 count = count_of (term);
      if (count == bawn_keyring_get_term (keyring, i)->encryptions)
        continue;
      BawnKeyring *changed = bawn_keyring_with_encryptions (keyring, term->number, count);
      bawn_keyring_unref (keyring);
      keyring = changed;
    }

  return g_steal_pointer (&keyring);
}

/**
 * bawn_barrier_get_key_status:
 * @self: a barrier
 * @out_term: (out): number of the active term
 * @out_install_us: (out): when it was made, microseconds since 1970
 * @out_encryptions: (out): how often it was used; an estimate
 *
 * Returns: %FALSE when sealed
 */
gboolean
bawn_barrier_get_key_status (BawnBarrier *self,
                             guint32 *out_term,
                             gint64 *out_install_us,
                             guint64 *out_encryptions)
{
  g_auto (BawnUser) user G_GNUC_UNUSED = bawn_user_enter (&self->lock);

  if (self->prepared == NULL)
    return FALSE;

  PreparedTerm *term = prepared_active (self->prepared);
  *out_term = term->number;
  *out_install_us = bawn_keyring_get_active (self->prepared->keyring)->install_us;
  *out_encryptions = count_of (term);

  return TRUE;
}

/**
 * bawn_barrier_rotation_due:
 * @self: a barrier
 * @max_operations: how often a term may be used; 0: without limit
 * @max_age_us: how old it may get, in microseconds; 0: without limit
 * @now_us: the time, in microseconds since 1970
 *
 * Returns: %TRUE if the active term has reached a limit
 */
gboolean
bawn_barrier_rotation_due (BawnBarrier *self,
                           guint64 max_operations,
                           gint64 max_age_us,
                           gint64 now_us)
{
  guint32 term = 0;
  gint64 install_us = 0;
  guint64 encryptions = 0;

  if (!bawn_barrier_get_key_status (self, &term, &install_us, &encryptions))
    return FALSE;

  return (max_operations > 0 && encryptions >= max_operations)
         || (max_age_us > 0 && now_us - install_us >= max_age_us);
}

/**
 * bawn_barrier_counts_due:
 * @self: a barrier
 *
 * Returns: %TRUE if so much was sealed since the keyring was adopted that its counts should be
 * stored again
 */
gboolean
bawn_barrier_counts_due (BawnBarrier *self)
{
  g_auto (BawnUser) user G_GNUC_UNUSED = bawn_user_enter (&self->lock);

  if (self->prepared == NULL)
    return FALSE;

  guint64 stored = bawn_keyring_get_active (self->prepared->keyring)->encryptions;
  return count_of (prepared_active (self->prepared)) >= stored + BAWN_BARRIER_COUNT_STEP;
}

/**
 * bawn_barrier_get_missing_term:
 * @self: a barrier
 *
 * Returns: the highest term that an entry asked for in vain, or 0. Anybody who can write to the
 * storage can make it anything: it is a hint that bawn_barrier_reload() may help, and no more
 */
guint32
bawn_barrier_get_missing_term (BawnBarrier *self)
{
  return (guint32) g_atomic_int_get (&self->missing_term);
}

/**
 * bawn_barrier_is_outside:
 * @key: a storage key
 *
 * Returns: %TRUE if the barrier leaves the value of @key as it is
 */
gboolean
bawn_barrier_is_outside (const char *key)
{
  if (!g_str_has_prefix (key, "core/"))
    return FALSE;

  return strcmp (key, BAWN_SEAL_CONFIG_KEY) == 0 || strcmp (key, BAWN_ROOT_KEY_KEY) == 0
         || strcmp (key, BAWN_KEYRING_KEY) == 0 || strcmp (key, BAWN_AUTO_RECORD_KEY) == 0;
}
