/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-api.h"

#include "util/bawn-bytes.h"

#include <string.h>

/**
 * bawn_cli_api_clean_path:
 * @path: what a person wrote
 *
 * Returns: (transfer full): it, without blanks and slashes at its ends
 */
char *
bawn_cli_api_clean_path (const char *path)
{
  while (*path == '/' || g_ascii_isspace (*path))
    path++;

  gsize size = strlen (path);
  while (size > 0 && (path[size - 1] == '/' || g_ascii_isspace (path[size - 1])))
    size--;

  return g_strndup (path, size);
}

/**
 * bawn_cli_api_join:
 * @a: the front of a path
 * @b: its rest
 *
 * Returns: (transfer full): both with one slash between; none if one of them is empty
 */
char *
bawn_cli_api_join (const char *a, const char *b)
{
  g_autofree char *front = bawn_cli_api_clean_path (a);
  g_autofree char *rest = bawn_cli_api_clean_path (b);

  return g_strconcat (front, front[0] != '\0' && rest[0] != '\0' ? "/" : "", rest, NULL);
}

/**
 * bawn_cli_api_call:
 * @cli: surroundings
 * @method: GET, PUT, PATCH or DELETE
 * @path: below /v1/
 * @query: (nullable): escaped
 * @body: (nullable): JSON text
 * @asked: whether it is this request that the person asked for, and not a look before it
 * @out_reply: (out) (transfer full): the answer, whatever it is
 * @error: (out) (optional): why there is none; %BAWN_CLI_ERROR_DONE if it was only to be shown
 *
 * Returns: %FALSE with @error set if there is no answer
 */
gboolean
bawn_cli_api_call (BawnCli *cli,
                   const char *method,
                   const char *path,
                   const char *query,
                   GBytes *body,
                   gboolean asked,
                   BawnCliReply **out_reply,
                   GError **error)
{
  const BawnCliSettings *settings = bawn_cli_settings (cli);
  BawnCliCall call = {
    method, path, query, body, bawn_cli_token (cli), asked ? settings->wrap_ttl : NULL
  };
  BawnCliClient *client = NULL;

  if (!bawn_cli_client (cli, &client, error))
    return FALSE;
  if (!asked || !settings->output_curl)
    return bawn_cli_client_send (client, &call, out_reply, error);

  g_autoptr (BawnWipedString) command = bawn_cli_client_to_curl (client, &call);
  bawn_cli_put (cli, command, strlen (command));
  bawn_cli_put (cli, "\n", 1);
  return bawn_cli_fail (error, BAWN_CLI_ERROR_DONE, "-");
}

/* A 404 may carry an answer all the same: a deleted version, or warnings. */
static gboolean
is_absent (const BawnCliReply *reply)
{
  if (reply->status != 404)
    return FALSE;

  const BawnJsonNode *root = bawn_cli_reply_root (reply);
  if (!bawn_json_is (root, BAWN_JSON_OBJECT))
    return FALSE;

  const BawnJsonNode *errors = bawn_json_get (root, "errors");
  return bawn_json_is (errors, BAWN_JSON_ARRAY) && errors->n_children == 0;
}

static gboolean
has_answer (const BawnCliReply *reply)
{
  const BawnJsonNode *root = bawn_cli_reply_root (reply);

  return bawn_cli_reply_data (reply) != NULL
         || (bawn_json_is (root, BAWN_JSON_OBJECT)
             && bawn_json_is (bawn_json_get (root, "warnings"), BAWN_JSON_ARRAY));
}

static gboolean
get (BawnCli *cli, const char *path, const char *query, BawnCliReply **out_reply, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_call (cli, "GET", path, query, NULL, TRUE, &reply, error))
    return FALSE;
  if (is_absent (reply))
    g_clear_pointer (&reply, bawn_cli_reply_free);
  else if (!(reply->status == 404 && has_answer (reply)) && !bawn_cli_reply_check (reply, error))
    return FALSE;

  *out_reply = g_steal_pointer (&reply);
  return TRUE;
}

/**
 * bawn_cli_api_read:
 * @cli: surroundings
 * @path: what to read
 * @query: (nullable): escaped parameters
 * @out_reply: (out) (transfer full) (nullable): the answer; %NULL if there is nothing
 * @error: (out) (optional): what the server or the network said
 *
 * Returns: %FALSE with @error set if that could not be found out
 */
gboolean
bawn_cli_api_read (
    BawnCli *cli, const char *path, const char *query, BawnCliReply **out_reply, GError **error)
{
  g_autofree char *clean = bawn_cli_api_clean_path (path);

  return get (cli, clean, query, out_reply, error);
}

/**
 * bawn_cli_api_list:
 * @cli: surroundings
 * @path: what to list
 * @out_reply: (out) (transfer full) (nullable): the answer; %NULL if there is nothing
 * @error: (out) (optional): what the server or the network said
 *
 * Returns: %FALSE with @error set if that could not be found out
 */
gboolean
bawn_cli_api_list (BawnCli *cli, const char *path, BawnCliReply **out_reply, GError **error)
{
  g_autofree char *clean = bawn_cli_api_clean_path (path);
  g_autofree char *folder = g_strconcat (clean, "/", NULL);

  return get (cli, folder, "list=true", out_reply, error);
}

static gboolean
change (BawnCli *cli,
        const char *method,
        const char *path,
        const char *query,
        GBytes *body,
        BawnCliReply **out_reply,
        GError **error)
{
  g_autofree char *clean = bawn_cli_api_clean_path (path);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_call (cli, method, clean, query, body, TRUE, &reply, error))
    return FALSE;
  if (!bawn_cli_reply_check (reply, error))
    return FALSE;

  if (out_reply != NULL)
    *out_reply = g_steal_pointer (&reply);
  return TRUE;
}

/**
 * bawn_cli_api_write:
 * @cli: surroundings
 * @path: where to write
 * @body: (nullable): JSON text
 * @out_reply: (out) (optional) (transfer full): the answer
 * @error: (out) (optional): what the server or the network said
 *
 * Returns: %FALSE with @error set if the server did not do it, or may not have
 */
gboolean
bawn_cli_api_write (
    BawnCli *cli, const char *path, GBytes *body, BawnCliReply **out_reply, GError **error)
{
  return change (cli, "PUT", path, NULL, body, out_reply, error);
}

/**
 * bawn_cli_api_patch:
 * @cli: surroundings
 * @path: what to change
 * @body: (nullable): JSON merge patch (RFC 7396)
 * @out_reply: (out) (optional) (transfer full): the answer
 * @error: (out) (optional): what the server or the network said
 *
 * Returns: %FALSE with @error set if the server did not do it, or may not have
 */
gboolean
bawn_cli_api_patch (
    BawnCli *cli, const char *path, GBytes *body, BawnCliReply **out_reply, GError **error)
{
  return change (cli, "PATCH", path, NULL, body, out_reply, error);
}

/**
 * bawn_cli_api_delete:
 * @cli: surroundings
 * @path: what to delete
 * @query: (nullable): escaped parameters
 * @out_reply: (out) (optional) (transfer full): the answer
 * @error: (out) (optional): what the server or the network said
 *
 * Returns: %FALSE with @error set if the server did not do it, or may not have
 */
gboolean
bawn_cli_api_delete (
    BawnCli *cli, const char *path, const char *query, BawnCliReply **out_reply, GError **error)
{
  return change (cli, "DELETE", path, query, NULL, out_reply, error);
}
