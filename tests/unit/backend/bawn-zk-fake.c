/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/backend/bawn-zk-fake.h"

#include <gio/gio.h>
#include <string.h>

#define SESSION 0x1122334455667788
#define ZXID 99
#define MZXID 7
#define MAX_FRAME (4 * 1024 * 1024)

static const guint8 password[BAWN_ZK_PASSWORD_SIZE] = "a password of 16";

struct _BawnZkFake
{
  GSocketListener *listener;
  GCancellable *cancellable;
  GThread *acceptor;
  char *address;
  gint32 timeout_ms;

  GMutex lock;
  GCond changed;
  BawnZkFakeMood mood;
  BawnZkFakeCounts counts;
  const char *data;
  gint32 version;
  GPtrArray *visits; /* of Visit */
};

/* One connection. */
typedef struct
{
  BawnZkFake *fake;
  GSocketConnection *connection;
  GThread *thread;
  GMutex out_lock;
  gboolean has_asked;
  GArray *held; /* of Held, with the fake's lock */
} Visit;

/* A request that waits for a better mood. */
typedef struct
{
  gint32 xid;
  gint32 op;
  GBytes *frame;
} Held;

static gboolean
receive (Visit *visit, GBytes **out_frame)
{
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (visit->connection));
  guint32 wire = 0;
  gsize got = 0;

  if (!g_input_stream_read_all (in, &wire, sizeof wire, &got, visit->fake->cancellable, NULL)
      || got < sizeof wire)
    return FALSE;

  gsize size = GUINT32_FROM_BE (wire);
  guint8 *data = NULL;

  g_assert_cmpuint (size, <, MAX_FRAME);
  *out_frame = bawn_bytes_alloc (size, &data);
  if (g_input_stream_read_all (in, data, size, &got, visit->fake->cancellable, NULL) && got == size)
    return TRUE;

  g_clear_pointer (out_frame, g_bytes_unref);
  return FALSE;
}

static void
send_raw (Visit *visit, gconstpointer data, gsize size)
{
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (visit->connection));

  g_mutex_lock (&visit->out_lock);
  g_output_stream_write_all (out, data, size, NULL, visit->fake->cancellable, NULL);
  g_mutex_unlock (&visit->out_lock);
}

static void
send_frame (Visit *visit, BawnBuffer *body)
{
  g_auto (BawnBuffer) frame = BAWN_BUFFER_INIT;

  bawn_zk_write_buffer (&frame, body->data, body->size);
  send_raw (visit, frame.data, frame.size);
}

static void
write_header (BawnBuffer *buffer, gint32 xid, gint32 error)
{
  bawn_zk_write_int (buffer, xid);
  bawn_zk_write_long (buffer, ZXID);
  bawn_zk_write_int (buffer, error);
}

static void
write_stat (BawnBuffer *buffer, gint32 version)
{
  bawn_zk_write_long (buffer, MZXID);
  bawn_zk_write_long (buffer, MZXID);
  for (guint i = 0; i < 2; i++)
    bawn_zk_write_long (buffer, 0);
  bawn_zk_write_int (buffer, version);
  for (guint i = 0; i < 2; i++)
    bawn_zk_write_int (buffer, 0);
  bawn_zk_write_long (buffer, 0);
  bawn_zk_write_int (buffer, 1);
  bawn_zk_write_int (buffer, 0);
  bawn_zk_write_long (buffer, MZXID);
}

static void
send_bare (Visit *visit, gint32 xid, gint32 error)
{
  g_auto (BawnBuffer) body = BAWN_BUFFER_INIT;

  write_header (&body, xid, error);
  send_frame (visit, &body);
}

static BawnZkFakeMood
get_mood (BawnZkFake *fake)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&fake->lock);

  return fake->mood;
}

/* TRUE for one who asks while the mood is @mood, which is over then. */
static gboolean
take_mood (BawnZkFake *fake, BawnZkFakeMood mood)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&fake->lock);

  if (fake->mood != mood)
    return FALSE;

  fake->mood = BAWN_ZK_FAKE_KIND;
  return TRUE;
}

