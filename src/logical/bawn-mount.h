/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-json.h"

G_BEGIN_DECLS

/* 768 hours, in microseconds: the system's default and maximum lease time. */
#define BAWN_SYSTEM_TTL_US (G_GINT64_CONSTANT (768) * 3600 * G_USEC_PER_SEC)

/**
 * BawnMount:
 * @path: where it is mounted, ending in '/': "secret/", and "auth/userpass/" for a login method
 * @type: the engine's name as the operator gave it: "kv"
 * @options: (nullable): string to string
 * @view: the prefix of its entries in the storage, ending in '/'
 * @default_ttl_us: 0: the system's
 * @max_ttl_us: 0: the system's
 *
 * One row of the mount table. Immutable, reference-counted.
 */
typedef struct
{
  char *path;
  char *type;
  char *description;
  char *accessor;
  char *uuid;
  char *view;
  GHashTable *options;
  gboolean local;
  gboolean seal_wrap;
  gboolean external_entropy_access;
  gboolean force_no_cache;
  gint64 default_ttl_us;
  gint64 max_ttl_us;
  char *listing_visibility;       /* "", "hidden", "unauth" */
  char *token_type;               /* login methods: "default-service" … */
  GStrv audit_non_hmac_request_keys;
  GStrv audit_non_hmac_response_keys;
  GStrv passthrough_request_headers;
  GStrv allowed_response_headers;
} BawnMount;

BawnMount *bawn_mount_new (void);
BawnMount *bawn_mount_copy (const BawnMount *mount); /* a new one, to change before it is shared */
BawnMount *bawn_mount_ref (BawnMount *mount);
void bawn_mount_unref (BawnMount *mount);
const char *bawn_mount_option (const BawnMount *mount, const char *name);
gint64 bawn_mount_default_ttl_us (const BawnMount *mount); /* effective */
gint64 bawn_mount_max_ttl_us (const BawnMount *mount);     /* effective */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnMount, bawn_mount_unref)

G_END_DECLS
