/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-stream.h"

#include "http/bawn-http-stream-private.h"

#include <libsoup/soup.h>
#include <string.h>

/* One read from the socket. As large as a TLS record. */
#define READ_SIZE 16384

struct _BawnHttpStream
{
  GIOStream parent_instance;

  BawnHttpWire *wire; /* nullable: closed */
  BawnHttpPoller *poller;
  BawnHttpInterest interest;
  const BawnHttpStreamOwner *events;
  gpointer owner;
  GInputStream *input;
  GOutputStream *output;

  BawnHttpIntake intake;
  const char *feed; /* what is left for libsoup to read; NULL while a request is coming in */
  gboolean ended;   /* nothing more is read or written */

  gboolean hold_next;
  BawnBuffer held; /* the head of an answer, waiting for its body */
  gsize held_sent;
};

G_DEFINE_FINAL_TYPE (BawnHttpStream, bawn_http_stream, G_TYPE_IO_STREAM)

/* The request that libsoup sees. All that it decides by it is whether the answer has a body and whether the connection
 * lives on. */
static const char *
stand_in (const BawnHttpHead *head)
{
  static const char *const texts[2][2][2] = {
    { { "POST / HTTP/1.0\r\nHost: b\r\n\r\n", "POST / HTTP/1.0\r\nHost: b\r\nConnection: Keep-Alive\r\n\r\n" },
      { "POST / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n", "POST / HTTP/1.1\r\nHost: b\r\n\r\n" } },
    { { "HEAD / HTTP/1.0\r\nHost: b\r\n\r\n", "HEAD / HTTP/1.0\r\nHost: b\r\nConnection: Keep-Alive\r\n\r\n" },
      { "HEAD / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: b\r\n\r\n" } },
  };

  return texts[strcmp (head->method, "HEAD") == 0][head->minor][head->keep_alive != FALSE];
}

/* The connection is over. libsoup 3.2.3 forgets a connection that ends before the first byte of a request, and never frees
 * it; so it gets a byte, as of a request broken off, and lets go. */
static void
end (BawnHttpStream *self)
{
  self->ended = TRUE;
  self->feed = "\n";
}

/* Tells the client why, as well as that can be done, and reads no further. */
static void
refuse (BawnHttpStream *self, const BawnHttpRefusal *why)
{
  g_autofree char *body = g_strdup_printf ("{\"errors\":[\"%s\"]}\n", why->text);
  g_autofree char *text = g_strdup_printf ("HTTP/1.1 %u %s\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
                                           "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
                                           why->status, soup_status_get_phrase (why->status), strlen (body), body);

  bawn_http_wire_send (self->wire, text, strlen (text), NULL);
  self->events->refused (self->owner, why->status);
  end (self);
}

/* Tells the owner how far the request has come since @before. */
static void
tell (BawnHttpStream *self, BawnHttpIntakeState before)
{
  static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

  if (self->intake.state == BAWN_HTTP_INTAKE_COMPLETE)
    self->feed = stand_in (self->intake.head);
  if (before != BAWN_HTTP_INTAKE_HEAD || self->intake.state != BAWN_HTTP_INTAKE_BODY)
    return;
  self->events->body (self->owner);
  if (self->intake.head->expects_continue)
    bawn_http_wire_send (self->wire, go_on, sizeof go_on - 1, NULL);
}

static void
take (BawnHttpStream *self, const guint8 *data, gsize size)
{
  BawnHttpIntakeState before = self->intake.state;
  BawnHttpRefusal why = { 0, NULL };

  if (!self->intake.begun)
    self->events->began (self->owner);
  gboolean good
    = data != NULL ? bawn_http_intake_take (&self->intake, data, size, &why) : bawn_http_intake_take_rest (&self->intake, &why);
  if (good)
    tell (self, before);
  else
    refuse (self, &why);
}

