/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-operator.h"

#include <glib/gi18n.h>

#define DEFAULT_SHARES 5
#define DEFAULT_THRESHOLD 3

static const BawnCliFlag init_flags[] = {
  { "key-shares", BAWN_CLI_FLAG_INT, "N",
    N_ ("Into how many shares the root key is split; by default 5.") },
  { "n", BAWN_CLI_FLAG_INT, "N", NULL },
  { "key-threshold", BAWN_CLI_FLAG_INT, "N",
    N_ ("How many of them unseal the server; by default 3.") },
  { "t", BAWN_CLI_FLAG_INT, "N", NULL },
  { "pgp-keys", BAWN_CLI_FLAG_LIST, "FILES",
    N_ ("Files with OpenPGP keys, one for each share, separated by commas: each share is encrypted "
        "to its key.") },
  { "root-token-pgp-key", BAWN_CLI_FLAG_STRING, "FILE",
    N_ ("File with an OpenPGP key to which the root token is encrypted.") },
  { "recovery-shares", BAWN_CLI_FLAG_INT, "N",
    N_ ("For servers that unseal themselves: shares of the recovery key.") },
  { "recovery-threshold", BAWN_CLI_FLAG_INT, "N",
    N_ ("For servers that unseal themselves: how many recovery shares are needed.") },
  { "stored-shares", BAWN_CLI_FLAG_INT, "N", NULL },
  { "status", BAWN_CLI_FLAG_BOOL, NULL,
    N_ ("Only tell whether the server is initialised: exit status 0 says yes, 2 says no.") },
  { NULL },
};

static gboolean
print_init_status (BawnCli *cli, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_read (cli, "sys/init", NULL, &reply, error))
    {
      if (!g_error_matches (*error, BAWN_CLI_ERROR, BAWN_CLI_ERROR_DONE))
        (*error)->code = BAWN_CLI_ERROR_LOCAL;
      g_prefix_error (error, _ ("Error checking initialization status: "));
      return FALSE;
    }

  gboolean initialized = bawn_json_get_bool (bawn_cli_reply_root (reply), "initialized", FALSE);
  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    bawn_cli_output_reply (cli, reply);
  else if (initialized)
    bawn_cli_say (cli, _ ("The server is initialized"));
  else
    bawn_cli_say (cli, _ ("The server is not initialized"));

  bawn_cli_set_exit_status (cli, initialized ? BAWN_CLI_EXIT_OK : BAWN_CLI_EXIT_REMOTE);
  return TRUE;
}

static gint64
int_of_either (BawnCliArgs *args, const char *name, const char *shorter, gint64 fallback)
{
  return bawn_cli_args_int (args, name, bawn_cli_args_int (args, shorter, fallback));
}

static GBytes *
init_body (BawnCliArgs *args, GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_auto (GStrv) pgp_keys = bawn_cli_args_dup_split (args, "pgp-keys");
  const char *root_key = bawn_cli_args_string (args, "root-token-pgp-key", NULL);

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "secret_shares",
                            int_of_either (args, "key-shares", "n", DEFAULT_SHARES));
  bawn_json_writer_add_int (&w, "secret_threshold",
                            int_of_either (args, "key-threshold", "t", DEFAULT_THRESHOLD));
  if (bawn_cli_args_has (args, "recovery-shares"))
    bawn_json_writer_add_int (&w, "recovery_shares",
                              bawn_cli_args_int (args, "recovery-shares", 0));
  if (bawn_cli_args_has (args, "recovery-threshold"))
    bawn_json_writer_add_int (&w, "recovery_threshold",
                              bawn_cli_args_int (args, "recovery-threshold", 0));
  if (pgp_keys[0] != NULL)
    {
      bawn_json_writer_name (&w, "pgp_keys");
      if (!bawn_cli_write_pgp_keys (&w, (const char *const *) pgp_keys, error))
        return NULL;
    }
  if (root_key != NULL)
    {
      g_autofree char *key = bawn_cli_load_pgp_key (root_key, error);

      if (key == NULL)
        return NULL;
      bawn_json_writer_add_string (&w, "root_token_pgp_key", key);
    }
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

static void
copy_list (BawnJsonWriter *w, const char *to, const BawnJsonNode *root, const char *from)
{
  const BawnJsonNode *node = bawn_json_get (root, from);

  bawn_json_writer_name (w, to);
  if (bawn_json_is (node, BAWN_JSON_ARRAY))
    bawn_json_writer_node (w, node);
  else
    bawn_json_writer_strv (w, (const char *const[]){ NULL });
}