static gboolean
greet (Visit *visit, GBytes *frame)
{
  BawnZkFake *fake = visit->fake;
  g_auto (BawnBuffer) body = BAWN_BUFFER_INIT;
  BawnZkReader reader;
  gsize at = 0;
  gsize size = 0;

  bawn_zk_reader_init (&reader, frame);
  g_assert_cmpint (bawn_zk_read_int (&reader), ==, 0);

  gint64 last_zxid = bawn_zk_read_long (&reader);

  g_assert_cmpint (bawn_zk_read_int (&reader), >, 0);

  gint64 session = bawn_zk_read_long (&reader);

  g_assert_true (bawn_zk_read_buffer (&reader, &at, &size));
  g_assert_cmpuint (size, ==, BAWN_ZK_PASSWORD_SIZE);
  g_assert_false (bawn_zk_read_bool (&reader));
  g_assert_true (bawn_zk_reader_at_end (&reader));

  g_mutex_lock (&fake->lock);
  fake->counts.greetings++;
  fake->counts.session = session;
  fake->counts.last_zxid = last_zxid;
  fake->counts.is_password_ours =
      memcmp ((const guint8 *) g_bytes_get_data (frame, NULL) + at, password, size) == 0;
  g_mutex_unlock (&fake->lock);

  BawnZkFakeMood mood = get_mood (fake);
  gboolean expired = mood == BAWN_ZK_FAKE_REFUSING || take_mood (fake, BAWN_ZK_FAKE_FORGETFUL);

  if (mood == BAWN_ZK_FAKE_MUTE)
    return TRUE;
  if (mood == BAWN_ZK_FAKE_BABBLING)
    {
      send_raw (visit,
                "\0\0\0\x0c"
                "HTTP/1.1 400",
                16);
      return TRUE;
    }
  if (mood == BAWN_ZK_FAKE_HUGE)
    {
      send_raw (visit, "\x7f\xff\xff\xff", 4);
      return TRUE;
    }

  bawn_zk_write_int (&body, 0);
  bawn_zk_write_int (&body, expired ? 0 : fake->timeout_ms);
  bawn_zk_write_long (&body, expired ? 0 : SESSION);
  bawn_zk_write_buffer (&body, password, sizeof password);
  bawn_zk_write_bool (&body, FALSE);
  send_frame (visit, &body);
  return !expired;
}

static void
answer_multi (BawnZkFake *fake, BawnZkReader *reader, BawnBuffer *body)
{
  for (guint n = 0;; n++)
    {
      gint32 op = bawn_zk_read_int (reader);
      gboolean done = bawn_zk_read_bool (reader);
      gsize at = 0;
      gsize size = 0;

      bawn_zk_read_int (reader);
      bawn_zk_write_int (body, op);
      bawn_zk_write_bool (body, done);
      bawn_zk_write_int (body, done ? -1 : 0);
      fake->counts.n_parts = n;
      if (done)
        return;
      /* Only what the client's own tests send. */
      g_assert_true (op == BAWN_ZK_CHECK || op == BAWN_ZK_SET_DATA);
      g_free (bawn_zk_read_string (reader));
      if (op == BAWN_ZK_SET_DATA)
        {
          g_assert_true (bawn_zk_read_buffer (reader, &at, &size));
          write_stat (body, fake->version);
        }

      gint32 wanted = bawn_zk_read_int (reader);

      if (n < G_N_ELEMENTS (fake->counts.versions))
        fake->counts.versions[n] = wanted;
    }
}

static void
answer_kindly_locked (Visit *visit, gint32 xid, gint32 op, BawnZkReader *reader)
{
  BawnZkFake *fake = visit->fake;
  g_auto (BawnBuffer) body = BAWN_BUFFER_INIT;

  write_header (&body, xid, BAWN_ZK_OK);
  switch (op)
    {
    case BAWN_ZK_MULTI:
      answer_multi (fake, reader, &body);
      break;
    case BAWN_ZK_GET_DATA:
      bawn_zk_write_string (&body, fake->data);
      write_stat (&body, fake->version);
      break;
    case BAWN_ZK_EXISTS:
      write_stat (&body, fake->version);
      break;
    default:
      g_assert_not_reached ();
    }
  send_frame (visit, &body);
}

static void
answer_kindly (Visit *visit, gint32 xid, gint32 op, BawnZkReader *reader)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&visit->fake->lock);

  answer_kindly_locked (visit, xid, op, reader);
}

static void
count_request (Visit *visit, gint32 op, GBytes *frame)
{
  BawnZkFake *fake = visit->fake;
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (frame, &size);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&fake->lock);

  visit->has_asked = TRUE;
  fake->counts.requests++;
  fake->counts.multis += op == BAWN_ZK_MULTI ? 1 : 0;
  fake->counts.watches += op == BAWN_ZK_EXISTS && data[size - 1] == 1 ? 1 : 0;
}