/* Reads from the socket. FALSE: nothing is there now. */
static gboolean
receive (BawnHttpStream *self)
{
  guint8 data[READ_SIZE];
  g_autoptr(GError) error = NULL;
  gssize n = bawn_http_wire_receive (self->wire, data, sizeof data, &error);

  /* All that was there has come, if it was less than there is room for; of TLS, nobody knows. */
  if (n < (gssize) sizeof data && self->wire->session == NULL && !self->interest.hung_up)
    self->interest.readable = FALSE;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      self->interest.readable = FALSE;
      return FALSE;
    }
  if (n <= 0)
    {
      end (self);
      return TRUE;
    }
  take (self, data, (gsize) n);
  bawn_wipe (data, (gsize) n);

  return TRUE;
}

/* Reads until there is something for libsoup. FALSE: not now. */
static gboolean
pump (BawnHttpStream *self)
{
  if (bawn_http_intake_has_rest (&self->intake))
    take (self, NULL, 0);
  while (self->feed == NULL)
    if (!receive (self))
      return FALSE;

  return TRUE;
}

gssize
bawn_http_stream_read (BawnHttpStream *self, void *data, gsize size, GError **error)
{
  if (self->wire == NULL)
    return 0;
  if ((self->feed == NULL && !pump (self)) || (*self->feed == '\0' && !self->ended))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "would block");
      return -1;
    }

  gsize n = MIN (size, strlen (self->feed));
  memcpy (data, self->feed, n);
  self->feed += n;

  return (gssize) n;
}

/* The held head goes first, and @data with it. */
static gssize
write_held (BawnHttpStream *self, const void *data, gsize size, GError **error)
{
  gsize left = self->held.size - self->held_sent;
  gssize n = bawn_http_wire_send_two (self->wire, self->held.data + self->held_sent, left, data, size, error);

  if (n < 0)
    return -1;
  if ((gsize) n <= left)
    {
      self->held_sent += (gsize) n;
      if ((gsize) n < left)
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "would block");
          return -1;
        }
    }
  bawn_buffer_clear (&self->held);
  self->held_sent = 0;

  return (gsize) n > left ? n - (gssize) left : bawn_http_wire_send (self->wire, data, size, error);
}

static gssize
write_now (BawnHttpStream *self, const void *data, gsize size, GError **error)
{
  g_autoptr(GError) failure = NULL;
  gssize n = self->held.size > 0 ? write_held (self, data, size, &failure)
                                 : bawn_http_wire_send (self->wire, data, size, &failure);

  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    self->interest.writable = FALSE;
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));

  return n;
}

gssize
bawn_http_stream_write (BawnHttpStream *self, const void *data, gsize size, GError **error)
{
  if (self->wire == NULL || self->ended)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "closed");
      return -1;
    }
  if (self->hold_next)
    {
      self->hold_next = FALSE;
      bawn_buffer_append (&self->held, data, size);
      return (gssize) size;
    }

  return write_now (self, data, size, error);
}

/* Whether a read would get on without the socket. */
static gboolean
has_more (BawnHttpStream *self)
{
  return self->wire == NULL || self->ended || (self->feed != NULL && *self->feed != '\0')
         || (self->feed == NULL && bawn_http_intake_has_rest (&self->intake)) || bawn_http_wire_pending (self->wire);
}

gboolean
bawn_http_stream_is_ready (BawnHttpStream *self, GIOCondition condition)
{
  if (condition == G_IO_OUT)
    return self->wire == NULL || self->interest.writable;

  return has_more (self) || self->interest.readable;
}

GSource *
bawn_http_stream_wait (BawnHttpStream *self, GIOCondition condition)
{
  if (self->wire == NULL)
    return g_timeout_source_new (0);

  return bawn_http_interest_wait (&self->interest, condition, condition == G_IO_IN && has_more (self));
}

static gboolean
stream_close (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  BawnHttpStream *self = BAWN_HTTP_STREAM (stream);

  if (self->wire == NULL)
    return TRUE;
  bawn_http_poller_remove (self->poller, &self->interest, self->wire->fd);
  self->wire = NULL;
  bawn_http_stream_next (self);
  self->events->closed (self->owner);

  return TRUE;
}

