/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-lifecycle.h"

#include <string.h>

#include "barrier/bawn-auto-record.h"
#include "core/bawn-doubt.h"
#include "core/bawn-ha.h"
#include "core/bawn-self-unseal.h"
#include "crypto/bawn-certificate.h"
#include "util/bawn-log.h"
#include "util/bawn-message-id.h"

/* Between two attempts to open a storage that does not answer. */
#define OPEN_UP_EVERY_US (G_USEC_PER_SEC / 4)

/* Without a term the records are read one after the other, and somebody may initialise the storage in between: what does not
 * fit together is read anew so often before it counts as broken. */
#define LOAD_ATTEMPTS 3

/**
 * bawn_core_load_seal_records:
 * @core: the core
 * @out_records: (out): what the storage holds
 * @error: return location
 *
 * Blocks.
 *
 * Returns: %FALSE with INVALID if the storage is not initialised
 */
gboolean
bawn_core_load_seal_records (BawnCore *core, BawnSealRecords *out_records, GError **error)
{
  for (guint attempt = 1;; attempt++)
    {
      g_autoptr(BawnTxn) txn = bawn_store_begin (bawn_core_get_store (core), NULL, TRUE);
      g_autoptr(GError) failure = NULL;

      if (bawn_seal_records_load (txn, out_records, &failure))
        return TRUE;
      if (!bawn_error_is (failure, BAWN_ERROR_CORRUPT) || attempt == LOAD_ATTEMPTS)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
    }
}

/* Of those who initialise one storage the slower ones may find half of what the first has written meanwhile. */
static gboolean
was_overtaken (BawnCore *core, const GError *failure)
{
  if (bawn_error_is (failure, BAWN_ERROR_DEPOSED) || bawn_error_is (failure, BAWN_ERROR_CONFLICT))
    return TRUE;
  if (!bawn_error_is (failure, BAWN_ERROR_CORRUPT) || !bawn_core_load (core, NULL))
    return FALSE;

  g_autoptr(BawnStatus) status = bawn_core_ref_status (core);
  return status->initialized;
}

gboolean
bawn_lifecycle_look (BawnCore *core, GError **error)
{
  g_autoptr(BawnTxn) txn = bawn_store_begin (bawn_core_get_store (core), NULL, TRUE);
  BawnSealConfig config = { 0 };
  gboolean present = FALSE;

  if (!bawn_seal_records_load_config (txn, &present, &config, error))
    return FALSE;

  bawn_core_set_seal_config (core, present, &config);
  return TRUE;
}

/**
 * bawn_core_load:
 * @core: the core
 * @error: return location
 *
 * Looks whether the storage is initialised, and how it is sealed; from the first call on, it is watched if other nodes share it.
 * Blocks.
 *
 * Returns: %FALSE if the storage could not be asked
 */
gboolean
bawn_core_load (BawnCore *core, GError **error)
{
  if (!bawn_lifecycle_look (core, error))
    return FALSE;

  bawn_ha_watch (bawn_core_get_ha (core));
  return TRUE;
}

/* Init */

gboolean
bawn_core_create_root_token (BawnTokenStore *tokens, BawnTxn *txn, gint64 now_us, char **out_id, GError **error)
{
  g_autoptr(BawnToken) token = bawn_token_new ();

  token->type = BAWN_TOKEN_SERVICE;
  token->policies = g_strsplit ("root", ",", -1);
  g_free (token->display_name);
  token->display_name = g_strdup ("root");
  g_free (token->path);
  token->path = g_strdup ("auth/token/root");
  token->creation_us = now_us;

  return bawn_token_store_create (tokens, txn, token, NULL, "auth/token/root", out_id, error);
}

static void
put_first_mounts (BawnTxn *txn)
{
  g_autoptr(BawnMountTable) empty = bawn_mount_table_new ();
  g_autoptr(BawnMountTable) with_system = NULL;
  g_autoptr(BawnMountTable) with_cubbyhole = NULL;
  g_autoptr(BawnMountTable) table = NULL;
  BawnMount *mount = bawn_mount_table_make ("sys/", "system");

  g_free (mount->description);
  mount->description = g_strdup ("system endpoints used for control, policy and debugging");
  with_system = bawn_mount_table_add (empty, mount);

  mount = bawn_mount_table_make ("cubbyhole/", "cubbyhole");
  g_free (mount->description);
  mount->description = g_strdup ("per-token private secret storage");
  mount->local = TRUE;
  with_cubbyhole = bawn_mount_table_add (with_system, mount);

  mount = bawn_mount_table_make ("auth/token/", "token");
  g_free (mount->description);
  mount->description = g_strdup ("token based credentials");
  g_free (mount->token_type);
  mount->token_type = g_strdup ("default-service");
  table = bawn_mount_table_add (with_cubbyhole, mount);

  bawn_mount_table_put (txn, table);
}

