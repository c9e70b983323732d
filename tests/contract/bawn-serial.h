/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * BawnSerial:
 *
 * A history of committed transactions, and the judge whether it is strictly serializable: whether there is an order
 * of the transactions, one after the other, that explains everything that was read and that keeps what was over
 * before something else began in front of it.
 *
 * The method is that of Elle (Kingsbury and Alvaro, VLDB 2020): transactions append their number to lists and
 * read lists, so that every read shows in what order the writes took effect. From that and from time follow the
 * dependencies; a cycle in them is an anomaly. Sets, to which numbers are added, stand for listings.
 */
typedef struct _BawnSerial BawnSerial;

BawnSerial *bawn_serial_new (void);
void bawn_serial_free (BawnSerial *self);

/* Thread-safe. A moment for bawn_serial_add(). */
guint bawn_serial_tick (BawnSerial *self);

/* One transaction, filled by one thread; its number is what it appends. */
typedef struct _BawnSerialTxn BawnSerialTxn;

BawnSerialTxn *bawn_serial_txn_new (guint number, guint begin);
void bawn_serial_txn_free (BawnSerialTxn *txn);
/* @numbers: separated by blanks, in order */
void bawn_serial_txn_read_list (BawnSerialTxn *txn, const char *list, const char *numbers);
void bawn_serial_txn_append (BawnSerialTxn *txn, const char *list);
void bawn_serial_txn_read_set (BawnSerialTxn *txn, const char *set, const char *const *numbers);
void bawn_serial_txn_insert (BawnSerialTxn *txn, const char *set);

/* Thread-safe. Takes @txn, which was committed by the moment @end. */
void bawn_serial_add (BawnSerial *self, BawnSerialTxn *txn, guint end);

/* TRUE if the history is strictly serializable; otherwise @out_why tells what is wrong. */
gboolean bawn_serial_judge (BawnSerial *self, char **out_why);
guint bawn_serial_get_size (BawnSerial *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnSerial, bawn_serial_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnSerialTxn, bawn_serial_txn_free)

G_END_DECLS
