/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/bawn-crypto.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define BAWN_UUID_SIZE 37 /* with its NUL */

/**
 * BawnSealConfig:
 * @type: (transfer none): such as "shamir"; interned
 * @shares: how many shares there are
 * @threshold: how many of them open the seal
 * @id: a uuid that is another one after each rekey
 *
 * What `core/seal-config` says, in the open. A plain value.
 */
typedef struct
{
  const char *type;
  guint shares;
  guint threshold;
  char id[BAWN_UUID_SIZE];
} BawnSealConfig;

/* A "shamir" configuration with a new id; not checked. */
void bawn_seal_config_init (BawnSealConfig *config, gint64 shares, gint64 threshold);
/* INVALID with the API's words ("shares must be at least one" …), without a prefix. */
gboolean bawn_seal_config_check_shape (gint64 shares, gint64 threshold, GError **error);
GBytes *bawn_seal_config_serialise (const BawnSealConfig *config);
gboolean bawn_seal_config_parse (GBytes *text, BawnSealConfig *out_config, GError **error);

/**
 * BawnSeal:
 *
 * What keeps the root key while a node is sealed.
 */
#define BAWN_TYPE_SEAL (bawn_seal_get_type ())
G_DECLARE_INTERFACE (BawnSeal, bawn_seal, BAWN, SEAL, GObject)

/**
 * BawnSealInterface:
 * @type: the name in configuration, seal-status and `core/seal-config`
 * @automatic: whether @unwrap works without people
 * @wrap: turns the root key into the value of `core/root-key`; may block
 * @unwrap: the reverse; SEALED if the seal has not got what it needs, DENIED if it has and that does not open it
 */
struct _BawnSealInterface
{
  GTypeInterface parent;

  const char *type;
  gboolean automatic;
  GBytes *(*wrap) (BawnSeal *self, BawnSecret *root_key, GCancellable *cancellable, GError **error);
  BawnSecret *(*unwrap) (BawnSeal *self, GBytes *box, GCancellable *cancellable, GError **error);
};

GBytes *bawn_seal_wrap (BawnSeal *seal, BawnSecret *root_key, GCancellable *cancellable, GError **error);
BawnSecret *bawn_seal_unwrap (BawnSeal *seal, GBytes *box, GCancellable *cancellable, GError **error);
const char *bawn_seal_get_type_name (BawnSeal *seal);
gboolean bawn_seal_is_automatic (BawnSeal *seal);

G_END_DECLS
