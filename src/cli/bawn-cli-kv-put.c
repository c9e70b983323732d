/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-data.h"
#include "cli/bawn-cli-kv.h"

#include <glib/gi18n.h>
#include <string.h>

static const BawnCliFlag put_flags[] = {
  { "cas", BAWN_CLI_FLAG_INT, "N",
    N_ ("Write only if the newest version is this one; 0: only if there is none yet.") },
  { NULL },
};

/* {"data": …, "options": {"cas": …}}; a negative @cas is none. */
static GBytes *
versioned_body (BawnCliData *data, gint64 cas)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "data");
  bawn_cli_data_write (data, &w);
  bawn_json_writer_name (&w, "options");
  bawn_json_writer_begin_object (&w);
  if (cas >= 0)
    bawn_json_writer_add_int (&w, "cas", cas);
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

/* -1 when not given. */
static gboolean
read_cas (BawnCliArgs *args, gint64 *out_cas, GError **error)
{
  gint64 cas = bawn_cli_args_int (args, "cas", -1);

  if (cas < 0 && bawn_cli_args_has (args, "cas") && cas != -1)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("Flag -%s wants a version"), "cas");

  *out_cas = cas;
  return TRUE;
}

static BawnCliData *
read_data (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliData) data = bawn_cli_data_new ();

  if (bawn_cli_args_n_operands (args) < 2)
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_USAGE, _ ("Must supply data"));
  if (!bawn_cli_data_add (data, bawn_cli_args_operands (args, 1), bawn_cli_input (cli),
                          bawn_cli_may_ask (cli), error))
    return NULL;

  return g_steal_pointer (&data);
}

static gboolean
run_put (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  gint64 cas = -1;
  g_autoptr (BawnCliData) data = read_data (cli, args, error);
  g_autoptr (BawnCliReply) reply = NULL;

  if (data == NULL || !read_cas (args, &cas, error))
    return FALSE;

  g_autoptr (BawnCliKvPlace) place = bawn_cli_kv_locate (cli, args, error);
  if (place == NULL || (cas >= 0 && !bawn_cli_kv_need_versions (place, error)))
    return FALSE;

  g_autofree char *path = bawn_cli_kv_path (place, "data");
  g_autoptr (GBytes) body =
      place->versioned ? versioned_body (data, cas) : bawn_cli_data_to_json (data);
  if (!bawn_cli_api_write (cli, path, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error writing data to %s: "), path);
      return FALSE;
    }

  return bawn_cli_kv_output_written (cli, args, path, reply, error);
}

const BawnCliCommand bawn_cli_command_kv_put = {
  .name = "kv put",
  .operands = "PATH DATA…",
  .summary = N_ ("Write a secret"),
  .help = N_ (
      "Data is given as key=value. A value that starts with @ is read from the file of that name "
      "(\\@ for a literal @), and the value - from the standard input, which keeps it out of the "
      "process list and of the shell's history. @FILE alone, or - alone, is a JSON object to "
      "write. A key given twice becomes a list.\n\n"
      "In a versioned engine this makes a new version, with nothing of the one before; “bawn kv "
      "patch” changes single keys."),
  .examples = "bawn kv put secret/app user=app password=-\nbawn kv put secret/tls cert=@cert.pem "
              "key=@key.pem\n"
              "bawn kv put -mount=secret -cas=0 app @app.json",
  .flags = put_flags,
  .more_flags = bawn_cli_flags_kv,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = BAWN_CLI_ANY,
  .run = run_put,
};

static const BawnCliFlag patch_flags[] = {
  { "method", BAWN_CLI_FLAG_STRING, "METHOD",
    N_ ("How: patch lets the server do it, rw reads and writes. By default patch, and rw if the "
        "server cannot."),
    "patch rw" },
  { "remove-data", BAWN_CLI_FLAG_LIST, "KEY", N_ ("Remove this key. May be repeated.") },
  { "cas", BAWN_CLI_FLAG_INT, "N", N_ ("Write only if the newest version is this one.") },
  { NULL },
};

/* JSON merge patch (RFC 7396): null removes. */
static gboolean
add_removals (BawnCliArgs *args, BawnCliData *data, GError **error)
{
  const char *const *keys = bawn_cli_args_list (args, "remove-data");
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  for (guint i = 0; keys[i] != NULL; i++)
    bawn_json_writer_add_null (&w, keys[i]);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) text = bawn_json_writer_finish (&w);
  return bawn_cli_data_add_json (data, text, error);
}

