/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-config.h"
#include "util/bawn-error.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BawnRest:
 *
 * A client of a storage server's HTTP API, at one of several addresses: the one that answered last
 * is asked first, and when it cannot be reached, or says that it cannot serve, the next.
 * Thread-safe; calls block.
 */
typedef struct _BawnRest BawnRest;

/* Reads address (several, separated by commas; "host:port" or a URL), scheme, tls-ca-file,
 * tls-cert-file, tls-key-file, tls-server-name, tls-min-version, tls-skip-verify, request-timeout,
 * connect-timeout and max-parallel. What is wrong is noted in the group. Opens nothing. */
typedef struct _BawnRestOptions BawnRestOptions;
BawnRestOptions *bawn_rest_options_read (BawnConfigGroup *group, const char *default_address);
gint64 bawn_rest_options_get_request_timeout (const BawnRestOptions *options);
void bawn_rest_options_free (BawnRestOptions *options);

typedef struct _BawnRestReply BawnRestReply;

/* @try_next: (nullable): says of an answer that another server should be asked instead, since this
 * one did nothing ("no leader"). */
typedef gboolean (*BawnRestTryNext) (const BawnRestReply *reply);

/**
 * BawnRestRequest:
 * @method: "GET" …
 * @path: with query, already escaped: "/v1/kv/a?consistent"
 * @body: (nullable): what is sent
 * @content_type: (nullable): of @body
 * @headers: (nullable): name, value, name, value …, %NULL; may hold secrets, and never gets into an
 * error
 * @timeout_us: for the whole call; 0: request-timeout
 * @is_repeatable: it may reach a server twice, so a lost answer is asked for again
 * @is_wait: it only waits: takes no place of max-parallel
 * @try_next: (nullable): for this request, instead of the client's own
 *
 * One call.
 */
typedef struct
{
  const char *method;
  const char *path;
  GBytes *body;
  const char *content_type;
  const char *const *headers;
  gint64 timeout_us;
  gboolean is_repeatable;
  gboolean is_wait;
  BawnRestTryNext try_next;
} BawnRestRequest;

/**
 * BawnRestReply:
 * @status: of HTTP
 * @body: all of it, at most %BAWN_REST_MAX_REPLY
 * @address: (transfer none): who answered
 *
 * What came back. Any status is an answer: what it means is for the caller to say.
 */
struct _BawnRestReply
{
  guint status;
  GBytes *body;
  GHashTable *headers; /* lower-case name to value */
  const char *address;
};

#define BAWN_REST_MAX_REPLY (256 * 1024 * 1024)

void bawn_rest_reply_clear (BawnRestReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnRestReply, bawn_rest_reply_clear)

BawnRest *bawn_rest_new (const BawnRestOptions *options, BawnRestTryNext try_next, GError **error);
BawnRest *bawn_rest_ref (BawnRest *rest);
void bawn_rest_unref (BawnRest *rest);
/* UPSTREAM: no server could be reached, nothing was done. UNKNOWN_OUTCOME: it was sent, the answer
 * is lost, and it is not repeatable. TIMEOUT: cancelled before it was sent. */
gboolean bawn_rest_call (BawnRest *rest,
                         const BawnRestRequest *request,
                         BawnRestReply *out_reply,
                         GCancellable *cancellable,
                         GError **error);

/**
 * BawnRestStream:
 *
 * An answer that goes on, read line by line: a watch. For one thread at a time. It takes no place
 * of max-parallel, and its connection is closed with it.
 */
typedef struct _BawnRestStream BawnRestStream;

/* The request is always a wait and repeatable; its timeout is how long the answer may take to
 * begin. */
BawnRestStream *bawn_rest_open_stream (BawnRest *rest,
                                       const BawnRestRequest *request,
                                       GCancellable *cancellable,
                                       GError **error);
guint bawn_rest_stream_get_status (BawnRestStream *stream);
const char *bawn_rest_stream_get_address (BawnRestStream *stream);
/* Whether its server is still the one that calls go to first. */
gboolean bawn_rest_stream_is_current (BawnRestStream *stream);

typedef enum
{
  BAWN_REST_STREAM_FAILED,  /* the error is set, the stream of no more use */
  BAWN_REST_STREAM_END,     /* the server has said all that it had to say */
  BAWN_REST_STREAM_NOTHING, /* nothing yet; it may be asked again */
  BAWN_REST_STREAM_LINE,
} BawnRestStreamResult;

/* @timeout_us: how long to wait for a line at most. A line ends with LF, which is not in it, or
 * with the stream. */
BawnRestStreamResult bawn_rest_stream_read (BawnRestStream *stream,
                                            gint64 timeout_us,
                                            GBytes **out_line,
                                            GCancellable *cancellable,
                                            GError **error);
void bawn_rest_stream_free (BawnRestStream *stream);

/* The longest line of a stream. */
#define BAWN_REST_MAX_LINE (16 * 1024 * 1024)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnRestStream, bawn_rest_stream_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnRestOptions, bawn_rest_options_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnRest, bawn_rest_unref)

G_END_DECLS
