/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-response.h"

#include <string.h>

#include "logical/bawn-string-map.h"
#include "util/bawn-clock.h"

#define STATUS_OK 200
#define STATUS_ACCEPTED 202
#define STATUS_NO_CONTENT 204
#define STATUS_NOT_FOUND 404

/* What an envelope needs besides its data, in the common case. */
#define ENVELOPE_SIZE 256

/* How a list without names begins; handlers write "keys" first. */
#define NO_KEYS "{\"keys\":[]"

static const char *
token_type_name (BawnTokenType type)
{
  switch (type)
    {
    case BAWN_TOKEN_SERVICE:
      return "service";
    case BAWN_TOKEN_BATCH:
      return "batch";
    }

  g_return_val_if_reached ("service");
}

static void
add_seconds (BawnJsonWriter *w, const char *name, gint64 us)
{
  bawn_json_writer_add_int (w, name, us / G_USEC_PER_SEC);
}

static void
add_strings (BawnJsonWriter *w, const char *name, GStrv strings)
{
  static const char *const none[] = { NULL };

  bawn_json_writer_add_strv (w, name, strings != NULL ? (const char *const *) strings : none);
}

/**
 * bawn_auth_write:
 * @w: a writer that expects a value
 * @auth: what a login gave
 *
 * Writes the "auth" object with the members that the API has from 1.10 on.
 */
void
bawn_auth_write (BawnJsonWriter *w, const BawnAuth *auth)
{
  const BawnToken *token = auth->token;

  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "client_token",
                               auth->client_token != NULL ? auth->client_token : "");
  bawn_json_writer_add_string (w, "accessor", token->accessor != NULL ? token->accessor : "");
  add_strings (w, "policies", token->policies);
  add_strings (w, "token_policies", token->policies);
  bawn_json_writer_name (w, "metadata");
  bawn_string_map_write (w, token->meta);
  add_seconds (w, "lease_duration", token->ttl_us);
  bawn_json_writer_add_bool (w, "renewable", token->renewable);
  bawn_json_writer_add_string (w, "entity_id", token->entity_id != NULL ? token->entity_id : "");
  bawn_json_writer_add_string (w, "token_type", token_type_name (token->type));
  bawn_json_writer_add_bool (w, "orphan", token->parent == NULL);
  bawn_json_writer_add_null (w, "mfa_requirement");
  bawn_json_writer_add_int (w, "num_uses", token->num_uses);
  bawn_json_writer_end_object (w);
}

static void
write_wrap_info (BawnJsonWriter *w, const BawnWrapInfo *wrap)
{
  g_autofree char *created = bawn_time_format (wrap->creation_us);

  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "token", wrap->token);
  bawn_json_writer_add_string (w, "accessor", wrap->accessor != NULL ? wrap->accessor : "");
  add_seconds (w, "ttl", wrap->ttl_us);
  bawn_json_writer_add_string (w, "creation_time", created);
  bawn_json_writer_add_string (w, "creation_path",
                               wrap->creation_path != NULL ? wrap->creation_path : "");
  if (wrap->wrapped_accessor != NULL)
    bawn_json_writer_add_string (w, "wrapped_accessor", wrap->wrapped_accessor);
  bawn_json_writer_end_object (w);
}

static void
write_warnings (BawnJsonWriter *w, GPtrArray *warnings)
{
  if (warnings == NULL || warnings->len == 0)
    {
      bawn_json_writer_null (w);
      return;
    }

  bawn_json_writer_begin_array (w);
  for (guint i = 0; i < warnings->len; i++)
    bawn_json_writer_string (w, g_ptr_array_index (warnings, i));
  bawn_json_writer_end_array (w);
}

static void
write_data (BawnJsonWriter *w, const BawnResponse *response)
{
  bawn_json_writer_name (w, "data");
  if (response->data == NULL || response->wrap != NULL)
    {
      bawn_json_writer_null (w);
      return;
    }

  gsize size = 0;
  const char *text = g_bytes_get_data (response->data, &size);

  bawn_json_writer_raw (w, text, size);
}

/* Legacy endpoints repeat the members of data before the envelope's own. */
static void
write_injected (BawnJsonWriter *w, const BawnResponse *response)
{
  g_autoptr (BawnJson) json = bawn_json_parse (response->data, NULL, NULL);

  if (json == NULL)
    return;

  const BawnJsonNode *root = bawn_json_root (json);

  for (const BawnJsonNode *node = root->children; node != NULL; node = node->next)
    {
      bawn_json_writer_name (w, node->name);
      bawn_json_writer_node (w, node);
    }
}

