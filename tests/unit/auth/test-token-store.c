/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-string-map.h"
#include "tests/unit/auth/bawn-auth-fixture.h"

#include <string.h>

/* More than any number of steps that a test's leftovers take. */
#define MANY_STEPS 1000

typedef struct
{
  char *id;
  BawnToken *token;
} Made;

static void
made_clear (Made *made)
{
  bawn_string_wipe_free (made->id);
  bawn_token_unref (made->token);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Made, made_clear)

static Made
make (AuthFixture *f, const Made *parent, gint64 ttl_s, const char *want_id)
{
  Made made = { NULL, bawn_token_new () };
  BawnTxn *txn = auth_begin (f);

  made.token->parent = parent != NULL ? g_strdup (parent->token->hash) : NULL;
  made.token->policies = g_strsplit ("a b", " ", -1);
  made.token->ttl_us = AUTH_S (ttl_s);
  assert_works (bawn_token_store_create (f->tokens, txn, made.token, want_id, "auth/token/create",
                                         &made.id, &error));
  auth_commit (txn);

  return made;
}

static Made
make_batch (AuthFixture *f, const Made *parent, gint64 ttl_s)
{
  Made made = { NULL, bawn_token_new () };
  g_autoptr (BawnTxn) txn = auth_begin (f);

  made.token->type = BAWN_TOKEN_BATCH;
  made.token->parent = parent != NULL ? g_strdup (parent->token->hash) : NULL;
  made.token->policies = g_strsplit ("a b", " ", -1);
  made.token->ttl_us = AUTH_S (ttl_s);
  assert_works (bawn_token_store_create (f->tokens, txn, made.token, NULL, "auth/token/create",
                                         &made.id, &error));
  g_assert_false (bawn_txn_has_writes (txn));

  return made;
}

static BawnToken *
look_up (AuthFixture *f, const char *id)
{
  g_autoptr (BawnTxn) txn = auth_begin (f);
  BawnToken *token = NULL;

  assert_works (bawn_token_store_lookup (f->tokens, txn, id, &token, &error));
  return token;
}

static gboolean
is_good (AuthFixture *f, const Made *made)
{
  g_autoptr (BawnToken) token = look_up (f, made->id);

  return token != NULL;
}

static void
revoke_one (AuthFixture *f, const Made *made)
{
  BawnTxn *txn = auth_begin (f);

  assert_works (bawn_token_store_revoke (f->tokens, txn, made->token->hash, &error));
  auth_commit (txn);
}

static void
revoke_orphan (AuthFixture *f, const Made *made)
{
  BawnTxn *txn = auth_begin (f);

  assert_works (bawn_token_store_revoke_orphan (f->tokens, txn, made->token->hash, &error));
  auth_commit (txn);
}

/* How many steps it took. */
static guint
sweep_all (AuthFixture *f)
{
  gboolean more = TRUE;
  guint n = 0;

  for (; more && n < MANY_STEPS; n++)
    {
      BawnTxn *txn = auth_begin (f);

      assert_works (bawn_token_store_sweep (f->tokens, txn, &more, &error));
      auth_commit (txn);
    }
  g_assert_false (more);

  return n;
}

static gboolean
use (AuthFixture *f, const Made *made)
{
  g_autoptr (BawnToken) token = NULL;
  gboolean last = FALSE;
  BawnTxn *txn = auth_begin (f);

  assert_works (bawn_token_store_lookup (f->tokens, txn, made->id, &token, &error));
  g_assert_nonnull (token);
  assert_works (bawn_token_store_use (f->tokens, txn, token, &last, &error));
  auth_commit (txn);

  return last;
}

static void
put_text (BawnTxn *txn, const char *key, const char *text)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);

  bawn_txn_put (txn, key, value);
}

static void
give_lease (AuthFixture *f, const Made *made, const char *id)
{
  g_autoptr (BawnLease) lease = bawn_lease_new ();
  BawnTxn *txn = auth_begin (f);

  lease->id = g_strdup (id);
  lease->token = g_strdup (made->token->hash);
  lease->expire_us = AUTH_START_US + AUTH_S (100000);
  assert_works (bawn_lease_put (txn, lease, &error));
  auth_commit (txn);
}

