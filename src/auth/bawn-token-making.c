/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-token-making.h"

#include "auth/bawn-policy.h"

/* As lists are shown in the API's texts: ["a" "b"]. */
static char *
quote_names (const char *const *names)
{
  GString *text = g_string_new ("[");

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    g_string_append_printf (text, "%s\"%s\"", i > 0 ? " " : "", names[i]);
  g_string_append_c (text, ']');

  return g_string_free (text, FALSE);
}

gboolean
bawn_token_making_has_any (GStrv names)
{
  return names != NULL && names[0] != NULL;
}

static gboolean
refuse_beyond_role (GStrv names, GStrv allowed, GStrv globs, GError **error)
{
  g_autofree char *asked = quote_names ((const char *const *) names);
  g_autofree char *exact = quote_names ((const char *const *) allowed);
  g_autofree char *wide = quote_names ((const char *const *) globs);

  return bawn_fail (
      error, BAWN_ERROR_INVALID,
      "token policies (%s) must be subset of the role's allowed policies (%s) or glob "
      "policies (%s)",
      asked, exact, wide);
}

/* What a role allows may be more than its caller has. */
static gboolean
policies_by_role (BawnTokenMaking *making, GStrv *out_policies, GError **error)
{
  const BawnTokenRole *role = making->role;
  gboolean add_default = !making->no_default_policy && !role->params.no_default_policy
                         && !bawn_token_role_names (role->disallowed_policies,
                                                    role->disallowed_globs, BAWN_POLICY_DEFAULT);
  gboolean limited = bawn_token_making_has_any (role->allowed_policies)
                     || bawn_token_making_has_any (role->allowed_globs);
  g_auto (GStrv) allowed =
      bawn_policy_names_clean ((const char *const *) role->allowed_policies, add_default);
  g_auto (GStrv) names = NULL;

  if (bawn_token_making_has_any (making->policies))
    names = bawn_policy_names_clean ((const char *const *) making->policies, add_default);
  else if (limited)
    names = g_strdupv (allowed);
  else
    names = bawn_policy_names_clean ((const char *const *) making->parent->policies, add_default);

  for (char **name = names; *name != NULL; name++)
    {
      if (limited && !bawn_token_role_names (allowed, role->allowed_globs, *name))
        return refuse_beyond_role (names, allowed, role->allowed_globs, error);
      if (bawn_token_role_names (role->disallowed_policies, role->disallowed_globs, *name))
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          "token policy \"%s\" is disallowed by this role", *name);
    }

  *out_policies = g_steal_pointer (&names);
  return TRUE;
}

static gboolean
policies_by_caller (BawnTokenMaking *making, GStrv *out_policies, GError **error)
{
  const BawnToken *parent = making->parent;
  gboolean sudo = making->request->caller_sudo;
  gboolean add_default = !making->no_default_policy;
  g_auto (GStrv) asked = NULL;

  /* Nothing asked for is all that the parent has. */
  if (!bawn_token_making_has_any (making->policies))
    {
      *out_policies = bawn_policy_names_clean ((const char *const *) parent->policies, FALSE);
      return TRUE;
    }

  asked = bawn_policy_names_clean ((const char *const *) making->policies, FALSE);
  for (char **name = asked; !sudo && *name != NULL; name++)
    if (!bawn_token_has_policy (parent, *name))
      return bawn_fail (error, BAWN_ERROR_INVALID, "child policies must be subset of parent");
  if (!sudo)
    add_default = add_default && bawn_token_has_policy (parent, BAWN_POLICY_DEFAULT);

  *out_policies = bawn_policy_names_clean ((const char *const *) asked, add_default);
  return TRUE;
}

static void
drop_name (GStrv names, const char *drop)
{
  guint kept = 0;

  for (guint i = 0; names[i] != NULL; i++)
    {
      char *name = names[i];

      if (g_str_equal (name, drop))
        g_free (name);
      else
        names[kept++] = name;
    }
  names[kept] = NULL;
}

/* The last word on policies: nothing may change them after this. */
static gboolean
check_policies (const BawnTokenMaking *making, GError **error)
{
  static const char *const reserved[] = { BAWN_POLICY_RESPONSE_WRAPPING, "control-group" };
  const BawnToken *token = making->token;

  for (guint i = 0; i < G_N_ELEMENTS (reserved); i++)
    if (bawn_token_has_policy (token, reserved[i]))
      return bawn_fail (error, BAWN_ERROR_INVALID, "cannot assign policy \"%s\"", reserved[i]);
  if (!bawn_token_is_root (token))
    return TRUE;
  if (!bawn_token_is_root (making->parent))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "root tokens may not be created without parent token being root");
  if (token->type == BAWN_TOKEN_BATCH)
    return bawn_fail (error, BAWN_ERROR_INVALID, "batch tokens cannot be root tokens");

  return TRUE;
}

gboolean
bawn_token_making_set_policies (BawnTokenMaking *making, GError **error)
{
  gboolean by_role = making->role != NULL && bawn_token_role_restricts (making->role);

  if (by_role ? !policies_by_role (making, &making->token->policies, error)
              : !policies_by_caller (making, &making->token->policies, error))
    return FALSE;

  gboolean without_default =
      making->no_default_policy || (making->role != NULL && making->role->params.no_default_policy);

  if (without_default)
    drop_name (making->token->policies, BAWN_POLICY_DEFAULT);
  making->token->no_default_policy = without_default;

  return check_policies (making, error);
}
