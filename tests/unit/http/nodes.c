/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "nodes.h"

#include "crypto/bawn-certificate.h"

#include <stdarg.h>
#include <string.h>

typedef struct
{
  Node *node;
  BawnRequest *request;
  BawnHttpReplyFunc reply;
  gpointer user_data;
} Waiting;

static BawnResponse *
echo (Node *node, BawnRequest *request)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  const char *internal = bawn_request_header (request, "x-bawn-test");
  const char *other = bawn_request_header (request, "x-other");

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "op", bawn_op_name (request->op));
  bawn_json_writer_add_string (&w, "path", request->path);
  bawn_json_writer_add_string (&w, "token", request->token != NULL ? request->token : "");
  bawn_json_writer_add_string (&w, "remote", request->remote_address);
  bawn_json_writer_add_string (&w, "internal", internal != NULL ? internal : "none");
  bawn_json_writer_add_string (&w, "other", other != NULL ? other : "none");
  bawn_json_writer_add_int (&w, "wrap", request->wrap_ttl_us);
  bawn_json_writer_add_bool (&w, "repeated", request->repeated);
  bawn_json_writer_name (&w, "data");
  if (request->data != NULL)
    bawn_json_writer_node (&w, bawn_json_root (request->data));
  else
    bawn_json_writer_null (&w);
  bawn_json_writer_end_object (&w);

  BawnResponse *response = bawn_response_new_writer (&w);
  bawn_response_header (response, "X-Node", node->name);
  return response;
}

static BawnResponse *
text_of_size (gsize size)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autofree char *text = g_strnfill (size, 'x');

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "text", text);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

static BawnResponse *
measure (BawnRequest *request)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autoptr (BawnWipedString) text = NULL;

  g_assert_true (bawn_field_string (request, "text", &text, NULL));
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "size", text != NULL ? (gint64) strlen (text) : -1);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

static BawnResponse *
with_headers (void)
{
  BawnResponse *response = bawn_response_new_bare (202, bawn_bytes_new_string ("{\"a\":1}"));

  bawn_response_header (response, "X-First", "one, two");
  bawn_response_header (response, "X-Second", "\xc3\xa4");
  bawn_response_header (response, "X-First", "three");
  return response;
}

static BawnResponse *
raw (void)
{
  BawnResponse *response = bawn_response_new_bare (200, bawn_bytes_new_string ("plain\ntext"));

  response->form = BAWN_RESPONSE_RAW;
  response->content_type = g_strdup ("text/plain; charset=utf-8");
  return response;
}

static gpointer
answer_waiting (gpointer data)
{
  g_autofree Waiting *waiting = data;

  waiting->reply (waiting->request, echo (waiting->node, waiting->request), NULL,
                  waiting->user_data);
  bawn_request_unref (waiting->request);

  return NULL;
}

static void
answer_slowly (Node *node, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&node->mutex);
  Waiting *waiting = g_new (Waiting, 1);

  *waiting = (Waiting){ node, bawn_request_ref (request), reply, user_data };
  if (strcmp (request->path, "later") == 0)
    g_ptr_array_add (node->threads, g_thread_new ("later", answer_waiting, waiting));
  else
    g_ptr_array_add (node->parked, waiting);
  g_cond_signal (&node->cond);
}

static void
answer (Node *node, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data)
{
  if (strcmp (request->path, "later") == 0 || strcmp (request->path, "parked") == 0)
    answer_slowly (node, request, reply, user_data);
  else if (strcmp (request->path, "nothing") == 0)
    reply (request, bawn_response_new_empty (), NULL, user_data);
  else if (strcmp (request->path, "big") == 0)
    reply (request, text_of_size (1024 * 1024), NULL, user_data);
  else if (strcmp (request->path, "size") == 0)
    reply (request, measure (request), NULL, user_data);
  else if (strcmp (request->path, "headers") == 0)
    reply (request, with_headers (), NULL, user_data);
  else if (strcmp (request->path, "raw") == 0)
    reply (request, raw (), NULL, user_data);
  else if (g_str_has_prefix (request->path, "error/"))
    reply (request, NULL,
           g_error_new (BAWN_ERROR, (gint) g_ascii_strtoll (request->path + 6, NULL, 10),
                        "the inner truth"),
           user_data);
  else
    reply (request, echo (node, request), NULL, user_data);
}

