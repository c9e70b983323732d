/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-outage.h"

#include "util/bawn-log.h"

/* Reads and writes apart: a disk that is full still answers. */
typedef struct
{
  gint64 since; /* monotonic; 0: all is well */
  gint64 last;  /* when it failed last */
  guint64 failures;
} Side;

typedef struct
{
  char *name;
  gint troubled; /* atomic: a side is out; spares all others the lock */
  GMutex lock;
  Side sides[BAWN_OUTAGE_N_SIDES];
} Outage;

static const char *const verbs[BAWN_OUTAGE_N_SIDES] = { "read", "written" };

static GQuark
outage_quark (void)
{
  return g_quark_from_static_string ("bawn-outage");
}

static void
outage_free (gpointer data)
{
  Outage *outage = data;

  g_mutex_clear (&outage->lock);
  g_free (outage->name);
  g_free (outage);
}

/* Whatever else it says, it says something. */
static gboolean
is_failure (const GError *error)
{
  return bawn_error_is (error, BAWN_ERROR_UPSTREAM)
         || bawn_error_is (error, BAWN_ERROR_UNKNOWN_OUTCOME);
}

static void
note_failure (Outage *outage, BawnOutageSide side, const GError *error)
{
  Side *state = &outage->sides[side];
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&outage->lock);

  gboolean begins = state->since == 0;

  if (begins)
    *state = (Side){ .since = now };
  state->last = now;
  state->failures++;
  g_atomic_int_set (&outage->troubled, TRUE);
  g_mutex_unlock (&outage->lock);

  if (begins)
    bawn_log_warn ("storage",
                   "the storage (%s) cannot be %s: %s; what needs it is answered 503 until it can",
                   outage->name, verbs[side], error->message);
}

static void
note_answer (Outage *outage, BawnOutageSide side)
{
  Side *state = &outage->sides[side];
  gint64 now = g_get_monotonic_time ();
  gboolean troubled = FALSE;
  Side past = { 0 };

  g_mutex_lock (&outage->lock);
  if (state->since != 0 && now - state->last >= BAWN_OUTAGE_CALM_US)
    {
      past = *state;
      *state = (Side){ 0 };
    }
  for (guint i = 0; i < BAWN_OUTAGE_N_SIDES; i++)
    troubled |= outage->sides[i].since != 0;
  g_atomic_int_set (&outage->troubled, troubled);
  g_mutex_unlock (&outage->lock);

  if (past.since != 0)
    bawn_log_info ("storage",
                   "the storage (%s) can be %s again: it failed %" G_GUINT64_FORMAT
                   " times within %.1f s",
                   outage->name, verbs[side], past.failures,
                   (double) (past.last - past.since) / G_USEC_PER_SEC);
}

void
bawn_outage_watch (BawnBackend *backend, const char *name)
{
  Outage *outage = g_new0 (Outage, 1);

  outage->name = g_strdup (name);
  g_mutex_init (&outage->lock);
  g_object_set_qdata_full (G_OBJECT (backend), outage_quark (), outage, outage_free);
}

void
bawn_outage_note (BawnBackend *backend, BawnOutageSide side, const GError *error)
{
  Outage *outage = g_object_get_qdata (G_OBJECT (backend), outage_quark ());

  if (outage == NULL)
    return;
  if (is_failure (error))
    note_failure (outage, side, error);
  else if (g_atomic_int_get (&outage->troubled) && !bawn_error_is (error, BAWN_ERROR_TIMEOUT))
    note_answer (outage, side);
}
