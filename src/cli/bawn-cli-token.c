/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-output.h"
#include "util/bawn-bytes.h"

#include <glib/gi18n.h>
#include <string.h>

const BawnCliCommand bawn_cli_command_token = {
  .name = "token",
  .summary = N_ ("Work with tokens"),
};

/* An operand of which `-` means a line of the standard input; free with bawn_string_wipe_free().
 * NULL without an error when there is none. */
static gboolean
dup_operand (BawnCli *cli, BawnCliArgs *args, guint index, char **out_text, GError **error)
{
  const char *operand = bawn_cli_args_operand (args, index);

  *out_text = NULL;
  if (operand == NULL)
    return TRUE;
  if (strcmp (operand, "-") != 0)
    {
      *out_text = g_strdup (operand);
      return TRUE;
    }

  *out_text = bawn_cli_ask (cli, _ ("Token (will be hidden): "), error);
  return *out_text != NULL;
}

/* {@name: @value}, or with another member too. */
static GBytes *
body_of (const char *name, const char *value, const char *other_name, const char *other_value)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  if (name != NULL)
    bawn_json_writer_add_string (&w, name, value);
  if (other_value != NULL)
    bawn_json_writer_add_string (&w, other_name, other_value);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

static const BawnCliFlag create_flags[] = {
  { "policy", BAWN_CLI_FLAG_LIST, "NAME", N_ ("A policy the token shall have. May be repeated.") },
  { "ttl", BAWN_CLI_FLAG_DURATION, "DURATION", N_ ("How long it lives, unless renewed.") },
  { "explicit-max-ttl", BAWN_CLI_FLAG_DURATION, "DURATION",
    N_ ("How long it lives at most, however often it is renewed.") },
  { "period", BAWN_CLI_FLAG_DURATION, "DURATION",
    N_ ("Let it live for ever, if it is renewed at least this often.") },
  { "renewable", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Whether it can be renewed; by default true.") },
  { "use-limit", BAWN_CLI_FLAG_INT, "N", N_ ("How many requests it is good for; 0: any number.") },
  { "orphan", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Do not revoke it with the token that makes it.") },
  { "no-default-policy", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Leave out the policy “default”.") },
  { "role", BAWN_CLI_FLAG_STRING, "NAME", N_ ("Make it by this role of the token method.") },
  { "type", BAWN_CLI_FLAG_STRING, "TYPE", N_ ("service, the default, or batch."), "service batch" },
  { "display-name", BAWN_CLI_FLAG_STRING, "NAME", N_ ("A name for it in the audit log.") },
  { "metadata", BAWN_CLI_FLAG_MAP, "KEY=VALUE",
    N_ ("Keep this with the token, for the audit log. May be repeated.") },
  { "entity-alias", BAWN_CLI_FLAG_STRING, "NAME",
    N_ ("The alias it belongs to; only with -role.") },
  { "id", BAWN_CLI_FLAG_STRING, "TOKEN",
    N_ ("Choose the token itself. Better not: it must be hard to guess.") },
  { NULL },
};

static void
add_string_flag (BawnJsonWriter *w, BawnCliArgs *args, const char *flag, const char *name)
{
  const char *value = bawn_cli_args_string (args, flag, NULL);

  if (value != NULL)
    bawn_json_writer_add_string (w, name, value);
}

static void
add_duration_flag (BawnJsonWriter *w, BawnCliArgs *args, const char *flag, const char *name)
{
  g_autofree char *value = bawn_cli_args_dup_duration (args, flag);

  if (value != NULL)
    bawn_json_writer_add_string (w, name, value);
}

static void
add_metadata (BawnJsonWriter *w, BawnCliArgs *args)
{
  const char *const *pairs = bawn_cli_args_list (args, "metadata");

  if (pairs[0] == NULL)
    return;
  bawn_json_writer_name (w, "meta");
  bawn_json_writer_begin_object (w);
  for (guint i = 0; pairs[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (pairs[i], "=", 2);
      bawn_json_writer_add_string (w, parts[0], parts[1]);
    }
  bawn_json_writer_end_object (w);
}

static GBytes *
create_body (BawnCliArgs *args)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_auto (GStrv) policies = bawn_cli_args_dup_split (args, "policy");

  bawn_json_writer_begin_object (&w);
  if (policies[0] != NULL)
    bawn_json_writer_add_strv (&w, "policies", (const char *const *) policies);
  add_metadata (&w, args);
  add_duration_flag (&w, args, "ttl", "ttl");
  add_duration_flag (&w, args, "explicit-max-ttl", "explicit_max_ttl");
  add_duration_flag (&w, args, "period", "period");
  bawn_json_writer_add_bool (&w, "renewable", bawn_cli_args_bool (args, "renewable", TRUE));
  bawn_json_writer_add_int (&w, "num_uses", bawn_cli_args_int (args, "use-limit", 0));
  bawn_json_writer_add_bool (&w, "no_parent", bawn_cli_args_bool (args, "orphan", FALSE));
  bawn_json_writer_add_bool (&w, "no_default_policy",
                             bawn_cli_args_bool (args, "no-default-policy", FALSE));
  add_string_flag (&w, args, "display-name", "display_name");
  add_string_flag (&w, args, "entity-alias", "entity_alias");
  add_string_flag (&w, args, "id", "id");
  bawn_json_writer_add_string (&w, "type", bawn_cli_args_string (args, "type", "service"));
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

static gboolean
run_create (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *role = bawn_cli_args_string (args, "role", NULL);
  g_autofree char *path = bawn_cli_api_join ("auth/token/create", role != NULL ? role : "");
  g_autoptr (GBytes) body = create_body (args);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_write (cli, path, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error creating token: "));
      return FALSE;
    }

  return bawn_cli_output_secret (cli, args, reply, error);
}

const BawnCliCommand bawn_cli_command_token_create = {
  .name = "token create",
  .summary = N_ ("Make a token"),
  .help =
      N_ ("It is a child of the token in use: when that is revoked, so is this one, unless -orphan "
          "is given. Without -policy it has the policies of its parent."),
  .examples =
      "bawn token create -policy=readers -ttl=1h\nbawn token create -field=token -use-limit=1",
  .flags = create_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .max_operands = 0,
  .run = run_create,
};

static const BawnCliFlag accessor_flags[] = {
  { "accessor", BAWN_CLI_FLAG_BOOL, NULL, N_ ("The operand is the accessor of a token.") },
  { NULL },
};

static gboolean
run_lookup (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  gboolean accessor = bawn_cli_args_bool (args, "accessor", FALSE);
  g_autoptr (BawnWipedString) token = NULL;
  g_autoptr (BawnCliReply) reply = NULL;
  gboolean done = FALSE;

  if (!dup_operand (cli, args, 0, &token, error))
    return FALSE;
  if (accessor && token == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("-accessor needs an accessor"));
  if (token == NULL)
    done = bawn_cli_api_read (cli, "auth/token/lookup-self", NULL, &reply, error);
  else
    {
      g_autoptr (GBytes) body = body_of (accessor ? "accessor" : "token", token, NULL, NULL);
      done = bawn_cli_api_write (cli, accessor ? "auth/token/lookup-accessor" : "auth/token/lookup",
                                 body, &reply, error);
    }
  if (!done)
    {
      g_prefix_error (error, _ ("Error looking up token: "));
      return FALSE;
    }

  return bawn_cli_output_secret (cli, args, reply, error);
}

const BawnCliCommand bawn_cli_command_token_lookup = {
  .name = "token lookup",
  .operands = "[TOKEN]",
  .summary = N_ ("Print what the server knows of a token"),
  .help = N_ ("Without an operand, of the token in use; - reads one from the standard input."),
  .examples = "bawn token lookup\nbawn token lookup -accessor 9793c9b3-e04a-46f3-e7b8-748d7da248da",
  .flags = accessor_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .max_operands = 1,
  .run = run_lookup,
};

static const BawnCliFlag renew_flags[] = {
  { "accessor", BAWN_CLI_FLAG_BOOL, NULL, N_ ("The operand is the accessor of a token.") },
  { "increment", BAWN_CLI_FLAG_DURATION, "DURATION",
    N_ ("For how long from now; the server may grant less.") },
  { "i", BAWN_CLI_FLAG_DURATION, "DURATION", NULL },
  { NULL },
};

static gboolean
run_renew (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  gboolean accessor = bawn_cli_args_bool (args, "accessor", FALSE);
  g_autofree char *increment =
      bawn_cli_args_dup_duration (args, bawn_cli_args_has (args, "i") ? "i" : "increment");
  g_autoptr (BawnWipedString) token = NULL;
  g_autoptr (BawnCliReply) reply = NULL;

  if (!dup_operand (cli, args, 0, &token, error))
    return FALSE;
  if (accessor && token == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("-accessor needs an accessor"));

  const char *path = token == NULL ? "auth/token/renew-self"
                     : accessor    ? "auth/token/renew-accessor"
                                   : "auth/token/renew";
  g_autoptr (GBytes) body = body_of (token == NULL ? NULL
                                     : accessor    ? "accessor"
                                                   : "token",
                                     token, "increment", increment);
  if (!bawn_cli_api_write (cli, path, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error renewing token: "));
      return FALSE;
    }

  return bawn_cli_output_secret (cli, args, reply, error);
}

const BawnCliCommand bawn_cli_command_token_renew = {
  .name = "token renew",
  .operands = "[TOKEN]",
  .summary = N_ ("Let a token live longer"),
  .help = N_ ("Without an operand, the token in use; - reads one from the standard input."),
  .examples = "bawn token renew\nbawn token renew -increment=30m -",
  .flags = renew_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .max_operands = 1,
  .run = run_renew,
};

static const BawnCliFlag revoke_flags[] = {
  { "self", BAWN_CLI_FLAG_BOOL, NULL, N_ ("The token in use.") },
  { "accessor", BAWN_CLI_FLAG_BOOL, NULL, N_ ("The operand is the accessor of a token.") },
  { "mode", BAWN_CLI_FLAG_STRING, "MODE",
    N_ ("orphan: its children live on; path: the operand is a path, and all tokens made there go."),
    "orphan path" },
  { NULL },
};

static gboolean
revoke_one (BawnCli *cli, BawnCliArgs *args, const char *token, GError **error)
{
  gboolean accessor = bawn_cli_args_bool (args, "accessor", FALSE);
  const char *mode = bawn_cli_args_string (args, "mode", "");
  g_autoptr (GBytes) body = NULL;

  if (accessor && mode[0] != '\0')
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("-%s and -%s cannot be used together"),
                          "accessor", "mode");
  if (strcmp (mode, "path") == 0)
    {
      g_autofree char *path = bawn_cli_api_join ("sys/leases/revoke-prefix", token);
      return bawn_cli_api_write (cli, path, NULL, NULL, error);
    }

  body = body_of (accessor ? "accessor" : "token", token, NULL, NULL);
  return bawn_cli_api_write (cli,
                             accessor                       ? "auth/token/revoke-accessor"
                             : strcmp (mode, "orphan") == 0 ? "auth/token/revoke-orphan"
                                                            : "auth/token/revoke",
                             body, NULL, error);
}

static gboolean
run_revoke (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  gboolean self = bawn_cli_args_bool (args, "self", FALSE);
  g_autoptr (BawnWipedString) token = NULL;

  if (!dup_operand (cli, args, 0, &token, error))
    return FALSE;
  if (self == (token != NULL))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE,
                          _ ("Name a token, or give -self, but not both"));

  gboolean done = self ? bawn_cli_api_write (cli, "auth/token/revoke-self", NULL, NULL, error)
                       : revoke_one (cli, args, token, error);
  if (!done)
    {
      g_prefix_error (error, _ ("Error revoking token: "));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Revoked token (if it existed)"));
  return TRUE;
}

const BawnCliCommand bawn_cli_command_token_revoke = {
  .name = "token revoke",
  .operands = "[TOKEN]",
  .summary = N_ ("Put an end to a token"),
  .help = N_ (
      "Its children and all their leases go with it. - reads the token from the standard input."),
  .examples =
      "bawn token revoke -self\nbawn token revoke -accessor 9793c9b3-e04a-46f3-e7b8-748d7da248da",
  .flags = revoke_flags,
  .scope = BAWN_CLI_REMOTE,
  .max_operands = 1,
  .run = run_revoke,
};

static void
output_capabilities (BawnCli *cli, const char *path, const BawnCliReply *reply)
{
  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  const BawnJsonNode *list = bawn_json_get (data, "capabilities");
  g_autoptr (GString) text = g_string_new (NULL);

  if (list == NULL)
    list = bawn_json_get (data, path);
  if (!bawn_json_is (list, BAWN_JSON_ARRAY)
      || bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    {
      bawn_cli_output_node (cli, list != NULL ? list : bawn_cli_reply_root (reply));
      return;
    }

  for (const BawnJsonNode *node = list->children; node != NULL; node = node->next)
    g_string_append_printf (text, "%s%s", node == list->children ? "" : ", ",
                            node->string != NULL ? node->string : "");
  bawn_cli_say (cli, "%s", text->str);
}

static gboolean
run_capabilities (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  gboolean accessor = bawn_cli_args_bool (args, "accessor", FALSE);
  gboolean self = bawn_cli_args_n_operands (args) == 1;
  const char *path = bawn_cli_args_operand (args, self ? 0 : 1);
  g_autoptr (BawnWipedString) token = NULL;
  g_autoptr (BawnCliReply) reply = NULL;

  if (self && accessor)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("-accessor needs an accessor"));
  if (!self && !dup_operand (cli, args, 0, &token, error))
    return FALSE;

  g_autoptr (GBytes) body = body_of ("path", path, accessor ? "accessor" : "token", token);
  if (!bawn_cli_api_write (cli,
                           self       ? "sys/capabilities-self"
                           : accessor ? "sys/capabilities-accessor"
                                      : "sys/capabilities",
                           body, &reply, error))
    {
      g_prefix_error (error, _ ("Error listing capabilities: "));
      return FALSE;
    }
  if (bawn_cli_reply_root (reply) == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("No capabilities found"));

  output_capabilities (cli, path, reply);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_token_capabilities = {
  .name = "token capabilities",
  .operands = "[TOKEN] PATH",
  .summary = N_ ("Print what a token may do at a path"),
  .help = N_ ("Without a token, the one in use; - reads one from the standard input."),
  .examples = "bawn token capabilities secret/data/app",
  .flags = accessor_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .min_operands = 1,
  .max_operands = 2,
  .run = run_capabilities,
};
