/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-dev.h"

#include "crypto/bawn-crypto.h"

/* A request that is waited for. */
typedef struct
{
  GMutex lock;
  GCond done_cond;
  gboolean done;
  GError *error;
} BawnDevCall;

static void
on_reply (BawnRequest *request, BawnResponse *response, GError *error, gpointer user_data)
{
  BawnDevCall *call = user_data;

  g_clear_pointer (&response, bawn_response_free);
  g_mutex_lock (&call->lock);
  call->error = error;
  call->done = TRUE;
  g_cond_signal (&call->done_cond);
  g_mutex_unlock (&call->lock);
}

static gboolean
is_done (BawnDevCall *call)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&call->lock);

  return call->done;
}

static gboolean
post (BawnCore *core, const char *token, const char *path, const char *body, GError **error)
{
  g_autoptr(BawnRequest) request = bawn_request_new (BAWN_OP_UPDATE, path);
  BawnDevCall call = { .done = FALSE };

  request->data = bawn_json_parse_string (body, error);
  if (request->data == NULL)
    return FALSE;

  request->token = g_strdup (token);
  request->started_us = g_get_real_time ();
  g_mutex_init (&call.lock);
  g_cond_init (&call.done_cond);
  bawn_core_dispatch (core, request, on_reply, &call);

  /* A commit that was begun on this thread completes on its main context, others wake the condition. */
  while (!is_done (&call))
    {
      g_main_context_iteration (NULL, FALSE);
      g_mutex_lock (&call.lock);
      if (!call.done)
        g_cond_wait_until (&call.done_cond, &call.lock, g_get_monotonic_time () + G_USEC_PER_SEC / 1000);
      g_mutex_unlock (&call.lock);
    }
  g_mutex_clear (&call.lock);
  g_cond_clear (&call.done_cond);
  if (call.error == NULL)
    return TRUE;

  g_propagate_error (error, call.error);
  return FALSE;
}

static gboolean
choose_token (BawnCore *core, BawnDev *dev, const char *wish, GError **error)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "id", wish);
  bawn_json_writer_name (&w, "policies");
  bawn_json_writer_begin_array (&w);
  bawn_json_writer_string (&w, "root");
  bawn_json_writer_end_array (&w);
  bawn_json_writer_add_bool (&w, "no_parent", TRUE);
  bawn_json_writer_add_string (&w, "display_name", "token");
  bawn_json_writer_end_object (&w);
  g_autoptr(GBytes) bytes = bawn_json_writer_finish (&w);
  g_autoptr(BawnWipedString) body = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  if (!post (core, dev->root_token, "auth/token/create", body, error))
    return FALSE;
  if (!post (core, dev->root_token, "auth/token/revoke-self", "{}", error))
    return FALSE;

  bawn_string_wipe_free (dev->root_token);
  dev->root_token = g_strdup (wish);
  return TRUE;
}

/**
 * bawn_dev_start:
 * @core: a core on memory that is not initialised
 * @root_token: (nullable): the root token's id; %NULL: whatever comes
 * @error: return location
 *
 * Returns: (transfer full) (nullable): what to show
 */
BawnDev *
bawn_dev_start (BawnCore *core, const char *root_token, GError **error)
{
  g_autoptr(BawnDev) dev = g_new0 (BawnDev, 1);
  g_autoptr(GPtrArray) shares = NULL;

  if (!bawn_core_initialize (core, 1, 1, &shares, &dev->root_token, error))
    return NULL;

  BawnSecret *share = g_ptr_array_index (shares, 0);
  dev->unseal_key = bawn_base64_encode (bawn_secret_data (share), bawn_secret_size (share), FALSE, TRUE);
  if (!bawn_core_unseal_share (core, share, error))
    return NULL;
  if (root_token != NULL && !choose_token (core, dev, root_token, error))
    return NULL;
  if (!post (core, dev->root_token, "sys/mounts/secret",
             "{\"type\":\"kv\",\"description\":\"key/value secret storage\",\"options\":{\"version\":\"2\"}}", error))
    return NULL;

  return g_steal_pointer (&dev);
}

void
bawn_dev_free (BawnDev *dev)
{
  bawn_string_wipe_free (dev->root_token);
  bawn_string_wipe_free (dev->unseal_key);
  g_free (dev);
}
