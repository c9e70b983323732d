/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-contract.h"
#include "util/bawn-bytes.h"

#include <string.h>

/* BAWN_CONTRACT_STEPS makes the run longer. */
#define STEPS 4000
#define MAX_WRITES 6
#define MAX_CONDITIONS 3

/* What a key looks like to the model, which never forgets one. */
typedef struct
{
  char *value;          /* (nullable): absent */
  guint64 last_version; /* also of its deletion */
} Known;

/* A storage of the simplest kind, and so slow that it is surely right: a table, and listings by
 * looking at each key. */
typedef struct
{
  BawnContract *contract;
  GHashTable *keys;
  guint reopened;
  guint refused;
} Model;

static void
known_free (Known *known)
{
  g_free (known->value);
  g_free (known);
}

static Known *
know (Model *model, const char *key)
{
  Known *known = g_hash_table_lookup (model->keys, key);

  if (known != NULL)
    return known;

  known = g_new0 (Known, 1);
  g_hash_table_insert (model->keys, g_strdup (key), known);
  return known;
}

static guint64
model_version (Model *model, const char *key)
{
  const Known *known = know (model, key);

  return known->value != NULL ? known->last_version : 0;
}

/* Few segments, chosen around '/' in the order of bytes, so that keys meet, nest and neighbour. */
static char *
random_path (guint max_depth)
{
  static const char *const segments[] = { "a", "b", "a!", "a.", "a0", "\xc3\xa4", "ab" };
  GString *path = g_string_new (NULL);
  guint depth = (guint) g_test_rand_int_range (1, (gint32) max_depth + 1);

  for (guint i = 0; i < depth; i++)
    {
      const char *segment = segments[g_test_rand_int_range (0, G_N_ELEMENTS (segments))];

      g_string_append_printf (path, "%s%s", i > 0 ? "/" : "", segment);
    }
  return g_string_free (path, FALSE);
}

static void
step_get (Model *model)
{
  g_autofree char *key = random_path (4);
  const Known *known = know (model, key);

  assert_entry (model->contract->backend, key, known->value != NULL ? known->value : "-");
  g_assert_cmpuint (bawn_contract_version (model->contract->backend, key), ==,
                    model_version (model, key));
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static char *
model_list (Model *model, const char *prefix, const char *after, guint limit)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key = NULL;
  gpointer known = NULL;

  g_hash_table_iter_init (&iter, model->keys);
  while (g_hash_table_iter_next (&iter, &key, &known))
    {
      if (((const Known *) known)->value == NULL || !g_str_has_prefix (key, prefix))
        continue;

      const char *rest = (const char *) key + strlen (prefix);
      gsize size = strcspn (rest, "/");
      char *name = g_strndup (rest, rest[size] == '/' ? size + 1 : size);

      if (g_hash_table_contains (seen, name))
        {
          g_free (name);
          continue;
        }
      g_hash_table_add (seen, name);
      if (after == NULL || strcmp (name, after) > 0)
        g_ptr_array_add (names, name);
    }

  g_ptr_array_sort (names, compare_names);
  if (limit != 0 && names->len > limit)
    g_ptr_array_set_size (names, (gint) limit);
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" ", (GStrv) names->pdata);
}

static void
step_list (Model *model)
{
  g_autofree char *path = random_path (3);
  g_autofree char *prefix =
      g_test_rand_int_range (0, 4) == 0 ? g_strdup ("") : g_strconcat (path, "/", NULL);
  g_autofree char *name = random_path (1);
  g_autofree char *after =
      g_test_rand_bit () ? NULL : g_strconcat (name, g_test_rand_bit () ? "/" : "", NULL);
  guint limit = (guint) g_test_rand_int_range (0, 5);
  g_autofree char *expected = model_list (model, prefix, after, limit);

  assert_listing (model->contract->backend, prefix, after, limit, expected);
}

static void
apply (Model *model, const BawnWrite *writes, guint n_writes, guint64 version)
{
  for (guint i = 0; i < n_writes; i++)
    {
      Known *known = know (model, writes[i].key);

      g_assert_cmpuint (version, >, known->last_version);
      g_clear_pointer (&known->value, g_free);
      known->last_version = version;
      if (writes[i].kind == BAWN_WRITE_PUT)
        known->value = g_strndup (g_bytes_get_data (writes[i].value, NULL),
                                  g_bytes_get_size (writes[i].value));
    }
}

/* Distinct random keys, owned by @set. */
static GPtrArray *
random_keys (GHashTable *set, guint n)
{
  GPtrArray *keys = g_ptr_array_new ();

  for (guint i = 0; i < n; i++)
    {
      char *key = random_path (4);

      if (g_hash_table_contains (set, key))
        {
          g_free (key);
          continue;
        }
      g_hash_table_add (set, key);
      g_ptr_array_add (keys, key);
    }
  return keys;
}

static void
step_commit (Model *model)
{
  g_autoptr (GHashTable) written = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) conditional =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint most = (guint) g_test_rand_int_range (1, MAX_WRITES + 1);
  g_autoptr (GPtrArray) keys = random_keys (written, most);
  g_autoptr (GPtrArray) guards =
      random_keys (conditional, (guint) g_test_rand_int_range (0, MAX_CONDITIONS + 1));
  BawnWrite writes[MAX_WRITES] = { { BAWN_WRITE_PUT, NULL, NULL } };
  BawnCondition conditions[MAX_CONDITIONS] = { { NULL, 0 } };
  gboolean holds = TRUE;
  guint64 version = 0;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < keys->len; i++)
    {
      g_autofree char *text = g_strdup_printf ("%08x", (guint) g_test_rand_int ());
      gboolean put = g_test_rand_int_range (0, 3) > 0;

      writes[i] = (BawnWrite){ put ? BAWN_WRITE_PUT : BAWN_WRITE_DELETE, keys->pdata[i],
                               put ? bawn_bytes_new_string (text) : NULL };
    }
  for (guint i = 0; i < guards->len; i++)
    {
      guint64 current = model_version (model, guards->pdata[i]);
      gboolean wrong = g_test_rand_int_range (0, 6) == 0;

      conditions[i] = (BawnCondition){ guards->pdata[i], wrong ? current + 1 : current };
      holds = holds && !wrong;
    }

  gboolean ok = bawn_backend_commit (model->contract->backend, writes, keys->len, conditions,
                                     guards->len, &version, NULL, &error);

  if (holds)
    g_assert_no_error (error);
  else
    g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CONFLICT);
  if (ok)
    apply (model, writes, keys->len, version);
  model->refused += ok ? 0 : 1;
  for (guint i = 0; i < keys->len; i++)
    g_clear_pointer (&writes[i].value, g_bytes_unref);
}

static void
test_model (BawnContract *c)
{
  Model model = { .contract = c };
  guint steps = bawn_contract_scale ("BAWN_CONTRACT_STEPS", STEPS);

  model.keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) known_free);
  for (guint i = 0; i < steps; i++)
    {
      gint32 dice = g_test_rand_int_range (0, 200);

      if (dice == 0)
        model.reopened += bawn_contract_reopen (c) ? 1 : 0;
      else if (dice < 60)
        step_commit (&model);
      else if (dice < 120)
        step_get (&model);
      else
        step_list (&model);
    }

  g_assert_cmpuint (model.refused, >, 0);
  g_test_message ("%u steps, %u refused commits, opened anew %u times", steps, model.refused,
                  model.reopened);
  g_hash_table_unref (model.keys);
}

void
bawn_contract_add_model (const BawnContractTarget *target)
{
  bawn_contract_add (target, "a-long-random-run-agrees-with-a-model", test_model);
}