/* The newest version as data to change, and its number. */
static gboolean
read_newest (BawnCli *cli, const char *path, BawnCliData *data, gint64 *out_version, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_call (cli, "GET", path, NULL, NULL, FALSE, &reply, error))
    return FALSE;
  if (reply->status != 404 && !bawn_cli_reply_check (reply, error))
    {
      g_prefix_error (error, _ ("Error doing pre-read at %s: "), path);
      return FALSE;
    }

  const BawnJsonNode *inner = bawn_json_get (bawn_cli_reply_data (reply), "data");
  const BawnJsonNode *metadata = bawn_json_get (bawn_cli_reply_data (reply), "metadata");
  if (!bawn_json_is (inner, BAWN_JSON_OBJECT))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("No value found at %s"), path);

  g_autoptr (GBytes) text = bawn_json_node_bytes (reply->json, inner);
  *out_version = bawn_json_get_int (metadata, "version", 0);
  return bawn_cli_data_add_json (data, text, error);
}

static gboolean
patch_by_rewriting (BawnCli *cli,
                    BawnCliArgs *args,
                    const char *path,
                    BawnCliData *changes,
                    gint64 cas,
                    BawnCliReply **out_reply,
                    GError **error)
{
  g_autoptr (BawnCliData) data = bawn_cli_data_new ();
  const char *const *removed = bawn_cli_args_list (args, "remove-data");
  gint64 version = 0;

  if (!read_newest (cli, path, data, &version, error))
    return FALSE;

  g_autoptr (GBytes) text = bawn_cli_data_to_json (changes);
  if (!bawn_cli_data_add_json (data, text, error))
    return FALSE;
  for (guint i = 0; removed[i] != NULL; i++)
    bawn_cli_data_remove (data, removed[i]);

  g_autoptr (GBytes) body = versioned_body (data, cas >= 0 ? cas : version);
  if (bawn_cli_api_write (cli, path, body, out_reply, error))
    return TRUE;
  g_prefix_error (error, _ ("Error writing data to %s: "), path);
  return FALSE;
}

/* *out_reply stays NULL if the server cannot, or lets us read and write only. */
static gboolean
patch_by_server (BawnCli *cli,
                 const char *path,
                 BawnCliData *changes,
                 gint64 cas,
                 gboolean only,
                 BawnCliReply **out_reply,
                 GError **error)
{
  g_autoptr (GBytes) body = versioned_body (changes, cas);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_call (cli, "PATCH", path, NULL, body, TRUE, &reply, error))
    return FALSE;
  if (!only && (reply->status == 405 || reply->status == 403))
    return TRUE;
  if (!bawn_cli_reply_check (reply, error))
    {
      g_prefix_error (error, _ ("Error writing data to %s: "), path);
      return FALSE;
    }

  *out_reply = g_steal_pointer (&reply);
  return TRUE;
}

static gboolean
patch (BawnCli *cli, BawnCliArgs *args, const char *path, BawnCliData *changes, GError **error)
{
  const char *method = bawn_cli_args_string (args, "method", NULL);
  g_autoptr (BawnCliReply) reply = NULL;
  gint64 cas = -1;

  if (!read_cas (args, &cas, error))
    return FALSE;
  if (g_strcmp0 (method, "rw") != 0)
    {
      g_autoptr (BawnCliData) with_removals = bawn_cli_data_new ();
      g_autoptr (GBytes) text = bawn_cli_data_to_json (changes);

      if (!bawn_cli_data_add_json (with_removals, text, error)
          || !add_removals (args, with_removals, error))
        return FALSE;
      if (!patch_by_server (cli, path, with_removals, cas, method != NULL, &reply, error))
        return FALSE;
    }
  if (reply == NULL && !patch_by_rewriting (cli, args, path, changes, cas, &reply, error))
    return FALSE;

  return bawn_cli_kv_output_written (cli, args, path, reply, error);
}

