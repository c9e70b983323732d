/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-seal.h"

#include "barrier/bawn-seal-records.h"
#include "util/bawn-error.h"
#include "util/bawn-json.h"

#define MAX_PARTS 255
#define FORMAT 1

G_DEFINE_INTERFACE (BawnSeal, bawn_seal, G_TYPE_OBJECT)

static void
bawn_seal_default_init (BawnSealInterface *iface)
{
}

/**
 * bawn_seal_wrap:
 * @self: a seal
 * @root_key: what to wrap
 * @cancellable: (nullable): a cancellable
 * @error: (out) (optional): where to put the error
 *
 * May block, depending on the seal.
 *
 * Returns: (transfer full) (nullable): what `core/root-key` is to hold
 */
GBytes *
bawn_seal_wrap (BawnSeal *self, BawnSecret *root_key, GCancellable *cancellable, GError **error)
{
  return BAWN_SEAL_GET_IFACE (self)->wrap (self, root_key, cancellable, error);
}

/**
 * bawn_seal_unwrap:
 * @self: a seal
 * @box: what `core/root-key` holds
 * @cancellable: (nullable): a cancellable
 * @error: (out) (optional): SEALED if the seal lacks what it needs, DENIED if that does not open
 * @box
 *
 * May block, depending on the seal.
 *
 * Returns: (transfer full) (nullable): the root key
 */
BawnSecret *
bawn_seal_unwrap (BawnSeal *self, GBytes *box, GCancellable *cancellable, GError **error)
{
  return BAWN_SEAL_GET_IFACE (self)->unwrap (self, box, cancellable, error);
}

/**
 * bawn_seal_get_type_name:
 * @self: a seal
 *
 * Returns: (transfer none): such as "shamir"
 */
const char *
bawn_seal_get_type_name (BawnSeal *self)
{
  return BAWN_SEAL_GET_IFACE (self)->type;
}

/**
 * bawn_seal_is_automatic:
 * @self: a seal
 *
 * Returns: %TRUE if it opens without people
 */
gboolean
bawn_seal_is_automatic (BawnSeal *self)
{
  return BAWN_SEAL_GET_IFACE (self)->automatic;
}

/**
 * bawn_seal_config_check_shape:
 * @shares: how many shares
 * @threshold: how many of them are needed
 * @error: (out) (optional): INVALID, in the words of the API
 *
 * Returns: %TRUE if a key can be shared so
 */
gboolean
bawn_seal_config_check_shape (gint64 shares, gint64 threshold, GError **error)
{
  if (shares < 1)
    return bawn_fail (error, BAWN_ERROR_INVALID, "shares must be at least one");
  if (threshold < 1)
    return bawn_fail (error, BAWN_ERROR_INVALID, "threshold must be at least one");
  if (shares > 1 && threshold == 1)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "threshold must be greater than one for multiple shares");
  if (shares > MAX_PARTS)
    return bawn_fail (error, BAWN_ERROR_INVALID, "shares must be less than %d", MAX_PARTS + 1);
  if (threshold > MAX_PARTS)
    return bawn_fail (error, BAWN_ERROR_INVALID, "threshold must be less than %d", MAX_PARTS + 1);
  if (threshold > shares)
    return bawn_fail (error, BAWN_ERROR_INVALID, "threshold cannot be larger than shares");

  return TRUE;
}

/**
 * bawn_seal_config_init:
 * @config: (out caller-allocates): where to write it
 * @shares: how many shares, as checked
 * @threshold: how many of them are needed, as checked
 */
void
bawn_seal_config_init (BawnSealConfig *config, gint64 shares, gint64 threshold)
{
  g_autofree char *id = bawn_random_uuid ();

  *config = (BawnSealConfig){
    .type = g_intern_static_string ("shamir"),
    .shares = (guint) shares,
    .threshold = (guint) threshold,
  };
  g_strlcpy (config->id, id, sizeof config->id);
}

/**
 * bawn_seal_config_serialise:
 * @config: a configuration
 *
 * Returns: (transfer full): what `core/seal-config` is to hold
 */
GBytes *
bawn_seal_config_serialise (const BawnSealConfig *config)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "format", FORMAT);
  bawn_json_writer_add_string (&w, "type", config->type);
  bawn_json_writer_add_int (&w, "shares", config->shares);
  bawn_json_writer_add_int (&w, "threshold", config->threshold);
  bawn_json_writer_add_string (&w, "id", config->id);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

/**
 * bawn_seal_config_parse:
 * @text: what `core/seal-config` holds
 * @out_config: (out caller-allocates): the configuration
 * @error: (out) (optional): CORRUPT
 *
 * Returns: %TRUE if it is one that can be
 */
gboolean
bawn_seal_config_parse (GBytes *text, BawnSealConfig *out_config, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (BawnJson) json = bawn_json_parse (text, NULL, &reason);
  if (json == NULL)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "the entry at “%s” does not parse: %s",
                      BAWN_SEAL_CONFIG_KEY, reason->message);

  const BawnJsonNode *root = bawn_json_root (json);
  const char *type = bawn_json_get_string (root, "type", "");
  const char *id = bawn_json_get_string (root, "id", "");
  gint64 shares = bawn_json_get_int (root, "shares", 0);
  gint64 threshold = bawn_json_get_int (root, "threshold", 0);
  if (bawn_json_get_int (root, "format", 0) != FORMAT)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "the entry at “%s” is of an unknown format",
                      BAWN_SEAL_CONFIG_KEY);
  if (!g_str_equal (type, "shamir") || strlen (id) != BAWN_UUID_SIZE - 1)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "the entry at “%s” is of an unknown seal",
                      BAWN_SEAL_CONFIG_KEY);
  if (!bawn_seal_config_check_shape (shares, threshold, &reason))
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "the entry at “%s” is wrong: %s",
                      BAWN_SEAL_CONFIG_KEY, reason->message);

  bawn_seal_config_init (out_config, shares, threshold);
  g_strlcpy (out_config->id, id, sizeof out_config->id);

  return TRUE;
}
