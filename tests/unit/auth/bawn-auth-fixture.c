/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/auth/bawn-auth-fixture.h"

GType bawn_backend_memory_get_type (void);

void
auth_set_up (AuthFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnSecret) key = bawn_secret_new_random (BAWN_KEY_SIZE);

  f->backend = (BawnBackend *) g_initable_new (bawn_backend_memory_get_type (), NULL, &error, NULL);
  g_assert_no_error (error);
  f->store = bawn_store_new (f->backend, BAWN_STORE_CACHE_DEFAULT);
  g_assert_true (bawn_store_open_term (f->store, 0, NULL, &error));
  g_assert_no_error (error);
  f->clock = bawn_clock_new_fake (AUTH_START_US);
  f->tokens = bawn_token_store_new (key, f->clock);
}

void
auth_tear_down (AuthFixture *f, gconstpointer data)
{
  bawn_token_store_unref (f->tokens);
  bawn_clock_unref (f->clock);
  g_assert_finalize_object (f->store);
  g_assert_finalize_object (f->backend);
}

BawnTxn *
auth_begin (AuthFixture *f)
{
  return bawn_store_begin (f->store, NULL, TRUE);
}

void
auth_commit (BawnTxn *txn)
{
  assert_works (bawn_txn_commit (txn, &error));
  bawn_txn_unref (txn);
}

static guint
count_below (BawnTxn *txn, const char *prefix)
{
  g_auto (GStrv) names = NULL;
  guint n = 0;

  assert_works (bawn_txn_list (txn, prefix, NULL, BAWN_BACKEND_MAX_LIST, &names, &error));
  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *key = g_strconcat (prefix, *name, NULL);

      n += g_str_has_suffix (key, "/") ? count_below (txn, key) : 1;
    }

  return n;
}

guint
auth_count (AuthFixture *f, const char *prefix)
{
  g_autoptr (BawnTxn) txn = auth_begin (f);

  return count_below (txn, prefix);
}
