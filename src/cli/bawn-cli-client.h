/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/bawn-cli-settings.h"
#include "util/bawn-json.h"

G_BEGIN_DECLS

/**
 * BawnCliCall:
 * @method: GET, PUT, PATCH or DELETE
 * @path: below /v1/, as a person writes it
 * @query: (nullable): escaped already
 * @body: (nullable): JSON text
 * @token: (nullable): sent unless %NULL
 * @wrap_ttl: (nullable): how long the answer may wait to be unwrapped
 *
 * One request of the API.
 */
typedef struct
{
  const char *method;
  const char *path;
  const char *query;
  GBytes *body;
  const char *token;
  const char *wrap_ttl;
} BawnCliCall;

/**
 * BawnCliReply:
 * @status: the HTTP status
 * @url: where the answer came from, for people
 * @method: how it was asked for; static
 * @body: as it came
 * @json: (nullable): @body, if that is what it is
 *
 * What a server answered. One owner; its memory is wiped.
 */
typedef struct
{
  guint status;
  const char *method;
  char *url;
  GBytes *body;
  BawnJson *json;
} BawnCliReply;

/* A connection to one server. Not thread-safe; blocks. */
typedef struct _BawnCliClient BawnCliClient;

BawnCliClient *bawn_cli_client_open (const BawnCliSettings *settings, GError **error);
void bawn_cli_client_free (BawnCliClient *client);
/* FALSE only if there was no answer; what the answer says is the caller's business. */
gboolean bawn_cli_client_send (BawnCliClient *client, const BawnCliCall *call,
                               BawnCliReply **out_reply, GError **error);
/* The same request as a command of curl's. */
char *bawn_cli_client_to_curl (BawnCliClient *client, const BawnCliCall *call);

void bawn_cli_reply_free (BawnCliReply *reply);
/* The document and its "data", both nullable. */
const BawnJsonNode *bawn_cli_reply_root (const BawnCliReply *reply);
const BawnJsonNode *bawn_cli_reply_data (const BawnCliReply *reply);
/* FALSE with the error's text, if the server refused. */
gboolean bawn_cli_reply_check (const BawnCliReply *reply, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnCliClient, bawn_cli_client_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnCliReply, bawn_cli_reply_free)

G_END_DECLS
