/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-storage-wait.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "barrier/bawn-seal-records.h"
#include "daemon/bawn-notify.h"
#include "storage/bawn-backend-registry.h"
#include "util/bawn-log.h"

/* Between two tries: soon at first, since what starts with the machine is there in a moment; and
 * often enough later that nobody waits for us. */
#define FIRST_PAUSE_US (G_USEC_PER_SEC / 4)
#define LAST_PAUSE_US (2 * G_USEC_PER_SEC)
/* What has been said is said again after so long, for whoever looks at the end of the log. */
#define REMIND_US (30 * G_USEC_PER_SEC)
/* So much longer the service manager lets us start, from each try on: longer than any of them takes. */
#define START_US (5 * 60 * G_USEC_PER_SEC)

/* What lies in this process or in a file does not come by itself. */
static const char *const own_types[] = { "memory", "sqlite", NULL };

/* A storage that is waited for. */
typedef struct
{
  char *name;      /* for people */
  char *last_said; /* nullable */
  gint64 said_us;
  gint64 pause_us;
} Wait;

static void
wait_clear (Wait *wait)
{
  g_free (wait->name);
  g_free (wait->last_said);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wait, wait_clear)

/* Nothing is held yet that would have to be given back. Not left to the default, which the first
 * process of a container does not have. */
static void
on_end (int signum G_GNUC_UNUSED)
{
  _exit (EXIT_SUCCESS);
}

static void
heed_signals (void)
{
  signal (SIGTERM, on_end);
  signal (SIGINT, on_end);
  /* There is nothing to be read again. */
  signal (SIGHUP, SIG_IGN);
}

/* An address with a user in it may have a password there too. */
static char *
name_storage (BawnConfigGroup *group, const char *type)
{
  g_autofree char *address = bawn_config_group_has (group, "address")
                                 ? bawn_config_get_string (group, "address", NULL)
                                 : NULL;
  const char *name = bawn_config_group_get_name (group);

  if (address == NULL || strchr (address, '@') != NULL)
    return g_strdup_printf ("the storage %s of [%s]", type, name);

  return g_strdup_printf ("the storage %s of [%s] at %s", type, name, address);
}

/* Some storages do not ask anybody until they must. */
static BawnBackend *
try_open (BawnConfigGroup *group, GError **error)
{
  g_autoptr (BawnBackend) backend = bawn_backend_open (group, NULL, error);
  g_autoptr (GBytes) value = NULL;
  guint64 version = 0;

  if (backend == NULL
      || !bawn_backend_get (backend, BAWN_SEAL_CONFIG_KEY, &value, &version, NULL, error))
    return NULL;

  return g_steal_pointer (&backend);
}

static gboolean
may_come (const char *type, const GError *error)
{
  return !g_strv_contains (own_types, type)
         && (bawn_error_is (error, BAWN_ERROR_UPSTREAM)
             || bawn_error_is (error, BAWN_ERROR_TIMEOUT));
}

static void
tell (Wait *wait, const GError *error)
{
  gint64 now_us = g_get_monotonic_time ();

  if (g_strcmp0 (wait->last_said, error->message) == 0 && now_us - wait->said_us < REMIND_US)
    return;

  bawn_log_warn ("daemon", "%s cannot be reached yet; it is tried again until it can: %s",
                 wait->name, error->message);
  bawn_notify ("STATUS=waiting: %s cannot be reached yet", wait->name);
  g_free (wait->last_said);
  wait->last_said = g_strdup (error->message);
  wait->said_us = now_us;
}

/**
 * bawn_storage_wait_open:
 * @group: [storage], or another group that describes one
 * @error: (out) (optional): what time will not mend: INVALID for a wrong configuration or refused
 * credentials
 *
 * Opens a storage, however long it takes until it can be reached: at boot this node may be there
 * before it. Each new reason is logged. SIGTERM and SIGINT end the process at once, from the first
 * call on until they are given another meaning. At start-up only, before anything is served;
 * blocks.
 *
 * Returns: (transfer full): the backend, which has answered; %NULL with @error set
 */
BawnBackend *
bawn_storage_wait_open (BawnConfigGroup *group, GError **error)
{
  g_autofree char *type = bawn_config_get_string (group, "type", BAWN_BACKEND_DEFAULT);
  g_auto (Wait) wait = { .name = name_storage (group, type), .pause_us = FIRST_PAUSE_US };

  heed_signals ();
  for (;;)
    {
      GError *why = NULL;
      BawnBackend *backend = try_open (group, &why);

      if (backend != NULL)
        {
          if (wait.last_said != NULL)
            bawn_log_info ("daemon", "%s is reached", wait.name);
          return backend;
        }
      if (!may_come (type, why))
        {
          g_propagate_prefixed_error (error, why, "%s: ", wait.name);
          return NULL;
        }

      tell (&wait, why);
      bawn_notify ("EXTEND_TIMEOUT_USEC=%" G_GINT64_FORMAT, (gint64) START_US);
      g_error_free (why);
      g_usleep ((gulong) wait.pause_us);
      wait.pause_us = MIN (wait.pause_us * 2, LAST_PAUSE_US);
    }
}
