/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line with a path, then a body: whatever is sent, each conversion of each field either gives a
 * value or an error for the caller, and what the engines make of a body is JSON again. */
#include "config.h"

#include "audit/bawn-audit-private.h"
#include "engine/bawn-engine-kv-private.h"
#include "engine/bawn-kv-json.h"
#include "logical/bawn-request.h"

#include "fuzz.h"

#include <string.h>

/* Fields of one document that are tried, of however many it has. */
#define FIELDS_MAX 32

static void
check_result (gboolean worked, GError *error)
{
  g_assert_true (worked == (error == NULL));
  if (error == NULL)
    return;
  g_assert_true (bawn_error_is (error, BAWN_ERROR_INVALID));
  g_assert_true (*error->message != '\0');
  g_error_free (error);
}

#define TRY(call)                                                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GError *error = NULL;                                                                          \
    gboolean worked_ = (call);                                                                     \
    check_result (worked_, error);                                                                 \
  }                                                                                                \
  G_STMT_END

static void
try_scalars (BawnRequest *request, const char *name)
{
  g_autoptr (BawnWipedString) text = g_strdup ("");
  gboolean flag = FALSE;
  gint64 number = 0;
  gint64 time_us = 0;

  TRY (bawn_field_string (request, name, &text, &error));
  g_assert_nonnull (text);
  TRY (bawn_field_bool (request, name, &flag, &error));
  g_assert_true (flag == FALSE || flag == TRUE);
  TRY (bawn_field_int (request, name, &number, &error));
  TRY (bawn_field_duration_signed (request, name, &time_us, &error));
  time_us = 0;
  TRY (bawn_field_duration (request, name, &time_us, &error));
  g_assert_cmpint (time_us, >=, 0);
}

static void
try_containers (BawnRequest *request, const char *name)
{
  g_auto (GStrv) list = NULL;
  g_autoptr (GHashTable) map = NULL;
  const BawnJsonNode *object = NULL;

  TRY (bawn_field_strv (request, name, &list, &error));
  TRY (bawn_field_map (request, name, &map, &error));
  TRY (bawn_field_object (request, name, &object, &error));
  g_assert_true (object == NULL || object->kind == BAWN_JSON_OBJECT);
}

static void
assert_json (GBytes *text)
{
  g_autoptr (BawnJson) json = bawn_json_parse (text, NULL, NULL);

  g_assert_nonnull (json);
}

static void
try_engine (const BawnJsonNode *root)
{
  g_autoptr (GBytes) merged = bawn_kv_merge_patch (root, root);
  g_autoptr (GBytes) fresh = bawn_kv_merge_patch (NULL, root);
  g_autoptr (GBytes) subkeys = bawn_kv_subkeys (root, 0);
  g_autoptr (GBytes) shallow = bawn_kv_subkeys (root, 1);

  assert_json (merged);
  assert_json (fresh);
  assert_json (subkeys);
  assert_json (shallow);
}

static void
try_audit (BawnRequest *request, BawnSecret *key)
{
  const BawnAuditStyle styles[] = { { .key = key, .hmac_accessor = TRUE }, { .elide = TRUE } };
  const BawnAuditFacts facts = { .request = request };

  for (gsize i = 0; i < G_N_ELEMENTS (styles); i++)
    {
      g_auto (BawnBuffer) line = BAWN_BUFFER_INIT;

      bawn_audit_record_write (&line, &styles[i], &facts);
      g_assert_true (memchr (line.data, '\n', line.size) == line.data + line.size - 1);

      g_autoptr (GBytes) text = bawn_buffer_steal (&line);
      const BawnJsonLimits deeper = { 0, 0 };
      g_autoptr (BawnJson) json = bawn_json_parse (text, &deeper, NULL);

      /* The record is nested a little deeper than the body. */
      g_assert_true (json != NULL || request->data != NULL);
    }
}

static void
try_routes (BawnRequest *request)
{
  const BawnRoute *const tables[] = { bawn_kv1_routes, bawn_kv2_routes, bawn_audit_routes };

  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      g_autoptr (GError) error = NULL;
      const BawnRoute *route = bawn_route_match (tables[i], request, &error);

      g_assert_true ((route == NULL) == (error != NULL));
      g_assert_nonnull (bawn_request_param (request, "path"));
      bawn_kv_path_is_valid (request, bawn_request_param (request, "path"));
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const fixed[] = { "data", "options", "versions", "ttl", "", NULL };
  const uint8_t *end = size > 0 ? memchr (data, '\n', size) : NULL;
  gsize path_size = end != NULL ? (gsize) (end - data) : size;
  g_autofree char *path = g_strndup ((const char *) data, path_size);
  g_autoptr (BawnRequest) request = bawn_request_new (BAWN_OP_UPDATE, path);
  g_autoptr (BawnSecret) key = bawn_secret_new_copy ("key", 3);

  request->rest = request->path;
  try_routes (request);
  if (end == NULL)
    return 0;

  g_autoptr (GBytes) body = bawn_bytes_new (end + 1, size - path_size - 1);

  request->data = bawn_json_parse (body, NULL, NULL);
  if (request->data == NULL)
    return 0;

  const BawnJsonNode *root = bawn_json_root (request->data);
  guint n = 0;

  for (guint i = 0; fixed[i] != NULL; i++)
    {
      try_scalars (request, fixed[i]);
      try_containers (request, fixed[i]);
    }
  for (const BawnJsonNode *node = root->kind == BAWN_JSON_OBJECT ? root->children : NULL;
       node != NULL && n < FIELDS_MAX; node = node->next, n++)
    {
      try_scalars (request, node->name);
      try_containers (request, node->name);
    }

  g_auto (GStrv) unknown = bawn_request_unknown_fields (request);

  try_engine (root);
  try_audit (request, key);

  return 0;
}
