/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-contract.h"
#include "util/bawn-bytes.h"

/* What may be tried for real; beyond it a limit is a number only. */
#define AFFORDABLE (8 * 1024 * 1024)

static void
test_absent (BawnContract *c)
{
  g_autoptr (GBytes) value = NULL;
  guint64 version = 77;

  assert_works (bawn_backend_get (c->backend, "no/such", &value, &version, NULL, &error));
  g_assert_null (value);
  g_assert_cmpuint (version, ==, 0);
}

static void
test_put (BawnContract *c)
{
  static const guint8 bytes[] = { 0, 1, 0xff, '\n', 0, 0x80, '\'', '"', '%', 0 };
  g_autoptr (GBytes) value = bawn_bytes_new (bytes, sizeof bytes);
  g_autoptr (GBytes) read = NULL;
  const BawnWrite write = { BAWN_WRITE_PUT, "a/b", value };
  guint64 written = 0;
  guint64 version = 0;

  assert_works (bawn_backend_commit (c->backend, &write, 1, NULL, 0, &written, NULL, &error));
  assert_works (bawn_backend_get (c->backend, "a/b", &read, &version, NULL, &error));
  g_assert_true (g_bytes_equal (read, value));
  g_assert_cmpuint (version, !=, 0);
  g_assert_cmpuint (version, ==, written);
}

static void
test_empty (BawnContract *c)
{
  g_autoptr (GBytes) read = NULL;
  guint64 version = 0;

  bawn_contract_put (c->backend, "empty", "");
  assert_works (bawn_backend_get (c->backend, "empty", &read, &version, NULL, &error));
  g_assert_nonnull (read);
  g_assert_cmpuint (g_bytes_get_size (read), ==, 0);
  g_assert_cmpuint (version, !=, 0);
  assert_listing (c->backend, "", NULL, 0, "empty");
}

static void
test_replace (BawnContract *c)
{
  bawn_contract_put (c->backend, "k", "a long first value");
  bawn_contract_put (c->backend, "k", "two");
  assert_entry (c->backend, "k", "two");
  assert_listing (c->backend, "", NULL, 0, "k");
}

static void
test_delete (BawnContract *c)
{
  bawn_contract_put (c->backend, "d/k", "v");
  bawn_contract_put (c->backend, "d/l", "w");
  bawn_contract_delete (c->backend, "d/k");
  assert_entry (c->backend, "d/k", "-");
  assert_entry (c->backend, "d/l", "w");
  bawn_contract_delete (c->backend, "d/l");
  assert_listing (c->backend, "", NULL, 0, "");
}

static void
test_delete_absent (BawnContract *c)
{
  bawn_contract_delete (c->backend, "never/was");
  assert_entry (c->backend, "never/was", "-");
  bawn_contract_put (c->backend, "k", "v");
  bawn_contract_delete (c->backend, "k");
  bawn_contract_delete (c->backend, "k");
  assert_entry (c->backend, "k", "-");
}

static void
test_versions_grow (BawnContract *c)
{
  guint64 last = 0;

  for (guint i = 0; i < 10; i++)
    {
      bawn_contract_put (c->backend, "k", "same");

      guint64 version = bawn_contract_version (c->backend, "k");

      g_assert_cmpuint (version, >, last);
      last = version;
    }
}

static void
test_versions_outlive_absence (BawnContract *c)
{
  const BawnWrite removal = { BAWN_WRITE_DELETE, "k", NULL };
  guint64 removed = 0;

  bawn_contract_put (c->backend, "k", "v");

  guint64 before = bawn_contract_version (c->backend, "k");

  assert_works (bawn_backend_commit (c->backend, &removal, 1, NULL, 0, &removed, NULL, &error));
  g_assert_cmpuint (removed, >, before);
  bawn_contract_put (c->backend, "k", "v");
  g_assert_cmpuint (bawn_contract_version (c->backend, "k"), >, removed);
}

static void
test_one_version_per_commit (BawnContract *c)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string ("v");
  const BawnWrite writes[] = { { BAWN_WRITE_PUT, "x", value },
                               { BAWN_WRITE_PUT, "a/y", value },
                               { BAWN_WRITE_PUT, "z", value } };
  guint64 version = 0;

  bawn_contract_put (c->backend, "z", "older");
  bawn_contract_put (c->backend, "other", "v");

  guint64 other = bawn_contract_version (c->backend, "other");

  assert_works (bawn_backend_commit (c->backend, writes, G_N_ELEMENTS (writes), NULL, 0, &version,
                                     NULL, &error));
  for (guint i = 0; i < G_N_ELEMENTS (writes); i++)
    g_assert_cmpuint (bawn_contract_version (c->backend, writes[i].key), ==, version);
  g_assert_cmpuint (bawn_contract_version (c->backend, "other"), ==, other);
}

