/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-policy-private.h"
#include "util/bawn-error.h"

#include <string.h>

static void
rule_free (gpointer data)
{
  BawnPolicyRule *rule = data;

  g_free (rule->path);
  bawn_permissions_clear (&rule->permissions);
  g_free (rule);
}

static BawnPolicy *
policy_alloc (const char *name, const char *text)
{
  BawnPolicy *policy = g_new0 (BawnPolicy, 1);

  g_atomic_ref_count_init (&policy->refs);
  policy->name = g_strdup (name);
  policy->text = g_strdup (text);
  policy->rules = g_ptr_array_new_with_free_func (rule_free);
  policy->documents = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_json_unref);

  return policy;
}

/**
 * bawn_policy_parse:
 * @name: what it is called
 * @text: HCL or JSON
 * @error: INVALID, saying what is wrong where
 *
 * Returns: (transfer full) (nullable): the policy
 */
BawnPolicy *
bawn_policy_parse (const char *name, const char *text, GError **error)
{
  g_autoptr (BawnPolicy) policy = policy_alloc (name, text);
  g_autoptr (GError) local = NULL;

  if (!bawn_policy_parse_rules (policy, &local))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "failed to parse policy: %s", local->message);

  return g_steal_pointer (&policy);
}

/**
 * bawn_policy_ref:
 * @policy: a policy
 *
 * Returns: (transfer full): @policy
 */
BawnPolicy *
bawn_policy_ref (BawnPolicy *policy)
{
  g_atomic_ref_count_inc (&policy->refs);
  return policy;
}

/**
 * bawn_policy_unref:
 * @policy: (transfer full): a policy
 */
void
bawn_policy_unref (BawnPolicy *policy)
{
  if (!g_atomic_ref_count_dec (&policy->refs))
    return;

  g_free (policy->name);
  g_free (policy->text);
  g_ptr_array_unref (policy->rules);
  g_ptr_array_unref (policy->documents);
  g_free (policy);
}

/**
 * bawn_policy_get_name:
 * @policy: a policy
 *
 * Returns: its name
 */
const char *
bawn_policy_get_name (const BawnPolicy *policy)
{
  return policy->name;
}

/**
 * bawn_policy_get_text:
 * @policy: a policy
 *
 * Returns: what it was parsed from, byte for byte
 */
const char *
bawn_policy_get_text (const BawnPolicy *policy)
{
  return policy->text;
}

static gpointer
stored_parse (const char *key, GBytes *plain, GError **error)
{
  gsize size = 0;
  const char *data = g_bytes_get_data (plain, &size);
  const char *name =
      g_str_has_prefix (key, BAWN_POLICY_PREFIX) ? key + strlen (BAWN_POLICY_PREFIX) : key;
  g_autofree char *text = g_strndup (data, size);
  g_autoptr (GError) local = NULL;
  BawnPolicy *policy = bawn_policy_parse (name, text, &local);

  if (policy == NULL)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s: %s", key, local->message);

  return policy;
}

static gpointer
stored_ref (gpointer object)
{
  return bawn_policy_ref (object);
}

static void
stored_unref (gpointer object)
{
  bawn_policy_unref (object);
}

static const BawnObjectKind policy_kind = { "policy", stored_parse, stored_ref, stored_unref };

static BawnPolicy *
ref_root (void)
{
  static gsize once;
  static BawnPolicy *root;

  if (g_once_init_enter (&once))
    {
      root = policy_alloc (BAWN_POLICY_ROOT, "");
      g_once_init_leave (&once, 1);
    }

  return bawn_policy_ref (root);
}

static char *
policy_key (const char *name)
{
  g_autofree char *key = g_strconcat (BAWN_POLICY_PREFIX, name, NULL);

  return bawn_backend_key_is_valid (key) ? g_steal_pointer (&key) : NULL;
}

/**
 * bawn_policy_get:
 * @txn: an unscoped transaction
 * @name: any text, in lower case
 * @out_policy: (out) (nullable): the policy, shared; %NULL if there is none of that name
 * @error: why it could not be read
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_policy_get (BawnTxn *txn, const char *name, BawnPolicy **out_policy, GError **error)
{
  g_autofree char *key = policy_key (name);
  gpointer object = NULL;

  if (g_str_equal (name, BAWN_POLICY_ROOT))
    object = ref_root ();
  else if (key != NULL && !bawn_txn_get_object (txn, key, &policy_kind, &object, error))
    return FALSE;

  *out_policy = object;
  return TRUE;
}

/**
 * bawn_policy_put:
 * @txn: an unscoped transaction
 * @name: in lower case
 * @text: HCL or JSON
 * @error: INVALID if @name cannot be one or @text is none
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_policy_put (BawnTxn *txn, const char *name, const char *text, GError **error)
{
  g_autofree char *key = policy_key (name);
  g_autoptr (BawnPolicy) policy = NULL;

  if (g_str_equal (name, BAWN_POLICY_ROOT))
    return bawn_fail (error, BAWN_ERROR_INVALID, "cannot update \"root\" policy");
  if (key == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "invalid policy name");
  policy = bawn_policy_parse (name, text, error);
  if (policy == NULL)
    return FALSE;

  g_autoptr (GBytes) value = bawn_bytes_new_string (text);

  bawn_txn_put (txn, key, value);
  return TRUE;
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * bawn_policy_names_clean:
 * @names: (nullable): names as a caller wrote them
 * @add_default: whether "default" is to be among them
 *
 * In lower case, without blanks around them, sorted, each once; "root" swallows all others.
 *
 * Returns: (transfer full): the names
 */
GStrv
bawn_policy_names_clean (const char *const *names, gboolean add_default)
{
  static const char *const root[] = { BAWN_POLICY_ROOT, NULL };
  g_autoptr (GPtrArray) clean = g_ptr_array_new_with_free_func (g_free);

  for (; names != NULL && *names != NULL; names++)
    {
      g_autofree char *name = g_strstrip (g_utf8_strdown (*names, -1));

      if (g_str_equal (name, BAWN_POLICY_ROOT))
        return g_strdupv ((char **) root);
      if (*name != '\0' && !g_ptr_array_find_with_equal_func (clean, name, g_str_equal, NULL))
        g_ptr_array_add (clean, g_steal_pointer (&name));
    }
  if (add_default
      && !g_ptr_array_find_with_equal_func (clean, BAWN_POLICY_DEFAULT, g_str_equal, NULL))
    g_ptr_array_add (clean, g_strdup (BAWN_POLICY_DEFAULT));
  g_ptr_array_sort (clean, compare_strings);
  g_ptr_array_add (clean, NULL);

  return (GStrv) g_ptr_array_steal (clean, NULL);
}