static void
test_a_token_comes_back_as_it_was_made (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnToken) found = NULL;
  g_autoptr (BawnWipedString) id = NULL;
  BawnTxn *txn = auth_begin (f);

  token->display_name = g_strdup ("token-x");
  token->role = g_strdup ("r");
  token->entity_id = g_strdup ("e");
  token->policies = g_strsplit ("a default", " ", -1);
  token->meta = bawn_string_map_new ();
  g_hash_table_insert (token->meta, g_strdup ("k"), g_strdup ("v\"\n"));
  token->internal = bawn_string_map_new ();
  g_hash_table_insert (token->internal, g_strdup ("i"), g_strdup ("j"));
  token->bound_cidrs = g_strsplit ("10.0.0.0/8", " ", -1);
  token->ttl_us = AUTH_S (60);
  token->explicit_max_ttl_us = AUTH_S (600);
  token->period_us = AUTH_S (61);
  token->max_ttl_us = AUTH_S (62);
  token->num_uses = 5;
  token->renewable = TRUE;
  token->no_default_policy = TRUE;
  assert_works (bawn_token_store_create (f->tokens, txn, token, NULL, "auth/x/login", &id, &error));
  auth_commit (txn);

  g_assert_true (g_str_has_prefix (id, "hvs."));
  g_assert_cmpuint (strlen (id), ==, strlen ("hvs.") + 24);
  found = look_up (f, id);
  g_assert_cmpstr (found->hash, ==, token->hash);
  g_assert_cmpuint (strlen (found->accessor), ==, 24);
  g_assert_null (found->parent);
  g_assert_cmpint (found->type, ==, BAWN_TOKEN_SERVICE);
  g_assert_cmpstr (found->display_name, ==, "token-x");
  g_assert_cmpstr (found->path, ==, "auth/x/login");
  g_assert_cmpstr (found->role, ==, "r");
  g_assert_cmpstr (found->entity_id, ==, "e");
  g_assert_cmpuint (strlen (found->cubbyhole), ==, 36);
  g_assert_cmpstr (found->policies[1], ==, "default");
  g_assert_cmpstr (g_hash_table_lookup (found->meta, "k"), ==, "v\"\n");
  g_assert_cmpstr (g_hash_table_lookup (found->internal, "i"), ==, "j");
  g_assert_cmpstr (found->bound_cidrs[0], ==, "10.0.0.0/8");
  g_assert_cmpint (found->creation_us, ==, AUTH_START_US);
  g_assert_cmpint (found->creation_ttl_us, ==, AUTH_S (60));
  g_assert_cmpint (found->ttl_us, ==, AUTH_S (60));
  g_assert_cmpint (found->expire_us, ==, AUTH_START_US + AUTH_S (60));
  g_assert_cmpint (found->explicit_max_ttl_us, ==, AUTH_S (600));
  g_assert_cmpint (found->period_us, ==, AUTH_S (61));
  g_assert_cmpint (found->max_ttl_us, ==, AUTH_S (62));
  g_assert_cmpint (found->num_uses, ==, 5);
  g_assert_true (found->renewable);
  g_assert_true (found->no_default_policy);
}

static void
test_no_id_is_stored (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) made = make (f, NULL, 60, NULL);
  g_autoptr (BawnTxn) txn = auth_begin (f);
  g_autofree char *key = g_strconcat ("sys/token/id/", made.token->hash, NULL);
  g_autoptr (GBytes) value = NULL;

  assert_works (bawn_txn_get (txn, key, &value, &error));
  g_assert_null (g_strstr_len (g_bytes_get_data (value, NULL), (gssize) g_bytes_get_size (value),
                               made.id + strlen ("hvs.")));
}

static void
test_what_was_never_made_is_absent (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) made = make (f, NULL, 60, NULL);
  g_autofree char *longer = g_strconcat (made.id, "x", NULL);
  g_autofree char *huge = g_strnfill (100000, 'h');
  const char *const ids[] = { "", "x", "hvs.", "hvb.", "hvb.!", "hvb.AAAA", longer, huge, "../x" };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    g_assert_null (look_up (f, ids[i]));
}

static void
test_a_hash_is_no_token (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) made = make (f, NULL, 60, NULL);

  g_assert_null (look_up (f, made.token->hash));
  g_assert_null (look_up (f, made.token->accessor));
}

static void
test_another_key_knows_no_token (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) made = make (f, NULL, 60, NULL);
  g_auto (Made) batch = make_batch (f, NULL, 60);
  g_autoptr (BawnSecret) key = bawn_secret_new_random (BAWN_KEY_SIZE);
  g_autoptr (BawnTokenStore) other = bawn_token_store_new (key, f->clock);
  g_autoptr (BawnTxn) txn = auth_begin (f);
  const char *const ids[] = { made.id, batch.id };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autoptr (BawnToken) token = NULL;

      assert_works (bawn_token_store_lookup (other, txn, ids[i], &token, &error));
      g_assert_null (token);
    }
}

