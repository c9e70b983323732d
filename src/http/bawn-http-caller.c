/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-caller.h"

#include "util/bawn-error.h"

/**
 * BawnHttpCaller:
 * @errands: (element-type guint32 BawnHttpErrand): under way
 * @retired: closes itself after the last of them
 */
struct _BawnHttpCaller
{
  BawnHttpLink *link;
  const BawnHttpCallerEvents *events;
  gpointer owner;
  GHashTable *errands;
  guint32 last_id;
  gboolean retired;
};

/* Its way is over, one way or another. */
static void
come_home (BawnHttpErrand *errand)
{
  BawnHttpCaller *caller = errand->caller;

  g_hash_table_remove (caller->errands, GUINT_TO_POINTER (errand->id));
  if (errand->parcel != NULL)
    bawn_http_link_withdraw (caller->link, errand->parcel);
  bawn_http_message_clear (&errand->answer);
  errand->caller = NULL;
}

static void
close_if_done (BawnHttpCaller *caller)
{
  if (caller->retired && g_hash_table_size (caller->errands) == 0)
    bawn_http_link_close (caller->link, "not needed any more");
}

static void
finish_answer (BawnHttpCaller *caller, BawnHttpErrand *errand)
{
  g_auto (BawnHttpReply) reply = { 0 };
  g_autoptr (GError) error = NULL;

  if (bawn_http_answer_read (&reply, errand->answer.head.data, errand->answer.head.size, &error))
    reply.body = errand->answer.body.size > 0 ? bawn_buffer_steal (&errand->answer.body) : NULL;
  else
    {
      /* Of one request only: the others have nothing to do with it. */
      bawn_http_reply_clear (&reply);
      bawn_http_reply_from_text (&reply, 502,
                                 "the active node has given an answer that cannot be passed on");
    }
  come_home (errand);
  caller->events->answered (caller->owner, caller, errand, &reply);
}

static gboolean
take_answer (BawnHttpCaller *caller,
             BawnHttpErrand *errand,
             const BawnHttpFrame *frame,
             GError **error)
{
  gboolean good =
      frame->type == BAWN_HTTP_FRAME_ANSWER
          ? bawn_http_message_begin (&errand->answer, frame, error)
          : bawn_http_message_feed (&errand->answer, frame->payload, frame->size, error);

  if (good && bawn_http_message_is_complete (&errand->answer))
    finish_answer (caller, errand);
  return good;
}

static gboolean
on_frame (gpointer owner, const BawnHttpFrame *frame, GError **error)
{
  BawnHttpCaller *caller = owner;
  BawnHttpErrand *errand = g_hash_table_lookup (caller->errands, GUINT_TO_POINTER (frame->id));

  switch (frame->type)
    {
    case BAWN_HTTP_FRAME_ANSWER:
    case BAWN_HTTP_FRAME_MORE:
      /* Nobody waits for it: cancelled meanwhile. */
      if (errand != NULL && !take_answer (caller, errand, frame, error))
        return FALSE;
      close_if_done (caller);
      return TRUE;
    case BAWN_HTTP_FRAME_NOT_ACTIVE:
      if (errand != NULL)
        {
          come_home (errand);
          caller->events->declined (caller->owner, caller, errand);
        }
      close_if_done (caller);
      return TRUE;
    case BAWN_HTTP_FRAME_GOODBYE:
      caller->events->goodbye (caller->owner, caller);
      return TRUE;
    case BAWN_HTTP_FRAME_HELLO:
    case BAWN_HTTP_FRAME_REQUEST:
    case BAWN_HTTP_FRAME_CANCEL:
      break;
    }

  return bawn_fail (error, BAWN_ERROR_INVALID, "asks where it should answer");
}

static void
on_hello (gpointer owner)
{
  BawnHttpCaller *caller = owner;

  caller->events->hello (caller->owner, caller);
}

