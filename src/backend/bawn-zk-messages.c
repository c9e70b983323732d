/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-messages.h"

#include <string.h>

/* Read, write, create, delete, admin. */
#define PERMS_ALL 31
#define ANY_VERSION -1
#define PROTOCOL_VERSION 0

/**
 * bawn_zk_write_connect:
 * @buffer: what to append to
 * @last_zxid: the latest transaction seen; a server that is behind refuses the connection
 * @timeout_ms: the session timeout asked for
 * @session: the session to go on with; all zero for a new one
 */
void
bawn_zk_write_connect (BawnBuffer *buffer,
                       gint64 last_zxid,
                       gint32 timeout_ms,
                       const BawnZkSession *session)
{
  gsize at = buffer->size;

  bawn_zk_write_int (buffer, 0);
  bawn_zk_write_int (buffer, PROTOCOL_VERSION);
  bawn_zk_write_long (buffer, last_zxid);
  bawn_zk_write_int (buffer, timeout_ms);
  bawn_zk_write_long (buffer, session->id);
  bawn_zk_write_buffer (buffer, session->password, sizeof session->password);
  /* A server that has lost its quorum will not do. */
  bawn_zk_write_bool (buffer, FALSE);
  bawn_zk_patch_int (buffer, at, (gint32) (buffer->size - at - 4));
}

gboolean
bawn_zk_parse_connect (GBytes *frame,
                       gint32 *out_timeout_ms,
                       BawnZkSession *out_session,
                       GError **error)
{
  BawnZkReader reader;
  BawnZkSession session = { 0 };
  gsize at = 0;
  gsize size = 0;

  bawn_zk_reader_init (&reader, frame);

  gint32 protocol = bawn_zk_read_int (&reader);
  gint32 timeout_ms = bawn_zk_read_int (&reader);

  session.id = bawn_zk_read_long (&reader);

  gboolean has_password = bawn_zk_read_buffer (&reader, &at, &size);

  /* Servers before 3.4 do not say whether they are read-only. */
  if (!bawn_zk_reader_at_end (&reader))
    bawn_zk_read_bool (&reader);
  if (!bawn_zk_reader_end (&reader, "a greeting", error))
    return FALSE;
  if (protocol != PROTOCOL_VERSION || !has_password || size != BAWN_ZK_PASSWORD_SIZE
      || (session.id != 0 && timeout_ms <= 0))
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "ZooKeeper sent a greeting that is malformed");

  memcpy (session.password, (const guint8 *) g_bytes_get_data (frame, NULL) + at, size);
  *out_timeout_ms = timeout_ms;
  *out_session = session;
  bawn_wipe (&session, sizeof session);
  return TRUE;
}

gboolean
bawn_zk_parse_reply (GBytes *frame,
                     BawnZkReplyHeader *out_header,
                     GBytes **out_body,
                     GError **error)
{
  BawnZkReader reader;
  BawnZkReplyHeader header = { 0 };
  gsize size = g_bytes_get_size (frame);

  bawn_zk_reader_init (&reader, frame);
  header.xid = bawn_zk_read_int (&reader);
  header.zxid = bawn_zk_read_long (&reader);
  header.error = bawn_zk_read_int (&reader);
  if (size < BAWN_ZK_REPLY_HEADER)
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "ZooKeeper sent a reply that is malformed");

  *out_header = header;
  *out_body = g_bytes_new_from_bytes (frame, BAWN_ZK_REPLY_HEADER, size - BAWN_ZK_REPLY_HEADER);
  return TRUE;
}

gboolean
bawn_zk_parse_event (GBytes *body, char **out_path, GError **error)
{
  BawnZkReader reader;

  bawn_zk_reader_init (&reader, body);
  bawn_zk_read_int (&reader); /* what happened */
  bawn_zk_read_int (&reader); /* the state of the session */

  g_autofree char *path = bawn_zk_read_string (&reader);

  if (!bawn_zk_reader_end (&reader, "an event", error))
    return FALSE;

  *out_path = path != NULL ? g_steal_pointer (&path) : g_strdup ("");
  return TRUE;
}

gboolean
bawn_zk_parse_stat (GBytes *body, BawnZkStat *out_stat, GError **error)
{
  BawnZkReader reader;
  BawnZkStat stat = { 0 };

  bawn_zk_reader_init (&reader, body);
  bawn_zk_read_stat (&reader, &stat);
  if (!bawn_zk_reader_end (&reader, "a status", error))
    return FALSE;

  *out_stat = stat;
  return TRUE;
}

gboolean
bawn_zk_parse_data (GBytes *body, GBytes **out_value, BawnZkStat *out_stat, GError **error)
{
  BawnZkReader reader;
  BawnZkStat stat = { 0 };
  gsize at = 0;
  gsize size = 0;

  bawn_zk_reader_init (&reader, body);
  bawn_zk_read_buffer (&reader, &at, &size);
  bawn_zk_read_stat (&reader, &stat);
  if (!bawn_zk_reader_end (&reader, "a value", error))
    return FALSE;

  *out_value = g_bytes_new_from_bytes (body, at, size);
  *out_stat = stat;
  return TRUE;
}

