/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-unsealer.h"

#include "barrier/bawn-seal-credential.h"
#include "core/bawn-self-unseal.h"
#include "daemon/bawn-fdstore.h"
#include "util/bawn-credential.h"
#include "util/bawn-error.h"
#include "util/bawn-handed.h"
#include "util/bawn-log.h"
#include "util/bawn-message-id.h"

#define FAMILY "seal"
#define KEPT_NAME BAWN_HANDED_STORED "root-key"
#define DEFAULT_CREDENTIAL "unseal-key"
/* Between tries: a storage comes up at some time, and another node may initialise it. */
#define FIRST_PAUSE_US (1 * G_USEC_PER_SEC)
#define LONGEST_PAUSE_US (15 * G_USEC_PER_SEC)

struct _BawnUnsealer
{
  BawnCore *core;
  gboolean self_unsealing;
  gboolean keep;
  gulong handler;
  GThread *thread;      /* nullable */
  BawnSecret *root_key; /* nullable: of an earlier process, and to be tried; of the thread, once there is one */

  GMutex lock;
  GCond changed;
  gboolean stopping;      /* nothing is tried any more; under the lock, like all below */
  gboolean leaving;       /* the node is sealed because the process ends */
  gboolean was_unsealed;  /* from then on it is the operator who decides */
  gboolean kept;
  char *told;             /* the last complaint */
};

/* Order of the configuration's choice. */
static const char *const type_names[] = { "shamir", "credential", NULL };

BawnSealSettings *
bawn_seal_settings_read (BawnConfig *config)
{
  g_autoptr(BawnConfigGroup) group = bawn_config_get_group (config, FAMILY);
  g_autofree char *credential = bawn_config_get_string (group, "credential", DEFAULT_CREDENTIAL);
  BawnSealSettings *settings = g_new0 (BawnSealSettings, 1);

  settings->self_unsealing = bawn_config_get_choice (group, "type", type_names, 0) == 1;
  settings->keep = bawn_config_get_bool (group, "keep-over-restart", FALSE);
  if (!bawn_credential_is_name (credential))
    bawn_config_complain (group, "credential", "not the name of a credential");
  if (!settings->self_unsealing && bawn_config_group_has (group, "credential"))
    bawn_config_complain (group, "credential", "of use only with type=credential");
  settings->key_path = bawn_credential_dup_path (credential);

  return settings;
}

void
bawn_seal_settings_free (BawnSealSettings *settings)
{
  g_free (settings->key_path);
  g_free (settings);
}

static void
complain (const char *text)
{
  bawn_log_with (BAWN_LOG_ERROR, "daemon", BAWN_LOG_FIELDS ({ "MESSAGE_ID", BAWN_MESSAGE_NOT_UNSEALED_ITSELF }),
                 "this node could not unseal itself: %s", text);
}

gboolean
bawn_seal_settings_open (const BawnSealSettings *settings, BawnSeal **out_seal, GError **error)
{
  g_autoptr(GError) reason = NULL;

  *out_seal = NULL;
  if (!settings->self_unsealing)
    return TRUE;

  g_autoptr(BawnSecret) key = bawn_seal_credential_read (settings->key_path, &reason);
  if (key == NULL && !bawn_error_is (reason, BAWN_ERROR_NOT_FOUND))
    return bawn_fail (error, BAWN_ERROR_INVALID, "[" FAMILY "] credential: %s", reason->message);
  if (key == NULL)
    bawn_log_warn ("daemon", "%s: without its unseal key, this node waits for shares", reason->message);

  *out_seal = BAWN_SEAL (bawn_seal_credential_new (key));
  return TRUE;
}

/* Once for each reason. */
static void
tell (BawnUnsealer *unsealer, const char *text)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&unsealer->lock);

  if (g_strcmp0 (unsealer->told, text) == 0)
    return;
  g_free (unsealer->told);
  unsealer->told = g_strdup (text);
  complain (text);
}

/* The key is not of this storage, or is not wanted any more. */
static gboolean
is_useless (const GError *error)
{
  return bawn_error_is (error, BAWN_ERROR_DENIED) || bawn_error_is (error, BAWN_ERROR_CORRUPT)
         || bawn_error_is (error, BAWN_ERROR_INVALID) || bawn_error_is (error, BAWN_ERROR_SEALED);
}

/* A storage that does not answer just now says nothing about the key. */
static gboolean
try_kept (BawnUnsealer *unsealer)
{
  g_autoptr(GError) error = NULL;

  if (unsealer->root_key == NULL)
    return FALSE;
  if (bawn_core_unseal_with_root_key (unsealer->core, unsealer->root_key, &error))
    {
      bawn_log_info ("daemon", "unsealed with the root key that the service manager has kept");
      return TRUE;
    }
  tell (unsealer, error->message);
  if (is_useless (error))
    {
      g_clear_pointer (&unsealer->root_key, bawn_secret_unref);
      bawn_fdstore_forget (KEPT_NAME);
    }

  return FALSE;
}

