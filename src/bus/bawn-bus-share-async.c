/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-share-async.h"

#include "util/bawn-error.h"

#include <unistd.h>

/* Reading has its own time to end in; whatever does not let go of it has this much more. */
#define GIVE_UP_MS (BAWN_BUS_SHARE_TIMEOUT_MS + 2000)

struct _BawnBusReaders
{
  gatomicrefcount refs;
  gint n_threads; /* atomic */
};

typedef struct
{
  BawnBusReaders *readers;
  int fd;
  GCancellable *cancellable; /* of the reading */
  GSource *timer;            /* of the answer */
} Reader;

/**
 * bawn_bus_readers_new:
 *
 * Returns: (transfer full): a count of none
 */
BawnBusReaders *
bawn_bus_readers_new (void)
{
  BawnBusReaders *readers = g_new0 (BawnBusReaders, 1);

  g_atomic_ref_count_init (&readers->refs);
  return readers;
}

void
bawn_bus_readers_unref (BawnBusReaders *readers)
{
  if (g_atomic_ref_count_dec (&readers->refs))
    g_free (readers);
}

/* When the thread has come back, which may be never. */
static void
reader_free (gpointer data)
{
  Reader *reader = data;

  close (reader->fd);
  g_atomic_int_add (&reader->readers->n_threads, -1);
  bawn_bus_readers_unref (reader->readers);
  g_clear_object (&reader->cancellable);
  g_source_destroy (reader->timer);
  g_source_unref (reader->timer);
  g_free (reader);
}

static void
read_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *give_up)
{
  Reader *reader = data;
  GError *error = NULL;
  BawnSecret *share =
      bawn_bus_share_read (reader->fd, BAWN_BUS_SHARE_TIMEOUT_MS, reader->cancellable, &error);

  if (share != NULL)
    g_task_return_pointer (task, share, (GDestroyNotify) bawn_secret_unref);
  else
    g_task_return_error (task, error);
}

static gboolean
on_timer (gpointer give_up)
{
  g_cancellable_cancel (give_up);
  return G_SOURCE_REMOVE;
}

static GSource *
start_timer (GCancellable *give_up)
{
  GSource *timer = g_timeout_source_new (GIVE_UP_MS);

  g_source_set_callback (timer, on_timer, g_object_ref (give_up), g_object_unref);
  g_source_attach (timer, g_main_context_get_thread_default ());
  return timer;
}

/**
 * bawn_bus_share_read_async:
 * @readers: who reads already
 * @fd: (transfer full): a descriptor
 * @cancellable: (nullable): ends it early
 * @callback: called in the context of the thread
 * @user_data: for @callback
 */
void
bawn_bus_share_read_async (BawnBusReaders *readers,
                           int fd,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GCancellable) give_up = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (NULL, give_up, callback, user_data);

  if (g_atomic_int_add (&readers->n_threads, 1) >= BAWN_BUS_MAX_READERS)
    {
      g_atomic_int_add (&readers->n_threads, -1);
      close (fd);
      g_task_return_new_error (task, BAWN_ERROR, BAWN_ERROR_BUSY, "too many shares are being read");
      return;
    }

  Reader *reader = g_new0 (Reader, 1);
  g_atomic_ref_count_inc (&readers->refs);
  reader->readers = readers;
  reader->fd = fd;
  reader->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  reader->timer = start_timer (give_up);
  g_task_set_task_data (task, reader, reader_free);
  g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, read_in_thread);
}

/**
 * bawn_bus_share_read_finish:
 * @result: what the callback was given
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the share's text
 */
BawnSecret *
bawn_bus_share_read_finish (GAsyncResult *result, GError **error)
{
  g_autoptr (GError) cause = NULL;
  BawnSecret *share = g_task_propagate_pointer (G_TASK (result), &cause);

  if (share != NULL)
    return share;
  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return bawn_fail_null (error, BAWN_ERROR_TIMEOUT, "the file descriptor cannot be read in time");

  g_propagate_error (error, g_steal_pointer (&cause));
  return NULL;
}
