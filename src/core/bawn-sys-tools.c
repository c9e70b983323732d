/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"
#include "crypto/bawn-crypto.h"

#include <string.h>

/* sys/tools: random bytes and hashes. */

/* The API's bound on random bytes in one answer. */
#define RANDOM_MAX 131072
#define RANDOM_DEFAULT 32

/* A parameter that the path may carry in the place of a field. */
static gboolean
path_or_field (BawnRequest *request,
               const char *path_name,
               const char *field,
               char **inout_value,
               GError **error)
{
  const char *in_path = bawn_request_param (request, path_name);

  if (*in_path == '\0')
    return bawn_field_string (request, field, inout_value, error);

  g_free (*inout_value);
  *inout_value = g_strdup (in_path);
  return TRUE;
}

static char *
encode (gconstpointer data, gsize size, const char *format, GError **error)
{
  if (g_str_equal (format, "hex"))
    return bawn_hex_encode (data, size);
  if (g_str_equal (format, "base64"))
    return bawn_base64_encode (data, size, FALSE, TRUE);

  return bawn_fail_null (error, BAWN_ERROR_INVALID,
                         "unsupported encoding format \"%s\"; must be \"hex\" or \"base64\"",
                         format);
}

static BawnResponse *
answer_string (const char *name, const char *value)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, name, value);
  bawn_json_writer_end_object (&w);
  return bawn_response_new_writer (&w);
}

/* "random/SOURCE", "random/BYTES" and "random/SOURCE/BYTES" are all spoken; the sources that the
 * API knows are one here. What is neither is an error: a misspelt count must not pass for the
 * default. */
static gboolean
split_count (const char *rest, const char **out_count, GError **error)
{
  static const char *const sources[] = { "platform", "seal", "all" };
  gsize size = strcspn (rest, "/");

  *out_count = rest;
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    if (strlen (sources[i]) == size && memcmp (sources[i], rest, size) == 0)
      *out_count = rest[size] == '/' ? rest + size + 1 : rest + size;
  if (strchr (*out_count, '/') == NULL)
    return TRUE;

  g_autofree char *source = g_strndup (rest, size);
  return bawn_fail (
      error, BAWN_ERROR_INVALID,
      "unsupported entropy source \"%s\"; must be \"platform\" or \"seal\", or \"all\"", source);
}

static gboolean
read_count (BawnRequest *request, gint64 *out_bytes, GError **error)
{
  const char *text = NULL;

  *out_bytes = RANDOM_DEFAULT;
  if (!bawn_field_int (request, "bytes", out_bytes, error)
      || !split_count (bawn_request_param (request, "bytes"), &text, error))
    return FALSE;
  if (*text != '\0' && !g_ascii_string_to_signed (text, 10, G_MININT, G_MAXINT, out_bytes, NULL))
    return bawn_fail (
        error, BAWN_ERROR_INVALID,
        "error parsing url-set byte count: strconv.Atoi: parsing \"%s\": invalid syntax", text);
  if (*out_bytes < 1)
    return bawn_fail (error, BAWN_ERROR_INVALID, "\"bytes\" cannot be less than 1");
  if (*out_bytes > RANDOM_MAX)
    return bawn_fail (error, BAWN_ERROR_INVALID, "\"bytes\" should be less than %d", RANDOM_MAX);

  return TRUE;
}

static BawnResponse *
tools_random (BawnEngine *engine G_GNUC_UNUSED,
              BawnRequest *request,
              BawnTxn *txn G_GNUC_UNUSED,
              GError **error)
{
  gint64 n = 0;
  g_autofree char *format = g_strdup ("base64");
  g_autofree char *source = NULL;

  if (!read_count (request, &n, error) || !bawn_field_string (request, "format", &format, error)
      || !bawn_field_string (request, "source", &source, error))
    return NULL;

  guint8 *data = NULL;
  g_autoptr (GBytes) bytes = bawn_bytes_alloc ((gsize) n, &data);
  bawn_random_bytes (data, (gsize) n);
  g_autoptr (BawnWipedString) text = encode (data, (gsize) n, format, error);
  if (text == NULL)
    return NULL;

  return answer_string ("random_bytes", text);
}

static BawnResponse *
tools_hash (BawnEngine *engine G_GNUC_UNUSED,
            BawnRequest *request,
            BawnTxn *txn G_GNUC_UNUSED,
            GError **error)
{
  g_autofree char *format = g_strdup ("hex");
  g_autofree char *algorithm = g_strdup ("sha2-256");
  g_autoptr (BawnWipedString) input = NULL;
  g_autoptr (GError) bad = NULL;
  BawnHashKind kind = BAWN_HASH_SHA2_256;

  if (!bawn_field_string (request, "input", &input, error)
      || !bawn_field_string (request, "format", &format, error)
      || !path_or_field (request, "algorithm", "algorithm", &algorithm, error))
    return NULL;

  g_autoptr (GBytes) bytes = bawn_base64_decode (input != NULL ? input : "", FALSE, &bad);
  if (bytes == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "unable to decode input as base64: %s",
                           bad->message);
  if (!g_str_equal (format, "hex") && !g_str_equal (format, "base64"))
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "unsupported encoding format %s; must be \"hex\" or \"base64\"", format);
  if (!bawn_hash_kind_from_name (algorithm, &kind))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "unsupported algorithm %s", algorithm);

  gsize size = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autoptr (GBytes) sum = bawn_hash (kind, data, size);
  data = g_bytes_get_data (sum, &size);
  g_autofree char *text = encode (data, size, format, error);
  if (text == NULL)
    return NULL;

  return answer_string ("sum", text);
}

const BawnRoute bawn_sys_tools_routes[] = {
  { "tools/random", BAWN_OP_WRITE, tools_random, BAWN_ROUTE_NONE, "Generate random bytes." },
  { "tools/random/{bytes...}", BAWN_OP_WRITE, tools_random, BAWN_ROUTE_NONE,
    "Generate random bytes." },
  { "tools/hash", BAWN_OP_WRITE, tools_hash, BAWN_ROUTE_NONE,
    "Generate a hash sum for input data." },
  { "tools/hash/{algorithm}", BAWN_OP_WRITE, tools_hash, BAWN_ROUTE_NONE,
    "Generate a hash sum for input data." },
  { 0 },
};
