/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-guard.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_INTERACTION 1u

/* The bus answers at once. */
#define BUS_TIMEOUT_MS (10 * 1000)
/* Polkit may have to be started, but has nobody to ask. */
#define POLKIT_TIMEOUT_MS (25 * 1000)
/* Somebody looks for their password. */
#define DIALOG_TIMEOUT_MS (5 * 60 * 1000)

struct _BawnBusGuard
{
  grefcount refs;
  GDBusConnection *connection;
  GCancellable *cancellable;
  GHashTable *asked; /* uid to how many questions */
  guint n_asked;
  guint64 n_questions; /* since the start: each has a number */
};

typedef struct
{
  BawnBusGuard *guard;
  char *sender;
  const char *action;
  gboolean interactive;
  BawnLocalCaller caller;
  gboolean is_counted;
  char *cancellation_id;
  guint watch; /* of the sender */
  BawnBusGuardDone done;
  gpointer user_data;
} Question;

/**
 * bawn_bus_guard_new:
 * @connection: to the bus
 *
 * Returns: (transfer full): a guard
 */
BawnBusGuard *
bawn_bus_guard_new (GDBusConnection *connection)
{
  BawnBusGuard *guard = g_new0 (BawnBusGuard, 1);

  g_ref_count_init (&guard->refs);
  guard->connection = g_object_ref (connection);
  guard->cancellable = g_cancellable_new ();
  guard->asked = g_hash_table_new (NULL, NULL);
  return guard;
}

BawnBusGuard *
bawn_bus_guard_ref (BawnBusGuard *guard)
{
  g_ref_count_inc (&guard->refs);
  return guard;
}

void
bawn_bus_guard_unref (BawnBusGuard *guard)
{
  if (!g_ref_count_dec (&guard->refs))
    return;

  g_object_unref (guard->connection);
  g_object_unref (guard->cancellable);
  g_hash_table_unref (guard->asked);
  g_free (guard);
}

void
bawn_bus_guard_close (BawnBusGuard *guard)
{
  g_cancellable_cancel (guard->cancellable);
}

static gboolean
count_question (Question *question, GError **error)
{
  BawnBusGuard *guard = question->guard;
  gpointer uid = GUINT_TO_POINTER (question->caller.uid);
  guint own = GPOINTER_TO_UINT (g_hash_table_lookup (guard->asked, uid));

  if (own >= BAWN_BUS_MAX_ASKED_OF_ONE || guard->n_asked >= BAWN_BUS_MAX_ASKED)
    return bawn_fail (error, BAWN_ERROR_BUSY, "too many calls wait for an authorization");

  g_hash_table_replace (guard->asked, uid, GUINT_TO_POINTER (own + 1));
  guard->n_asked++;
  question->is_counted = TRUE;
  return TRUE;
}

static void
discount_question (Question *question)
{
  BawnBusGuard *guard = question->guard;
  gpointer uid = GUINT_TO_POINTER (question->caller.uid);
  guint own = GPOINTER_TO_UINT (g_hash_table_lookup (guard->asked, uid));

  if (own <= 1)
    g_hash_table_remove (guard->asked, uid);
  else
    g_hash_table_replace (guard->asked, uid, GUINT_TO_POINTER (own - 1));
  guard->n_asked--;
}

/* The only way out: takes the question. */
static void
answer (Question *question, const GError *error)
{
  if (question->is_counted)
    discount_question (question);
  if (question->watch != 0)
    g_bus_unwatch_name (question->watch);
  question->done (error == NULL ? &question->caller : NULL, error, question->user_data);
  bawn_bus_guard_unref (question->guard);
  g_free (question->sender);
  g_free (question->cancellation_id);
  g_free (question);
}

static void
refuse (Question *question, const char *why)
{
  g_autoptr (GError) error =
      g_error_new (BAWN_ERROR, BAWN_ERROR_DENIED, "%s: %s", question->action, why);

  answer (question, error);
}

