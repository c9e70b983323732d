/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-token-role.h"

#include "util/bawn-error.h"

#include <string.h>

BawnTokenRole *
bawn_token_role_new (const char *name)
{
  BawnTokenRole *role = g_atomic_rc_box_new0 (BawnTokenRole);

  role->name = g_strdup (name);
  role->renewable = TRUE;
  role->params.type = BAWN_TOKEN_WISH_DEFAULT_SERVICE;

  return role;
}

static void
role_clear (gpointer data)
{
  BawnTokenRole *role = data;

  g_free (role->name);
  g_free (role->path_suffix);
  g_strfreev (role->allowed_policies);
  g_strfreev (role->disallowed_policies);
  g_strfreev (role->allowed_globs);
  g_strfreev (role->disallowed_globs);
  g_strfreev (role->allowed_entity_aliases);
  bawn_token_params_clear (&role->params);
}

void
bawn_token_role_unref (BawnTokenRole *role)
{
  g_atomic_rc_box_release_full (role, role_clear);
}

BawnTokenRole *
bawn_token_role_copy (const BawnTokenRole *role)
{
  BawnTokenRole *copy = g_atomic_rc_box_new0 (BawnTokenRole);

  *copy = *role;
  copy->name = g_strdup (role->name);
  copy->path_suffix = g_strdup (role->path_suffix);
  copy->allowed_policies = g_strdupv (role->allowed_policies);
  copy->disallowed_policies = g_strdupv (role->disallowed_policies);
  copy->allowed_globs = g_strdupv (role->allowed_globs);
  copy->disallowed_globs = g_strdupv (role->disallowed_globs);
  copy->allowed_entity_aliases = g_strdupv (role->allowed_entity_aliases);
  copy->params.policies = g_strdupv (role->params.policies);
  copy->params.bound_cidrs = g_strdupv (role->params.bound_cidrs);

  return copy;
}

static gpointer
role_parse (const char *key, GBytes *plain, GError **error)
{
  g_autoptr (BawnJson) json = bawn_json_parse (plain, NULL, NULL);
  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;
  const char *name = bawn_json_get_string (root, "name", NULL);

  if (name == NULL)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s: not a token role", key);

  BawnTokenRole *role = bawn_token_role_new (name);

  role->orphan = bawn_json_get_bool (root, "orphan", FALSE);
  role->renewable = bawn_json_get_bool (root, "renewable", TRUE);
  role->path_suffix = g_strdup (bawn_json_get_string (root, "path_suffix", NULL));
  role->allowed_policies = bawn_json_get_strv (root, "allowed");
  role->disallowed_policies = bawn_json_get_strv (root, "disallowed");
  role->allowed_globs = bawn_json_get_strv (root, "allowed_globs");
  role->disallowed_globs = bawn_json_get_strv (root, "disallowed_globs");
  role->allowed_entity_aliases = bawn_json_get_strv (root, "entity_aliases");
  bawn_token_params_read (&role->params, bawn_json_get (root, "token"));

  return role;
}

static gpointer
role_ref (gpointer object)
{
  return g_atomic_rc_box_acquire (object);
}

static void
role_unref (gpointer object)
{
  bawn_token_role_unref (object);
}

static const BawnObjectKind role_kind = { "token role", role_parse, role_ref, role_unref };

gboolean
bawn_token_role_get (BawnTxn *txn, const char *name, BawnTokenRole **out_role, GError **error)
{
  g_autofree char *key = g_strconcat (BAWN_TOKEN_ROLE_PREFIX, name, NULL);
  gpointer object = NULL;

  if (bawn_backend_key_is_valid (key)
      && !bawn_txn_get_object (txn, key, &role_kind, &object, error))
    return FALSE;

  *out_role = object;
  return TRUE;
}

static void
add_strv (BawnJsonWriter *w, const char *name, GStrv strings)
{
  if (strings != NULL)
    bawn_json_writer_add_strv (w, name, (const char *const *) strings);
}

void
bawn_token_role_put (BawnTxn *txn, const BawnTokenRole *role)
{
  g_autofree char *key = g_strconcat (BAWN_TOKEN_ROLE_PREFIX, role->name, NULL);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "name", role->name);
  bawn_json_writer_add_bool (&w, "orphan", role->orphan);
  bawn_json_writer_add_bool (&w, "renewable", role->renewable);
  if (role->path_suffix != NULL)
    bawn_json_writer_add_string (&w, "path_suffix", role->path_suffix);
  add_strv (&w, "allowed", role->allowed_policies);
  add_strv (&w, "disallowed", role->disallowed_policies);
  add_strv (&w, "allowed_globs", role->allowed_globs);
  add_strv (&w, "disallowed_globs", role->disallowed_globs);
  add_strv (&w, "entity_aliases", role->allowed_entity_aliases);
  bawn_json_writer_name (&w, "token");
  bawn_json_writer_begin_object (&w);
  bawn_token_params_write (&role->params, &w);
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);

  bawn_txn_put (txn, key, value);
}