static void
on_closed (gpointer owner, const char *why)
{
  BawnHttpCaller *caller = owner;
  g_autoptr (GPtrArray) errands = bawn_http_caller_dup_errands (caller);

  /* First, so that nobody sends what was lost on the same way again. */
  caller->events->closed (caller->owner, caller, why);
  for (guint i = 0; i < errands->len; i++)
    {
      BawnHttpErrand *errand = g_ptr_array_index (errands, i);

      /* Told of another, somebody may have taken it home. */
      if (errand->caller != caller)
        continue;
      gboolean sent = errand->parcel == NULL;
      come_home (errand);
      caller->events->lost (caller->owner, caller, errand, sent);
    }
  g_hash_table_unref (caller->errands);
  bawn_http_link_unref (caller->link);
  g_free (caller);
}

static const BawnHttpLinkEvents link_events = { .hello = on_hello,
                                                .frame = on_frame,
                                                .closed = on_closed };

/**
 * bawn_http_caller_new:
 * @wire: its handshake done; owned from here on if this succeeds
 * @context: where it lives
 * @poller: of that thread
 * @self: this node
 * @events: told to @owner
 * @owner: outlives it
 * @error: INTERNAL
 *
 * Returns: a caller, which frees itself after its link has closed
 */
BawnHttpCaller *
bawn_http_caller_new (BawnHttpWire *wire,
                      GMainContext *context,
                      BawnHttpPoller *poller,
                      const BawnPeer *self,
                      const BawnHttpCallerEvents *events,
                      gpointer owner,
                      GError **error)
{
  BawnHttpCaller *caller = g_new0 (BawnHttpCaller, 1);

  caller->events = events;
  caller->owner = owner;
  caller->link =
      bawn_http_link_new (wire, FALSE, context, poller, self, &link_events, caller, error);
  if (caller->link == NULL)
    {
      g_free (caller);
      return NULL;
    }
  caller->errands = g_hash_table_new (NULL, NULL);

  return caller;
}

/* Ends it now: it is freed when this returns. */
void
bawn_http_caller_close (BawnHttpCaller *caller, const char *why)
{
  bawn_http_link_close (caller->link, why);
}

/* Ends it after its last errand; perhaps it is freed when this returns. */
void
bawn_http_caller_retire (BawnHttpCaller *caller)
{
  caller->retired = TRUE;
  close_if_done (caller);
}

void
bawn_http_caller_say_hello (BawnHttpCaller *caller, const BawnPeer *self)
{
  bawn_http_link_say_hello (caller->link, self);
}

/* NULL: not known yet. */
const BawnPeer *
bawn_http_caller_get_peer (BawnHttpCaller *caller)
{
  return bawn_http_link_get_peer (caller->link);
}

/* (transfer container) (element-type BawnHttpErrand): those under way. */
GPtrArray *
bawn_http_caller_dup_errands (BawnHttpCaller *caller)
{
  return bawn_http_table_values (caller->errands);
}

/**
 * bawn_http_caller_send:
 * @caller: one that is not retired
 * @errand: at home
 * @head: taken: as bawn_http_link_post() wants it
 * @body: (nullable): not copied
 *
 * Asks.
 */
void
bawn_http_caller_send (BawnHttpCaller *caller,
                       BawnHttpErrand *errand,
                       BawnBuffer *head,
                       GBytes *body)
{
  do
    caller->last_id++;
  while (g_hash_table_contains (caller->errands, GUINT_TO_POINTER (caller->last_id)));
  errand->caller = caller;
  errand->id = caller->last_id;
  g_hash_table_insert (caller->errands, GUINT_TO_POINTER (errand->id), errand);
  bawn_http_link_post (caller->link, BAWN_HTTP_FRAME_REQUEST, errand->id, head, body,
                       &errand->parcel);
}

/* Nobody waits for the answer any more. Harmless at home. */
void
bawn_http_errand_cancel (BawnHttpErrand *errand)
{
  BawnHttpCaller *caller = errand->caller;

  if (caller == NULL)
    return;
  bawn_http_link_say (caller->link, BAWN_HTTP_FRAME_CANCEL, errand->id);
  come_home (errand);
  close_if_done (caller);
}
