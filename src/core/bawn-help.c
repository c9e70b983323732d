/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-help.h"

#include "core/bawn-spec.h"

static void
describe_ops (GString *text, guint ops)
{
  static const BawnOp all[] = { BAWN_OP_READ, BAWN_OP_LIST, BAWN_OP_CREATE, BAWN_OP_UPDATE, BAWN_OP_DELETE, BAWN_OP_PATCH };
  const char *separator = "";

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if ((ops & (guint) all[i]) != 0)
      {
        g_string_append_printf (text, "%s%s", separator, bawn_op_name (all[i]));
        separator = ", ";
      }
}

/* A request that asks which rows fit a path, whatever the operation. */
static gboolean
row_fits (const BawnRoute *row, const BawnRequest *request)
{
  const BawnRoute table[] = { *row, { NULL } };
  g_autoptr(BawnRequest) probe = bawn_request_new (BAWN_OP_READ, request->path);
  g_autoptr(GError) error = NULL;

  probe->mount = bawn_mount_ref (request->mount);
  probe->rest = probe->path + (request->rest - request->path);
  if (bawn_route_match (table, probe, &error) != NULL)
    return TRUE;

  return bawn_error_is (error, BAWN_ERROR_UNSUPPORTED);
}

static void
describe_row (GString *text, const BawnRoute *row)
{
  g_string_append_printf (text, "    %s\n        ", row->pattern);
  describe_ops (text, row->ops);
  if (row->help != NULL)
    g_string_append_printf (text, ": %s", row->help);
  g_string_append (text, "\n\n");
}

static char *
describe (BawnEngine *engine, BawnRequest *request)
{
  GString *text = g_string_new ("## DESCRIPTION\n\n");
  const BawnRoute *rows = bawn_engine_get_routes (engine, request->mount);
  const char *help = BAWN_ENGINE_GET_CLASS (engine)->help;
  gboolean whole = *request->rest == '\0';

  if (help != NULL)
    g_string_append_printf (text, "%s\n\n", help);
  g_string_append_printf (text, "## PATHS\n\n%s\n\n",
                          whole ? "The following paths are supported by this backend:"
                                : "The path fits:");
  for (const BawnRoute *row = rows; row->pattern != NULL; row++)
    if (whole || row_fits (row, request))
      describe_row (text, row);

  return g_string_free (text, FALSE);
}

/**
 * bawn_help_response:
 * @engine: the engine of the request's mount
 * @request: the request
 * @error: return location
 *
 * Returns: (transfer full) (nullable): what the engine's table says about the path, or about all of its paths
 */
BawnResponse *
bawn_help_response (BawnEngine *engine, BawnRequest *request, GError **error)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autofree char *text = describe (engine, request);

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "help", text);
  bawn_json_writer_add_null (&w, "see_also");
  bawn_json_writer_name (&w, "openapi");
  bawn_spec_begin (&w);
  bawn_spec_add_routes (&w, request->mount->path, bawn_engine_get_routes (engine, request->mount), NULL);
  bawn_spec_end (&w);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
}
