/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core-fixture.h"
#include "tests/contract/bawn-backend-fault.h"
#include "util/bawn-log.h"

/* One of several nodes whose storages fail: that of the data, that of the lease, or both. */

#define ADDRESS "https://127.0.0.1:8200"

typedef struct
{
  BawnBackend *data;
  BawnBackend *elections;
  BawnBackendFault *data_fault;
  BawnBackendFault *lease_fault;
  CoreFixture node;
} Place;

static void
set_up (Place *p, gconstpointer data)
{
  p->data = core_fixture_new_backend ();
  p->elections = core_fixture_new_backend ();
  p->data_fault = bawn_backend_fault_new (p->data);
  p->lease_fault = bawn_backend_fault_new (p->elections);
  core_fixture_open_node (&p->node, BAWN_BACKEND (p->data_fault), BAWN_HA_BACKEND (p->lease_fault),
                          ADDRESS);
}

static void
tear_down (Place *p, gconstpointer data)
{
  core_fixture_close (&p->node);
  g_clear_object (&p->data_fault);
  g_clear_object (&p->lease_fault);
  g_clear_object (&p->data);
  g_clear_object (&p->elections);
}

static guint64
active_epoch (Place *p)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (p->node.core);

  return status->sealed || status->standby ? 0 : status->epoch;
}

static guint64
await_epoch_after (Place *p, guint64 epoch)
{
  while (active_epoch (p) <= epoch)
    g_usleep (1000);
  return active_epoch (p);
}

static void
set_lease_storage (Place *p, gboolean answers)
{
  guint times = answers ? 0 : G_MAXUINT;

  bawn_backend_fault_fail (p->lease_fault, BAWN_FAULT_GET, 0, times, BAWN_ERROR_UPSTREAM);
  bawn_backend_fault_fail (p->lease_fault, BAWN_FAULT_COMMIT, 0, times, BAWN_ERROR_UPSTREAM);
  bawn_backend_fault_fail (p->lease_fault, BAWN_FAULT_WAIT, 0, times, BAWN_ERROR_UPSTREAM);
}

static int
write_one (Place *p)
{
  return core_fixture_call (&p->node, BAWN_OP_UPDATE, "cubbyhole/a", "{\"a\":1}", p->node.root);
}

static int
read_one (Place *p)
{
  return core_fixture_call (&p->node, BAWN_OP_READ, "cubbyhole/a", NULL, p->node.root);
}

static void
test_a_write_in_doubt_ends_with_the_lease (Place *p, gconstpointer data)
{
  core_fixture_ready (&p->node, 1, 1);

  guint64 epoch = await_epoch_after (p, 0);

  bawn_backend_fault_hold (p->data_fault, BAWN_FAULT_COMMIT, FALSE);
  set_lease_storage (p, FALSE);
  g_assert_cmpint (write_one (p), ==, BAWN_ERROR_UNKNOWN_OUTCOME);
  /* Another node may be able to. */
  g_assert_cmpint (write_one (p), ==, BAWN_ERROR_STANDBY);

  /* It was written after all, and memory begins anew. */
  set_lease_storage (p, TRUE);
  bawn_backend_fault_release (p->data_fault);
  await_epoch_after (p, epoch);
  g_assert_cmpint (read_one (p), ==, CORE_FIXTURE_OK);
  g_assert_cmpint (write_one (p), ==, CORE_FIXTURE_OK);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* The default writer of GLib asks for the local time without a lock. */
  bawn_log_set_level (BAWN_LOG_ERROR);

#define ADD(name, func) g_test_add ("/core/ha-storage/" name, Place, NULL, set_up, func, tear_down)
  ADD ("a-write-in-doubt-ends-with-the-lease", test_a_write_in_doubt_ends_with_the_lease);
#undef ADD

  return g_test_run ();
}
