/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-rest-private.h"

#include "util/bawn-bytes.h"

#include <string.h>

#define READ_SIZE (16 * 1024)

struct _BawnRestStream
{
  BawnRest *rest;
  BawnRestLane *lane;
  BawnRestAlarm alarm;
  BawnRestExchange exchange;
  BawnBuffer buffer; /* what was read and is not a whole line yet, or several */
  gsize searched;
  gboolean is_over;
};

static BawnRestStream *
stream_new (BawnRest *rest, guint address, gint64 deadline_us, GCancellable *cancellable)
{
  BawnRestStream *stream = g_new0 (BawnRestStream, 1);
  gint64 connect_us =
      MIN (deadline_us, g_get_monotonic_time () + rest->options->connect_timeout_us);

  stream->rest = bawn_rest_ref (rest);
  stream->lane = bawn_rest_lane_new (address, rest->authorities);
  bawn_rest_alarm_start (&stream->alarm, rest->alarms, connect_us, cancellable);
  stream->exchange = (BawnRestExchange){
    .options = rest->options,
    .address = bawn_rest_get_address (rest, address),
    .identity = rest->identity,
    .lane = stream->lane,
    .alarm = &stream->alarm,
    .deadline_us = deadline_us,
  };
  return stream;
}

/**
 * bawn_rest_open_stream:
 * @rest: a client
 * @request: what to ask
 * @cancellable: (nullable): gives it up; it need not be the one of later reads
 * @error: (out) (optional): UPSTREAM, or TIMEOUT if it was cancelled
 *
 * Sends a request whose answer is read line by line, to the server that answered last or to the
 * next one, and waits until the answer begins. Blocks; from any thread.
 *
 * Returns: (transfer full): the answer; any status
 */
BawnRestStream *
bawn_rest_open_stream (BawnRest *rest,
                       const BawnRestRequest *request,
                       GCancellable *cancellable,
                       GError **error)
{
  gint64 timeout_us =
      request->timeout_us > 0 ? request->timeout_us : rest->options->request_timeout_us;
  gint64 deadline_us = g_get_monotonic_time () + timeout_us;
  guint n = rest->options->addresses->len;
  guint address = bawn_rest_get_current (rest);
  g_autoptr (GString) faults = g_string_new (NULL);

  for (guint i = 0; i < n && (i == 0 || g_get_monotonic_time () < deadline_us);
       i++, address = (address + 1) % n)
    {
      gint64 now_us = g_get_monotonic_time ();
      gint64 try_us = now_us + MAX (deadline_us - now_us, 0) / (n - i);
      g_autoptr (BawnRestStream) stream = stream_new (rest, address, try_us, cancellable);
      g_autoptr (GError) why = NULL;

      if (bawn_rest_exchange_run (&stream->exchange, request, &why) == BAWN_REST_ANSWERED)
        {
          /* From here on each read has a limit of its own, which must not end the whole. */
          bawn_rest_alarm_disarm (&stream->alarm);
          return g_steal_pointer (&stream);
        }
      if (g_cancellable_is_cancelled (cancellable))
        return bawn_fail_null (error, BAWN_ERROR_TIMEOUT, "given up");

      bawn_rest_leave_address (rest, address);
      g_string_append_printf (faults, "%s%s", faults->len > 0 ? "; " : "", why->message);
    }

  return bawn_fail_null (error, BAWN_ERROR_UPSTREAM, "%s", faults->str);
}

guint
bawn_rest_stream_get_status (BawnRestStream *stream)
{
  return soup_message_get_status (stream->exchange.message);
}

const char *
bawn_rest_stream_get_address (BawnRestStream *stream)
{
  return stream->exchange.address->shown;
}

gboolean
bawn_rest_stream_is_current (BawnRestStream *stream)
{
  return bawn_rest_get_current (stream->rest) == stream->lane->address;
}

