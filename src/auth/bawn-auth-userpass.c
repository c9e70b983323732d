/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-token-params.h"
#include "crypto/bawn-crypto.h"
#include "logical/bawn-engine.h"
#include "logical/bawn-string-map.h"
#include "util/bawn-error.h"
#include "util/bawn-net.h"

#include <string.h>

#define USER_PREFIX "user/"
#define USERNAME "username"

#define LEGACY_PARAMS                                                                              \
  (BAWN_TOKEN_PARAM_TTL | BAWN_TOKEN_PARAM_MAX_TTL | BAWN_TOKEN_PARAM_POLICIES                     \
   | BAWN_TOKEN_PARAM_CIDRS)

#define BAWN_TYPE_AUTH_USERPASS (bawn_auth_userpass_get_type ())
G_DECLARE_FINAL_TYPE (BawnAuthUserpass, bawn_auth_userpass, BAWN, AUTH_USERPASS, BawnEngine)

struct _BawnAuthUserpass
{
  BawnEngine parent_instance;
};

G_DEFINE_FINAL_TYPE (BawnAuthUserpass, bawn_auth_userpass, BAWN_TYPE_ENGINE)

/* A user as stored. Immutable once shared, reference-counted. */
typedef struct
{
  char *password; /* bcrypt hash */
  BawnTokenParams params;
} User;

static void
user_clear (gpointer data)
{
  User *user = data;

  bawn_string_wipe_free (user->password);
  bawn_token_params_clear (&user->params);
}

static void
user_unref (gpointer object)
{
  g_atomic_rc_box_release_full (object, user_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (User, user_unref)

static gpointer
user_ref (gpointer object)
{
  return g_atomic_rc_box_acquire (object);
}

static gpointer
user_parse (const char *key, GBytes *plain, GError **error)
{
  g_autoptr (BawnJson) json = bawn_json_parse (plain, NULL, NULL);
  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;
  const char *password = bawn_json_get_string (root, "password", NULL);

  if (password == NULL)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s: not a user", key);

  User *user = g_atomic_rc_box_new0 (User);

  user->password = g_strdup (password);
  bawn_token_params_read (&user->params, bawn_json_get (root, "token"));

  return user;
}

static const BawnObjectKind user_kind = { "user", user_parse, user_ref, user_unref };

static User *
user_copy (const User *user)
{
  User *copy = g_atomic_rc_box_new0 (User);

  if (user == NULL)
    return copy;

  copy->password = g_strdup (user->password);
  copy->params = user->params;
  copy->params.policies = g_strdupv (user->params.policies);
  copy->params.bound_cidrs = g_strdupv (user->params.bound_cidrs);

  return copy;
}

/* Users are the same whatever the case of their names. */
static char *
user_name (BawnRequest *request)
{
  return g_ascii_strdown (bawn_request_param (request, "name"), -1);
}

static gboolean
get_user (BawnTxn *txn, const char *name, User **out_user, GError **error)
{
  g_autofree char *key = g_strconcat (USER_PREFIX, name, NULL);
  gpointer object = NULL;

  if (bawn_backend_key_is_valid (key)
      && !bawn_txn_get_object (txn, key, &user_kind, &object, error))
    return FALSE;

  *out_user = object;
  return TRUE;
}

static void
put_user (BawnTxn *txn, const char *name, const User *user)
{
  g_autofree char *key = g_strconcat (USER_PREFIX, name, NULL);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "password", user->password);
  bawn_json_writer_name (&w, "token");
  bawn_json_writer_begin_object (&w);
  bawn_token_params_write (&user->params, &w);
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);

  bawn_txn_put (txn, key, value);
}