gboolean
bawn_zk_parse_children (GBytes *body, GPtrArray **out_names, BawnZkStat *out_stat, GError **error)
{
  BawnZkReader reader;
  BawnZkStat stat = { 0 };
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  bawn_zk_reader_init (&reader, body);

  guint count = bawn_zk_read_count (&reader, 4);

  for (guint i = 0; i < count && !reader.failed; i++)
    {
      char *name = bawn_zk_read_string (&reader);

      if (name == NULL)
        reader.failed = TRUE;
      else
        g_ptr_array_add (names, name);
    }
  bawn_zk_read_stat (&reader, &stat);
  if (!bawn_zk_reader_end (&reader, "a listing", error))
    return FALSE;

  *out_names = g_steal_pointer (&names);
  *out_stat = stat;
  return TRUE;
}

GBytes *
bawn_zk_acl_new (const char *scheme, const char *id)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  bawn_zk_write_int (&buffer, 1);
  bawn_zk_write_int (&buffer, PERMS_ALL);
  bawn_zk_write_string (&buffer, scheme);
  bawn_zk_write_string (&buffer, id);
  return bawn_buffer_steal (&buffer);
}

static void
write_part (BawnBuffer *buffer, BawnZkOp op, const char *path)
{
  bawn_zk_write_int (buffer, op);
  bawn_zk_write_bool (buffer, FALSE);
  bawn_zk_write_int (buffer, -1);
  bawn_zk_write_string (buffer, path);
}

static void
write_bytes (BawnBuffer *buffer, GBytes *data)
{
  gsize size = 0;
  gconstpointer start = g_bytes_get_data (data, &size);

  bawn_zk_write_buffer (buffer, start, size);
}

void
bawn_zk_multi_create (BawnBuffer *buffer, const char *path, GBytes *data, GBytes *acl)
{
  gsize size = 0;
  gconstpointer start = g_bytes_get_data (acl, &size);

  write_part (buffer, BAWN_ZK_CREATE, path);
  write_bytes (buffer, data);
  bawn_buffer_append (buffer, start, size);
  bawn_zk_write_int (buffer, 0); /* persistent */
}

void
bawn_zk_multi_set (BawnBuffer *buffer, const char *path, GBytes *data, gint32 version)
{
  write_part (buffer, BAWN_ZK_SET_DATA, path);
  write_bytes (buffer, data);
  bawn_zk_write_int (buffer, version);
}

void
bawn_zk_multi_delete (BawnBuffer *buffer, const char *path)
{
  write_part (buffer, BAWN_ZK_DELETE, path);
  bawn_zk_write_int (buffer, ANY_VERSION);
}

void
bawn_zk_multi_check (BawnBuffer *buffer, const char *path, gint32 version)
{
  write_part (buffer, BAWN_ZK_CHECK, path);
  bawn_zk_write_int (buffer, version);
}

void
bawn_zk_multi_end (BawnBuffer *buffer)
{
  bawn_zk_write_int (buffer, -1);
  bawn_zk_write_bool (buffer, TRUE);
  bawn_zk_write_int (buffer, -1);
}

static void
read_result (BawnZkReader *reader, gint32 op, BawnZkResult *out_result)
{
  out_result->op = op;
  switch (op)
    {
    case BAWN_ZK_CREATE:
      g_free (bawn_zk_read_string (reader));
      break;
    case BAWN_ZK_SET_DATA:
      bawn_zk_read_stat (reader, &out_result->stat);
      break;
    case BAWN_ZK_DELETE:
    case BAWN_ZK_CHECK:
      break;
    case -1:
      out_result->op = 0;
      out_result->error = bawn_zk_read_int (reader);
      break;
    default:
      reader->failed = TRUE;
      break;
    }
}

/**
 * bawn_zk_parse_multi:
 * @body: of the reply to a multi
 * @error: (out) (optional): UPSTREAM if it is malformed
 *
 * Returns: (transfer full) (element-type BawnZkResult): a result for each part
 */
GArray *
bawn_zk_parse_multi (GBytes *body, GError **error)
{
  g_autoptr (GArray) results = g_array_new (FALSE, TRUE, sizeof (BawnZkResult));
  BawnZkReader reader;

  bawn_zk_reader_init (&reader, body);
  while (!reader.failed)
    {
      BawnZkResult result = { 0 };
      gint32 op = bawn_zk_read_int (&reader);
      gboolean done = bawn_zk_read_bool (&reader);

      bawn_zk_read_int (&reader); /* the same as in the body of an error */
      if (done)
        break;
      read_result (&reader, op, &result);
      g_array_append_val (results, result);
    }

  return bawn_zk_reader_end (&reader, "the outcome of a commit", error) ? g_steal_pointer (&results)
                                                                        : NULL;
}
