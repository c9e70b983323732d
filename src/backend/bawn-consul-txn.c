/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-consul-txn.h"

#include "backend/bawn-rest-json.h"
#include "util/bawn-bytes.h"

#include <string.h>

#define HTTP_OK 200
#define HTTP_FORBIDDEN 403
#define HTTP_CONFLICT 409
#define HTTP_TOO_LARGE 413

/* The verbs of /v1/txn that are used. */
typedef enum
{
  VERB_SET,
  VERB_DELETE,
  VERB_CHECK_INDEX,
  VERB_CHECK_NOT_EXISTS,
} Verb;

static const char *const verbs[] = { "set", "delete", "check-index", "check-not-exists" };

/* One operation; the only place that names its fields. */
typedef struct
{
  Verb verb;
  const char *prefix;
  const char *key;
  GBytes *value; /* (nullable) */
  gint64 number; /* of a put: its flags; of a check: the index */
} Operation;

static void
append_operation (BawnJsonWriter *w, const Operation *operation)
{
  g_autofree char *key = bawn_consul_key_encode (operation->prefix, operation->key);

  bawn_json_writer_begin_object (w);
  bawn_rest_json_begin_object (w, BAWN_REST_CONSUL_KV);
  bawn_rest_json_string (w, BAWN_REST_CONSUL_VERB, verbs[operation->verb]);
  bawn_rest_json_string (w, BAWN_REST_CONSUL_KEY, key);
  if (operation->verb == VERB_SET)
    {
      gsize size = 0;
      gconstpointer data = g_bytes_get_data (operation->value, &size);

      bawn_rest_json_base64 (w, BAWN_REST_CONSUL_VALUE, data, size);
      bawn_rest_json_int (w, BAWN_REST_CONSUL_FLAGS, operation->number);
    }
  if (operation->verb == VERB_CHECK_INDEX)
    bawn_rest_json_int (w, BAWN_REST_CONSUL_INDEX, operation->number);
  bawn_json_writer_end_object (w);
  bawn_json_writer_end_object (w);
}

static void
append_condition (BawnJsonWriter *w, const char *prefix, const BawnCondition *condition)
{
  const Operation operation = {
    .verb = condition->version == 0 ? VERB_CHECK_NOT_EXISTS : VERB_CHECK_INDEX,
    .prefix = prefix,
    .key = condition->key,
    .number = (gint64) condition->version,
  };

  append_operation (w, &operation);
}

static gboolean
has_put (const BawnWrite *writes, guint n_writes)
{
  for (guint i = 0; i < n_writes; i++)
    if (writes[i].kind == BAWN_WRITE_PUT)
      return TRUE;

  return FALSE;
}

/* Names of our own are no keys, and so are not encoded. */
static void
append_own (BawnJsonWriter *w, Verb verb, const char *prefix, const char *name, gint64 number)
{
  g_autofree char *whole = g_strconcat (prefix, name, NULL);
  g_autoptr (GBytes) nothing = bawn_bytes_new_string ("");
  const Operation operation = {
    .verb = verb,
    .prefix = whole,
    .key = "",
    .value = nothing,
    .number = number,
  };

  append_operation (w, &operation);
}

guint
bawn_consul_txn_count (const BawnWrite *writes, guint n_writes, guint n_conditions)
{
  return n_conditions + n_writes + (has_put (writes, n_writes) ? 0 : 1);
}

/**
 * bawn_consul_txn_init:
 * @txn: (out): to be cleared
 * @prefix: of all keys
 * @writes: (array length=n_writes): what to put and delete
 * @n_writes: how many
 * @conditions: (array length=n_conditions): what must hold
 * @n_conditions: how many
 *
 * Writes a commit as the body of /v1/txn. All its puts get one mark as their flags: Consul leaves
 * an entry that would not change, and its index, as they are, and so a put of the same value would
 * get no new version.
 */
void
bawn_consul_txn_init (BawnConsulTxn *txn,
                      const char *prefix,
                      const BawnWrite *writes,
                      guint n_writes,
                      const BawnCondition *conditions,
                      guint n_conditions)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  gint64 mark = (gint64) (g_random_int () >> 1) << 32 | g_random_int ();
  guint n_puts = 0;

  bawn_json_writer_begin_array (&w);
  for (guint i = 0; i < n_conditions; i++)
    append_condition (&w, prefix, &conditions[i]);
  for (guint i = 0; i < n_writes; i++)
    {
      gboolean is_put = writes[i].kind == BAWN_WRITE_PUT;
      const Operation operation = {
        .verb = is_put ? VERB_SET : VERB_DELETE,
        .prefix = prefix,
        .key = writes[i].key,
        .value = writes[i].value,
        .number = mark,
      };

      append_operation (&w, &operation);
      n_puts += is_put ? 1 : 0;
    }
  if (n_puts == 0)
    {
      append_own (&w, VERB_SET, prefix, BAWN_CONSUL_CLOCK, mark);
      n_puts = 1;
    }
  bawn_json_writer_end_array (&w);

  *txn = (BawnConsulTxn){ bawn_json_writer_finish (&w), (guint64) mark, n_puts };
}

void
bawn_consul_txn_clear (BawnConsulTxn *txn)
{
  g_clear_pointer (&txn->body, g_bytes_unref);
}

void
bawn_consul_txn_init_probe (BawnConsulTxn *txn, const char *prefix)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_array (&w);
  append_own (&w, VERB_CHECK_NOT_EXISTS, prefix, BAWN_CONSUL_PROBE, 0);
  append_own (&w, VERB_CHECK_INDEX, prefix, BAWN_CONSUL_PROBE, 1);
  append_own (&w, VERB_SET, prefix, BAWN_CONSUL_PROBE, 0);
  bawn_json_writer_end_array (&w);

  *txn = (BawnConsulTxn){ bawn_json_writer_finish (&w), 0, 1 };
}

