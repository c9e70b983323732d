/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-request.h"

static const struct
{
  BawnOp op;
  const char *name;
} op_names[] = {
  { BAWN_OP_READ, "read" },     { BAWN_OP_LIST, "list" },     { BAWN_OP_CREATE, "create" },
  { BAWN_OP_UPDATE, "update" }, { BAWN_OP_DELETE, "delete" }, { BAWN_OP_PATCH, "patch" },
  { BAWN_OP_HELP, "help" },
};

/**
 * bawn_op_name:
 * @op: one operation
 *
 * Returns: its name as audit records and policies say it
 */
const char *
bawn_op_name (BawnOp op)
{
  for (gsize i = 0; i < G_N_ELEMENTS (op_names); i++)
    {
      if (op_names[i].op == op)
        return op_names[i].name;
    }

  g_return_val_if_reached ("unknown");
}

static void
request_clear (gpointer data)
{
  BawnRequest *request = data;

  bawn_request_reset (request);
  g_free (request->id);
  g_free (request->path);
  g_clear_pointer (&request->data, bawn_json_unref);
  bawn_string_wipe_free (request->token);
  g_free (request->remote_address);
  g_clear_pointer (&request->headers, g_hash_table_unref);
}

/**
 * bawn_request_new:
 * @op: what is asked
 * @path: below /v1/; is copied
 *
 * Returns: (transfer full): a request for the door to fill
 */
BawnRequest *
bawn_request_new (BawnOp op, const char *path)
{
  g_return_val_if_fail (path != NULL, NULL);

  BawnRequest *request = g_atomic_rc_box_new0 (BawnRequest);

  request->op = op;
  request->path = g_strdup (path);

  return request;
}

/**
 * bawn_request_ref:
 * @request: a request
 *
 * Returns: (transfer full): @request
 */
BawnRequest *
bawn_request_ref (BawnRequest *request)
{
  return g_atomic_rc_box_acquire (request);
}

/**
 * bawn_request_unref:
 * @request: (transfer full): a request; its token and body are wiped with it
 */
void
bawn_request_unref (BawnRequest *request)
{
  g_atomic_rc_box_release_full (request, request_clear);
}

/**
 * bawn_request_param:
 * @request: a request whose route has been matched
 * @name: a name in the route's pattern
 *
 * Returns: what stood there in the path; "" if the pattern has none of that name. Of a "{name...}"
 * it is all of the rest, with the '/' at its end if there is one.
 */
const char *
bawn_request_param (BawnRequest *request, const char *name)
{
  if (request->params == NULL)
    return "";

  const char *value = g_hash_table_lookup (request->params, name);

  return value != NULL ? value : "";
}

/**
 * bawn_request_header:
 * @request: a request
 * @name: a header's name in lower case
 *
 * Returns: (nullable): its first value
 */
const char *
bawn_request_header (BawnRequest *request, const char *name)
{
  if (request->headers == NULL)
    return NULL;

  const char *const *values = g_hash_table_lookup (request->headers, name);

  return values != NULL ? values[0] : NULL;
}

/**
 * bawn_request_reset:
 * @request: a request
 *
 * Forgets what an attempt has filled in, before the next one. That its request line is audited
 * stays true.
 */
void
bawn_request_reset (BawnRequest *request)
{
  if (request->op == BAWN_OP_CREATE)
    request->op = BAWN_OP_UPDATE;
  g_clear_pointer (&request->mount, bawn_mount_unref);
  request->rest = NULL;
  g_clear_pointer (&request->caller, bawn_token_unref);
  request->caller_sudo = FALSE;
  g_clear_pointer (&request->params, g_hash_table_unref);
  g_clear_pointer (&request->fields_known, g_hash_table_unref);
  request->any_field = FALSE;
}
