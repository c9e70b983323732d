/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* No read of a test waits longer: a hang becomes a failure. */
#define CLIENT_TIMEOUT_S 20

typedef struct
{
  BawnRequest *request;
  BawnHttpReplyFunc reply;
  gpointer user_data;
} Parked;

static BawnResponse *
echo (BawnRequest *request)
{
  const char *forwarded_for = bawn_request_header (request, "x-forwarded-for");
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "op", bawn_op_name (request->op));
  bawn_json_writer_add_string (&w, "path", request->path);
  bawn_json_writer_add_string (&w, "token", request->token != NULL ? request->token : "");
  bawn_json_writer_add_string (&w, "remote", request->remote_address);
  bawn_json_writer_add_string (&w, "forwarded_for", forwarded_for != NULL ? forwarded_for : "");
  bawn_json_writer_name (&w, "data");
  if (request->data != NULL)
    bawn_json_writer_node (&w, bawn_json_root (request->data));
  else
    bawn_json_writer_null (&w);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

static BawnResponse *
big (void)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autofree char *text = g_strnfill (1024 * 1024, 'x');

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "text", text);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

static gpointer
parked_answer (gpointer data)
{
  Parked *parked = data;

  parked->reply (parked->request, echo (parked->request), NULL, parked->user_data);
  bawn_request_unref (parked->request);
  g_free (parked);

  return NULL;
}

static Parked *
park (BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data)
{
  Parked *parked = g_new (Parked, 1);

  *parked = (Parked) { bawn_request_ref (request), reply, user_data };
  return parked;
}

static void
dispatch_slowly (Fixture *fixture, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&fixture->mutex);
  Parked *parked = park (request, reply, user_data);

  if (strcmp (request->path, "later") == 0)
    g_ptr_array_add (fixture->threads, g_thread_new ("later", parked_answer, parked));
  else
    g_ptr_array_add (fixture->parked, parked);
  g_cond_signal (&fixture->cond);
}

static void
dispatch (gpointer core, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data)
{
  Fixture *fixture = core;

  g_mutex_lock (&fixture->mutex);
  fixture->n_seen++;
  g_mutex_unlock (&fixture->mutex);

  if (strcmp (request->path, "later") == 0 || strcmp (request->path, "parked") == 0)
    dispatch_slowly (fixture, request, reply, user_data);
  else if (strcmp (request->path, "nothing") == 0)
    reply (request, bawn_response_new_empty (), NULL, user_data);
  else if (strcmp (request->path, "big") == 0)
    reply (request, big (), NULL, user_data);
  else if (g_str_has_prefix (request->path, "error/"))
    reply (request, NULL,
           g_error_new (BAWN_ERROR, (gint) g_ascii_strtoll (request->path + 6, NULL, 10), "the inner truth"), user_data);
  else
    reply (request, echo (request), NULL, user_data);
}

/* A server with one listener, of these lines. @DIR@ in them is a folder with cert.pem and key.pem. */
Fixture *
fixture_new (const char *listener_lines)
{
  Fixture *fixture = g_new0 (Fixture, 1);
  const BawnHttpHandler handler = { .dispatch = dispatch, .core = fixture };
  g_autoptr(GString) text = g_string_new ("[listener]\n");
  g_autoptr(GError) error = NULL;

  g_mutex_init (&fixture->mutex);
  g_cond_init (&fixture->cond);
  fixture->parked = g_ptr_array_new ();
  fixture->threads = g_ptr_array_new ();
  fixture->folder = g_dir_make_tmp ("bawn-http-XXXXXX", &error);
  g_assert_no_error (error);
  if (strstr (listener_lines, "tls-cert-file") != NULL)
    fixture_write_certificate (fixture, "first");

  g_string_append (text, strstr (listener_lines, "address=") != NULL ? "" : "address=127.0.0.1:0\n");
  g_string_append (text, listener_lines);
  g_string_replace (text, "@DIR@", fixture->folder, 0);
  g_autoptr(BawnConfig) config = bawn_config_load_data ("test", text->str, text->len, &error);
  g_assert_no_error (error);
  fixture->server = bawn_http_server_open (config, &handler, 2, &error);
  g_assert_no_error (error);
  bawn_config_check (config, &error);
  g_assert_no_error (error);
  bawn_http_server_start (fixture->server);

  g_auto(GStrv) urls = bawn_http_server_dup_addresses (fixture->server);
  fixture->url = g_strdup (urls[0]);
  if (g_str_has_prefix (fixture->url, "http"))
    fixture->port = (guint) g_ascii_strtoull (strrchr (fixture->url, ':') + 1, NULL, 10);

  return fixture;
}

