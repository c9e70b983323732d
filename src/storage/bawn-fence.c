/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-fence.h"

#include <string.h>
#include <unistd.h>

#include "util/bawn-json.h"

/* Between two attempts to take it, so that a writer who is still at work does not keep us spinning.
 */
#define RETRY_DELAY_US 500

/* Uniqueness is all that is asked of it; the kernel's own source gives that to forked processes
 * too. */
static void
make_term (char out_term[BAWN_FENCE_TERM_SIZE])
{
  guint16 r[8] = { 0 };

  if (getentropy (r, sizeof r) != 0)
    g_error ("the kernel gives no random bytes");
  g_snprintf (out_term, BAWN_FENCE_TERM_SIZE, "%04x%04x-%04x-4%03x-%04x-%04x%04x%04x", r[0], r[1],
              r[2], r[3] & 0xfffU, (r[4] & 0x3fffU) | 0x8000U, r[5], r[6], r[7]);
}

static gboolean
parse (GBytes *text, BawnFence *out_fence)
{
  g_autoptr (BawnJson) json = bawn_json_parse (text, NULL, NULL);

  if (json == NULL)
    return FALSE;

  const BawnJsonNode *root = bawn_json_root (json);
  gint64 epoch = bawn_json_get_int (root, "epoch", 0);
  gint64 sequence = bawn_json_get_int (root, "sequence", -1);
  const char *term = bawn_json_get_string (root, "term", "");
  const char *previous = bawn_json_get_string (root, "previous", "");
  gint64 previous_sequence = bawn_json_get_int (root, "previous_sequence", 0);

  if (epoch <= 0 || sequence < 0 || previous_sequence < 0 || !g_uuid_string_is_valid (term)
      || (*previous != '\0' && !g_uuid_string_is_valid (previous)))
    return FALSE;

  out_fence->epoch = (guint64) epoch;
  out_fence->sequence = (guint64) sequence;
  out_fence->previous_sequence = (guint64) previous_sequence;
  g_strlcpy (out_fence->term, term, sizeof out_fence->term);
  g_strlcpy (out_fence->previous, previous, sizeof out_fence->previous);
  return TRUE;
}

static gboolean
try_to_take (BawnBackend *backend,
             guint64 epoch,
             BawnFence *taken,
             GCancellable *cancellable,
             GError **error)
{
  BawnFence seen = { 0 };

  if (!bawn_fence_read (backend, &seen, cancellable, error))
    return FALSE;
  if (bawn_fence_same_term (&seen, taken))
    {
      /* An earlier attempt, whose answer was lost, got in. */
      *taken = seen;
      return TRUE;
    }
  if (epoch != 0 && epoch <= seen.epoch)
    return bawn_fail (error, BAWN_ERROR_DEPOSED,
                      "the storage is already in epoch %" G_GUINT64_FORMAT
                      ", which is not before %" G_GUINT64_FORMAT,
                      seen.epoch, epoch);

  taken->epoch = epoch != 0 ? epoch : seen.epoch + 1;
  g_strlcpy (taken->previous, seen.term, sizeof taken->previous);
  taken->previous_sequence = seen.sequence;

  g_autoptr (GBytes) value = bawn_fence_format (taken);
  const BawnWrite write = { BAWN_WRITE_PUT, BAWN_STORE_FENCE_KEY, value };
  const BawnCondition condition = { BAWN_STORE_FENCE_KEY, seen.version };

  return bawn_backend_commit (backend, &write, 1, &condition, 1, &taken->version, cancellable,
                              error);
}

/**
 * bawn_fence_read:
 * @backend: a storage
 * @out_fence: (out): the record; all zero if there is none
 * @cancellable: (nullable): ends the wait
 * @error: (out) (optional): CORRUPT if the record is not one, or what the storage says
 *
 * Reads the fence as it is now. Blocks.
 *
 * Returns: %TRUE, also if there is none
 */
gboolean
bawn_fence_read (BawnBackend *backend,
                 BawnFence *out_fence,
                 GCancellable *cancellable,
                 GError **error)
{
  g_autoptr (GBytes) text = NULL;
  BawnFence fence = { 0 };

  if (!bawn_backend_get (backend, BAWN_STORE_FENCE_KEY, &text, &fence.version, cancellable, error))
    return FALSE;
  if (text != NULL && !parse (text, &fence))
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "the record %s in the storage cannot be read",
                      BAWN_STORE_FENCE_KEY);

  *out_fence = fence;
  return TRUE;
}

/**
 * bawn_fence_take:
 * @backend: a storage
 * @epoch: the epoch to begin; 0: the one after what the fence shows
 * @out_fence: (out): the fence as taken
 * @cancellable: (nullable): ends the wait
 * @error: (out) (optional): DEPOSED if the fence shows @epoch or a later one, or what the storage
 * says
 *
 * Begins a term: from now on no commit of an earlier one can succeed. Blocks, and tries again as
 * long as another writer is quicker or answers are lost.
 *
 * Returns: %TRUE if the fence is ours
 */
gboolean
bawn_fence_take (BawnBackend *backend,
                 guint64 epoch,
                 BawnFence *out_fence,
                 GCancellable *cancellable,
                 GError **error)
{
  BawnFence taken = { 0 };

  make_term (taken.term);
  for (;;)
    {
      g_autoptr (GError) local = NULL;

      if (try_to_take (backend, epoch, &taken, cancellable, &local))
        {
          *out_fence = taken;
          return TRUE;
        }
      if (!bawn_error_is (local, BAWN_ERROR_CONFLICT)
          && !bawn_error_is (local, BAWN_ERROR_UNKNOWN_OUTCOME))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      if (g_cancellable_is_cancelled (cancellable))
        return bawn_fail (error, BAWN_ERROR_TIMEOUT, "the fence could not be taken in time");

      g_usleep ((gulong) g_random_int_range (0, RETRY_DELAY_US));
    }
}

/**
 * bawn_fence_format:
 * @fence: a fence
 *
 * Returns: (transfer full): the record's text, which holds nothing secret
 */
GBytes *
bawn_fence_format (const BawnFence *fence)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "epoch");
  bawn_json_writer_uint (&w, fence->epoch);
  bawn_json_writer_add_string (&w, "term", fence->term);
  bawn_json_writer_name (&w, "sequence");
  bawn_json_writer_uint (&w, fence->sequence);
  if (fence->previous[0] != '\0')
    {
      bawn_json_writer_add_string (&w, "previous", fence->previous);
      bawn_json_writer_name (&w, "previous_sequence");
      bawn_json_writer_uint (&w, fence->previous_sequence);
    }
  bawn_json_writer_end_object (&w);
  return bawn_json_writer_finish (&w);
}

/**
 * bawn_fence_same_term:
 * @a: a fence
 * @b: another
 *
 * Returns: %TRUE if both are of the same term
 */
gboolean
bawn_fence_same_term (const BawnFence *a, const BawnFence *b)
{
  return strcmp (a->term, b->term) == 0;
}
