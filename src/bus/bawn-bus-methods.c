/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-methods.h"

#include "bus/bawn-bus-error.h"
#include "bus/bawn-bus-guard.h"
#include "bus/bawn-bus-queue.h"
#include "bus/bawn-bus-share-async.h"
#include "util/bawn-log.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

/* One may wait for the storage while another seals. */
#define THREADS 2
/* Of an address. */
#define MAX_SUCCESSOR 1024

typedef enum
{
  METHOD_STEP_DOWN,
  METHOD_SEAL,
  METHOD_RELOAD,
  METHOD_UNSEAL,
} Method;

static const char *const actions[] = {
  [METHOD_STEP_DOWN] = "org.bawn.Bawn1.step-down",
  [METHOD_SEAL] = "org.bawn.Bawn1.seal",
  [METHOD_RELOAD] = "org.bawn.Bawn1.reload",
  [METHOD_UNSEAL] = "org.bawn.Bawn1.unseal",
};

struct _BawnBusMethods
{
  gatomicrefcount refs;
  BawnBusNode *node;
  BawnCore *core;
  BawnBusReload reload;
  gpointer reload_data;
  GMainContext *context;
  GThreadPool *pool;   /* nullable: closed */
  BawnBusQueue *open;  /* calls that were begun and not answered */
  BawnBusGuard *guard; /* nullable: of the connection */
  GCancellable *cancellable;
  BawnBusReaders *readers;
};

/* One call, from its coming to its answer. Used by one thread at a time. */
typedef struct
{
  BawnBusMethods *methods;
  Method method;
  GDBusMethodInvocation *invocation;
  BawnLocalCaller caller;
  char *successor;   /* nullable */
  int fd;            /* -1: none */
  BawnSecret *share; /* nullable */
  GError *error;     /* nullable: what came of it */
} Call;

static void
call_clear (gpointer data)
{
  Call *call = data;

  bawn_bus_queue_leave (call->methods->open,
                        g_dbus_method_invocation_get_sender (call->invocation));
  g_object_unref (call->invocation);
  g_clear_pointer (&call->share, bawn_secret_unref);
  g_clear_error (&call->error);
  g_free (call->successor);
  if (call->fd >= 0)
    close (call->fd);
  bawn_bus_methods_unref (call->methods);
}

static void
call_unref (gpointer call)
{
  g_atomic_rc_box_release_full (call, call_clear);
}

static Call *
call_ref (Call *call)
{
  return g_atomic_rc_box_acquire (call);
}

/* Goes on with the call in @context; takes it. */
static void
hand_on (Call *call, GMainContext *context, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, call, call_unref);
  g_source_attach (source, context);
}

static void
answer_unseal (Call *call)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (call->methods->core);

  bawn_dbus_bawn1_complete_unseal (BAWN_DBUS_BAWN1 (call->methods->node),
                                   g_object_ref (call->invocation), NULL, status->sealed,
                                   status->progress, status->threshold);
}

/* On the bus's thread: who has the answer may read the properties, and finds them as they are now.
 */
static gboolean
answer (gpointer user_data)
{
  Call *call = user_data;

  bawn_bus_node_refresh (call->methods->node);
  if (call->error != NULL)
    bawn_bus_error_return (g_object_ref (call->invocation), call->error);
  else if (call->method == METHOD_UNSEAL)
    answer_unseal (call);
  else
    g_dbus_method_invocation_return_value (g_object_ref (call->invocation), NULL);

  return G_SOURCE_REMOVE;
}

/* Any thread; takes the call. */
static void
finish (Call *call)
{
  hand_on (call, call->methods->context, answer);
}

static void
fail (Call *call, BawnErrorCode code, const char *message)
{
  g_clear_error (&call->error);
  call->error = g_error_new_literal (BAWN_ERROR, (int) code, message);
  finish (call);
}