void
fixture_free (Fixture *fixture)
{
  static const char *const names[] = { "cert.pem", "key.pem" };

  for (guint i = 0; i < fixture->threads->len; i++)
    g_thread_join (g_ptr_array_index (fixture->threads, i));
  g_clear_pointer (&fixture->server, bawn_http_server_free);
  g_assert_cmpuint (fixture->parked->len, ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = fixture_path (fixture, names[i]);
      g_unlink (path);
    }
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_ptr_array_unref (fixture->parked);
  g_ptr_array_unref (fixture->threads);
  g_mutex_clear (&fixture->mutex);
  g_cond_clear (&fixture->cond);
  g_free (fixture->folder);
  g_free (fixture->url);
  g_free (fixture);
}

char *
fixture_path (Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->folder, name, NULL);
}

/* Until @n requests wait. */
void
fixture_wait_parked (Fixture *fixture, guint n)
{
  gint64 deadline_us = g_get_monotonic_time () + CLIENT_TIMEOUT_S * G_USEC_PER_SEC;

  g_mutex_lock (&fixture->mutex);
  while (fixture->parked->len < n)
    g_assert_true (g_cond_wait_until (&fixture->cond, &fixture->mutex, deadline_us));
  g_mutex_unlock (&fixture->mutex);
}

/* Answers all that wait. */
void
fixture_release (Fixture *fixture)
{
  g_mutex_lock (&fixture->mutex);
  g_autoptr(GPtrArray) parked = g_steal_pointer (&fixture->parked);
  fixture->parked = g_ptr_array_new ();
  g_mutex_unlock (&fixture->mutex);
  for (guint i = 0; i < parked->len; i++)
    parked_answer (g_ptr_array_index (parked, i));
}

BawnHttpStats
fixture_stats (Fixture *fixture)
{
  BawnHttpStats stats = { 0 };

  bawn_http_server_get_stats (fixture->server, &stats);
  return stats;
}

/* How many requests have got through to the toy. */
guint
fixture_n_seen (Fixture *fixture)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&fixture->mutex);

  return fixture->n_seen;
}

static void
write_pem (Fixture *fixture, const char *name, gnutls_datum_t *pem)
{
  g_autofree char *path = fixture_path (fixture, name);
  g_autoptr(GError) error = NULL;

  g_file_set_contents (path, (char *) pem->data, (gssize) pem->size, &error);
  g_assert_no_error (error);
  gnutls_free (pem->data);
}

/* A fresh key, and a certificate that it has signed for itself, good for an hour. */
void
fixture_write_certificate (Fixture *fixture, const char *name)
{
  gnutls_x509_privkey_t key = NULL;
  gnutls_x509_crt_t crt = NULL;
  gnutls_datum_t pem = { NULL, 0 };
  unsigned int bits = GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1);

  g_assert_cmpint (gnutls_x509_privkey_init (&key), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_generate (key, GNUTLS_PK_ECDSA, bits, 0), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_init (&crt), ==, 0);
  gnutls_x509_crt_set_version (crt, 3);
  gnutls_x509_crt_set_serial (crt, "\1", 1);
  gnutls_x509_crt_set_activation_time (crt, time (NULL) - 60);
  gnutls_x509_crt_set_expiration_time (crt, time (NULL) + 3600);
  gnutls_x509_crt_set_dn_by_oid (crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned int) strlen (name));
  gnutls_x509_crt_set_key (crt, key);
  g_assert_cmpint (gnutls_x509_crt_sign2 (crt, crt, key, GNUTLS_DIG_SHA256, 0), ==, 0);

  g_assert_cmpint (gnutls_x509_crt_export2 (crt, GNUTLS_X509_FMT_PEM, &pem), ==, 0);
  write_pem (fixture, "cert.pem", &pem);
  g_assert_cmpint (gnutls_x509_privkey_export2 (key, GNUTLS_X509_FMT_PEM, &pem), ==, 0);
  write_pem (fixture, "key.pem", &pem);
  gnutls_x509_crt_deinit (crt);
  gnutls_x509_privkey_deinit (key);
}

static int
connect_inet (guint port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons ((guint16) port),
                                 .sin_addr = { .s_addr = htonl (INADDR_LOOPBACK) } };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

