/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-password-policy.h"
#include "core/bawn-sys-private.h"

/* sys/policies/password */

#define PASSWORD_PREFIX "sys/password-policy/"

static char *
key_of (const char *name)
{
  return g_strconcat (PASSWORD_PREFIX, name, NULL);
}

static BawnResponse *
password_list (BawnEngine *engine G_GNUC_UNUSED,
               BawnRequest *request G_GNUC_UNUSED,
               BawnTxn *txn,
               GError **error)
{
  g_auto (GStrv) names = NULL;

  if (!bawn_sys_walk (txn, PASSWORD_PREFIX, BAWN_SYS_WALK_MAX, &names, error))
    return NULL;

  return bawn_response_new_keys ((const char *const *) names);
}

static gboolean
load_text (BawnTxn *txn, const char *name, char **out_text, GError **error)
{
  g_autofree char *key = key_of (name);
  g_autoptr (GBytes) stored = NULL;

  if (!bawn_txn_get (txn, key, &stored, error))
    return FALSE;
  if (stored == NULL)
    return bawn_fail (error, BAWN_ERROR_NOT_FOUND, "policy does not exist");

  gsize size = 0;
  const char *text = g_bytes_get_data (stored, &size);
  *out_text = g_strndup (text, size);
  return TRUE;
}

static BawnResponse *
answer (const char *name, const char *value)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, name, value);
  bawn_json_writer_end_object (&w);
  return bawn_response_new_writer (&w);
}

static BawnResponse *
password_read (BawnEngine *engine G_GNUC_UNUSED, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *text = NULL;

  if (!load_text (txn, bawn_request_param (request, "name"), &text, error))
    return NULL;

  return answer ("policy", text);
}

static BawnResponse *
password_generate (BawnEngine *engine G_GNUC_UNUSED,
                   BawnRequest *request,
                   BawnTxn *txn,
                   GError **error)
{
  g_autofree char *text = NULL;

  if (!load_text (txn, bawn_request_param (request, "name"), &text, error))
    return NULL;

  g_autoptr (BawnPasswordPolicy) policy = bawn_password_policy_parse (text, error);
  if (policy == NULL)
    return NULL;

  g_autoptr (BawnWipedString) password = bawn_password_policy_generate (policy);
  return answer ("password", password);
}

static BawnResponse *
password_write (BawnEngine *engine G_GNUC_UNUSED,
                BawnRequest *request,
                BawnTxn *txn,
                GError **error)
{
  g_autofree char *given = NULL;
  g_autoptr (GError) bad = NULL;

  if (!bawn_field_string (request, "policy", &given, error))
    return NULL;
  if (given == NULL || *given == '\0')
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "missing policy");

  g_autofree char *text = bawn_sys_decode_policy (given);
  g_autoptr (BawnPasswordPolicy) policy = bawn_password_policy_parse (text, &bad);
  if (policy == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "invalid password policy: %s", bad->message);

  g_autofree char *key = key_of (bawn_request_param (request, "name"));
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);
  bawn_txn_put (txn, key, value);
  return bawn_response_new_empty ();
}

static BawnResponse *
password_delete (BawnEngine *engine G_GNUC_UNUSED,
                 BawnRequest *request,
                 BawnTxn *txn,
                 GError **error G_GNUC_UNUSED)
{
  g_autofree char *key = key_of (bawn_request_param (request, "name"));

  bawn_txn_delete (txn, key);
  return bawn_response_new_empty ();
}

const BawnRoute bawn_sys_password_routes[] = {
  { "policies/password", BAWN_OP_LIST, password_list, BAWN_ROUTE_NONE,
    "List the password policies." },
  { "policies/password/{name}/generate", BAWN_OP_READ, password_generate, BAWN_ROUTE_NONE,
    "Generate a password from an existing password policy." },
  { "policies/password/{name}", BAWN_OP_READ, password_read, BAWN_ROUTE_NONE,
    "Read a password policy." },
  { "policies/password/{name}", BAWN_OP_WRITE, password_write, BAWN_ROUTE_NONE,
    "Add a new or update an existing password policy." },
  { "policies/password/{name}", BAWN_OP_DELETE, password_delete, BAWN_ROUTE_NONE,
    "Delete a password policy." },
  { 0 },
};
