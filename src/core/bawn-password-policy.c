/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-password-policy.h"

#include "crypto/bawn-crypto.h"
#include "util/bawn-error.h"
#include "util/bawn-hcl.h"

/* The API's bounds. */
#define LENGTH_MIN 4
#define LENGTH_MAX 100
/* More different characters than any alphabet that somebody would type in; keeps a draw within two
 * random bytes. */
#define CHARSET_MAX 4096

typedef struct
{
  gunichar *characters;
  gsize n;
  gint64 min;
} Rule;

struct _BawnPasswordPolicy
{
  gint64 length;
  GArray *rules;
  GArray *alphabet; /* of gunichar: all rules together, each character once */
};

static void
rule_clear (gpointer data)
{
  Rule *rule = data;

  g_free (rule->characters);
}

void
bawn_password_policy_free (BawnPasswordPolicy *policy)
{
  g_array_unref (policy->rules);
  g_array_unref (policy->alphabet);
  g_free (policy);
}

static gboolean
add_rule (BawnPasswordPolicy *policy, GHashTable *seen, const BawnHclBlock *block, GError **error)
{
  const char *charset = bawn_hcl_node_string (bawn_hcl_get (block->body, "charset"));
  const BawnHclNode *min = bawn_hcl_get (block->body, "min-chars");
  Rule rule = { NULL, 0, 0 };
  glong n = 0;

  if (!g_str_equal (block->label, "charset"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "unrecognized rule type %s", block->label);
  if (charset == NULL || *charset == '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID, "charset must not be empty");
  if (min != NULL && (!bawn_hcl_node_int (min, &rule.min) || rule.min < 0))
    return bawn_fail (error, BAWN_ERROR_INVALID, "min-chars must be a number of at least 0");

  rule.characters = g_utf8_to_ucs4_fast (charset, -1, &n);
  rule.n = (gsize) n;
  for (gsize i = 0; i < rule.n; i++)
    if (g_hash_table_add (seen, GUINT_TO_POINTER (rule.characters[i])))
      g_array_append_val (policy->alphabet, rule.characters[i]);
  g_array_append_val (policy->rules, rule);
  if (rule.n > CHARSET_MAX || policy->alphabet->len > CHARSET_MAX)
    return bawn_fail (error, BAWN_ERROR_LIMITED, "more than %d different characters", CHARSET_MAX);

  return TRUE;
}

static gboolean
add_rules (BawnPasswordPolicy *policy, const BawnHclNode *root, GError **error)
{
  g_autoptr (GArray) blocks = bawn_hcl_find_blocks (root, "rule", error);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  gint64 needed = 0;

  if (blocks == NULL)
    return FALSE;
  for (guint i = 0; i < blocks->len; i++)
    if (!add_rule (policy, seen, &g_array_index (blocks, BawnHclBlock, i), error))
      return FALSE;
  if (policy->alphabet->len == 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "at least one charset rule is needed");

  for (guint i = 0; i < policy->rules->len; i++)
    needed += MIN (g_array_index (policy->rules, Rule, i).min, LENGTH_MAX + 1);
  if (needed > policy->length)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "specified rules require at least %" G_GINT64_FORMAT
                      " characters but %" G_GINT64_FORMAT " is specified",
                      needed, policy->length);

  return TRUE;
}

BawnPasswordPolicy *
bawn_password_policy_parse (const char *text, GError **error)
{
  g_autoptr (BawnHcl) hcl = bawn_hcl_parse (text, strlen (text), error);

  if (hcl == NULL)
    return NULL;

  const BawnHclNode *root = bawn_hcl_root (hcl);
  g_autoptr (BawnPasswordPolicy) policy = g_new0 (BawnPasswordPolicy, 1);
  policy->rules = g_array_new (FALSE, FALSE, sizeof (Rule));
  policy->alphabet = g_array_new (FALSE, FALSE, sizeof (gunichar));
  g_array_set_clear_func (policy->rules, rule_clear);
  if (!bawn_hcl_node_int (bawn_hcl_get (root, "length"), &policy->length)
      || policy->length < LENGTH_MIN || policy->length > LENGTH_MAX)
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "passwords must be between %d and %d characters", LENGTH_MIN,
                           LENGTH_MAX);
  if (!add_rules (policy, root, error))
    return NULL;

  return g_steal_pointer (&policy);
}

/* Unbiased: numbers above the last whole multiple are drawn again. */
static guint
draw (guint n)
{
  guint limit = 65536 / n * n;
  guint16 value = 0;

  do
    bawn_random_bytes (&value, sizeof value);
  while (value >= limit);

  return value % n;
}

char *
bawn_password_policy_generate (const BawnPasswordPolicy *policy)
{
  gunichar password[LENGTH_MAX] = { 0 };
  guint n = 0;

  for (guint i = 0; i < policy->rules->len; i++)
    {
      const Rule *rule = &g_array_index (policy->rules, Rule, i);

      for (gint64 k = 0; k < rule->min; k++)
        password[n++] = rule->characters[draw ((guint) rule->n)];
    }
  while (n < policy->length)
    password[n++] = g_array_index (policy->alphabet, gunichar, draw (policy->alphabet->len));

  for (guint i = n - 1; i > 0; i--)
    {
      guint k = draw (i + 1);
      gunichar c = password[i];

      password[i] = password[k];
      password[k] = c;
    }

  char *text = g_ucs4_to_utf8 (password, (glong) n, NULL, NULL, NULL);
  bawn_wipe (password, sizeof password);
  return text;
}
