/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-operator.h"

#include "cli/bawn-cli-data.h"
#include "crypto/bawn-crypto.h"

#include <glib/gi18n.h>
#include <string.h>

const BawnCliCommand bawn_cli_command_operator = {
  .name = "operator",
  .summary = N_ ("Look after the server itself: initialise, unseal, seal, change keys"),
};

/**
 * bawn_cli_ask_share:
 * @cli: surroundings
 * @args: the command line; its first operand may be the share
 * @prompt: what to print before asking
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL
 *
 * Returns: (transfer full): a key share; free with bawn_string_wipe_free()
 */
char *
bawn_cli_ask_share (BawnCli *cli, BawnCliArgs *args, const char *prompt, GError **error)
{
  const char *operand = bawn_cli_args_operand (args, 0);

  if (operand != NULL && strcmp (operand, "-") != 0)
    return g_strstrip (g_strdup (operand));

  return bawn_cli_ask (cli, prompt, error);
}

/**
 * bawn_cli_share_body:
 * @share: a key share
 * @nonce: (nullable): of the operation it is meant for
 *
 * Returns: (transfer full): the request's body
 */
GBytes *
bawn_cli_share_body (const char *share, const char *nonce)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "key", share);
  if (nonce != NULL)
    bawn_json_writer_add_string (&w, "nonce", nonce);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

/**
 * bawn_cli_load_pgp_key:
 * @file: its name; a leading `@` is passed over
 * @error: (out) (optional): naming the file
 *
 * Returns: (transfer full): the public key in base64
 */
char *
bawn_cli_load_pgp_key (const char *file, GError **error)
{
  g_autoptr (GBytes) content = bawn_cli_read_file (file[0] == '@' ? file + 1 : file, error);

  if (content == NULL)
    return NULL;

  gsize size = 0;
  const char *data = g_bytes_get_data (content, &size);
  g_autofree char *text = g_strndup (size > 0 ? data : "", size);
  /* A packet of OpenPGP (RFC 4880, 4.2) starts with its top bit set, which base64 never has. */
  if (size > 0 && ((guint8) data[0] & 0x80) == 0)
    {
      if (strstr (text, "-----BEGIN") != NULL)
        return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL,
                                   _ ("%s is an armoured key; export it without --armor"), file);
      return g_strstrip (g_steal_pointer (&text));
    }

  return bawn_base64_encode (data, size, FALSE, TRUE);
}

/**
 * bawn_cli_write_pgp_keys:
 * @w: where to write them, as one value
 * @files: (array zero-terminated=1): their names
 * @error: (out) (optional): naming the file that is wrong
 *
 * Returns: %FALSE with @error set if one cannot be read
 */
gboolean
bawn_cli_write_pgp_keys (BawnJsonWriter *w, const char *const *files, GError **error)
{
  bawn_json_writer_begin_array (w);
  for (guint i = 0; files[i] != NULL; i++)
    {
      g_autofree char *key = bawn_cli_load_pgp_key (files[i], error);

      if (key == NULL)
        return FALSE;
      bawn_json_writer_string (w, key);
    }
  bawn_json_writer_end_array (w);

  return TRUE;
}

/**
 * bawn_cli_at_most_one:
 * @args: a command line
 * @names: (array zero-terminated=1): boolean flags
 * @error: (out) (optional): %BAWN_CLI_ERROR_USAGE, naming two of them
 *
 * Returns: %FALSE with @error set if two were given
 */
gboolean
bawn_cli_at_most_one (BawnCliArgs *args, const char *const *names, GError **error)
{
  const char *first = NULL;

  for (guint i = 0; names[i] != NULL; i++)
    {
      if (!bawn_cli_args_has (args, names[i]))
        continue;
      if (first != NULL)
        return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE,
                              _ ("-%s and -%s cannot be used together"), first, names[i]);
      first = names[i];
    }

  return TRUE;
}

static gboolean
run_seal (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  if (!bawn_cli_api_write (cli, "sys/seal", NULL, NULL, error))
    {
      g_prefix_error (error, _ ("Error sealing: "));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! The server is sealed."));
  return TRUE;
}

const BawnCliCommand bawn_cli_command_operator_seal = {
  .name = "operator seal",
  .summary = N_ ("Seal the server: throw away the keys it has in memory"),
  .help =
      N_ ("A sealed server answers nothing until enough holders of key shares have unsealed it."),
  .scope = BAWN_CLI_REMOTE,
  .max_operands = 0,
  .run = run_seal,
};

static const BawnCliFlag step_down_flags[] = {
  { "successor", BAWN_CLI_FLAG_STRING, "ADDRESS",
    N_ ("API address of the standby that shall become active, as “bawn operator members” shows it"),
    NULL },
  { NULL },
};

static GBytes *
successor_body (const char *successor)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "successor", successor);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

/* Whoever is asked may be a standby, which passes the wish on. If nobody says, it is whom we ask.
 */