/* On a thread of the pool. */
static void
run_call (gpointer data, gpointer user_data)
{
  Call *call = data;
  BawnCore *core = call->methods->core;

  switch (call->method)
    {
    case METHOD_STEP_DOWN:
      (void) bawn_core_step_down_locally (core, &call->caller, call->successor, &call->error);
      break;
    case METHOD_SEAL:
      (void) bawn_core_seal_locally (core, &call->caller, &call->error);
      break;
    case METHOD_UNSEAL:
      (void) bawn_core_unseal_locally (core, &call->caller, call->share, &call->error);
      break;
    case METHOD_RELOAD:
      break;
    }
  finish (call);
}

/* On the main thread. What closed this waits on that thread, so it has not begun, or is done. */
static gboolean
reload_now (gpointer user_data)
{
  Call *call = user_data;
  BawnBusMethods *methods = call->methods;

  if (!g_cancellable_is_cancelled (methods->cancellable))
    {
      bawn_log_info ("bus", "reload asked for through %s by uid %u", call->caller.door,
                     call->caller.uid);
      (void) methods->reload (methods->reload_data, &call->error);
    }
  finish (call_ref (call));
  return G_SOURCE_REMOVE;
}

static void
run_in_pool (Call *call)
{
  if (call->methods->pool == NULL)
    fail (call, BAWN_ERROR_BUSY, "the server stops");
  else
    g_thread_pool_push (call->methods->pool, call, NULL);
}

static void
on_share_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Call *call = user_data;

  call->share = bawn_bus_share_read_finish (result, &call->error);
  if (call->share == NULL)
    finish (call);
  else
    run_in_pool (call);
}

static void
read_share (Call *call)
{
  int fd = call->fd;

  call->fd = -1;
  bawn_bus_share_read_async (call->methods->readers, fd, call->methods->cancellable, on_share_read,
                             call);
}

static void
on_guard_answered (const BawnLocalCaller *caller, const GError *error, gpointer user_data)
{
  Call *call = user_data;

  if (caller == NULL)
    {
      fail (call, (BawnErrorCode) error->code, error->message);
      return;
    }

  call->caller = *caller;
  switch (call->method)
    {
    case METHOD_STEP_DOWN:
    case METHOD_SEAL:
      run_in_pool (call);
      break;
    case METHOD_UNSEAL:
      read_share (call);
      break;
    case METHOD_RELOAD:
      hand_on (call, NULL, reload_now);
      break;
    }
}

static void
refuse_busy (GDBusMethodInvocation *invocation)
{
  g_autoptr (GError) error =
      g_error_new_literal (BAWN_ERROR, BAWN_ERROR_BUSY, "too many calls are waiting");

  bawn_bus_error_return (invocation, error);
}

/* NULL: the caller has been told that it is too busy here. Takes the invocation. */
static Call *
begin (BawnBusMethods *methods, Method method, GDBusMethodInvocation *invocation)
{
  if (methods->guard == NULL
      || !bawn_bus_queue_enter (methods->open, g_dbus_method_invocation_get_sender (invocation)))
    {
      refuse_busy (invocation);
      return NULL;
    }

  Call *call = g_atomic_rc_box_new0 (Call);

  g_atomic_ref_count_inc (&methods->refs);
  call->methods = methods;
  call->method = method;
  call->invocation = invocation;
  call->fd = -1;
  return call;
}

static void
ask (Call *call)
{
  bawn_bus_guard_ask (call->methods->guard, g_dbus_method_invocation_get_message (call->invocation),
                      actions[call->method], on_guard_answered, call);
}