static void
write_envelope (BawnJsonWriter *w, const BawnResponse *response, const char *request_id)
{
  gboolean wrapped = response->wrap != NULL;

  bawn_json_writer_begin_object (w);
  if (response->form == BAWN_RESPONSE_INJECTED && response->data != NULL && !wrapped)
    write_injected (w, response);
  bawn_json_writer_add_string (w, "request_id", wrapped || request_id == NULL ? "" : request_id);
  bawn_json_writer_add_string (w, "lease_id",
                               wrapped || response->lease_id == NULL ? "" : response->lease_id);
  bawn_json_writer_add_bool (w, "renewable", !wrapped && response->renewable);
  add_seconds (w, "lease_duration", wrapped ? 0 : response->lease_ttl_us);
  write_data (w, response);
  bawn_json_writer_name (w, "wrap_info");
  if (wrapped)
    write_wrap_info (w, response->wrap);
  else
    bawn_json_writer_null (w);
  bawn_json_writer_name (w, "warnings");
  write_warnings (w, wrapped ? NULL : response->warnings);
  bawn_json_writer_name (w, "auth");
  if (response->auth != NULL && !wrapped)
    bawn_auth_write (w, response->auth);
  else
    bawn_json_writer_null (w);
  bawn_json_writer_end_object (w);
}

static gboolean
has_warnings (const BawnResponse *response)
{
  return response->warnings != NULL && response->warnings->len > 0;
}

static gboolean
data_begins (const BawnResponse *response, const char *text)
{
  gsize size = 0;
  const char *data = g_bytes_get_data (response->data, &size);

  return size >= strlen (text) && memcmp (data, text, strlen (text)) == 0;
}

static gboolean
data_is (const BawnResponse *response, const char *text)
{
  return g_bytes_get_size (response->data) == strlen (text) && data_begins (response, text);
}

/* A list that found nothing: no names, and nothing else that the caller should see. */
static gboolean
is_empty_list (const BawnResponse *response)
{
  if (!response->is_list || response->wrap != NULL || response->status != 0)
    return FALSE;
  if (response->data == NULL || data_is (response, "{}") || data_is (response, NO_KEYS "}"))
    return !has_warnings (response);

  return data_begins (response, NO_KEYS);
}

static GBytes *
encode_envelope (const BawnResponse *response, const char *request_id, guint *out_status)
{
  gboolean has_body = response->data != NULL || response->auth != NULL || response->wrap != NULL
                      || has_warnings (response);

  if (is_empty_list (response))
    {
      *out_status = STATUS_NOT_FOUND;
      return bawn_errors_encode (NULL);
    }
  guint usual = has_body ? STATUS_OK : STATUS_NO_CONTENT;

  *out_status = response->status != 0 ? response->status : usual;
  if (*out_status == STATUS_NO_CONTENT)
    return NULL;

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  gsize data_size = response->data != NULL ? g_bytes_get_size (response->data) : 0;

  bawn_buffer_reserve (&w.buffer, data_size + ENVELOPE_SIZE);
  write_envelope (&w, response, request_id);
  /* As the API has it: answers with these two come without the newline. */
  if (*out_status != STATUS_NOT_FOUND && *out_status != STATUS_ACCEPTED)
    bawn_buffer_append_byte (&w.buffer, '\n');

  return bawn_json_writer_finish (&w);
}

static GBytes *
encode_bare (const BawnResponse *response, guint *out_status)
{
  if (response->data == NULL)
    {
      *out_status = response->status != 0 ? response->status : STATUS_NO_CONTENT;
      return NULL;
    }

  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (response->data, &size);

  *out_status = response->status != 0 ? response->status : STATUS_OK;
  bawn_buffer_reserve (&buffer, size + 1);
  bawn_buffer_append (&buffer, data, size);
  bawn_buffer_append_byte (&buffer, '\n');

  return bawn_buffer_steal (&buffer);
}

/**
 * bawn_response_encode:
 * @response: an answer
 * @request_id: (nullable): the request's id
 * @out_status: (out): the HTTP status
 *
 * Makes the body. Data is spliced in as it is, not parsed. A list without names becomes a 404.
 *
 * Returns: (transfer full) (nullable): the body in wiping memory; %NULL for none
 */
GBytes *
bawn_response_encode (const BawnResponse *response, const char *request_id, guint *out_status)
{
  g_return_val_if_fail (response != NULL, NULL);

  switch (response->form)
    {
    case BAWN_RESPONSE_ENVELOPE:
    case BAWN_RESPONSE_INJECTED:
      return encode_envelope (response, request_id, out_status);
    case BAWN_RESPONSE_BARE:
      return encode_bare (response, out_status);
    case BAWN_RESPONSE_RAW:
      break;
    }

  guint usual = response->data != NULL ? STATUS_OK : STATUS_NO_CONTENT;

  *out_status = response->status != 0 ? response->status : usual;

  return response->data != NULL ? g_bytes_ref (response->data) : NULL;
}

/**
 * bawn_errors_encode:
 * @message: (nullable): what went wrong; nothing is said if empty
 *
 * Returns: (transfer full): the body of a failed request
 */
GBytes *
bawn_errors_encode (const char *message)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "errors");
  bawn_json_writer_begin_array (&w);
  if (message != NULL && *message != '\0')
    bawn_json_writer_string (&w, message);
  bawn_json_writer_end_array (&w);
  bawn_json_writer_end_object (&w);
  bawn_buffer_append_byte (&w.buffer, '\n');

  return bawn_json_writer_finish (&w);
}
