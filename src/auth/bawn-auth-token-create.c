/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-token-making.h"

#include "auth/bawn-policy.h"
#include "logical/bawn-string-map.h"

#include <string.h>

#define OWN_PERIOD "period"

static void
making_clear (BawnTokenMaking *making)
{
  g_strfreev (making->policies);
  bawn_string_wipe_free (making->id);
  g_free (making->display_name);
  g_free (making->type);
  g_clear_pointer (&making->meta, g_hash_table_unref);
  g_clear_pointer (&making->token, bawn_token_unref);
  g_clear_pointer (&making->warnings, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnTokenMaking, making_clear)

static void warn (BawnTokenMaking *making, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
warn (BawnTokenMaking *making, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (making->warnings, g_strdup_vprintf (format, args));
  va_end (args);
}

static gboolean
read_time (BawnTokenMaking *making, const char *field, gint64 *inout_us, GError **error)
{
  gint64 us = *inout_us;

  if (!bawn_field_duration_signed (making->request, field, &us, error))
    return FALSE;
  if (us < 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s must be positive", field);

  *inout_us = us;
  return TRUE;
}

static gboolean
read_times (BawnTokenMaking *making, GError **error)
{
  gint64 lease_us = 0;

  if (!read_time (making, "explicit_max_ttl", &making->explicit_max_us, error)
      || !read_time (making, "period", &making->period_us, error)
      || !read_time (making, "ttl", &making->ttl_us, error)
      || !read_time (making, "lease", &lease_us, error))
    return FALSE;

  if (!bawn_field_present (making->request, "ttl"))
    making->ttl_us = lease_us;
  return TRUE;
}

static gboolean
read_fields (BawnTokenMaking *making, GError **error)
{
  BawnRequest *request = making->request;

  making->renewable = TRUE;
  making->id = g_strdup ("");
  making->display_name = g_strdup ("");
  making->type = g_strdup ("");
  if (!bawn_field_strv (request, "policies", &making->policies, error)
      || !bawn_field_map (request, "meta", &making->meta, error)
      || !bawn_field_string (request, "id", &making->id, error)
      || !bawn_field_string (request, "display_name", &making->display_name, error)
      || !bawn_field_string (request, "type", &making->type, error)
      || !bawn_field_int (request, "num_uses", &making->num_uses, error)
      || !bawn_field_bool (request, "renewable", &making->renewable, error)
      || !bawn_field_bool (request, "no_parent", &making->no_parent, error)
      || !bawn_field_bool (request, "no_default_policy", &making->no_default_policy, error)
      || !read_times (making, error))
    return FALSE;
  if (making->num_uses < 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "number of uses cannot be negative");

  return TRUE;
}

/* There are no entities yet that an alias could stand for. */
static gboolean
check_alias (BawnTokenMaking *making, GError **error)
{
  g_autofree char *alias = g_strdup ("");

  if (!bawn_field_string (making->request, "entity_alias", &alias, error))
    return FALSE;
  if (*alias == '\0')
    return TRUE;
  if (making->role == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "'entity_alias' is only allowed in combination with token role");

  return bawn_fail (error, BAWN_ERROR_INVALID, "invalid 'entity_alias' value");
}

static gboolean
check_parent (const BawnTokenMaking *making, GError **error)
{
  if (making->parent->type == BAWN_TOKEN_BATCH)
    return bawn_fail (error, BAWN_ERROR_INVALID, "batch tokens cannot create more tokens");
  if (making->parent->num_uses != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "restricted use token cannot generate child tokens");

  return TRUE;
}

/* A role may insist on a type, or say what is made if nobody says. */
static const char *
effective_type (const BawnTokenMaking *making)
{
  if (making->role == NULL)
    return making->type;

  switch (making->role->params.type)
    {
    case BAWN_TOKEN_WISH_SERVICE:
      return "service";
    case BAWN_TOKEN_WISH_BATCH:
      return "batch";
    case BAWN_TOKEN_WISH_DEFAULT_BATCH:
      return *making->type != '\0' ? making->type : "batch";
    case BAWN_TOKEN_WISH_DEFAULT:
    case BAWN_TOKEN_WISH_DEFAULT_SERVICE:
      break;
    }

  return making->type;
}

static gboolean
set_type (BawnTokenMaking *making, GError **error)
{
  const char *type = effective_type (making);
  const char *bad = making->explicit_max_us != 0 ? "explicit_max_ttl"
                    : making->num_uses != 0      ? "num_uses"
                    : making->period_us != 0     ? "period"
                                                 : NULL;

  if (*type == '\0' || g_str_equal (type, "service"))
    {
      making->token->type = BAWN_TOKEN_SERVICE;
      return TRUE;
    }
  if (!g_str_equal (type, "batch"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "invalid 'token_type' value");
  if (bad != NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "batch tokens cannot have \"%s\" set", bad);

  making->token->type = BAWN_TOKEN_BATCH;
  return TRUE;
}

static gboolean
set_id (BawnTokenMaking *making, GError **error)
{
  static const char *const reserved[] = {
    "s.", "b.", "r.", BAWN_TOKEN_PREFIX_SERVICE, BAWN_TOKEN_PREFIX_BATCH, "hvr."
  };

  if (*making->id == '\0')
    return TRUE;
  if (!making->request->caller_sudo)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "root or sudo privileges required to specify token id");
  for (guint i = 0; i < G_N_ELEMENTS (reserved); i++)
    if (g_str_has_prefix (making->id, reserved[i]))
      return bawn_fail (error, BAWN_ERROR_INVALID, "custom token ID cannot have the '%s' prefix",
                        reserved[i]);
  if (making->token->type == BAWN_TOKEN_BATCH)
    return bawn_fail (error, BAWN_ERROR_INVALID, "batch tokens cannot have \"id\" set");

  return TRUE;
}

static gboolean
set_parent (BawnTokenMaking *making, GError **error)
{
  gboolean orphan = making->role != NULL ? making->role->orphan : making->orphan;

  if (making->role == NULL && making->no_parent)
    {
      if (!making->orphan && !making->request->caller_sudo)
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          "root or sudo privileges required to create orphan token");
      orphan = TRUE;
    }
  if (!orphan)
    {
      making->token->parent = g_strdup (making->parent->hash);
      making->token->entity_id = g_strdup (making->parent->entity_id);
    }

  return TRUE;
}

gint64
bawn_auth_token_join_periods (gint64 a, gint64 b)
{
  return a == 0 ? b : b == 0 ? a : MIN (a, b);
}

gint64
bawn_auth_token_own_period (const BawnToken *token)
{
  const char *text =
      token->internal != NULL ? g_hash_table_lookup (token->internal, OWN_PERIOD) : NULL;

  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;
}

static void
keep_own_period (BawnToken *token, gint64 period_us)
{
  if (period_us == 0)
    return;

  token->internal = bawn_string_map_new ();
  g_hash_table_insert (token->internal, g_strdup (OWN_PERIOD),
                       g_strdup_printf ("%" G_GINT64_FORMAT, period_us));
}

static void
join_with_role (BawnTokenMaking *making)
{
  const BawnTokenParams *params = &making->role->params;
  gint64 explicit_us =
      bawn_auth_token_join_periods (making->explicit_max_us, params->explicit_max_ttl_us);
  gint64 period_us = bawn_auth_token_join_periods (making->period_us, params->period_us);

  if (making->explicit_max_us != 0 && params->explicit_max_ttl_us != 0)
    warn (
        making,
        "Explicit max TTL specified both during creation call and in role; using the lesser value "
        "of %" G_GINT64_FORMAT " seconds",
        explicit_us / G_USEC_PER_SEC);
  if (making->period_us != 0 && params->period_us != 0)
    warn (making,
          "Period specified both during creation call and in role; using the lesser value of "
          "%" G_GINT64_FORMAT " seconds",
          period_us / G_USEC_PER_SEC);

  keep_own_period (making->token, making->period_us);
  making->explicit_max_us = explicit_us;
  making->period_us = period_us;
}

static gboolean
calculate_ttl (BawnTokenMaking *making, GError **error)
{
  BawnToken *token = making->token;
  const BawnMount *mount = making->request->mount;
  g_autofree char *warning = NULL;
  BawnTtlInput input = {
    .backend_ttl_us = making->ttl_us,
    .period_us = making->period_us,
    .explicit_max_us = making->explicit_max_us,
    .mount_default_us = bawn_mount_default_ttl_us (mount),
    .mount_max_us = bawn_mount_max_ttl_us (mount),
  };

  if (!bawn_ttl_calculate (&input, &token->ttl_us, &warning, error))
    return FALSE;
  if (warning != NULL)
    warn (making, "%s", warning);

  return TRUE;
}

/* Only a root token may live for ever, and only if its parent does. */
static gboolean
set_times (BawnTokenMaking *making, GError **error)
{
  BawnToken *token = making->token;

  if (making->period_us != 0 && !making->request->caller_sudo)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "root or sudo privileges required to create periodic token");
  if (making->role != NULL && token->type == BAWN_TOKEN_SERVICE)
    join_with_role (making);
  token->explicit_max_ttl_us = making->explicit_max_us;
  token->period_us = making->period_us;

  if ((making->period_us > 0 || making->ttl_us > 0 || !bawn_token_is_root (token))
      && !calculate_ttl (making, error))
    return FALSE;
  if (token->ttl_us == 0)
    token->ttl_us = making->explicit_max_us;
  if (token->ttl_us == 0 && making->parent->ttl_us != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "expiring root tokens cannot create non-expiring root tokens");

  token->renewable = making->renewable && token->ttl_us != 0 && token->type == BAWN_TOKEN_SERVICE
                     && (making->role == NULL || making->role->renewable);
  return TRUE;
}

static void
set_uses (BawnTokenMaking *making)
{
  gint64 by_role = making->role != NULL ? making->role->params.num_uses : 0;

  if (making->token->type == BAWN_TOKEN_SERVICE)
    making->token->num_uses = bawn_auth_token_join_periods (making->num_uses, by_role);
}

static void
set_names (BawnTokenMaking *making)
{
  BawnToken *token = making->token;
  const BawnTokenRole *role = making->role;
  gboolean bound =
      role != NULL && bawn_token_making_has_any (role->params.bound_cidrs) && token->ttl_us != 0;

  token->display_name = *making->display_name != '\0'
                            ? g_strconcat ("token-", making->display_name, NULL)
                            : g_strdup ("token");
  g_strcanon (token->display_name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-", '-');
  if (g_str_has_suffix (token->display_name, "-"))
    token->display_name[strlen (token->display_name) - 1] = '\0';
  token->path = g_strconcat (making->request->mount->path, "create", role != NULL ? "/" : NULL,
                             role != NULL ? role->name : NULL,
                             role != NULL && role->path_suffix != NULL ? "/" : NULL,
                             role != NULL ? role->path_suffix : NULL, NULL);
  token->role = role != NULL ? g_strdup (role->name) : NULL;
  token->meta = making->meta != NULL ? g_hash_table_ref (making->meta) : NULL;
  token->bound_cidrs = bound ? g_strdupv (role->params.bound_cidrs) : NULL;
}

static gboolean
warn_of_missing_policies (BawnTokenMaking *making, GError **error)
{
  for (char **name = making->token->policies; *name != NULL; name++)
    {
      g_autoptr (BawnPolicy) policy = NULL;

      if (!bawn_policy_get (making->txn, *name, &policy, error))
        return FALSE;
      if (policy == NULL)
        warn (making, "Policy \"%s\" does not exist", *name);
    }

  return TRUE;
}

static BawnResponse *
finish (BawnTokenMaking *making, GError **error)
{
  g_autoptr (BawnTokenStore) store = bawn_auth_token_ref_store (making->engine, error);
  const char *want_id = *making->id != '\0' ? making->id : NULL;
  BawnResponse *response = NULL;
  BawnAuth *auth = NULL;
  char *id = NULL;

  if (store == NULL || !warn_of_missing_policies (making, error)
      || !bawn_token_store_create (store, making->txn, making->token, want_id, making->token->path,
                                   &id, error))
    return NULL;

  auth = bawn_auth_new (g_steal_pointer (&making->token));
  auth->client_token = id;
  response = bawn_response_new_auth (auth);
  for (guint i = 0; i < making->warnings->len; i++)
    bawn_response_warn (response, "%s", (const char *) g_ptr_array_index (making->warnings, i));

  return response;
}

static BawnResponse *
make_token (BawnEngine *engine,
            BawnRequest *request,
            BawnTxn *txn,
            const BawnTokenRole *role,
            gboolean orphan,
            GError **error)
{
  g_auto (BawnTokenMaking) making = {
    .engine = engine,
    .request = request,
    .txn = txn,
    .parent = request->caller,
    .role = role,
    .orphan = orphan,
    .token = bawn_token_new (),
    .warnings = g_ptr_array_new_with_free_func (g_free),
  };

  if (!check_parent (&making, error) || !read_fields (&making, error)
      || !check_alias (&making, error) || !set_type (&making, error) || !set_id (&making, error)
      || !bawn_token_making_set_policies (&making, error) || !set_parent (&making, error)
      || !set_times (&making, error))
    return NULL;

  set_uses (&making);
  set_names (&making);
  return finish (&making, error);
}

BawnResponse *
bawn_auth_token_create (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return make_token (engine, request, txn, NULL, FALSE, error);
}

BawnResponse *
bawn_auth_token_create_orphan (BawnEngine *engine,
                               BawnRequest *request,
                               BawnTxn *txn,
                               GError **error)
{
  return make_token (engine, request, txn, NULL, TRUE, error);
}

BawnResponse *
bawn_auth_token_create_by_role (BawnEngine *engine,
                                BawnRequest *request,
                                BawnTxn *txn,
                                GError **error)
{
  const char *name = bawn_request_param (request, "role");
  g_autoptr (BawnTokenRole) role = NULL;

  if (!bawn_auth_token_get_role (request, txn, name, &role, error))
    return NULL;
  if (role == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "unknown role %s", name);

  return make_token (engine, request, txn, role, FALSE, error);
}
