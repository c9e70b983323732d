/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-rest.h"
#include "tests/contract/bawn-expect.h"
#include "tests/unit/backend/bawn-odd-server.h"
#include "tests/unit/backend/bawn-papers.h"

#include <glib/gstdio.h>
#include <string.h>

/* Nobody listens there. */
#define NOBODY "127.0.0.1:1"

/* A slow machine is no failure: what does not say how long gets long. */
static BawnRest *
open_with (const char *lines, BawnRestTryNext try_next)
{
  g_autofree char *text = g_strdup_printf (
      "[storage]\n%s\n%s%s", lines, strstr (lines, "connect-timeout") ? "" : "connect-timeout=2m\n",
      strstr (lines, "request-timeout") ? "" : "request-timeout=5m\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnConfig) config = bawn_config_load_data ("test.conf", text, strlen (text), &error);
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");
  g_autoptr (BawnRestOptions) options = bawn_rest_options_read (group, "http://127.0.0.1:2379");

  bawn_config_expect (config, (const char *const[]){ "storage", NULL });
  bawn_config_check (config, &error);
  g_assert_no_error (error);

  BawnRest *rest = bawn_rest_new (options, try_next, &error);

  g_assert_no_error (error);
  return rest;
}

static BawnRest *
open_at (const char *addresses)
{
  g_autofree char *lines = g_strconcat ("address=", addresses, NULL);

  return open_with (lines, NULL);
}

static const BawnRestRequest read_request = { .method = "GET",
                                              .path = "/x",
                                              .is_repeatable = TRUE };

static BawnRestRequest
write_request (const char *method, GBytes *body)
{
  return (BawnRestRequest){
    .method = method, .path = "/x", .body = body, .content_type = "application/json"
  };
}

static void
assert_body (const BawnRestReply *reply, const char *expected)
{
  gsize size = 0;
  const char *data = g_bytes_get_data (reply->body, &size);

  g_assert_cmpmem (data, size, expected, strlen (expected));
}

static gboolean
echo (BawnOddServer *server, const BawnOddRequest *request, GIOStream *stream, gpointer data)
{
  g_autofree char *answer = g_strdup_printf ("%.*s|%s", (int) strcspn (request->head, "\r"),
                                             request->head, request->body);

  return bawn_odd_answer (stream, 200, answer);
}

static void
test_answer (void)
{
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, echo, NULL);
  g_autoptr (BawnRest) rest = open_at (bawn_odd_server_get_address (server));
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
  BawnRestRequest request = write_request ("PUT", body);

  for (guint i = 0; i < 3; i++)
    {
      g_auto (BawnRestReply) reply = { 0 };

      assert_works (bawn_rest_call (rest, &request, &reply, NULL, &error));
      g_assert_cmpuint (reply.status, ==, 200);
      g_assert_cmpstr (g_hash_table_lookup (reply.headers, "x-odd"), ==, "Yes");
      assert_body (&reply, "PUT /x HTTP/1.1|{}");
    }

  /* A POST too goes over the connection that is there. */
  g_auto (BawnRestReply) reply = { 0 };

  request.method = "POST";
  assert_works (bawn_rest_call (rest, &request, &reply, NULL, &error));
  g_assert_cmpuint (bawn_odd_server_count_connections (server), ==, 1);
}

static gboolean
say_in_chunks (BawnOddServer *server,
               const BawnOddRequest *request,
               GIOStream *stream,
               gpointer data)
{
  return bawn_odd_write (
      stream,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
}

static void
test_chunks (void)
{
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, say_in_chunks, NULL);
  g_autoptr (BawnRest) rest = open_at (bawn_odd_server_get_address (server));
  BawnRestRequest request = write_request ("POST", NULL);

  for (guint i = 0; i < 3; i++)
    {
      g_auto (BawnRestReply) reply = { 0 };

      assert_works (bawn_rest_call (rest, &request, &reply, NULL, &error));
      assert_body (&reply, "abc");
    }
  g_assert_cmpuint (bawn_odd_server_count_connections (server), ==, 1);
}

static gboolean
say_three (BawnOddServer *server, const BawnOddRequest *request, GIOStream *stream, gpointer data)
{
  if (request->number == 0)
    return bawn_odd_write (stream, "HTTP/1.1 307 Go\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n");
  if (request->number == 1)
    return bawn_odd_write (
        stream,
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");

  return bawn_odd_answer (stream, 500, "no");
}

static void
test_any_status (void)
{
  static const guint statuses[] = { 307, 401, 500 };
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, say_three, NULL);
  g_autoptr (BawnRest) rest = open_at (bawn_odd_server_get_address (server));

  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++)
    {
      g_auto (BawnRestReply) reply = { 0 };

      assert_works (bawn_rest_call (rest, &read_request, &reply, NULL, &error));
      g_assert_cmpuint (reply.status, ==, statuses[i]);
    }
  g_assert_cmpuint (bawn_odd_server_count_requests (server), ==, 3);
}