static char *
dup_active (BawnCli *cli)
{
  const char *asked = bawn_cli_settings (cli)->address;
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_call (cli, "GET", "sys/leader", NULL, NULL, FALSE, &reply, NULL)
      || !bawn_cli_reply_check (reply, NULL))
    return g_strdup (asked);

  const BawnJsonNode *root = bawn_cli_reply_root (reply);
  const char *leader = bawn_json_get_string (root, "leader_address", "");

  return g_strdup (bawn_json_get_bool (root, "is_self", FALSE) || leader[0] == '\0' ? asked
                                                                                    : leader);
}

static gboolean
run_step_down (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *active = dup_active (cli);
  const char *successor = bawn_cli_args_string (args, "successor", NULL);
  g_autoptr (GBytes) body = successor != NULL ? successor_body (successor) : NULL;

  if (!bawn_cli_api_write (cli, "sys/step-down", body, NULL, error))
    {
      g_prefix_error (error, _ ("Error stepping down: "));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Stepped down: %s"), active);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_operator_step_down = {
  .name = "operator step-down",
  .summary = N_ ("Have the active node hand over to another"),
  .help =
      N_ ("The node stays unsealed, as a standby. Any node of the cluster can be asked. Without "
          "-successor, the standby that is first becomes active."),
  .examples = "bawn operator step-down\nbawn operator step-down -successor=https://10.0.0.6:8200",
  .flags = step_down_flags,
  .scope = BAWN_CLI_REMOTE,
  .max_operands = 0,
  .run = run_step_down,
};

/* The term of the keyring, as a small table. */
static gboolean
print_key_status (BawnCli *cli, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_call (cli, "GET", "sys/key-status", NULL, NULL, TRUE, &reply, error)
      || !bawn_cli_reply_check (reply, error))
    {
      g_prefix_error (error, _ ("Error reading key status: "));
      return FALSE;
    }

  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  if (data == NULL)
    data = bawn_cli_reply_root (reply);
  if (!bawn_json_is (data, BAWN_JSON_OBJECT))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("The server's answer is no key status"));
  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    {
      bawn_cli_output_node (cli, data);
      return TRUE;
    }

  g_autoptr (BawnCliTable) table = bawn_cli_table_new (NULL);
  bawn_cli_table_add_value (table, "Key Term", bawn_json_get (data, "term"));
  bawn_cli_table_add_value (table, "Install Time", bawn_json_get (data, "install_time"));
  bawn_cli_table_add_value (table, "Encryption Count", bawn_json_get (data, "encryptions"));
  bawn_cli_output_table (cli, table);
  return TRUE;
}

static gboolean
run_key_status (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  return print_key_status (cli, error);
}

const BawnCliCommand bawn_cli_command_operator_key_status = {
  .name = "operator key-status",
  .summary = N_ ("Print since when the current encryption key is in use"),
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 0,
  .run = run_key_status,
};

static gboolean
run_rotate (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  if (!bawn_cli_api_write (cli, "sys/rotate", NULL, NULL, error))
    {
      g_prefix_error (error, _ ("Error rotating key: "));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Rotated key\n"));
  return print_key_status (cli, error);
}

const BawnCliCommand bawn_cli_command_operator_rotate = {
  .name = "operator rotate",
  .summary = N_ ("Encrypt what is written from now on with a new key"),
  .help =
      N_ ("What was written before stays readable. Key shares do not change; “bawn operator rekey” "
          "changes those."),
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 0,
  .run = run_rotate,
};

/* A rolling upgrade is watched here: that of the program, if the server tells it, and not that of the API. */
static const char *
version_of (const BawnJsonNode *node)
{
  return bawn_json_get_string (node, "bawn_version", bawn_json_get_string (node, "version", ""));
}

static gboolean
run_members (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  static const char *const header[] = { "Host Name",   "API Address", "Cluster Address",
                                        "Active Node", "Version",     "Last Echo",
                                        NULL };
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_read (cli, "sys/ha-status", NULL, &reply, error))
    {
      g_prefix_error (error, _ ("Error reading the cluster's members: "));
      return FALSE;
    }

  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  if (data == NULL)
    data = bawn_cli_reply_root (reply);
  const BawnJsonNode *nodes = bawn_json_get (data, "nodes");
  if (!bawn_json_is (nodes, BAWN_JSON_ARRAY))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("The server does not tell its members"));
  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    {
      bawn_cli_output_node (cli, data);
      return TRUE;
    }

  g_autoptr (BawnCliTable) table = bawn_cli_table_new (header);
  for (const BawnJsonNode *node = nodes->children; node != NULL; node = node->next)
    bawn_cli_table_add (table, bawn_json_get_string (node, "hostname", ""),
                        bawn_json_get_string (node, "api_address", ""),
                        bawn_json_get_string (node, "cluster_address", ""),
                        bawn_json_get_bool (node, "active_node", FALSE) ? "true" : "false",
                        version_of (node),
                        bawn_json_get_string (node, "last_echo", ""), NULL);
  bawn_cli_output_table (cli, table);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_operator_members = {
  .name = "operator members",
  .summary = N_ ("List the nodes of the cluster"),
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 0,
  .run = run_members,
};
