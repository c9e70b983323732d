/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-etcd-private.h"

#include <string.h>

/* Watches that stay open between two waits: an elector has one key or two. */
#define MAX_IDLE 4
/* A watch that nobody looked at for so long may have died without a word. */
#define MAX_IDLE_US (30 * G_TIME_SPAN_SECOND)
/* For a question that would otherwise end with a wait that is about to. */
#define MIN_ASK_US (100 * G_TIME_SPAN_MILLISECOND)

/* A watch of one key: the version that it had when the storage was at some revision, and what comes
 * after that. */
struct _BawnEtcdWatcher
{
  char *key;
  guint64 version;
  guint64 revision;
  BawnRestStream *stream;
  gint64 used_us;
};

typedef enum
{
  WATCH_FAILED, /* with an error */
  WATCH_BROKEN, /* the connection is gone: look and watch again */
  WATCH_ALIEN,  /* the token was not good */
  WATCH_TIME,   /* nothing until the deadline */
  WATCH_ON,     /* a line came */
  WATCH_CHANGED,
} WatchResult;

void
bawn_etcd_watcher_free (BawnEtcdWatcher *watcher)
{
  if (watcher == NULL)
    return;

  bawn_rest_stream_free (watcher->stream);
  g_free (watcher->key);
  g_free (watcher);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnEtcdWatcher, bawn_etcd_watcher_free)

static GBytes *
write_create (BawnEtcd *etcd, const char *key, guint64 start_revision)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_rest_json_begin_object (&w, BAWN_REST_ETCD_CREATE_REQUEST);
  bawn_etcd_write_key (etcd, &w, BAWN_REST_ETCD_KEY, key);
  bawn_rest_json_uint64 (&w, BAWN_REST_ETCD_START_REVISION, start_revision);
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_object (&w);
  return bawn_json_writer_finish (&w);
}

/* All that happens to @key after @revision, when it had @version. */
static BawnEtcdWatcher *
watcher_open (BawnEtcd *etcd,
              const char *key,
              guint64 version,
              guint64 revision,
              const char *token,
              gint64 timeout_us,
              GCancellable *cancellable,
              GError **error)
{
  g_autoptr (GBytes) body = write_create (etcd, key, revision + 1);
  const char *const headers[] = { "Authorization", token, NULL };
  const BawnRestRequest request = {
    .method = "POST",
    .path = "/v3/watch",
    .body = body,
    .content_type = "application/json",
    .headers = token != NULL ? headers : NULL,
    .timeout_us = timeout_us,
    .is_repeatable = TRUE,
    .is_wait = TRUE,
  };
  BawnRestStream *stream = bawn_rest_open_stream (etcd->rest, &request, cancellable, error);

  if (stream == NULL)
    return NULL;

  BawnEtcdWatcher *watcher = g_new0 (BawnEtcdWatcher, 1);

  watcher->key = g_strdup (key);
  watcher->version = version;
  watcher->revision = revision;
  watcher->stream = stream;
  return watcher;
}

static gboolean
read_event (BawnEtcdWatcher *watcher, const BawnJsonNode *event)
{
  const BawnJsonNode *kv = bawn_rest_json_get (event, BAWN_REST_ETCD_KV);
  const char *type = bawn_rest_json_get_string (event, BAWN_REST_ETCD_TYPE, "PUT");
  guint64 revision = 0;

  if (!bawn_rest_json_get_uint64 (kv, BAWN_REST_ETCD_MOD_REVISION, &revision) || revision == 0)
    return FALSE;

  watcher->version = strcmp (type, "DELETE") == 0 ? 0 : revision;
  watcher->revision = revision;
  return TRUE;
}

