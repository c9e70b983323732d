/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-link.h"

#include "util/bawn-error.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* One TLS record: what is gathered before it goes out, and the most of one message in it. */
#define RECORD_SIZE 16384
/* A chunk smaller than this is not worth its header: it waits for the next record. */
#define MIN_CHUNK 512
/* Records read in one go, so that one peer does not starve the clients. */
#define READ_BATCH 16
/* What is taken from the socket in one go. */
#define RAW_SIZE (2 * RECORD_SIZE)
/* A frame that is almost there, and what comes in behind it. */
#define IN_SIZE (BAWN_HTTP_FRAME_HEADER_SIZE + BAWN_HTTP_FRAME_MAX_PAYLOAD + RECORD_SIZE)

typedef struct
{
  GSource source;
  BawnHttpLink *link;
} LinkSource;

struct _BawnHttpLink
{
  guint refs;
  BawnHttpWire wire;
  gboolean accepted;
  gboolean closed;
  BawnHttpPoller *poller;
  BawnHttpInterest interest;
  GSource *source;
  const BawnHttpLinkEvents *events;
  gpointer owner;
  BawnPeer *peer;  /* nullable: has not said who it is */
  gint64 heard_us; /* when something came in */
  gint64 moved_us; /* when something went out, or nothing was to */

  GQueue parcels;
  gsize queued;     /* bytes in them that have not gone out */
  BawnBuffer hello; /* its payload, to be repeated */
  guint8 *out;      /* one record */
  gsize out_size;
  gsize out_sent;
  guint8 *in;
  gsize in_size;
  guint8 *raw; /* read from the socket, and not yet by GnuTLS */
  gsize raw_size;
  gsize raw_used;
  int errsv; /* what the socket has said; 0: nothing bad */
};

static gsize
parcel_size (const BawnHttpParcel *parcel)
{
  return parcel->head.size + (parcel->body != NULL ? g_bytes_get_size (parcel->body) : 0);
}

/* Takes it out of the queue and frees it. */
static void
drop_parcel (BawnHttpLink *link, BawnHttpParcel *parcel)
{
  if (parcel->slot != NULL)
    *parcel->slot = NULL;
  link->queued -= parcel_size (parcel) - parcel->done;
  g_queue_unlink (&link->parcels, &parcel->link);
  bawn_buffer_clear (&parcel->head);
  g_clear_pointer (&parcel->body, g_bytes_unref);
  g_free (parcel);
}

static BawnHttpLink *
link_ref (BawnHttpLink *link)
{
  link->refs++;
  return link;
}

void
bawn_http_link_unref (BawnHttpLink *link)
{
  if (--link->refs > 0)
    return;
  bawn_buffer_clear (&link->hello);
  bawn_wipe (link->in, IN_SIZE);
  g_free (link->in);
  bawn_wipe (link->out, RECORD_SIZE);
  g_free (link->out);
  g_free (link->raw);
  bawn_peer_free (link->peer);
  g_free (link);
}

/**
 * bawn_http_link_close:
 * @link: a link
 * @why: for the log
 *
 * Ends it at once and tells its owner. Harmless when done already.
 */
void
bawn_http_link_close (BawnHttpLink *link, const char *why)
{
  if (link->closed)
    return;

  g_autoptr (BawnHttpLink) kept G_GNUC_UNUSED = link_ref (link);
  link->closed = TRUE;
  g_source_destroy (link->source);
  g_clear_pointer (&link->source, g_source_unref);
  bawn_http_poller_remove (link->poller, &link->interest, link->wire.fd);
  bawn_http_wire_close (&link->wire);
  link->events->closed (link->owner, why);
  while (link->parcels.head != NULL)
    drop_parcel (link, link->parcels.head->data);
}

/* Copies the next part of a message out. */
static void
copy_part (const BawnHttpParcel *parcel, guint8 *out, gsize size)
{
  gsize at = parcel->done;
  gsize from_head = at < parcel->head.size ? MIN (size, parcel->head.size - at) : 0;

  if (from_head > 0)
    memcpy (out, parcel->head.data + at, from_head);
  if (size > from_head)
    memcpy (out + from_head,
            (const guint8 *) g_bytes_get_data (parcel->body, NULL)
                + (at + from_head - parcel->head.size),
            size - from_head);
}

