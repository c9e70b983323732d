/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* The barrier's keys: rotation, its status and schedule; and sealing. */

#define ROTATE_CONFIG_KEY "sys/rotate-config"
#define MIN_INTERVAL_US (G_GINT64_CONSTANT (24) * 3600 * G_USEC_PER_SEC)
#define MIN_OPERATIONS 1000000
#define READ_WRITE_DELETE (BAWN_OP_READ | BAWN_OP_WRITE | BAWN_OP_DELETE)

static BawnResponse *
key_status (BawnEngine *engine,
            BawnRequest *request G_GNUC_UNUSED,
            BawnTxn *txn G_GNUC_UNUSED,
            GError **error)
{
  BawnBarrier *barrier = bawn_core_get_barrier (bawn_engine_system_get_core (engine));
  guint32 term = 0;
  gint64 installed = 0;
  guint64 encryptions = 0;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_barrier_get_key_status (barrier, &term, &installed, &encryptions))
    return bawn_fail_null (error, BAWN_ERROR_SEALED, "Vault is sealed");

  g_autofree char *time = bawn_time_format (installed);
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "encryptions", (gint64) encryptions);
  bawn_json_writer_add_string (&w, "install_time", time);
  bawn_json_writer_add_int (&w, "term", term);
  bawn_json_writer_end_object (&w);

  return bawn_sys_injected (&w);
}

typedef struct
{
  BawnBarrier *barrier;
  BawnKeyring *keyring;
} Adoption;

static void
adoption_free (gpointer data)
{
  Adoption *adoption = data;

  g_object_unref (adoption->barrier);
  bawn_keyring_unref (adoption->keyring);
  g_free (adoption);
}

static void
adopt (gpointer data, gpointer unused G_GNUC_UNUSED)
{
  Adoption *adoption = data;

  /* Not adopted: a node that was sealed meanwhile stays sealed. */
  bawn_barrier_replace (adoption->barrier, adoption->keyring);
}

/* A keyring with one more term, put into @txn. */
static BawnKeyring *
put_new_term (BawnCore *core, BawnTxn *txn, GError **error)
{
  BawnBarrier *barrier = bawn_core_get_barrier (core);
  g_autoptr (BawnKeyring) keyring = bawn_barrier_dup_keyring (barrier);

  if (keyring == NULL)
    return bawn_fail_null (error, BAWN_ERROR_SEALED, "Vault is sealed");

  g_autoptr (BawnKeyring) rotated =
      bawn_keyring_rotate (keyring, bawn_clock_real_us (bawn_core_get_clock (core)), error);
  if (rotated == NULL || !bawn_barrier_put_keyring (barrier, rotated, txn, error))
    return NULL;

  return g_steal_pointer (&rotated);
}

static BawnResponse *
rotate (BawnEngine *engine, BawnRequest *request G_GNUC_UNUSED, BawnTxn *txn, GError **error)
{
  BawnCore *core = bawn_engine_system_get_core (engine);
  g_autoptr (BawnKeyring) rotated = put_new_term (core, txn, error);

  if (rotated == NULL)
    return NULL;

  Adoption *adoption = g_new0 (Adoption, 1);
  adoption->barrier = g_object_ref (bawn_core_get_barrier (core));
  adoption->keyring = g_steal_pointer (&rotated);
  g_autoptr (BawnResponse) response = bawn_response_new_empty ();
  bawn_response_after_commit (response, adopt, adoption, adoption_free);

  return g_steal_pointer (&response);
}

typedef struct
{
  gboolean enabled;
  gint64 interval_us; /* 0: not by age */
  gint64 max_operations;
} RotateConfig;

static gboolean
load_config (BawnTxn *txn, RotateConfig *out_config, GError **error)
{
  g_autoptr (GBytes) stored = NULL;
  g_autoptr (BawnJson) json = NULL;

  if (!bawn_txn_get (txn, ROTATE_CONFIG_KEY, &stored, error))
    return FALSE;
  if (stored != NULL && (json = bawn_json_parse (stored, NULL, error)) == NULL)
    return FALSE;

  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;
  out_config->enabled = bawn_json_get_bool (root, "enabled", TRUE);
  out_config->interval_us = bawn_json_get_int (root, "interval_us", 0);
  out_config->max_operations =
      bawn_json_get_int (root, "max_operations", (gint64) BAWN_BARRIER_MAX_OPERATIONS);
  return TRUE;
}

static BawnResponse *
rotate_config_read (BawnEngine *engine G_GNUC_UNUSED,
                    BawnRequest *request G_GNUC_UNUSED,
                    BawnTxn *txn,
                    GError **error)
{
  RotateConfig config = { 0 };
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!load_config (txn, &config, error))
    return NULL;

  g_autofree char *interval = bawn_duration_format (config.interval_us);
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_bool (&w, "enabled", config.enabled);
  bawn_json_writer_name (&w, "interval");
  if (config.interval_us == 0)
    bawn_json_writer_int (&w, 0);
  else
    bawn_json_writer_string (&w, interval);
  bawn_json_writer_add_int (&w, "max_operations", config.max_operations);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

