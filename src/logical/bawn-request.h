/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-mount.h"
#include "logical/bawn-token.h"
#include "util/bawn-error.h"

G_BEGIN_DECLS

typedef enum
{
  BAWN_OP_READ = 1 << 0,
  BAWN_OP_LIST = 1 << 1,
  BAWN_OP_CREATE = 1 << 2,
  BAWN_OP_UPDATE = 1 << 3,
  BAWN_OP_DELETE = 1 << 4,
  BAWN_OP_PATCH = 1 << 5,
  BAWN_OP_HELP = 1 << 6,
  BAWN_OP_WRITE = BAWN_OP_CREATE | BAWN_OP_UPDATE, /* in route tables */
} BawnOp;

const char *bawn_op_name (BawnOp op); /* "read", "list", "create" … as audit and policies say it */

/**
 * BawnRequest:
 * @id: uuid
 * @op: what is asked; a write comes in as UPDATE, and the pipeline makes it CREATE if nothing is there yet
 * @path: below /v1/, decoded and clean; of a list it ends in '/'
 * @data: (nullable): the body, or the query of a read or delete, as an object
 * @token: (nullable): the client token
 * @wrap_ttl_us: 0: no wrapping asked for
 * @headers: lower-case name to #GStrv
 * @forwarded: it came over the cluster port: another node's client asked it, and @remote_address is that client's
 * @authorize_only: the node that was asked will do it itself, and the active one only says whether its caller may: for
 *   endpoints that concern one node
 * @authorized: the active node has said that he may
 * @repeated: it was sent before, and the answer was lost: it may have been done, so it is done only if that writes nothing
 * @open_metrics: where it came in, anybody may see this node's metrics
 *
 * A request on its way through the pipeline. Reference-counted, used by one thread at a time. The first part is
 * the door's, the second is filled on the way, anew for each attempt.
 */
typedef struct _BawnRequest BawnRequest;
struct _BawnRequest
{
  char *id;
  BawnOp op;
  char *path;
  BawnJson *data;
  char *token;
  gint64 wrap_ttl_us;
  char *remote_address;
  guint remote_port;
  GHashTable *headers;
  gint64 started_us;   /* real time */
  gboolean forwarded;
  gboolean authorize_only;
  gboolean authorized;
  gboolean repeated;
  gboolean open_metrics;

  /*< by the pipeline >*/
  BawnMount *mount;
  const char *rest;    /* of path, below the mount */
  BawnToken *caller;   /* nullable: unauthenticated */
  gboolean caller_sudo; /* the policies grant sudo on this path */
  GHashTable *params;  /* captures of the route's pattern */
  GHashTable *fields_known;
  gboolean any_field;  /* the handler takes whatever is in data */
  gboolean audited;    /* its request line is out: once, however often it runs */
};

BawnRequest *bawn_request_new (BawnOp op, const char *path);
BawnRequest *bawn_request_ref (BawnRequest *request);
void bawn_request_unref (BawnRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnRequest, bawn_request_unref)

/* A capture of the route: "" if the pattern has none of that name. A "{name...}" is given as it stands: of a list it
 * ends in '/', or is "". */
const char *bawn_request_param (BawnRequest *request, const char *name);
const char *bawn_request_header (BawnRequest *request, const char *name); /* first value or NULL */
/* Forgets what the pipeline has filled in. */
void bawn_request_reset (BawnRequest *request);

/* Fields of @data with the API's lenient conversions (api: a bool may be "true", an int "5", a list "a,b", a
 * duration 60 or "1m"). Absent, and JSON null, is TRUE and leaves the output as it was (so give it the default first);
 * a value of the wrong type is INVALID with the API's text. Fields asked for are known; others give a warning. */
gboolean bawn_field_present (BawnRequest *request, const char *name);
gboolean bawn_field_string (BawnRequest *request, const char *name, char **inout_value, GError **error); /* frees the old; bawn_string_wipe_free */
gboolean bawn_field_bool (BawnRequest *request, const char *name, gboolean *inout_value, GError **error);
gboolean bawn_field_int (BawnRequest *request, const char *name, gint64 *inout_value, GError **error);
gboolean bawn_field_duration (BawnRequest *request, const char *name, gint64 *inout_us, GError **error);
/* The same where less than nothing has a meaning; bawn_field_duration() refuses it. */
gboolean bawn_field_duration_signed (BawnRequest *request, const char *name, gint64 *inout_us, GError **error);
gboolean bawn_field_strv (BawnRequest *request, const char *name, GStrv *inout_value, GError **error);
gboolean bawn_field_map (BawnRequest *request, const char *name, GHashTable **inout_value, GError **error); /* string to string */
/* An object of any content; NULL when absent or null. */
gboolean bawn_field_object (BawnRequest *request, const char *name, const BawnJsonNode **out_node, GError **error);
/* The raw value; NULL when absent. JSON null is returned as a node. */
const BawnJsonNode *bawn_field_node (BawnRequest *request, const char *name);
/* All of data as an object node, or NULL; everything counts as known. */
const BawnJsonNode *bawn_field_all (BawnRequest *request);
/* After the handler: names in @data nobody asked for, sorted; NULL if there are none. */
GStrv bawn_request_unknown_fields (BawnRequest *request);

G_END_DECLS
