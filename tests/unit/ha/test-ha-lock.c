/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-lock.h"

#include <string.h>

#include "tests/contract/bawn-expect.h"
#include "util/bawn-bytes.h"

#define GOOD                                                                                       \
  "{\"epoch\":7,\"renewal\":12,\"state\":\"held\",\"holder\":\"id\",\"name\":\"https://a:8200\","  \
  "\"ttl_ms\":3000}"

static void
refuse (const char *text)
{
  g_autoptr (GBytes) bytes = bawn_bytes_new_string (text);
  g_auto (BawnHaLock) lock = { 0 };

  assert_fails (bawn_ha_lock_parse (bytes, &lock, &error), BAWN_ERROR_CORRUPT);
  g_assert_null (lock.holder);
}

/* GOOD with one thing in it replaced. */
static void
refuse_with (const char *what, const char *by)
{
  g_autoptr (GString) text = g_string_new (GOOD);

  g_assert_cmpuint (g_string_replace (text, what, by, 1), ==, 1);
  refuse (text->str);
}

static void
test_parse (void)
{
  g_autoptr (GBytes) bytes = bawn_bytes_new_string (GOOD);
  g_auto (BawnHaLock) lock = { 0 };

  assert_works (bawn_ha_lock_parse (bytes, &lock, &error));
  g_assert_cmpuint (lock.epoch, ==, 7);
  g_assert_cmpuint (lock.renewal, ==, 12);
  g_assert_true (lock.held);
  g_assert_cmpstr (lock.holder, ==, "id");
  g_assert_cmpstr (lock.name, ==, "https://a:8200");
  g_assert_cmpint (lock.ttl_us, ==, 3000000);
  g_assert_null (lock.successor);
}

static void
test_later_members (void)
{
  g_autoptr (GBytes) bytes = bawn_bytes_new_string (
      "{\"new\":[{}],\"epoch\":1,\"renewal\":0,\"state\":\"free\",\"holder\":\"id\","
      "\"name\":\"n\",\"ttl_ms\":1,\"successor\":\"s\"}");
  g_auto (BawnHaLock) lock = { 0 };

  assert_works (bawn_ha_lock_parse (bytes, &lock, &error));
  g_assert_false (lock.held);
  g_assert_cmpstr (lock.successor, ==, "s");
}

static void
test_round (void)
{
  char name[BAWN_HA_LOCK_MAX_NAME + 1] = { 0 };

  /* The longest text that a name can become. */
  memset (name, 1, sizeof name - 1);

  BawnHaLock lock = {
    BAWN_HA_EPOCH_MAX, G_MAXINT64 - 1, FALSE, BAWN_HA_LEASE_TTL_MAX_US, name, name, name
  };
  g_autoptr (GBytes) bytes = bawn_ha_lock_format (&lock);
  g_auto (BawnHaLock) back = { 0 };

  assert_works (bawn_ha_lock_parse (bytes, &back, &error));
  g_assert_cmpuint (back.epoch, ==, lock.epoch);
  g_assert_cmpuint (back.renewal, ==, lock.renewal);
  g_assert_cmpint (back.ttl_us, ==, lock.ttl_us);
  g_assert_cmpstr (back.holder, ==, name);
  g_assert_cmpstr (back.name, ==, name);
  g_assert_cmpstr (back.successor, ==, name);
}

static void
test_garbage (void)
{
  g_autofree char *large = g_strnfill (BAWN_HA_LOCK_MAX_BYTES + 1, ' ');

  memcpy (large, GOOD, strlen (GOOD));
  refuse (large);
  refuse ("");
  refuse ("{}");
  refuse ("[]");
  refuse ("7");
  refuse ("a session of another program");
  refuse (GOOD "x");
  refuse ("[[[[[[]]]]]]");
}

static void
test_members (void)
{
  g_autofree char *name = g_strnfill (BAWN_HA_LOCK_MAX_NAME + 1, 'a');

  refuse_with ("\"epoch\":7,", "");
  refuse_with ("\"epoch\":7", "\"epoch\":0");
  refuse_with ("\"epoch\":7", "\"epoch\":-7");
  refuse_with ("\"epoch\":7", "\"epoch\":7.5");
  refuse_with ("\"epoch\":7", "\"epoch\":\"7\"");
  refuse_with ("\"epoch\":7", "\"epoch\":9223372036854775807");
  refuse_with ("\"epoch\":7", "\"epoch\":9223372036854775808");
  refuse_with ("\"renewal\":12", "\"renewal\":-1");
  refuse_with ("\"renewal\":12,", "");
  refuse_with ("\"held\"", "\"HELD\"");
  refuse_with ("\"held\"", "true");
  refuse_with ("\"id\"", "\"\"");
  refuse_with ("\"id\"", "null");
  refuse_with ("\"id\"", "\"a\\u0000b\"");
  refuse_with ("https://a:8200", "");
  refuse_with ("https://a:8200", name);
  refuse_with ("3000", "0");
  refuse_with ("3000", "60001");
  refuse_with ("3000}", "3000,\"successor\":7}");
  refuse_with ("3000}", "3000,\"successor\":\"\"}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ha/lock/a-record-is-read", test_parse);
  g_test_add_func ("/ha/lock/members-of-later-versions-are-skipped", test_later_members);
  g_test_add_func ("/ha/lock/the-largest-record-is-read-back", test_round);
  g_test_add_func ("/ha/lock/what-is-no-record-is-refused", test_garbage);
  g_test_add_func ("/ha/lock/a-member-that-is-missing-or-wrong-is-refused", test_members);
  return g_test_run ();
}
