/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-auth-token-private.h"

#include "auth/bawn-token-store-private.h"
#include "logical/bawn-string-map.h"
#include "util/bawn-clock.h"

#define STATUS_FORBIDDEN 403

static void
add_seconds (BawnJsonWriter *w, const char *name, gint64 us)
{
  bawn_json_writer_add_int (w, name, us / G_USEC_PER_SEC);
}

static void
add_time (BawnJsonWriter *w, const char *name, gint64 us)
{
  g_autofree char *text = us != 0 ? bawn_time_format (us) : NULL;

  if (text != NULL)
    bawn_json_writer_add_string (w, name, text);
  else
    bawn_json_writer_add_null (w, name);
}

static void
add_string (BawnJsonWriter *w, const char *name, const char *text)
{
  bawn_json_writer_add_string (w, name, text != NULL ? text : "");
}

static void
write_strv (BawnJsonWriter *w, const char *name, GStrv strings)
{
  static const char *const none[] = { NULL };

  bawn_json_writer_add_strv (w, name, strings != NULL ? (const char *const *) strings : none);
}

/* The parent is nobody's business: who knew it could make more of its rights than his own. */
static BawnResponse *
describe (BawnEngine *engine, const BawnToken *token, const char *id)
{
  gint64 now_us = bawn_clock_real_us (bawn_auth_token_get_services (engine)->clock);
  gint64 left_us = token->expire_us != 0 ? MAX (token->expire_us - now_us, 0) : 0;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  add_string (&w, "accessor", token->accessor);
  if (token->bound_cidrs != NULL)
    write_strv (&w, "bound_cidrs", token->bound_cidrs);
  add_seconds (&w, "creation_time", token->creation_us);
  add_seconds (&w, "creation_ttl", token->creation_ttl_us);
  add_string (&w, "display_name", token->display_name);
  add_string (&w, "entity_id", token->entity_id);
  add_time (&w, "expire_time", token->expire_us);
  add_seconds (&w, "explicit_max_ttl", token->explicit_max_ttl_us);
  add_string (&w, "id", id);
  if (token->expire_us != 0)
    add_time (&w, "issue_time", token->creation_us);
  if (token->last_renewal_us != 0)
    {
      add_time (&w, "last_renewal", token->last_renewal_us);
      add_seconds (&w, "last_renewal_time", token->last_renewal_us);
    }
  bawn_json_writer_name (&w, "meta");
  bawn_string_map_write (&w, token->meta);
  bawn_json_writer_add_int (&w, "num_uses", token->num_uses);
  bawn_json_writer_add_bool (&w, "orphan", token->parent == NULL);
  add_string (&w, "path", token->path);
  if (token->period_us != 0)
    add_seconds (&w, "period", token->period_us);
  write_strv (&w, "policies", token->policies);
  if (token->expire_us != 0)
    bawn_json_writer_add_bool (&w, "renewable", token->renewable);
  if (token->role != NULL && *token->role != '\0')
    add_string (&w, "role", token->role);
  /* Rounded up, so that a token just made shows its whole life. */
  add_seconds (&w, "ttl", left_us + G_USEC_PER_SEC - 1);
  add_string (&w, "type", token->type == BAWN_TOKEN_BATCH ? "batch" : "service");
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

/* The words are the API's; an answer rather than an error, because refusals have one fixed text. */
static BawnResponse *
refuse (void)
{
  return bawn_response_new_bare (STATUS_FORBIDDEN, bawn_errors_encode ("bad token"));
}

/* As stored by now: its uses are already counted, and after the last one it is not found. */
static BawnResponse *
describe_caller (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  BawnToken *caller = request->caller;
  g_autoptr (BawnTokenStore) store = bawn_auth_token_ref_store (engine, error);
  g_autoptr (BawnToken) token = NULL;

  if (store == NULL)
    return NULL;
  if (caller->type == BAWN_TOKEN_SERVICE
      && !bawn_token_store_lookup_hash (store, txn, caller->hash, &token, error))
    return NULL;

  if (token == NULL && caller->num_uses > 0)
    {
      token = bawn_token_copy (caller);
      token->num_uses = BAWN_TOKEN_SPENT;
    }

  return describe (engine, token != NULL ? token : caller, request->token);
}

BawnResponse *
bawn_auth_token_lookup_self (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return describe_caller (engine, request, txn, error);
}

BawnResponse *
bawn_auth_token_lookup (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnWipedString) id = g_strdup ("");
  g_autoptr (BawnToken) token = NULL;

  if (!bawn_field_string (request, "token", &id, error))
    return NULL;
  if (*id == '\0')
    return describe_caller (engine, request, txn, error);
  if (!bawn_auth_token_find (engine, request, txn, id, &token, error))
    return NULL;
  if (token == NULL)
    return refuse ();

  return describe (engine, token, id);
}

BawnResponse *
bawn_auth_token_lookup_accessor (BawnEngine *engine,
                                 BawnRequest *request,
                                 BawnTxn *txn,
                                 GError **error)
{
  g_autoptr (BawnToken) token = NULL;

  if (!bawn_auth_token_find_accessor (engine, request, txn, &token, error))
    return NULL;

  return describe (engine, token, "");
}

BawnResponse *
bawn_auth_token_list_accessors (BawnEngine *engine,
                                BawnRequest *request,
                                BawnTxn *txn,
                                GError **error)
{
  g_autoptr (BawnTokenStore) store = bawn_auth_token_ref_store (engine, error);
  g_auto (GStrv) accessors = NULL;

  if (store == NULL || !bawn_token_store_list_accessors (store, txn, &accessors, error))
    return NULL;

  return bawn_response_new_keys ((const char *const *) accessors);
}
