/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-state.h"

static BawnStatus
make_status (void)
{
  return (BawnStatus){
    .initialized = TRUE,
    .seal_type = (char *) "shamir",
    .shares = 5,
    .threshold = 3,
    .cluster_name = (char *) "a cluster",
    .cluster_id = (char *) "an id",
    .storage_type = (char *) "memory",
    .version = (char *) "1.2",
    .api_addr = (char *) "https://a:8200",
    .cluster_addr = (char *) "https://a:8201",
    .epoch = 7,
    .active_since_us = 1700000000000000,
    .ha_enabled = TRUE,
    .ha_state = "active",
  };
}

static void
test_every_state_has_a_name (void)
{
  BawnStatus status = make_status ();

  g_assert_cmpstr (bawn_bus_state_name (&status), ==, "active");
  g_assert_cmpstr (bawn_bus_ha_state_name (&status), ==, "active");

  status.standby = TRUE;
  status.ha_state = "withdrawing";
  g_assert_cmpstr (bawn_bus_state_name (&status), ==, "standby");
  g_assert_cmpstr (bawn_bus_ha_state_name (&status), ==, "withdrawing");

  status.sealed = TRUE;
  g_assert_cmpstr (bawn_bus_state_name (&status), ==, "sealed");
  g_assert_cmpstr (bawn_bus_ha_state_name (&status), ==, "sealed");

  status.initialized = FALSE;
  g_assert_cmpstr (bawn_bus_state_name (&status), ==, "uninitialized");

  status.ha_enabled = FALSE;
  status.ha_state = NULL;
  g_assert_cmpstr (bawn_bus_ha_state_name (&status), ==, "disabled");
}

static void
test_an_epoch_is_that_of_whoever_is_active (void)
{
  BawnStatus status = make_status ();
  g_autoptr (BawnLeader) leader =
      bawn_leader_new (9, "b", "https://b:8200", "https://b:8201", FALSE);

  g_assert_cmpuint (bawn_bus_epoch (&status), ==, 7);
  status.standby = TRUE;
  status.epoch = 0;
  g_assert_cmpuint (bawn_bus_epoch (&status), ==, 0);
  status.leader = leader;
  g_assert_cmpuint (bawn_bus_epoch (&status), ==, 9);
}

static void
test_a_status_is_shown_as_properties (void)
{
  g_autoptr (BawnDbusBawn1) object = bawn_dbus_bawn1_skeleton_new ();
  BawnStatus status = make_status ();

  bawn_bus_state_show (object, &status);
  g_assert_false (bawn_dbus_bawn1_get_sealed (object));
  g_assert_true (bawn_dbus_bawn1_get_is_self (object));
  g_assert_cmpuint (bawn_dbus_bawn1_get_unseal_threshold (object), ==, 3);
  g_assert_cmpuint (bawn_dbus_bawn1_get_unseal_shares (object), ==, 5);
  g_assert_cmpuint (bawn_dbus_bawn1_get_epoch (object), ==, 7);
  g_assert_cmpuint (bawn_dbus_bawn1_get_active_since (object), ==, 1700000000000000);
  g_assert_cmpstr (bawn_dbus_bawn1_get_last_change_reason (object), ==, "");
  /* A server alone leads itself, without a record of that. */
  g_assert_cmpstr (bawn_dbus_bawn1_get_leader_address (object), ==, "https://a:8200");

  status.sealed = status.standby = TRUE;
  status.cluster_name = status.cluster_id = NULL;
  status.active_since_us = 0;
  bawn_bus_state_show (object, &status);
  g_assert_true (bawn_dbus_bawn1_get_sealed (object));
  g_assert_false (bawn_dbus_bawn1_get_is_self (object));
  g_assert_cmpstr (bawn_dbus_bawn1_get_cluster_name (object), ==, "");
  g_assert_cmpstr (bawn_dbus_bawn1_get_leader_address (object), ==, "");

  status.initialized = FALSE;
  bawn_bus_state_show (object, &status);
  g_assert_cmpuint (bawn_dbus_bawn1_get_unseal_threshold (object), ==, 0);
  g_assert_cmpuint (bawn_dbus_bawn1_get_unseal_shares (object), ==, 0);
}