static void
test_a_token_ends_on_time (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) made = make (f, NULL, 60, NULL);
  g_auto (Made) forever = make (f, NULL, 0, NULL);

  bawn_clock_advance (f->clock, AUTH_S (60) - 1);
  g_assert_true (is_good (f, &made));
  bawn_clock_advance (f->clock, 1);
  g_assert_false (is_good (f, &made));
  bawn_clock_advance (f->clock, AUTH_S (1000000000));
  g_assert_true (is_good (f, &forever));
}

static void
test_a_token_has_a_lease_if_it_ends (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) forever = make (f, NULL, 0, NULL);
  g_auto (Made) made = make (f, NULL, 60, NULL);
  g_autofree char *id = g_strconcat ("auth/token/create/", made.token->hash, NULL);
  g_autoptr (BawnTxn) txn = auth_begin (f);
  g_autoptr (BawnLease) lease = NULL;

  g_assert_cmpuint (auth_count (f, "sys/lease/id/"), ==, 1);
  assert_works (bawn_lease_get (txn, id, &lease, &error));
  g_assert_true (lease->is_auth);
  g_assert_cmpstr (lease->token, ==, made.token->hash);
  g_assert_cmpint (lease->expire_us, ==, AUTH_START_US + AUTH_S (60));
}

static void
test_a_path_too_long_for_a_key_still_gives_a_token (AuthFixture *f, gconstpointer data)
{
  g_autofree char *path = g_strnfill (990, 'p');
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnWipedString) id = NULL;
  BawnTxn *txn = auth_begin (f);

  token->ttl_us = AUTH_S (60);
  assert_works (bawn_token_store_create (f->tokens, txn, token, NULL, path, &id, &error));
  auth_commit (txn);
  g_assert_cmpuint (auth_count (f, "sys/lease/id/auth/token/create/"), ==, 1);

  txn = auth_begin (f);
  assert_works (bawn_token_store_revoke (f->tokens, txn, token->hash, &error));
  auth_commit (txn);
  g_assert_cmpuint (auth_count (f, "sys/lease/"), ==, 0);
}

static void
test_an_accessor_finds_its_token (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) one = make (f, NULL, 60, NULL);
  g_auto (Made) two = make (f, NULL, 60, NULL);
  g_autoptr (BawnTxn) txn = auth_begin (f);
  g_autoptr (BawnToken) found = NULL;
  g_autoptr (BawnToken) none = NULL;
  g_auto (GStrv) all = NULL;

  assert_works (
      bawn_token_store_lookup_accessor (f->tokens, txn, two.token->accessor, &found, &error));
  g_assert_cmpstr (found->hash, ==, two.token->hash);
  assert_works (bawn_token_store_lookup_accessor (f->tokens, txn, two.id, &none, &error));
  g_assert_null (none);
  assert_works (bawn_token_store_list_accessors (f->tokens, txn, &all, &error));
  g_assert_cmpuint (g_strv_length (all), ==, 2);
  g_assert_true (g_strv_contains ((const char *const *) all, one.token->accessor));
  g_assert_true (g_strv_contains ((const char *const *) all, two.token->accessor));
}

static void
test_a_tree_dies_in_one_commit (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) root = make (f, NULL, 0, NULL);
  g_auto (Made) middle = make (f, &root, 600, NULL);
  g_auto (Made) leaf = make (f, &middle, 600, NULL);
  g_auto (Made) batch = make_batch (f, &leaf, 600);
  g_auto (Made) other = make (f, &root, 600, NULL);

  revoke_one (f, &middle);

  g_assert_true (is_good (f, &root));
  g_assert_true (is_good (f, &other));
  g_assert_false (is_good (f, &middle));
  g_assert_false (is_good (f, &leaf));
  g_assert_false (is_good (f, &batch));
}

static void
test_a_dead_trees_accessors_find_nothing (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) root = make (f, NULL, 0, NULL);
  g_auto (Made) leaf = make (f, &root, 600, NULL);
  g_autoptr (BawnToken) found = NULL;
  g_autoptr (BawnTxn) txn = NULL;

  revoke_one (f, &root);
  txn = auth_begin (f);
  assert_works (
      bawn_token_store_lookup_accessor (f->tokens, txn, leaf.token->accessor, &found, &error));
  g_assert_null (found);
}