static gboolean
set_password (User *user, BawnRequest *request, GError **error)
{
  g_autoptr (BawnWipedString) password = g_strdup ("");
  g_autoptr (BawnWipedString) hash = NULL;

  if (!bawn_field_string (request, "password", &password, error))
    return FALSE;
  if (*password == '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID, "missing password");

  hash = bawn_password_hash (password, error);
  if (hash == NULL)
    return FALSE;

  bawn_string_wipe_free (user->password);
  user->password = g_steal_pointer (&hash);
  return TRUE;
}

static BawnResponse *
userpass_write_user (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *name = user_name (request);
  g_autoptr (User) before = NULL;
  g_autoptr (User) user = NULL;

  if (!get_user (txn, name, &before, error))
    return NULL;

  user = user_copy (before);
  if (!bawn_token_params_parse (&user->params, request, BAWN_TOKEN_PARAM_ALL, LEGACY_PARAMS, NULL,
                                error))
    return NULL;
  if ((before == NULL || bawn_field_present (request, "password"))
      && !set_password (user, request, error))
    return NULL;

  put_user (txn, name, user);
  return bawn_response_new_empty ();
}

static BawnResponse *
userpass_read_user (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *name = user_name (request);
  g_autoptr (User) user = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!get_user (txn, name, &user, error))
    return NULL;
  if (user == NULL)
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "%s", "");

  bawn_json_writer_begin_object (&w);
  bawn_token_params_show (&user->params, &w, BAWN_TOKEN_PARAM_ALL);
  bawn_json_writer_end_object (&w);
  return bawn_response_new_writer (&w);
}

static BawnResponse *
userpass_delete_user (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *name = user_name (request);
  g_autofree char *key = g_strconcat (USER_PREFIX, name, NULL);

  bawn_txn_delete (txn, key);
  return bawn_response_new_empty ();
}

static BawnResponse *
userpass_list_users (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  guint n = 0;

  do
    {
      g_auto (GStrv) names = NULL;
      const char *after = all->len > 0 ? g_ptr_array_index (all, all->len - 1) : NULL;

      if (!bawn_txn_list (txn, USER_PREFIX, after, BAWN_BACKEND_MAX_LIST, &names, error))
        return NULL;
      n = g_strv_length (names);
      for (guint i = 0; i < n; i++)
        g_ptr_array_add (all, g_steal_pointer (&names[i]));
    }
  while (n == BAWN_BACKEND_MAX_LIST);
  g_ptr_array_add (all, NULL);

  return bawn_response_new_keys ((const char *const *) all->pdata);
}

/* A copy of a user that must be there, to be changed. */
static User *
copy_existing (BawnTxn *txn, const char *name, GError **error)
{
  g_autoptr (User) before = NULL;

  if (!get_user (txn, name, &before, error))
    return NULL;
  if (before == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "username does not exist");

  return user_copy (before);
}

static BawnResponse *
userpass_write_password (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *name = user_name (request);
  g_autoptr (User) user = copy_existing (txn, name, error);

  if (user == NULL || !set_password (user, request, error))
    return NULL;

  put_user (txn, name, user);
  return bawn_response_new_empty ();
}

static BawnResponse *
userpass_write_policies (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *name = user_name (request);
  g_autoptr (User) user = copy_existing (txn, name, error);

  if (user == NULL
      || !bawn_token_params_parse (&user->params, request, BAWN_TOKEN_PARAM_POLICIES,
                                   BAWN_TOKEN_PARAM_POLICIES, NULL, error))
    return NULL;

  put_user (txn, name, user);
  return bawn_response_new_empty ();
}

static gboolean
address_fits (const User *user, const BawnRequest *request)
{
  GStrv cidrs = user->params.bound_cidrs;

  if (cidrs == NULL || cidrs[0] == NULL)
    return TRUE;

  return request->remote_address != NULL
         && bawn_cidrs_match ((const char *const *) cidrs, request->remote_address);
}

/* "userpass-bob" at auth/userpass/, "a-b-bob" at auth/a/b/. */
static char *
make_display_name (const BawnMount *mount, const char *name)
{
  const char *path =
      g_str_has_prefix (mount->path, "auth/") ? mount->path + strlen ("auth/") : mount->path;
  char *display_name = g_strconcat (path, name, NULL);

  for (char *c = display_name; *c != '\0'; c++)
    if (*c == '/')
      *c = '-';

  return display_name;
}

static BawnToken *
make_token (const User *user, const BawnRequest *request, const char *name)
{
  BawnToken *token = bawn_token_new ();

  bawn_token_params_apply (&user->params, request->mount, token);
  token->display_name = make_display_name (request->mount, name);
  token->path = g_strdup (request->path);
  token->meta = bawn_string_map_new ();
  g_hash_table_insert (token->meta, g_strdup (USERNAME), g_strdup (name));

  return token;
}