static void
fail (BawnRequest *request, BawnErrorCode code, BawnHttpReplyFunc reply, gpointer user_data)
{
  reply (request, NULL, g_error_new (BAWN_ERROR, (gint) code, "not here"), user_data);
}

/* Concerns one node, but the active one says who may. */
static void
dispatch_guarded (
    Node *node, NodeState state, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data)
{
  if (state == NODE_ACTIVE && request->forwarded)
    {
      g_assert_true (request->authorize_only);
      if (g_strcmp0 (request->token, "root") == 0)
        reply (request, bawn_response_new_empty (), NULL, user_data);
      else
        fail (request, BAWN_ERROR_DENIED, reply, user_data);
    }
  else if (state == NODE_ACTIVE || request->authorized)
    reply (request, echo (node, request), NULL, user_data);
  else
    {
      request->authorize_only = TRUE;
      fail (request, BAWN_ERROR_STANDBY, reply, user_data);
    }
}

static void
dispatch (gpointer core, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data)
{
  Node *node = core;

  g_mutex_lock (&node->mutex);
  NodeState state = node->state;
  node->n_seen += state == NODE_ACTIVE;
  g_mutex_unlock (&node->mutex);

  if (strcmp (request->path, "local") == 0)
    reply (request, echo (node, request), NULL, user_data);
  else if (state == NODE_SEALED)
    fail (request, BAWN_ERROR_SEALED, reply, user_data);
  else if (strcmp (request->path, "guarded") == 0)
    dispatch_guarded (node, state, request, reply, user_data);
  else if (state == NODE_STANDBY)
    fail (request, BAWN_ERROR_STANDBY, reply, user_data);
  else
    answer (node, request, reply, user_data);
}

static BawnLeader *
ref_leader (gpointer core)
{
  Node *node = core;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&node->mutex);

  return node->leader != NULL ? bawn_leader_ref (node->leader) : NULL;
}

static BawnClusterIdentity *
ref_cluster_identity (gpointer core)
{
  Node *node = core;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&node->mutex);

  return node->identity != NULL ? bawn_cluster_identity_ref (node->identity) : NULL;
}

static BawnPeer *
dup_self (gpointer core)
{
  Node *node = core;
  const BawnPeer self = { .node_id = node->name,
                          .hostname = (char *) "host",
                          .api_addr = node->api_addr,
                          .cluster_addr = node->cluster_addr,
                          .version = (char *) "1",
                          .state = (char *) "standby" };

  return bawn_peer_copy (&self);
}

static void
note_peer (gpointer core, BawnPeer *peer)
{
  Node *node = core;
  g_autoptr (BawnPeer) owned = peer;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&node->mutex);

  if (!g_ptr_array_find_with_equal_func (node->peers, peer->node_id, g_str_equal, NULL))
    g_ptr_array_add (node->peers, g_strdup (peer->node_id));
}

static guint
port_of (const char *url)
{
  return (guint) g_ascii_strtoull (strrchr (url, ':') + 1, NULL, 10);
}

