/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-bytes.h"
#include "util/bawn-config.h"
#include "util/bawn-error.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BawnZkAddress:
 *
 * One server.
 */
typedef struct
{
  char *host;
  guint16 port;
  char *text;
} BawnZkAddress;

/**
 * BawnZkOptions:
 *
 * The settings of [storage] that are about ZooKeeper. Immutable after bawn_zk_options_read().
 */
typedef struct
{
  GPtrArray *addresses; /* of BawnZkAddress */
  char *path;
  GBytes *acl;       /* of what is made; see bawn_zk_acl_new() */
  char *auth_scheme; /* (nullable) */
  GBytes *auth;      /* (nullable): what goes with it; secret */
  gboolean tls;
  char *ca_file;     /* (nullable) */
  char *cert_file;   /* (nullable) */
  char *key_file;    /* (nullable) */
  char *server_name; /* (nullable) */
  gboolean skip_verify;
  GTlsProtocolVersion min_version;
  gint64 session_timeout_us;
  gint64 connect_timeout_us;
  gint64 request_timeout_us;
  gsize max_request;
  guint max_parallel;
  gboolean ha_enabled;
} BawnZkOptions;

/* What is wrong is noted in the group. Opens nothing. */
BawnZkOptions *bawn_zk_options_read (BawnConfigGroup *group);
void bawn_zk_options_free (BawnZkOptions *options);
/* What can only be told by looking at files: INVALID if one cannot be used. */
gboolean bawn_zk_options_load (BawnZkOptions *options, GError **error);
/* (transfer full): TLS over @base to @address, not shaken hands yet. */
GTlsConnection *bawn_zk_options_wrap (const BawnZkOptions *options,
                                      GIOStream *base,
                                      const BawnZkAddress *address,
                                      GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnZkOptions, bawn_zk_options_free)

G_END_DECLS
