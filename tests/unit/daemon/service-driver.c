/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* A node as Consul sees it, without the node: its states come from standard input, a line each,
 * answered with a line.
 *
 *   service-driver LINE…       the lines of the configuration, groups included
 *
 *   state STATE [ADDRESS [EPOCH CLUSTER]]
 *                              uninitialized, sealed, standby or active, at ADDRESS from now on,
 * and in EPOCH when active in CLUSTER stir STATE N               goes through all states N times,
 * as fast as it can, and ends in STATE stop                       and ends */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bawn-status.h"
#include "daemon/bawn-service-consul.h"
#include "ha/bawn-elector.h"
#include "util/bawn-log.h"

static const char *const states[] = { "uninitialized", "sealed", "standby", "active" };

typedef struct
{
  GMutex lock;
  BawnStatus *status;
  char *address;
  guint64 epoch;
  char *cluster; /* nullable */
} Node;

static void
set_state (Node *node, const char *state)
{
  BawnStatus *status = bawn_status_new ();

  status->initialized = strcmp (state, "uninitialized") != 0;
  status->sealed = !status->initialized || strcmp (state, "sealed") == 0;
  status->standby = strcmp (state, "active") != 0;
  status->version = g_strdup ("1.2.3");
  status->api_addr = g_strdup (node->address);
  status->ha_enabled = node->cluster != NULL;
  status->epoch = node->epoch;
  status->cluster_id = g_strdup (node->cluster);

  g_mutex_lock (&node->lock);
  g_clear_pointer (&node->status, bawn_status_unref);
  node->status = status;
  g_mutex_unlock (&node->lock);
}

static BawnStatus *
ref_status (gpointer data)
{
  Node *node = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&node->lock);

  return bawn_status_ref (node->status);
}

static void
obey (Node *node, BawnServiceConsul *service, GStrv words)
{
  guint n =
      words[1] != NULL && words[2] != NULL ? (guint) g_ascii_strtoull (words[2], NULL, 10) : 0;

  if (strcmp (words[0], "state") == 0 && words[2] != NULL)
    {
      g_free (node->address);
      node->address = g_strdup (words[2]);
      if (words[3] != NULL && words[4] != NULL)
        {
          node->epoch = g_ascii_strtoull (words[3], NULL, 10);
          g_free (node->cluster);
          node->cluster = g_strdup (words[4]);
        }
    }
  for (guint i = 0; strcmp (words[0], "stir") == 0 && i < n; i++)
    {
      set_state (node, states[i % G_N_ELEMENTS (states)]);
      bawn_service_consul_kick (service);
    }
  set_state (node, words[1]);
  bawn_service_consul_kick (service);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strjoinv ("\n", argv + 1);
  g_autoptr (BawnConfig) config = bawn_config_load_data ("driver", text, strlen (text), &error);
  Node node = { .status = NULL };
  char *line = NULL;
  size_t size = 0;

  bawn_log_init ("service-driver");
  if (config == NULL)
    g_error ("%s", error->message);

  BawnServiceConsulOptions *options =
      bawn_service_consul_options_read (config, BAWN_HA_LEASE_TTL_DEFAULT_US);

  if (!bawn_config_check (config, &error))
    {
      printf ("fail %s\n", error->message);
      g_clear_pointer (&options, bawn_service_consul_options_free);
      return 1;
    }
  if (options == NULL)
    {
      printf ("none\n");
      return 0;
    }

  g_autoptr (BawnServiceConsul) service = bawn_service_consul_new (options, &error);

  if (service == NULL)
    {
      printf ("fail %s\n", error->message);
      return 1;
    }

  g_mutex_init (&node.lock);
  node.address = g_strdup ("https://127.0.0.9:8200");
  set_state (&node, "uninitialized");
  bawn_service_consul_start (service, ref_status, &node);
  printf ("ok\n");
  fflush (stdout);
  while (getline (&line, &size, stdin) > 0 && strcmp (line, "stop\n") != 0)
    {
      g_auto (GStrv) words = g_strsplit (g_strchomp (line), " ", -1);

      obey (&node, service, words);
      printf ("ok\n");
      fflush (stdout);
    }

  bawn_service_consul_stop (service);
  free (line);
  bawn_status_unref (node.status);
  g_mutex_clear (&node.lock);
  g_free (node.address);
  g_free (node.cluster);
  return 0;
}
