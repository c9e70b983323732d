/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* sys/leases and its older spellings.
 *
 * Ending all leases below a prefix may be any amount of work, but a request is one commit, and a
 * commit is bounded. So revoke-prefix does not write in its own transaction at all: it goes through
 * the leases in steps, each a commit of its own of at most STEP_LEASES leases, on a worker, and
 * answers when none is left. Each step is right by itself, so a crash or a failover between two
 * leaves fewer leases and nothing half-done, and sending the request again goes on. Leases that are
 * made meanwhile below the prefix are ended too; after MAX_ROUNDS the caller is told that it grows
 * faster than it shrinks. */

/* Each lease is up to six writes: it, its due time and its token's index, and the same of a token's
 * own records. Consul takes 128 operations at a time, one of which is the fence. */
#define STEP_LEASES 16
/* Listing a folder costs its whole length, so many are noted at a time. */
#define COLLECT_LEASES 4096
/* 4 million leases. */
#define MAX_ROUNDS 1000

/* The id is in the path or in a field. */
static char *
lease_id (BawnRequest *request, GError **error)
{
  g_autofree char *id = g_strdup (bawn_request_param (request, "id"));

  if (*id == '\0' && !bawn_field_string (request, "lease_id", &id, error))
    return NULL;
  if (*id == '\0' && bawn_field_present (request, "url_lease_id")
      && !bawn_field_string (request, "url_lease_id", &id, error))
    return NULL;
  if (*id == '\0')
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "lease_id must be specified");

  return g_steal_pointer (&id);
}

static void
add_time (BawnJsonWriter *w, const char *name, gint64 time_us)
{
  if (time_us == 0)
    {
      bawn_json_writer_add_null (w, name);
      return;
    }

  g_autofree char *text = bawn_time_format (time_us);
  bawn_json_writer_add_string (w, name, text);
}

static BawnResponse *
lease_lookup (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  BawnClock *clock = bawn_core_get_clock (bawn_engine_system_get_core (engine));
  g_autofree char *id = lease_id (request, error);
  g_autoptr (BawnLease) lease = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (id == NULL || !bawn_lease_get (txn, id, &lease, error))
    return NULL;
  if (lease == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "invalid lease");

  gint64 left = lease->expire_us != 0 ? MAX (0, lease->expire_us - bawn_clock_real_us (clock)) : 0;
  bawn_json_writer_begin_object (&w);
  add_time (&w, "expire_time", lease->expire_us);
  bawn_json_writer_add_string (&w, "id", lease->id);
  add_time (&w, "issue_time", lease->issue_us);
  add_time (&w, "last_renewal", lease->last_renewal_us);
  bawn_json_writer_add_bool (&w, "renewable", lease->renewable);
  bawn_json_writer_add_int (&w, "ttl", left / G_USEC_PER_SEC);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

/* "a", "a/" and "/a" mean what is below "a/". */
static char *
prefix_of (const char *given)
{
  return bawn_sys_mount_path (given, FALSE);
}

static BawnResponse *
lease_list (BawnEngine *engine G_GNUC_UNUSED, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *prefix = prefix_of (bawn_request_param (request, "prefix"));
  g_auto (GStrv) names = NULL;

  if (!bawn_lease_list (txn, prefix, &names, error))
    return NULL;

  return bawn_response_new_keys ((const char *const *) names);
}

static BawnResponse *
lease_renew (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnActive) active = bawn_engine_system_ref_active (engine, error);
  g_autofree char *id = NULL;
  gint64 increment = 0;

  if (active == NULL || (id = lease_id (request, error)) == NULL
      || !bawn_field_duration (request, "increment", &increment, error))
    return NULL;

  return bawn_expiry_renew (active, request, txn, id, increment, error);
}

static void
kick_expiry (gpointer core, gpointer unused G_GNUC_UNUSED)
{
  bawn_core_kick_expiry (BAWN_CORE (core));
}

/* @sync FALSE asks for the answer that the work has been taken on. It has even been done. */
static BawnResponse *
revoked (BawnEngine *engine, gboolean sync)
{
  BawnResponse *response = bawn_response_new_empty ();

  response->status = sync ? 204 : 202;
  bawn_response_after_commit (response, kick_expiry,
                              g_object_ref (bawn_engine_system_get_core (engine)), g_object_unref);
  return response;
}

static BawnResponse *
lease_revoke (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnActive) active = bawn_engine_system_ref_active (engine, error);
  g_autofree char *id = NULL;
  gboolean sync = TRUE;

  if (active == NULL || (id = lease_id (request, error)) == NULL
      || !bawn_field_bool (request, "sync", &sync, error)
      || !bawn_expiry_revoke (active, txn, id, FALSE, error))
    return NULL;

  return revoked (engine, sync);
}

typedef struct
{
  BawnActive *active;
  const char *prefix;
  gboolean force;
  GPtrArray *ids; /* collected */
  guint from;     /* the next one to end */
} Revocation;

static gboolean
collect_below (BawnTxn *txn, const char *prefix, GPtrArray *ids, GError **error)
{
  g_auto (GStrv) names = NULL;

  if (!bawn_lease_list (txn, prefix, &names, error))
    return FALSE;

  for (guint i = 0; names[i] != NULL && ids->len < COLLECT_LEASES; i++)
    {
      g_autofree char *id = g_strconcat (prefix, names[i], NULL);

      if (!g_str_has_suffix (id, "/"))
        g_ptr_array_add (ids, g_steal_pointer (&id));
      else if (!collect_below (txn, id, ids, error))
        return FALSE;
    }

  return TRUE;
}