static gboolean
run_patch (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliData) changes = bawn_cli_data_new ();

  if (bawn_cli_args_n_operands (args) < 2 && !bawn_cli_args_has (args, "remove-data"))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("Must supply data"));
  if (!bawn_cli_data_add (changes, bawn_cli_args_operands (args, 1), bawn_cli_input (cli),
                          bawn_cli_may_ask (cli), error))
    return FALSE;

  g_autoptr (BawnCliKvPlace) place = bawn_cli_kv_locate (cli, args, error);
  if (place == NULL || !bawn_cli_kv_need_versions (place, error))
    return FALSE;

  g_autofree char *path = bawn_cli_kv_path (place, "data");
  return patch (cli, args, path, changes, error);
}

const BawnCliCommand bawn_cli_command_kv_patch = {
  .name = "kv patch",
  .operands = "PATH [DATA…]",
  .summary = N_ ("Change single keys of a secret"),
  .help =
      N_ ("Makes a new version of the newest one with the given keys changed. Data is given as for "
          "“bawn kv put”. Only for versioned engines."),
  .examples = "bawn kv patch secret/app password=-\nbawn kv patch -remove-data=old secret/app",
  .flags = patch_flags,
  .more_flags = bawn_cli_flags_kv,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = BAWN_CLI_ANY,
  .run = run_patch,
};

static const BawnCliFlag rollback_flags[] = {
  { "version", BAWN_CLI_FLAG_INT, "N", N_ ("Which version to bring back.") },
  { NULL },
};

/* 0 when there is none. */
static gboolean
newest_version (BawnCli *cli, const BawnCliKvPlace *place, gint64 *out_version, GError **error)
{
  g_autofree char *path = bawn_cli_kv_path (place, "data");
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_call (cli, "GET", path, NULL, NULL, FALSE, &reply, error))
    return FALSE;
  if (reply->status != 404 && !bawn_cli_reply_check (reply, error))
    return FALSE;

  /* Deleted or not, the newest version has a number. */
  *out_version =
      bawn_json_get_int (bawn_json_get (bawn_cli_reply_data (reply), "metadata"), "version", 0);
  return TRUE;
}

static gboolean
read_version (BawnCli *cli, const char *path, gint64 version, BawnCliData *data, GError **error)
{
  g_autofree char *query = g_strdup_printf ("version=%" G_GINT64_FORMAT, version);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_call (cli, "GET", path, query, NULL, FALSE, &reply, error))
    return FALSE;
  if (reply->status != 404 && !bawn_cli_reply_check (reply, error))
    return FALSE;

  const BawnJsonNode *inner = bawn_json_get (bawn_cli_reply_data (reply), "data");
  if (!bawn_json_is (inner, BAWN_JSON_OBJECT))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE,
                          _ ("The version asked for at %s does not exist, or is deleted"), path);

  g_autoptr (GBytes) text = bawn_json_node_bytes (reply->json, inner);
  return bawn_cli_data_add_json (data, text, error);
}

static gboolean
run_rollback (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliData) data = bawn_cli_data_new ();
  g_autoptr (BawnCliReply) reply = NULL;
  gint64 version = bawn_cli_args_int (args, "version", 0);
  gint64 newest = 0;

  if (version <= 0)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE,
                          _ ("Version was not specified, or is not a positive number"));

  g_autoptr (BawnCliKvPlace) place = bawn_cli_kv_locate (cli, args, error);
  if (place == NULL || !bawn_cli_kv_need_versions (place, error))
    return FALSE;

  g_autofree char *path = bawn_cli_kv_path (place, "data");
  if (!newest_version (cli, place, &newest, error)
      || !read_version (cli, path, version, data, error))
    {
      g_prefix_error (error, _ ("Error doing pre-read at %s: "), path);
      return FALSE;
    }

  g_autoptr (GBytes) body = versioned_body (data, newest);
  if (!bawn_cli_api_write (cli, path, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error writing data to %s: "), path);
      return FALSE;
    }

  return bawn_cli_kv_output_written (cli, args, path, reply, error);
}

const BawnCliCommand bawn_cli_command_kv_rollback = {
  .name = "kv rollback",
  .operands = "PATH",
  .summary = N_ ("Bring back an earlier version of a secret"),
  .help =
      N_ ("Makes a new version out of an earlier one. Nothing is overwritten: the versions between "
          "stay."),
  .examples = "bawn kv rollback -version=2 secret/app",
  .flags = rollback_flags,
  .more_flags = bawn_cli_flags_kv,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_rollback,
};
