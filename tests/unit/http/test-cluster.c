/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-cluster.h"

#include <string.h>

static GString *logged;

static GLogWriterOutput
keep (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, "MESSAGE") == 0)
      g_string_append_printf (logged, "%s\n", (const char *) fields[i].value);

  return G_LOG_WRITER_HANDLED;
}

static BawnPeer
peer (const char *id, const char *api_addr, const char *cluster_addr)
{
  return (BawnPeer){ .node_id = (char *) id,
                     .hostname = (char *) "host",
                     .api_addr = (char *) api_addr,
                     .cluster_addr = (char *) cluster_addr };
}

static BawnHttpCluster *
cluster_new (void)
{
  g_autoptr (BawnConfig) config = bawn_config_load_data ("test", "", 0, NULL);
  g_autoptr (GPtrArray) listeners = g_ptr_array_new ();
  BawnHttpCluster *cluster = bawn_http_cluster_open (config, listeners, NULL);

  g_assert_nonnull (cluster);
  g_string_truncate (logged, 0);
  return cluster;
}

static guint
count (const char *part)
{
  guint n = 0;

  for (const char *found = strstr (logged->str, part); found != NULL;
       found = strstr (found + 1, part))
    n++;

  return n;
}

static void
this_node_and_another (void)
{
  g_autoptr (BawnHttpCluster) cluster = cluster_new ();
  const BawnPeer self = peer ("self", "https://lb:8200", "https://a:8201");
  BawnPeer other = peer ("other", "https://lb:8200", "https://b:8201");

  other.hostname = (char *) "far";
  bawn_http_cluster_meet (cluster, &self, &other);
  bawn_http_cluster_meet (cluster, &self, &other);
  g_assert_cmpstr (logged->str, ==,
                   "two nodes advertise the same api-addr, https://lb:8200: "
                   "far (api-addr https://lb:8200, cluster-addr https://b:8201, node other) and "
                   "host (api-addr https://lb:8200, cluster-addr https://a:8201, node self): "
                   "give each its own\n");
}

static void
two_others (void)
{
  g_autoptr (BawnHttpCluster) cluster = cluster_new ();
  const BawnPeer self = peer ("self", "https://a:8200", "https://a:8201");
  const BawnPeer one = peer ("one", "https://b:8200", "https://lb:8201");
  const BawnPeer two = peer ("two", "https://c:8200", "https://lb:8201");

  bawn_http_cluster_meet (cluster, &self, &one);
  g_usleep (1);
  bawn_http_cluster_meet (cluster, &self, &two);
  g_assert_cmpuint (count ("advertise"), ==, 0);
  g_usleep (1);
  bawn_http_cluster_meet (cluster, &self, &one);
  g_usleep (1);
  bawn_http_cluster_meet (cluster, &self, &two);
  g_assert_cmpuint (
      count ("advertise the same cluster-addr, https://lb:8201: "
             "host (api-addr https://b:8200, cluster-addr https://lb:8201, node one) and "
             "host (api-addr https://c:8200, cluster-addr https://lb:8201, node two)"),
      ==, 1);
  g_assert_cmpuint (count ("advertise"), ==, 1);
}

static void
one_after_another (void)
{
  g_autoptr (BawnHttpCluster) cluster = cluster_new ();
  const BawnPeer self = peer ("self", "https://a:8200", "https://a:8201");
  const BawnPeer before = peer ("before", "https://b:8200", "https://b:8201");
  const BawnPeer after = peer ("after", "https://b:8200", "https://b:8201");

  for (guint i = 0; i < 3; i++)
    bawn_http_cluster_meet (cluster, &self, &before);
  g_usleep (1);
  for (guint i = 0; i < 3; i++)
    bawn_http_cluster_meet (cluster, &self, &after);
  g_assert_cmpuint (count ("advertise"), ==, 0);
}

static void
nothing_is_no_address (void)
{
  g_autoptr (BawnHttpCluster) cluster = cluster_new ();
  const BawnPeer self = peer ("self", "", NULL);
  const BawnPeer other = peer ("other", "", "");

  bawn_http_cluster_meet (cluster, &self, &other);
  bawn_http_cluster_meet (cluster, &self, &self);
  g_assert_cmpstr (logged->str, ==, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  logged = g_string_new (NULL);
  g_log_set_writer_func (keep, NULL, NULL);
  g_test_add_func ("/http/cluster/a-node-with-the-address-of-this-one-is-named",
                   this_node_and_another);
  g_test_add_func ("/http/cluster/two-nodes-with-one-address-are-named", two_others);
  g_test_add_func ("/http/cluster/a-node-may-be-restarted-at-its-address", one_after_another);
  g_test_add_func ("/http/cluster/no-address-is-not-the-same-address", nothing_is_no_address);
  int code = g_test_run ();
  g_string_free (logged, TRUE);

  return code;
}
