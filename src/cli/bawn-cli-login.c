/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-data.h"
#include "cli/bawn-cli-output.h"
#include "cli/bawn-cli-token-file.h"

#include <glib/gi18n.h>
#include <string.h>

static const BawnCliFlag login_flags[] = {
  { "method", BAWN_CLI_FLAG_STRING, "METHOD",
    N_ ("How to log in: token, the default, or userpass."), "token userpass" },
  { "path", BAWN_CLI_FLAG_STRING, "PATH",
    N_ ("Where the method is enabled, if not at the path of its name.") },
  { "no-store", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Do not keep the token in the token file.") },
  { "no-print", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Do not print the token.") },
  { "token-only", BAWN_CLI_FLAG_BOOL, NULL,
    N_ ("Print the token alone, and do not keep it: for scripts.") },
  { NULL },
};

/* Operands of the form key=value; one without `=` is @lone, which some methods take. */
static gboolean
read_words (BawnCli *cli, BawnCliArgs *args, const char *lone, BawnCliData *data, GError **error)
{
  const char *first = bawn_cli_args_operand (args, 0);
  guint from = 0;

  if (first != NULL && lone != NULL && strcmp (first, "-") == 0)
    {
      g_autoptr (BawnWipedString) line = bawn_cli_ask (cli, "", error);
      if (line == NULL)
        return FALSE;
      bawn_cli_data_add_string (data, lone, line);
      from = 1;
    }
  else if (first != NULL && lone != NULL && strchr (first, '=') == NULL && first[0] != '@')
    {
      bawn_cli_data_add_string (data, lone, first);
      from = 1;
    }

  return bawn_cli_data_add (data, bawn_cli_args_operands (args, from), bawn_cli_input (cli),
                            bawn_cli_may_ask (cli), error);
}

/* The value of @name among the words, or what is entered for it. */
static char *
need_word (BawnCli *cli, BawnCliData *data, const char *name, const char *prompt, GError **error)
{
  char *value = bawn_cli_data_dup_string (data, name);

  if (value == NULL)
    return bawn_cli_ask (cli, prompt, error);

  /* The end of a line that was read is not part of it. */
  gsize size = strcspn (value, "\r\n");
  if (strspn (value + size, "\r\n") == strlen (value + size))
    value[size] = '\0';
  return value;
}

static gboolean
login_token (BawnCli *cli, BawnCliArgs *args, BawnCliReply **out_reply, GError **error)
{
  g_autoptr (BawnCliData) data = bawn_cli_data_new ();
  g_autoptr (BawnCliReply) reply = NULL;

  if (!read_words (cli, args, "token", data, error))
    return FALSE;

  g_autoptr (BawnWipedString) token =
      need_word (cli, data, "token", _ ("Token (will be hidden): "), error);
  if (token == NULL)
    return FALSE;
  if (token[0] == '\0')
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("the token is empty"));

  bawn_cli_set_token (cli, token);
  if (!bawn_cli_api_read (cli, "auth/token/lookup-self", NULL, &reply, error))
    return FALSE;
  if (bawn_cli_reply_data (reply) == NULL && !bawn_cli_reply_is_wrapped (reply))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("the server does not know the token"));

  *out_reply = g_steal_pointer (&reply);
  return TRUE;
}

static gboolean
login_userpass (BawnCli *cli, BawnCliArgs *args, BawnCliReply **out_reply, GError **error)
{
  g_autoptr (BawnCliData) data = bawn_cli_data_new ();

  if (!read_words (cli, args, NULL, data, error))
    return FALSE;

  g_autofree char *user = bawn_cli_data_dup_string (data, "username");
  if (user == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("“username=NAME” is missing"));

  g_autoptr (BawnWipedString) password =
      need_word (cli, data, "password", _ ("Password (will be hidden): "), error);
  if (password == NULL)
    return FALSE;

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "password", password);
  bawn_json_writer_end_object (&w);
  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);

  const char *mount = bawn_cli_args_string (args, "path", "userpass");
  g_autofree char *clean = bawn_cli_api_clean_path (mount);
  g_autofree char *path = g_strconcat ("auth/", clean, "/login/", user, NULL);
  /* Whoever logs in has no token yet; an old one would only be in the way. */
  bawn_cli_set_token (cli, NULL);
  return bawn_cli_api_write (cli, path, body, out_reply, error);
}

static const struct
{
  const char *name;
  gboolean (*login) (BawnCli *cli, BawnCliArgs *args, BawnCliReply **out_reply, GError **error);
} methods[] = {
  { "token", login_token },
  { "userpass", login_userpass },
};