static void
test_failover (void)
{
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, echo, NULL);
  g_autofree char *addresses =
      g_strdup_printf ("%s,http://%s/", NOBODY, bawn_odd_server_get_address (server));
  g_autoptr (BawnRest) rest = open_at (addresses);
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
  BawnRestRequest request = write_request ("POST", body);
  g_auto (BawnRestReply) reply = { 0 };

  /* A refused connection got nothing: not even what must not be repeated need fail. */
  assert_works (bawn_rest_call (rest, &request, &reply, NULL, &error));
  g_assert_true (g_str_has_suffix (reply.address, bawn_odd_server_get_address (server)));
}

static void
test_nobody (void)
{
  g_autoptr (BawnRest) rest = open_at (NOBODY ",127.0.0.1:2");
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
  BawnRestRequest request = write_request ("POST", body);
  g_auto (BawnRestReply) reply = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_false (bawn_rest_call (rest, &request, &reply, NULL, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
  g_assert_nonnull (strstr (error->message, "http://" NOBODY));
  g_assert_nonnull (strstr (error->message, "http://127.0.0.1:2"));
}

/* Who is asked, and who says that another should be. */
static gboolean
is_refusal (const BawnRestReply *reply)
{
  return reply->status == 503;
}

static gboolean
refuse (BawnOddServer *server, const BawnOddRequest *request, GIOStream *stream, gpointer data)
{
  return bawn_odd_answer (stream, 503, "no leader");
}

static void
test_try_next (void)
{
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, echo, NULL);
  g_autoptr (BawnOddServer) refuser = bawn_odd_server_new (NULL, NULL, refuse, NULL);
  g_autofree char *lines = g_strdup_printf ("address=%s, %s", bawn_odd_server_get_address (refuser),
                                            bawn_odd_server_get_address (server));
  g_autoptr (BawnRest) rest = open_with (lines, is_refusal);
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
  BawnRestRequest request = write_request ("POST", body);

  for (guint i = 0; i < 3; i++)
    {
      g_auto (BawnRestReply) reply = { 0 };

      assert_works (bawn_rest_call (rest, &request, &reply, NULL, &error));
      g_assert_cmpuint (reply.status, ==, 200);
    }
  /* It stays with the one that served. */
  g_assert_cmpuint (bawn_odd_server_count_requests (refuser), ==, 1);
  g_assert_cmpuint (bawn_odd_server_count_requests (server), ==, 3);
}

static void
test_all_refuse (void)
{
  g_autoptr (BawnOddServer) refuser = bawn_odd_server_new (NULL, NULL, refuse, NULL);
  g_autofree char *lines =
      g_strdup_printf ("address=%s,%s", bawn_odd_server_get_address (refuser), NOBODY);
  g_autoptr (BawnRest) rest = open_with (lines, is_refusal);
  g_auto (BawnRestReply) reply = { 0 };

  assert_works (bawn_rest_call (rest, &read_request, &reply, NULL, &error));
  g_assert_cmpuint (reply.status, ==, 503);
  assert_body (&reply, "no leader");
}

/* Cuts the connection at one request, in one of several ways. */
typedef struct
{
  guint at;
  const char *last_words;
} Cut;

static gboolean
cut (BawnOddServer *server, const BawnOddRequest *request, GIOStream *stream, gpointer data)
{
  const Cut *how = data;

  if (request->number != how->at)
    return echo (server, request, stream, NULL);
  if (how->last_words != NULL)
    bawn_odd_write (stream, how->last_words);

  return FALSE;
}

static const char *const last_words[] = {
  NULL,
  "HTTP/1.1 2",
  "HTTP/1.1 200 OK\r\nContent-Len",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
  "HTTP/1.1 200 OK\r\n\r\nab",
  "no HTTP at all\r\n\r\n",
};

/* The one promise that everything above stands on: what must not be repeated reaches a server once
 * at most, whatever its method and whether its connection was used before. */
static void
test_lost_write (void)
{
  static const char *const methods[] = { "POST", "PUT", "DELETE", "GET" };

  for (gsize i = 0; i < G_N_ELEMENTS (last_words); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (methods); j++)
      for (guint used_before = 0; used_before < 2; used_before++)
        {
          Cut how = { used_before, last_words[i] };
          g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, cut, &how);
          g_autofree char *twice = g_strdup_printf ("%s,%s", bawn_odd_server_get_address (server),
                                                    bawn_odd_server_get_address (server));
          g_autoptr (BawnRest) rest = open_at (twice);
          g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
          BawnRestRequest request = write_request (methods[j], j < 2 ? body : NULL);
          g_auto (BawnRestReply) first = { 0 };
          g_auto (BawnRestReply) reply = { 0 };

          if (used_before)
            assert_works (bawn_rest_call (rest, &request, &first, NULL, &error));
          assert_fails (bawn_rest_call (rest, &request, &reply, NULL, &error),
                        BAWN_ERROR_UNKNOWN_OUTCOME);
          g_assert_cmpuint (bawn_odd_server_count_requests (server), ==, used_before + 1);

          /* And the next works. */
          assert_works (bawn_rest_call (rest, &request, &reply, NULL, &error));
        }
}