static WatchResult
read_line (BawnEtcdWatcher *watcher, GBytes *line, GError **error)
{
  const char *address = bawn_rest_stream_get_address (watcher->stream);
  g_autoptr (BawnJson) json = bawn_json_parse (line, NULL, NULL);
  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;
  const BawnJsonNode *result = bawn_rest_json_get (root, BAWN_REST_ETCD_RESULT);
  const BawnJsonNode *events = bawn_rest_json_get (result, BAWN_REST_ETCD_EVENTS);
  g_auto (BawnEtcdFault) fault = { 0 };

  if (result == NULL || bawn_rest_json_get_bool (result, BAWN_REST_ETCD_CANCELED, FALSE)
      || bawn_rest_stream_get_status (watcher->stream) != 200)
    {
      const BawnRestReply refusal = { .status = bawn_rest_stream_get_status (watcher->stream),
                                      .body = line,
                                      .address = address };

      bawn_etcd_fault_read (&fault, &refusal);
      if (fault.is_login)
        return WATCH_ALIEN;
      /* Its member stops, or lost the others: one that goes on will take the watch. */
      if (!fault.is_denied)
        return WATCH_BROKEN;

      bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s does not let us watch: %s", address, fault.text);
      return WATCH_FAILED;
    }
  for (const BawnJsonNode *event = events != NULL ? events->children : NULL; event != NULL;
       event = event->next)
    if (!read_event (watcher, event))
      return WATCH_BROKEN;

  return WATCH_ON;
}

/* Reads on until the watch shows another version than @version. */
static WatchResult
follow (BawnEtcdWatcher *watcher,
        guint64 version,
        gint64 deadline_us,
        GCancellable *cancellable,
        GError **error)
{
  for (;;)
    {
      g_autoptr (GBytes) line = NULL;
      g_autoptr (GError) why = NULL;
      gint64 left_us = MAX (deadline_us - g_get_monotonic_time (), 0);
      WatchResult result = WATCH_BROKEN;

      switch (bawn_rest_stream_read (watcher->stream, left_us, &line, cancellable, &why))
        {
        case BAWN_REST_STREAM_NOTHING:
          return WATCH_TIME;
        case BAWN_REST_STREAM_END:
          return WATCH_BROKEN;
        case BAWN_REST_STREAM_FAILED:
          if (!bawn_error_is (why, BAWN_ERROR_TIMEOUT))
            return WATCH_BROKEN;
          g_propagate_error (error, g_steal_pointer (&why));
          return WATCH_FAILED;
        case BAWN_REST_STREAM_LINE:
          result = read_line (watcher, line, error);
          break;
        }

      if (result != WATCH_ON)
        return result;
      /* Not while it still catches up with what the caller has seen. */
      if (watcher->version != version && (version == 0 || watcher->revision > version))
        return WATCH_CHANGED;
    }
}

/* A watch that a wait left goes on if it is where the caller is, or if what the caller has seen is
 * still to come by it. */
static gboolean
goes_on (BawnEtcdWatcher *watcher, const char *key, guint64 version)
{
  return strcmp (watcher->key, key) == 0
         && (watcher->version == version || watcher->revision < version)
         && g_get_monotonic_time () - watcher->used_us < MAX_IDLE_US
         && bawn_rest_stream_is_current (watcher->stream);
}

static BawnEtcdWatcher *
take_watcher (BawnEtcd *etcd, const char *key, guint64 version)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&etcd->lock);

  for (GList *link = etcd->watchers.head; link != NULL; link = link->next)
    if (goes_on (link->data, key, version))
      {
        BawnEtcdWatcher *watcher = link->data;

        g_queue_delete_link (&etcd->watchers, link);
        return watcher;
      }

  return NULL;
}

static void
give_watcher (BawnEtcd *etcd, BawnEtcdWatcher *watcher)
{
  g_autoptr (BawnEtcdWatcher) oldest = NULL;

  watcher->used_us = g_get_monotonic_time ();
  g_mutex_lock (&etcd->lock);
  g_queue_push_head (&etcd->watchers, watcher);
  if (etcd->watchers.length > MAX_IDLE)
    oldest = g_queue_pop_tail (&etcd->watchers);
  g_mutex_unlock (&etcd->lock);
}