static void
test_the_end_of_a_parent_is_the_end_of_its_children (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) root = make (f, NULL, 60, NULL);
  g_auto (Made) leaf = make (f, &root, 600, NULL);

  bawn_clock_advance (f->clock, AUTH_S (60));
  g_assert_false (is_good (f, &leaf));
}

static void
test_sweeping_leaves_nothing_of_a_tree (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) root = make (f, NULL, 600, NULL);
  guint steps = 0;

  for (guint i = 0; i < 30; i++)
    {
      g_auto (Made) child = make (f, &root, 600, NULL);
      g_auto (Made) grandchild = make (f, &child, 600, NULL);
    }
  revoke_one (f, &root);
  steps = sweep_all (f);

  g_assert_cmpuint (auth_count (f, "sys/token/"), ==, 0);
  g_assert_cmpuint (auth_count (f, "sys/lease/"), ==, 0);
  /* Bounded: 30 children do not fit into one step. */
  g_assert_cmpuint (steps, >, 60);
}

static void
test_a_step_of_sweeping_is_bounded (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) root = make (f, NULL, 600, NULL);
  BawnTxn *txn = NULL;
  gboolean more = FALSE;
  guint before = 0;

  txn = auth_begin (f);
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *key =
          g_strdup_printf ("cubbyhole/%s/d%u/e/%u", root.token->cubbyhole, i % 7, i);
      put_text (txn, key, "x");
    }
  auth_commit (txn);
  revoke_one (f, &root);

  do
    {
      before = auth_count (f, "");
      txn = auth_begin (f);
      assert_works (bawn_token_store_sweep (f->tokens, txn, &more, &error));
      auth_commit (txn);
      g_assert_cmpuint (before - auth_count (f, ""), <=, 48);
    }
  while (more);

  g_assert_cmpuint (auth_count (f, "cubbyhole/"), ==, 0);
  g_assert_cmpuint (auth_count (f, "sys/"), ==, 0);
}

static void
test_only_its_own_cubbyhole_is_swept (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) one = make (f, NULL, 600, NULL);
  g_auto (Made) two = make (f, NULL, 600, NULL);
  g_autofree char *mine = g_strconcat ("cubbyhole/", one.token->cubbyhole, "/a", NULL);
  g_autofree char *folder = g_strconcat ("cubbyhole/", one.token->cubbyhole, "/a/b", NULL);
  g_autofree char *theirs = g_strconcat ("cubbyhole/", two.token->cubbyhole, "/a", NULL);
  BawnTxn *txn = auth_begin (f);

  put_text (txn, mine, "x");
  put_text (txn, folder, "x");
  put_text (txn, theirs, "x");
  auth_commit (txn);
  revoke_one (f, &one);
  sweep_all (f);

  g_assert_cmpuint (auth_count (f, "cubbyhole/"), ==, 1);
}

static void
test_leases_of_a_dead_token_are_due (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) made = make (f, NULL, 600, NULL);
  g_auto (Made) other = make (f, NULL, 0, NULL);
  g_auto (GStrv) due = NULL;
  g_autoptr (BawnTxn) txn = NULL;

  for (guint i = 0; i < 30; i++)
    {
      g_autofree char *id = g_strdup_printf ("db/creds/r/%u", i);
      give_lease (f, &made, id);
    }
  give_lease (f, &other, "db/creds/r/other");
  revoke_one (f, &made);
  sweep_all (f);

  txn = auth_begin (f);
  assert_works (bawn_lease_due (txn, bawn_clock_real_us (f->clock), 100, &due, NULL, &error));
  g_assert_cmpuint (g_strv_length (due), ==, 30);
  g_assert_cmpuint (auth_count (f, "sys/lease/id/db/"), ==, 31);
  g_assert_cmpuint (auth_count (f, "sys/token/sweep/"), ==, 0);
}

static void
test_children_of_an_orphan_maker_live_on (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) root = make (f, NULL, 0, NULL);
  g_auto (Made) middle = make (f, &root, 600, NULL);
  g_auto (Made) leaf = make (f, &middle, 600, NULL);
  g_auto (Made) below = make (f, &leaf, 600, NULL);
  g_autoptr (BawnToken) at_once = NULL;
  g_autoptr (BawnToken) swept = NULL;

  revoke_orphan (f, &middle);
  g_assert_false (is_good (f, &middle));
  g_assert_true (is_good (f, &below));
  at_once = look_up (f, leaf.id);
  g_assert_nonnull (at_once);
  g_assert_null (at_once->parent);

  sweep_all (f);
  swept = look_up (f, leaf.id);
  g_assert_nonnull (swept);
  g_assert_null (swept->parent);
  g_assert_true (is_good (f, &below));
  g_assert_cmpuint (auth_count (f, "sys/token/id/"), ==, 3);

  revoke_one (f, &root);
  g_assert_true (is_good (f, &leaf));
}

