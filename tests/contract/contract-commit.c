/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-contract.h"
#include "util/bawn-bytes.h"

#define N_LARGE 1000

static gboolean
put_if (BawnBackend *backend,
        const char *key,
        const char *text,
        const BawnCondition *conditions,
        guint n_conditions,
        GError **error)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);
  const BawnWrite write = { BAWN_WRITE_PUT, key, value };

  return bawn_backend_commit (backend, &write, 1, conditions, n_conditions, NULL, NULL, error);
}

static void
test_condition_holds (BawnContract *c)
{
  BawnCondition condition = { "k", 0 };

  assert_works (put_if (c->backend, "k", "one", &condition, 1, &error));
  condition.version = bawn_contract_version (c->backend, "k");
  assert_works (put_if (c->backend, "k", "two", &condition, 1, &error));
  assert_entry (c->backend, "k", "two");
}

static void
test_stale_condition (BawnContract *c)
{
  BawnCondition condition = { "k", 0 };

  bawn_contract_put (c->backend, "k", "one");
  condition.version = bawn_contract_version (c->backend, "k");
  bawn_contract_put (c->backend, "k", "one");

  guint64 version = bawn_contract_version (c->backend, "k");

  assert_fails (put_if (c->backend, "k", "two", &condition, 1, &error), BAWN_ERROR_CONFLICT);
  assert_entry (c->backend, "k", "one");
  g_assert_cmpuint (bawn_contract_version (c->backend, "k"), ==, version);
}

static void
test_must_be_absent (BawnContract *c)
{
  const BawnCondition absent = { "k", 0 };

  bawn_contract_put (c->backend, "k", "");
  assert_fails (put_if (c->backend, "k", "two", &absent, 1, &error), BAWN_ERROR_CONFLICT);
  assert_entry (c->backend, "k", "");
  bawn_contract_delete (c->backend, "k");
  assert_works (put_if (c->backend, "k", "three", &absent, 1, &error));
}

static void
test_must_be_present (BawnContract *c)
{
  BawnCondition condition = { "k", 1 };

  assert_fails (put_if (c->backend, "k", "v", &condition, 1, &error), BAWN_ERROR_CONFLICT);
  bawn_contract_put (c->backend, "k", "v");
  condition.version = bawn_contract_version (c->backend, "k");
  bawn_contract_delete (c->backend, "k");
  assert_fails (put_if (c->backend, "k", "v", &condition, 1, &error), BAWN_ERROR_CONFLICT);
  assert_entry (c->backend, "k", "-");
}

static void
test_foreign_condition (BawnContract *c)
{
  BawnCondition conditions[] = { { "guard", 0 }, { "none", 0 } };

  bawn_contract_put (c->backend, "guard", "v");
  conditions[0].version = bawn_contract_version (c->backend, "guard");
  assert_works (put_if (c->backend, "k", "one", conditions, 2, &error));
  g_assert_cmpuint (bawn_contract_version (c->backend, "guard"), ==, conditions[0].version);
  bawn_contract_put (c->backend, "none", "v");
  assert_fails (put_if (c->backend, "k", "two", conditions, 2, &error), BAWN_ERROR_CONFLICT);
  assert_entry (c->backend, "k", "one");
}

static void
test_conditional_delete (BawnContract *c)
{
  const BawnWrite removal = { BAWN_WRITE_DELETE, "k", NULL };
  BawnCondition condition = { "k", 0 };

  assert_works (bawn_backend_commit (c->backend, &removal, 1, &condition, 1, NULL, NULL, &error));
  bawn_contract_put (c->backend, "k", "v");
  assert_fails (bawn_backend_commit (c->backend, &removal, 1, &condition, 1, NULL, NULL, &error),
                BAWN_ERROR_CONFLICT);
  condition.version = bawn_contract_version (c->backend, "k");
  assert_works (bawn_backend_commit (c->backend, &removal, 1, &condition, 1, NULL, NULL, &error));
  assert_entry (c->backend, "k", "-");
}