/* Fills the record from the queue: whole messages, and a part of each that is long. */
static void
fill_record (BawnHttpLink *link)
{
  for (guint n = link->parcels.length; n > 0; n--)
    {
      BawnHttpParcel *parcel = link->parcels.head->data;
      gsize left = parcel_size (parcel) - parcel->done;
      gsize room = RECORD_SIZE - link->out_size;

      if (room < BAWN_HTTP_FRAME_HEADER_SIZE + MIN (left, MIN_CHUNK))
        return;

      gsize size = MIN (left, room - BAWN_HTTP_FRAME_HEADER_SIZE);
      guint8 *out = link->out + link->out_size;
      bawn_http_frame_write_header (out, parcel->done > 0 ? BAWN_HTTP_FRAME_MORE : parcel->type,
                                    parcel->id, size);
      copy_part (parcel, out + BAWN_HTTP_FRAME_HEADER_SIZE, size);
      link->out_size += BAWN_HTTP_FRAME_HEADER_SIZE + size;
      parcel->done += size;
      link->queued -= size;
      if (size == left)
        {
          drop_parcel (link, parcel);
          continue;
        }
      g_queue_unlink (&link->parcels, &parcel->link);
      g_queue_push_tail_link (&link->parcels, &parcel->link);
    }
}

static gboolean
has_output (BawnHttpLink *link)
{
  return link->out_sent < link->out_size || link->parcels.length > 0;
}

/* Sends what the socket takes. FALSE: the link has broken. */
static gboolean
flush (BawnHttpLink *link, GError **error)
{
  while (link->interest.writable && has_output (link))
    {
      g_autoptr (GError) failure = NULL;

      if (link->out_sent == link->out_size)
        {
          link->out_sent = 0;
          link->out_size = 0;
          fill_record (link);
        }

      gssize n = bawn_http_wire_send (&link->wire, link->out + link->out_sent,
                                      link->out_size - link->out_sent, &failure);
      if (n >= 0)
        {
          bawn_wipe (link->out + link->out_sent, (gsize) n);
          link->out_sent += (gsize) n;
          link->moved_us = g_get_monotonic_time ();
          continue;
        }
      link->interest.writable = FALSE;
      if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
    }

  return TRUE;
}

static gboolean
take_hello (BawnHttpLink *link, const BawnHttpFrame *frame, GError **error)
{
  g_autoptr (BawnPeer) peer = bawn_http_hello_read (frame->payload, frame->size, error);

  if (peer == NULL)
    return FALSE;
  if (link->peer != NULL && g_strcmp0 (link->peer->node_id, peer->node_id) != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "has become another node");
  bawn_peer_free (link->peer);
  link->peer = g_steal_pointer (&peer);
  link->events->hello (link->owner);

  return TRUE;
}

static gboolean
take_frame (BawnHttpLink *link, const BawnHttpFrame *frame, GError **error)
{
  if (frame->type == BAWN_HTTP_FRAME_HELLO)
    return take_hello (link, frame, error);
  if (link->peer == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "has not said who it is");

  return link->events->frame (link->owner, frame, error);
}

/* Takes all complete frames out of what has come in. */
static gboolean
digest (BawnHttpLink *link, GError **error)
{
  gsize used = 0;

  while (!link->closed)
    {
      BawnHttpFrame frame = { 0 };
      gsize n = 0;

      if (!bawn_http_frame_read (link->in + used, link->in_size - used, &frame, &n, error))
        return FALSE;
      if (n == 0)
        break;
      used += n;
      if (!take_frame (link, &frame, error))
        return FALSE;
    }
  memmove (link->in, link->in + used, link->in_size - used);
  bawn_wipe (link->in + link->in_size - used, used);
  link->in_size -= used;

  return TRUE;
}

/* Whether the peer had better read what it has asked for before it asks for more. */
static gboolean
is_choked (BawnHttpLink *link)
{
  return link->accepted && link->queued > BAWN_HTTP_LINK_MAX_QUEUED;
}

/* GnuTLS itself reads the five bytes of each record's head, then its body, then asks in vain for
 * another: three system calls where one does. */
static ssize_t
pull (gnutls_transport_ptr_t ptr, void *data, size_t size)
{
  BawnHttpLink *link = ptr;

  if (link->raw_used == link->raw_size)
    {
      gssize n = -1;

      errno = EAGAIN;
      if (link->interest.readable)
        n = recv (link->wire.fd, link->raw, RAW_SIZE, 0);
      /* All that was there has come, if it was less than there is room for. */
      if (n < RAW_SIZE && !link->interest.hung_up)
        link->interest.readable = FALSE;
      if (n <= 0)
        {
          link->errsv = n < 0 && errno != EAGAIN && errno != EINTR ? errno : 0;
          link->interest.readable = link->interest.readable && errno != EAGAIN;
          gnutls_transport_set_errno (link->wire.session, errno);
          return n;
        }
      link->raw_size = (gsize) n;
      link->raw_used = 0;
    }

  gsize n = MIN (size, link->raw_size - link->raw_used);
  memcpy (data, link->raw + link->raw_used, n);
  link->raw_used += n;

  return (ssize_t) n;
}

