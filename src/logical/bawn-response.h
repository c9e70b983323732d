/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-token.h"
#include "util/bawn-json.h"

G_BEGIN_DECLS

typedef enum
{
  /* data, lease, auth, warnings in the API's envelope */
  BAWN_RESPONSE_ENVELOPE,
  /* the envelope, and each member of data once more at the top (legacy endpoints) */
  BAWN_RESPONSE_INJECTED,
  /* @data is the whole body */
  BAWN_RESPONSE_BARE,
  /* @data is the body, of @content_type */
  BAWN_RESPONSE_RAW,
} BawnResponseForm;

/**
 * BawnWrapInfo:
 * The "wrap_info" part of an answer: where the real answer waits.
 */
typedef struct
{
  char *token;
  char *accessor;
  char *creation_path;
  char *wrapped_accessor; /* nullable */
  gint64 ttl_us;
  gint64 creation_us;
} BawnWrapInfo;

/**
 * BawnResponse:
 * @status: 0: 200 with a body and 204 without; else as given (a 404 may have data)
 * @data: (nullable): JSON text of an object, in wiping memory
 * @lease_id: (nullable): given by the pipeline
 * @lease_ttl_us: 0: none
 * @auth: (nullable): a login's or token's part
 * @secret_ttl_us: above 0 asks the pipeline for a lease on what the answer holds
 *
 * What a handler answers. One owner.
 */
typedef struct
{
  BawnResponseForm form;
  guint status;
  GBytes *data;
  char *content_type;
  GPtrArray *warnings;       /* nullable, of char* */
  GPtrArray *headers;        /* nullable, of char*: name, value, name, value … */
  char *lease_id;
  gint64 lease_ttl_us;
  gboolean renewable;
  gint64 secret_ttl_us;
  gint64 secret_max_ttl_us;
  GBytes *secret_internal;   /* nullable: JSON the engine gets back at renewal and revocation */
  BawnAuth *auth;
  BawnWrapInfo *wrap;
  gboolean is_list;          /* an empty "keys" makes it a 404 */

  GPtrArray *after_commit;   /* by bawn_response_after_commit() */
} BawnResponse;

BawnResponse *bawn_response_new_empty (void);
BawnResponse *bawn_response_new_data (GBytes *data);                /* takes @data */
BawnResponse *bawn_response_new_writer (BawnJsonWriter *w);         /* finishes @w */
BawnResponse *bawn_response_new_keys (const char *const *keys);     /* a list */
BawnResponse *bawn_response_new_bare (guint status, GBytes *data);  /* takes @data */
BawnResponse *bawn_response_new_auth (BawnAuth *auth);              /* takes @auth */
void bawn_response_free (BawnResponse *response);
void bawn_response_warn (BawnResponse *response, const char *format, ...) G_GNUC_PRINTF (2, 3);
void bawn_response_header (BawnResponse *response, const char *name, const char *value);
/* What is to happen once the commit stands, and never if it does not. Runs on any thread; must not block. */
void bawn_response_after_commit (BawnResponse *response, GFunc func, gpointer data, GDestroyNotify destroy);
/* Runs them: by the pipeline. func(data, NULL). */
void bawn_response_run_after_commit (BawnResponse *response);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnResponse, bawn_response_free)

/* The body as it goes out; %NULL for none. @out_status: what @response->status resolves to. */
GBytes *bawn_response_encode (const BawnResponse *response, const char *request_id, guint *out_status);
/* {"errors":["…"]}\n, or {"errors":[]} for a NULL or empty message. */
GBytes *bawn_errors_encode (const char *message);
/* The "auth" object, as envelope and audit show it. */
void bawn_auth_write (BawnJsonWriter *w, const BawnAuth *auth);

G_END_DECLS