static void
put_cluster (BawnCore *core, BawnTxn *txn)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autofree char *id = bawn_random_uuid ();
  g_autofree char *made_up = g_strdup_printf ("bawn-cluster-%.8s", id);
  const char *name = bawn_core_get_options (core)->cluster_name;

  g_free (id);
  id = bawn_random_uuid ();
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "name", name != NULL ? name : made_up);
  bawn_json_writer_add_string (&w, "id", id);
  bawn_json_writer_end_object (&w);

  g_autoptr(GBytes) bytes = bawn_json_writer_finish (&w);
  bawn_txn_put (txn, BAWN_CLUSTER_KEY, bytes);
}

static BawnSecret *
put_token_key (BawnTxn *txn)
{
  BawnSecret *key = bawn_secret_new_random (BAWN_KEY_SIZE);
  g_autoptr(GBytes) bytes = bawn_bytes_new (bawn_secret_data (key), bawn_secret_size (key));

  bawn_txn_put (txn, BAWN_TOKEN_KEY_KEY, bytes);
  return key;
}

static gboolean
put_identity (BawnTxn *txn, GError **error)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autoptr(GBytes) certificate = NULL;
  g_autoptr(BawnSecret) key = NULL;
  g_autofree char *id = bawn_random_uuid ();
  g_autofree char *name = g_strdup_printf ("bawn-%s", id);

  if (!bawn_certificate_new_self_signed (name, &certificate, &key, error))
    return FALSE;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "certificate");
  bawn_json_writer_string_n (&w, g_bytes_get_data (certificate, NULL), g_bytes_get_size (certificate));
  bawn_json_writer_name (&w, "key");
  bawn_json_writer_string_n (&w, (const char *) bawn_secret_data (key), bawn_secret_size (key));
  bawn_json_writer_end_object (&w);

  g_autoptr(GBytes) bytes = bawn_json_writer_finish (&w);
  bawn_txn_put (txn, BAWN_CLUSTER_IDENTITY_KEY, bytes);
  return TRUE;
}

/* What init makes: shares and token exist nowhere else. */
typedef struct
{
  GPtrArray *shares;
  char *root_token;
  BawnSealConfig config;
  guint64 epoch;
  gboolean doubtful; /* the storage did not say whether it has taken it */
} Beginning;

