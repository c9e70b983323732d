/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "audit/bawn-audit-private.h"

#include <string.h>

#include "crypto/bawn-crypto.h"
#include "logical/bawn-json-text.h"
#include "logical/bawn-string-map.h"
#include "util/bawn-clock.h"

#define HASH_PREFIX "hmac-sha256:"

/**
 * bawn_audit_hash:
 * @key: a device's salt
 * @text: (array length=size): a value
 * @size: its length
 *
 * Returns: (transfer full): "hmac-sha256:" and the HMAC in hex
 */
char *
bawn_audit_hash (const BawnSecret *key, const char *text, gsize size)
{
  guint8 mac[BAWN_SHA256_SIZE] = { 0 };

  bawn_hmac_sha256 (key, text, size, mac);

  g_autofree char *hex = bawn_hex_encode (mac, sizeof mac);

  return g_strconcat (HASH_PREFIX, hex, NULL);
}

static void
append_hash (BawnBuffer *out, const BawnSecret *key, const char *text, gsize size)
{
  g_autofree char *hash = bawn_audit_hash (key, text, size);

  bawn_buffer_append_byte (out, '"');
  bawn_buffer_append_string (out, hash);
  bawn_buffer_append_byte (out, '"');
}

static void append_value (BawnBuffer *out, const BawnAuditStyle *style, const BawnJsonNode *node);

static void
append_array (BawnBuffer *out, const BawnAuditStyle *style, const BawnJsonNode *array)
{
  bawn_buffer_append_byte (out, '[');
  for (const BawnJsonNode *item = array->children; item != NULL; item = item->next)
    {
      if (item != array->children)
        bawn_buffer_append_byte (out, ',');
      append_value (out, style, item);
    }
  bawn_buffer_append_byte (out, ']');
}

static void
append_object (BawnBuffer *out, const BawnAuditStyle *style, const BawnJsonNode *object)
{
  gboolean first = TRUE;

  bawn_buffer_append_byte (out, '{');
  for (const BawnJsonNode *member = object->children; member != NULL; member = member->next)
    {
      bawn_json_append_name (out, member, &first);
      append_value (out, style, member);
    }
  bawn_buffer_append_byte (out, '}');
}

/* JSON allows line ends between its tokens; a record is one line, so arrays and objects are always
 * written anew. Recursion is bounded by the scanner's limit on nesting. */
static void
append_value (BawnBuffer *out, const BawnAuditStyle *style, const BawnJsonNode *node)
{
  switch (node->kind)
    {
    case BAWN_JSON_STRING:
      if (style->key != NULL)
        append_hash (out, style->key, node->string, node->string_size);
      else
        bawn_buffer_append (out, node->raw, node->raw_size);
      return;
    case BAWN_JSON_ARRAY:
      append_array (out, style, node);
      return;
    case BAWN_JSON_OBJECT:
      append_object (out, style, node);
      return;
    case BAWN_JSON_NULL:
    case BAWN_JSON_FALSE:
    case BAWN_JSON_TRUE:
    case BAWN_JSON_NUMBER:
      break;
    }

  bawn_buffer_append (out, node->raw, node->raw_size);
}

/* Lists whose names are many are only counted, if the operator wants that. */
static gboolean
is_elided (const BawnJsonNode *member)
{
  return (g_str_equal (member->name, "keys") && member->kind == BAWN_JSON_ARRAY)
         || (g_str_equal (member->name, "key_info") && member->kind == BAWN_JSON_OBJECT);
}

static void
write_data (BawnJsonWriter *w,
            const BawnAuditStyle *style,
            const BawnJsonNode *data,
            GStrv clear_keys,
            gboolean elide)
{
  static const BawnAuditStyle clear = { NULL };
  g_auto (BawnBuffer) out = BAWN_BUFFER_INIT;
  gboolean first = TRUE;

  if (!bawn_json_is (data, BAWN_JSON_OBJECT))
    return;

  bawn_buffer_append_byte (&out, '{');
  for (const BawnJsonNode *member = data->children; member != NULL; member = member->next)
    {
      gboolean is_clear =
          clear_keys != NULL && g_strv_contains ((const char *const *) clear_keys, member->name);
      char count[16];

      bawn_json_append_name (&out, member, &first);
      if (elide && is_elided (member))
        {
          g_snprintf (count, sizeof count, "%u", member->n_children);
          bawn_buffer_append_string (&out, count);
        }
      else
        append_value (&out, is_clear ? &clear : style, member);
    }
  bawn_buffer_append_byte (&out, '}');

  bawn_json_writer_name (w, "data");
  bawn_json_writer_raw (w, (const char *) out.data, out.size);
}

