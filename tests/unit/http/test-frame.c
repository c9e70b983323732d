/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-frame.h"

#define RAW(text) (const guint8 *) text, sizeof text - 1

static void
a_frame_comes_in_pieces (void)
{
  static const guint8 wire[] = { 0,   0,   0,   3,  BAWN_HTTP_FRAME_MORE, 0, 0, 0, 0, 0, 1, 2,
                                 'a', 'b', 'c', 'x' };
  BawnHttpFrame frame = { 0 };
  gsize used = 1;

  for (gsize size = 0; size < 15; size++)
    {
      g_assert_true (bawn_http_frame_read (wire, size, &frame, &used, NULL));
      g_assert_cmpuint (used, ==, 0);
    }
  g_assert_true (bawn_http_frame_read (wire, sizeof wire, &frame, &used, NULL));
  g_assert_cmpuint (used, ==, 15);
  g_assert_cmpint (frame.type, ==, BAWN_HTTP_FRAME_MORE);
  g_assert_cmpuint (frame.id, ==, 258);
  g_assert_cmpmem (frame.payload, frame.size, "abc", 3);
}

static void
a_header_is_read_as_written (void)
{
  guint8 wire[BAWN_HTTP_FRAME_HEADER_SIZE];
  BawnHttpFrame frame = { 0 };
  gsize used = 0;

  bawn_http_frame_write_header (wire, BAWN_HTTP_FRAME_CANCEL, 0xfedcba98, 0);
  g_assert_true (bawn_http_frame_read (wire, sizeof wire, &frame, &used, NULL));
  g_assert_cmpuint (used, ==, sizeof wire);
  g_assert_cmpint (frame.type, ==, BAWN_HTTP_FRAME_CANCEL);
  g_assert_cmpuint (frame.id, ==, 0xfedcba98);
}

