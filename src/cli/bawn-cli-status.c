/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-seal-status.h"

#include "cli/bawn-cli-bus.h"

#include <glib/gi18n.h>
#include <string.h>

/* The time that means "never". */
#define ZERO_TIME "0001-01-01T00:00:00Z"

static void
add_text (BawnCliTable *table, const char *label, const BawnJsonNode *object, const char *name)
{
  const BawnJsonNode *node = bawn_json_get (object, name);

  if (node == NULL || (node->kind == BAWN_JSON_STRING && node->string_size == 0))
    return;

  g_autofree char *text = bawn_cli_render_value_dup (node);
  bawn_cli_table_add (table, label, text, NULL);
}

static void
add_unseal_progress (BawnCliTable *table, const BawnJsonNode *seal)
{
  g_autofree char *progress =
      g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                       bawn_json_get_int (seal, "progress", 0), bawn_json_get_int (seal, "t", 0));

  bawn_cli_table_add (table, "Unseal Progress", progress, NULL);
  bawn_cli_table_add (table, "Unseal Nonce", bawn_json_get_string (seal, "nonce", ""), NULL);
}

/* What is known of the cluster. @leader: nullable. */
typedef struct
{
  const BawnJsonNode *leader;
  gboolean enabled;
} Cluster;

static void
add_ha (BawnCliTable *table, const Cluster *ha, gboolean sealed)
{
  const BawnJsonNode *leader = ha->leader;
  gboolean is_self = bawn_json_get_bool (leader, "is_self", FALSE);
  const char *address = bawn_json_get_string (leader, "leader_address", "");
  const char *cluster = bawn_json_get_string (leader, "leader_cluster_address", "");
  const char *since = bawn_json_get_string (leader, "active_time", ZERO_TIME);

  bawn_cli_table_add (table, "HA Enabled", ha->enabled ? "true" : "false", NULL);
  if (!ha->enabled)
    return;
  if (sealed)
    {
      bawn_cli_table_add (table, "HA Mode", "sealed", NULL);
      return;
    }

  bawn_cli_table_add (table, "HA Cluster", cluster[0] != '\0' ? cluster : "n/a", NULL);
  bawn_cli_table_add (table, "HA Mode", is_self ? "active" : "standby", NULL);
  if (is_self && strcmp (since, ZERO_TIME) != 0)
    bawn_cli_table_add (table, "Active Since", since, NULL);
  if (!is_self)
    bawn_cli_table_add (table, "Active Node Address", address[0] != '\0' ? address : "<none>",
                        NULL);
}

static void
output_as_table (BawnCli *cli, const BawnJsonNode *seal, const Cluster *ha)
{
  static const char *const header[] = { "Key", "Value", NULL };
  g_autoptr (BawnCliTable) table = bawn_cli_table_new (header);
  gboolean sealed = bawn_json_get_bool (seal, "sealed", TRUE);
  gboolean recovery = bawn_json_get_bool (seal, "recovery_seal", FALSE);

  add_text (table, recovery ? "Recovery Seal Type" : "Seal Type", seal, "type");
  add_text (table, "Initialized", seal, "initialized");
  add_text (table, "Sealed", seal, "sealed");
  add_text (table, recovery ? "Total Recovery Shares" : "Total Shares", seal, "n");
  add_text (table, "Threshold", seal, "t");
  if (sealed)
    add_unseal_progress (table, seal);
  if (bawn_json_get_bool (seal, "migration", FALSE))
    add_text (table, "Seal Migration in Progress", seal, "migration");
  add_text (table, "Version", seal, "version");
  add_text (table, "Bawn Version", seal, "bawn_version");
  add_text (table, "Build Date", seal, "build_date");
  add_text (table, "Storage Type", seal, "storage_type");
  add_text (table, "Cluster Name", seal, "cluster_name");
  add_text (table, "Cluster ID", seal, "cluster_id");
  if (ha->leader != NULL || ha->enabled)
    add_ha (table, ha, sealed);
  bawn_cli_output_table (cli, table);
}

/* Both answers as one object. */
static void
output_as_object (BawnCli *cli, const BawnJsonNode *seal, const Cluster *ha)
{
  const BawnJsonNode *leader = ha->leader;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  for (const BawnJsonNode *node = seal->children; node != NULL; node = node->next)
    {
      bawn_json_writer_name (&w, node->name);
      bawn_json_writer_node (&w, node);
    }
  for (const BawnJsonNode *node = leader != NULL ? leader->children : NULL; node != NULL;
       node = node->next)
    {
      if (bawn_json_get (seal, node->name) != NULL)
        continue;
      bawn_json_writer_name (&w, node->name);
      bawn_json_writer_node (&w, node);
    }
  if (leader == NULL && ha->enabled)
    bawn_json_writer_add_bool (&w, "ha_enabled", TRUE);
  bawn_json_writer_end_object (&w);
  bawn_cli_output_writer (cli, &w);
}

