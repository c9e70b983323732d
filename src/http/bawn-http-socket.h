/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-listener.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

G_BEGIN_DECLS

/* Before the path of a socket in the file system. */
#define BAWN_HTTP_UNIX_PREFIX "unix:"

typedef union
{
  struct sockaddr any;
  struct sockaddr_in in;
  struct sockaddr_in6 in6;
  struct sockaddr_un un;
} BawnHttpAddress;

gboolean bawn_http_socket_open_inet (const char *address, guint n, GArray *out_fds, GError **error);
gboolean bawn_http_socket_open_unix (const char *path, const BawnHttpListenerConfig *config, GArray *out_fds, GError **error);
gboolean bawn_http_socket_take_bound (const char *address, GArray *out_fds);
gboolean bawn_http_socket_address (int fd, BawnHttpAddress *out_address);
void bawn_http_socket_turn_away (int fd);
gboolean bawn_http_address_is_local (const BawnHttpAddress *address);
char *bawn_http_address_host (const BawnHttpAddress *address);
guint bawn_http_address_port (const BawnHttpAddress *address);

G_END_DECLS
