/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-operator.h"
#include "crypto/bawn-crypto.h"
#include "util/bawn-bytes.h"

#include <glib/gi18n.h>
#include <string.h>

#define ATTEMPT_PATH "sys/generate-root/attempt"
#define UPDATE_PATH "sys/generate-root/update"
/* The length of a service token; what servers say goes first. */
#define DEFAULT_OTP_LENGTH 28
#define MAX_OTP_LENGTH 1024

static const BawnCliFlag root_flags[] = {
  { "init", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Start an attempt.") },
  { "cancel", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Give the attempt up.") },
  { "status", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Print how far the attempt has come.") },
  { "generate-otp", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Print a one-time password to start with.") },
  { "decode", BAWN_CLI_FLAG_STRING, "TEXT",
    N_ ("Decode the encoded root token with the one-time password of -otp; - reads it from the "
        "standard input.") },
  { "otp", BAWN_CLI_FLAG_STRING, "PASSWORD",
    N_ ("The one-time password that the token is encoded with; - reads it from the standard "
        "input.") },
  { "pgp-key", BAWN_CLI_FLAG_STRING, "FILE",
    N_ ("With -init: file with an OpenPGP key to which the token is encrypted instead.") },
  { "nonce", BAWN_CLI_FLAG_STRING, "NONCE",
    N_ ("Of the attempt that the share is meant for, as -init printed it.") },
  { NULL },
};

static void
output_status (BawnCli *cli, const BawnCliReply *reply)
{
  static const char *const names[][2] = {
    { "Nonce", "nonce" },
    { "Started", "started" },
    { "Progress", NULL },
    { "Complete", "complete" },
    { "PGP Fingerprint", "pgp_fingerprint" },
    { "Encoded Token", "encoded_token" },
    { "OTP", "otp" },
    { "OTP Length", "otp_length" },
  };
  const BawnJsonNode *root = bawn_cli_reply_root (reply);

  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    {
      bawn_cli_output_reply (cli, reply);
      return;
    }

  g_autoptr (BawnCliTable) table = bawn_cli_table_new (NULL);
  g_autofree char *progress = g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                                               bawn_json_get_int (root, "progress", 0),
                                               bawn_json_get_int (root, "required", 0));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const BawnJsonNode *node = names[i][1] != NULL ? bawn_json_get (root, names[i][1]) : NULL;

      if (names[i][1] == NULL)
        bawn_cli_table_add (table, names[i][0], progress, NULL);
      else if (node != NULL && node->kind != BAWN_JSON_NULL
               && !(node->kind == BAWN_JSON_STRING && node->string_size == 0 && i > 0))
        bawn_cli_table_add_value (table, names[i][0], node);
    }
  bawn_cli_output_table (cli, table);
}

static gboolean
read_attempt (BawnCli *cli, gboolean asked, BawnCliReply **out_reply, GError **error)
{
  if (bawn_cli_api_call (cli, "GET", ATTEMPT_PATH, NULL, NULL, asked, out_reply, error)
      && bawn_cli_reply_check (*out_reply, error))
    return TRUE;

  g_prefix_error (error, _ ("Error getting root generation status: "));
  return FALSE;
}

static gboolean
print_status (BawnCli *cli, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;

  if (!read_attempt (cli, TRUE, &reply, error))
    return FALSE;

  output_status (cli, reply);
  return TRUE;
}

/* @text, or for `-` a line of the standard input. */
static char *
text_or_line (BawnCli *cli, const char *text, const char *prompt, GError **error)
{
  return strcmp (text, "-") == 0 ? bawn_cli_ask (cli, prompt, error) : g_strdup (text);
}

static gboolean
start (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *otp = bawn_cli_args_string (args, "otp", NULL);
  const char *pgp = bawn_cli_args_string (args, "pgp-key", NULL);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autoptr (BawnCliReply) reply = NULL;

  if (otp != NULL && pgp != NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("-%s and -%s cannot be used together"),
                          "otp", "pgp-key");

  bawn_json_writer_begin_object (&w);
  if (otp != NULL)
    {
      g_autoptr (BawnWipedString) text =
          text_or_line (cli, otp, _ ("One-time password (will be hidden): "), error);
      if (text == NULL)
        return FALSE;
      bawn_json_writer_add_string (&w, "otp", text);
    }
  if (pgp != NULL)
    {
      g_autofree char *key = bawn_cli_load_pgp_key (pgp, error);
      if (key == NULL)
        return FALSE;
      bawn_json_writer_add_string (&w, "pgp_key", key);
    }
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);
  if (!bawn_cli_api_write (cli, ATTEMPT_PATH, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error initializing root generation: "));
      return FALSE;
    }
  if (otp == NULL && pgp == NULL)
    bawn_cli_warn (
        _ ("keep the one-time password: it is shown this once, and the token cannot be decoded "
           "without it"));

  output_status (cli, reply);
  return TRUE;
}

static gboolean
cancel (BawnCli *cli, GError **error)
{
  if (!bawn_cli_api_delete (cli, ATTEMPT_PATH, NULL, NULL, error))
    {
      g_prefix_error (error, _ ("Error canceling root token generation: "));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Root token generation canceled (if it was started)"));
  return TRUE;
}

static gboolean
generate_otp (BawnCli *cli, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;

  if (!read_attempt (cli, FALSE, &reply, error))
    return FALSE;

  gint64 length = bawn_json_get_int (bawn_cli_reply_root (reply), "otp_length", 0);
  if (length <= 0 || length > MAX_OTP_LENGTH)
    length = DEFAULT_OTP_LENGTH;
  g_autoptr (BawnWipedString) otp = bawn_random_base62 ((gsize) length);
  bawn_cli_output_raw (cli, otp, strlen (otp));
  return TRUE;
}

/* The token is the encoded bytes XOR the password's. */
static gboolean
decode (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *otp_text = bawn_cli_args_string (args, "otp", NULL);

  if (otp_text == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("-decode needs -otp"));

  g_autoptr (BawnWipedString) encoded =
      text_or_line (cli, bawn_cli_args_string (args, "decode", "-"),
                    _ ("Encoded token (will be hidden): "), error);
  if (encoded == NULL)
    return FALSE;
  g_autoptr (BawnWipedString) otp =
      text_or_line (cli, otp_text, _ ("One-time password (will be hidden): "), error);
  if (otp == NULL)
    return FALSE;

  g_autoptr (GBytes) bytes = bawn_base64_decode (g_strstrip (encoded), FALSE, NULL);
  gsize size = bytes != NULL ? g_bytes_get_size (bytes) : 0;
  if (bytes == NULL || size != strlen (otp))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                          _ ("The encoded token and the one-time password do not belong together"));

  const guint8 *data = g_bytes_get_data (bytes, NULL);
  g_autoptr (BawnWipedString) token = g_malloc0 (size + 1);
  for (gsize i = 0; i < size; i++)
    token[i] = (char) (data[i] ^ (guint8) otp[i]);
  if (!g_str_is_ascii (token))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                          _ ("The encoded token and the one-time password do not belong together"));
  bawn_cli_output_raw (cli, token, strlen (token));
  return TRUE;
}

static gboolean
provide (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliReply) status = NULL;
  g_autoptr (BawnCliReply) reply = NULL;

  if (!read_attempt (cli, FALSE, &status, error))
    return FALSE;

  const BawnJsonNode *root = bawn_cli_reply_root (status);
  /* What has become of one that is named, the server knows. */
  if (!bawn_json_get_bool (root, "started", FALSE) && !bawn_cli_args_has (args, "nonce"))
    return bawn_cli_fail (
        error, BAWN_CLI_ERROR_LOCAL,
        _ ("No root generation is in progress. “bawn operator generate-root -init” starts one."));

  const char *nonce =
      bawn_cli_args_string (args, "nonce", bawn_json_get_string (root, "nonce", ""));
  g_autofree char *prompt =
      g_strdup_printf (_ ("Operation nonce: %s\nUnseal Key (will be hidden): "), nonce);
  g_autoptr (BawnWipedString) share = bawn_cli_ask_share (cli, args, prompt, error);
  if (share == NULL)
    return FALSE;

  g_autoptr (GBytes) body = bawn_cli_share_body (share, nonce);
  if (!bawn_cli_api_write (cli, UPDATE_PATH, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error posting unseal key: "));
      return FALSE;
    }

  output_status (cli, reply);
  return TRUE;
}

static gboolean
run_generate_root (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  static const char *const actions[] = {
    "init", "cancel", "status", "generate-otp", "decode", NULL
  };

  if (!bawn_cli_at_most_one (args, actions, error))
    return FALSE;
  if (bawn_cli_args_has (args, "decode"))
    return decode (cli, args, error);
  if (bawn_cli_args_bool (args, "generate-otp", FALSE))
    return generate_otp (cli, error);
  if (bawn_cli_args_bool (args, "init", FALSE))
    return start (cli, args, error);
  if (bawn_cli_args_bool (args, "cancel", FALSE))
    return cancel (cli, error);
  if (bawn_cli_args_bool (args, "status", FALSE))
    return print_status (cli, error);

  return provide (cli, args, error);
}

const BawnCliCommand bawn_cli_command_operator_generate_root = {
  .name = "operator generate-root",
  .operands = "[KEY]",
  .summary = N_ ("Make a new root token, with enough key shares"),
  .help = N_ (
      "Start with -init, then have enough holders of key shares enter theirs with “bawn operator "
      "generate-root”; the last one gets the encoded token, which -decode makes readable.\n\n"
      "A password on the command line can be seen by other users of the machine for a moment; - "
      "reads it from the standard input."),
  .examples = "bawn operator generate-root -init\nbawn operator generate-root\n"
              "bawn operator generate-root -decode=KhYoQkB0UwIyPBg3HA -otp=-",
  .flags = root_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 1,
  .run = run_generate_root,
};
