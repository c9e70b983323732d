/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * Proxy:
 * Stands between two nodes, on a port of its own. Bytes pass, unless it is told otherwise.
 */
typedef struct _Proxy Proxy;

typedef enum
{
  PROXY_PASS,  /* both ways */
  PROXY_STALL, /* nothing is read: who sends has to wait */
  PROXY_DROP,  /* everything is read and lost, as if the cable was out */
} ProxyMode;

Proxy *proxy_new (guint target_port);
void proxy_free (Proxy *proxy);
guint proxy_port (Proxy *proxy);
void proxy_set (Proxy *proxy, ProxyMode mode);
/* Breaks all connections that there are. New ones begin to pass again. */
void proxy_cut (Proxy *proxy);
guint64 proxy_bytes (Proxy *proxy);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Proxy, proxy_free)
