/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* What one read asks for: many replies at once, and large ones in not too many steps. */
#define READ_SIZE (64 * 1024)

struct _BawnZkConnection
{
  guint refs; /* the owner, and each operation under way */
  guint *alive;
  const BawnZkOptions *options;
  const BawnZkAddress *address;
  const BawnZkConnectionEvents *events;
  gpointer owner; /* (nullable): %NULL as soon as nothing may be called any more */
  GMainContext *context;
  GCancellable *cancellable;
  GSource *deadline; /* (nullable): of the stage under way */
  GIOStream *stream; /* (nullable) */

  BawnBuffer in;
  BawnBuffer out; /* gathers while @writing is under way */
  BawnBuffer writing;
  gboolean is_writing;
  gboolean is_open;
  gint64 last_sent_us;
  gint64 last_received_us;
};

static void read_more (BawnZkConnection *self);

static BawnZkConnection *
hold (BawnZkConnection *self)
{
  self->refs++;
  return self;
}

static void
release (BawnZkConnection *self)
{
  if (--self->refs > 0)
    return;

  (*self->alive)--;
  g_clear_object (&self->stream);
  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
  bawn_buffer_clear (&self->in);
  bawn_buffer_clear (&self->out);
  bawn_buffer_clear (&self->writing);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnZkConnection, release)

static void
disarm (BawnZkConnection *self)
{
  if (self->deadline == NULL)
    return;

  g_source_destroy (self->deadline);
  g_clear_pointer (&self->deadline, g_source_unref);
}

/* From here on nothing is called any more. */
static gpointer
detach (BawnZkConnection *self)
{
  disarm (self);
  g_cancellable_cancel (self->cancellable);
  return g_steal_pointer (&self->owner);
}

static void
fail (BawnZkConnection *self, const GError *why)
{
  if (self->owner == NULL)
    return;

  g_autoptr (GError) error = g_error_new (BAWN_ERROR, BAWN_ERROR_UPSTREAM, "ZooKeeper at %s: %s",
                                          self->address->text, why->message);
  gpointer owner = detach (self);

  self->events->closed (owner, error);
  release (self);
}

static void
fail_text (BawnZkConnection *self, const char *text)
{
  g_autoptr (GError) why = g_error_new_literal (BAWN_ERROR, BAWN_ERROR_UPSTREAM, text);

  fail (self, why);
}

static gboolean
on_deadline (gpointer data)
{
  BawnZkConnection *self = data;

  fail_text (self, self->stream == NULL ? "could not be connected to in time"
                                        : "did not open a session in time");
  return G_SOURCE_REMOVE;
}

static void
arm (BawnZkConnection *self, gint64 timeout_us)
{
  disarm (self);
  self->deadline = g_timeout_source_new ((guint) (timeout_us / 1000));
  g_source_set_callback (self->deadline, on_deadline, self, NULL);
  g_source_attach (self->deadline, self->context);
}

static void write_more (BawnZkConnection *self);

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (BawnZkConnection) self = data;
  g_autoptr (GError) error = NULL;

  self->is_writing = FALSE;
  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error))
    fail (self, error);
  else
    write_more (self);
}

static void
write_more (BawnZkConnection *self)
{
  if (self->is_writing || self->out.size == 0 || self->owner == NULL)
    return;

  BawnBuffer empty = self->writing;

  bawn_buffer_truncate (&empty, 0);
  self->writing = self->out;
  self->out = empty;
  self->is_writing = TRUE;
  self->last_sent_us = g_get_monotonic_time ();
  g_output_stream_write_all_async (g_io_stream_get_output_stream (self->stream), self->writing.data,
                                   self->writing.size, G_PRIORITY_DEFAULT, self->cancellable,
                                   on_written, hold (self));
}

static void
take_greeting (BawnZkConnection *self, GBytes *frame)
{
  g_autoptr (GError) error = NULL;
  BawnZkSession session = { 0 };
  gint32 timeout_ms = 0;

  disarm (self);
  if (!bawn_zk_parse_connect (frame, &timeout_ms, &session, &error))
    {
      fail (self, error);
      return;
    }
  if (session.id == 0)
    {
      gpointer owner = detach (self);

      self->events->expired (owner);
      release (self);
      return;
    }

  self->is_open = TRUE;
  self->events->opened (self->owner, timeout_ms, &session);
  bawn_wipe (&session, sizeof session);
}

static void
take_frame (BawnZkConnection *self, gconstpointer data, gsize size)
{
  g_autoptr (GBytes) frame = bawn_bytes_new (data, size);

  if (self->is_open)
    self->events->received (self->owner, g_steal_pointer (&frame));
  else
    take_greeting (self, frame);
}

