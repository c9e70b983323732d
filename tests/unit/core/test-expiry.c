/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core-fixture.h"

#include "auth/bawn-lease.h"
#include "core/bawn-core-private.h"

/* An engine that gives leases, and takes them back only if it likes. */
#define BAWN_TYPE_ENGINE_STUBBORN (bawn_engine_stubborn_get_type ())
G_DECLARE_FINAL_TYPE (BawnEngineStubborn, bawn_engine_stubborn, BAWN, ENGINE_STUBBORN, BawnEngine)

struct _BawnEngineStubborn
{
  BawnEngine parent_instance;
  gint refuses;
  gint n_asked;
  void (*on_revoke) (BawnEngineStubborn *self, const char *lease_id);
  CoreFixture *fixture;
  char *spare; /* for on_revoke */
  GMutex lock;
  char *last_mount; /* uuid */
};

G_DEFINE_FINAL_TYPE (BawnEngineStubborn, bawn_engine_stubborn, BAWN_TYPE_ENGINE)

static BawnResponse *
stubborn_make (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  BawnResponse *response = bawn_response_new_data (bawn_bytes_new_string ("{\"a\":1}"));

  response->renewable = TRUE;
  response->secret_ttl_us = 60 * G_USEC_PER_SEC;
  return response;
}

static gboolean
stubborn_revoke (BawnEngine *engine, BawnRequest *request, const BawnJsonNode *internal, BawnTxn *txn, GError **error)
{
  BawnEngineStubborn *self = BAWN_ENGINE_STUBBORN (engine);

  g_atomic_int_inc (&self->n_asked);
  if (self->on_revoke != NULL)
    self->on_revoke (self, request->path);
  if (g_atomic_int_get (&self->refuses))
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "no");

  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  g_free (self->last_mount);
  self->last_mount = g_strdup (request->mount->uuid);
  return TRUE;
}

static BawnResponse *
stubborn_renew (BawnEngine *engine, BawnRequest *request, const BawnJsonNode *internal, BawnTxn *txn, GError **error)
{
  BawnResponse *response = bawn_response_new_empty ();

  response->secret_ttl_us = 60 * G_USEC_PER_SEC;
  return response;
}

static const BawnRoute stubborn_routes[] = {
  { "secret", BAWN_OP_READ, stubborn_make, BAWN_ROUTE_NONE, "Gives a secret." },
  { NULL },
};

static void
bawn_engine_stubborn_finalize (GObject *object)
{
  BawnEngineStubborn *self = BAWN_ENGINE_STUBBORN (object);

  g_free (self->last_mount);
  g_free (self->spare);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (bawn_engine_stubborn_parent_class)->finalize (object);
}

static void
bawn_engine_stubborn_class_init (BawnEngineStubbornClass *klass)
{
  BawnEngineClass *engine_class = BAWN_ENGINE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = bawn_engine_stubborn_finalize;
  engine_class->name = "stubborn";
  engine_class->help = "";
  engine_class->routes = stubborn_routes;
  engine_class->renew = stubborn_renew;
  engine_class->revoke = stubborn_revoke;
}

static void
bawn_engine_stubborn_init (BawnEngineStubborn *self)
{
  g_mutex_init (&self->lock);
}

static BawnEngineStubborn *
ready (CoreFixture *f)
{
  BawnEngineStubborn *engine = g_object_new (BAWN_TYPE_ENGINE_STUBBORN, NULL);

  engine->fixture = f;
  core_fixture_open (f, NULL);
  bawn_core_add_engine (f->core, BAWN_ENGINE (engine), FALSE);
  core_fixture_ready (f, 1, 1);
  core_fixture_expect (f, BAWN_OP_UPDATE, "sys/mounts/st", "{\"type\":\"stubborn\"}", f->root);
  return engine;
}

static char *
make_lease (CoreFixture *f)
{
  g_autoptr(BawnResponse) response = NULL;

  g_assert_cmpint (core_fixture_ask (f, BAWN_OP_READ, "st/secret", NULL, f->root, &response, NULL), ==, CORE_FIXTURE_OK);
  g_assert_nonnull (response->lease_id);
  return g_strdup (response->lease_id);
}

static BawnLease *
get_lease (CoreFixture *f, const char *id)
{
  g_autoptr(BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (bawn_core_get_barrier (f->core)), TRUE);
  g_autoptr(GError) error = NULL;
  BawnLease *lease = NULL;

  g_assert_true (bawn_lease_get (txn, id, &lease, &error));
  g_assert_no_error (error);
  return lease;
}

static void
wait_gone (CoreFixture *f, const char *id)
{
  for (;;)
    {
      g_autoptr(BawnLease) lease = get_lease (f, id);

      if (lease == NULL)
        return;
      g_usleep (1000);
    }
}

static void
wait_postponed (CoreFixture *f, const char *id)
{
  for (;;)
    {
      g_autoptr(BawnLease) lease = get_lease (f, id);

      g_assert_nonnull (lease);
      if (lease->revoke_attempts > 0)
        return;
      g_usleep (1000);
    }
}

/* A round begins with what is due, so when a second token has ended, one round is through. */
static void
wait_round (CoreFixture *f)
{
  for (guint i = 0; i < 2; i++)
    {
      g_free (core_fixture_token (f, "{\"policies\":[\"default\"],\"ttl\":\"1s\"}"));
      bawn_clock_advance (f->clock, 2 * G_USEC_PER_SEC);
      bawn_core_kick_expiry (f->core);
      core_fixture_wait_empty (f, "sys/lease/id/auth/token/create/");
    }
}