static gboolean
on_seal (BawnDbusBawn1 *object, GDBusMethodInvocation *invocation, gpointer user_data)
{
  Call *call = begin (user_data, METHOD_SEAL, invocation);

  if (call != NULL)
    ask (call);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_reload (BawnDbusBawn1 *object, GDBusMethodInvocation *invocation, gpointer user_data)
{
  Call *call = begin (user_data, METHOD_RELOAD, invocation);

  if (call != NULL)
    ask (call);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_step_down (BawnDbusBawn1 *object,
              GDBusMethodInvocation *invocation,
              const char *successor,
              gpointer user_data)
{
  Call *call = begin (user_data, METHOD_STEP_DOWN, invocation);

  if (call == NULL)
    return G_DBUS_METHOD_INVOCATION_HANDLED;

  if (strlen (successor) > MAX_SUCCESSOR)
    fail (call, BAWN_ERROR_INVALID, "that is no address");
  else
    {
      call->successor = *successor != '\0' ? g_strdup (successor) : NULL;
      ask (call);
    }
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* -1: there is none, or more than one. */
static int
take_fd (GUnixFDList *fds, GVariant *share)
{
  if (fds == NULL || g_unix_fd_list_get_length (fds) != 1 || g_variant_get_handle (share) != 0)
    return -1;

  return g_unix_fd_list_get (fds, 0, NULL);
}

static gboolean
on_unseal (BawnDbusBawn1 *object,
           GDBusMethodInvocation *invocation,
           GUnixFDList *fds,
           GVariant *share,
           gpointer user_data)
{
  Call *call = begin (user_data, METHOD_UNSEAL, invocation);

  if (call == NULL)
    return G_DBUS_METHOD_INVOCATION_HANDLED;

  call->fd = take_fd (fds, share);
  if (call->fd < 0)
    fail (call, BAWN_ERROR_INVALID, "one file descriptor is needed");
  else
    ask (call);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/**
 * bawn_bus_methods_new:
 * @node: the object; asks for its methods come from there
 * @core: what they act on
 * @reload: (scope notified): for Reload(), on the main thread
 * @reload_data: for @reload
 *
 * Returns: (transfer full): the methods, which say that they are busy before they have a connection
 */
BawnBusMethods *
bawn_bus_methods_new (BawnBusNode *node, BawnCore *core, BawnBusReload reload, gpointer reload_data)
{
  BawnBusMethods *methods = g_new0 (BawnBusMethods, 1);

  g_atomic_ref_count_init (&methods->refs);
  methods->node = g_object_ref (node);
  methods->core = g_object_ref (core);
  methods->reload = reload;
  methods->reload_data = reload_data;
  methods->context = g_main_context_ref_thread_default ();
  methods->pool = g_thread_pool_new (run_call, NULL, THREADS, FALSE, NULL);
  methods->open = bawn_bus_queue_new (methods->context);
  methods->cancellable = g_cancellable_new ();
  methods->readers = bawn_bus_readers_new ();
  g_signal_connect (node, "handle-seal", G_CALLBACK (on_seal), methods);
  g_signal_connect (node, "handle-reload", G_CALLBACK (on_reload), methods);
  g_signal_connect (node, "handle-step-down", G_CALLBACK (on_step_down), methods);
  g_signal_connect (node, "handle-unseal", G_CALLBACK (on_unseal), methods);
  return methods;
}

void
bawn_bus_methods_set_connection (BawnBusMethods *methods, GDBusConnection *connection)
{
  if (methods->guard != NULL)
    bawn_bus_guard_close (methods->guard);
  g_clear_pointer (&methods->guard, bawn_bus_guard_unref);
  if (connection != NULL && methods->pool != NULL)
    methods->guard = bawn_bus_guard_new (connection);
}

void
bawn_bus_methods_close (BawnBusMethods *methods)
{
  GThreadPool *pool = g_steal_pointer (&methods->pool);

  g_signal_handlers_disconnect_by_data (methods->node, methods);
  g_cancellable_cancel (methods->cancellable);
  bawn_bus_methods_set_connection (methods, NULL);
  if (pool != NULL)
    g_thread_pool_free (pool, FALSE, TRUE);
}

void
bawn_bus_methods_unref (BawnBusMethods *methods)
{
  if (!g_atomic_ref_count_dec (&methods->refs))
    return;

  g_assert (methods->pool == NULL);
  g_object_unref (methods->node);
  g_object_unref (methods->core);
  g_main_context_unref (methods->context);
  bawn_bus_queue_unref (methods->open);
  g_object_unref (methods->cancellable);
  bawn_bus_readers_unref (methods->readers);
  g_free (methods);
}