static void
test_bad_keys (BawnContract *c)
{
  g_autofree char *too_long = g_strnfill (BAWN_BACKEND_MAX_KEY + 1, 'k');
  g_autoptr (GBytes) value = bawn_bytes_new_string ("v");
  const char *const bad[] = { "", "/", "/a", "a/", "a//b", "\xff", "a\xc3", too_long };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const BawnWrite writes[] = { { BAWN_WRITE_PUT, "good", value },
                                   { BAWN_WRITE_PUT, bad[i], value } };
      const BawnCondition condition = { bad[i], 0 };

      assert_fails (bawn_backend_get (c->backend, bad[i], NULL, NULL, NULL, &error),
                    BAWN_ERROR_INVALID);
      assert_fails (bawn_backend_commit (c->backend, writes, 2, NULL, 0, NULL, NULL, &error),
                    BAWN_ERROR_INVALID);
      assert_fails (bawn_backend_commit (c->backend, writes, 1, &condition, 1, NULL, NULL, &error),
                    BAWN_ERROR_INVALID);
    }
  assert_listing (c->backend, "", NULL, 0, "");
}

static void
test_long_keys (BawnContract *c)
{
  g_autofree char *longest = g_strnfill (BAWN_BACKEND_MAX_KEY, 'k');
  GString *deep = g_string_new ("d");

  while (deep->len + 2 <= BAWN_BACKEND_MAX_KEY)
    g_string_append (deep, "/d");
  bawn_contract_put (c->backend, longest, "long");
  bawn_contract_put (c->backend, deep->str, "deep");
  assert_entry (c->backend, longest, "long");
  assert_entry (c->backend, deep->str, "deep");
  assert_listing (c->backend, "d/d/", NULL, 0, "d/");
  g_string_set_size (deep, deep->len - 1);
  assert_listing (c->backend, deep->str, NULL, 0, "d");
  g_string_free (deep, TRUE);
}

static void
test_any_characters (BawnContract *c)
{
  static const char *const keys[] = { "a b",
                                      "a%2Fb",
                                      "q'\"`;--",
                                      "\\",
                                      "*",
                                      "?[a-z]",
                                      "a/..",
                                      "a/.",
                                      "\n\t\x01",
                                      "K",
                                      "k",
                                      "\xc3\xa4",
                                      "\xf0\x9f\x94\x91/x",
                                      "~",
                                      "a?b=c&d#e",
                                      "+" };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    bawn_contract_put (c->backend, keys[i], keys[i]);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    assert_entry (c->backend, keys[i], keys[i]);
}

static void
test_large_value (BawnContract *c)
{
  BawnBackendLimits limits = { 0 };
  guint8 *data = NULL;

  bawn_backend_get_limits (c->backend, &limits);

  gsize size = MIN (limits.max_value, AFFORDABLE);
  g_autoptr (GBytes) value = bawn_bytes_alloc (size, &data);
  g_autoptr (GBytes) read = NULL;
  const BawnWrite write = { BAWN_WRITE_PUT, "k", value };

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8) (i * 31 + i / 251);
  assert_works (bawn_backend_commit (c->backend, &write, 1, NULL, 0, NULL, NULL, &error));
  assert_works (bawn_backend_get (c->backend, "k", &read, NULL, NULL, &error));
  g_assert_true (g_bytes_equal (read, value));
}

static void
assert_too_large (BawnBackend *backend, const BawnWrite *writes, guint n_writes)
{
  assert_fails (bawn_backend_commit (backend, writes, n_writes, NULL, 0, NULL, NULL, &error),
                BAWN_ERROR_TOO_LARGE);
  assert_listing (backend, "", NULL, 0, "");
}

static void
test_limits (BawnContract *c)
{
  BawnBackendLimits limits = { 0 };
  BawnBackendLimits again = { 0 };

  bawn_backend_get_limits (c->backend, &limits);
  bawn_backend_get_limits (c->backend, &again);
  g_assert_cmpuint (limits.max_value, ==, again.max_value);
  g_assert_cmpuint (limits.max_writes, ==, again.max_writes);
  g_assert_cmpuint (limits.max_commit, ==, again.max_commit);

  /* Below these a request of this server cannot be committed together with the fence. */
  g_assert_cmpuint (limits.max_value, >=, 256 * 1024);
  g_assert_cmpuint (limits.max_writes, >=, 16);
  g_assert_cmpuint (limits.max_commit, >=, limits.max_value);
}

