/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-serial.h"

typedef struct
{
  char *name;
  GArray *numbers; /* of guint */
} Observation;

struct _BawnSerialTxn
{
  guint number;
  guint begin;
  guint end;
  guint index;
  GPtrArray *lists_read;
  GPtrArray *sets_read;
  GPtrArray *appended; /* names */
  GPtrArray *inserted;
};

struct _BawnSerial
{
  GMutex lock;
  gint clock;
  GPtrArray *txns;
};

/* While a history is judged. */
typedef struct
{
  BawnSerial *history;
  GHashTable *by_number;
  guint8 *edges; /* n by n */
  char *why;
} Trial;

static void
observation_free (Observation *observation)
{
  g_array_unref (observation->numbers);
  g_free (observation->name);
  g_free (observation);
}

BawnSerial *
bawn_serial_new (void)
{
  BawnSerial *self = g_new0 (BawnSerial, 1);

  g_mutex_init (&self->lock);
  self->txns = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_serial_txn_free);
  return self;
}

void
bawn_serial_free (BawnSerial *self)
{
  g_ptr_array_unref (self->txns);
  g_mutex_clear (&self->lock);
  g_free (self);
}

guint
bawn_serial_tick (BawnSerial *self)
{
  return (guint) g_atomic_int_add (&self->clock, 1);
}

BawnSerialTxn *
bawn_serial_txn_new (guint number, guint begin)
{
  BawnSerialTxn *txn = g_new0 (BawnSerialTxn, 1);

  txn->number = number;
  txn->begin = begin;
  txn->lists_read = g_ptr_array_new_with_free_func ((GDestroyNotify) observation_free);
  txn->sets_read = g_ptr_array_new_with_free_func ((GDestroyNotify) observation_free);
  txn->appended = g_ptr_array_new_with_free_func (g_free);
  txn->inserted = g_ptr_array_new_with_free_func (g_free);
  return txn;
}

void
bawn_serial_txn_free (BawnSerialTxn *txn)
{
  g_ptr_array_unref (txn->lists_read);
  g_ptr_array_unref (txn->sets_read);
  g_ptr_array_unref (txn->appended);
  g_ptr_array_unref (txn->inserted);
  g_free (txn);
}

static void
observe (GPtrArray *observations, const char *name, const char *const *numbers)
{
  Observation *observation = g_new0 (Observation, 1);

  observation->name = g_strdup (name);
  observation->numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; numbers[i] != NULL; i++)
    {
      guint number = (guint) g_ascii_strtoull (numbers[i], NULL, 10);

      if (*numbers[i] != '\0')
        g_array_append_val (observation->numbers, number);
    }
  g_ptr_array_add (observations, observation);
}

void
bawn_serial_txn_read_list (BawnSerialTxn *txn, const char *list, const char *numbers)
{
  g_auto (GStrv) split = g_strsplit (numbers, " ", -1);

  observe (txn->lists_read, list, (const char *const *) split);
}

void
bawn_serial_txn_append (BawnSerialTxn *txn, const char *list)
{
  g_ptr_array_add (txn->appended, g_strdup (list));
}

void
bawn_serial_txn_read_set (BawnSerialTxn *txn, const char *set, const char *const *numbers)
{
  observe (txn->sets_read, set, numbers);
}

void
bawn_serial_txn_insert (BawnSerialTxn *txn, const char *set)
{
  g_ptr_array_add (txn->inserted, g_strdup (set));
}

void
bawn_serial_add (BawnSerial *self, BawnSerialTxn *txn, guint end)
{
  g_mutex_lock (&self->lock);
  txn->end = end;
  txn->index = self->txns->len;
  g_ptr_array_add (self->txns, txn);
  g_mutex_unlock (&self->lock);
}

static gboolean
has_name (const GPtrArray *names, const char *name)
{
  for (guint i = 0; i < names->len; i++)
    if (g_str_equal (names->pdata[i], name))
      return TRUE;

  return FALSE;
}

static void G_GNUC_PRINTF (2, 3) blame (Trial *trial, const char *format, ...)
{
  va_list args;

  if (trial->why != NULL)
    return;

  va_start (args, format);
  trial->why = g_strdup_vprintf (format, args);
  va_end (args);
}

static void
depends (Trial *trial, const BawnSerialTxn *before, const BawnSerialTxn *after)
{
  if (before != after)
    trial->edges[(gsize) before->index * trial->history->txns->len + after->index] = 1;
}

static const BawnSerialTxn *
find_writer (Trial *trial, guint number, const char *name, gboolean is_set)
{
  const BawnSerialTxn *writer = g_hash_table_lookup (trial->by_number, GUINT_TO_POINTER (number));

  if (writer != NULL && has_name (is_set ? writer->inserted : writer->appended, name))
    return writer;

  blame (trial, "%s shows %u, which was never committed to it", name, number);
  return NULL;
}

/* The longest state of each list that anybody saw. All others must be beginnings of it. */
static GHashTable *
find_orders (Trial *trial)
{
  GHashTable *orders = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < trial->history->txns->len; i++)
    {
      const BawnSerialTxn *txn = trial->history->txns->pdata[i];

      for (guint j = 0; j < txn->lists_read->len; j++)
        {
          Observation *seen = txn->lists_read->pdata[j];
          const Observation *longest = g_hash_table_lookup (orders, seen->name);

          if (longest == NULL || seen->numbers->len > longest->numbers->len)
            g_hash_table_insert (orders, seen->name, seen);
        }
    }
  return orders;
}

static guint
number_at (const Observation *observation, guint i)
{
  return g_array_index (observation->numbers, guint, i);
}