static void
test_an_orphan_keeps_its_change_through_sweeping (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) root = make (f, NULL, 0, NULL);
  g_auto (Made) leaf = make (f, &root, 600, NULL);
  g_autoptr (BawnToken) found = NULL;
  g_autoptr (BawnToken) renewed = NULL;
  g_autoptr (BawnToken) changed = NULL;
  BawnTxn *txn = NULL;

  revoke_orphan (f, &root);
  found = look_up (f, leaf.id);
  renewed = bawn_token_copy (found);
  renewed->ttl_us = AUTH_S (900);
  renewed->expire_us = AUTH_START_US + AUTH_S (900);
  txn = auth_begin (f);
  assert_works (bawn_token_store_update (f->tokens, txn, renewed, &error));
  auth_commit (txn);
  sweep_all (f);

  changed = look_up (f, leaf.id);
  g_assert_nonnull (changed);
  g_assert_cmpint (changed->ttl_us, ==, AUTH_S (900));
  revoke_one (f, &leaf);
  sweep_all (f);
  g_assert_cmpuint (auth_count (f, "sys/"), ==, 0);
}

static void
test_revoking_twice_is_no_error (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) made = make (f, NULL, 60, NULL);

  revoke_one (f, &made);
  revoke_one (f, &made);
  revoke_orphan (f, &made);
  sweep_all (f);
  revoke_one (f, &made);

  g_assert_cmpuint (auth_count (f, "sys/"), ==, 0);
}

static void
test_an_ended_token_can_be_revoked (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) made = make (f, NULL, 60, NULL);

  bawn_clock_advance (f->clock, AUTH_S (61));
  revoke_one (f, &made);
  sweep_all (f);

  g_assert_cmpuint (auth_count (f, "sys/"), ==, 0);
}

static void
test_uses_are_counted_down_to_the_last (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnToken) token = bawn_token_new ();
  Made made = { NULL, token };
  g_autoptr (BawnWipedString) id = NULL;
  BawnTxn *txn = auth_begin (f);

  token->num_uses = 3;
  token->ttl_us = AUTH_S (60);
  assert_works (bawn_token_store_create (f->tokens, txn, token, NULL, "p", &id, &error));
  auth_commit (txn);
  made.id = id;

  g_assert_false (use (f, &made));
  g_assert_false (use (f, &made));
  g_assert_true (use (f, &made));
  g_assert_false (is_good (f, &made));
  revoke_one (f, &made);
  sweep_all (f);
  g_assert_cmpuint (auth_count (f, "sys/"), ==, 0);
}

static void
test_the_last_use_is_had_by_one_only (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnToken) seen = NULL;
  g_autoptr (BawnToken) seen_too = NULL;
  g_autoptr (BawnWipedString) id = NULL;
  g_autoptr (BawnTxn) first = NULL;
  g_autoptr (BawnTxn) second = NULL;
  BawnTxn *txn = auth_begin (f);
  gboolean last = FALSE;

  token->num_uses = 1;
  assert_works (bawn_token_store_create (f->tokens, txn, token, NULL, "p", &id, &error));
  auth_commit (txn);

  first = auth_begin (f);
  second = auth_begin (f);
  assert_works (bawn_token_store_lookup (f->tokens, first, id, &seen, &error));
  assert_works (bawn_token_store_lookup (f->tokens, second, id, &seen_too, &error));
  assert_works (bawn_token_store_use (f->tokens, first, seen, &last, &error));
  g_assert_true (last);
  assert_works (bawn_token_store_use (f->tokens, second, seen_too, &last, &error));
  g_assert_true (last);
  assert_works (bawn_txn_commit (first, &error));

  g_autoptr (GError) error = NULL;

  g_assert_false (bawn_txn_commit (second, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CONFLICT);
}

static void
test_a_spent_token_cannot_be_used (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnToken) seen = NULL;
  g_autoptr (BawnWipedString) id = NULL;
  g_autoptr (BawnTxn) after = NULL;
  BawnTxn *txn = auth_begin (f);
  gboolean last = FALSE;

  token->num_uses = 1;
  assert_works (bawn_token_store_create (f->tokens, txn, token, NULL, "p", &id, &error));
  auth_commit (txn);
  seen = look_up (f, id);
  txn = auth_begin (f);
  assert_works (bawn_token_store_use (f->tokens, txn, seen, &last, &error));
  auth_commit (txn);

  after = auth_begin (f);
  assert_fails (bawn_token_store_use (f->tokens, after, seen, &last, &error), BAWN_ERROR_DENIED,
                "permission denied");
}