static void
beginning_clear (Beginning *beginning)
{
  g_clear_pointer (&beginning->shares, g_ptr_array_unref);
  g_clear_pointer (&beginning->root_token, bawn_string_wipe_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Beginning, beginning_clear)

/* All that a new storage holds, in one commit. */
static gboolean
init_in_term (BawnCore *core, guint shares, guint threshold, Beginning *beginning, GError **error)
{
  gint64 now = bawn_clock_real_us (bawn_core_get_clock (core));
  g_autoptr(BawnBarrier) barrier = bawn_barrier_new ();
  g_autoptr(BawnTxn) txn = bawn_store_begin (bawn_core_get_store (core), BAWN_CODEC (barrier), TRUE);
  g_autoptr(BawnSecret) token_key = NULL;
  g_autoptr(BawnTokenStore) tokens = NULL;
  gboolean present = FALSE;

  beginning->epoch = bawn_store_get_epoch (bawn_core_get_store (core));
  beginning->shares = bawn_barrier_init_store (barrier, txn, shares, threshold, now, error);
  if (beginning->shares == NULL || !bawn_seal_records_load_config (txn, &present, &beginning->config, error))
    return FALSE;

  token_key = put_token_key (txn);
  tokens = bawn_token_store_new (token_key, bawn_core_get_clock (core));
  put_first_mounts (txn);
  put_cluster (core, txn);
  bawn_policy_put_defaults (txn);
  if (bawn_core_is_self_unsealing (core)
      && !bawn_auto_record_put (barrier, bawn_core_get_options (core)->auto_seal, txn, error))
    return FALSE;
  return put_identity (txn, error) && bawn_core_create_root_token (tokens, txn, now, &beginning->root_token, error)
         && bawn_txn_commit_within (txn, bawn_core_get_patience_us (core), error);
}

/* The commit was not answered. Whoever is not told his shares has lost the storage if it is in after all. */
static gboolean
settle_beginning (BawnCore *core, Beginning *beginning, GError **error)
{
  switch (bawn_core_settle_seal (core, beginning->config.id, beginning->epoch))
    {
    case BAWN_DOUBT_IN:
      return TRUE;
    case BAWN_DOUBT_OPEN:
      beginning->doubtful = TRUE;
      return TRUE;
    case BAWN_DOUBT_OUT:
      break;
    }

  return bawn_fail (error, BAWN_ERROR_UPSTREAM, "the storage has not taken what init wrote");
}

/* Of two nodes that initialise one storage the slower one finds that its fence, or an absence it has read, is gone. */
static gboolean
init_locked (BawnCore *core, guint shares, guint threshold, Beginning *beginning, GError **error)
{
  BawnStore *store = bawn_core_get_store (core);
  g_autoptr(GError) failure = NULL;

  if (!bawn_core_load (core, error))
    return FALSE;

  g_autoptr(BawnStatus) status = bawn_core_ref_status (core);
  if (status->initialized || bawn_core_is_unsealed (core))
    return bawn_fail (error, BAWN_ERROR_INVALID, "Vault is already initialized");
  if (!bawn_store_open_term (store, 0, NULL, error))
    return FALSE;

  gboolean done = init_in_term (core, shares, threshold, beginning, &failure);
  /* While the term is open, the committer does what it can. */
  if (bawn_error_is (failure, BAWN_ERROR_UNKNOWN_OUTCOME))
    {
      g_clear_error (&failure);
      done = settle_beginning (core, beginning, &failure);
    }
  bawn_store_close_term (store);
  if (done)
    {
      /* The shares are nowhere but here: they must get out, whether or not the storage answers once more. */
      (void) bawn_core_load (core, NULL);
      return TRUE;
    }

  if (was_overtaken (core, failure))
    return bawn_fail (error, BAWN_ERROR_INVALID, "Vault is already initialized");
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
bawn_lifecycle_initialize (BawnCore *core, guint shares, guint threshold, GPtrArray **out_shares, char **out_root_token,
                           gboolean *out_doubtful, GError **error)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (bawn_core_get_lifecycle_lock (core));
  g_auto(Beginning) beginning = { .shares = NULL };

  if (!init_locked (core, shares, threshold, &beginning, error))
    return FALSE;

  *out_shares = g_steal_pointer (&beginning.shares);
  *out_root_token = g_steal_pointer (&beginning.root_token);
  *out_doubtful = beginning.doubtful;
  if (!beginning.doubtful)
    bawn_log_info ("core", "storage initialized: %u shares, %u of them unseal", shares, threshold);
  return TRUE;
}

/**
 * bawn_core_initialize:
 * @core: the core
 * @shares: how many shares to make
 * @threshold: how many of them unseal
 * @out_shares: (out) (transfer full) (element-type BawnSecret): the shares
 * @out_root_token: (out) (transfer full): the first root token, to be freed with bawn_string_wipe_free()
 * @error: return location
 *
 * Initialises an empty storage, in one conditional commit. The node stays sealed. Blocks.
 *
 * Returns: %FALSE with INVALID if the storage is initialised, or the numbers make no sense
 */
gboolean
bawn_core_initialize (BawnCore *core, guint shares, guint threshold, GPtrArray **out_shares, char **out_root_token,
                      GError **error)
{
  gboolean doubtful = FALSE;

  return bawn_lifecycle_initialize (core, shares, threshold, out_shares, out_root_token, &doubtful, error);
}

/* Unseal */

static BawnClusterIdentity *
parse_identity (GBytes *text, GError **error)
{
  g_autoptr(BawnJson) json = bawn_json_parse (text, NULL, error);

  if (json == NULL)
    return NULL;

  const BawnJsonNode *root = bawn_json_root (json);
  const char *certificate = bawn_json_get_string (root, "certificate", NULL);
  const char *key = bawn_json_get_string (root, "key", NULL);
  if (certificate == NULL || key == NULL)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s cannot be read", BAWN_CLUSTER_IDENTITY_KEY);

  g_autoptr(GBytes) bytes = bawn_bytes_new (certificate, strlen (certificate));
  g_autoptr(BawnSecret) secret = bawn_secret_new_copy (key, strlen (key));
  return bawn_cluster_identity_new (bytes, secret);
}

/* What every unsealed node knows, active or not. */
static gboolean
read_cluster (BawnCore *core, GError **error)
{
  BawnBarrier *barrier = bawn_core_get_barrier (core);
  g_autoptr(BawnTxn) txn = bawn_store_begin (bawn_core_get_store (core), BAWN_CODEC (barrier), TRUE);
  g_autoptr(GBytes) cluster = NULL;
  g_autoptr(GBytes) identity_text = NULL;

  if (!bawn_txn_get (txn, BAWN_CLUSTER_KEY, &cluster, error)
      || !bawn_txn_get (txn, BAWN_CLUSTER_IDENTITY_KEY, &identity_text, error))
    return FALSE;
  if (cluster == NULL || identity_text == NULL)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "%s or %s is missing", BAWN_CLUSTER_KEY, BAWN_CLUSTER_IDENTITY_KEY);

  g_autoptr(BawnJson) json = bawn_json_parse (cluster, NULL, error);
  g_autoptr(BawnClusterIdentity) identity = json != NULL ? parse_identity (identity_text, error) : NULL;
  if (identity == NULL)
    return FALSE;

  bawn_core_set_unsealed (core, bawn_json_get_string (bawn_json_root (json), "name", ""),
                          bawn_json_get_string (bawn_json_root (json), "id", ""), identity);
  return TRUE;
}

