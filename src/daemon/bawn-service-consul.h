/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"
#include "util/bawn-config.h"

G_BEGIN_DECLS

/**
 * BawnServiceConsul:
 *
 * This node as a service in Consul's catalogue: with the tag of what it does, and a check that passes while it is unsealed. A
 * thread makes Consul's agent agree with the node's state, whatever becomes of either: it looks again after each change and
 * several times within the check's time to live, compares, and corrects what differs. Nothing is queued, so that nothing
 * can be dropped or come in the wrong order; what it tells is always the state at the time of telling.
 *
 * Reference-counted; thread-safe.
 */
typedef struct _BawnServiceConsul BawnServiceConsul;
typedef struct _BawnServiceConsulOptions BawnServiceConsulOptions;

/* Reads [service-registration], and how to reach Consul from a storage that is Consul. What is wrong is noted in @config. NULL:
 * the node is not to be registered. */
BawnServiceConsulOptions *bawn_service_consul_options_read (BawnConfig *config, gint64 lease_ttl_us);
void bawn_service_consul_options_free (BawnServiceConsulOptions *options);

/* The snapshot that is current when it is called; (transfer full). Called on the thread of the service. */
typedef BawnStatus *(*BawnServiceStatusFunc) (gpointer user_data);

/* Takes @options. Connects to nobody before bawn_service_consul_start(). */
BawnServiceConsul *bawn_service_consul_new (BawnServiceConsulOptions *options, GError **error);
BawnServiceConsul *bawn_service_consul_ref (BawnServiceConsul *self);
void bawn_service_consul_unref (BawnServiceConsul *self);

/* @user_data must stay until bawn_service_consul_stop(). */
void bawn_service_consul_start (BawnServiceConsul *self, BawnServiceStatusFunc ref_status, gpointer user_data);
/* Starts with what @core says, and looks again whenever it says that its status has changed. */
void bawn_service_consul_follow (BawnServiceConsul *self, BawnCore *core);
/* The state may have changed. Any thread, also after the stop. */
void bawn_service_consul_kick (BawnServiceConsul *self);
/* Takes the service out of the catalogue, for which it waits for some seconds at most, and ends the thread. Blocks. */
void bawn_service_consul_stop (BawnServiceConsul *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnServiceConsul, bawn_service_consul_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnServiceConsulOptions, bawn_service_consul_options_free)

G_END_DECLS