static void
add_text (BawnJsonWriter *w, const char *name, const char *text)
{
  if (text != NULL && *text != '\0')
    bawn_json_writer_add_string (w, name, text);
}

static void
add_hashed (BawnJsonWriter *w, const BawnAuditStyle *style, const char *name, const char *text)
{
  if (text == NULL || *text == '\0')
    return;
  if (style->key == NULL)
    {
      bawn_json_writer_add_string (w, name, text);
      return;
    }

  g_autofree char *hash = bawn_audit_hash (style->key, text, strlen (text));

  bawn_json_writer_add_string (w, name, hash);
}

static void
add_accessor (BawnJsonWriter *w, const BawnAuditStyle *style, const char *name, const char *text)
{
  if (style->hmac_accessor)
    add_hashed (w, style, name, text);
  else
    add_text (w, name, text);
}

static void
add_seconds (BawnJsonWriter *w, const char *name, gint64 us)
{
  if (us >= G_USEC_PER_SEC)
    bawn_json_writer_add_int (w, name, us / G_USEC_PER_SEC);
}

static void
add_time (BawnJsonWriter *w, const char *name, gint64 us)
{
  g_autofree char *text = bawn_time_format (us);

  bawn_json_writer_add_string (w, name, text);
}

static void
add_strings (BawnJsonWriter *w, const char *name, GStrv strings)
{
  if (strings != NULL && strings[0] != NULL)
    bawn_json_writer_add_strv (w, name, (const char *const *) strings);
}

static void
write_auth (BawnJsonWriter *w,
            const BawnAuditStyle *style,
            const char *client_token,
            const BawnToken *token)
{
  bawn_json_writer_name (w, "auth");
  bawn_json_writer_begin_object (w);
  if (token == NULL)
    {
      bawn_json_writer_add_string (w, "token_type", "default");
      bawn_json_writer_end_object (w);
      return;
    }

  add_hashed (w, style, "client_token", client_token);
  add_accessor (w, style, "accessor", token->accessor);
  add_text (w, "display_name", token->display_name);
  add_strings (w, "policies", token->policies);
  add_strings (w, "token_policies", token->policies);
  if (token->meta != NULL && g_hash_table_size (token->meta) > 0)
    {
      bawn_json_writer_name (w, "metadata");
      bawn_string_map_write (w, token->meta);
    }
  add_text (w, "entity_id", token->entity_id);
  bawn_json_writer_add_string (w, "token_type",
                               token->type == BAWN_TOKEN_BATCH ? "batch" : "service");
  add_seconds (w, "token_ttl", token->ttl_us);
  if (token->creation_us != 0)
    add_time (w, "token_issue_time", token->creation_us);
  bawn_json_writer_end_object (w);
}

static void
write_header_values (BawnJsonWriter *w, const BawnAuditStyle *style, const char *const *values)
{
  bawn_json_writer_begin_array (w);
  for (guint i = 0; values[i] != NULL; i++)
    {
      g_autofree char *hash =
          style->key != NULL ? bawn_audit_hash (style->key, values[i], strlen (values[i])) : NULL;

      bawn_json_writer_string (w, hash != NULL ? hash : values[i]);
    }
  bawn_json_writer_end_array (w);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

static void
write_headers (BawnJsonWriter *w, const BawnAuditStyle *style, const BawnAuditFacts *facts)
{
  static const BawnAuditStyle clear = { NULL };
  GHashTable *present = facts->request->headers;
  gboolean any = FALSE;

  if (facts->headers == NULL || present == NULL || g_hash_table_size (facts->headers) == 0)
    return;

  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (facts->headers), compare_names);

  for (GList *at = names; at != NULL; at = at->next)
    {
      const char *const *values = g_hash_table_lookup (present, at->data);

      if (values == NULL)
        continue;
      if (!any)
        {
          bawn_json_writer_name (w, "headers");
          bawn_json_writer_begin_object (w);
        }
      any = TRUE;
      bawn_json_writer_name (w, at->data);
      write_header_values (w, g_hash_table_lookup (facts->headers, at->data) ? style : &clear,
                           values);
    }
  if (any)
    bawn_json_writer_end_object (w);
}