static void
test_lost_read (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (last_words); i++)
    for (guint used_before = 0; used_before < 2; used_before++)
      {
        Cut how = { used_before, last_words[i] };
        g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, cut, &how);
        g_autofree char *twice = g_strdup_printf ("%s,%s", bawn_odd_server_get_address (server),
                                                  bawn_odd_server_get_address (server));
        g_autoptr (BawnRest) rest = open_at (twice);
        g_auto (BawnRestReply) first = { 0 };
        g_auto (BawnRestReply) reply = { 0 };

        if (used_before)
          assert_works (bawn_rest_call (rest, &read_request, &first, NULL, &error));
        assert_works (bawn_rest_call (rest, &read_request, &reply, NULL, &error));
        assert_body (&reply, "GET /x HTTP/1.1|");
      }
}

/* Nothing was sent over what was closed in the meantime. */
static void
test_kept_connection_closed (void)
{
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, echo, NULL);
  g_autoptr (BawnRest) rest = open_at (bawn_odd_server_get_address (server));
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
  BawnRestRequest request = write_request ("POST", body);

  for (guint i = 0; i < 5; i++)
    {
      g_auto (BawnRestReply) reply = { 0 };

      assert_works (bawn_rest_call (rest, &request, &reply, NULL, &error));
      bawn_odd_server_hang_up (server);
    }
  g_assert_cmpuint (bawn_odd_server_count_requests (server), ==, 5);
  g_assert_cmpuint (bawn_odd_server_count_connections (server), ==, 5);
}

static gboolean
stay_silent (BawnOddServer *server, const BawnOddRequest *request, GIOStream *stream, gpointer data)
{
  return TRUE;
}

static gboolean
misdirect (BawnOddServer *server, const BawnOddRequest *request, GIOStream *stream, gpointer data)
{
  return bawn_odd_answer (stream, 421, "");
}

static void
test_misdirected (void)
{
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, misdirect, NULL);
  g_autoptr (BawnRest) rest = open_at (bawn_odd_server_get_address (server));
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
  BawnRestRequest request = write_request ("POST", body);
  g_auto (BawnRestReply) reply = { 0 };

  assert_fails (bawn_rest_call (rest, &request, &reply, NULL, &error), BAWN_ERROR_UNKNOWN_OUTCOME);
  g_assert_cmpuint (bawn_odd_server_count_requests (server), ==, 1);
}

static void
test_request_timeout (void)
{
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, stay_silent, NULL);
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
  BawnRestRequest request = write_request ("POST", body);
  /* With and without a unit, and of the call itself. */
  static const char *const keys[] = { "request-timeout=150ms", "request-timeout=1", "" };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *lines =
          g_strdup_printf ("address=%s\n%s", bawn_odd_server_get_address (server), keys[i]);
      g_autoptr (BawnRest) rest = open_with (lines, NULL);
      g_auto (BawnRestReply) reply = { 0 };
      g_autoptr (GError) error = NULL;

      request.timeout_us = *keys[i] == '\0' ? 100 * G_TIME_SPAN_MILLISECOND : 0;
      g_assert_false (bawn_rest_call (rest, &request, &reply, NULL, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UNKNOWN_OUTCOME);
      g_assert_nonnull (strstr (error->message, "no answer in time"));
    }
}

/* A server that hangs leaves time for the next, if the request may go there. */
static void
test_silent_server (void)
{
  g_autoptr (BawnOddServer) silent = bawn_odd_server_new (NULL, NULL, stay_silent, NULL);
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, echo, NULL);
  g_autofree char *lines =
      g_strdup_printf ("address=%s,%s\nrequest-timeout=6", bawn_odd_server_get_address (silent),
                       bawn_odd_server_get_address (server));
  g_autoptr (BawnRest) rest = open_with (lines, NULL);
  g_auto (BawnRestReply) reply = { 0 };
  g_auto (BawnRestReply) second = { 0 };

  assert_works (bawn_rest_call (rest, &read_request, &reply, NULL, &error));
  assert_works (bawn_rest_call (rest, &read_request, &second, NULL, &error));
  g_assert_cmpuint (bawn_odd_server_count_requests (silent), ==, 1);
}

