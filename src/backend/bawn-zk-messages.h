/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-zk-jute.h"

G_BEGIN_DECLS

/**
 * BawnZkSession:
 * @id: what the server calls it; 0: none
 * @password: proves that it is ours; secret
 *
 * What a client keeps over the loss of a connection.
 */
typedef struct
{
  gint64 id;
  guint8 password[BAWN_ZK_PASSWORD_SIZE];
} BawnZkSession;

/* The first frame in each direction. A reply with id 0 says that the session has expired. */
void bawn_zk_write_connect (BawnBuffer *buffer,
                            gint64 last_zxid,
                            gint32 timeout_ms,
                            const BawnZkSession *session);
gboolean bawn_zk_parse_connect (GBytes *frame,
                                gint32 *out_timeout_ms,
                                BawnZkSession *out_session,
                                GError **error);

/**
 * BawnZkReplyHeader:
 * @xid: of the request, or one of BAWN_ZK_XID_…
 * @zxid: the last transaction that the server had applied
 * @error: an error code; 0: none
 */
typedef struct
{
  gint32 xid;
  gint64 zxid;
  gint32 error;
} BawnZkReplyHeader;

/* @out_body: (transfer full): what follows. */
gboolean bawn_zk_parse_reply (GBytes *frame,
                              BawnZkReplyHeader *out_header,
                              GBytes **out_body,
                              GError **error);

/* @out_path: (transfer full): of the node that has changed; empty for news of the session. */
gboolean bawn_zk_parse_event (GBytes *body, char **out_path, GError **error);
gboolean bawn_zk_parse_stat (GBytes *body, BawnZkStat *out_stat, GError **error);
/* @out_value: (transfer full): a slice of @body; empty for null. */
gboolean
bawn_zk_parse_data (GBytes *body, GBytes **out_value, BawnZkStat *out_stat, GError **error);
/* @out_names: (transfer full) (element-type utf8). */
gboolean
bawn_zk_parse_children (GBytes *body, GPtrArray **out_names, BawnZkStat *out_stat, GError **error);

/* (transfer full): the ACL that gives everything to @id of @scheme, as it goes into a create. */
GBytes *bawn_zk_acl_new (const char *scheme, const char *id);

/* The parts of a multi; bawn_zk_multi_end() after the last. @version -1: any. */
void bawn_zk_multi_create (BawnBuffer *buffer, const char *path, GBytes *data, GBytes *acl);
void bawn_zk_multi_set (BawnBuffer *buffer, const char *path, GBytes *data, gint32 version);
void bawn_zk_multi_delete (BawnBuffer *buffer, const char *path);
void bawn_zk_multi_check (BawnBuffer *buffer, const char *path, gint32 version);
void bawn_zk_multi_end (BawnBuffer *buffer);

/**
 * BawnZkResult:
 * @op: what was done; 0 in a multi that failed
 * @error: in a multi that failed: why this part did, BAWN_ZK_RUNTIME_INCONSISTENCY if an earlier or
 * later one did
 * @stat: of a node whose data was set
 */
typedef struct
{
  gint32 op;
  gint32 error;
  BawnZkStat stat;
} BawnZkResult;

/* (transfer full) (element-type BawnZkResult): one for each part; %NULL with @error set. */
GArray *bawn_zk_parse_multi (GBytes *body, GError **error);

G_END_DECLS
