/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-jute.h"

#include <string.h>

/* Lengths are signed: more cannot be said. */
#define MAX_LENGTH G_MAXINT32

typedef struct
{
  gint32 code;
  const char *name;
} ErrorName;

static const ErrorName error_names[] = {
  { -1, "system error" },
  { BAWN_ZK_RUNTIME_INCONSISTENCY, "not tried" },
  { -3, "data inconsistency" },
  { -4, "connection lost" },
  { -5, "the server could not read the request" },
  { -6, "not implemented by the server" },
  { -7, "the server's operation timed out" },
  { -8, "bad arguments" },
  { -13, "the new configuration has no quorum" },
  { -14, "reconfiguration in progress" },
  { -100, "API error" },
  { BAWN_ZK_NO_NODE, "no such node" },
  { BAWN_ZK_NO_AUTH, "not allowed by the node's ACL" },
  { BAWN_ZK_BAD_VERSION, "another version" },
  { -108, "a node that goes with its session has no children" },
  { BAWN_ZK_NODE_EXISTS, "the node exists" },
  { BAWN_ZK_NOT_EMPTY, "the node has children" },
  { BAWN_ZK_SESSION_EXPIRED, "session expired" },
  { -113, "invalid callback" },
  { -114, "invalid ACL" },
  { BAWN_ZK_AUTH_FAILED, "authentication failed" },
  { BAWN_ZK_SESSION_MOVED, "the session has moved to another server" },
  { -119, "the server is read-only" },
  { -124, "the session must authenticate first" },
  { -125, "quota exceeded" },
  { -127, "the server refuses requests because of its load" },
};

/**
 * bawn_zk_error_name:
 * @code: an error code of a reply
 *
 * Returns: what it means
 */
const char *
bawn_zk_error_name (gint32 code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (error_names); i++)
    if (error_names[i].code == code)
      return error_names[i].name;

  return "an error that is not known here";
}

/**
 * bawn_zk_reader_init:
 * @reader: a reader
 * @bytes: what to read; must stay
 */
void
bawn_zk_reader_init (BawnZkReader *reader, GBytes *bytes)
{
  *reader = (BawnZkReader){ .failed = FALSE };
  reader->data = g_bytes_get_data (bytes, &reader->size);
}

/* The next @size bytes, or NULL. */
static const guint8 *
take (BawnZkReader *reader, gsize size)
{
  if (reader->failed || size > reader->size - reader->at)
    {
      reader->failed = TRUE;
      return NULL;
    }

  const guint8 *data = reader->data + reader->at;

  reader->at += size;
  return data;
}

gint32
bawn_zk_read_int (BawnZkReader *reader)
{
  const guint8 *data = take (reader, 4);
  guint32 value = 0;

  if (data == NULL)
    return 0;

  memcpy (&value, data, sizeof value);
  return (gint32) GUINT32_FROM_BE (value);
}

gint64
bawn_zk_read_long (BawnZkReader *reader)
{
  const guint8 *data = take (reader, 8);
  guint64 value = 0;

  if (data == NULL)
    return 0;

  memcpy (&value, data, sizeof value);
  return (gint64) GUINT64_FROM_BE (value);
}

gboolean
bawn_zk_read_bool (BawnZkReader *reader)
{
  const guint8 *data = take (reader, 1);

  if (data == NULL)
    return FALSE;
  if (*data > 1)
    reader->failed = TRUE;

  return *data == 1;
}

gboolean
bawn_zk_read_buffer (BawnZkReader *reader, gsize *out_at, gsize *out_size)
{
  gint32 length = bawn_zk_read_int (reader);

  if (length < -1)
    reader->failed = TRUE;
  if (reader->failed || length == -1)
    return FALSE;

  gsize at = reader->at;

  if (take (reader, (gsize) length) == NULL)
    return FALSE;

  *out_at = at;
  *out_size = (gsize) length;
  return TRUE;
}

