/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/socket.h>

G_BEGIN_DECLS

/*
 * Descriptors that the service manager has opened, or kept, for this process (sd_listen_fds(3)). They belong to the process, so
 * there is one list of them; each can be taken once, by whoever closes it then. Any thread.
 */

/* A descriptor of that name, which is not taken yet; -1 if there is none. */
int bawn_handed_take (const char *name);
/* (element-type gint): the sockets of that name, or for %NULL all, that are not taken yet; not those that were stored. INVALID if
 * there is none, or one does not listen. */
gboolean bawn_handed_take_sockets (const char *name, GArray *out_fds, GError **error);
/* (element-type gint): those that listen at @address, or everywhere at its port if it is everywhere too. FALSE: there is none. */
gboolean bawn_handed_take_bound (const struct sockaddr *address, socklen_t size, GArray *out_fds);
/* What listens and was not taken, for people: "127.0.0.1:8200 (bawn)". */
GStrv bawn_handed_dup_idle (void);

/* Names that begin so are not sockets: what this program has stored itself. */
#define BAWN_HANDED_STORED "bawn-stored-"

G_END_DECLS
