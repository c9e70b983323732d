/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-output.h"

#include <glib/gi18n.h>

const BawnCliCommand bawn_cli_command_lease = {
  .name = "lease",
  .summary = N_ ("Work with leases: how long secrets and tokens live"),
};

static GBytes *
lease_body (const char *id, const char *increment)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "lease_id", id);
  if (increment != NULL)
    bawn_json_writer_add_string (&w, "increment", increment);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

static gboolean
run_lookup (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *id = bawn_cli_args_operand (args, 0);
  g_autoptr (GBytes) body = lease_body (id, NULL);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_write (cli, "sys/leases/lookup", body, &reply, error))
    {
      g_prefix_error (error, _ ("Error looking up lease %s: "), id);
      return FALSE;
    }

  return bawn_cli_output_secret (cli, args, reply, error);
}

const BawnCliCommand bawn_cli_command_lease_lookup = {
  .name = "lease lookup",
  .operands = "LEASE",
  .summary = N_ ("Print what the server knows of a lease"),
  .examples = "bawn lease lookup database/creds/readonly/2f6a614c4aa2b19d51b0f8a5",
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_lookup,
};

static const BawnCliFlag renew_flags[] = {
  { "increment", BAWN_CLI_FLAG_DURATION, "DURATION",
    N_ ("For how long from now; the server may grant less.") },
  { "i", BAWN_CLI_FLAG_DURATION, "DURATION", NULL },
  { NULL },
};

static gboolean
run_renew (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *id = bawn_cli_args_operand (args, 0);
  g_autofree char *increment =
      bawn_cli_args_dup_duration (args, bawn_cli_args_has (args, "i") ? "i" : "increment");
  g_autoptr (GBytes) body = lease_body (id, increment);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_write (cli, "sys/leases/renew", body, &reply, error))
    {
      g_prefix_error (error, _ ("Error renewing %s: "), id);
      return FALSE;
    }

  return bawn_cli_output_secret (cli, args, reply, error);
}

const BawnCliCommand bawn_cli_command_lease_renew = {
  .name = "lease renew",
  .operands = "LEASE",
  .summary = N_ ("Let a secret live longer"),
  .examples = "bawn lease renew -increment=1h database/creds/readonly/2f6a614c4aa2b19d51b0f8a5",
  .flags = renew_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_renew,
};

static const BawnCliFlag revoke_flags[] = {
  { "prefix", BAWN_CLI_FLAG_BOOL, NULL, N_ ("The operand is a path: revoke all leases below it.") },
  { "force", BAWN_CLI_FLAG_BOOL, NULL,
    N_ ("With -prefix: forget the leases even if what they stand for cannot be undone.") },
  { "f", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Short for -force.") },
  { "sync", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Wait until it is done.") },
  { NULL },
};

static gboolean
revoke_lease (BawnCli *cli, BawnCliArgs *args, gboolean force, GError **error)
{
  const char *id = bawn_cli_args_operand (args, 0);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autofree char *path = NULL;

  bawn_json_writer_begin_object (&w);
  if (bawn_cli_args_bool (args, "prefix", FALSE))
    path = bawn_cli_api_join (force ? "sys/leases/revoke-force" : "sys/leases/revoke-prefix", id);
  else
    {
      path = g_strdup ("sys/leases/revoke");
      bawn_json_writer_add_string (&w, "lease_id", id);
    }
  if (!force)
    bawn_json_writer_add_bool (&w, "sync", bawn_cli_args_bool (args, "sync", FALSE));
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);
  g_autoptr (BawnCliReply) reply = NULL;
  if (!bawn_cli_api_write (cli, path, body, &reply, error))
    return FALSE;
  bawn_cli_output_warnings (reply);
  return TRUE;
}

static gboolean
run_revoke (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *id = bawn_cli_args_operand (args, 0);
  gboolean prefix = bawn_cli_args_bool (args, "prefix", FALSE);
  gboolean force = bawn_cli_args_bool (args, "force", bawn_cli_args_bool (args, "f", FALSE));

  if (force && !prefix)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("-force needs -prefix"));
  if (force)
    bawn_cli_warn (
        _ ("what the leases stand for may stay behind, and is nobody's business any more but "
           "yours"));
  if (!revoke_lease (cli, args, force, error))
    {
      g_prefix_error (error, _ ("Error revoking lease %s: "), id);
      return FALSE;
    }

  if (prefix)
    bawn_cli_say (cli, _ ("Success! Revoked any leases with prefix: %s"), id);
  else if (bawn_cli_args_bool (args, "sync", FALSE))
    bawn_cli_say (cli, _ ("Success! Revoked lease: %s"), id);
  else
    bawn_cli_say (cli, _ ("All revocation operations queued successfully!"));
  return TRUE;
}

const BawnCliCommand bawn_cli_command_lease_revoke = {
  .name = "lease revoke",
  .operands = "LEASE",
  .summary = N_ ("Put an end to a secret before its time"),
  .examples = "bawn lease revoke database/creds/readonly/2f6a614c4aa2b19d51b0f8a5\n"
              "bawn lease revoke -prefix -sync database/creds",
  .flags = revoke_flags,
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_revoke,
};