static void
test_refused_whole (BawnContract *c)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string ("new");
  const BawnWrite writes[] = { { BAWN_WRITE_PUT, "a", value },
                               { BAWN_WRITE_DELETE, "b", NULL },
                               { BAWN_WRITE_PUT, "c/d", value },
                               { BAWN_WRITE_PUT, "e", value } };

  bawn_contract_put (c->backend, "a", "old");
  bawn_contract_put (c->backend, "b", "old");

  guint64 a = bawn_contract_version (c->backend, "a");
  guint64 b = bawn_contract_version (c->backend, "b");

  for (guint i = 0; i < 3; i++)
    {
      BawnCondition conditions[] = { { "a", a }, { "b", b }, { "e", 0 } };

      conditions[i].version += 1000;
      assert_fails (bawn_backend_commit (c->backend, writes, G_N_ELEMENTS (writes), conditions,
                                         G_N_ELEMENTS (conditions), NULL, NULL, &error),
                    BAWN_ERROR_CONFLICT);
      assert_entry (c->backend, "a", "old");
      assert_entry (c->backend, "b", "old");
      assert_listing (c->backend, "", NULL, 0, "a b");
      g_assert_cmpuint (bawn_contract_version (c->backend, "a"), ==, a);
    }
}

static void
test_twice_in_one (BawnContract *c)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string ("v");
  const BawnWrite writes[] = { { BAWN_WRITE_PUT, "k", value }, { BAWN_WRITE_DELETE, "k", NULL } };
  const BawnCondition conditions[] = { { "l", 0 }, { "l", 0 } };

  assert_fails (bawn_backend_commit (c->backend, writes, 2, NULL, 0, NULL, NULL, &error),
                BAWN_ERROR_INVALID);
  assert_fails (bawn_backend_commit (c->backend, writes, 1, conditions, 2, NULL, NULL, &error),
                BAWN_ERROR_INVALID);
  assert_entry (c->backend, "k", "-");
}

static void
test_large_commit (BawnContract *c)
{
  g_autoptr (GStringChunk) names = g_string_chunk_new (4096);
  g_autoptr (GArray) writes = g_array_new (FALSE, FALSE, sizeof (BawnWrite));
  g_autoptr (GBytes) value = bawn_bytes_new_string ("a value of some forty bytes, as tokens are.");
  BawnBackendLimits limits = { 0 };
  guint64 version = 0;

  bawn_backend_get_limits (c->backend, &limits);

  guint n = MIN (N_LARGE, limits.max_writes);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("batch/%u", i);
      const BawnWrite write = { BAWN_WRITE_PUT, g_string_chunk_insert (names, name), value };

      g_array_append_val (writes, write);
    }
  assert_works (bawn_backend_commit (c->backend, (const BawnWrite *) (gpointer) writes->data, n,
                                     NULL, 0, &version, NULL, &error));
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (bawn_contract_version (c->backend, g_array_index (writes, BawnWrite, i).key),
                      ==, version);
}

static void
test_move (BawnContract *c)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string ("v");
  const BawnWrite writes[] = { { BAWN_WRITE_DELETE, "d/old", NULL },
                               { BAWN_WRITE_PUT, "d/new", value } };

  bawn_contract_put (c->backend, "d/old", "v");
  assert_works (bawn_backend_commit (c->backend, writes, 2, NULL, 0, NULL, NULL, &error));
  assert_listing (c->backend, "d/", NULL, 0, "new");
}

void
bawn_contract_add_commit (const BawnContractTarget *target)
{
  bawn_contract_add (target, "a-condition-that-holds-lets-the-commit-in", test_condition_holds);
  bawn_contract_add (target, "a-commit-with-a-stale-condition-is-refused", test_stale_condition);
  bawn_contract_add (target, "version-zero-means-absent", test_must_be_absent);
  bawn_contract_add (target, "what-is-absent-has-no-version", test_must_be_present);
  bawn_contract_add (target, "a-condition-may-be-on-another-key", test_foreign_condition);
  bawn_contract_add (target, "a-delete-may-be-conditional", test_conditional_delete);
  bawn_contract_add (target, "a-refused-commit-leaves-no-trace", test_refused_whole);
  bawn_contract_add (target, "a-key-stands-in-a-commit-once", test_twice_in_one);
  bawn_contract_add (target, "a-large-commit-gets-in-whole", test_large_commit);
  bawn_contract_add (target, "a-commit-puts-and-deletes", test_move);
}