/* A listener that accepts nobody, and whose queue is full: connecting to it takes for ever. */
static GSocket *
deaf_new (GPtrArray *callers, char **out_address)
{
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  GSocket *deaf =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

  g_socket_set_listen_backlog (deaf, 0);
  g_assert_true (g_socket_bind (deaf, any, FALSE, NULL));
  g_assert_true (g_socket_listen (deaf, NULL));

  g_autoptr (GSocketAddress) address = g_socket_get_local_address (deaf, NULL);

  for (guint i = 0; i < 4; i++)
    {
      GSocket *caller =
          g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

      g_socket_set_blocking (caller, FALSE);
      g_socket_connect (caller, address, NULL, NULL);
      g_ptr_array_add (callers, caller);
    }
  *out_address = g_strdup_printf ("127.0.0.1:%u",
                                  g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  return deaf;
}

static void
test_connect_timeout (void)
{
  g_autoptr (GPtrArray) callers = g_ptr_array_new_with_free_func (g_object_unref);
  g_autofree char *address = NULL;
  g_autoptr (GSocket) deaf = deaf_new (callers, &address);
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, echo, NULL);
  g_autofree char *lines = g_strdup_printf ("address=%s,%s\nconnect-timeout=1\nrequest-timeout=10m",
                                            address, bawn_odd_server_get_address (server));
  g_autoptr (BawnRest) rest = open_with (lines, NULL);
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
  BawnRestRequest request = write_request ("POST", body);
  g_auto (BawnRestReply) reply = { 0 };

  assert_works (bawn_rest_call (rest, &request, &reply, NULL, &error));
}

/* A call on a thread of its own. */
typedef struct
{
  BawnRest *rest;
  BawnRestRequest request;
  GCancellable *cancellable;
  GError *error;
  gboolean worked;
} Caller;

static gpointer
call_it (gpointer data)
{
  Caller *caller = data;
  g_auto (BawnRestReply) reply = { 0 };

  caller->worked =
      bawn_rest_call (caller->rest, &caller->request, &reply, caller->cancellable, &caller->error);
  return NULL;
}

static void
test_cancelled (void)
{
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, stay_silent, NULL);
  g_autofree char *lines =
      g_strdup_printf ("address=%s\nrequest-timeout=10m", bawn_odd_server_get_address (server));
  g_autoptr (BawnRest) rest = open_with (lines, NULL);
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);

  for (guint repeatable = 0; repeatable < 2; repeatable++)
    {
      Caller caller = { .rest = rest,
                        .request = write_request ("POST", body),
                        .cancellable = g_cancellable_new () };

      caller.request.is_repeatable = repeatable;

      GThread *thread = g_thread_new ("caller", call_it, &caller);

      bawn_odd_server_await (server, repeatable + 1);
      g_cancellable_cancel (caller.cancellable);
      g_thread_join (thread);
      if (repeatable)
        g_assert_error (caller.error, BAWN_ERROR, BAWN_ERROR_TIMEOUT);
      else
        g_assert_error (caller.error, BAWN_ERROR, BAWN_ERROR_UNKNOWN_OUTCOME);
      g_clear_error (&caller.error);

      /* Before it began, nothing is unknown. */
      call_it (&caller);
      g_assert_error (caller.error, BAWN_ERROR, BAWN_ERROR_TIMEOUT);
      g_clear_error (&caller.error);
      g_object_unref (caller.cancellable);
    }
  g_assert_cmpuint (bawn_odd_server_count_requests (server), ==, 2);
}

/* Holds all but "/x2" until it may go on, and notes how many were there at a time. */
typedef struct
{
  GMutex lock;
  GCond changed;
  guint n_now;
  guint n_most;
  gboolean may_go;
} Gate;

static gboolean
hold (BawnOddServer *server, const BawnOddRequest *request, GIOStream *stream, gpointer data)
{
  Gate *gate = data;

  g_mutex_lock (&gate->lock);
  gate->n_now++;
  gate->n_most = MAX (gate->n_most, gate->n_now);
  g_cond_broadcast (&gate->changed);
  while (!gate->may_go)
    g_cond_wait (&gate->changed, &gate->lock);
  gate->n_now--;
  g_mutex_unlock (&gate->lock);

  return bawn_odd_answer (stream, 200, "");
}

static void
await_gate (Gate *gate, guint n_now)
{
  g_mutex_lock (&gate->lock);
  while (gate->n_now < n_now)
    g_cond_wait (&gate->changed, &gate->lock);
  g_mutex_unlock (&gate->lock);
}

#define PARALLEL 3
#define CALLERS 20