static BawnResponse *
rotate_config_write (BawnEngine *engine G_GNUC_UNUSED,
                     BawnRequest *request,
                     BawnTxn *txn,
                     GError **error)
{
  RotateConfig config = { 0 };

  if (!load_config (txn, &config, error)
      || !bawn_field_bool (request, "enabled", &config.enabled, error)
      || !bawn_field_duration (request, "interval", &config.interval_us, error)
      || !bawn_field_int (request, "max_operations", &config.max_operations, error))
    return NULL;
  if (config.interval_us != 0 && config.interval_us < MIN_INTERVAL_US)
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "interval must be greater or equal to 24h0m0s");
  if (config.max_operations < MIN_OPERATIONS
      || config.max_operations > (gint64) BAWN_BARRIER_MAX_OPERATIONS)
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "max_operations must be in the range [%d,%" G_GUINT64_FORMAT "]",
                           MIN_OPERATIONS, BAWN_BARRIER_MAX_OPERATIONS);

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_bool (&w, "enabled", config.enabled);
  bawn_json_writer_add_int (&w, "interval_us", config.interval_us);
  bawn_json_writer_add_int (&w, "max_operations", config.max_operations);
  bawn_json_writer_end_object (&w);
  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);
  bawn_txn_put (txn, ROTATE_CONFIG_KEY, value);

  return bawn_response_new_empty ();
}

typedef struct
{
  BawnKeyring *keyring; /* nullable: nothing was due */
} DueRotation;

/* How often a term was used is counted in memory, and written down now and then, so that a restart does not forget it. */
static gboolean
write_counts (BawnCore *core, BawnTxn *txn, DueRotation *due, GError **error)
{
  BawnBarrier *barrier = bawn_core_get_barrier (core);
  g_autoptr (BawnKeyring) keyring = bawn_barrier_dup_keyring (barrier);

  if (keyring == NULL)
    return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");
  if (!bawn_barrier_put_keyring (barrier, keyring, txn, error))
    return FALSE;

  due->keyring = g_steal_pointer (&keyring);
  return TRUE;
}

static gboolean
rotate_when_due (BawnCore *core, BawnTxn *txn, gpointer user_data, GError **error)
{
  DueRotation *due = user_data;
  RotateConfig config = { 0 };
  guint32 term = 0;
  gint64 installed = 0;
  guint64 encryptions = 0;

  g_clear_pointer (&due->keyring, bawn_keyring_unref);
  if (!load_config (txn, &config, error))
    return FALSE;
  if (!bawn_barrier_get_key_status (bawn_core_get_barrier (core), &term, &installed, &encryptions))
    return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");

  gint64 age = bawn_clock_real_us (bawn_core_get_clock (core)) - installed;
  gboolean worn = encryptions >= (guint64) config.max_operations;
  gboolean old = config.interval_us > 0 && age >= config.interval_us;
  if (!config.enabled || (!worn && !old))
    return !bawn_barrier_counts_due (bawn_core_get_barrier (core)) || write_counts (core, txn, due, error);

  due->keyring = put_new_term (core, txn, error);
  return due->keyring != NULL;
}

/**
 * bawn_sys_rotate_if_due:
 * @core: an unsealed, active node
 * @error: return location
 *
 * Makes a new term when the present one was used as often, or is as old, as sys/rotate/config says.
 * Blocks; for a worker that looks now and then.
 *
 * Returns: %FALSE on error
 */
gboolean
bawn_sys_rotate_if_due (BawnCore *core, GError **error)
{
  DueRotation due = { NULL };
  gboolean fine = bawn_core_transact (core, rotate_when_due, &due, error);
  g_autoptr (BawnKeyring) keyring = due.keyring;

  if (fine && keyring != NULL)
    bawn_barrier_replace (bawn_core_get_barrier (core), keyring);

  return fine;
}

/* Shares are handed out once and never kept, encrypted or not, so there is nothing to back up. */
static BawnResponse *
rekey_backup (BawnEngine *engine G_GNUC_UNUSED,
              BawnRequest *request,
              BawnTxn *txn G_GNUC_UNUSED,
              GError **error)
{
  if (request->op == BAWN_OP_DELETE)
    return bawn_response_new_empty ();

  return bawn_fail_null (error, BAWN_ERROR_INVALID, "no backed-up keys found");
}

/* The newer, authenticated spellings of what sys/rekey and sys/generate-root do outside the
 * pipeline. */
