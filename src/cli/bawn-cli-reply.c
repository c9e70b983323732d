/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-client.h"

#include "cli/bawn-cli-error.h"

#include <glib/gi18n.h>

/* Of a body that is not JSON: enough to see which proxy it came from. */
#define MAX_RAW_MESSAGE 2000

/**
 * bawn_cli_reply_free:
 * @reply: (nullable) (transfer full): an answer
 */
void
bawn_cli_reply_free (BawnCliReply *reply)
{
  if (reply == NULL)
    return;

  g_free (reply->url);
  g_clear_pointer (&reply->json, bawn_json_unref);
  g_clear_pointer (&reply->body, g_bytes_unref);
  g_free (reply);
}

/**
 * bawn_cli_reply_root:
 * @reply: (nullable): an answer
 *
 * Returns: (nullable): its document; lives as long as @reply
 */
const BawnJsonNode *
bawn_cli_reply_root (const BawnCliReply *reply)
{
  return reply != NULL && reply->json != NULL ? bawn_json_root (reply->json) : NULL;
}

/**
 * bawn_cli_reply_data:
 * @reply: (nullable): an answer
 *
 * Returns: (nullable): its "data", if that is an object; lives as long as @reply
 */
const BawnJsonNode *
bawn_cli_reply_data (const BawnCliReply *reply)
{
  const BawnJsonNode *root = bawn_cli_reply_root (reply);
  const BawnJsonNode *data =
      bawn_json_is (root, BAWN_JSON_OBJECT) ? bawn_json_get (root, "data") : NULL;

  return bawn_json_is (data, BAWN_JSON_OBJECT) ? data : NULL;
}

static void
append_raw_message (GString *text, const BawnCliReply *reply)
{
  gsize size = 0;
  const char *raw = g_bytes_get_data (reply->body, &size);
  g_autofree char *valid =
      g_utf8_make_valid (size > 0 ? raw : "", (gssize) MIN (size, MAX_RAW_MESSAGE));

  g_string_append (text, _ ("Raw Message:"));
  g_string_append_printf (text, "\n\n%s", g_strchomp (valid));
}

/**
 * bawn_cli_reply_check:
 * @reply: an answer
 * @error: (out) (optional): %BAWN_CLI_ERROR_REMOTE with all that the server said
 *
 * Returns: %TRUE if the server did what it was asked
 */
gboolean
bawn_cli_reply_check (const BawnCliReply *reply, GError **error)
{
  if (reply->status >= 200 && reply->status < 400)
    return TRUE;

  const BawnJsonNode *root = bawn_cli_reply_root (reply);
  const BawnJsonNode *errors =
      bawn_json_is (root, BAWN_JSON_OBJECT) ? bawn_json_get (root, "errors") : NULL;
  g_autoptr (GString) text = g_string_new (_ ("Error making API request."));

  g_string_append_printf (text, "\n\nURL: %s %s\nCode: %u. ", reply->method, reply->url,
                          reply->status);
  if (bawn_json_is (errors, BAWN_JSON_ARRAY))
    {
      g_string_append (text, _ ("Errors:"));
      g_string_append (text, "\n");
      for (const BawnJsonNode *node = errors->children; node != NULL; node = node->next)
        if (node->kind == BAWN_JSON_STRING)
          g_string_append_printf (text, "\n* %s", node->string);
    }
  else
    append_raw_message (text, reply);

  return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, "%s", text->str);
}