static void
test_max_parallel (void)
{
  Gate gate = { 0 };
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, hold, &gate);
  g_autofree char *lines = g_strdup_printf ("address=%s\nmax-parallel=%d",
                                            bawn_odd_server_get_address (server), PARALLEL);
  g_autoptr (BawnRest) rest = open_with (lines, NULL);
  Caller callers[CALLERS + 2] = { 0 };
  GThread *threads[CALLERS + 2] = { 0 };

  for (guint i = 0; i < CALLERS; i++)
    {
      callers[i] = (Caller){ .rest = rest, .request = read_request };
      threads[i] = g_thread_new ("caller", call_it, &callers[i]);
    }
  await_gate (&gate, PARALLEL);

  /* One that would wait for its turn gives up when its time is over, or when it is told to. */
  Caller hasty = { .rest = rest, .request = read_request };

  hasty.request.timeout_us = 50 * G_TIME_SPAN_MILLISECOND;
  call_it (&hasty);
  g_assert_error (hasty.error, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
  g_assert_nonnull (strstr (hasty.error->message, "max-parallel"));
  g_clear_error (&hasty.error);

  hasty.request.timeout_us = 0;
  hasty.cancellable = g_cancellable_new ();

  GThread *thread = g_thread_new ("caller", call_it, &hasty);

  g_cancellable_cancel (hasty.cancellable);
  g_thread_join (thread);
  g_assert_error (hasty.error, BAWN_ERROR, BAWN_ERROR_TIMEOUT);
  g_clear_error (&hasty.error);
  g_object_unref (hasty.cancellable);

  /* Waits come besides. */
  for (guint i = CALLERS; i < CALLERS + 2; i++)
    {
      callers[i] = (Caller){ .rest = rest, .request = read_request };
      callers[i].request.is_wait = TRUE;
      threads[i] = g_thread_new ("caller", call_it, &callers[i]);
    }
  await_gate (&gate, PARALLEL + 2);

  g_mutex_lock (&gate.lock);
  g_assert_cmpuint (gate.n_most, ==, PARALLEL + 2);
  gate.may_go = TRUE;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
  for (guint i = 0; i < CALLERS + 2; i++)
    {
      g_thread_join (threads[i]);
      g_assert_no_error (callers[i].error);
      g_assert_true (callers[i].worked);
    }
  g_assert_cmpuint (gate.n_most, <=, PARALLEL + 2);
  g_assert_cmpuint (bawn_odd_server_count_connections (server), <=, PARALLEL + 2);
}

static gboolean
say_lines (BawnOddServer *server, const BawnOddRequest *request, GIOStream *stream, gpointer data)
{
  Gate *gate = data;

  bawn_odd_write (
      stream,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n6\r\ntwo\nth\r\n");
  g_mutex_lock (&gate->lock);
  while (!gate->may_go)
    g_cond_wait (&gate->changed, &gate->lock);
  g_mutex_unlock (&gate->lock);
  bawn_odd_write (stream, "8\r\nree\nfour\r\n0\r\n\r\n");
  return TRUE;
}

static void
assert_line (BawnRestStream *stream, const char *expected)
{
  g_autoptr (GBytes) line = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (bawn_rest_stream_read (stream, G_TIME_SPAN_MINUTE, &line, NULL, &error), ==,
                   BAWN_REST_STREAM_LINE);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (line, NULL), g_bytes_get_size (line), expected,
                   strlen (expected));
}

static void
test_stream (void)
{
  Gate gate = { 0 };
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, say_lines, &gate);
  g_autofree char *addresses =
      g_strdup_printf ("%s,%s", NOBODY, bawn_odd_server_get_address (server));
  g_autoptr (BawnRest) rest = open_at (addresses);
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) opener = g_cancellable_new ();
  g_autoptr (BawnRestStream) stream = bawn_rest_open_stream (rest, &read_request, opener, &error);
  g_autoptr (GBytes) line = NULL;
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();

  g_assert_no_error (error);
  g_assert_cmpuint (bawn_rest_stream_get_status (stream), ==, 200);
  g_cancellable_cancel (opener);
  assert_line (stream, "one");
  assert_line (stream, "two");

  /* Neither a limit nor a cancelled read costs anything of what comes later. */
  g_assert_cmpint (
      bawn_rest_stream_read (stream, 20 * G_TIME_SPAN_MILLISECOND, &line, NULL, &error), ==,
      BAWN_REST_STREAM_NOTHING);
  g_cancellable_cancel (cancelled);
  g_assert_cmpint (bawn_rest_stream_read (stream, G_TIME_SPAN_MINUTE, &line, cancelled, &error), ==,
                   BAWN_REST_STREAM_FAILED);
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_TIMEOUT);
  g_clear_error (&error);

  g_mutex_lock (&gate.lock);
  gate.may_go = TRUE;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
  assert_line (stream, "three");
  assert_line (stream, "four");
  g_assert_cmpint (bawn_rest_stream_read (stream, G_TIME_SPAN_MINUTE, &line, NULL, &error), ==,
                   BAWN_REST_STREAM_END);
}