/* FALSE: the connection is to be closed. */
static gboolean
take_request (Visit *visit, gint32 xid, gint32 op, BawnZkReader *reader)
{
  BawnZkFake *fake = visit->fake;

  if (get_mood (fake) == BAWN_ZK_FAKE_HANGING_UP || take_mood (fake, BAWN_ZK_FAKE_HANGING_UP_ONCE))
    return FALSE;
  if (get_mood (fake) == BAWN_ZK_FAKE_SILENT)
    return TRUE;
  if (take_mood (fake, BAWN_ZK_FAKE_CONFUSED))
    answer_kindly (visit, xid + 1, op, reader);
  else if (take_mood (fake, BAWN_ZK_FAKE_EXPIRING_ONCE))
    send_bare (visit, xid, BAWN_ZK_SESSION_EXPIRED);
  else if (take_mood (fake, BAWN_ZK_FAKE_BOASTING_ONCE))
    send_raw (visit, "\x10\0\0\0", 4);
  else if (take_mood (fake, BAWN_ZK_FAKE_GARBLING_ONCE))
    {
      g_auto (BawnBuffer) body = BAWN_BUFFER_INIT;

      write_header (&body, xid, BAWN_ZK_OK);
      bawn_buffer_append (&body, "abc", 3);
      send_frame (visit, &body);
    }
  else
    answer_kindly (visit, xid, op, reader);
  return TRUE;
}

static void
held_clear (gpointer data)
{
  g_bytes_unref (((Held *) data)->frame);
}

static void
release_held_locked (Visit *visit)
{
  for (guint i = 0; i < visit->held->len; i++)
    {
      const Held *each = &g_array_index (visit->held, Held, i);
      BawnZkReader reader;

      bawn_zk_reader_init (&reader, each->frame);
      bawn_zk_read_long (&reader);
      answer_kindly_locked (visit, each->xid, each->op, &reader);
    }
  visit->fake->counts.held -= visit->held->len;
  g_array_set_size (visit->held, 0);
}

/* FALSE: it is to be answered now. */
static gboolean
hold (Visit *visit, gint32 xid, gint32 op, GBytes *frame)
{
  BawnZkFake *fake = visit->fake;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&fake->lock);
  Held each = { xid, op, frame };

  if (fake->mood != BAWN_ZK_FAKE_HOLDING)
    return FALSE;

  g_bytes_ref (frame);
  g_array_append_val (visit->held, each);
  fake->counts.held++;
  fake->counts.most_held = MAX (fake->counts.most_held, fake->counts.held);
  return TRUE;
}

static gboolean
take_frame (Visit *visit, GBytes *frame)
{
  BawnZkFake *fake = visit->fake;
  BawnZkReader reader;

  bawn_zk_reader_init (&reader, frame);

  gint32 xid = bawn_zk_read_int (&reader);
  gint32 op = bawn_zk_read_int (&reader);
  BawnZkFakeMood mood = get_mood (fake);

  switch (op)
    {
    case BAWN_ZK_PING:
      g_mutex_lock (&fake->lock);
      fake->counts.pings++;
      g_mutex_unlock (&fake->lock);
      if (mood != BAWN_ZK_FAKE_SILENT)
        send_bare (visit, BAWN_ZK_XID_PING, BAWN_ZK_OK);
      return TRUE;
    case BAWN_ZK_AUTH:
      g_mutex_lock (&fake->lock);
      fake->counts.auths++;
      fake->counts.auth_first = !visit->has_asked;
      g_mutex_unlock (&fake->lock);
      send_bare (visit, BAWN_ZK_XID_AUTH,
                 mood == BAWN_ZK_FAKE_DISTRUSTFUL ? BAWN_ZK_AUTH_FAILED : BAWN_ZK_OK);
      return mood != BAWN_ZK_FAKE_DISTRUSTFUL;
    case BAWN_ZK_CLOSE:
      g_mutex_lock (&fake->lock);
      fake->counts.farewells++;
      g_mutex_unlock (&fake->lock);
      send_bare (visit, xid, BAWN_ZK_OK);
      return FALSE;
    default:
      break;
    }

  count_request (visit, op, frame);
  return hold (visit, xid, op, frame) || take_request (visit, xid, op, &reader);
}