/* One wait, which may take several watches. */
typedef struct
{
  BawnEtcd *etcd;
  const char *key;
  guint64 version;
  gint64 deadline_us;
  GCancellable *cancellable;
  BawnWipedString *token;
  gboolean is_alien; /* the token was refused once */
} Wait;

static void
wait_clear (Wait *wait)
{
  bawn_string_wipe_free (wait->token);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wait, wait_clear)

static gint64
time_left (Wait *wait)
{
  gint64 left_us = wait->deadline_us - g_get_monotonic_time ();

  return CLAMP (left_us, MIN_ASK_US, bawn_rest_options_get_request_timeout (wait->etcd->options));
}

static gboolean
renew_token (Wait *wait, GError **error)
{
  if (!bawn_etcd_login_is_used (wait->etcd->login) || (wait->token != NULL && !wait->is_alien))
    return TRUE;

  BawnWipedString *token =
      bawn_etcd_login_get_token (wait->etcd->login, wait->etcd->rest,
                                 wait->is_alien ? wait->token : NULL, wait->cancellable, error);

  bawn_string_wipe_free (wait->token);
  wait->token = token;
  return token != NULL;
}

/* Looks, and begins to watch from that moment on. TRUE with %NULL: the key has another version
 * already. */
static gboolean
begin (Wait *wait, BawnEtcdWatcher **out_watcher, GError **error)
{
  BawnEtcd *etcd = wait->etcd;
  g_autoptr (GBytes) value = NULL;
  guint64 version = 0;
  guint64 revision = 0;

  *out_watcher = NULL;
  if (!bawn_etcd_look (etcd, BAWN_ETCD_WAIT, time_left (wait), wait->key, &value, &version,
                       &revision, wait->cancellable, error))
    return FALSE;
  if (version != wait->version)
    return TRUE;
  if (!renew_token (wait, error))
    return FALSE;

  *out_watcher = watcher_open (etcd, wait->key, version, revision, wait->token, time_left (wait),
                               wait->cancellable, error);
  return *out_watcher != NULL;
}

/* The first is one that was left from a wait before. */
static WatchResult
watch_once (Wait *wait, gboolean is_first, GError **error)
{
  g_autoptr (BawnEtcdWatcher) watcher =
      is_first ? take_watcher (wait->etcd, wait->key, wait->version) : NULL;

  if (watcher == NULL && !begin (wait, &watcher, error))
    return WATCH_FAILED;
  if (watcher == NULL)
    return WATCH_CHANGED;

  WatchResult result = follow (watcher, wait->version, wait->deadline_us, wait->cancellable, error);

  if (result == WATCH_TIME || result == WATCH_CHANGED)
    give_watcher (wait->etcd, g_steal_pointer (&watcher));
  return result;
}

gboolean
bawn_etcd_wait (BawnEtcd *etcd,
                const char *key,
                guint64 version,
                gint64 timeout_us,
                GCancellable *cancellable,
                GError **error)
{
  g_auto (Wait) wait = {
    .etcd = etcd,
    .key = key,
    .version = version,
    .deadline_us = g_get_monotonic_time () + timeout_us,
    .cancellable = cancellable,
  };

  for (gboolean is_first = TRUE;; is_first = FALSE)
    {
      WatchResult result = watch_once (&wait, is_first, error);

      if (result == WATCH_CHANGED || result == WATCH_TIME)
        return TRUE;
      if (result == WATCH_FAILED)
        return FALSE;
      if (result == WATCH_ALIEN && wait.is_alien)
        return bawn_fail (error, BAWN_ERROR_UPSTREAM,
                          "etcd does not let us watch: the token is not good");

      wait.is_alien = result == WATCH_ALIEN;
      if (g_get_monotonic_time () >= wait.deadline_us)
        return TRUE;
      if (!wait.is_alien)
        bawn_etcd_pause (cancellable);
    }
}
