/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-stream-private.h"

#include <gio/gpollableinputstream.h>
#include <gio/gpollableoutputstream.h>

/* The two pollable streams that a GIOStream must hand out. All they do is to ask the connection. */

struct _BawnHttpHalfIn
{
  GInputStream parent_instance;
  BawnHttpStream *stream; /* nullable */
};

struct _BawnHttpHalfOut
{
  GOutputStream parent_instance;
  BawnHttpStream *stream; /* nullable */
};

G_DECLARE_FINAL_TYPE (BawnHttpHalfIn, bawn_http_half_in, BAWN, HTTP_HALF_IN, GInputStream)
G_DECLARE_FINAL_TYPE (BawnHttpHalfOut, bawn_http_half_out, BAWN, HTTP_HALF_OUT, GOutputStream)

static void half_in_pollable_init (GPollableInputStreamInterface *iface);
static void half_out_pollable_init (GPollableOutputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (BawnHttpHalfIn, bawn_http_half_in, G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, half_in_pollable_init))
G_DEFINE_FINAL_TYPE_WITH_CODE (BawnHttpHalfOut, bawn_http_half_out, G_TYPE_OUTPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM, half_out_pollable_init))

/* As the interface wants it: around the stream's own. */
static GSource *
create_source (gpointer half, BawnHttpStream *stream, GIOCondition condition, GCancellable *cancellable)
{
  g_autoptr(GSource) base = stream != NULL ? bawn_http_stream_wait (stream, condition) : g_timeout_source_new (0);

  return g_pollable_source_new_full (half, base, cancellable);
}

static gssize
half_in_read (GInputStream *stream, void *data, gsize size, GCancellable *cancellable, GError **error)
{
  BawnHttpHalfIn *self = BAWN_HTTP_HALF_IN (stream);

  return self->stream != NULL ? bawn_http_stream_read (self->stream, data, size, error) : 0;
}

static gboolean
half_in_is_readable (GPollableInputStream *stream)
{
  BawnHttpHalfIn *self = BAWN_HTTP_HALF_IN (stream);

  return self->stream == NULL || bawn_http_stream_is_ready (self->stream, G_IO_IN);
}

static GSource *
half_in_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  return create_source (stream, BAWN_HTTP_HALF_IN (stream)->stream, G_IO_IN, cancellable);
}

static gssize
half_in_read_nonblocking (GPollableInputStream *stream, void *data, gsize size, GError **error)
{
  return half_in_read (G_INPUT_STREAM (stream), data, size, NULL, error);
}

static void
half_in_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = half_in_is_readable;
  iface->create_source = half_in_create_source;
  iface->read_nonblocking = half_in_read_nonblocking;
}

static void
bawn_http_half_in_class_init (BawnHttpHalfInClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = half_in_read;
}

static void
bawn_http_half_in_init (BawnHttpHalfIn *self)
{
}

static gssize
half_out_write (GOutputStream *stream, const void *data, gsize size, GCancellable *cancellable, GError **error)
{
  BawnHttpHalfOut *self = BAWN_HTTP_HALF_OUT (stream);

  if (self->stream != NULL)
    return bawn_http_stream_write (self->stream, data, size, error);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "closed");

  return -1;
}

static gboolean
half_out_is_writable (GPollableOutputStream *stream)
{
  BawnHttpHalfOut *self = BAWN_HTTP_HALF_OUT (stream);

  return self->stream == NULL || bawn_http_stream_is_ready (self->stream, G_IO_OUT);
}

static GSource *
half_out_create_source (GPollableOutputStream *stream, GCancellable *cancellable)
{
  return create_source (stream, BAWN_HTTP_HALF_OUT (stream)->stream, G_IO_OUT, cancellable);
}

static gssize
half_out_write_nonblocking (GPollableOutputStream *stream, const void *data, gsize size, GError **error)
{
  return half_out_write (G_OUTPUT_STREAM (stream), data, size, NULL, error);
}

static void
half_out_pollable_init (GPollableOutputStreamInterface *iface)
{
  iface->is_writable = half_out_is_writable;
  iface->create_source = half_out_create_source;
  iface->write_nonblocking = half_out_write_nonblocking;
}

static void
bawn_http_half_out_class_init (BawnHttpHalfOutClass *klass)
{
  G_OUTPUT_STREAM_CLASS (klass)->write_fn = half_out_write;
}

static void
bawn_http_half_out_init (BawnHttpHalfOut *self)
{
}

GInputStream *
bawn_http_stream_half_in_new (BawnHttpStream *stream)
{
  BawnHttpHalfIn *self = g_object_new (bawn_http_half_in_get_type (), NULL);

  self->stream = stream;
  return G_INPUT_STREAM (self);
}

GOutputStream *
bawn_http_stream_half_out_new (BawnHttpStream *stream)
{
  BawnHttpHalfOut *self = g_object_new (bawn_http_half_out_get_type (), NULL);

  self->stream = stream;
  return G_OUTPUT_STREAM (self);
}

void
bawn_http_stream_halves_forget (GInputStream *input, GOutputStream *output)
{
  BAWN_HTTP_HALF_IN (input)->stream = NULL;
  BAWN_HTTP_HALF_OUT (output)->stream = NULL;
}