/* Whether a name is known shows neither in the answer nor in the time it takes. */
static BawnResponse *
userpass_login (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *name = user_name (request);
  g_autoptr (BawnWipedString) password = g_strdup ("");
  g_autoptr (User) user = NULL;
  gboolean right = FALSE;

  if (!bawn_field_string (request, "password", &password, error))
    return NULL;
  if (*password == '\0')
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "missing password");
  if (!get_user (txn, name, &user, error))
    return NULL;

  right = bawn_password_verify (password, user != NULL ? user->password : NULL);
  if (user == NULL || !right)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "invalid username or password");
  if (!address_fits (user, request))
    return bawn_fail_null (error, BAWN_ERROR_DENIED, "permission denied");

  return bawn_response_new_auth (bawn_auth_new (make_token (user, request, name)));
}

static gboolean
userpass_exists (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, gboolean *out_exists, GError **error)
{
  g_autofree char *name = user_name (request);
  g_autoptr (User) user = NULL;

  *out_exists = TRUE;
  if (!g_str_has_prefix (request->rest, "users/"))
    return TRUE;
  if (!get_user (txn, name, &user, error))
    return FALSE;

  *out_exists = user != NULL;
  return TRUE;
}

/* "default" comes and goes by another field, and does not count as a change. */
static gboolean
same_policies (const User *user, const BawnToken *token)
{
  g_autoptr (BawnToken) now = bawn_token_new ();
  gboolean has_default = bawn_token_has_policy (token, "default");
  guint n = token->policies != NULL ? g_strv_length (token->policies) : 0;
  guint same = 0;

  bawn_token_params_apply (&user->params, NULL, now);

  guint m = g_strv_length (now->policies);

  for (guint i = 0; i < m; i++)
    if (!g_str_equal (now->policies[i], "default"))
      {
        if (!bawn_token_has_policy (token, now->policies[i]))
          return FALSE;
        same++;
      }

  return same == n - (has_default ? 1 : 0);
}

static gboolean
userpass_renew_auth (
    BawnEngine *engine, BawnRequest *request, BawnToken *token, BawnTxn *txn, GError **error)
{
  const char *name = token->meta != NULL ? g_hash_table_lookup (token->meta, USERNAME) : NULL;
  g_autoptr (User) user = NULL;

  if (name != NULL && !get_user (txn, name, &user, error))
    return FALSE;
  if (user == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "user no longer exists, not renewing");
  if (!same_policies (user, token))
    return bawn_fail (error, BAWN_ERROR_INVALID, "policies have changed, not renewing");

  bawn_token_params_renew (&user->params, request->mount, token);
  return TRUE;
}

#define LOGIN (BAWN_ROUTE_OPEN | BAWN_ROUTE_LOGIN | BAWN_ROUTE_SLOW)

static const BawnRoute routes[] = {
  { "login/{name}", BAWN_OP_WRITE, userpass_login, LOGIN, "Logs in with name and password." },
  { "users", BAWN_OP_LIST, userpass_list_users, BAWN_ROUTE_NONE, "Lists the users." },
  { "users/{name}", BAWN_OP_WRITE, userpass_write_user, BAWN_ROUTE_SLOW,
    "Makes or changes a user." },
  { "users/{name}", BAWN_OP_READ, userpass_read_user, BAWN_ROUTE_NONE, "Reads a user." },
  { "users/{name}", BAWN_OP_DELETE, userpass_delete_user, BAWN_ROUTE_NONE, "Deletes a user." },
  { "users/{name}/password", BAWN_OP_WRITE, userpass_write_password, BAWN_ROUTE_SLOW,
    "Changes a user's password." },
  { "users/{name}/policies", BAWN_OP_WRITE, userpass_write_policies, BAWN_ROUTE_NONE,
    "Changes a user's policies." },
  { NULL },
};

static void
bawn_auth_userpass_class_init (BawnAuthUserpassClass *klass)
{
  BawnEngineClass *engine_class = BAWN_ENGINE_CLASS (klass);

  engine_class->name = "userpass";
  engine_class->help = "Logging in with a name and a password.";
  engine_class->routes = routes;
  engine_class->exists = userpass_exists;
  engine_class->renew_auth = userpass_renew_auth;
}

static void
bawn_auth_userpass_init (BawnAuthUserpass *self)
{
}