static GBytes *
cut_line (BawnRestStream *stream, gsize size, gsize skip)
{
  BawnBuffer *buffer = &stream->buffer;
  GBytes *line = bawn_bytes_new (buffer->data, size);
  gsize rest = buffer->size - size - skip;

  memmove (buffer->data, buffer->data + size + skip, rest);
  bawn_buffer_truncate (buffer, rest);
  stream->searched = 0;
  return line;
}

static GBytes *
find_line (BawnRestStream *stream)
{
  BawnBuffer *buffer = &stream->buffer;
  const guint8 *end =
      buffer->size > stream->searched
          ? memchr (buffer->data + stream->searched, '\n', buffer->size - stream->searched)
          : NULL;

  stream->searched = buffer->size;
  if (end != NULL)
    return cut_line (stream, (gsize) (end - buffer->data), 1);
  if (stream->is_over && buffer->size > 0)
    return cut_line (stream, buffer->size, 0);

  return NULL;
}

static gssize
read_more (BawnRestStream *stream, GCancellable *cancellable, GError **error)
{
  bawn_buffer_reserve (&stream->buffer, READ_SIZE);
  bawn_rest_lane_enter (stream->lane);

  gssize n =
      g_input_stream_read (stream->exchange.stream, stream->buffer.data + stream->buffer.size,
                           READ_SIZE, cancellable, error);

  bawn_rest_lane_leave (stream->lane);
  if (n > 0)
    stream->buffer.size += (gsize) n;
  return n;
}

/**
 * bawn_rest_stream_read:
 * @stream: a stream
 * @timeout_us: how long to wait for a line at most
 * @out_line: (out) (transfer full): the line, for %BAWN_REST_STREAM_LINE
 * @cancellable: (nullable): gives up
 * @error: (out) (optional): UPSTREAM if the connection broke, TIMEOUT if it was cancelled
 *
 * Blocks.
 *
 * Returns: what there was
 */
BawnRestStreamResult
bawn_rest_stream_read (BawnRestStream *stream,
                       gint64 timeout_us,
                       GBytes **out_line,
                       GCancellable *cancellable,
                       GError **error)
{
  const char *shown = stream->exchange.address->shown;
  g_auto (BawnRestAlarm) alarm = { 0 };

  bawn_rest_alarm_start (&alarm, stream->rest->alarms, g_get_monotonic_time () + timeout_us,
                         cancellable);
  for (;;)
    {
      g_autoptr (GError) why = NULL;
      GBytes *line = find_line (stream);

      if (line != NULL)
        {
          *out_line = line;
          return BAWN_REST_STREAM_LINE;
        }
      if (stream->is_over)
        return BAWN_REST_STREAM_END;
      if (stream->buffer.size > BAWN_REST_MAX_LINE)
        {
          bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s: a line is longer than %d bytes", shown,
                     BAWN_REST_MAX_LINE);
          return BAWN_REST_STREAM_FAILED;
        }

      gssize n = read_more (stream, alarm.cancellable, &why);

      stream->is_over = n == 0;
      if (n >= 0)
        continue;
      if (bawn_rest_alarm_rang (&alarm) && g_error_matches (why, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return BAWN_REST_STREAM_NOTHING;
      if (g_cancellable_is_cancelled (cancellable))
        bawn_fail (error, BAWN_ERROR_TIMEOUT, "given up");
      else
        bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s: %s", shown, why->message);
      return BAWN_REST_STREAM_FAILED;
    }
}

/**
 * bawn_rest_stream_free:
 * @stream: (nullable) (transfer full): a stream
 *
 * Closes its connection.
 */
void
bawn_rest_stream_free (BawnRestStream *stream)
{
  if (stream == NULL)
    return;

  bawn_rest_exchange_clear (&stream->exchange);
  bawn_rest_alarm_clear (&stream->alarm);
  bawn_rest_lane_free (stream->lane);
  bawn_buffer_clear (&stream->buffer);
  bawn_rest_unref (stream->rest);
  g_free (stream);
}
