/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* sys/generate-root: a new root token for whoever has a quorum of shares. */

typedef struct
{
  BawnGenerateRoot *attempt; /* not owned */
  BawnSecret *share;
  const char *nonce;
  gboolean complete;
  char *encoded; /* nullable */
} Step;

static void
step_clear (Step *step)
{
  g_clear_pointer (&step->share, bawn_secret_unref);
  g_clear_pointer (&step->encoded, bawn_string_wipe_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Step, step_clear)

static BawnResponse *
show_attempt (BawnCore *core, const char *otp, const Step *step)
{
  BawnGenerateRootStatus progress = { 0 };
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);
  const char *encoded = step != NULL && step->encoded != NULL ? step->encoded : "";
  gboolean complete = step != NULL && step->complete;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_generate_root_get_status (bawn_core_get_generate_root (core), &progress);
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "nonce", complete ? step->nonce : progress.nonce);
  bawn_json_writer_add_bool (&w, "started", complete || progress.started);
  bawn_json_writer_add_int (&w, "progress", complete ? status->threshold : progress.progress);
  bawn_json_writer_add_int (&w, "required", status->threshold);
  bawn_json_writer_add_bool (&w, "complete", complete);
  bawn_json_writer_add_string (&w, "encoded_token", encoded);
  bawn_json_writer_add_string (&w, "encoded_root_token", encoded);
  bawn_json_writer_add_string (&w, "pgp_fingerprint", "");
  bawn_json_writer_add_string (&w, "otp", otp != NULL ? otp : "");
  bawn_json_writer_add_int (&w, "otp_length", step != NULL ? 0 : progress.otp_length);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
}

static BawnResponse *
begin_attempt (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error)
{
  BawnGenerateRootStatus progress = { 0 };
  g_autoptr (BawnRequest) fields = bawn_sys_fold_fields (request, error);
  g_autoptr (BawnWipedString) otp = NULL;
  g_autoptr (BawnWipedString) made = NULL;
  g_autofree char *pgp_key = NULL;

  if (fields == NULL || !bawn_field_string (fields, "otp", &otp, error)
      || !bawn_field_string (fields, "pgp_key", &pgp_key, error))
    return NULL;
  if (!may_block)
    return bawn_fail_null (error, BAWN_ERROR_WOULD_BLOCK, "its beginning is written down");
  if (!bawn_generate_root_begin (bawn_core_get_generate_root (core), otp, pgp_key, &made, error))
    return NULL;

  bawn_generate_root_get_status (bawn_core_get_generate_root (core), &progress);
  if (!bawn_sys_note_gathering (core, BAWN_SYS_GATHERING_ROOT, progress.nonce, error))
    {
      bawn_generate_root_cancel (bawn_core_get_generate_root (core));
      return NULL;
    }
  return show_attempt (core, made, NULL);
}

BawnResponse *
bawn_sys_generate_root_attempt (BawnCore *core,
                                BawnRequest *request,
                                gboolean may_block,
                                GError **error)
{
  if (!bawn_sys_check_active (core, error))
    return NULL;
  if (request->op == BAWN_OP_READ)
    return show_attempt (core, NULL, NULL);
  if (request->op != BAWN_OP_DELETE)
    return begin_attempt (core, request, may_block, error);
  if (!may_block)
    return bawn_fail_null (error, BAWN_ERROR_WOULD_BLOCK, "its end is written down");

  bawn_generate_root_cancel (bawn_core_get_generate_root (core));
  if (!bawn_sys_note_gathering (core, BAWN_SYS_GATHERING_ROOT, NULL, error))
    return NULL;
  return bawn_response_new_empty ();
}

static gboolean
make_root_token (BawnCore *core, BawnTxn *txn, Step *step, GError **error)
{
  g_autoptr (BawnActive) active = bawn_core_ref_active (core);
  g_autoptr (BawnWipedString) id = NULL;

  if (active == NULL)
    return bawn_fail (error, BAWN_ERROR_SEALED, "node is not active");

  gint64 now = bawn_clock_real_us (bawn_core_get_clock (core));
  if (!bawn_core_create_root_token (active->tokens, txn, now, &id, error))
    return FALSE;

  g_clear_pointer (&step->encoded, bawn_string_wipe_free);
  step->encoded = bawn_generate_root_encode (step->attempt, id, error);
  return step->encoded != NULL;
}

static gboolean
take_share (BawnCore *core, BawnTxn *txn, gpointer user_data, GError **error)
{
  Step *step = user_data;
  g_auto (BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;
  g_autoptr (BawnKeyring) keyring = bawn_barrier_dup_keyring (bawn_core_get_barrier (core));

  if (keyring == NULL)
    return bawn_fail (error, BAWN_ERROR_SEALED, "node is not active");
  if (!bawn_seal_records_load (txn, &records, error)
      || !bawn_generate_root_update (step->attempt, &records, bawn_keyring_get_root_key (keyring),
                                     step->share, step->nonce, &step->complete, error))
    return FALSE;

  return !step->complete || make_root_token (core, txn, step, error);
}

BawnResponse *
bawn_sys_generate_root_update (BawnCore *core,
                               BawnRequest *request,
                               gboolean may_block,
                               GError **error)
{
  g_auto (Step) step = { .attempt = NULL };
  g_autofree char *nonce = g_strdup ("");
  g_autoptr (BawnRequest) fields = bawn_sys_fold_fields (request, error);

  if (fields == NULL || !bawn_sys_check_active (core, error)
      || !bawn_field_string (fields, "nonce", &nonce, error)
      || !bawn_sys_read_share (fields, "'key' must be specified in request body as JSON",
                               &step.share, error))
    return NULL;
  if (!may_block)
    return bawn_fail_null (error, BAWN_ERROR_WOULD_BLOCK, "the seal's records are read");

  step.attempt = bawn_core_get_generate_root (core);
  step.nonce = nonce;

  BawnGenerateRootStatus progress = { 0 };
  g_autoptr (GError) failure = NULL;
  bawn_generate_root_get_status (step.attempt, &progress);
  if (!bawn_core_transact (core, take_share, &step, &failure))
    {
      if (!progress.started)
        bawn_sys_explain_gathering (core, BAWN_SYS_GATHERING_ROOT, nonce, &failure);
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }

  g_autoptr (BawnResponse) response = show_attempt (core, NULL, &step);
  if (step.complete)
    {
      bawn_generate_root_finish (step.attempt);
      (void) bawn_sys_note_gathering (core, BAWN_SYS_GATHERING_ROOT, NULL, NULL);
    }
  return g_steal_pointer (&response);
}
