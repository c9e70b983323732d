/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-local.h"

#include "core-fixture.h"
#include "crypto/bawn-crypto.h"

#include <string.h>

/* What somebody on this machine may do who has no token. */

/* An audit device that keeps what it is given, and fails when told so. */
#define TEST_TYPE_DEVICE (test_device_get_type ())
G_DECLARE_FINAL_TYPE (TestDevice, test_device, TEST, DEVICE, BawnAuditDevice)

struct _TestDevice
{
  BawnAuditDevice parent_instance;
};

G_DEFINE_FINAL_TYPE (TestDevice, test_device, BAWN_TYPE_AUDIT_DEVICE)

static gboolean device_fails = FALSE;
static GString *device_text = NULL;

static gboolean
device_open (BawnAuditDevice *device, GHashTable *options, GError **error)
{
  return TRUE;
}

static gboolean
device_write (BawnAuditDevice *device, const char *line, gsize size, GError **error)
{
  if (device_fails)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "broken");

  g_string_append_len (device_text, line, (gssize) size);
  return TRUE;
}

static void
test_device_class_init (TestDeviceClass *klass)
{
  BAWN_AUDIT_DEVICE_CLASS (klass)->open = device_open;
  BAWN_AUDIT_DEVICE_CLASS (klass)->write = device_write;
}

static void
test_device_init (TestDevice *self)
{
}

static const BawnLocalCaller caller = { "test", 1234, 77 };

static void
ready (CoreFixture *f)
{
  device_fails = FALSE;
  g_string_truncate (device_text, 0);
  core_fixture_open (f, NULL);
  core_fixture_ready (f, 1, 1);
  core_fixture_expect (f, BAWN_OP_UPDATE, "sys/audit/a", "{\"type\":\"test\"}", f->root);
  g_string_truncate (device_text, 0);
}

static gboolean
is_sealed (CoreFixture *f)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (f->core);

  return status->sealed;
}

static void
test_a_seal_is_written_down_with_its_caller (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  g_autoptr (GError) error = NULL;

  ready (&f);
  g_assert_true (bawn_core_seal_locally (f.core, &caller, &error));
  g_assert_no_error (error);
  g_assert_true (is_sealed (&f));

  g_auto (GStrv) lines = g_strsplit (device_text->str, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_nonnull (strstr (lines[i], "\"path\":\"sys/seal\""));
      g_assert_nonnull (strstr (lines[i], "\"display_name\":\"test-uid-1234\""));
      g_assert_nonnull (strstr (lines[i], "\"metadata\":{\"pid\":\"77\",\"uid\":\"1234\"}"));
    }
  g_assert_nonnull (strstr (lines[0], "\"type\":\"request\""));
  g_assert_nonnull (strstr (lines[1], "\"type\":\"response\""));
}

static void
test_a_seal_that_nobody_writes_down_is_refused (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  g_autoptr (GError) error = NULL;

  ready (&f);
  device_fails = TRUE;
  g_assert_false (bawn_core_seal_locally (f.core, &caller, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INTERNAL);
  g_assert_false (is_sealed (&f));
}

static void
test_a_sealed_server_stays_so (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  g_autoptr (GError) error = NULL;

  ready (&f);
  g_assert_true (bawn_core_seal_locally (f.core, &caller, &error));
  g_assert_true (bawn_core_seal_locally (f.core, &caller, &error));
  g_assert_no_error (error);
  g_assert_true (is_sealed (&f));
}

static void
test_a_refused_step_down_is_written_down_too (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  g_autoptr (GError) error = NULL;

  ready (&f);
  g_assert_false (bawn_core_step_down_locally (f.core, &caller, "https://b:8200", &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (device_text->str, "\"path\":\"sys/step-down\""));
  g_assert_nonnull (strstr (device_text->str, "\"error\":\"this server is alone"));
  /* What people write may be anything; it is hashed like all values. */
  g_assert_null (strstr (device_text->str, "https://b:8200"));
  g_assert_nonnull (strstr (device_text->str, "\"successor\":\"hmac-sha256:"));
}

static BawnSecret *
as_text (BawnSecret *share)
{
  g_autofree char *hex = bawn_hex_encode (bawn_secret_data (share), bawn_secret_size (share));

  return bawn_secret_new_copy (hex, strlen (hex) + 1);
}

static void
test_a_share_is_taken_as_people_write_it (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) wrong = NULL;

  ready (&f);
  g_assert_true (bawn_core_seal_locally (f.core, &caller, &error));

  g_autoptr (BawnSecret) nonsense = bawn_secret_new_copy ("hello", sizeof "hello");
  g_assert_false (bawn_core_unseal_locally (f.core, &caller, nonsense, &wrong));
  g_assert_error (wrong, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_assert_true (is_sealed (&f));

  g_autoptr (BawnSecret) text = as_text (g_ptr_array_index (f.shares, 0));
  g_assert_true (bawn_core_unseal_locally (f.core, &caller, text, &error));
  g_assert_no_error (error);
  g_assert_false (is_sealed (&f));
}

static void
test_a_server_alone_has_no_lease (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;

  ready (&f);
  g_assert_cmpint (bawn_core_get_lease_left_us (f.core), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_audit_register ("test", test_device_get_type);
  device_text = g_string_new (NULL);
  g_test_add_func ("/core/local/a-seal-is-written-down-with-its-caller",
                   test_a_seal_is_written_down_with_its_caller);
  g_test_add_func ("/core/local/a-seal-that-nobody-writes-down-is-refused",
                   test_a_seal_that_nobody_writes_down_is_refused);
  g_test_add_func ("/core/local/a-sealed-server-stays-so", test_a_sealed_server_stays_so);
  g_test_add_func ("/core/local/a-refused-step-down-is-written-down-too",
                   test_a_refused_step_down_is_written_down_too);
  g_test_add_func ("/core/local/a-share-is-taken-as-people-write-it",
                   test_a_share_is_taken_as_people_write_it);
  g_test_add_func ("/core/local/a-server-alone-has-no-lease", test_a_server_alone_has_no_lease);

  int status = g_test_run ();
  g_string_free (device_text, TRUE);
  return status;
}
