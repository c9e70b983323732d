/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-consul.h"
#include "daemon/bawn-service-consul.h"

G_BEGIN_DECLS

struct _BawnServiceConsulOptions
{
  BawnConsulOptions *consul;
  char *name;
  GStrv tags;
  char *address; /* nullable: that of api-addr; "": that of the agent's machine */
  gint64 ttl_us;
};

/**
 * BawnServiceRecord:
 * @id: of the service, its name and where it is
 * @check_id: of its check
 * @name: of the service
 * @tags: (array zero-terminated=1): the configured ones, and what the node does
 * @address: where it is; "": where the agent is
 * @port: of it
 * @version: of bawn
 * @cluster_id: (nullable): of the active node only
 * @epoch: (nullable): of the active node only: since when it is, by the count of all
 * @ttl_us: how long one word about the check holds
 * @is_passing: whether the node is unsealed
 * @note: for people, what it does
 *
 * What Consul is to know of this node.
 */
typedef struct
{
  char *id;
  char *check_id;
  char *name;
  GStrv tags;
  char *address;
  guint16 port;
  char *version;
  char *cluster_id;
  char *epoch;
  gint64 ttl_us;
  gboolean is_passing;
  const char *note;
} BawnServiceRecord;

/* NULL with @error set: the node does not know its address. */
BawnServiceRecord *bawn_service_record_new (const BawnServiceConsulOptions *options, const BawnStatus *status, GError **error);
void bawn_service_record_free (BawnServiceRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnServiceRecord, bawn_service_record_free)

/* The body of a registration, its check included. */
GBytes *bawn_service_record_write (const BawnServiceRecord *record);
/* What holds for the time to live. */
GBytes *bawn_service_record_write_check (const BawnServiceRecord *record);
/* Whether what the agent says of the service is this. */
gboolean bawn_service_record_matches (const BawnServiceRecord *record, GBytes *answer);

/* For an active node: what others of its cluster left behind that were active before it. */
gboolean bawn_service_rivals_retire (BawnConsul *consul,
                                     const BawnServiceRecord *record,
                                     GCancellable *cancellable,
                                     GError **error);

G_END_DECLS