static void
test_unlimited_uses_write_nothing (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) made = make (f, NULL, 60, NULL);
  g_autoptr (BawnTxn) txn = auth_begin (f);
  gboolean last = TRUE;

  assert_works (bawn_token_store_use (f->tokens, txn, made.token, &last, &error));
  g_assert_false (last);
  g_assert_false (bawn_txn_has_writes (txn));
}

static void
test_renewal_keeps_uses_and_moves_the_lease (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnToken) seen = NULL;
  g_autoptr (BawnToken) renewed = NULL;
  g_autoptr (BawnToken) after = NULL;
  g_autoptr (BawnWipedString) id = NULL;
  BawnTxn *txn = auth_begin (f);
  g_autoptr (BawnTxn) reading = NULL;
  g_auto (GStrv) due = NULL;
  gboolean last = FALSE;

  token->num_uses = 5;
  token->ttl_us = AUTH_S (60);
  assert_works (bawn_token_store_create (f->tokens, txn, token, NULL, "p", &id, &error));
  auth_commit (txn);

  txn = auth_begin (f);
  assert_works (bawn_token_store_lookup (f->tokens, txn, id, &seen, &error));
  assert_works (bawn_token_store_use (f->tokens, txn, seen, &last, &error));
  renewed = bawn_token_copy (seen);
  renewed->ttl_us = AUTH_S (6000);
  renewed->expire_us = AUTH_START_US + AUTH_S (6000);
  assert_works (bawn_token_store_update (f->tokens, txn, renewed, &error));
  auth_commit (txn);

  bawn_clock_advance (f->clock, AUTH_S (5999));
  after = look_up (f, id);
  g_assert_cmpint (after->num_uses, ==, 4);
  reading = auth_begin (f);
  assert_works (bawn_lease_due (reading, AUTH_START_US + AUTH_S (5999), 10, &due, NULL, &error));
  g_assert_null (due[0]);
  g_assert_cmpuint (auth_count (f, "sys/lease/due/"), ==, 1);
}

static void
test_what_is_gone_cannot_be_renewed (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) made = make (f, NULL, 60, NULL);
  g_autoptr (BawnTxn) txn = NULL;

  revoke_one (f, &made);
  txn = auth_begin (f);
  assert_fails (bawn_token_store_update (f->tokens, txn, made.token, &error), BAWN_ERROR_NOT_FOUND,
                "token not found");
}

static void
test_a_batch_token_carries_itself (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) batch = make_batch (f, NULL, 60);
  g_autoptr (BawnToken) found = look_up (f, batch.id);

  g_assert_true (g_str_has_prefix (batch.id, "hvb."));
  g_assert_cmpint (found->type, ==, BAWN_TOKEN_BATCH);
  g_assert_cmpstr (found->hash, ==, batch.token->hash);
  g_assert_cmpstr (found->policies[0], ==, "a");
  g_assert_cmpint (found->ttl_us, ==, AUTH_S (60));
  g_assert_null (found->accessor);
  g_assert_null (found->cubbyhole);
  g_assert_false (found->renewable);
  g_assert_cmpuint (auth_count (f, "sys/"), ==, 0);

  bawn_clock_advance (f->clock, AUTH_S (60));
  g_assert_false (is_good (f, &batch));
}

static void
test_a_changed_batch_token_is_none (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) batch = make_batch (f, NULL, 60);

  for (char *c = batch.id + strlen ("hvb."); *c != '\0'; c++)
    {
      char saved = *c;

      *c = saved == 'A' ? 'B' : 'A';
      g_assert_null (look_up (f, batch.id));
      *c = saved;
    }
  for (gsize size = strlen (batch.id) - 1; size > 0; size--)
    {
      g_autofree char *cut = g_strndup (batch.id, size);

      g_assert_null (look_up (f, cut));
    }
  g_assert_true (is_good (f, &batch));
}

static void
test_two_batch_tokens_differ (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) one = make_batch (f, NULL, 60);
  g_auto (Made) two = make_batch (f, NULL, 60);

  g_assert_cmpstr (one.id, !=, two.id);
  g_assert_cmpstr (one.token->hash, !=, two.token->hash);
}