/* Takes the whole frames of what was read, and leaves the beginning of the next. */
static void
take_input (BawnZkConnection *self)
{
  gsize at = 0;

  while (self->owner != NULL && self->in.size - at >= sizeof (guint32))
    {
      guint32 wire = 0;

      memcpy (&wire, self->in.data + at, sizeof wire);

      gsize size = GUINT32_FROM_BE (wire);

      if (size > BAWN_ZK_MAX_REPLY)
        {
          fail_text (self, "a reply is too large, or this is not ZooKeeper");
          return;
        }
      if (self->in.size - at - sizeof wire < size)
        break;
      take_frame (self, self->in.data + at + sizeof wire, size);
      at += sizeof wire + size;
    }

  if (at > 0)
    {
      memmove (self->in.data, self->in.data + at, self->in.size - at);
      bawn_buffer_truncate (&self->in, self->in.size - at);
    }
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (BawnZkConnection) self = data;
  g_autoptr (GError) error = NULL;
  gssize size = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (size < 0)
    {
      fail (self, error);
      return;
    }
  if (size == 0)
    {
      fail_text (self, self->is_open ? "closed the connection"
                                     : "closed the connection instead of opening a session");
      return;
    }

  self->last_received_us = g_get_monotonic_time ();
  self->in.size += (gsize) size;
  take_input (self);
  if (self->owner != NULL)
    read_more (self);
}

static void
read_more (BawnZkConnection *self)
{
  /* Room is made for what has arrived, never for what a length promises. */
  bawn_buffer_reserve (&self->in, READ_SIZE);
  g_input_stream_read_async (g_io_stream_get_input_stream (self->stream),
                             self->in.data + self->in.size, READ_SIZE, G_PRIORITY_DEFAULT,
                             self->cancellable, on_read, hold (self));
}

static void
greet (BawnZkConnection *self)
{
  /* Opening a session takes a majority's consent. */
  arm (self, MAX (self->options->connect_timeout_us, self->options->session_timeout_us / 2));
  write_more (self);
  read_more (self);
}

static void
on_shaken (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (BawnZkConnection) self = data;
  g_autoptr (GError) error = NULL;
  GTlsConnection *tls = G_TLS_CONNECTION (source);

  if (!g_tls_connection_handshake_finish (tls, result, &error))
    fail (self, error);
  else if (g_tls_connection_get_protocol_version (tls) < self->options->min_version)
    fail_text (self, "speaks an older TLS than tls-min-version asks for");
  else if (self->owner != NULL)
    greet (self);
}

static void
set_socket_options (const BawnZkOptions *options, GSocketConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection);

  /* A server's host that is gone is noticed as soon as what was sent is not acknowledged, not only
   * when the session's time is over. Neither option is needed for anything but speed. */
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_USER_TIMEOUT,
                       (gint) (options->session_timeout_us / 3 / 1000), NULL);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (BawnZkConnection) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) connection =
      g_socket_client_connect_to_host_finish (G_SOCKET_CLIENT (source), result, &error);

  if (connection == NULL)
    {
      fail (self, error);
      return;
    }
  if (self->owner == NULL)
    return;

  set_socket_options (self->options, connection);
  if (!self->options->tls)
    {
      self->stream = G_IO_STREAM (g_steal_pointer (&connection));
      greet (self);
      return;
    }

  GTlsConnection *tls =
      bawn_zk_options_wrap (self->options, G_IO_STREAM (connection), self->address, &error);

  if (tls == NULL)
    {
      fail (self, error);
      return;
    }
  self->stream = G_IO_STREAM (tls);
  g_tls_connection_handshake_async (tls, G_PRIORITY_DEFAULT, self->cancellable, on_shaken,
                                    hold (self));
}

BawnZkConnection *
bawn_zk_connection_open (const BawnZkOptions *options,
                         const BawnZkAddress *address,
                         const BawnZkSession *session,
                         gint64 last_zxid,
                         const BawnZkConnectionEvents *events,
                         gpointer owner,
                         guint *alive)
{
  BawnZkConnection *self = g_new0 (BawnZkConnection, 1);
  g_autoptr (GSocketClient) client = g_socket_client_new ();

  self->refs = 1;
  self->alive = alive;
  self->options = options;
  self->address = address;
  self->events = events;
  self->owner = owner;
  self->context = g_main_context_ref_thread_default ();
  self->cancellable = g_cancellable_new ();
  self->last_sent_us = self->last_received_us = g_get_monotonic_time ();
  (*alive)++;
  bawn_zk_write_connect (&self->out, last_zxid, (gint32) (options->session_timeout_us / 1000),
                         session);

  g_socket_client_set_enable_proxy (client, FALSE);
  arm (self, options->connect_timeout_us);
  g_socket_client_connect_to_host_async (client, address->host, address->port, self->cancellable,
                                         on_connected, hold (self));
  return self;
}

void
bawn_zk_connection_close (BawnZkConnection *self)
{
  detach (self);
  release (self);
}

void
bawn_zk_connection_send (BawnZkConnection *self, gconstpointer data, gsize size)
{
  bawn_buffer_append (&self->out, data, size);
}

void
bawn_zk_connection_flush (BawnZkConnection *self)
{
  if (self->is_open)
    write_more (self);
}

gint64
bawn_zk_connection_last_sent_us (BawnZkConnection *self)
{
  return self->last_sent_us;
}

gint64
bawn_zk_connection_last_received_us (BawnZkConnection *self)
{
  return self->last_received_us;
}

gboolean
bawn_zk_connection_is_flushed (BawnZkConnection *self)
{
  return !self->is_writing && self->out.size == 0;
}

const char *
bawn_zk_connection_get_address (BawnZkConnection *self)
{
  return self->address->text;
}