static void
what_is_no_frame_is_refused (void)
{
  static const guint8 wires[][BAWN_HTTP_FRAME_HEADER_SIZE] = {
    { 0, 1, 0, 1, 2, 0, 0, 0, 0, 0, 0, 1 },
    { 255, 255, 255, 255, 2, 0, 0, 0, 0, 0, 0, 1 },
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
    { 0, 0, 0, 0, BAWN_HTTP_FRAME_GOODBYE + 1, 0, 0, 0, 0, 0, 0, 1 },
    { 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wires); i++)
    {
      g_autoptr (GError) error = NULL;
      BawnHttpFrame frame = { 0 };
      gsize used = 0;

      g_assert_false (bawn_http_frame_read (wires[i], sizeof wires[i], &frame, &used, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
    }
}

static void
a_message_is_put_together (void)
{
  const BawnHttpFrame first = { .payload = (const guint8 *) "\0\0\0\4\0\0\0\5he", .size = 10 };
  g_auto (BawnHttpMessage) message = BAWN_HTTP_MESSAGE_INIT;

  g_assert_true (bawn_http_message_begin (&message, &first, NULL));
  g_assert_false (bawn_http_message_is_complete (&message));
  g_assert_true (bawn_http_message_feed (&message, RAW ("adbo"), NULL));
  g_assert_false (bawn_http_message_is_complete (&message));
  g_assert_true (bawn_http_message_feed (&message, RAW (""), NULL));
  g_assert_true (bawn_http_message_feed (&message, RAW ("dy!"), NULL));
  g_assert_true (bawn_http_message_is_complete (&message));
  g_assert_cmpmem (message.head.data, message.head.size, "head", 4);
  g_assert_cmpmem (message.body.data, message.body.size, "body!", 5);
  g_assert_false (bawn_http_message_feed (&message, RAW ("x"), NULL));
}

static void
a_call_is_read_as_written (void)
{
  const BawnHttpCall call = { .id = (char *) "the id",
                              .remote_address = (char *) "2001:db8::1",
                              .remote_port = 65535,
                              .authorize_only = TRUE,
                              .repeated = TRUE,
                              .deadline_ms = 90000,
                              .head = (const guint8 *) "GET\0x",
                              .head_size = 5 };
  g_auto (BawnHttpCall) again = { 0 };
  g_auto (BawnBuffer) wire = BAWN_BUFFER_INIT;

  bawn_http_call_write (&call, &wire);
  g_assert_true (bawn_http_call_read (&again, wire.data, wire.size, NULL));
  g_assert_cmpstr (again.id, ==, "the id");
  g_assert_cmpstr (again.remote_address, ==, "2001:db8::1");
  g_assert_cmpuint (again.remote_port, ==, 65535);
  g_assert_true (again.authorize_only);
  g_assert_true (again.repeated);
  g_assert_cmpuint (again.deadline_ms, ==, 90000);
  g_assert_cmpmem (again.head, again.head_size, "GET\0x", 5);

  /* Cut anywhere, it is none. */
  for (gsize size = 0; size < wire.size; size++)
    {
      g_auto (BawnHttpCall) cut = { 0 };
      g_assert_false (bawn_http_call_read (&cut, wire.data, size, NULL));
    }

  /* A flag that this version does not know may change what is asked. */
  g_auto (BawnHttpCall) flagged = { 0 };
  wire.data[3] |= 4;
  g_assert_false (bawn_http_call_read (&flagged, wire.data, wire.size, NULL));
}

static void
an_answer_is_read_as_written (void)
{
  g_auto (BawnHttpReply) reply = { .status = 429,
                                   .retry_after_s = 7,
                                   .content_type = g_strdup ("text/plain"),
                                   .location = g_strdup ("/x"),
                                   .headers = g_ptr_array_new_with_free_func (g_free) };
  g_auto (BawnHttpReply) again = { 0 };
  g_auto (BawnBuffer) wire = BAWN_BUFFER_INIT;

  g_ptr_array_add (reply.headers, g_strdup ("X-A"));
  g_ptr_array_add (reply.headers, g_strdup ("\xc3\xa4, b"));
  g_ptr_array_add (reply.headers, g_strdup ("X-B"));
  g_ptr_array_add (reply.headers, g_strdup (""));
  bawn_http_answer_write (&reply, &wire);
  g_assert_true (bawn_http_answer_read (&again, wire.data, wire.size, NULL));
  g_assert_cmpuint (again.status, ==, 429);
  g_assert_cmpuint (again.retry_after_s, ==, 7);
  g_assert_cmpstr (again.content_type, ==, "text/plain");
  g_assert_cmpstr (again.location, ==, "/x");
  g_assert_cmpuint (again.headers->len, ==, 4);
  g_assert_cmpstr (g_ptr_array_index (again.headers, 1), ==, "\xc3\xa4, b");
  g_assert_cmpstr (g_ptr_array_index (again.headers, 3), ==, "");
  for (gsize size = 0; size < wire.size; size++)
    {
      g_auto (BawnHttpReply) cut = { 0 };
      g_assert_false (bawn_http_answer_read (&cut, wire.data, size, NULL));
    }
}

static void
assert_answer_refused (guint status, const char *name, const char *value)
{
  g_auto (BawnHttpReply)
      reply = { .status = status, .headers = g_ptr_array_new_with_free_func (g_free) };
  g_auto (BawnHttpReply) again = { 0 };
  g_auto (BawnBuffer) wire = BAWN_BUFFER_INIT;

  g_ptr_array_add (reply.headers, g_strdup (name));
  g_ptr_array_add (reply.headers, g_strdup (value));
  bawn_http_answer_write (&reply, &wire);
  g_assert_false (bawn_http_answer_read (&again, wire.data, wire.size, NULL));
}

static void
an_answer_that_would_break_the_clients_is_refused (void)
{
  assert_answer_refused (99, "X", "y");
  assert_answer_refused (100, "X", "y");
  assert_answer_refused (600, "X", "y");
  assert_answer_refused (200, "", "y");
  assert_answer_refused (200, "X Y", "y");
  assert_answer_refused (200, "X:", "y");
  assert_answer_refused (200, "X", "y\r\nSet-Cookie: z");
  assert_answer_refused (200, "X\n", "y");
  assert_answer_refused (200, "X", "\xff");
}

static BawnPeer *
read_hello (const BawnBuffer *wire, GError **error)
{
  return bawn_http_hello_read (wire->data, wire->size, error);
}

static void
a_hello_is_read_as_written (void)
{
  const BawnPeer peer = { .node_id = (char *) "id",
                          .hostname = (char *) "host",
                          .api_addr = (char *) "https://a:8200",
                          .version = (char *) "1.2",
                          .state = (char *) "standby" };
  g_auto (BawnBuffer) wire = BAWN_BUFFER_INIT;

  bawn_http_hello_write (&peer, &wire);
  /* What a newer version says beyond it does not matter. */
  bawn_buffer_append_string (&wire, "more");
  g_autoptr (BawnPeer) again = read_hello (&wire, NULL);
  g_assert_cmpstr (again->node_id, ==, "id");
  g_assert_cmpstr (again->hostname, ==, "host");
  g_assert_cmpstr (again->api_addr, ==, "https://a:8200");
  g_assert_cmpstr (again->cluster_addr, ==, "");
  g_assert_cmpstr (again->version, ==, "1.2");
  g_assert_cmpstr (again->state, ==, "standby");
  g_assert_cmpint (again->last_contact_us, >, 0);
}

static void
a_hello_in_another_language_is_refused (void)
{
  const BawnPeer peer = { .node_id = (char *) "id" };
  g_autoptr (GError) error = NULL;
  g_auto (BawnBuffer) wire = BAWN_BUFFER_INIT;

  bawn_http_hello_write (&peer, &wire);
  wire.data[3] = 9; /* its newest */
  g_autoptr (BawnPeer) newer = read_hello (&wire, NULL);
  g_assert_nonnull (newer);
  wire.data[7] = 9; /* its oldest */
  g_assert_null (read_hello (&wire, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UNSUPPORTED);
}

static void
a_hello_of_nobody_is_refused (void)
{
  const BawnPeer nobody = { .node_id = (char *) "" };
  g_autofree char *longer = g_strnfill (BAWN_HTTP_FRAME_MAX_TEXT + 1, 'x');
  const BawnPeer talker = { .node_id = longer };
  g_auto (BawnBuffer) wire = BAWN_BUFFER_INIT;

  bawn_http_hello_write (&nobody, &wire);
  g_assert_null (read_hello (&wire, NULL));
  bawn_buffer_clear (&wire);
  bawn_http_hello_write (&talker, &wire);
  g_assert_null (read_hello (&wire, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/frame/a-frame-comes-in-pieces", a_frame_comes_in_pieces);
  g_test_add_func ("/http/frame/a-header-is-read-as-written", a_header_is_read_as_written);
  g_test_add_func ("/http/frame/what-is-no-frame-is-refused", what_is_no_frame_is_refused);
  g_test_add_func ("/http/frame/a-message-is-put-together", a_message_is_put_together);
  g_test_add_func ("/http/frame/a-call-is-read-as-written", a_call_is_read_as_written);
  g_test_add_func ("/http/frame/an-answer-is-read-as-written", an_answer_is_read_as_written);
  g_test_add_func ("/http/frame/an-answer-that-would-break-the-clients-is-refused",
                   an_answer_that_would_break_the_clients_is_refused);
  g_test_add_func ("/http/frame/a-hello-is-read-as-written", a_hello_is_read_as_written);
  g_test_add_func ("/http/frame/a-hello-in-another-language-is-refused",
                   a_hello_in_another_language_is_refused);
  g_test_add_func ("/http/frame/a-hello-of-nobody-is-refused", a_hello_of_nobody_is_refused);

  return g_test_run ();
}