static void
test_stream_cut (void)
{
  Gate gate = { 0 };
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, say_lines, &gate);
  g_autoptr (BawnRest) rest = open_at (bawn_odd_server_get_address (server));
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnRestStream) stream = bawn_rest_open_stream (rest, &read_request, NULL, &error);
  g_autoptr (GBytes) line = NULL;

  g_assert_no_error (error);
  assert_line (stream, "one");
  assert_line (stream, "two");
  g_mutex_lock (&gate.lock);
  gate.may_go = TRUE;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
  assert_line (stream, "three");

  /* One that is let go of while the server could still say something. */
  g_autoptr (BawnRestStream) unread = bawn_rest_open_stream (rest, &read_request, NULL, &error);

  g_assert_no_error (error);
  g_clear_pointer (&unread, bawn_rest_stream_free);
}

typedef struct
{
  char *directory;
  GTlsCertificate *certificate;
  GTlsDatabase *authority;
} Papers;

static GTlsCertificate *
load_certificate (const Papers *papers, const char *name)
{
  g_autofree char *pem = g_strdup_printf ("%s/%s.pem", papers->directory, name);
  g_autofree char *key = g_strdup_printf ("%s/%s.key", papers->directory, name);
  g_autoptr (GError) error = NULL;
  GTlsCertificate *certificate = g_tls_certificate_new_from_files (pem, key, &error);

  g_assert_no_error (error);
  return certificate;
}

static void
papers_open (Papers *papers)
{
  papers->directory = g_dir_make_tmp ("bawn-rest-XXXXXX", NULL);
  bawn_papers_write (papers->directory);
  papers->certificate = load_certificate (papers, "server");

  g_autofree char *ca = g_build_filename (papers->directory, "ca.pem", NULL);

  papers->authority = g_tls_file_database_new (ca, NULL);
  g_assert_nonnull (papers->authority);
}

static void
papers_clear (Papers *papers)
{
  bawn_papers_remove (papers->directory);
  g_rmdir (papers->directory);
  g_free (papers->directory);
  g_object_unref (papers->certificate);
  g_object_unref (papers->authority);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Papers, papers_clear)

/* @DIR@ in @lines is the folder of the papers. */
static BawnRest *
open_tls (const Papers *papers, BawnOddServer *server, const char *lines)
{
  g_auto (GStrv) parts = g_strsplit (lines, "@DIR@", -1);
  g_autofree char *joined = g_strjoinv (papers->directory, parts);
  g_autofree char *text = g_strdup_printf ("scheme=https\naddress=%s\n%s",
                                           bawn_odd_server_get_address (server), joined);

  return open_with (text, NULL);
}

