/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-serial.h"

/* The judge of histories is judged: it must let good ones pass and find each kind of anomaly. */

static const char *const nothing[] = { NULL };
static const char *const only_1[] = { "1", NULL };

static BawnSerialTxn *
txn (guint number, guint begin)
{
  return bawn_serial_txn_new (number, begin);
}

static void
assert_good (BawnSerial *history)
{
  g_autofree char *why = NULL;

  g_assert_true (bawn_serial_judge (history, &why));
  g_assert_null (why);
}

static void
assert_bad (BawnSerial *history)
{
  g_autofree char *why = NULL;

  g_assert_false (bawn_serial_judge (history, &why));
  g_assert_nonnull (why);
}

static void
append (
    BawnSerial *history, guint number, const char *list, const char *seen, guint begin, guint end)
{
  BawnSerialTxn *one = txn (number, begin);

  bawn_serial_txn_read_list (one, list, seen);
  bawn_serial_txn_append (one, list);
  bawn_serial_add (history, one, end);
}

static void
look (BawnSerial *history, guint number, const char *x, const char *y, guint begin, guint end)
{
  BawnSerialTxn *one = txn (number, begin);

  if (x != NULL)
    bawn_serial_txn_read_list (one, "x", x);
  if (y != NULL)
    bawn_serial_txn_read_list (one, "y", y);
  bawn_serial_add (history, one, end);
}

static void
test_good (void)
{
  g_autoptr (BawnSerial) history = bawn_serial_new ();

  append (history, 1, "x", "", 0, 5);
  append (history, 2, "x", "1", 1, 6);
  append (history, 3, "y", "", 0, 7);
  look (history, 4, "1", "", 2, 8);
  look (history, 5, "1 2", "3", 8, 9);
  assert_good (history);
}

static void
test_lost_update (void)
{
  g_autoptr (BawnSerial) history = bawn_serial_new ();

  append (history, 1, "x", "", 0, 5);
  append (history, 2, "x", "", 1, 6);
  look (history, 3, "2", NULL, 7, 8);
  assert_bad (history);
}

static void
test_unseen_write (void)
{
  g_autoptr (BawnSerial) history = bawn_serial_new ();

  append (history, 1, "x", "", 0, 5);
  assert_bad (history);
}

static void
test_write_of_nobody (void)
{
  g_autoptr (BawnSerial) history = bawn_serial_new ();

  look (history, 1, "9", NULL, 0, 1);
  assert_bad (history);
}

static void
test_two_orders (void)
{
  g_autoptr (BawnSerial) history = bawn_serial_new ();

  append (history, 1, "x", "", 0, 9);
  append (history, 2, "x", "1", 0, 9);
  look (history, 3, "2 1", NULL, 0, 9);
  assert_bad (history);
}

static void
test_stale_read (void)
{
  g_autoptr (BawnSerial) history = bawn_serial_new ();

  append (history, 1, "x", "", 0, 1);
  look (history, 2, "", NULL, 2, 3);
  look (history, 3, "1", NULL, 4, 5);
  assert_bad (history);
}

static void
test_write_skew (void)
{
  g_autoptr (BawnSerial) history = bawn_serial_new ();
  BawnSerialTxn *a = txn (1, 0);
  BawnSerialTxn *b = txn (2, 0);

  bawn_serial_txn_read_list (a, "x", "");
  bawn_serial_txn_read_list (a, "y", "");
  bawn_serial_txn_append (a, "x");
  bawn_serial_txn_read_list (b, "x", "");
  bawn_serial_txn_read_list (b, "y", "");
  bawn_serial_txn_append (b, "y");
  bawn_serial_add (history, a, 9);
  bawn_serial_add (history, b, 9);
  look (history, 3, "1", "2", 10, 11);
  assert_bad (history);
}

static void
test_torn_read (void)
{
  g_autoptr (BawnSerial) history = bawn_serial_new ();
  BawnSerialTxn *both = txn (1, 0);

  bawn_serial_txn_read_list (both, "x", "");
  bawn_serial_txn_append (both, "x");
  bawn_serial_txn_read_list (both, "y", "");
  bawn_serial_txn_append (both, "y");
  bawn_serial_add (history, both, 9);
  look (history, 2, "1", "", 0, 9);
  look (history, 3, "1", "1", 10, 11);
  assert_bad (history);
}

static void
test_phantom (void)
{
  g_autoptr (BawnSerial) history = bawn_serial_new ();
  BawnSerialTxn *maker = txn (1, 0);
  BawnSerialTxn *early = txn (2, 0);
  BawnSerialTxn *late = txn (3, 2);

  bawn_serial_txn_insert (maker, "set");
  bawn_serial_txn_read_set (early, "set", only_1);
  bawn_serial_txn_read_set (late, "set", nothing);
  bawn_serial_add (history, maker, 9);
  bawn_serial_add (history, early, 1);
  bawn_serial_add (history, late, 9);
  assert_bad (history);
}

static void
test_good_sets (void)
{
  g_autoptr (BawnSerial) history = bawn_serial_new ();
  BawnSerialTxn *maker = txn (1, 0);
  BawnSerialTxn *early = txn (2, 0);
  BawnSerialTxn *late = txn (3, 2);

  bawn_serial_txn_insert (maker, "set");
  bawn_serial_txn_read_set (early, "set", nothing);
  bawn_serial_txn_read_set (late, "set", only_1);
  bawn_serial_add (history, maker, 9);
  bawn_serial_add (history, early, 1);
  bawn_serial_add (history, late, 9);
  assert_good (history);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/contract/serial/a-good-history-passes", test_good);
  g_test_add_func ("/contract/serial/good-sets-pass", test_good_sets);
  g_test_add_func ("/contract/serial/a-lost-update-is-found", test_lost_update);
  g_test_add_func ("/contract/serial/an-unseen-write-is-found", test_unseen_write);
  g_test_add_func ("/contract/serial/a-write-of-nobody-is-found", test_write_of_nobody);
  g_test_add_func ("/contract/serial/two-orders-are-found", test_two_orders);
  g_test_add_func ("/contract/serial/a-stale-read-is-found", test_stale_read);
  g_test_add_func ("/contract/serial/write-skew-is-found", test_write_skew);
  g_test_add_func ("/contract/serial/a-torn-read-is-found", test_torn_read);
  g_test_add_func ("/contract/serial/a-phantom-is-found", test_phantom);
  return g_test_run ();
}