static char *
mount_uuid (CoreFixture *f)
{
  g_autoptr(BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (bawn_core_get_barrier (f->core)), TRUE);
  g_autoptr(BawnMountTable) table = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_true (bawn_mount_table_get (txn, &table, &error));
  return g_strdup (bawn_mount_table_lookup (table, "st/")->uuid);
}

static void
test_a_lease_that_an_engine_keeps_is_not_asked_for_at_once_again (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  BawnEngineStubborn *engine = ready (&f);
  g_autofree char *id = make_lease (&f);

  g_atomic_int_set (&engine->refuses, TRUE);
  core_fixture_expect (&f, BAWN_OP_DELETE, "sys/mounts/st", NULL, f.root);
  wait_postponed (&f, id);
  wait_round (&f);
  g_assert_cmpint (g_atomic_int_get (&engine->n_asked), ==, 1);

  g_atomic_int_set (&engine->refuses, FALSE);
  bawn_clock_advance (f.clock, 60 * G_USEC_PER_SEC);
  bawn_core_kick_expiry (f.core);
  wait_gone (&f, id);
}

static void
test_leases_end_with_the_mount_that_gave_them (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  BawnEngineStubborn *engine = ready (&f);
  g_autofree char *old_uuid = mount_uuid (&f);
  g_autofree char *old_id = make_lease (&f);
  g_autofree char *body = g_strdup_printf ("{\"lease_id\":\"%s\"}", old_id);

  g_atomic_int_set (&engine->refuses, TRUE);
  core_fixture_expect (&f, BAWN_OP_DELETE, "sys/mounts/st", NULL, f.root);
  wait_postponed (&f, old_id);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "sys/mounts/st", "{\"type\":\"stubborn\"}", f.root);
  g_autofree char *new_uuid = mount_uuid (&f);
  g_autofree char *new_id = make_lease (&f);
  g_autofree char *message = NULL;
  core_fixture_ask (&f, BAWN_OP_UPDATE, "sys/leases/renew", body, f.root, NULL, &message);
  g_assert_cmpstr (message, ==, "lease not found");

  g_atomic_int_set (&engine->refuses, FALSE);
  bawn_clock_advance (f.clock, 30 * G_USEC_PER_SEC);
  bawn_core_kick_expiry (f.core);
  wait_gone (&f, old_id);
  g_assert_cmpstr (engine->last_mount, ==, old_uuid);
  wait_round (&f);
  g_autoptr(BawnLease) kept = get_lease (&f, new_id);
  g_assert_nonnull (kept);

  bawn_clock_advance (f.clock, 60 * G_USEC_PER_SEC);
  bawn_core_kick_expiry (f.core);
  wait_gone (&f, new_id);
  g_assert_cmpstr (engine->last_mount, ==, new_uuid);
}

static gboolean
extend (BawnCore *core, BawnTxn *txn, gpointer user_data, GError **error)
{
  g_autoptr(BawnLease) lease = NULL;

  if (!bawn_lease_get (txn, user_data, &lease, error))
    return FALSE;
  g_autoptr(BawnLease) longer = bawn_lease_copy (lease);
  longer->expire_us += 1000 * G_USEC_PER_SEC;
  return bawn_lease_put (txn, longer, error);
}

static void
extend_the_other (BawnEngineStubborn *self, const char *lease_id)
{
  g_autoptr(GError) error = NULL;

  if (g_strcmp0 (lease_id, self->spare) == 0)
    return;
  g_assert_true (bawn_core_transact (self->fixture->core, extend, self->spare, &error));
  g_assert_no_error (error);
}

static void
test_what_is_renewed_in_the_last_moment_lives_on (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  BawnEngineStubborn *engine = ready (&f);
  g_autofree char *first = make_lease (&f);

  bawn_clock_advance (f.clock, G_USEC_PER_SEC);
  engine->spare = make_lease (&f);
  engine->on_revoke = extend_the_other;
  bawn_clock_advance (f.clock, 100 * G_USEC_PER_SEC);
  bawn_core_kick_expiry (f.core);
  wait_gone (&f, first);
  wait_round (&f);

  g_autoptr(BawnLease) kept = get_lease (&f, engine->spare);
  g_assert_nonnull (kept);
  g_assert_cmpint (g_atomic_int_get (&engine->n_asked), ==, 1);
}

static void
test_the_tokens_of_a_replaced_method_end_with_it (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  g_autoptr(BawnResponse) login = NULL;

  ready (&f);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "sys/auth/userpass", "{\"type\":\"userpass\"}", f.root);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "auth/userpass/users/bob", "{\"password\":\"x\"}", f.root);
  g_assert_cmpint (core_fixture_ask (&f, BAWN_OP_UPDATE, "auth/userpass/login/bob", "{\"password\":\"x\"}", NULL, &login, NULL),
                   ==, CORE_FIXTURE_OK);
  core_fixture_expect (&f, BAWN_OP_DELETE, "sys/auth/userpass", NULL, f.root);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "sys/auth/userpass", "{\"type\":\"userpass\"}", f.root);
  core_fixture_wait_empty (&f, "sys/lease/id/auth/userpass/");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/expiry/what-an-engine-keeps-is-not-asked-for-at-once-again",
                   test_a_lease_that_an_engine_keeps_is_not_asked_for_at_once_again);
  g_test_add_func ("/core/expiry/leases-end-with-the-mount-that-gave-them", test_leases_end_with_the_mount_that_gave_them);
  g_test_add_func ("/core/expiry/what-is-renewed-in-the-last-moment-lives-on",
                   test_what_is_renewed_in_the_last_moment_lives_on);
  g_test_add_func ("/core/expiry/the-tokens-of-a-replaced-method-end-with-it",
                   test_the_tokens_of_a_replaced_method_end_with_it);

  return g_test_run ();
}
