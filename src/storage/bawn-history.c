/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-history.h"

#include <string.h>

/* Kept in the table by name and in the queue by age. */
typedef struct
{
  guint64 changed;
  GList link;
  char name[];
} Change;

struct _BawnHistory
{
  guint64 now;
  guint64 floor; /* reads made before this commit can no longer be judged */
  GHashTable *changes;
  GQueue by_age;
  GQueue present; /* oldest first, since commits are numbered in order */
};

static Change *
find_change (BawnHistory *history, const char *name)
{
  return g_hash_table_lookup (history->changes, name);
}

static void
forget_oldest (BawnHistory *history)
{
  GList *link = g_queue_pop_head_link (&history->by_age);
  Change *change = link->data;

  g_hash_table_remove (history->changes, change->name);
  g_free (change);
}

static void
prune (BawnHistory *history)
{
  const BawnPresence *oldest = history->present.head != NULL ? history->present.head->data : NULL;
  guint64 needed_after = oldest != NULL ? oldest->since : G_MAXUINT64;

  while (history->by_age.head != NULL
         && ((Change *) history->by_age.head->data)->changed <= needed_after)
    forget_oldest (history);

  while (history->by_age.length > BAWN_HISTORY_MAX_NAMES)
    {
      history->floor = MAX (history->floor, ((Change *) history->by_age.head->data)->changed);
      forget_oldest (history);
    }
}

/**
 * bawn_history_new:
 *
 * Returns: (transfer full): a history at its first commit, number 1
 */
BawnHistory *
bawn_history_new (void)
{
  BawnHistory *history = g_new0 (BawnHistory, 1);

  history->now = 1;
  history->floor = 1;
  history->changes = g_hash_table_new (g_str_hash, g_str_equal);
  return history;
}

/**
 * bawn_history_free:
 * @history: (transfer full): a history that nobody is present in
 */
void
bawn_history_free (BawnHistory *history)
{
  while (history->by_age.head != NULL)
    forget_oldest (history);
  g_hash_table_unref (history->changes);
  g_free (history);
}

/**
 * bawn_history_enter:
 * @history: a history
 * @presence: the place, owned by the caller until bawn_history_leave()
 *
 * From now on every change is remembered.
 */
void
bawn_history_enter (BawnHistory *history, BawnPresence *presence)
{
  presence->since = history->now;
  presence->link = (GList){ presence, NULL, NULL };
  g_queue_push_tail_link (&history->present, &presence->link);
}

/**
 * bawn_history_leave:
 * @history: a history
 * @presence: the place that bawn_history_enter() took
 */
void
bawn_history_leave (BawnHistory *history, BawnPresence *presence)
{
  gboolean was_oldest = history->present.head == &presence->link;

  g_queue_unlink (&history->present, &presence->link);
  if (was_oldest)
    prune (history);
}

/**
 * bawn_history_get_now:
 * @history: a history
 *
 * Returns: the number of the latest commit, to be noted beside what is read now; never 0
 */
guint64
bawn_history_get_now (BawnHistory *history)
{
  return history->now;
}

/**
 * bawn_history_advance:
 * @history: a history
 *
 * Begins the next commit: what is noted from now on changed at it.
 */
void
bawn_history_advance (BawnHistory *history)
{
  history->now++;
}

/**
 * bawn_history_note:
 * @history: a history
 * @name: a key or folder that changed at the latest commit
 */
void
bawn_history_note (BawnHistory *history, const char *name)
{
  if (history->present.head == NULL)
    return;

  Change *change = find_change (history, name);

  if (change != NULL)
    {
      g_queue_unlink (&history->by_age, &change->link);
    }
  else
    {
      gsize size = strlen (name) + 1;

      change = g_malloc0 (sizeof (Change) + size);
      memcpy (change->name, name, size);
      change->link.data = change;
      g_hash_table_insert (history->changes, change->name, change);
    }

  change->changed = history->now;
  g_queue_push_tail_link (&history->by_age, &change->link);
  if (history->by_age.length > BAWN_HISTORY_MAX_NAMES)
    prune (history);
}

/**
 * bawn_history_break:
 * @history: a history
 *
 * Anything may have changed unseen: nothing that was read before counts as unchanged any more.
 */
void
bawn_history_break (BawnHistory *history)
{
  history->now++;
  history->floor = history->now;
  while (history->by_age.head != NULL)
    forget_oldest (history);
}

/**
 * bawn_history_knows:
 * @history: a history
 * @since: what bawn_history_get_now() was at some time
 *
 * Returns: %TRUE if it knows of every change after that
 */
gboolean
bawn_history_knows (BawnHistory *history, guint64 since)
{
  return since >= history->floor;
}

/**
 * bawn_history_is_unchanged:
 * @history: a history
 * @name: a key or folder
 * @since: what bawn_history_get_now() was when it was read; 0: never unchanged
 *
 * Returns: %TRUE if a reader would see the same today
 */
gboolean
bawn_history_is_unchanged (BawnHistory *history, const char *name, guint64 since)
{
  if (since < history->floor)
    return FALSE;
  if (history->by_age.length == 0)
    return TRUE;

  const Change *change = find_change (history, name);

  return change == NULL || change->changed <= since;
}

/**
 * bawn_history_get_size:
 * @history: a history
 *
 * Returns: how many names are remembered
 */
guint
bawn_history_get_size (BawnHistory *history)
{
  return history->by_age.length;
}
