/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http.h"

#include <gnutls/gnutls.h>

/**
 * Fixture:
 * A server with a toy behind it. The toy answers by path:
 *   later     from another thread
 *   parked    not before fixture_release()
 *   nothing   204
 *   big       one MiB
 *   error/N   the BawnErrorCode of that number
 *   else      what it was asked, in data
 */
typedef struct
{
  BawnHttpServer *server;
  char *url;
  guint port;
  char *folder;
  GMutex mutex;
  GCond cond;
  GPtrArray *parked;
  guint n_seen;
  GPtrArray *threads;
} Fixture;

Fixture *fixture_new (const char *listener_lines);
void fixture_free (Fixture *fixture);
char *fixture_path (Fixture *fixture, const char *name);
void fixture_wait_parked (Fixture *fixture, guint n);
void fixture_release (Fixture *fixture);
void fixture_write_certificate (Fixture *fixture, const char *name);
BawnHttpStats fixture_stats (Fixture *fixture);
guint fixture_n_seen (Fixture *fixture);

void fixture_assert_has (const char *text, const char *part);

/* Waits, bounded, until the expression holds. */
#define fixture_until(expression)                                                                                       \
  G_STMT_START                                                                                                          \
    {                                                                                                                   \
      gint64 until_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;                                                  \
      while (!(expression))                                                                                             \
        {                                                                                                               \
          g_assert_cmpint (g_get_monotonic_time (), <, until_us);                                                       \
          g_usleep (1000);                                                                                              \
        }                                                                                                               \
    }                                                                                                                   \
  G_STMT_END

/**
 * Client:
 * A blocking socket, plain or TLS, and what came in on it.
 */
typedef struct
{
  int fd;
  gnutls_session_t session;
  gnutls_certificate_credentials_t credentials;
  GString *in;
} Client;

Client *client_connect (Fixture *fixture);
Client *client_connect_port (guint port);
Client *client_connect_tls (Fixture *fixture, gboolean with_certificate);
Client *client_connect_tls_after (Fixture *fixture, const char *text);
char *client_peer_name (Client *client);
void client_free (Client *client);
gboolean client_send (Client *client, const char *data, gssize size);
char *client_answer (Client *client, guint *out_status);
gboolean client_fill (Client *client);
gboolean client_at_end (Client *client);
/* Sends a text and gives the next answer. */
char *client_ask (Client *client, guint *out_status, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fixture, fixture_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Client, client_free)
