/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-operator.h"
#include "util/bawn-bytes.h"

#include <glib/gi18n.h>
#include <string.h>

#define DEFAULT_SHARES 5
#define DEFAULT_THRESHOLD 3

static const BawnCliFlag rekey_flags[] = {
  { "init", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Start an operation; see -key-shares and the like.") },
  { "cancel", BAWN_CLI_FLAG_BOOL, NULL,
    N_ ("Give the operation up; with -verify, only the verification starts anew.") },
  { "status", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Print how far the operation has come.") },
  { "key-shares", BAWN_CLI_FLAG_INT, "N", N_ ("How many new shares; by default 5.") },
  { "n", BAWN_CLI_FLAG_INT, "N", NULL },
  { "key-threshold", BAWN_CLI_FLAG_INT, "N",
    N_ ("How many of them unseal the server; by default 3.") },
  { "t", BAWN_CLI_FLAG_INT, "N", NULL },
  { "nonce", BAWN_CLI_FLAG_STRING, "NONCE",
    N_ ("Of the operation that the share is meant for, as -init printed it.") },
  { "pgp-keys", BAWN_CLI_FLAG_LIST, "FILES",
    N_ ("Files with OpenPGP keys, one for each share, separated by commas: each share is encrypted "
        "to its key.") },
  { "backup", BAWN_CLI_FLAG_BOOL, NULL,
    N_ ("Keep the encrypted shares on the server too; only with -pgp-keys.") },
  { "backup-retrieve", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Print the shares kept by -backup.") },
  { "backup-delete", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Delete the shares kept by -backup.") },
  { "verify", BAWN_CLI_FLAG_BOOL, NULL,
    N_ ("With -init: the new shares count only once enough of them have been entered. Else: enter "
        "one of these.") },
  { "target", BAWN_CLI_FLAG_STRING, "KEY", N_ ("Which key: barrier, the default, or recovery."),
    "barrier recovery" },
  { NULL },
};

/* @rest below the API's path for the key that is to change. */
static char *
rekey_path (BawnCliArgs *args, const char *rest)
{
  const char *target = bawn_cli_args_string (args, "target", "barrier");

  return g_strconcat (strcmp (target, "recovery") == 0 ? "sys/rekey-recovery-key/" : "sys/rekey/",
                      rest, NULL);
}

static void
output_status (BawnCli *cli, const BawnCliReply *reply)
{
  static const char *const header[] = { "Key", "Value", NULL };
  const BawnJsonNode *root = bawn_cli_reply_root (reply);
  const char *nonce = bawn_json_get_string (root, "verification_nonce", "");

  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    {
      bawn_cli_output_reply (cli, reply);
      return;
    }

  g_autoptr (BawnCliTable) table = bawn_cli_table_new (header);
  g_autofree char *progress = g_strdup_printf (
      "%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, bawn_json_get_int (root, "progress", 0),
      bawn_json_get_int (root, "required", bawn_json_get_int (root, "t", 0)));
  bawn_cli_table_add_value (table, "Nonce", bawn_json_get (root, "nonce"));
  bawn_cli_table_add_value (table, "Started", bawn_json_get (root, "started"));
  if (bawn_json_get_bool (root, "started", FALSE))
    {
      bawn_cli_table_add (table, "Rekey Progress", progress, NULL);
      bawn_cli_table_add_value (table, "New Shares", bawn_json_get (root, "n"));
      bawn_cli_table_add_value (table, "New Threshold", bawn_json_get (root, "t"));
      if (bawn_json_get (root, "verification_required") != NULL)
        bawn_cli_table_add_value (table, "Verification Required",
                                  bawn_json_get (root, "verification_required"));
      if (nonce[0] != '\0')
        bawn_cli_table_add (table, "Verification Nonce", nonce, NULL);
    }
  bawn_cli_output_table (cli, table);
}

static GBytes *
init_body (BawnCliArgs *args, GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_auto (GStrv) pgp_keys = bawn_cli_args_dup_split (args, "pgp-keys");
  gint64 shares = bawn_cli_args_int (args, "n", DEFAULT_SHARES);
  gint64 threshold = bawn_cli_args_int (args, "t", DEFAULT_THRESHOLD);

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "secret_shares", bawn_cli_args_int (args, "key-shares", shares));
  bawn_json_writer_add_int (&w, "secret_threshold",
                            bawn_cli_args_int (args, "key-threshold", threshold));
  if (pgp_keys[0] != NULL)
    {
      bawn_json_writer_name (&w, "pgp_keys");
      if (!bawn_cli_write_pgp_keys (&w, (const char *const *) pgp_keys, error))
        return NULL;
    }
  bawn_json_writer_add_bool (&w, "backup", bawn_cli_args_bool (args, "backup", FALSE));
  bawn_json_writer_add_bool (&w, "require_verification",
                             bawn_cli_args_bool (args, "verify", FALSE));
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

static gboolean
start (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = rekey_path (args, "init");
  g_autoptr (BawnCliReply) reply = NULL;
  g_autoptr (GBytes) body = init_body (args, error);

  if (body == NULL || !bawn_cli_api_write (cli, path, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error initializing rekey: "));
      return FALSE;
    }
  if (!bawn_cli_args_has (args, "pgp-keys"))
    bawn_cli_warn (
        _ ("the new key shares will be printed in the clear to whoever enters the last old "
           "one; -pgp-keys protects them"));

  output_status (cli, reply);
  return TRUE;
}

static gboolean
cancel (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  gboolean verify = bawn_cli_args_bool (args, "verify", FALSE);
  g_autofree char *path = rekey_path (args, verify ? "verify" : "init");

  if (!bawn_cli_api_delete (cli, path, NULL, NULL, error))
    {
      g_prefix_error (error, _ ("Error canceling rekey: "));
      return FALSE;
    }

  bawn_cli_say (cli, verify ? _ ("Success! Canceled the verification (if it was started)")
                            : _ ("Success! Canceled rekeying (if it was started)"));
  return TRUE;
}

static gboolean
read_status (BawnCli *cli, BawnCliArgs *args, BawnCliReply **out_reply, GError **error)
{
  gboolean verify = bawn_cli_args_bool (args, "verify", FALSE);
  g_autofree char *path = rekey_path (args, verify ? "verify" : "init");

  /* Not what was asked for when a share is to be entered: so nothing of this is shown or wrapped.
   */
  gboolean asked = bawn_cli_args_bool (args, "status", FALSE);
  if (bawn_cli_api_call (cli, "GET", path, NULL, NULL, asked, out_reply, error)
      && bawn_cli_reply_check (*out_reply, error))
    return TRUE;

  g_prefix_error (error, _ ("Error getting rekey status: "));
  return FALSE;
}

static gboolean
print_status (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;

  if (!read_status (cli, args, &reply, error))
    return FALSE;

  output_status (cli, reply);
  return TRUE;
}

static gboolean
backup_retrieve (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = rekey_path (args, "backup");
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_read (cli, path, NULL, &reply, error))
    {
      g_prefix_error (error, _ ("Error retrieving rekey stored keys: "));
      return FALSE;
    }
  if (reply == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("No shares are kept"));

  bawn_cli_output_reply (cli, reply);
  return TRUE;
}

static gboolean
backup_delete (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = rekey_path (args, "backup");

  if (!bawn_cli_api_delete (cli, path, NULL, NULL, error))
    {
      g_prefix_error (error, _ ("Error deleting rekey stored keys: "));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Deleted the kept key shares (if there were any)"));
  return TRUE;
}

static void
output_new_keys (BawnCli *cli, const BawnCliReply *reply)
{
  const BawnJsonNode *root = bawn_cli_reply_root (reply);
  const BawnJsonNode *keys = bawn_json_get (root, "keys_base64");
  const char *nonce = bawn_json_get_string (root, "verification_nonce", "");
  guint n = 0;

  for (const BawnJsonNode *key = bawn_json_is (keys, BAWN_JSON_ARRAY) ? keys->children : NULL;
       key != NULL; key = key->next)
    bawn_cli_say (cli, "Key %u: %s", ++n, key->string != NULL ? key->string : "");
  bawn_cli_say (cli, "\nOperation nonce: %s\n", bawn_json_get_string (root, "nonce", ""));
  if (bawn_json_get_bool (root, "verification_required", FALSE))
    bawn_cli_say (
        cli,
        _ ("The new shares do not count yet: enter enough of them with “bawn operator rekey\n"
           "-verify”, or the old ones stay in force. Verification nonce: %s"),
        nonce);
  /* With a warning it is not known whether they are. */
  else if (!bawn_json_is (bawn_json_get (root, "warnings"), BAWN_JSON_ARRAY))
    bawn_cli_say (cli,
                  _ ("The shares above are in force now, and the old ones are void. They are shown "
                     "this\nonce: give them to different people."));
  bawn_cli_output_warnings (reply);
}

static void
output_progress (BawnCli *cli, BawnCliArgs *args, const BawnCliReply *reply)
{
  const BawnJsonNode *root = bawn_cli_reply_root (reply);

  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    bawn_cli_output_reply (cli, reply);
  else if (!bawn_json_get_bool (root, "complete", FALSE))
    output_status (cli, reply);
  else if (bawn_cli_args_bool (args, "verify", FALSE))
    bawn_cli_say (cli,
                  _ ("Success! The verification is complete: the new shares are in force now."));
  else
    output_new_keys (cli, reply);
}

static gboolean
provide (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  gboolean verify = bawn_cli_args_bool (args, "verify", FALSE);
  g_autoptr (BawnCliReply) status = NULL;
  g_autoptr (BawnCliReply) reply = NULL;

  if (!read_status (cli, args, &status, error))
    return FALSE;

  const BawnJsonNode *root = bawn_cli_reply_root (status);
  /* What has become of one that is named, the server knows. */
  if (!bawn_json_get_bool (root, "started", FALSE) && !bawn_cli_args_has (args, "nonce"))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                          _ ("No rekey is in progress. “bawn operator rekey -init” starts one."));

  const char *nonce =
      bawn_cli_args_string (args, "nonce", bawn_json_get_string (root, "nonce", ""));
  g_autofree char *prompt =
      g_strdup_printf (verify ? _ ("Verification nonce: %s\nNew key share (will be hidden): ")
                              : _ ("Rekey operation nonce: %s\nUnseal Key (will be hidden): "),
                       nonce);
  g_autoptr (BawnWipedString) share = bawn_cli_ask_share (cli, args, prompt, error);
  if (share == NULL)
    return FALSE;

  g_autofree char *path = rekey_path (args, verify ? "verify" : "update");
  g_autoptr (GBytes) body = bawn_cli_share_body (share, nonce);
  if (!bawn_cli_api_write (cli, path, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error posting unseal key: "));
      return FALSE;
    }

  output_progress (cli, args, reply);
  return TRUE;
}

static gboolean
run_rekey (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  static const char *const actions[] = { "init",          "cancel", "status", "backup-retrieve",
                                         "backup-delete", NULL };

  if (!bawn_cli_at_most_one (args, actions, error))
    return FALSE;
  if (bawn_cli_args_bool (args, "init", FALSE))
    return start (cli, args, error);
  if (bawn_cli_args_bool (args, "cancel", FALSE))
    return cancel (cli, args, error);
  if (bawn_cli_args_bool (args, "status", FALSE))
    return print_status (cli, args, error);
  if (bawn_cli_args_bool (args, "backup-retrieve", FALSE))
    return backup_retrieve (cli, args, error);
  if (bawn_cli_args_bool (args, "backup-delete", FALSE))
    return backup_delete (cli, args, error);

  return provide (cli, args, error);
}

const BawnCliCommand bawn_cli_command_operator_rekey = {
  .name = "operator rekey",
  .operands = "[KEY]",
  .summary = N_ ("Replace the key shares by new ones"),
  .help = N_ (
      "Start with -init, then have enough holders of the old shares enter theirs with “bawn "
      "operator rekey”; the last one gets the new shares. Without an operand, asks for the share "
      "without showing it."),
  .examples = "bawn operator rekey -init -key-shares=5 -key-threshold=3 -verify\n"
              "bawn operator rekey -nonce=2dd10cf1-f059-8b1e-4ba1-07bdd4c0e3ff\n"
              "bawn operator rekey -verify\nbawn operator rekey -cancel",
  .flags = rekey_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 1,
  .run = run_rekey,
};