static gpointer
visit_thread (gpointer data)
{
  Visit *visit = data;
  GBytes *frame = NULL;
  gboolean goes_on = receive (visit, &frame) && greet (visit, frame);

  g_clear_pointer (&frame, g_bytes_unref);
  while (goes_on && receive (visit, &frame))
    {
      goes_on = take_frame (visit, frame);
      g_clear_pointer (&frame, g_bytes_unref);
    }

  g_mutex_lock (&visit->fake->lock);
  visit->fake->counts.held -= visit->held->len;
  g_array_set_size (visit->held, 0);
  g_mutex_unlock (&visit->fake->lock);
  g_socket_shutdown (g_socket_connection_get_socket (visit->connection), TRUE, TRUE, NULL);
  return NULL;
}

static gpointer
accept_thread (gpointer data)
{
  BawnZkFake *fake = data;

  for (;;)
    {
      GSocketConnection *connection =
          g_socket_listener_accept (fake->listener, NULL, fake->cancellable, NULL);

      if (connection == NULL)
        return NULL;

      Visit *visit = g_new0 (Visit, 1);

      visit->fake = fake;
      visit->connection = connection;
      visit->held = g_array_new (FALSE, FALSE, sizeof (Held));
      g_array_set_clear_func (visit->held, held_clear);
      g_mutex_init (&visit->out_lock);
      g_mutex_lock (&fake->lock);
      g_ptr_array_add (fake->visits, visit);
      visit->thread = g_thread_new ("visit", visit_thread, visit);
      g_mutex_unlock (&fake->lock);
    }
}

BawnZkFake *
bawn_zk_fake_new (gint32 timeout_ms)
{
  BawnZkFake *fake = g_new0 (BawnZkFake, 1);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  fake->timeout_ms = timeout_ms;
  fake->data = "v";
  fake->listener = g_socket_listener_new ();
  fake->cancellable = g_cancellable_new ();
  fake->visits = g_ptr_array_new ();
  g_mutex_init (&fake->lock);
  g_cond_init (&fake->changed);
  g_socket_listener_add_address (fake->listener, any, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                 NULL, &bound, &error);
  g_assert_no_error (error);
  fake->address = g_strdup_printf ("127.0.0.1:%d",
                                   g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  fake->acceptor = g_thread_new ("accept", accept_thread, fake);
  return fake;
}

void
bawn_zk_fake_free (BawnZkFake *fake)
{
  g_cancellable_cancel (fake->cancellable);
  g_thread_join (fake->acceptor);
  for (guint i = 0; i < fake->visits->len; i++)
    {
      Visit *visit = fake->visits->pdata[i];

      g_thread_join (visit->thread);
      g_object_unref (visit->connection);
      g_array_unref (visit->held);
      g_mutex_clear (&visit->out_lock);
      g_free (visit);
    }
  g_ptr_array_unref (fake->visits);
  g_object_unref (fake->listener);
  g_object_unref (fake->cancellable);
  g_mutex_clear (&fake->lock);
  g_cond_clear (&fake->changed);
  g_free (fake->address);
  g_free (fake);
}

const char *
bawn_zk_fake_get_address (BawnZkFake *fake)
{
  return fake->address;
}

void
bawn_zk_fake_set_mood (BawnZkFake *fake, BawnZkFakeMood mood)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&fake->lock);

  fake->mood = mood;
  for (guint i = 0; mood != BAWN_ZK_FAKE_HOLDING && i < fake->visits->len; i++)
    release_held_locked (fake->visits->pdata[i]);
}

void
bawn_zk_fake_set_node (BawnZkFake *fake, const char *data, gint32 version)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&fake->lock);

  fake->data = data;
  fake->version = version;
}

void
bawn_zk_fake_fire (BawnZkFake *fake, const char *path)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&fake->lock);

  for (guint i = 0; i < fake->visits->len; i++)
    {
      g_auto (BawnBuffer) body = BAWN_BUFFER_INIT;

      write_header (&body, BAWN_ZK_XID_EVENT, BAWN_ZK_OK);
      bawn_zk_write_int (&body, 3);
      bawn_zk_write_int (&body, 3);
      bawn_zk_write_string (&body, path);
      send_frame (fake->visits->pdata[i], &body);
    }
}

void
bawn_zk_fake_hang_up (BawnZkFake *fake)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&fake->lock);

  for (guint i = 0; i < fake->visits->len; i++)
    {
      Visit *visit = fake->visits->pdata[i];

      g_socket_shutdown (g_socket_connection_get_socket (visit->connection), TRUE, TRUE, NULL);
    }
}

BawnZkFakeCounts
bawn_zk_fake_get_counts (BawnZkFake *fake)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&fake->lock);

  return fake->counts;
}
