/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-auto-record.h"
#include "core/bawn-doubt.h"
#include "core/bawn-self-unseal.h"
#include "core/bawn-sys-private.h"

/* sys/rekey: new shares for old ones. */

typedef struct
{
  BawnRekey *rekey; /* not owned */
  BawnSecret *share;
  const char *nonce;
  gboolean verifying;
  BawnRekeyOutcome outcome;
  guint64 epoch;     /* of the attempt that was made last */
  gboolean doubtful; /* whether it is in force cannot be told */
} Step;

static void
step_clear (Step *step)
{
  g_clear_pointer (&step->share, bawn_secret_unref);
  bawn_rekey_outcome_clear (&step->outcome);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Step, step_clear)

static BawnResponse *
show_rekey (BawnCore *core)
{
  BawnRekeyStatus progress = { 0 };
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_rekey_get_status (bawn_core_get_rekey (core), &progress);
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "nonce", progress.nonce);
  bawn_json_writer_add_bool (&w, "started", progress.started);
  bawn_json_writer_add_int (&w, "t", progress.threshold);
  bawn_json_writer_add_int (&w, "n", progress.shares);
  bawn_json_writer_add_int (&w, "progress", progress.progress);
  bawn_json_writer_add_int (&w, "required", status->threshold);
  bawn_json_writer_add_null (&w, "pgp_fingerprints");
  bawn_json_writer_add_bool (&w, "backup", FALSE);
  bawn_json_writer_add_bool (&w, "verification_required", progress.verification_required);
  if (progress.verification_nonce[0] != '\0')
    bawn_json_writer_add_string (&w, "verification_nonce", progress.verification_nonce);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
}

static BawnResponse *
begin_rekey (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error)
{
  BawnRekeyStatus progress = { 0 };
  g_autoptr (BawnRequest) fields = bawn_sys_fold_fields (request, error);
  BawnRekeyRequest wish = { 0 };
  g_auto (GStrv) pgp_keys = NULL;

  if (fields == NULL || !bawn_field_int (fields, "secret_shares", &wish.shares, error)
      || !bawn_field_int (fields, "secret_threshold", &wish.threshold, error)
      || !bawn_field_strv (fields, "pgp_keys", &pgp_keys, error)
      || !bawn_field_bool (fields, "backup", &wish.backup, error)
      || !bawn_field_bool (fields, "require_verification", &wish.require_verification, error))
    return NULL;

  if (!may_block)
    return bawn_fail_null (error, BAWN_ERROR_WOULD_BLOCK, "its beginning is written down");

  wish.n_pgp_keys = pgp_keys != NULL ? g_strv_length (pgp_keys) : 0;
  if (!bawn_rekey_begin (bawn_core_get_rekey (core), &wish, error))
    return NULL;

  bawn_rekey_get_status (bawn_core_get_rekey (core), &progress);
  if (!bawn_sys_note_gathering (core, BAWN_SYS_GATHERING_REKEY, progress.nonce, error))
    {
      bawn_rekey_cancel (bawn_core_get_rekey (core));
      return NULL;
    }
  return show_rekey (core);
}

BawnResponse *
bawn_sys_rekey_init (BawnCore *core,
                     BawnRequest *request,
                     gboolean may_block,
                     GError **error)
{
  if (!bawn_sys_check_active (core, error))
    return NULL;
  if (request->op == BAWN_OP_READ)
    return show_rekey (core);
  if (request->op != BAWN_OP_DELETE)
    return begin_rekey (core, request, may_block, error);
  if (!may_block)
    return bawn_fail_null (error, BAWN_ERROR_WOULD_BLOCK, "its end is written down");

  bawn_rekey_cancel (bawn_core_get_rekey (core));
  if (!bawn_sys_note_gathering (core, BAWN_SYS_GATHERING_REKEY, NULL, error))
    return NULL;
  return bawn_response_new_empty ();
}