/* Shares that were given, and are of no use any more: the node may have been opened without them. */
static void
drop_shares (BawnCore *core)
{
  bawn_seal_shamir_reset (bawn_core_get_seal (core));
  g_ptr_array_set_size (bawn_core_get_given_shares (core), 0);
  bawn_core_refresh_status (core);
}

gboolean
bawn_lifecycle_open_up (BawnCore *core, BawnKeyring *keyring, GError **error)
{
  BawnBarrier *barrier = bawn_core_get_barrier (core);
  BawnHa *ha = bawn_core_get_ha (core);

  bawn_barrier_adopt (barrier, keyring);
  if (!read_cluster (core, error) || (ha == NULL && !bawn_core_promote (core, 0, NULL, error)))
    {
      bawn_core_set_sealed (core);
      bawn_barrier_seal (barrier);
      return FALSE;
    }

  bawn_log_with (BAWN_LOG_INFO, "core", BAWN_LOG_FIELDS ({ "MESSAGE_ID", BAWN_MESSAGE_UNSEALED }), "unsealed");
  drop_shares (core);
  bawn_ha_join (ha);
  return TRUE;
}

/* What may be well a moment later. */
static gboolean
is_transient (const GError *error)
{
  return bawn_error_is (error, BAWN_ERROR_UPSTREAM) || bawn_error_is (error, BAWN_ERROR_TIMEOUT)
         || bawn_error_is (error, BAWN_ERROR_UNKNOWN_OUTCOME) || bawn_error_is (error, BAWN_ERROR_BUSY);
}

/* The shares were right: for a storage that hiccups nobody is to gather them anew. */
static gboolean
open_up_patiently (BawnCore *core, BawnKeyring *keyring, GError **error)
{
  gint64 until = g_get_monotonic_time () + bawn_core_get_patience_us (core);

  for (;;)
    {
      g_autoptr(GError) failure = NULL;

      if (bawn_lifecycle_open_up (core, keyring, &failure))
        return TRUE;
      if (!is_transient (failure) || g_get_monotonic_time () >= until)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      g_usleep (OPEN_UP_EVERY_US);
    }
}

/* Remembers what counts for an unseal; the seal says how many that are. */
static void
keep_share (BawnCore *core, BawnSecret *share)
{
  GPtrArray *given = bawn_core_get_given_shares (core);
  guint progress = bawn_seal_shamir_get_progress (bawn_core_get_seal (core));

  if (progress <= 1)
    g_ptr_array_set_size (given, 0);
  if (progress > given->len)
    g_ptr_array_add (given, bawn_secret_ref (share));
}

/* The storage has failed at the last share: all others count again, so that this one can be given once more. */
static void
give_back_shares (BawnCore *core, const BawnSealRecords *records)
{
  GPtrArray *given = bawn_core_get_given_shares (core);

  for (guint i = 0; i < given->len; i++)
    {
      g_autoptr(BawnKeyring) none = NULL;

      (void) bawn_seal_shamir_give (bawn_core_get_seal (core), records, g_ptr_array_index (given, i), &none, NULL);
    }
  bawn_core_refresh_status (core);
}