static void
show_strv (BawnJsonWriter *w, const char *name, GStrv strings)
{
  static const char *const none[] = { NULL };

  bawn_json_writer_add_strv (w, name, strings != NULL ? (const char *const *) strings : none);
}

/* The older spellings of the times are always there, and 0 unless they were used. */
static void
show_old_time (
    const BawnTokenRole *role, BawnJsonWriter *w, BawnTokenParam param, const char *name, gint64 us)
{
  gboolean used = (role->params.legacy & param) != 0;

  bawn_json_writer_add_int (w, name, used ? us / G_USEC_PER_SEC : 0);
}

void
bawn_token_role_show (const BawnTokenRole *role, BawnJsonWriter *w)
{
  const BawnTokenParams *params = &role->params;

  bawn_json_writer_begin_object (w);
  show_strv (w, "allowed_entity_aliases", role->allowed_entity_aliases);
  show_strv (w, "allowed_policies", role->allowed_policies);
  show_strv (w, "allowed_policies_glob", role->allowed_globs);
  show_strv (w, "disallowed_policies", role->disallowed_policies);
  show_strv (w, "disallowed_policies_glob", role->disallowed_globs);
  show_old_time (role, w, BAWN_TOKEN_PARAM_EXPLICIT_MAX_TTL, "explicit_max_ttl",
                 params->explicit_max_ttl_us);
  bawn_json_writer_add_string (w, "name", role->name);
  bawn_json_writer_add_bool (w, "orphan", role->orphan);
  bawn_json_writer_add_string (w, "path_suffix",
                               role->path_suffix != NULL ? role->path_suffix : "");
  show_old_time (role, w, BAWN_TOKEN_PARAM_PERIOD, "period", params->period_us);
  bawn_json_writer_add_bool (w, "renewable", role->renewable);
  bawn_json_writer_add_int (w, "token_explicit_max_ttl",
                            params->explicit_max_ttl_us / G_USEC_PER_SEC);
  bawn_json_writer_add_bool (w, "token_no_default_policy", params->no_default_policy);
  bawn_json_writer_add_int (w, "token_period", params->period_us / G_USEC_PER_SEC);
  bawn_json_writer_add_string (w, "token_type", bawn_token_wish_name (params->type));
  if (params->bound_cidrs != NULL && params->bound_cidrs[0] != NULL)
    {
      show_strv (w, "token_bound_cidrs", params->bound_cidrs);
      if ((params->legacy & BAWN_TOKEN_PARAM_CIDRS) != 0)
        show_strv (w, "bound_cidrs", params->bound_cidrs);
    }
  if (params->num_uses > 0)
    bawn_json_writer_add_int (w, "token_num_uses", params->num_uses);
  bawn_json_writer_end_object (w);
}

/* '*' is any text, empty too. Going back only to the last '*' is enough, so this takes no more than
 * the product of the lengths. */
static gboolean
glob_fits (const char *glob, const char *text)
{
  const char *star = NULL;
  const char *retry = NULL;

  while (*text != '\0')
    {
      if (*glob == '*')
        {
          star = glob++;
          retry = text;
        }
      else if (*glob == *text)
        {
          glob++;
          text++;
        }
      else if (star != NULL)
        {
          glob = star + 1;
          text = ++retry;
        }
      else
        return FALSE;
    }
  while (*glob == '*')
    glob++;

  return *glob == '\0';
}

gboolean
bawn_token_role_names (GStrv names, GStrv globs, const char *text)
{
  if (names != NULL && g_strv_contains ((const char *const *) names, text))
    return TRUE;
  for (char **glob = globs; glob != NULL && *glob != NULL; glob++)
    if (glob_fits (*glob, text))
      return TRUE;

  return FALSE;
}

static gboolean
has_any (GStrv strings)
{
  return strings != NULL && strings[0] != NULL;
}

gboolean
bawn_token_role_restricts (const BawnTokenRole *role)
{
  return has_any (role->allowed_policies) || has_any (role->disallowed_policies)
         || has_any (role->allowed_globs) || has_any (role->disallowed_globs);
}