/* GIO's own would close in a thread. */
static void
stream_close_async (GIOStream *stream, int priority, GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  g_autoptr(GTask) task = g_task_new (stream, cancellable, callback, user_data);

  stream_close (stream, NULL, NULL);
  g_task_return_boolean (task, TRUE);
}

static gboolean
stream_close_finish (GIOStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static GInputStream *
stream_get_input (GIOStream *stream)
{
  return BAWN_HTTP_STREAM (stream)->input;
}

static GOutputStream *
stream_get_output (GIOStream *stream)
{
  return BAWN_HTTP_STREAM (stream)->output;
}

static void
stream_finalize (GObject *object)
{
  BawnHttpStream *self = BAWN_HTTP_STREAM (object);

  bawn_http_stream_halves_forget (self->input, self->output);
  g_clear_object (&self->input);
  g_clear_object (&self->output);
  bawn_http_intake_clear (&self->intake);
  bawn_buffer_clear (&self->held);
  G_OBJECT_CLASS (bawn_http_stream_parent_class)->finalize (object);
}

static void
bawn_http_stream_class_init (BawnHttpStreamClass *klass)
{
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = stream_finalize;
  stream_class->get_input_stream = stream_get_input;
  stream_class->get_output_stream = stream_get_output;
  stream_class->close_fn = stream_close;
  stream_class->close_async = stream_close_async;
  stream_class->close_finish = stream_close_finish;
}

static void
bawn_http_stream_init (BawnHttpStream *self)
{
  self->input = bawn_http_stream_half_in_new (self);
  self->output = bawn_http_stream_half_out_new (self);
}

/**
 * bawn_http_stream_new:
 * @wire: open, its handshake done; not freed by the stream, which leaves it alone once closed
 * @poller: watches it; outlives the open stream
 * @limits: kept
 * @buffered: counts the bytes of bodies of many streams; atomic
 * @events: told to @owner
 * @owner: outlives the open stream
 *
 * Returns: (transfer full) (nullable): a stream; %NULL if the kernel has no room for it
 */
BawnHttpStream *
bawn_http_stream_new (BawnHttpWire *wire, BawnHttpPoller *poller, const BawnHttpLimits *limits, gssize *buffered,
                      const BawnHttpStreamOwner *events, gpointer owner)
{
  g_autoptr(BawnHttpStream) self = g_object_new (BAWN_TYPE_HTTP_STREAM, NULL);

  bawn_http_intake_init (&self->intake, limits, buffered);
  if (!bawn_http_poller_add (poller, &self->interest, wire->fd))
    return NULL;
  self->wire = wire;
  self->poller = poller;
  self->events = events;
  self->owner = owner;

  return g_steal_pointer (&self);
}

/**
 * bawn_http_stream_get_head:
 * @stream: a stream
 *
 * Returns: (nullable): the head of the request that libsoup has now
 */
BawnHttpHead *
bawn_http_stream_get_head (BawnHttpStream *stream)
{
  return stream->intake.head;
}

/**
 * bawn_http_stream_get_body:
 * @stream: a stream
 *
 * Returns: its body, which may be stolen
 */
BawnBuffer *
bawn_http_stream_get_body (BawnHttpStream *stream)
{
  return &stream->intake.body.data;
}

/**
 * bawn_http_stream_hold:
 * @stream: a stream
 *
 * Keeps the next write back until the one after it. To be called only when there will be another.
 */
void
bawn_http_stream_hold (BawnHttpStream *stream)
{
  stream->hold_next = TRUE;
}

/**
 * bawn_http_stream_next:
 * @stream: a stream
 *
 * The request has been answered: forgets it, and begins to look for the next.
 */
void
bawn_http_stream_next (BawnHttpStream *stream)
{
  bawn_http_intake_next (&stream->intake);
  stream->hold_next = FALSE;
  if (!stream->ended)
    stream->feed = NULL;
}