static int
connect_unix (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

static Client *
client_new (int fd)
{
  const struct timeval timeout = { .tv_sec = CLIENT_TIMEOUT_S };
  Client *client = g_new0 (Client, 1);

  client->fd = fd;
  setsockopt (client->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt (client->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  client->in = g_string_new (NULL);

  return client;
}

Client *
client_connect_port (guint port)
{
  return client_new (connect_inet (port));
}

Client *
client_connect (Fixture *fixture)
{
  return client_new (fixture->port != 0 ? connect_inet (fixture->port) : connect_unix (fixture->url + strlen ("unix:")));
}

static void
start_tls (Client *client, Fixture *fixture, gboolean with_certificate)
{
  g_autofree char *certificate = fixture_path (fixture, "cert.pem");
  g_autofree char *key = fixture_path (fixture, "key.pem");
  int code = 0;

  gnutls_init (&client->session, GNUTLS_CLIENT);
  gnutls_set_default_priority (client->session);
  gnutls_certificate_allocate_credentials (&client->credentials);
  if (with_certificate)
    g_assert_cmpint (gnutls_certificate_set_x509_key_file (client->credentials, certificate, key, GNUTLS_X509_FMT_PEM), >=,
                     0);
  gnutls_credentials_set (client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
  gnutls_transport_set_int (client->session, client->fd);
  do
    code = gnutls_handshake (client->session);
  while (code < 0 && !gnutls_error_is_fatal (code));
}

/* With a certificate, it is the server's own: any will do. Without a server's consent there is no session, but a client. */
Client *
client_connect_tls (Fixture *fixture, gboolean with_certificate)
{
  Client *client = client_connect (fixture);

  start_tls (client, fixture, with_certificate);
  return client;
}

/* Says something in the clear first. */
Client *
client_connect_tls_after (Fixture *fixture, const char *text)
{
  Client *client = client_connect (fixture);

  client_send (client, text, -1);
  start_tls (client, fixture, FALSE);
  return client;
}

/* The common name in the server's certificate. */
char *
client_peer_name (Client *client)
{
  unsigned int n = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers (client->session, &n);
  gnutls_x509_crt_t crt = NULL;
  char name[64] = "";
  size_t size = sizeof name;

  g_assert_cmpuint (n, ==, 1);
  gnutls_x509_crt_init (&crt);
  gnutls_x509_crt_import (crt, chain, GNUTLS_X509_FMT_DER);
  gnutls_x509_crt_get_dn_by_oid (crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size);
  gnutls_x509_crt_deinit (crt);

  return g_strdup (name);
}

void
client_free (Client *client)
{
  if (client->session != NULL)
    gnutls_deinit (client->session);
  if (client->credentials != NULL)
    gnutls_certificate_free_credentials (client->credentials);
  close (client->fd);
  g_string_free (client->in, TRUE);
  g_free (client);
}

/* FALSE: the server has hung up meanwhile. */
gboolean
client_send (Client *client, const char *data, gssize size)
{
  gsize left = size < 0 ? strlen (data) : (gsize) size;

  while (left > 0)
    {
      gssize n = client->session != NULL ? gnutls_record_send (client->session, data, left)
                                         : send (client->fd, data, left, MSG_NOSIGNAL);
      if (n <= 0)
        return FALSE;
      data += n;
      left -= (gsize) n;
    }

  return TRUE;
}

/* Reads more. FALSE: there is no more. A read that takes too long fails the test. */
gboolean
client_fill (Client *client)
{
  char data[16384];
  gint64 deadline_us = g_get_monotonic_time () + CLIENT_TIMEOUT_S * G_USEC_PER_SEC;
  gssize n = 0;

  /* GnuTLS says "again" of a session ticket too, after which more may be there. */
  do
    n = client->session != NULL ? gnutls_record_recv (client->session, data, sizeof data)
                                : recv (client->fd, data, sizeof data, 0);
  while (client->session != NULL && n == GNUTLS_E_AGAIN && g_get_monotonic_time () < deadline_us);
  g_assert_false (n < 0 && client->session == NULL && errno == EAGAIN);
  g_assert_cmpint (n, !=, GNUTLS_E_AGAIN);
  if (n <= 0)
    return FALSE;
  g_string_append_len (client->in, data, n);

  return TRUE;
}

/* The next answer, head and body; NULL and status 0 when the server hangs up before one. */
char *
client_answer (Client *client, guint *out_status)
{
  static const char length_name[] = "Content-Length: ";
  const char *end = NULL;

  *out_status = 0;
  while ((end = strstr (client->in->str, "\r\n\r\n")) == NULL)
    if (!client_fill (client))
      return NULL;

  gsize size = (gsize) (end - client->in->str) + 4;
  g_autofree char *head = g_strndup (client->in->str, size);
  const char *length = strstr (head, length_name);
  guint status = 0;
  g_assert_cmpint (sscanf (head, "HTTP/1.%*u %u", &status), ==, 1);
  if (length != NULL)
    size += (gsize) g_ascii_strtoull (length + strlen (length_name), NULL, 10);
  while (client->in->len < size)
    if (!client_fill (client))
      return NULL;

  char *answer = g_strndup (client->in->str, size);
  g_string_erase (client->in, 0, (gssize) size);
  *out_status = status;
  return answer;
}

/* Whether the server has hung up and nothing is left to be read. */
gboolean
client_at_end (Client *client)
{
  return client->in->len == 0 && !client_fill (client);
}

char *
client_ask (Client *client, guint *out_status, const char *text)
{
  client_send (client, text, -1);
  return client_answer (client, out_status);
}

void
fixture_assert_has (const char *text, const char *part)
{
  if (text == NULL || strstr (text, part) == NULL)
    g_error ("«%s» is not in «%s»", part, text != NULL ? text : "(nothing)");
}