static BawnResponse *
in_envelope (BawnEngine *engine,
             BawnRequest *request,
             BawnTxn *txn,
             BawnDirectHandler handler,
             GError **error)
{
  BawnResponse *response =
      handler (bawn_engine_system_get_core (engine), request, bawn_txn_may_block (txn), error);

  if (response != NULL && response->data != NULL)
    response->form = BAWN_RESPONSE_INJECTED;
  return response;
}

static BawnResponse *
root_init (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return in_envelope (engine, request, txn, bawn_sys_rekey_init, error);
}

static BawnResponse *
root_update (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return in_envelope (engine, request, txn, bawn_sys_rekey_update, error);
}

static BawnResponse *
root_verify (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return in_envelope (engine, request, txn, bawn_sys_rekey_verify, error);
}

static BawnResponse *
root_token_attempt (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return in_envelope (engine, request, txn, bawn_sys_generate_root_attempt, error);
}

static BawnResponse *
root_token_update (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return in_envelope (engine, request, txn, bawn_sys_generate_root_update, error);
}

static void
seal_now (gpointer core, gpointer unused G_GNUC_UNUSED)
{
  bawn_core_seal (BAWN_CORE (core), "asked for through the API");
}

/* The node is sealed before the answer is out: clients look at once. Sealing waits for the batch in
 * flight, hence the pool. */
static BawnResponse *
seal (BawnEngine *engine,
      BawnRequest *request G_GNUC_UNUSED,
      BawnTxn *txn G_GNUC_UNUSED,
      GError **error G_GNUC_UNUSED)
{
  g_autoptr (BawnResponse) response = bawn_response_new_empty ();

  bawn_response_after_commit (response, seal_now,
                              g_object_ref (bawn_engine_system_get_core (engine)), g_object_unref);
  return g_steal_pointer (&response);
}

const BawnRoute bawn_sys_keys_routes[] = {
  { "key-status", BAWN_OP_READ, key_status, BAWN_ROUTE_NONE,
    "Provides information about the backend encryption key." },
  { "rotate", BAWN_OP_WRITE, rotate, BAWN_ROUTE_SUDO,
    "Rotates the backend encryption key used to persist data." },
  { "rotate/keyring", BAWN_OP_WRITE, rotate, BAWN_ROUTE_SUDO,
    "Rotates the backend encryption key used to persist data." },
  { "rotate/config", BAWN_OP_READ, rotate_config_read, BAWN_ROUTE_NONE,
    "Shows when the encryption key is rotated by itself." },
  { "rotate/config", BAWN_OP_WRITE, rotate_config_write, BAWN_ROUTE_NONE,
    "Sets when the encryption key is rotated by itself." },
  { "rotate/keyring/config", BAWN_OP_READ, rotate_config_read, BAWN_ROUTE_NONE,
    "Shows when the encryption key is rotated by itself." },
  { "rotate/keyring/config", BAWN_OP_WRITE, rotate_config_write, BAWN_ROUTE_NONE,
    "Sets when the encryption key is rotated by itself." },
  { "rekey/backup", BAWN_OP_READ | BAWN_OP_DELETE, rekey_backup, BAWN_ROUTE_NONE,
    "Allows fetching or deleting the backup of the rotated unseal keys." },
  { "rekey/recovery-key-backup", BAWN_OP_READ | BAWN_OP_DELETE, rekey_backup, BAWN_ROUTE_NONE,
    "Allows fetching or deleting the backup of the rotated recovery keys." },
  { "rotate/root/init", READ_WRITE_DELETE, root_init, BAWN_ROUTE_SUDO | BAWN_ROUTE_ANY_FIELD,
    "Begins, shows or cancels a rekey." },
  { "rotate/root/update", BAWN_OP_WRITE, root_update, BAWN_ROUTE_SUDO | BAWN_ROUTE_ANY_FIELD,
    "Gives a share to a rekey." },
  { "rotate/root/verify", READ_WRITE_DELETE, root_verify, BAWN_ROUTE_SUDO | BAWN_ROUTE_ANY_FIELD,
    "Proves the new shares of a rekey." },
  { "rotate/root/backup", BAWN_OP_READ | BAWN_OP_DELETE, rekey_backup, BAWN_ROUTE_SUDO,
    "Allows fetching or deleting the backup of the rotated unseal keys." },
  { "generate-root-token/attempt", READ_WRITE_DELETE, root_token_attempt,
    BAWN_ROUTE_SUDO | BAWN_ROUTE_ANY_FIELD,
    "Begins, shows or cancels the generation of a root token." },
  { "generate-root-token/update", BAWN_OP_WRITE, root_token_update,
    BAWN_ROUTE_SUDO | BAWN_ROUTE_ANY_FIELD, "Gives a share to the generation of a root token." },
  { "seal", BAWN_OP_WRITE, seal, BAWN_ROUTE_SUDO | BAWN_ROUTE_SLOW | BAWN_ROUTE_NODE,
    "Seal the server." },
  { 0 },
};