static void
test_tls (void)
{
  static const char *const right[] = {
    "tls-ca-file=@DIR@/ca.pem",
    "tls-ca-file=@DIR@/ca.pem\ntls-server-name=storage.test",
    "tls-ca-file=@DIR@/ca.pem\ntls-min-version=tls13",
    "tls-ca-file=@DIR@/stranger.pem\ntls-skip-verify=true",
    "tls-ca-file=@DIR@/ca.pem\ntls-server-name=elsewhere.test\ntls-skip-verify=true",
  };
  static const char *const wrong[][2] = {
    { "tls-ca-file=@DIR@/stranger.pem", "tls-ca-file" },
    { "tls-ca-file=@DIR@/ca.pem\ntls-server-name=elsewhere.test", "tls-server-name" },
  };
  g_auto (Papers) papers = { 0 };

  papers_open (&papers);

  g_autoptr (BawnOddServer) server = bawn_odd_server_new (papers.certificate, NULL, echo, NULL);
  BawnRestRequest request = write_request ("POST", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (right); i++)
    {
      g_autoptr (BawnRest) rest = open_tls (&papers, server, right[i]);

      for (guint j = 0; j < 2; j++)
        {
          g_auto (BawnRestReply) reply = { 0 };

          assert_works (bawn_rest_call (rest, &request, &reply, NULL, &error));
        }
    }
  g_assert_cmpuint (bawn_odd_server_count_connections (server), ==, G_N_ELEMENTS (right));

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (BawnRest) rest = open_tls (&papers, server, wrong[i][0]);
      g_auto (BawnRestReply) reply = { 0 };
      g_autoptr (GError) error = NULL;

      /* Nothing was sent, so that nothing is unknown. */
      g_assert_false (bawn_rest_call (rest, &request, &reply, NULL, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
      g_assert_nonnull (strstr (error->message, wrong[i][1]));
    }
  g_assert_cmpuint (bawn_odd_server_count_requests (server), ==, 2 * G_N_ELEMENTS (right));
}

static void
test_client_certificate (void)
{
  g_auto (Papers) papers = { 0 };

  papers_open (&papers);

  g_autoptr (BawnOddServer) server =
      bawn_odd_server_new (papers.certificate, papers.authority, echo, NULL);
  g_autoptr (BawnRest) good = open_tls (
      &papers, server,
      "tls-ca-file=@DIR@/ca.pem\ntls-cert-file=@DIR@/client.pem\ntls-key-file=@DIR@/client.key");
  g_autoptr (BawnRest) stranger = open_tls (&papers, server,
                                            "tls-ca-file=@DIR@/ca.pem\ntls-cert-file=@DIR@/"
                                            "stranger.pem\ntls-key-file=@DIR@/stranger.key");
  g_autoptr (BawnRest) nameless = open_tls (&papers, server, "tls-ca-file=@DIR@/ca.pem");
  BawnRestRequest request = read_request;
  g_auto (BawnRestReply) reply = { 0 };

  assert_works (bawn_rest_call (good, &request, &reply, NULL, &error));
  assert_fails (bawn_rest_call (stranger, &request, &reply, NULL, &error), BAWN_ERROR_UPSTREAM);
  assert_fails (bawn_rest_call (nameless, &request, &reply, NULL, &error), BAWN_ERROR_UPSTREAM);
  g_assert_cmpuint (bawn_odd_server_count_requests (server), ==, 1);
}

static void
test_lost_write_over_tls (void)
{
  g_auto (Papers) papers = { 0 };

  papers_open (&papers);
  for (gsize i = 0; i < G_N_ELEMENTS (last_words); i++)
    {
      Cut how = { 1, last_words[i] };
      g_autoptr (BawnOddServer) server = bawn_odd_server_new (papers.certificate, NULL, cut, &how);
      g_autoptr (BawnRest) rest = open_tls (&papers, server, "tls-ca-file=@DIR@/ca.pem");
      BawnRestRequest request = write_request ("PUT", NULL);
      g_auto (BawnRestReply) first = { 0 };
      g_auto (BawnRestReply) reply = { 0 };

      assert_works (bawn_rest_call (rest, &request, &first, NULL, &error));
      assert_fails (bawn_rest_call (rest, &request, &reply, NULL, &error),
                    BAWN_ERROR_UNKNOWN_OUTCOME);
      g_assert_cmpuint (bawn_odd_server_count_requests (server), ==, 2);
      assert_works (bawn_rest_call (rest, &request, &reply, NULL, &error));
    }
}

static void
test_kept_tls_connection_closed (void)
{
  g_auto (Papers) papers = { 0 };

  papers_open (&papers);

  g_autoptr (BawnOddServer) server = bawn_odd_server_new (papers.certificate, NULL, echo, NULL);
  g_autoptr (BawnRest) rest = open_tls (&papers, server, "tls-ca-file=@DIR@/ca.pem");
  BawnRestRequest request = write_request ("POST", NULL);

  for (guint i = 0; i < 5; i++)
    {
      g_auto (BawnRestReply) reply = { 0 };

      assert_works (bawn_rest_call (rest, &request, &reply, NULL, &error));
      bawn_odd_server_hang_up (server);
    }
  g_assert_cmpuint (bawn_odd_server_count_requests (server), ==, 5);
}

static void
test_missing_files (void)
{
  static const char *const wrong[][2] = {
    { "tls-ca-file=/nowhere/ca.pem", "/nowhere/ca.pem" },
    { "tls-cert-file=/nowhere/cert.pem\ntls-key-file=/nowhere/key.pem", "/nowhere/" },
    { "tls-ca-file=/dev/null", "/dev/null" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *text = g_strdup_printf ("[storage]\nscheme=https\n%s\n", wrong[i][0]);
      g_autoptr (BawnConfig) config =
          bawn_config_load_data ("test.conf", text, strlen (text), NULL);
      g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");
      g_autoptr (BawnRestOptions) options = bawn_rest_options_read (group, "http://127.0.0.1:2379");
      g_autoptr (GError) error = NULL;

      g_assert_null (bawn_rest_new (options, NULL, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, wrong[i][1]));
    }
}

static char *
complaints_of (const char *lines)
{
  g_autofree char *text = g_strdup_printf ("[storage]\n%s\n", lines);
  g_autoptr (BawnConfig) config = bawn_config_load_data ("test.conf", text, strlen (text), NULL);
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");
  g_autoptr (BawnRestOptions) options = bawn_rest_options_read (group, "http://127.0.0.1:2379");
  g_auto (GStrv) problems = NULL;

  bawn_config_expect (config, (const char *const[]){ "storage", NULL });
  problems = bawn_config_dup_problems (config);
  return g_strjoinv ("\n", problems);
}

static void
test_complaints (void)
{
  static const char *const wrong[][2] = {
    { "address=ftp://x:1", "address" },
    { "address=http://", "address" },
    { "address=a:0", "address" },
    { "address=:2379", "address" },
    { "address=http://secret@x:1/v3", "address" },
    { "address=http://x:1/v3", "address" },
    { "address=,", "address" },
    { "address=a,b:99999", "address" },
    { "address=http://a\nscheme=https", "address" },
    { "scheme=gopher", "scheme" },
    { "tls-ca-file=/x", "tls-ca-file" },
    { "scheme=https\ntls-cert-file=/x", "tls-cert-file" },
    { "scheme=https\ntls-key-file=/x", "tls-key-file" },
    { "scheme=https\ntls-min-version=ssl3", "tls-min-version" },
    { "request-timeout=never", "request-timeout" },
    { "request-timeout=0", "request-timeout" },
    { "connect-timeout=1d", "connect-timeout" },
    { "max-parallel=0", "max-parallel" },
    { "max-parallel=1025", "max-parallel" },
  };
  static const char *const right[] = {
    "",
    "address=10.0.0.1",
    "address=10.0.0.1:1, [::1]:2, https://c.example/, HTTP://d:80",
    "scheme=https\ntls-ca-file=/x\ntls-server-name=x\ntls-min-version=tls13\ntls-skip-verify=true",
    "address=https://a\nscheme=https\ntls-cert-file=/x\ntls-key-file=/y",
    "request-timeout=1\nconnect-timeout=500ms\nmax-parallel=1",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *complaints = complaints_of (wrong[i][0]);

      g_assert_nonnull (strstr (complaints, wrong[i][1]));
      g_assert_null (strstr (complaints, "secret"));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (right); i++)
    {
      g_autofree char *complaints = complaints_of (right[i]);

      g_assert_cmpstr (complaints, ==, "");
    }
}

/* Whatever a file says for a token, it cannot add a header, and does not show up in the error. */
static void
test_header_with_line_end (void)
{
  g_autoptr (BawnOddServer) server = bawn_odd_server_new (NULL, NULL, echo, NULL);
  g_autoptr (BawnRest) rest = open_at (bawn_odd_server_get_address (server));
  const char *const headers[] = { "X-Token", "secret\r\nX-Evil: 1", NULL };
  BawnRestRequest request = read_request;
  g_auto (BawnRestReply) reply = { 0 };
  g_autoptr (GError) error = NULL;

  request.headers = headers;
  g_assert_false (bawn_rest_call (rest, &request, &reply, NULL, &error));
  g_assert_null (strstr (error->message, "secret"));
  g_assert_cmpuint (bawn_odd_server_count_requests (server), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rest/one-connection-serves-many-calls", test_answer);
  g_test_add_func ("/rest/an-answer-may-come-in-chunks", test_chunks);
  g_test_add_func ("/rest/any-status-is-an-answer", test_any_status);
  g_test_add_func ("/rest/a-refused-connection-leads-to-the-next-server", test_failover);
  g_test_add_func ("/rest/an-error-names-every-address", test_nobody);
  g_test_add_func ("/rest/a-server-that-cannot-serve-leads-to-the-next", test_try_next);
  g_test_add_func ("/rest/a-refusal-by-all-is-an-answer", test_all_refuse);
  g_test_add_func ("/rest/a-lost-write-is-never-sent-again", test_lost_write);
  g_test_add_func ("/rest/a-lost-read-is-asked-for-again", test_lost_read);
  g_test_add_func ("/rest/a-kept-connection-that-was-closed-costs-nothing",
                   test_kept_connection_closed);
  g_test_add_func ("/rest/a-misdirected-write-is-never-sent-again", test_misdirected);
  g_test_add_func ("/rest/a-request-ends-in-time", test_request_timeout);
  g_test_add_func ("/rest/a-silent-server-leaves-time-for-the-next", test_silent_server);
  g_test_add_func ("/rest/a-connection-that-takes-too-long-leads-to-the-next-server",
                   test_connect_timeout);
  g_test_add_func ("/rest/a-cancelled-call-tells-whether-it-was-sent", test_cancelled);
  g_test_add_func ("/rest/calls-keep-to-max-parallel-and-waits-do-not-count", test_max_parallel);
  g_test_add_func ("/rest/a-stream-is-read-line-by-line", test_stream);
  g_test_add_func ("/rest/a-stream-may-be-left", test_stream_cut);
  g_test_add_func ("/rest/a-server-shows-its-certificate", test_tls);
  g_test_add_func ("/rest/a-client-shows-its-certificate", test_client_certificate);
  g_test_add_func ("/rest/a-lost-write-over-tls-is-never-sent-again", test_lost_write_over_tls);
  g_test_add_func ("/rest/a-kept-tls-connection-that-was-closed-costs-nothing",
                   test_kept_tls_connection_closed);
  g_test_add_func ("/rest/a-file-that-cannot-be-used-is-named", test_missing_files);
  g_test_add_func ("/rest/every-mistake-in-the-configuration-is-named", test_complaints);
  g_test_add_func ("/rest/a-header-cannot-bring-another", test_header_with_line_end);

  return g_test_run ();
}
