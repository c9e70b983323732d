/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

G_BEGIN_DECLS

/* ZooKeeper's wire format, "jute": frames of a 4-byte length and a body, in which integers are
 * big-endian, strings and buffers follow their 4-byte length (-1: null), and vectors their count.
 * Read off zookeeper.jute of ZooKeeper 3.8 and tried against it. */

/* The largest frame taken from a server: the names of a million keys. */
#define BAWN_ZK_MAX_REPLY (128 * 1024 * 1024)
/* xid, zxid and error code before each reply. */
#define BAWN_ZK_REPLY_HEADER 16
#define BAWN_ZK_PASSWORD_SIZE 16

typedef enum
{
  BAWN_ZK_CREATE = 1,
  BAWN_ZK_DELETE = 2,
  BAWN_ZK_EXISTS = 3,
  BAWN_ZK_GET_DATA = 4,
  BAWN_ZK_SET_DATA = 5,
  BAWN_ZK_PING = 11,
  BAWN_ZK_GET_CHILDREN2 = 12,
  BAWN_ZK_CHECK = 13,
  BAWN_ZK_MULTI = 14,
  BAWN_ZK_AUTH = 100,
  BAWN_ZK_CLOSE = -11,
} BawnZkOp;

/* Who a frame is for when it answers no request of a caller's. */
#define BAWN_ZK_XID_EVENT -1
#define BAWN_ZK_XID_PING -2
#define BAWN_ZK_XID_AUTH -4

/* The codes that mean something to us; bawn_zk_error_name() knows more. */
#define BAWN_ZK_OK 0
#define BAWN_ZK_RUNTIME_INCONSISTENCY -2
#define BAWN_ZK_NO_NODE -101
#define BAWN_ZK_NO_AUTH -102
#define BAWN_ZK_BAD_VERSION -103
#define BAWN_ZK_NODE_EXISTS -110
#define BAWN_ZK_NOT_EMPTY -111
#define BAWN_ZK_SESSION_EXPIRED -112
#define BAWN_ZK_AUTH_FAILED -115
#define BAWN_ZK_SESSION_MOVED -118

const char *bawn_zk_error_name (gint32 code);

/**
 * BawnZkStat:
 *
 * What the server knows of a node: transaction numbers of its creation, its last change, the last
 * change of its set of children, and so on.
 */
typedef struct
{
  gint64 czxid;
  gint64 mzxid;
  gint64 ctime;
  gint64 mtime;
  gint32 version;
  gint32 cversion;
  gint32 aversion;
  gint64 ephemeral_owner;
  gint32 data_length;
  gint32 num_children;
  gint64 pzxid;
} BawnZkStat;

/**
 * BawnZkReader:
 *
 * Reads one frame. A read past its end, or of something that cannot be, sets a mark that stays:
 * everything read from then on is zero or empty, and bawn_zk_reader_end() fails. Borrows what it
 * reads.
 */
typedef struct
{
  /*< private >*/
  const guint8 *data;
  gsize size;
  gsize at;
  gboolean failed;
} BawnZkReader;

void bawn_zk_reader_init (BawnZkReader *reader, GBytes *bytes);
gint32 bawn_zk_read_int (BawnZkReader *reader);
gint64 bawn_zk_read_long (BawnZkReader *reader);
gboolean bawn_zk_read_bool (BawnZkReader *reader);
/* Where the bytes are in the frame; FALSE for null and for what is not there. */
gboolean bawn_zk_read_buffer (BawnZkReader *reader, gsize *out_at, gsize *out_size);
/* (transfer full) (nullable): %NULL for null, and for what is not a text. */
char *bawn_zk_read_string (BawnZkReader *reader);
void bawn_zk_read_stat (BawnZkReader *reader, BawnZkStat *out_stat);
/* How many elements follow, each of at least @min_size bytes. */
guint bawn_zk_read_count (BawnZkReader *reader, gsize min_size);
gboolean bawn_zk_reader_at_end (const BawnZkReader *reader);
gboolean bawn_zk_reader_end (const BawnZkReader *reader, const char *what, GError **error);

void bawn_zk_write_int (BawnBuffer *buffer, gint32 value);
void bawn_zk_write_long (BawnBuffer *buffer, gint64 value);
void bawn_zk_write_bool (BawnBuffer *buffer, gboolean value);
void bawn_zk_write_buffer (BawnBuffer *buffer, gconstpointer data, gsize size);
void bawn_zk_write_string (BawnBuffer *buffer, const char *text);
/* Overwrites four bytes that were written before. */
void bawn_zk_patch_int (BawnBuffer *buffer, gsize at, gint32 value);

G_END_DECLS