static gboolean
receive (BawnHttpLink *link, GError **error)
{
  for (guint i = 0; i < READ_BATCH && !link->closed && !is_choked (link); i++)
    {
      g_autoptr (GError) failure = NULL;
      gssize n = bawn_http_wire_receive (&link->wire, link->in + link->in_size,
                                         IN_SIZE - link->in_size, &failure);

      if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return TRUE;
      if (n == 0)
        return bawn_fail (error, BAWN_ERROR_UPSTREAM, "has hung up");
      if (n < 0)
        return bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s",
                          link->errsv != 0 ? g_strerror (link->errsv) : failure->message);
      link->heard_us = g_get_monotonic_time ();
      link->in_size += (gsize) n;
      if (!digest (link, error))
        return FALSE;
    }

  return TRUE;
}

/* Ahead of all messages, but not of those that have begun. */
static void
push_hello (BawnHttpLink *link)
{
  BawnHttpParcel *parcel = g_new0 (BawnHttpParcel, 1);

  parcel->link.data = parcel;
  parcel->type = BAWN_HTTP_FRAME_HELLO;
  bawn_buffer_append (&parcel->head, link->hello.data, link->hello.size);
  link->queued += parcel->head.size;
  g_queue_push_head_link (&link->parcels, &parcel->link);
}

/* Once a second: says hello, and sees whether the peer has, and whether it listens. FALSE: not for
 * too long. */
static gboolean
tick (BawnHttpLink *link, gint64 now_us, GError **error)
{
  if (is_choked (link))
    link->heard_us = now_us; /* nobody has listened */
  if (!has_output (link))
    link->moved_us = now_us;
  if (now_us - link->heard_us > BAWN_HTTP_LINK_DEAD_US)
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "is silent");
  if (now_us - link->moved_us > BAWN_HTTP_LINK_DEAD_US)
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "does not read");
  /* One that waits for room need not be joined by others. */
  if (link->out_sent == link->out_size)
    push_hello (link);
  g_source_set_ready_time (link->source, now_us + BAWN_HTTP_HEARTBEAT_US);

  return TRUE;
}

static gboolean
can_read (BawnHttpLink *link)
{
  return !is_choked (link)
         && (link->interest.readable || link->raw_used < link->raw_size
             || bawn_http_wire_pending (&link->wire));
}

static gboolean
link_prepare (GSource *source, gint *timeout)
{
  BawnHttpLink *link = ((LinkSource *) source)->link;

  return can_read (link) || (link->interest.writable && has_output (link));
}

static gboolean
link_check (GSource *source)
{
  return link_prepare (source, NULL);
}

/* Reads and sends what it can. */
static void
run (BawnHttpLink *link, gboolean due, gint64 now_us)
{
  g_autoptr (BawnHttpLink) kept G_GNUC_UNUSED = link_ref (link);
  g_autoptr (GError) error = NULL;
  gboolean good = (!can_read (link) || receive (link, &error))
                  && (link->closed || !due || tick (link, now_us, &error));

  if (good && !link->closed)
    good = flush (link, &error);
  if (!good)
    bawn_http_link_close (link, error->message);
}

static void
on_changed (gpointer owner)
{
  run (owner, FALSE, 0);
}

static gboolean
link_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  gint64 now_us = g_source_get_time (source);

  run (((LinkSource *) source)->link, now_us >= g_source_get_ready_time (source), now_us);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs link_funcs = { .prepare = link_prepare,
                                   .check = link_check,
                                   .dispatch = link_dispatch };

/* Small messages leave at once, and a peer that has gone without a word is noticed while something
 * is to be sent to it. */