static void
test_too_large (BawnContract *c)
{
  BawnBackendLimits limits = { 0 };

  bawn_backend_get_limits (c->backend, &limits);
  if (limits.max_value > G_MAXINT)
    {
      /* No limit worth the name: then what would be too large elsewhere goes in. */
      g_autofree char *large = g_strnfill (8 * 1024 * 1024, 'x');

      bawn_contract_put (c->backend, "large", large);
      assert_entry (c->backend, "large", large);
      return;
    }

  /* Never touched, so never really there. */
  g_autofree char *room = g_malloc0 (limits.max_value + 1);
  g_autoptr (GBytes) over = g_bytes_new_static (room, limits.max_value + 1);
  g_autoptr (GBytes) full = g_bytes_new_static (room, limits.max_value);
  const BawnWrite write = { BAWN_WRITE_PUT, "k", over };
  guint n = (guint) MAX (limits.max_commit / limits.max_value, limits.max_writes) + 1;
  g_autoptr (GArray) writes = g_array_new (FALSE, FALSE, sizeof (BawnWrite));
  g_autoptr (GStringChunk) names = g_string_chunk_new (4096);

  assert_too_large (c->backend, &write, 1);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("k%u", i);
      const BawnWrite one = { BAWN_WRITE_PUT, g_string_chunk_insert (names, name), full };

      g_array_append_val (writes, one);
    }
  assert_too_large (c->backend, (const BawnWrite *) (gpointer) writes->data,
                    (guint) (limits.max_commit / limits.max_value) + 1);
  for (guint i = 0; i < n; i++)
    g_array_index (writes, BawnWrite, i).kind = BAWN_WRITE_DELETE;
  assert_too_large (c->backend, (const BawnWrite *) (gpointer) writes->data, limits.max_writes + 1);
}

static void
test_reopen (BawnContract *c)
{
  bawn_contract_put (c->backend, "k", "v");
  bawn_contract_put (c->backend, "gone", "v");
  bawn_contract_delete (c->backend, "gone");

  guint64 version = bawn_contract_version (c->backend, "k");

  if (!bawn_contract_reopen (c))
    {
      assert_entry (c->backend, "k", "v");
      return;
    }

  assert_entry (c->backend, "k", "v");
  assert_entry (c->backend, "gone", "-");
  g_assert_cmpuint (bawn_contract_version (c->backend, "k"), ==, version);
  bawn_contract_put (c->backend, "gone", "w");
  g_assert_cmpuint (bawn_contract_version (c->backend, "gone"), >, version + 1);
}

static void
test_two_handles (BawnContract *c)
{
  g_autoptr (BawnBackend) other = bawn_contract_open (c);

  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", i);
      BawnBackend *writer = i % 2 == 0 ? c->backend : other;
      BawnBackend *reader = i % 2 == 0 ? other : c->backend;

      bawn_contract_put (writer, "k", text);
      assert_entry (reader, "k", text);
      g_assert_cmpuint (bawn_contract_version (reader, "k"), ==,
                        bawn_contract_version (writer, "k"));
    }
}

static void
test_cancelled_before (BawnContract *c)
{
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autoptr (GBytes) value = bawn_bytes_new_string ("v");
  const BawnWrite write = { BAWN_WRITE_PUT, "k", value };
  g_auto (GStrv) names = NULL;

  g_cancellable_cancel (cancelled);
  assert_fails (bawn_backend_get (c->backend, "k", NULL, NULL, cancelled, &error),
                BAWN_ERROR_TIMEOUT);
  assert_fails (bawn_backend_list (c->backend, "", NULL, 0, &names, cancelled, &error),
                BAWN_ERROR_TIMEOUT);
  assert_fails (bawn_backend_commit (c->backend, &write, 1, NULL, 0, NULL, cancelled, &error),
                BAWN_ERROR_TIMEOUT);
  assert_entry (c->backend, "k", "-");
}

void
bawn_contract_add_basic (const BawnContractTarget *target)
{
  bawn_contract_add (target, "absent-is-success-with-nothing", test_absent);
  bawn_contract_add (target, "a-put-is-read-back", test_put);
  bawn_contract_add (target, "empty-is-not-absent", test_empty);
  bawn_contract_add (target, "a-put-replaces", test_replace);
  bawn_contract_add (target, "a-delete-removes-one-key", test_delete);
  bawn_contract_add (target, "deleting-what-is-absent-succeeds", test_delete_absent);
  bawn_contract_add (target, "versions-grow", test_versions_grow);
  bawn_contract_add (target, "versions-outlive-absence", test_versions_outlive_absence);
  bawn_contract_add (target, "a-commit-has-one-version", test_one_version_per_commit);
  bawn_contract_add (target, "bad-keys-are-refused", test_bad_keys);
  bawn_contract_add (target, "long-and-deep-keys-work", test_long_keys);
  bawn_contract_add (target, "keys-hold-any-characters", test_any_characters);
  bawn_contract_add (target, "a-large-value-comes-back-whole", test_large_value);
  bawn_contract_add (target, "limits-are-constant-and-usable", test_limits);
  bawn_contract_add (target, "what-is-too-large-is-refused", test_too_large);
  bawn_contract_add (target,
                     target->is_private ? "what-is-written-stays-with-the-handle"
                                        : "what-is-written-outlives-the-handle",
                     test_reopen);
  bawn_contract_add (target, "two-handles-see-one-storage", test_two_handles);
  bawn_contract_add (target, "a-cancelled-call-does-nothing", test_cancelled_before);
}