char *
bawn_zk_read_string (BawnZkReader *reader)
{
  gsize at = 0;
  gsize size = 0;

  if (!bawn_zk_read_buffer (reader, &at, &size))
    return NULL;

  const char *text = (const char *) reader->data + at;

  /* This refuses a NUL inside, too. */
  if (!g_utf8_validate (text, (gssize) size, NULL))
    {
      reader->failed = TRUE;
      return NULL;
    }
  return g_strndup (text, size);
}

void
bawn_zk_read_stat (BawnZkReader *reader, BawnZkStat *out_stat)
{
  BawnZkStat stat = { 0 };

  stat.czxid = bawn_zk_read_long (reader);
  stat.mzxid = bawn_zk_read_long (reader);
  stat.ctime = bawn_zk_read_long (reader);
  stat.mtime = bawn_zk_read_long (reader);
  stat.version = bawn_zk_read_int (reader);
  stat.cversion = bawn_zk_read_int (reader);
  stat.aversion = bawn_zk_read_int (reader);
  stat.ephemeral_owner = bawn_zk_read_long (reader);
  stat.data_length = bawn_zk_read_int (reader);
  stat.num_children = bawn_zk_read_int (reader);
  stat.pzxid = bawn_zk_read_long (reader);
  /* A version is one of these, and 0 would mean absent. */
  if (stat.mzxid <= 0 || stat.czxid <= 0 || stat.num_children < 0)
    reader->failed = TRUE;

  *out_stat = stat;
}

guint
bawn_zk_read_count (BawnZkReader *reader, gsize min_size)
{
  gint32 count = bawn_zk_read_int (reader);

  if (count < 0 || (gsize) count > (reader->size - reader->at) / min_size)
    reader->failed = TRUE;

  return reader->failed ? 0 : (guint) count;
}

gboolean
bawn_zk_reader_at_end (const BawnZkReader *reader)
{
  return !reader->failed && reader->at == reader->size;
}

/**
 * bawn_zk_reader_end:
 * @reader: a reader
 * @what: what was read
 * @error: (out) (optional): UPSTREAM if the server sent something else
 *
 * Returns: %TRUE if everything was read well and nothing is left
 */
gboolean
bawn_zk_reader_end (const BawnZkReader *reader, const char *what, GError **error)
{
  return bawn_zk_reader_at_end (reader)
         || bawn_fail (error, BAWN_ERROR_UPSTREAM, "ZooKeeper sent %s that is malformed", what);
}

void
bawn_zk_write_int (BawnBuffer *buffer, gint32 value)
{
  guint32 wire = GUINT32_TO_BE ((guint32) value);

  bawn_buffer_append (buffer, &wire, sizeof wire);
}

void
bawn_zk_write_long (BawnBuffer *buffer, gint64 value)
{
  guint64 wire = GUINT64_TO_BE ((guint64) value);

  bawn_buffer_append (buffer, &wire, sizeof wire);
}

void
bawn_zk_write_bool (BawnBuffer *buffer, gboolean value)
{
  bawn_buffer_append_byte (buffer, value ? 1 : 0);
}

void
bawn_zk_write_buffer (BawnBuffer *buffer, gconstpointer data, gsize size)
{
  g_return_if_fail (size <= MAX_LENGTH);

  bawn_zk_write_int (buffer, (gint32) size);
  bawn_buffer_append (buffer, data, size);
}

void
bawn_zk_write_string (BawnBuffer *buffer, const char *text)
{
  bawn_zk_write_buffer (buffer, text, strlen (text));
}

void
bawn_zk_patch_int (BawnBuffer *buffer, gsize at, gint32 value)
{
  guint32 wire = GUINT32_TO_BE ((guint32) value);

  g_return_if_fail (buffer->size >= sizeof wire && at <= buffer->size - sizeof wire);

  memcpy (buffer->data + at, &wire, sizeof wire);
}