Node *
node_new (const char *name, const char *lines, BawnClusterIdentity *identity)
{
  Node *node = g_new0 (Node, 1);
  const BawnHttpHandler handler = { dispatch, node,     ref_leader, ref_cluster_identity,
                                    dup_self, note_peer };
  g_autofree char *text =
      g_strdup_printf ("[listener]\naddress=127.0.0.1:0\ncluster-address=127.0.0.1:0\n%s\n", lines);
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnConfig) config = bawn_config_load_data ("test", text, strlen (text), &error);

  g_assert_no_error (error);
  (void) BAWN_ERROR; /* its first use is not for threads to race for */
  g_mutex_init (&node->mutex);
  g_cond_init (&node->cond);
  node->name = g_strdup (name);
  node->parked = g_ptr_array_new ();
  node->threads = g_ptr_array_new ();
  node->peers = g_ptr_array_new_with_free_func (g_free);
  node->identity = identity != NULL ? bawn_cluster_identity_ref (identity) : NULL;
  node->state = identity != NULL ? NODE_STANDBY : NODE_SEALED;
  node->server = bawn_http_server_open (config, &handler, 2, &error);
  g_assert_no_error (error);
  bawn_config_check (config, &error);
  g_assert_no_error (error);

  g_auto (GStrv) urls = bawn_http_server_dup_addresses (node->server);
  node->api_addr = g_strdup (urls[0]);
  node->port = port_of (urls[0]);
  node->cluster_addr = bawn_http_server_dup_cluster_address (node->server);
  bawn_http_server_start (node->server);

  return node;
}

void
node_free (Node *node)
{
  for (guint i = 0; i < node->threads->len; i++)
    g_thread_join (g_ptr_array_index (node->threads, i));
  g_clear_pointer (&node->server, bawn_http_server_free);
  g_assert_cmpuint (node->parked->len, ==, 0);
  g_ptr_array_unref (node->threads);
  g_ptr_array_unref (node->parked);
  g_ptr_array_unref (node->peers);
  g_clear_pointer (&node->leader, bawn_leader_unref);
  g_clear_pointer (&node->identity, bawn_cluster_identity_unref);
  g_mutex_clear (&node->mutex);
  g_cond_clear (&node->cond);
  g_free (node->api_addr);
  g_free (node->cluster_addr);
  g_free (node->name);
  g_free (node);
}

/* @leader: (transfer full) (nullable) */
void
node_set (Node *node, NodeState state, BawnLeader *leader)
{
  g_mutex_lock (&node->mutex);
  node->state = state;
  g_clear_pointer (&node->leader, bawn_leader_unref);
  node->leader = leader;
  g_mutex_unlock (&node->mutex);
  bawn_http_server_wake (node->server);
}

void
node_set_identity (Node *node, BawnClusterIdentity *identity)
{
  g_mutex_lock (&node->mutex);
  g_clear_pointer (&node->identity, bawn_cluster_identity_unref);
  node->identity = identity != NULL ? bawn_cluster_identity_ref (identity) : NULL;
  node->state = identity != NULL ? NODE_STANDBY : NODE_SEALED;
  g_mutex_unlock (&node->mutex);
  bawn_http_server_wake (node->server);
}

BawnLeader *
node_leader (Node *node, Node *observer)
{
  return bawn_leader_new (1, node->name, node->api_addr, node->cluster_addr, node == observer);
}

void
nodes_elect (Node *active, ...)
{
  va_list nodes;

  va_start (nodes, active);
  for (Node *node = va_arg (nodes, Node *); node != NULL; node = va_arg (nodes, Node *))
    node_set (node, node == active ? NODE_ACTIVE : NODE_STANDBY,
              active != NULL ? node_leader (active, node) : NULL);
  va_end (nodes);
}

BawnHttpStats
node_stats (Node *node)
{
  BawnHttpStats stats = { 0 };

  bawn_http_server_get_stats (node->server, &stats);
  return stats;
}

guint
node_n_seen (Node *node)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&node->mutex);

  return node->n_seen;
}

guint
node_n_peers (Node *node)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&node->mutex);

  return node->peers->len;
}