/* A sealed node does not know who leads, and only a node of several says so. */
static gboolean
is_sealed_of_several (const BawnCliReply *reply)
{
  const char *body = g_bytes_get_data (reply->body, NULL);

  return reply->status == 503 && body != NULL
         && g_strstr_len (body, (gssize) g_bytes_get_size (reply->body), "is sealed") != NULL;
}

/**
 * bawn_cli_output_seal_status:
 * @cli: surroundings
 * @seal_status: what the server says of its seal
 * @error: (out) (optional): %BAWN_CLI_ERROR_REMOTE if that is no status at all
 *
 * Asks who leads the cluster too; a server that does not tell is fine.
 *
 * Returns: %FALSE with @error set if there is nothing to print
 */
gboolean
bawn_cli_output_seal_status (BawnCli *cli, const BawnCliReply *seal_status, GError **error)
{
  const BawnJsonNode *seal = bawn_cli_reply_root (seal_status);
  g_autoptr (BawnCliReply) reply = NULL;
  Cluster ha = { NULL, FALSE };

  if (!bawn_json_is (seal, BAWN_JSON_OBJECT) || bawn_json_get (seal, "sealed") == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE,
                          _ ("The server's answer is no seal status"));
  if (bawn_cli_api_call (cli, "GET", "sys/leader", NULL, NULL, FALSE, &reply, NULL))
    {
      if (reply->status == 200 && bawn_json_is (bawn_cli_reply_root (reply), BAWN_JSON_OBJECT))
        ha.leader = bawn_cli_reply_root (reply);
      ha.enabled = ha.leader != NULL ? bawn_json_get_bool (ha.leader, "ha_enabled", FALSE)
                                     : is_sealed_of_several (reply);
    }

  if (bawn_cli_settings (cli)->format == BAWN_CLI_FORMAT_TABLE)
    output_as_table (cli, seal, &ha);
  else
    output_as_object (cli, seal, &ha);
  return TRUE;
}

/* Whatever goes wrong here is "1", so that "2" is sure to mean sealed. */
static gboolean
fail_status (GError *cause, GError **error)
{
  bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("Error checking seal status: %s"), cause->message);
  return FALSE;
}

/* No server is called that way, and so neither a token nor an address is needed. */
static gboolean
run_on_bus (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (GVariant) properties =
      bawn_cli_bus_read (bawn_cli_args_string (args, "instance", NULL), error);
  g_autoptr (BawnJson) seal = NULL;
  g_autoptr (BawnJson) leader = NULL;

  if (properties == NULL)
    return FALSE;

  seal = bawn_cli_bus_to_seal_status (properties, error);
  leader = seal != NULL ? bawn_cli_bus_to_leader (properties, error) : NULL;
  if (leader == NULL)
    return FALSE;

  const BawnJsonNode *root = bawn_json_root (leader);
  const Cluster ha = { root, bawn_json_get_bool (root, "ha_enabled", FALSE) };
  if (bawn_cli_settings (cli)->format == BAWN_CLI_FORMAT_TABLE)
    output_as_table (cli, bawn_json_root (seal), &ha);
  else
    output_as_object (cli, bawn_json_root (seal), &ha);
  if (bawn_json_get_bool (bawn_json_root (seal), "sealed", TRUE))
    bawn_cli_set_exit_status (cli, BAWN_CLI_EXIT_REMOTE);
  return TRUE;
}

static gboolean
run_status (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;
  g_autoptr (GError) cause = NULL;

  if (bawn_cli_args_bool (args, "bus", FALSE))
    return run_on_bus (cli, args, error);
  if (bawn_cli_args_has (args, "instance"))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("-instance goes with -bus"));
  if (!bawn_cli_api_read (cli, "sys/seal-status", NULL, &reply, &cause))
    {
      if (!g_error_matches (cause, BAWN_CLI_ERROR, BAWN_CLI_ERROR_DONE))
        return fail_status (cause, error);
      g_propagate_error (error, g_steal_pointer (&cause));
      return FALSE;
    }
  if (!bawn_cli_output_seal_status (cli, reply, &cause))
    return fail_status (cause, error);

  if (bawn_json_get_bool (bawn_cli_reply_root (reply), "sealed", TRUE))
    bawn_cli_set_exit_status (cli, BAWN_CLI_EXIT_REMOTE);
  return TRUE;
}

static const BawnCliFlag status_flags[] = {
  { "bus", BAWN_CLI_FLAG_BOOL, NULL,
    N_ ("Ask the server of this machine over the system bus, which takes neither a token nor an "
        "address."),
    NULL },
  { "instance", BAWN_CLI_FLAG_STRING, "NAME",
    N_ ("With -bus: which one of several servers of this machine."), NULL },
  { NULL },
};

const BawnCliCommand bawn_cli_command_status = {
  .name = "status",
  .summary = N_ ("Print whether the server is sealed, and who leads"),
  .help = N_ ("The exit status tells scripts: 0 is unsealed, 2 is sealed, 1 is an error."),
  .examples = "bawn status\nbawn status -format=json\nbawn status -bus",
  .flags = status_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 0,
  .run = run_status,
};