/* The dialog of somebody who has gone must go too. */
static void
on_sender_gone (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Question *question = user_data;

  g_dbus_connection_call (connection, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                          "CancelCheckAuthorization",
                          g_variant_new ("(s)", question->cancellation_id), NULL,
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, POLKIT_TIMEOUT_MS, NULL, NULL, NULL);
}

static void
on_polkit_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  gboolean is_authorized = FALSE;
  gboolean is_challenge = FALSE;

  if (reply == NULL)
    {
      g_dbus_error_strip_remote_error (error);
      g_prefix_error (&error, "polkit does not say: ");
      refuse (question, error->message);
      return;
    }

  g_variant_get (reply, "((bb@a{ss}))", &is_authorized, &is_challenge, NULL);
  if (is_authorized)
    answer (question, NULL);
  else if (is_challenge && !question->interactive)
    refuse (question, "authentication is required, and the call does not allow for that");
  else
    refuse (question, "not allowed");
}

static void
ask_polkit (Question *question)
{
  BawnBusGuard *guard = question->guard;
  GVariantBuilder subject;
  g_autoptr (GError) error = NULL;

  if (!count_question (question, &error))
    {
      answer (question, error);
      return;
    }

  question->cancellation_id = g_strdup_printf ("bawn-%" G_GUINT64_FORMAT, ++guard->n_questions);
  question->watch = g_bus_watch_name_on_connection (guard->connection, question->sender,
                                                    G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
                                                    on_sender_gone, question, NULL);
  g_variant_builder_init (&subject, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&subject, "{sv}", "name", g_variant_new_string (question->sender));
  g_dbus_connection_call (
      guard->connection, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, "CheckAuthorization",
      g_variant_new ("((sa{sv})s@a{ss}us)", "system-bus-name", &subject, question->action,
                     g_variant_new_array (G_VARIANT_TYPE ("{ss}"), NULL, 0),
                     question->interactive ? POLKIT_ALLOW_INTERACTION : 0,
                     question->cancellation_id),
      G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE,
      question->interactive ? DIALOG_TIMEOUT_MS : POLKIT_TIMEOUT_MS, guard->cancellable,
      on_polkit_answered, question);
}

static void
on_caller_known (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autoptr (GVariant) credentials = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;

  if (credentials == NULL
      || !g_variant_lookup (credentials, "UnixUserID", "u", &question->caller.uid))
    {
      refuse (question, "the bus does not say who calls");
      return;
    }

  (void) g_variant_lookup (credentials, "ProcessID", "u", &question->caller.pid);
  /* Polkit lets root do everything; without polkit there must be a way too. */
  if (question->caller.uid == 0)
    answer (question, NULL);
  else
    ask_polkit (question);
}

/**
 * bawn_bus_guard_ask:
 * @guard: the guard
 * @call: the call, which says who calls, and whether they may be asked for a password
 * @action: what polkit calls it
 * @done: gets the answer
 * @user_data: for @done
 *
 * Asks whether the caller may.
 */
void
bawn_bus_guard_ask (BawnBusGuard *guard,
                    GDBusMessage *call,
                    const char *action,
                    BawnBusGuardDone done,
                    gpointer user_data)
{
  Question *question = g_new0 (Question, 1);

  question->guard = bawn_bus_guard_ref (guard);
  question->sender = g_strdup (g_dbus_message_get_sender (call));
  question->action = action;
  question->interactive =
      (g_dbus_message_get_flags (call) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
  question->caller.door = "D-Bus";
  question->done = done;
  question->user_data = user_data;
  g_dbus_connection_call (guard->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus", "GetConnectionCredentials",
                          g_variant_new ("(s)", question->sender), G_VARIANT_TYPE ("(a{sv})"),
                          G_DBUS_CALL_FLAGS_NONE, BUS_TIMEOUT_MS, guard->cancellable,
                          on_caller_known, question);
}