static void
test_a_batch_token_must_end (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnTxn) txn = auth_begin (f);
  g_autofree char *id = NULL;
  g_autoptr (GError) error = NULL;

  token->type = BAWN_TOKEN_BATCH;
  g_assert_false (bawn_token_store_create (f->tokens, txn, token, NULL, "p", &id, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INTERNAL);
}

static void
assert_duplicate (AuthFixture *f, const char *id)
{
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnTxn) txn = auth_begin (f);
  g_autofree char *made = NULL;

  assert_fails (bawn_token_store_create (f->tokens, txn, token, id, "p", &made, &error),
                BAWN_ERROR_INVALID, "cannot create a token with a duplicate ID");
}

static void
test_a_chosen_id_is_used_once (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) made = make (f, NULL, 60, "my id");

  g_assert_cmpstr (made.id, ==, "my id");
  g_assert_true (is_good (f, &made));
  assert_duplicate (f, "my id");
}

static void
test_a_chosen_id_can_be_had_again (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) first = make (f, NULL, 60, "my id");
  g_auto (Made) child = make (f, &first, 60, NULL);

  give_lease (f, &first, "db/x");
  revoke_one (f, &first);

  g_auto (Made) second = make (f, NULL, 60, "my id");

  g_assert_true (is_good (f, &second));
  g_assert_false (is_good (f, &child));
  sweep_all (f);
  g_assert_true (is_good (f, &second));
  g_assert_cmpuint (auth_count (f, "sys/token/id/"), ==, 1);

  bawn_clock_advance (f->clock, AUTH_S (60));

  g_auto (Made) third = make (f, NULL, 60, "my id");

  g_assert_true (is_good (f, &third));
}

static void
test_a_chosen_id_with_much_left_behind_must_wait (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) first = make (f, NULL, 60, "my id");

  for (guint i = 0; i < 30; i++)
    {
      g_auto (Made) child = make (f, &first, 60, NULL);
    }
  revoke_one (f, &first);
  assert_duplicate (f, "my id");
  sweep_all (f);

  g_auto (Made) second = make (f, NULL, 60, "my id");

  g_assert_true (is_good (f, &second));
}

static void
test_a_chosen_id_does_not_adopt_orphans (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) root = make (f, NULL, 0, NULL);
  g_auto (Made) first = make (f, NULL, 60, "my id");
  g_auto (Made) child = make (f, &first, 60, NULL);

  revoke_orphan (f, &first);

  g_auto (Made) second = make (f, &root, 60, "my id");
  g_autoptr (BawnToken) orphan = look_up (f, child.id);

  g_assert_nonnull (orphan);
  g_assert_null (orphan->parent);
  revoke_one (f, &second);
  g_assert_true (is_good (f, &child));
}

static void
test_a_gone_parent_has_no_more_children (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) root = make (f, NULL, 60, NULL);
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnTxn) txn = NULL;
  g_autofree char *id = NULL;

  revoke_one (f, &root);
  token->parent = g_strdup (root.token->hash);
  txn = auth_begin (f);
  assert_fails (bawn_token_store_create (f->tokens, txn, token, NULL, "p", &id, &error),
                BAWN_ERROR_INVALID, "parent token lookup failed: no parent found");
}

static void
test_nesting_has_a_bound (AuthFixture *f, gconstpointer data)
{
  Made line[101] = { 0 };
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnTxn) txn = NULL;
  g_autofree char *id = NULL;

  for (guint i = 0; i < 100; i++)
    line[i] = make (f, i > 0 ? &line[i - 1] : NULL, 60, NULL);
  g_assert_true (is_good (f, &line[99]));

  token->parent = g_strdup (line[99].token->hash);
  txn = auth_begin (f);
  assert_fails (bawn_token_store_create (f->tokens, txn, token, NULL, "p", &id, &error),
                BAWN_ERROR_INVALID, "tokens cannot be nested deeper than 100");

  revoke_one (f, &line[0]);
  g_assert_false (is_good (f, &line[99]));
  sweep_all (f);
  g_assert_cmpuint (auth_count (f, "sys/"), ==, 0);
  for (guint i = 0; i < 100; i++)
    made_clear (&line[i]);
}

static void
test_a_look_up_does_not_wait (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) root = make (f, NULL, 0, NULL);
  g_auto (Made) leaf = make (f, &root, 60, NULL);
  g_autoptr (BawnToken) warm = look_up (f, leaf.id);
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, FALSE);
  g_autoptr (BawnToken) found = NULL;

  assert_works (bawn_token_store_lookup (f->tokens, txn, leaf.id, &found, &error));
  g_assert_nonnull (found);
  g_assert_true (warm == found);
}