/* The names that scripts know from Vault's command line. */
static void
output_as_object (BawnCli *cli, BawnCliArgs *args, const BawnJsonNode *root)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  copy_list (&w, "unseal_keys_b64", root, "keys_base64");
  copy_list (&w, "unseal_keys_hex", root, "keys");
  bawn_json_writer_add_int (&w, "unseal_shares",
                            int_of_either (args, "key-shares", "n", DEFAULT_SHARES));
  bawn_json_writer_add_int (&w, "unseal_threshold",
                            int_of_either (args, "key-threshold", "t", DEFAULT_THRESHOLD));
  copy_list (&w, "recovery_keys_b64", root, "recovery_keys_base64");
  copy_list (&w, "recovery_keys_hex", root, "recovery_keys");
  bawn_json_writer_add_int (&w, "recovery_keys_shares",
                            bawn_cli_args_int (args, "recovery-shares", DEFAULT_SHARES));
  bawn_json_writer_add_int (&w, "recovery_keys_threshold",
                            bawn_cli_args_int (args, "recovery-threshold", DEFAULT_THRESHOLD));
  bawn_json_writer_add_string (&w, "root_token", bawn_json_get_string (root, "root_token", ""));
  bawn_json_writer_end_object (&w);
  bawn_cli_output_writer (cli, &w);
}

static guint
print_keys (BawnCli *cli, const char *label, const BawnJsonNode *keys)
{
  guint n = 0;

  if (!bawn_json_is (keys, BAWN_JSON_ARRAY))
    return 0;
  for (const BawnJsonNode *node = keys->children; node != NULL; node = node->next)
    bawn_cli_say (cli, "%s %u: %s", label, ++n, node->string != NULL ? node->string : "");
  if (n > 0)
    bawn_cli_say (cli, "%s", "");

  return n;
}

static void
output_for_people (BawnCli *cli, BawnCliArgs *args, const BawnJsonNode *root)
{
  guint n = print_keys (cli, "Unseal Key", bawn_json_get (root, "keys_base64"));
  guint n_recovery = print_keys (cli, "Recovery Key", bawn_json_get (root, "recovery_keys_base64"));

  bawn_cli_say (cli, "Initial Root Token: %s\n", bawn_json_get_string (root, "root_token", ""));
  if (n_recovery > 0)
    bawn_cli_say (cli,
                  _ ("The server is initialized and unseals itself. The recovery keys are needed "
                     "to\nmake a new root token, and should be given to different people."));
  if (n == 0)
    return;

  guint threshold = (guint) int_of_either (args, "key-threshold", "t", DEFAULT_THRESHOLD);
  bawn_cli_say (cli,
                ngettext ("The server is initialized with %u key share.",
                          "The server is initialized with %u key shares.", n),
                n);
  bawn_cli_say (cli,
                ngettext ("To unseal it, %u is needed.", "To unseal it, %u are needed.", threshold),
                threshold);
  bawn_cli_say (
      cli,
      _ ("Give the shares to different people: they are shown this once, and nobody can "
         "recover\nthem. Whenever the server starts or is sealed, as many as that must be "
         "entered again\nwith “bawn operator unseal”.\n\nThe shares can be replaced as long as "
         "enough of them are known: see “bawn operator\nrekey”. The root token may do "
         "everything: revoke it when you are set up."));
}

static gboolean
run_init (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;

  if (bawn_cli_args_bool (args, "status", FALSE))
    return print_init_status (cli, error);

  g_autoptr (GBytes) body = init_body (args, error);
  if (body == NULL)
    return FALSE;
  if (!bawn_cli_api_write (cli, "sys/init", body, &reply, error))
    {
      g_prefix_error (error, _ ("Error initializing: "));
      return FALSE;
    }

  const BawnJsonNode *root = bawn_cli_reply_root (reply);
  if (bawn_json_get_string (root, "root_token", NULL) == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("The server's answer holds no keys"));
  bawn_cli_output_warnings (reply);
  if (bawn_cli_settings (cli)->format == BAWN_CLI_FORMAT_TABLE)
    output_for_people (cli, args, root);
  else
    output_as_object (cli, args, root);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_operator_init = {
  .name = "operator init",
  .summary = N_ ("Initialise a new server, and print its key shares and root token"),
  .help =
      N_ ("Done once for each storage. The key that protects everything is split into shares; what "
          "is printed is not kept anywhere, so take good care of it."),
  .examples = "bawn operator init\nbawn operator init -key-shares=1 -key-threshold=1 -format=json\n"
              "bawn operator init -key-shares=3 -key-threshold=2 -pgp-keys=ann.gpg,bob.gpg,eve.gpg",
  .flags = init_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 0,
  .run = run_init,
};