static void
print_result (BawnCli *cli, const BawnCliReply *reply, gboolean stored)
{
  if (stored)
    bawn_cli_say (cli,
                  _ ("Success! You are now authenticated. The token information displayed below "
                     "is\nalready stored in the token file: you do not need to run “bawn login” "
                     "again.\n"));
  else
    bawn_cli_say (cli, _ ("Success! You are now authenticated. The token was not stored: set "
                          "BAWN_TOKEN\nto the token displayed below to use it.\n"));
  bawn_cli_output_reply (cli, reply);
}

/* lookup-self answers with data; a login with auth. People want to see the same either way. */
static BawnCliReply *
as_login (BawnCli *cli, const BawnCliReply *reply)
{
  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  static const struct
  {
    const char *to;
    const char *from;
  } names[] = {
    { "accessor", "accessor" },       { "policies", "policies" },
    { "token_policies", "policies" }, { "identity_policies", "identity_policies" },
    { "metadata", "meta" },           { "lease_duration", "ttl" },
    { "renewable", "renewable" },     { "entity_id", "entity_id" },
    { "token_type", "type" },         { "orphan", "orphan" },
  };

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (
      &w, "request_id", bawn_json_get_string (bawn_cli_reply_root (reply), "request_id", ""));
  bawn_json_writer_add_string (&w, "lease_id", "");
  bawn_json_writer_add_int (&w, "lease_duration", 0);
  bawn_json_writer_add_bool (&w, "renewable", FALSE);
  bawn_json_writer_add_null (&w, "data");
  bawn_json_writer_add_null (&w, "warnings");
  bawn_json_writer_name (&w, "auth");
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "client_token", bawn_cli_token (cli));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const BawnJsonNode *node = bawn_json_get (data, names[i].from);

      bawn_json_writer_name (&w, names[i].to);
      if (node != NULL)
        bawn_json_writer_node (&w, node);
      else if (strcmp (names[i].to, "renewable") == 0)
        bawn_json_writer_bool (&w, FALSE);
      else
        bawn_json_writer_null (&w);
    }
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_object (&w);

  BawnCliReply *login = g_new0 (BawnCliReply, 1);
  login->body = bawn_json_writer_finish (&w);
  login->json = bawn_json_parse (login->body, NULL, NULL);
  return login;
}

static gboolean
finish_login (BawnCli *cli, BawnCliArgs *args, const BawnCliReply *reply, GError **error)
{
  const BawnJsonNode *auth = bawn_json_get (bawn_cli_reply_root (reply), "auth");
  const char *token = bawn_json_get_string (auth, "client_token", NULL);
  const char *field = bawn_cli_args_string (args, "field", NULL);
  gboolean store = !bawn_cli_args_bool (args, "no-store", FALSE)
                   && !bawn_cli_args_bool (args, "token-only", FALSE);

  if (token == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("The server's answer holds no token"));
  if (store && !bawn_cli_token_file_store (bawn_cli_home (cli), token, error))
    return FALSE;
  if (store && bawn_cli_settings (cli)->token != NULL)
    bawn_cli_warn (
        _ ("the environment variable BAWN_TOKEN (or VAULT_TOKEN) is set and wins over the "
           "token just stored; unset it to use that one"));

  if (bawn_cli_args_bool (args, "token-only", FALSE))
    bawn_cli_output_raw (cli, token, strlen (token));
  else if (bawn_cli_args_bool (args, "no-print", FALSE))
    return TRUE;
  else if (field != NULL)
    return bawn_cli_output_field (cli, reply, NULL, field, error);
  else
    print_result (cli, reply, store);

  return TRUE;
}

static gboolean
run_login (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *method = bawn_cli_args_string (args, "method", "token");
  g_autoptr (BawnCliReply) reply = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strcmp (methods[i].name, method) == 0 && !methods[i].login (cli, args, &reply, error))
      {
        g_prefix_error (error, _ ("Error authenticating: "));
        return FALSE;
      }

  /* Whoever asked for a wrapped answer wants to hand it on, not to use it. */
  if (bawn_cli_reply_is_wrapped (reply))
    return bawn_cli_output_secret (cli, args, reply, error);
  if (strcmp (method, "token") != 0)
    return finish_login (cli, args, reply, error);

  g_autoptr (BawnCliReply) login = as_login (cli, reply);
  return finish_login (cli, args, login, error);
}

const BawnCliCommand bawn_cli_command_login = {
  .name = "login",
  .operands = "[TOKEN | KEY=VALUE…]",
  .summary = N_ ("Log in, and keep the token for later commands"),
  .help = N_ (
      "Without operands, asks for what is needed without showing it. “-” reads a token from the "
      "standard input, “password=-” a password.\n\n"
      "The token is kept in the file .bawn-token of your home folder, which nobody else may "
      "read; that of Vault's command line is read when there is none."),
  .examples = "bawn login\nbawn login - <token.txt\nbawn login -method=userpass username=alice",
  .flags = login_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 0,
  .max_operands = BAWN_CLI_ANY,
  .run = run_login,
};