static void
test_making_a_token_does_not_wait (AuthFixture *f, gconstpointer data)
{
  g_auto (Made) root = make (f, NULL, 0, NULL);
  g_autoptr (BawnToken) warm = look_up (f, root.id);
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, FALSE);
  g_autoptr (BawnWipedString) id = NULL;

  token->parent = g_strdup (warm->hash);
  token->ttl_us = AUTH_S (60);
  assert_works (bawn_token_store_create (f->tokens, txn, token, NULL, "p", &id, &error));
}

#define add(name, func)                                                                            \
  g_test_add ("/auth/token-store/" name, AuthFixture, NULL, auth_set_up, func, auth_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("a-token-comes-back-as-it-was-made", test_a_token_comes_back_as_it_was_made);
  add ("no-id-is-stored", test_no_id_is_stored);
  add ("what-was-never-made-is-absent", test_what_was_never_made_is_absent);
  add ("a-hash-is-no-token", test_a_hash_is_no_token);
  add ("another-key-knows-no-token", test_another_key_knows_no_token);
  add ("a-token-ends-on-time", test_a_token_ends_on_time);
  add ("a-token-has-a-lease-if-it-ends", test_a_token_has_a_lease_if_it_ends);
  add ("a-path-too-long-for-a-key-still-gives-a-token",
       test_a_path_too_long_for_a_key_still_gives_a_token);
  add ("an-accessor-finds-its-token", test_an_accessor_finds_its_token);
  add ("a-tree-dies-in-one-commit", test_a_tree_dies_in_one_commit);
  add ("a-dead-trees-accessors-find-nothing", test_a_dead_trees_accessors_find_nothing);
  add ("the-end-of-a-parent-is-the-end-of-its-children",
       test_the_end_of_a_parent_is_the_end_of_its_children);
  add ("sweeping-leaves-nothing-of-a-tree", test_sweeping_leaves_nothing_of_a_tree);
  add ("a-step-of-sweeping-is-bounded", test_a_step_of_sweeping_is_bounded);
  add ("only-its-own-cubbyhole-is-swept", test_only_its_own_cubbyhole_is_swept);
  add ("leases-of-a-dead-token-are-due", test_leases_of_a_dead_token_are_due);
  add ("children-of-an-orphan-maker-live-on", test_children_of_an_orphan_maker_live_on);
  add ("an-orphan-keeps-its-change-through-sweeping",
       test_an_orphan_keeps_its_change_through_sweeping);
  add ("revoking-twice-is-no-error", test_revoking_twice_is_no_error);
  add ("an-ended-token-can-be-revoked", test_an_ended_token_can_be_revoked);
  add ("uses-are-counted-down-to-the-last", test_uses_are_counted_down_to_the_last);
  add ("the-last-use-is-had-by-one-only", test_the_last_use_is_had_by_one_only);
  add ("a-spent-token-cannot-be-used", test_a_spent_token_cannot_be_used);
  add ("unlimited-uses-write-nothing", test_unlimited_uses_write_nothing);
  add ("renewal-keeps-uses-and-moves-the-lease", test_renewal_keeps_uses_and_moves_the_lease);
  add ("what-is-gone-cannot-be-renewed", test_what_is_gone_cannot_be_renewed);
  add ("a-batch-token-carries-itself", test_a_batch_token_carries_itself);
  add ("a-changed-batch-token-is-none", test_a_changed_batch_token_is_none);
  add ("two-batch-tokens-differ", test_two_batch_tokens_differ);
  add ("a-batch-token-must-end", test_a_batch_token_must_end);
  add ("a-chosen-id-is-used-once", test_a_chosen_id_is_used_once);
  add ("a-chosen-id-can-be-had-again", test_a_chosen_id_can_be_had_again);
  add ("a-chosen-id-with-much-left-behind-must-wait",
       test_a_chosen_id_with_much_left_behind_must_wait);
  add ("a-chosen-id-does-not-adopt-orphans", test_a_chosen_id_does_not_adopt_orphans);
  add ("a-gone-parent-has-no-more-children", test_a_gone_parent_has_no_more_children);
  add ("nesting-has-a-bound", test_nesting_has_a_bound);
  add ("making-a-token-does-not-wait", test_making_a_token_does_not_wait);
  add ("a-look-up-does-not-wait", test_a_look_up_does_not_wait);

  return g_test_run ();
}
