/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-data.h"
#include "cli/bawn-cli-output.h"
#include "cli/bawn-cli-policy-fmt.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>

/* Policies that only exist on paper are listed with this one, which is not stored. */
#define POLICY_ROOT "sys/policies/acl"

const BawnCliCommand bawn_cli_command_policy = {
  .name = "policy",
  .summary = N_ ("Work with policies: who may do what where"),
};

static char *
policy_path (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  return bawn_cli_api_join (POLICY_ROOT, lower);
}

static gboolean
run_list (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_list (cli, POLICY_ROOT, &reply, error))
    {
      g_prefix_error (error, _ ("Error listing policies: "));
      return FALSE;
    }

  const BawnJsonNode *keys = bawn_json_get (bawn_cli_reply_data (reply), "keys");
  if (!bawn_json_is (keys, BAWN_JSON_ARRAY)
      || bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    return bawn_cli_output_keys (cli, reply, POLICY_ROOT, error);

  for (const BawnJsonNode *node = keys->children; node != NULL; node = node->next)
    bawn_cli_say (cli, "%s", node->string != NULL ? node->string : "");
  return TRUE;
}

const BawnCliCommand bawn_cli_command_policy_list = {
  .name = "policy list",
  .summary = N_ ("List the names of policies"),
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 0,
  .run = run_list,
};

static gboolean
run_read (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *name = bawn_cli_args_operand (args, 0);
  g_autofree char *path = policy_path (name);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_read (cli, path, NULL, &reply, error))
    {
      g_prefix_error (error, _ ("Error reading policy named %s: "), name);
      return FALSE;
    }
  if (reply == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("No policy named: %s"), name);

  const char *text = bawn_json_get_string (bawn_cli_reply_data (reply), "policy", "");
  if (bawn_cli_settings (cli)->format == BAWN_CLI_FORMAT_TABLE)
    {
      g_autofree char *stripped = g_strstrip (g_strdup (text));

      bawn_cli_put (cli, stripped, strlen (stripped));
      bawn_cli_put (cli, "\n", 1);
      return TRUE;
    }

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "policy", text);
  bawn_json_writer_end_object (&w);
  bawn_cli_output_writer (cli, &w);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_policy_read = {
  .name = "policy read",
  .operands = "NAME",
  .summary = N_ ("Print a policy"),
  .examples = "bawn policy read default",
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_read,
};

static gboolean
run_write (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *name = bawn_cli_args_operand (args, 0);
  g_autofree char *path = policy_path (name);
  g_autoptr (GBytes) content =
      bawn_cli_read_source (bawn_cli_args_operand (args, 1), bawn_cli_input (cli), error);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autoptr (BawnCliReply) reply = NULL;
  gsize size = 0;

  if (content == NULL)
    return FALSE;

  const char *text = g_bytes_get_data (content, &size);
  if (size > 0 && !g_utf8_validate_len (text, size, NULL))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("The policy is not UTF-8 text"));
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "policy");
  bawn_json_writer_string_n (&w, size > 0 ? text : "", size);
  bawn_json_writer_end_object (&w);
  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);
  if (!bawn_cli_api_write (cli, path, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error uploading policy: "));
      return FALSE;
    }

  bawn_cli_output_warnings (reply);
  bawn_cli_say (cli, _ ("Success! Uploaded policy: %s"), name);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_policy_write = {
  .name = "policy write",
  .operands = "NAME FILE",
  .summary = N_ ("Store a policy"),
  .help = N_ (
      "- reads it from the standard input. It applies to the next request of every token that has "
      "a policy of that name."),
  .examples = "bawn policy write readers readers.hcl",
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 2,
  .max_operands = 2,
  .run = run_write,
};

static gboolean
run_delete (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *name = bawn_cli_args_operand (args, 0);
  g_autofree char *path = policy_path (name);

  if (!bawn_cli_api_delete (cli, path, NULL, NULL, error))
    {
      g_prefix_error (error, _ ("Error deleting %s: "), name);
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Deleted policy: %s"), name);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_policy_delete = {
  .name = "policy delete",
  .operands = "NAME",
  .summary = N_ ("Delete a policy"),
  .examples = "bawn policy delete readers",
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_delete,
};

/* Replaces the file as a whole, its mode kept. */
static gboolean
rewrite (const char *path, const char *text, gsize size, GError **error)
{
  struct stat info;

  if (stat (path, &info) != 0)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("Cannot read %s: %s"), path,
                          g_strerror (errno));

  return g_file_set_contents_full (path, text, (gssize) size, G_FILE_SET_CONTENTS_CONSISTENT,
                                   (int) (info.st_mode & 07777), error);
}

static gboolean
run_fmt (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *path = bawn_cli_args_operand (args, 0);
  g_autoptr (GBytes) content = bawn_cli_read_source (path, bawn_cli_input (cli), error);
  g_autoptr (GString) formatted = NULL;
  gsize size = 0;

  if (content == NULL)
    return FALSE;

  const char *text = g_bytes_get_data (content, &size);
  formatted = bawn_cli_policy_fmt (size > 0 ? text : "", size, error);
  if (formatted == NULL)
    {
      g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  if (strcmp (path, "-") == 0)
    {
      bawn_cli_put (cli, formatted->str, formatted->len);
      return TRUE;
    }
  if ((size != formatted->len || memcmp (text, formatted->str, size) != 0)
      && !rewrite (path, formatted->str, formatted->len, error))
    return FALSE;

  bawn_cli_say (cli, _ ("Success! Formatted policy: %s"), path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_policy_fmt = {
  .name = "policy fmt",
  .operands = "FILE",
  .summary = N_ ("Lay out a policy file the usual way"),
  .help = N_ (
      "Changes the file in place; - reads the standard input and prints the result. The server is "
      "not asked."),
  .examples = "bawn policy fmt readers.hcl",
  .min_operands = 1,
  .max_operands = 1,
  .run = run_fmt,
};