static gboolean
collect (BawnCore *core G_GNUC_UNUSED, BawnTxn *txn, gpointer user_data, GError **error)
{
  Revocation *work = user_data;

  g_ptr_array_set_size (work->ids, 0);
  return collect_below (txn, work->prefix, work->ids, error);
}

static gboolean
end_some (BawnCore *core G_GNUC_UNUSED, BawnTxn *txn, gpointer user_data, GError **error)
{
  Revocation *work = user_data;

  for (guint i = work->from; i < MIN (work->ids->len, work->from + STEP_LEASES); i++)
    if (!bawn_expiry_revoke (work->active, txn, g_ptr_array_index (work->ids, i), work->force,
                             error))
      return FALSE;

  return TRUE;
}

gboolean
bawn_sys_revoke_prefix (
    BawnEngine *engine, BawnTxn *txn, const char *prefix, gboolean force, GError **error)
{
  BawnCore *core = bawn_engine_system_get_core (engine);
  g_autoptr (BawnActive) active = bawn_engine_system_ref_active (engine, error);
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  Revocation work = { .active = active, .prefix = prefix, .force = force, .ids = ids };

  if (active == NULL)
    return FALSE;
  if (!bawn_txn_may_block (txn))
    return bawn_fail (error, BAWN_ERROR_WOULD_BLOCK, "leases are ended in steps");

  for (guint i = 0; i < MAX_ROUNDS; i++)
    {
      if (!bawn_core_transact (core, collect, &work, error))
        return FALSE;
      if (ids->len == 0)
        return TRUE;
      for (work.from = 0; work.from < ids->len; work.from += STEP_LEASES)
        if (!bawn_core_transact (core, end_some, &work, error))
          return FALSE;
    }

  return bawn_fail (error, BAWN_ERROR_BUSY,
                    "leases are made below \"%s\" faster than they are revoked", prefix);
}

static BawnResponse *
revoke_prefix (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *given = bawn_sys_need_rest (request, "prefix", error);
  g_autofree char *prefix = given != NULL ? prefix_of (given) : NULL;
  gboolean force = g_str_has_prefix (request->rest, "leases/revoke-force/")
                   || g_str_has_prefix (request->rest, "revoke-force/");
  gboolean sync = TRUE;

  if (prefix == NULL || !bawn_field_bool (request, "sync", &sync, error)
      || !bawn_sys_revoke_prefix (engine, txn, prefix, force, error))
    return NULL;

  return revoked (engine, sync || force);
}

/* Nothing dangles here that would have to be tidied: a lease and its indexes are written together.
 * What is left to do is ending what is due, so the worker is woken. */
static BawnResponse *
lease_tidy (BawnEngine *engine,
            BawnRequest *request G_GNUC_UNUSED,
            BawnTxn *txn G_GNUC_UNUSED,
            GError **error G_GNUC_UNUSED)
{
  BawnResponse *response = revoked (engine, FALSE);

  bawn_response_warn (
      response,
      "Tidy operation successfully started. Any information from the operation will be printed to "
      "Vault's server logs.");
  return response;
}

#define HELP_RENEW "Renew a lease on a secret."
#define HELP_REVOKE "Revoke a leased secret immediately."
#define HELP_PREFIX "Revoke all secrets generated in a given prefix."
#define HELP_FORCE "Revoke all secrets generated in a given prefix, ignoring errors."
#define HELP_LOOKUP "View or list lease metadata."

const BawnRoute bawn_sys_lease_routes[] = {
  { "leases/lookup", BAWN_OP_WRITE, lease_lookup, BAWN_ROUTE_NONE, HELP_LOOKUP },
  { "leases/lookup", BAWN_OP_LIST, lease_list, BAWN_ROUTE_SUDO, HELP_LOOKUP },
  { "leases/lookup/{prefix...}", BAWN_OP_LIST, lease_list, BAWN_ROUTE_SUDO, HELP_LOOKUP },
  { "leases/renew", BAWN_OP_WRITE, lease_renew, BAWN_ROUTE_NONE, HELP_RENEW },
  { "leases/renew/{id...}", BAWN_OP_WRITE, lease_renew, BAWN_ROUTE_NONE, HELP_RENEW },
  { "leases/revoke", BAWN_OP_WRITE, lease_revoke, BAWN_ROUTE_NONE, HELP_REVOKE },
  { "leases/revoke/{id...}", BAWN_OP_WRITE, lease_revoke, BAWN_ROUTE_NONE, HELP_REVOKE },
  { "leases/revoke-prefix/{prefix...}", BAWN_OP_WRITE, revoke_prefix, BAWN_ROUTE_SUDO,
    HELP_PREFIX },
  { "leases/revoke-force/{prefix...}", BAWN_OP_WRITE, revoke_prefix, BAWN_ROUTE_SUDO, HELP_FORCE },
  { "leases/tidy", BAWN_OP_WRITE, lease_tidy, BAWN_ROUTE_NONE,
    "Look for leases that are due and end them." },
  { "renew", BAWN_OP_WRITE, lease_renew, BAWN_ROUTE_NONE, HELP_RENEW },
  { "renew/{id...}", BAWN_OP_WRITE, lease_renew, BAWN_ROUTE_NONE, HELP_RENEW },
  { "revoke", BAWN_OP_WRITE, lease_revoke, BAWN_ROUTE_NONE, HELP_REVOKE },
  { "revoke/{id...}", BAWN_OP_WRITE, lease_revoke, BAWN_ROUTE_NONE, HELP_REVOKE },
  { "revoke-prefix/{prefix...}", BAWN_OP_WRITE, revoke_prefix, BAWN_ROUTE_SUDO, HELP_PREFIX },
  { "revoke-force/{prefix...}", BAWN_OP_WRITE, revoke_prefix, BAWN_ROUTE_SUDO, HELP_FORCE },
  { 0 },
};