GBytes *
bawn_consul_txn_new_check (const char *folder)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_array (&w);
  append_own (&w, VERB_CHECK_NOT_EXISTS, folder, BAWN_CONSUL_PROBE, 0);
  bawn_json_writer_end_array (&w);
  return bawn_json_writer_finish (&w);
}

static gboolean
is_denial (const char *what)
{
  return strstr (what, "Permission denied") != NULL || strstr (what, "ACL not found") != NULL;
}

/* What is wrong with a transaction, as the server says it; @is_match picks. NULL: nothing like
 * that. */
static char *
find_error (const BawnRestReply *reply, gboolean (*is_match) (const char *what))
{
  g_autoptr (BawnJson) json =
      reply->body != NULL ? bawn_json_parse (reply->body, NULL, NULL) : NULL;
  const BawnJsonNode *errors =
      json != NULL ? bawn_rest_json_get (bawn_json_root (json), BAWN_REST_CONSUL_ERRORS) : NULL;

  if (!bawn_json_is (errors, BAWN_JSON_ARRAY))
    return NULL;

  for (const BawnJsonNode *node = errors->children; node != NULL; node = node->next)
    {
      const char *what = bawn_rest_json_get_string (node, BAWN_REST_CONSUL_WHAT, "");

      if (is_match (what))
        return g_strdup (what);
    }
  return NULL;
}

gboolean
bawn_consul_txn_is_denied (const BawnRestReply *reply, char **out_complaint)
{
  g_autofree char *complaint = NULL;

  if (reply->status == HTTP_FORBIDDEN)
    complaint = bawn_consul_dup_complaint (reply);
  else if (reply->status == HTTP_CONFLICT)
    complaint = find_error (reply, is_denial);
  if (complaint == NULL)
    return FALSE;

  *out_complaint = g_steal_pointer (&complaint);
  return TRUE;
}

/* The two kinds of condition that are used, in the words of a server that finds them broken:
 * "failed index check for key …, current modify index …", "failed to check index, key … doesn't
 * exist", "key … exists". */
static gboolean
is_broken_condition (const char *what)
{
  return strstr (what, "index") != NULL || strstr (what, "exist") != NULL;
}

static gboolean
fail_conflict (const BawnRestReply *reply, GError **error)
{
  g_autofree char *complaint = NULL;

  if (bawn_consul_txn_is_denied (reply, &complaint))
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "Consul at %s does not let this token write: %s",
                      reply->address, complaint);

  complaint = find_error (reply, is_broken_condition);
  if (complaint != NULL)
    return bawn_fail (error, BAWN_ERROR_CONFLICT, "%s", complaint);

  return bawn_consul_fail_reply (reply, error);
}

/* Of the results, those with our mark are of our puts; a condition has one too, with the entry as
 * it was. */
static gboolean
read_version (const BawnConsulTxn *txn, const BawnRestReply *reply, guint64 *out_version)
{
  g_autoptr (BawnJson) json =
      reply->body != NULL ? bawn_json_parse (reply->body, NULL, NULL) : NULL;
  const BawnJsonNode *results =
      json != NULL ? bawn_rest_json_get (bawn_json_root (json), BAWN_REST_CONSUL_RESULTS) : NULL;
  guint64 version = 0;
  guint n_found = 0;

  if (!bawn_json_is (results, BAWN_JSON_ARRAY))
    return FALSE;

  for (const BawnJsonNode *node = results->children; node != NULL; node = node->next)
    {
      const BawnJsonNode *entry = bawn_rest_json_get (node, BAWN_REST_CONSUL_KV);
      guint64 mark = 0;
      guint64 index = 0;

      if (!bawn_rest_json_get_uint64 (entry, BAWN_REST_CONSUL_FLAGS, &mark)
          || !bawn_rest_json_get_uint64 (entry, BAWN_REST_CONSUL_MODIFY_INDEX, &index))
        return FALSE;
      if (mark != txn->mark)
        continue;
      if (index == 0 || (n_found > 0 && index != version))
        return FALSE;
      version = index;
      n_found++;
    }
  if (n_found != txn->n_puts)
    return FALSE;

  *out_version = version;
  return TRUE;
}

/**
 * bawn_consul_txn_finish:
 * @txn: a commit
 * @reply: the answer to it
 * @out_version: (out): the version that it got
 * @error: (out) (optional): see bawn_backend_commit()
 *
 * Consul says 409 for a condition that does not hold, for what the token may not do and for what it
 * does not understand, and 500 for everything between "there is no leader" and "the leader has gone
 * while it was at it".
 *
 * Returns: %TRUE if it is in
 */
gboolean
bawn_consul_txn_finish (const BawnConsulTxn *txn,
                        const BawnRestReply *reply,
                        guint64 *out_version,
                        GError **error)
{
  g_autofree char *complaint = NULL;

  if (reply->status == HTTP_OK)
    return read_version (txn, reply, out_version)
           || bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME,
                         "Consul at %s answered a commit with what is no result of it",
                         reply->address);
  if (reply->status == HTTP_CONFLICT)
    return fail_conflict (reply, error);

  complaint = bawn_consul_dup_complaint (reply);
  if (reply->status == HTTP_TOO_LARGE)
    return bawn_fail (
        error, BAWN_ERROR_TOO_LARGE,
        "Consul at %s takes less than max-txn-ops, max-txn-size and max-value-size say: %s",
        reply->address, complaint);
  if (bawn_consul_did_nothing (reply))
    return bawn_consul_fail_reply (reply, error);

  return bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME, "Consul at %s answered a commit with %u: %s",
                    reply->address, reply->status, complaint);
}