static void
set_options (int fd)
{
  static const int on = 1;
  static const unsigned int timeout_ms = BAWN_HTTP_LINK_DEAD_US / 1000;

  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt (fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

/**
 * bawn_http_link_new:
 * @wire: its handshake done; copied, and owned from here on if this succeeds
 * @accepted: the other node has connected
 * @context: where it lives
 * @poller: of that thread
 * @self: what to say hello with
 * @events: told to @owner
 * @owner: outlives the open link
 * @error: INTERNAL: the kernel has no room for it
 *
 * Returns: (transfer full): a link, to be closed before it is let go of
 */
BawnHttpLink *
bawn_http_link_new (BawnHttpWire *wire,
                    gboolean accepted,
                    GMainContext *context,
                    BawnHttpPoller *poller,
                    const BawnPeer *self,
                    const BawnHttpLinkEvents *events,
                    gpointer owner,
                    GError **error)
{
  g_autofree BawnHttpLink *link = g_new0 (BawnHttpLink, 1);

  if (!bawn_http_poller_add (poller, &link->interest, wire->fd))
    return bawn_fail_null (error, BAWN_ERROR_INTERNAL, "cannot watch a connection: %s",
                           g_strerror (errno));
  link->interest.changed = on_changed;
  link->interest.owner = link;
  set_options (wire->fd);
  link->refs = 1;
  link->wire = *wire;
  link->accepted = accepted;
  link->poller = poller;
  link->events = events;
  link->owner = owner;
  link->heard_us = g_get_monotonic_time ();
  link->moved_us = link->heard_us;
  link->in = g_malloc (IN_SIZE);
  link->out = g_malloc (RECORD_SIZE);
  link->raw = g_malloc (RAW_SIZE);
  gnutls_transport_set_ptr2 (link->wire.session, link, GINT_TO_POINTER (wire->fd));
  gnutls_transport_set_pull_function (link->wire.session, pull);
  link->source = g_source_new (&link_funcs, sizeof (LinkSource));
  ((LinkSource *) link->source)->link = link;
  g_source_set_static_name (link->source, "bawn-http-link");
  g_source_set_ready_time (link->source, link->heard_us + BAWN_HTTP_HEARTBEAT_US);
  bawn_http_link_say_hello (link, self);
  g_source_attach (link->source, context);

  return g_steal_pointer (&link);
}

/* Says now, and goes on saying, who this node is. */
void
bawn_http_link_say_hello (BawnHttpLink *link, const BawnPeer *self)
{
  if (link->closed)
    return;
  bawn_buffer_clear (&link->hello);
  bawn_http_hello_write (self, &link->hello);
  push_hello (link);
}

/* Sends a frame that has no payload. */
void
bawn_http_link_say (BawnHttpLink *link, BawnHttpFrameType type, guint32 id)
{
  BawnBuffer nothing = BAWN_BUFFER_INIT;
  BawnHttpParcel *parcel = g_new0 (BawnHttpParcel, 1);

  parcel->link.data = parcel;
  parcel->type = type;
  parcel->id = id;
  parcel->head = nothing;
  g_queue_push_tail_link (&link->parcels, &parcel->link);
}

/**
 * bawn_http_link_post:
 * @link: an open link
 * @type: REQUEST or ANSWER
 * @id: its number
 * @head: taken: BAWN_HTTP_FRAME_MESSAGE_PREFIX bytes of room, and the message's head
 * @body: (nullable): not copied
 * @slot: (nullable): where the parcel is kept until it has been sent
 *
 * Sends a message.
 */
void
bawn_http_link_post (BawnHttpLink *link,
                     BawnHttpFrameType type,
                     guint32 id,
                     BawnBuffer *head,
                     GBytes *body,
                     BawnHttpParcel **slot)
{
  BawnHttpParcel *parcel = g_new0 (BawnHttpParcel, 1);

  bawn_http_message_prefix (head->data, head->size - BAWN_HTTP_FRAME_MESSAGE_PREFIX,
                            body != NULL ? g_bytes_get_size (body) : 0);
  parcel->link.data = parcel;
  parcel->slot = slot;
  parcel->type = type;
  parcel->id = id;
  parcel->head = *head;
  parcel->body = body != NULL ? g_bytes_ref (body) : NULL;
  *head = (BawnBuffer) BAWN_BUFFER_INIT;
  link->queued += parcel_size (parcel);
  if (slot != NULL)
    *slot = parcel;
  g_queue_push_tail_link (&link->parcels, &parcel->link);
}

/* Does not send what has not been sent of it yet. */
void
bawn_http_link_withdraw (BawnHttpLink *link, BawnHttpParcel *parcel)
{
  drop_parcel (link, parcel);
}

/* NULL: it has not said who it is. */
const BawnPeer *
bawn_http_link_get_peer (BawnHttpLink *link)
{
  return link->peer;
}

/* (transfer container): the values of @table, to be walked while it changes. As
 * g_hash_table_get_values_as_ptr_array() of GLib 2.76. */
GPtrArray *
bawn_http_table_values (GHashTable *table)
{
  GPtrArray *values = g_ptr_array_sized_new (g_hash_table_size (table));
  GHashTableIter iter;
  gpointer value = NULL;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (values, value);

  return values;
}