static void
judge_list_read (Trial *trial,
                 GHashTable *orders,
                 const BawnSerialTxn *reader,
                 const Observation *seen)
{
  const Observation *order = g_hash_table_lookup (orders, seen->name);
  guint n = seen->numbers->len;

  for (guint i = 0; i < n; i++)
    if (number_at (seen, i) != number_at (order, i))
      {
        blame (trial, "%u read %s in an order that others did not see", reader->number, seen->name);
        return;
      }

  const BawnSerialTxn *last =
      n > 0 ? find_writer (trial, number_at (seen, n - 1), seen->name, FALSE) : NULL;
  const BawnSerialTxn *next =
      n < order->numbers->len ? find_writer (trial, number_at (order, n), seen->name, FALSE) : NULL;

  if (last != NULL)
    depends (trial, last, reader);
  if (next != NULL)
    depends (trial, reader, next);
}

static void
judge_order (Trial *trial, const Observation *order)
{
  const BawnSerialTxn *before = NULL;

  for (guint i = 0; i < order->numbers->len; i++)
    {
      const BawnSerialTxn *writer = find_writer (trial, number_at (order, i), order->name, FALSE);

      if (before != NULL && writer != NULL)
        depends (trial, before, writer);
      before = writer;
    }
}

static gboolean
shows (const Observation *seen, guint number)
{
  for (guint i = 0; i < seen->numbers->len; i++)
    if (number_at (seen, i) == number)
      return TRUE;

  return FALSE;
}

static void
judge_set_read (Trial *trial, const BawnSerialTxn *reader, const Observation *seen)
{
  for (guint i = 0; i < seen->numbers->len; i++)
    find_writer (trial, number_at (seen, i), seen->name, TRUE);

  for (guint i = 0; i < trial->history->txns->len; i++)
    {
      const BawnSerialTxn *writer = trial->history->txns->pdata[i];

      if (!has_name (writer->inserted, seen->name))
        continue;
      if (shows (seen, writer->number))
        depends (trial, writer, reader);
      else
        depends (trial, reader, writer);
    }
}

/* What was acknowledged must be there in the end: the last reader of each list sees every append.
 */
static void
judge_losses (Trial *trial, GHashTable *orders, const BawnSerialTxn *txn)
{
  for (guint i = 0; i < txn->appended->len; i++)
    {
      const Observation *order = g_hash_table_lookup (orders, txn->appended->pdata[i]);

      if (order == NULL || !shows (order, txn->number))
        blame (trial, "%u appended to %s, and nobody saw it", txn->number,
               (const char *) txn->appended->pdata[i]);
    }
}

static void
judge_times (Trial *trial)
{
  const GPtrArray *txns = trial->history->txns;

  for (guint i = 0; i < txns->len; i++)
    for (guint j = 0; j < txns->len; j++)
      {
        const BawnSerialTxn *a = txns->pdata[i];
        const BawnSerialTxn *b = txns->pdata[j];

        if (a->end < b->begin)
          depends (trial, a, b);
      }
}

/* Takes away, again and again, what depends on nothing that is left. What cannot be taken away lies
 * on a cycle or behind one. */
static void
judge_cycles (Trial *trial)
{
  guint n = trial->history->txns->len;
  g_autofree guint *waits_for = g_new0 (guint, n);
  g_autofree guint *ready = g_new0 (guint, n);
  guint n_ready = 0;
  guint n_done = 0;

  for (guint i = 0; i < n; i++)
    for (guint j = 0; j < n; j++)
      waits_for[j] += trial->edges[(gsize) i * n + j];
  for (guint i = 0; i < n; i++)
    if (waits_for[i] == 0)
      ready[n_ready++] = i;
  while (n_done < n_ready)
    {
      guint i = ready[n_done++];

      for (guint j = 0; j < n; j++)
        if (trial->edges[(gsize) i * n + j] != 0 && --waits_for[j] == 0)
          ready[n_ready++] = j;
    }

  if (n_done < n)
    blame (trial, "%u of %u transactions cannot be put in an order", n - n_done, n);
}

gboolean
bawn_serial_judge (BawnSerial *self, char **out_why)
{
  g_autoptr (GHashTable) by_number = g_hash_table_new (NULL, NULL);
  g_autofree guint8 *edges = g_malloc0 ((gsize) self->txns->len * self->txns->len + 1);
  Trial trial = { self, by_number, edges, NULL };
  g_autoptr (GHashTable) orders = find_orders (&trial);
  GHashTableIter iter;
  gpointer order = NULL;

  for (guint i = 0; i < self->txns->len; i++)
    {
      BawnSerialTxn *txn = self->txns->pdata[i];

      g_hash_table_insert (by_number, GUINT_TO_POINTER (txn->number), txn);
    }
  for (guint i = 0; i < self->txns->len; i++)
    {
      const BawnSerialTxn *txn = self->txns->pdata[i];

      for (guint j = 0; j < txn->lists_read->len; j++)
        judge_list_read (&trial, orders, txn, txn->lists_read->pdata[j]);
      for (guint j = 0; j < txn->sets_read->len; j++)
        judge_set_read (&trial, txn, txn->sets_read->pdata[j]);
      judge_losses (&trial, orders, txn);
    }
  g_hash_table_iter_init (&iter, orders);
  while (g_hash_table_iter_next (&iter, NULL, &order))
    judge_order (&trial, order);
  judge_times (&trial);
  judge_cycles (&trial);

  if (trial.why == NULL)
    return TRUE;

  *out_why = trial.why;
  return FALSE;
}

guint
bawn_serial_get_size (BawnSerial *self)
{
  return self->txns->len;
}