static void
test_what_is_no_text_is_shown_as_text (void)
{
  g_autoptr (BawnDbusBawn1) object = bawn_dbus_bawn1_skeleton_new ();
  BawnStatus status = make_status ();

  status.last_reason = (char *) "the storage says \xff\xfe";
  bawn_bus_state_show (object, &status);
  g_assert_true (g_utf8_validate (bawn_dbus_bawn1_get_last_change_reason (object), -1, NULL));
  g_assert_true (
      g_str_has_prefix (bawn_dbus_bawn1_get_last_change_reason (object), "the storage says "));
}

static BawnPeer *
make_peer (const char *id, const char *state, gint64 last_contact_us)
{
  const BawnPeer peer = {
    .node_id = (char *) id,
    .hostname = (char *) "host \xff",
    .api_addr = (char *) "https://b:8200",
    .version = (char *) "1.2",
    .state = (char *) state,
    .last_contact_us = last_contact_us,
  };

  return bawn_peer_copy (&peer);
}

static GPtrArray *
make_peers (const char *state, gint64 last_contact_us)
{
  GPtrArray *peers = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_peer_free);

  g_ptr_array_add (peers, make_peer ("own", "active", 1));
  g_ptr_array_add (peers, make_peer ("other", state, last_contact_us));
  return peers;
}

static void
test_peers_are_dictionaries (void)
{
  g_autoptr (GPtrArray) peers = make_peers ("standby", 1234);
  g_autoptr (GVariant) shown = g_variant_ref_sink (bawn_bus_peers_to_variant (peers, "own"));
  const char *text = NULL;
  guint64 last_contact = 0;

  g_assert_cmpstr (g_variant_get_type_string (shown), ==, "aa{sv}");
  g_assert_cmpuint (g_variant_n_children (shown), ==, 1);

  g_autoptr (GVariant) peer = g_variant_get_child_value (shown, 0);
  g_assert_true (g_variant_lookup (peer, "NodeId", "&s", &text));
  g_assert_cmpstr (text, ==, "other");
  g_assert_true (g_variant_lookup (peer, "Address", "&s", &text));
  g_assert_cmpstr (text, ==, "https://b:8200");
  g_assert_true (g_variant_lookup (peer, "ClusterAddress", "&s", &text));
  g_assert_cmpstr (text, ==, "");
  g_assert_true (g_variant_lookup (peer, "LastContact", "t", &last_contact));
  g_assert_cmpuint (last_contact, ==, 1234);
}

static void
test_a_heartbeat_alone_is_no_change (void)
{
  g_autoptr (GPtrArray) peers = make_peers ("standby", 1);
  g_autoptr (GPtrArray) later = make_peers ("standby", 2);
  g_autoptr (GPtrArray) other = make_peers ("active", 2);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();

  g_assert_true (bawn_bus_peers_equal (peers, later));
  g_assert_false (bawn_bus_peers_equal (peers, other));
  g_assert_false (bawn_bus_peers_equal (peers, none));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bus/state/every-state-has-a-name", test_every_state_has_a_name);
  g_test_add_func ("/bus/state/an-epoch-is-that-of-whoever-is-active",
                   test_an_epoch_is_that_of_whoever_is_active);
  g_test_add_func ("/bus/state/a-status-is-shown-as-properties",
                   test_a_status_is_shown_as_properties);
  g_test_add_func ("/bus/state/what-is-no-text-is-shown-as-text",
                   test_what_is_no_text_is_shown_as_text);
  g_test_add_func ("/bus/state/peers-are-dictionaries", test_peers_are_dictionaries);
  g_test_add_func ("/bus/state/a-heartbeat-alone-is-no-change",
                   test_a_heartbeat_alone_is_no_change);
  return g_test_run ();
}