static gboolean
open_with (BawnCore *core, BawnKeyring *keyring, const BawnSealRecords *records, GError **error)
{
  g_autoptr(GError) failure = NULL;

  if (open_up_patiently (core, keyring, &failure))
    return TRUE;

  bawn_log_warn ("core", "the shares are right, but the node could not be unsealed: %s", failure->message);
  if (is_transient (failure))
    {
      give_back_shares (core, records);
      return bawn_fail (error, BAWN_ERROR_BUSY,
                        "the storage is not available at the moment: the keys given before are kept, give this one again later");
    }

  drop_shares (core);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
give_share (BawnCore *core, BawnSecret *share, GError **error)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (bawn_core_get_lifecycle_lock (core));
  g_auto(BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;
  g_autoptr(BawnKeyring) keyring = NULL;

  if (bawn_core_is_unsealed (core))
    return TRUE;
  if (!bawn_core_load_seal_records (core, &records, error))
    return FALSE;

  bawn_core_set_seal_config (core, TRUE, &records.config);
  gboolean taken = bawn_seal_shamir_give (bawn_core_get_seal (core), &records, share, &keyring, error);
  bawn_core_refresh_status (core);
  if (taken && keyring != NULL)
    return open_with (core, keyring, &records, error);

  if (taken)
    keep_share (core, share);
  else
    g_ptr_array_set_size (bawn_core_get_given_shares (core), 0);
  return taken;
}

/**
 * bawn_core_unseal_share:
 * @core: the core
 * @share: one share
 * @error: return location
 *
 * At the threshold the node is unsealed; see the status for how far it is. On a node that is unsealed nothing happens.
 * One of several nodes stands for election then, which is waited for if it takes no longer than a moment. Blocks.
 *
 * Returns: %FALSE with INVALID for wrong shares, whose progress is lost then; with BUSY if they are right and the storage
 *   does not answer, for some time: all but @share are kept
 */
gboolean
bawn_core_unseal_share (BawnCore *core, BawnSecret *share, GError **error)
{
  if (!give_share (core, share, error))
    return FALSE;

  if (bawn_core_is_unsealed (core))
    bawn_ha_settle (bawn_core_get_ha (core));
  return TRUE;
}

void
bawn_core_unseal_reset (BawnCore *core)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (bawn_core_get_lifecycle_lock (core));

  drop_shares (core);
}

/* Seal */

/**
 * bawn_core_seal:
 * @core: the core
 * @reason: for the log
 *
 * New requests are refused at once; those on their way end, without a key. Blocks until the last commit is through and
 * the keys are wiped.
 */
void
bawn_core_seal (BawnCore *core, const char *reason)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (bawn_core_get_lifecycle_lock (core));
  BawnHa *ha = bawn_core_get_ha (core);

  bawn_core_keep_sealed (core);
  if (!bawn_core_is_unsealed (core))
    return;

  if (ha != NULL)
    bawn_ha_leave (ha, reason);
  else
    bawn_core_withdraw (core, reason);
  bawn_seal_shamir_reset (bawn_core_get_seal (core));
  bawn_core_set_sealed (core);
  bawn_barrier_seal (bawn_core_get_barrier (core));
  bawn_audit_broker_close (bawn_core_get_audit (core));
  bawn_ha_forget (ha);
  bawn_core_refresh_status (core);
  bawn_log_with (BAWN_LOG_INFO, "core", BAWN_LOG_FIELDS ({ "MESSAGE_ID", BAWN_MESSAGE_SEALED }), "sealed: %s", reason);
}

static gpointer
seal_deposed (gpointer data)
{
  g_autoptr(BawnCore) core = data;

  bawn_core_seal (core, "another process has taken over this storage");
  return NULL;
}

/* The committer's own thread can not wait for itself. */
static void
on_deposed (BawnStore *store, BawnCore *core)
{
  if (bawn_core_get_ha (core) != NULL)
    {
      bawn_ha_deposed (bawn_core_get_ha (core));
      return;
    }

  g_thread_unref (g_thread_new ("bawn-deposed", seal_deposed, g_object_ref (core)));
}

void
bawn_lifecycle_watch (BawnCore *core)
{
  g_signal_connect (bawn_core_get_store (core), "deposed", G_CALLBACK (on_deposed), core);
}
