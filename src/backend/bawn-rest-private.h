/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-rest.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * BawnRestAddress:
 * @shown: what errors call it, and what every URL begins with: "https://10.0.0.1:2379"
 * @is_tls: whether it is spoken to over TLS
 */
typedef struct
{
  char *shown;
  gboolean is_tls;
} BawnRestAddress;

/* Immutable once it is read, and counted: clients keep theirs. */
struct _BawnRestOptions
{
  GPtrArray *addresses; /* of BawnRestAddress */
  char *ca_file;        /* nullable */
  char *cert_file;      /* nullable */
  char *key_file;       /* nullable */
  char *server_name;    /* nullable */
  GTlsProtocolVersion min_version;
  gboolean skip_verify;
  gint64 request_timeout_us;
  gint64 connect_timeout_us;
  guint max_parallel;
};

BawnRestOptions *bawn_rest_options_ref (const BawnRestOptions *options);

/**
 * BawnRestAlarms:
 *
 * A thread that cancels what takes too long: libsoup counts in seconds, and for each read anew.
 */
typedef struct _BawnRestAlarms BawnRestAlarms;

BawnRestAlarms *bawn_rest_alarms_new (void);
void bawn_rest_alarms_free (BawnRestAlarms *alarms);

/**
 * BawnRestAlarm:
 * @cancellable: is cancelled when the time is up, and when the caller's is
 *
 * The time limit of one step. On the stack of whoever takes that step.
 */
typedef struct
{
  GCancellable *cancellable;
  /*< private >*/
  BawnRestAlarms *alarms;
  GCancellable *caller; /* nullable */
  gulong caller_handler;
  gint64 at_us;
  gboolean rang;
} BawnRestAlarm;

/* @at_us: of g_get_monotonic_time() */
void bawn_rest_alarm_start (BawnRestAlarm *alarm,
                            BawnRestAlarms *alarms,
                            gint64 at_us,
                            GCancellable *caller);
void bawn_rest_alarm_move (BawnRestAlarm *alarm, gint64 at_us);
/* Neither time nor caller will cancel it any more. */
void bawn_rest_alarm_disarm (BawnRestAlarm *alarm);
/* TRUE if it was the time, and not the caller, that ended the step. */
gboolean bawn_rest_alarm_rang (BawnRestAlarm *alarm);
void bawn_rest_alarm_clear (BawnRestAlarm *alarm);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnRestAlarm, bawn_rest_alarm_clear)

/**
 * BawnRestLane:
 * @address: which of the options' it leads to
 *
 * A connection that is kept, for one thread at a time.
 *
 * libsoup 3.2 lets several threads send through one session, but hangs timers of its connections
 * into the main context of whoever made it; there they would close a connection in one thread that
 * another is using. So a lane has a session of its own, with a main context of its own that nobody
 * ever runs.
 */
typedef struct
{
  guint address;
  SoupSession *session;
  GSocket *socket; /* nullable: of its last connection */
  /*< private >*/
  GMainContext *context;
} BawnRestLane;

BawnRestLane *bawn_rest_lane_new (guint address, GTlsDatabase *authorities);
void bawn_rest_lane_enter (BawnRestLane *lane);
void bawn_rest_lane_leave (BawnRestLane *lane);
/* Closes the connection. */
void bawn_rest_lane_free (BawnRestLane *lane);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnRestLane, bawn_rest_lane_free)

typedef enum
{
  BAWN_REST_ANSWERED, /* the head of an answer came */
  BAWN_REST_NOT_SENT, /* it is certain that the server got nothing that it could act upon */
  BAWN_REST_LOST,     /* it may have got it */
} BawnRestOutcome;

/**
 * BawnRestExchange:
 * @alarm: ends it
 * @deadline_us: by when the answer must be there; until something is sent, @alarm stands at the
 * connect timeout
 * @is_fresh: a connection was made for it, rather than one used again
 * @is_sent: something may have left
 * @fault: (nullable): what we ourselves did not like
 *
 * One request on one lane, sent once and never again.
 */
typedef struct
{
  const BawnRestOptions *options;
  const BawnRestAddress *address;
  GTlsCertificate *identity; /* nullable */
  BawnRestLane *lane;
  BawnRestAlarm *alarm;
  gint64 deadline_us;
  SoupMessage *message;
  GInputStream *stream;
  gboolean is_fresh;
  gboolean is_sent;
  const char *fault;
} BawnRestExchange;

/* Sends @request and awaits the head of the answer. */
BawnRestOutcome
bawn_rest_exchange_run (BawnRestExchange *exchange, const BawnRestRequest *request, GError **error);
/* All of the body; FALSE: the answer is lost. */
gboolean
bawn_rest_exchange_read_body (BawnRestExchange *exchange, GBytes **out_body, GError **error);
/* Also for one that was not run. */
void bawn_rest_exchange_clear (BawnRestExchange *exchange);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnRestExchange, bawn_rest_exchange_clear)

struct _BawnRest
{
  gatomicrefcount refs;
  BawnRestOptions *options;
  BawnRestTryNext try_next;
  BawnRestAlarms *alarms;
  GTlsDatabase *authorities; /* nullable: the system's */
  GTlsCertificate *identity; /* nullable */

  GMutex lock;
  GCond place_free;
  guint n_calls;
  guint current;
  GQueue idle; /* of BawnRestLane, the one used last first */
};

guint bawn_rest_get_current (BawnRest *rest);
/* Moves on from @address, unless somebody else has done so. */
void bawn_rest_leave_address (BawnRest *rest, guint address);
const BawnRestAddress *bawn_rest_get_address (BawnRest *rest, guint address);

G_END_DECLS