static gboolean
take_share (BawnCore *core, BawnTxn *txn, gpointer user_data, GError **error)
{
  Step *step = user_data;
  BawnBarrier *barrier = bawn_core_get_barrier (core);
  g_auto (BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;
  g_autoptr (BawnKeyring) keyring = bawn_barrier_dup_keyring (barrier);

  if (keyring == NULL)
    return bawn_fail (error, BAWN_ERROR_SEALED, "node is not active");
  bawn_rekey_outcome_clear (&step->outcome);
  step->outcome = (BawnRekeyOutcome) BAWN_REKEY_OUTCOME_INIT;
  /* Before anything is read: a later term does not commit what was read in this one. */
  step->epoch = bawn_store_get_epoch (bawn_core_get_store (core));
  if (step->verifying
      && !bawn_rekey_verify (step->rekey, step->share, step->nonce, &step->outcome, error))
    return FALSE;
  if (!step->verifying
      && (!bawn_seal_records_load (txn, &records, error)
          || !bawn_rekey_update (step->rekey, &records, bawn_keyring_get_root_key (keyring),
                                 step->share, step->nonce, &step->outcome, error)))
    return FALSE;

  if (!step->outcome.commit)
    return TRUE;

  /* Back to people alone: with the old shares goes the key that opened the storage beside them. */
  if (!bawn_core_is_self_unsealing (core))
    bawn_txn_delete (txn, BAWN_AUTO_RECORD_KEY);
  return bawn_barrier_put_seal (barrier, &step->outcome.config, step->outcome.kek, txn, error);
}

/* The commit has failed. What was not answered is asked about, since the new shares are nowhere but here; if that is of no use
 * they are handed out in doubt. Those that are being verified are out already. TRUE if they are to be handed out. */
static gboolean
settle (BawnCore *core, Step *step, GError **inout_failure)
{
  if (!step->outcome.commit || !bawn_error_is (*inout_failure, BAWN_ERROR_UNKNOWN_OUTCOME))
    return FALSE;

  switch (bawn_core_settle_seal (core, step->outcome.config.id, step->epoch))
    {
    case BAWN_DOUBT_IN:
      return TRUE;
    case BAWN_DOUBT_OPEN:
      step->doubtful = TRUE;
      return !step->verifying;
    case BAWN_DOUBT_OUT:
      break;
    }

  g_clear_error (inout_failure);
  return bawn_fail (inout_failure, BAWN_ERROR_STANDBY, "the new keys were not stored, and the present ones stay valid");
}

/* The snapshot of the node's state shows shares and threshold, so the core must look again. */
static gboolean
run_step (BawnCore *core, BawnRequest *request, gboolean may_block, Step *step, GError **error)
{
  g_autofree char *nonce = g_strdup ("");
  g_autoptr (BawnRequest) fields = bawn_sys_fold_fields (request, error);

  if (fields == NULL || !bawn_sys_check_active (core, error)
      || !bawn_field_string (fields, "nonce", &nonce, error)
      || !bawn_sys_read_share (fields, "'key' must be specified in request body as JSON",
                               &step->share, error))
    return FALSE;
  if (!may_block)
    return bawn_fail (error, BAWN_ERROR_WOULD_BLOCK, "the seal's records are read");

  step->rekey = bawn_core_get_rekey (core);
  step->nonce = nonce;

  BawnRekeyStatus progress = { 0 };
  g_autoptr (GError) failure = NULL;
  bawn_rekey_get_status (step->rekey, &progress);
  if (!bawn_core_transact (core, take_share, step, &failure) && !settle (core, step, &failure))
    {
      if (!progress.started)
        bawn_sys_explain_gathering (core, BAWN_SYS_GATHERING_REKEY, nonce, &failure);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  /* In doubt it goes on, so that the last share can be given again: the answer is the same then. */
  if (!step->outcome.commit || step->doubtful)
    return TRUE;

  /* The new seal is in, and its shares are nowhere but here: whatever fails from now on, they must
   * get out. A note that stays does no harm, and neither does an old look at shares and threshold.
   */
  bawn_rekey_finish (step->rekey);
  (void) bawn_sys_note_gathering (core, BAWN_SYS_GATHERING_REKEY, NULL, NULL);
  (void) bawn_core_load (core, NULL);
  return TRUE;
}

BawnResponse *
bawn_sys_rekey_update (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error)
{
  g_auto (Step) step = { .outcome = BAWN_REKEY_OUTCOME_INIT };
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!run_step (core, request, may_block, &step, error))
    return NULL;
  if (!step.outcome.complete)
    return show_rekey (core);

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "nonce", step.outcome.nonce);
  bawn_json_writer_add_bool (&w, "complete", TRUE);
  bawn_sys_write_shares (&w, "keys", "keys_base64", step.outcome.shares);
  bawn_json_writer_add_null (&w, "pgp_fingerprints");
  bawn_json_writer_add_bool (&w, "backup", FALSE);
  bawn_json_writer_add_bool (&w, "verification_required", step.outcome.verification_required);
  if (step.outcome.verification_nonce[0] != '\0')
    bawn_json_writer_add_string (&w, "verification_nonce", step.outcome.verification_nonce);
  if (step.doubtful)
    bawn_sys_write_doubt (&w);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
}

static BawnResponse *
show_verification (BawnCore *core, GError **error)
{
  BawnRekeyStatus progress = { 0 };
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_rekey_get_verify_status (bawn_core_get_rekey (core), &progress, error))
    return NULL;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "nonce", progress.verification_nonce);
  bawn_json_writer_add_bool (&w, "started", progress.verification_nonce[0] != '\0');
  bawn_json_writer_add_int (&w, "t", progress.threshold);
  bawn_json_writer_add_int (&w, "n", progress.shares);
  bawn_json_writer_add_int (&w, "progress", progress.verification_progress);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
}

static BawnResponse *
verify_share (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error)
{
  g_auto (Step) step = { .verifying = TRUE, .outcome = BAWN_REKEY_OUTCOME_INIT };
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!run_step (core, request, may_block, &step, error))
    return NULL;
  if (!step.outcome.complete)
    return show_verification (core, error);

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "nonce", step.outcome.nonce);
  bawn_json_writer_add_bool (&w, "complete", TRUE);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
}

BawnResponse *
bawn_sys_rekey_verify (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error)
{
  if (!bawn_sys_check_active (core, error))
    return NULL;
  if (request->op != BAWN_OP_READ && request->op != BAWN_OP_DELETE)
    return verify_share (core, request, may_block, error);
  if (request->op == BAWN_OP_DELETE
      && !bawn_rekey_restart_verification (bawn_core_get_rekey (core), error))
    return NULL;

  return show_verification (core, error);
}

/* Recovery shares belong to seals that open without people; they are made as others are. */
BawnResponse *
bawn_sys_rekey_recovery (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error)
{
  if (!bawn_sys_check_active (core, error))
    return NULL;
  if (!bawn_core_is_self_unsealing (core))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "recovery rekeying not supported");
  if (g_str_has_suffix (request->path, "/init"))
    return bawn_sys_rekey_init (core, request, may_block, error);
  if (g_str_has_suffix (request->path, "/update"))
    return bawn_sys_rekey_update (core, request, may_block, error);

  return bawn_sys_rekey_verify (core, request, may_block, error);
}