/* The same; *out_hopeless: people are needed. */
static gboolean
try_seal (BawnUnsealer *unsealer, gboolean *out_hopeless)
{
  g_autoptr(GError) error = NULL;

  *out_hopeless = !unsealer->self_unsealing;
  if (!unsealer->self_unsealing)
    return FALSE;
  if (bawn_core_unseal_self (unsealer->core, &error))
    return TRUE;
  /* Initialised by whom, and when, is not this node's business. */
  if (!bawn_error_is (error, BAWN_ERROR_INVALID))
    tell (unsealer, error->message);
  /* Without a key there is nothing to wait for but people. */
  *out_hopeless = bawn_error_is (error, BAWN_ERROR_SEALED);
  return FALSE;
}

/* TRUE: there is nothing left to be tried. */
static gboolean
try (BawnUnsealer *unsealer)
{
  g_autoptr(BawnStatus) status = bawn_core_ref_status (unsealer->core);
  gboolean hopeless = FALSE;

  if (!status->sealed || try_kept (unsealer) || try_seal (unsealer, &hopeless))
    return TRUE;

  return hopeless && unsealer->root_key == NULL;
}

/* FALSE: it is time to end. */
static gboolean
wait (BawnUnsealer *unsealer, gint64 pause_us)
{
  gint64 until = g_get_monotonic_time () + pause_us;
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&unsealer->lock);

  while (!unsealer->stopping && !unsealer->was_unsealed && g_cond_wait_until (&unsealer->changed, &unsealer->lock, until))
    ;
  return !unsealer->stopping && !unsealer->was_unsealed;
}

static gpointer
run (gpointer data)
{
  BawnUnsealer *unsealer = data;
  gint64 pause_us = FIRST_PAUSE_US;

  while (wait (unsealer, pause_us) && !try (unsealer))
    pause_us = MIN (2 * pause_us, LONGEST_PAUSE_US);

  g_clear_pointer (&unsealer->root_key, bawn_secret_unref);
  return NULL;
}

static void
keep_locked (BawnUnsealer *unsealer)
{
  g_autoptr(BawnSecret) root_key = bawn_core_dup_root_key (unsealer->core);
  g_autoptr(GError) error = NULL;

  if (root_key == NULL)
    return;
  unsealer->kept = bawn_fdstore_keep (KEPT_NAME, root_key, &error);
  if (!unsealer->kept)
    bawn_log_warn ("daemon", "a restart will leave this node sealed: %s", error->message);
}

static void
on_status_changed (BawnCore *core, gpointer user_data)
{
  BawnUnsealer *unsealer = user_data;
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&unsealer->lock);
  g_autoptr(BawnStatus) status = bawn_core_ref_status (core);

  if (unsealer->leaving)
    return;
  if (!status->sealed && !unsealer->was_unsealed)
    {
      unsealer->was_unsealed = TRUE;
      g_cond_signal (&unsealer->changed);
    }
  if (!unsealer->keep)
    return;
  if (!status->sealed && !unsealer->kept)
    keep_locked (unsealer);
  else if (status->sealed && unsealer->was_unsealed && unsealer->kept)
    {
      bawn_fdstore_forget (KEPT_NAME);
      unsealer->kept = FALSE;
    }
}

/* What an earlier process has left. */
static void
take_kept (BawnUnsealer *unsealer)
{
  unsealer->root_key = bawn_fdstore_take (KEPT_NAME);
  if (unsealer->root_key == NULL || unsealer->keep)
    return;

  g_clear_pointer (&unsealer->root_key, bawn_secret_unref);
  bawn_fdstore_forget (KEPT_NAME);
}

BawnUnsealer *
bawn_unsealer_start (BawnCore *core, const BawnSealSettings *settings)
{
  BawnUnsealer *unsealer = g_new0 (BawnUnsealer, 1);

  g_mutex_init (&unsealer->lock);
  g_cond_init (&unsealer->changed);
  unsealer->core = g_object_ref (core);
  unsealer->self_unsealing = settings->self_unsealing;
  unsealer->keep = settings->keep;
  unsealer->handler = g_signal_connect (core, "status-changed", G_CALLBACK (on_status_changed), unsealer);
  take_kept (unsealer);
  if (!try (unsealer))
    unsealer->thread = g_thread_new ("bawn-unsealer", run, unsealer);
  else
    g_clear_pointer (&unsealer->root_key, bawn_secret_unref);

  return unsealer;
}

void
bawn_unsealer_stop (BawnUnsealer *unsealer)
{
  g_mutex_lock (&unsealer->lock);
  unsealer->stopping = TRUE;
  g_cond_signal (&unsealer->changed);
  g_mutex_unlock (&unsealer->lock);
  if (unsealer->thread != NULL)
    g_thread_join (g_steal_pointer (&unsealer->thread));
}

void
bawn_unsealer_leave (BawnUnsealer *unsealer)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&unsealer->lock);

  unsealer->leaving = TRUE;
}

void
bawn_unsealer_free (BawnUnsealer *unsealer)
{
  bawn_unsealer_stop (unsealer);
  g_signal_handler_disconnect (unsealer->core, unsealer->handler);
  g_object_unref (unsealer->core);
  g_free (unsealer->told);
  g_cond_clear (&unsealer->changed);
  g_mutex_clear (&unsealer->lock);
  g_free (unsealer);
}
