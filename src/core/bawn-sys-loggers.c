/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* sys/loggers: how much this process logs, until it ends or is told otherwise. There is one logger.
 */

#define LOGGER "bawn"

static gboolean
check_name (BawnRequest *request, GError **error)
{
  const char *name = bawn_request_param (request, "name");

  if (*name != '\0' && !g_str_equal (name, LOGGER))
    return bawn_fail (error, BAWN_ERROR_NOT_FOUND, "logger \"%s\" not found", name);

  return TRUE;
}

static BawnResponse *
loggers_read (BawnEngine *engine G_GNUC_UNUSED,
              BawnRequest *request,
              BawnTxn *txn G_GNUC_UNUSED,
              GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!check_name (request, error))
    return NULL;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, LOGGER, bawn_log_level_name (bawn_log_get_level ()));
  bawn_json_writer_end_object (&w);
  return bawn_response_new_writer (&w);
}

/* The API has more names than there are levels. */
static gboolean
parse_level (const char *name, BawnLogLevel *out_level)
{
  static const struct
  {
    const char *name;
    BawnLogLevel level;
  } others[] = { { "err", BAWN_LOG_ERROR },
                 { "warning", BAWN_LOG_WARN },
                 { "notice", BAWN_LOG_INFO } };

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    if (g_str_equal (name, others[i].name))
      {
        *out_level = others[i].level;
        return TRUE;
      }

  return bawn_log_level_parse (name, out_level);
}

static void
set_level (gpointer level, gpointer unused G_GNUC_UNUSED)
{
  bawn_log_set_level ((BawnLogLevel) GPOINTER_TO_UINT (level));
}

static BawnResponse *
answer_with_level (BawnLogLevel level)
{
  BawnResponse *response = bawn_response_new_empty ();

  bawn_response_after_commit (response, set_level, GUINT_TO_POINTER (level), NULL);
  return response;
}

static BawnResponse *
loggers_write (BawnEngine *engine G_GNUC_UNUSED,
               BawnRequest *request,
               BawnTxn *txn G_GNUC_UNUSED,
               GError **error)
{
  g_autofree char *name = NULL;
  BawnLogLevel level = BAWN_LOG_INFO;

  if (!check_name (request, error) || !bawn_field_string (request, "level", &name, error))
    return NULL;
  if (name == NULL || *name == '\0')
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "level is required");
  if (!parse_level (name, &level))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "invalid level provided: %s", name);

  return answer_with_level (level);
}

static BawnResponse *
loggers_reset (BawnEngine *engine, BawnRequest *request, BawnTxn *txn G_GNUC_UNUSED, GError **error)
{
  if (!check_name (request, error))
    return NULL;

  return answer_with_level (bawn_sys_get_first_log_level (bawn_engine_system_get_core (engine)));
}

const BawnRoute bawn_sys_loggers_routes[] = {
  { "loggers", BAWN_OP_READ, loggers_read, BAWN_ROUTE_NONE, "Shows how much is logged." },
  { "loggers", BAWN_OP_WRITE, loggers_write, BAWN_ROUTE_NONE, "Sets how much is logged." },
  { "loggers", BAWN_OP_DELETE, loggers_reset, BAWN_ROUTE_NONE, "Logs as much as was configured." },
  { "loggers/{name}", BAWN_OP_READ, loggers_read, BAWN_ROUTE_NONE, "Shows how much is logged." },
  { "loggers/{name}", BAWN_OP_WRITE, loggers_write, BAWN_ROUTE_NONE, "Sets how much is logged." },
  { "loggers/{name}", BAWN_OP_DELETE, loggers_reset, BAWN_ROUTE_NONE,
    "Logs as much as was configured." },
  { 0 },
};
