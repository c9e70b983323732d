/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-response.h"

typedef struct
{
  GFunc func;
  gpointer data;
  GDestroyNotify destroy;
} AfterCommit;

static void
after_commit_free (gpointer data)
{
  AfterCommit *item = data;

  if (item->destroy != NULL)
    item->destroy (item->data);
  g_free (item);
}

static void
wrap_info_free (BawnWrapInfo *wrap)
{
  bawn_string_wipe_free (wrap->token);
  g_free (wrap->accessor);
  g_free (wrap->creation_path);
  g_free (wrap->wrapped_accessor);
  g_free (wrap);
}

/**
 * bawn_response_new_empty:
 *
 * Returns: (transfer full): an answer with nothing to say: 204, unless something is added
 */
BawnResponse *
bawn_response_new_empty (void)
{
  return g_new0 (BawnResponse, 1);
}

/**
 * bawn_response_new_data:
 * @data: (transfer full): JSON text of an object, without blanks around it
 *
 * Returns: (transfer full): an answer with data
 */
BawnResponse *
bawn_response_new_data (GBytes *data)
{
  BawnResponse *response = bawn_response_new_empty ();

  response->data = data;

  return response;
}

/**
 * bawn_response_new_writer:
 * @w: a writer that has written one object; it is empty afterwards
 *
 * Returns: (transfer full): an answer with that data
 */
BawnResponse *
bawn_response_new_writer (BawnJsonWriter *w)
{
  return bawn_response_new_data (bawn_json_writer_finish (w));
}

/**
 * bawn_response_new_keys:
 * @keys: names, in bytewise order
 *
 * Returns: (transfer full): the answer of a list; without names it becomes a 404
 */
BawnResponse *
bawn_response_new_keys (const char *const *keys)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_strv (&w, "keys", keys);
  bawn_json_writer_end_object (&w);

  BawnResponse *response = bawn_response_new_writer (&w);

  response->is_list = TRUE;

  return response;
}

/**
 * bawn_response_new_bare:
 * @status: an HTTP status; 0 for 200
 * @data: (transfer full) (nullable): the whole body, JSON
 *
 * Returns: (transfer full): an answer without the envelope
 */
BawnResponse *
bawn_response_new_bare (guint status, GBytes *data)
{
  BawnResponse *response = bawn_response_new_data (data);

  response->form = BAWN_RESPONSE_BARE;
  response->status = status;

  return response;
}

/**
 * bawn_response_new_auth:
 * @auth: (transfer full): a token, or the wish for one
 *
 * Returns: (transfer full): the answer of a login or of a token's creation or renewal
 */
BawnResponse *
bawn_response_new_auth (BawnAuth *auth)
{
  BawnResponse *response = bawn_response_new_empty ();

  response->auth = auth;

  return response;
}

/**
 * bawn_response_free:
 * @response: (transfer full): an answer
 */
void
bawn_response_free (BawnResponse *response)
{
  g_clear_pointer (&response->data, g_bytes_unref);
  g_free (response->content_type);
  g_clear_pointer (&response->warnings, g_ptr_array_unref);
  g_clear_pointer (&response->headers, g_ptr_array_unref);
  g_free (response->lease_id);
  g_clear_pointer (&response->secret_internal, g_bytes_unref);
  g_clear_pointer (&response->auth, bawn_auth_free);
  g_clear_pointer (&response->wrap, wrap_info_free);
  g_clear_pointer (&response->after_commit, g_ptr_array_unref);
  g_free (response);
}

/**
 * bawn_response_warn:
 * @response: an answer
 * @format: printf-style text for the caller
 *
 * Adds a warning.
 */
void
bawn_response_warn (BawnResponse *response, const char *format, ...)
{
  va_list args;

  if (response->warnings == NULL)
    response->warnings = g_ptr_array_new_with_free_func (g_free);
  va_start (args, format);
  g_ptr_array_add (response->warnings, g_strdup_vprintf (format, args));
  va_end (args);
}

/**
 * bawn_response_header:
 * @response: an answer
 * @name: an HTTP header
 * @value: its value
 *
 * Adds a header.
 */
void
bawn_response_header (BawnResponse *response, const char *name, const char *value)
{
  if (response->headers == NULL)
    response->headers = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (response->headers, g_strdup (name));
  g_ptr_array_add (response->headers, g_strdup (value));
}

/**
 * bawn_response_after_commit:
 * @response: an answer
 * @func: what to call; any thread, must not block
 * @data: for @func
 * @destroy: (nullable): frees @data, whether @func was called or not
 *
 * Asks for something to happen once the commit stands, and never if it does not.
 */
void
bawn_response_after_commit (BawnResponse *response,
                            GFunc func,
                            gpointer data,
                            GDestroyNotify destroy)
{
  AfterCommit *item = g_new0 (AfterCommit, 1);

  *item = (AfterCommit){ func, data, destroy };
  if (response->after_commit == NULL)
    response->after_commit = g_ptr_array_new_with_free_func (after_commit_free);
  g_ptr_array_add (response->after_commit, item);
}

/**
 * bawn_response_run_after_commit:
 * @response: an answer whose transaction has been committed
 *
 * Runs what was asked for, in order, once.
 */
void
bawn_response_run_after_commit (BawnResponse *response)
{
  g_autoptr (GPtrArray) items = g_steal_pointer (&response->after_commit);

  if (items == NULL)
    return;

  for (guint i = 0; i < items->len; i++)
    {
      AfterCommit *item = g_ptr_array_index (items, i);

      item->func (item->data, NULL);
    }
}