void
node_wait_parked (Node *node, guint n)
{
  gint64 deadline_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  g_mutex_lock (&node->mutex);
  while (node->parked->len < n)
    g_assert_true (g_cond_wait_until (&node->cond, &node->mutex, deadline_us));
  g_mutex_unlock (&node->mutex);
}

void
node_release (Node *node)
{
  g_mutex_lock (&node->mutex);
  g_autoptr (GPtrArray) parked = g_steal_pointer (&node->parked);
  node->parked = g_ptr_array_new ();
  g_mutex_unlock (&node->mutex);
  for (guint i = 0; i < parked->len; i++)
    answer_waiting (g_ptr_array_index (parked, i));
}

guint
node_cluster_port (Node *node)
{
  return port_of (node->cluster_addr);
}

BawnClusterIdentity *
nodes_identity (const char *name)
{
  g_autoptr (GBytes) certificate = NULL;
  g_autoptr (BawnSecret) key = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (bawn_certificate_new_self_signed (name, &certificate, &key, &error));
  g_assert_no_error (error);
  return bawn_cluster_identity_new (certificate, key);
}

Client *
peer_connect (Node *node, BawnClusterIdentity *identity)
{
  static const gnutls_datum_t protocol = { (unsigned char *) "bawn-cluster", 12 };
  Client *peer = client_connect_port (node_cluster_port (node));
  int code = 0;

  gnutls_init (&peer->session, GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT);
  gnutls_set_default_priority (peer->session);
  gnutls_certificate_allocate_credentials (&peer->credentials);
  if (identity != NULL)
    {
      gsize size = 0;
      const guint8 *pem = g_bytes_get_data (identity->certificate, &size);
      gnutls_datum_t certificate = { (unsigned char *) pem, (unsigned int) size };
      gnutls_datum_t key = { (unsigned char *) bawn_secret_data (identity->key),
                             (unsigned int) bawn_secret_size (identity->key) };

      g_assert_cmpint (gnutls_certificate_set_x509_key_mem (peer->credentials, &certificate, &key,
                                                            GNUTLS_X509_FMT_PEM),
                       >=, 0);
    }
  gnutls_credentials_set (peer->session, GNUTLS_CRD_CERTIFICATE, peer->credentials);
  gnutls_alpn_set_protocols (peer->session, &protocol, 1, 0);
  gnutls_transport_set_int (peer->session, peer->fd);
  do
    code = gnutls_handshake (peer->session);
  while (code < 0 && !gnutls_error_is_fatal (code));

  return peer;
}

void
peer_send (Client *peer, BawnHttpFrameType type, guint32 id, gconstpointer payload, gsize size)
{
  guint8 header[BAWN_HTTP_FRAME_HEADER_SIZE];

  bawn_http_frame_write_header (header, type, id, size);
  client_send (peer, (const char *) header, sizeof header);
  if (size > 0)
    client_send (peer, payload, (gssize) size);
}

void
peer_say_hello (Client *peer, const char *node_id)
{
  const BawnPeer self = { .node_id = (char *) node_id };
  g_auto (BawnBuffer) hello = BAWN_BUFFER_INIT;

  bawn_http_hello_write (&self, &hello);
  peer_send (peer, BAWN_HTTP_FRAME_HELLO, 0, hello.data, hello.size);
}

gboolean
peer_receive (Client *peer, BawnHttpFrame *out_frame, GBytes **out_payload)
{
  for (;;)
    {
      gsize used = 0;

      g_assert_true (
          bawn_http_frame_read ((guint8 *) peer->in->str, peer->in->len, out_frame, &used, NULL));
      if (used == 0)
        {
          if (!client_fill (peer))
            return FALSE;
          continue;
        }
      *out_payload = bawn_bytes_new (out_frame->payload, out_frame->size);
      g_string_erase (peer->in, 0, (gssize) used);
      if (out_frame->type != BAWN_HTTP_FRAME_HELLO)
        return TRUE;
      g_clear_pointer (out_payload, g_bytes_unref);
    }
}