static void
write_request (BawnJsonWriter *w, const BawnAuditStyle *style, const BawnAuditFacts *facts)
{
  const BawnRequest *request = facts->request;
  const BawnMount *mount = request->mount;

  bawn_json_writer_name (w, "request");
  bawn_json_writer_begin_object (w);
  add_text (w, "id", request->id);
  bawn_json_writer_add_string (w, "operation", bawn_op_name (request->op));
  add_text (w, "mount_type", mount != NULL ? mount->type : NULL);
  add_hashed (w, style, "client_token", request->token);
  add_accessor (w, style, "client_token_accessor",
                request->caller != NULL ? request->caller->accessor : NULL);
  bawn_json_writer_name (w, "namespace");
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "id", "root");
  bawn_json_writer_end_object (w);
  add_text (w, "path", request->path);
  if (request->data != NULL)
    write_data (w, style, bawn_json_root (request->data),
                mount != NULL ? mount->audit_non_hmac_request_keys : NULL, FALSE);
  add_text (w, "remote_address", request->remote_address);
  add_seconds (w, "wrap_ttl", request->wrap_ttl_us);
  write_headers (w, style, facts);
  bawn_json_writer_end_object (w);
}

static void
write_wrap_info (BawnJsonWriter *w, const BawnAuditStyle *style, const BawnWrapInfo *wrap)
{
  bawn_json_writer_name (w, "wrap_info");
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_int (w, "ttl", wrap->ttl_us / G_USEC_PER_SEC);
  add_hashed (w, style, "token", wrap->token);
  add_accessor (w, style, "accessor", wrap->accessor);
  add_time (w, "creation_time", wrap->creation_us);
  add_text (w, "creation_path", wrap->creation_path);
  add_accessor (w, style, "wrapped_accessor", wrap->wrapped_accessor);
  bawn_json_writer_end_object (w);
}

/* A body that is not JSON: its text is one value. */
static void
write_raw_body (BawnJsonWriter *w, const BawnAuditStyle *style, const BawnResponse *response)
{
  gsize size = 0;
  const char *text = g_bytes_get_data (response->data, &size);
  g_autofree char *hash = style->key != NULL ? bawn_audit_hash (style->key, text, size) : NULL;

  bawn_json_writer_name (w, "data");
  bawn_json_writer_begin_object (w);
  add_text (w, "http_content_type", response->content_type);
  bawn_json_writer_name (w, "http_raw_body");
  if (hash != NULL)
    bawn_json_writer_string (w, hash);
  else
    bawn_json_writer_string_n (w, text, size);
  bawn_json_writer_end_object (w);
}

static void
write_response (BawnJsonWriter *w, const BawnAuditStyle *style, const BawnAuditFacts *facts)
{
  const BawnResponse *response = facts->response;
  const BawnMount *mount = facts->request->mount;

  bawn_json_writer_name (w, "response");
  bawn_json_writer_begin_object (w);
  add_text (w, "mount_type", mount != NULL ? mount->type : NULL);
  if (response == NULL)
    {
      bawn_json_writer_end_object (w);
      return;
    }

  if (response->auth != NULL)
    write_auth (w, style, response->auth->client_token, response->auth->token);
  if (response->lease_id != NULL && *response->lease_id != '\0')
    {
      bawn_json_writer_name (w, "secret");
      bawn_json_writer_begin_object (w);
      bawn_json_writer_add_string (w, "lease_id", response->lease_id);
      bawn_json_writer_end_object (w);
    }
  if (facts->response_data != NULL)
    write_data (w, style, bawn_json_root (facts->response_data),
                mount != NULL ? mount->audit_non_hmac_response_keys : NULL,
                style->elide && facts->request->op == BAWN_OP_LIST);
  else if (response->data != NULL)
    write_raw_body (w, style, response);
  if (response->wrap != NULL)
    write_wrap_info (w, style, response->wrap);
  if (response->warnings != NULL && response->warnings->len > 0)
    {
      bawn_json_writer_name (w, "warnings");
      bawn_json_writer_begin_array (w);
      for (guint i = 0; i < response->warnings->len; i++)
        bawn_json_writer_string (w, g_ptr_array_index (response->warnings, i));
      bawn_json_writer_end_array (w);
    }
  bawn_json_writer_end_object (w);
}

/**
 * bawn_audit_record_write:
 * @out: where to
 * @style: how the device wants it
 * @facts: what happened
 *
 * Appends one record, as the API's own devices write it: one line of JSON.
 */
void
bawn_audit_record_write (BawnBuffer *out, const BawnAuditStyle *style, const BawnAuditFacts *facts)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  add_time (&w, "time", facts->time_us);
  bawn_json_writer_add_string (&w, "type", facts->is_response ? "response" : "request");
  write_auth (&w, style, facts->request->token, facts->request->caller);
  write_request (&w, style, facts);
  if (facts->is_response)
    write_response (&w, style, facts);
  add_text (&w, "error", facts->error_message);
  bawn_json_writer_end_object (&w);

  bawn_buffer_append (out, w.buffer.data, w.buffer.size);
  bawn_buffer_append_byte (out, '\n');
}
