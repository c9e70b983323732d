/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-crypto.h"
#include "logical/bawn-engine.h"

/* The template for engine authors, built for tests only: a small engine that makes accounts on
 * demand, each with a lease. doc/adding-an-engine.md walks through it. What it has in the storage
 * of its mount:
 *
 *   config           {"ttl": microseconds, "max_ttl": microseconds}
 *   account/<name>   {"password": "…"}, while the lease lives
 */
#define CONFIG_KEY "config"
#define ACCOUNT_FOLDER "account/"

#define NAME_SIZE 10
#define PASSWORD_SIZE 20
#define DEFAULT_TTL_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

#define BAWN_TYPE_ENGINE_EXAMPLE (bawn_engine_example_get_type ())
G_DECLARE_FINAL_TYPE (BawnEngineExample, bawn_engine_example, BAWN, ENGINE_EXAMPLE, BawnEngine)

/* No state: there is one instance for all mounts, and any node may serve the next request. */
struct _BawnEngineExample
{
  BawnEngine parent_instance;
};

G_DEFINE_FINAL_TYPE (BawnEngineExample, bawn_engine_example, BAWN_TYPE_ENGINE)

typedef struct
{
  gint64 ttl_us;
  gint64 max_ttl_us;
} ExampleConfig;

static gboolean
get_config (BawnTxn *txn, ExampleConfig *out_config, GError **error)
{
  g_autoptr (GBytes) value = NULL;

  *out_config = (ExampleConfig){ DEFAULT_TTL_US, 0 };
  if (!bawn_txn_get (txn, CONFIG_KEY, &value, error))
    return FALSE;
  if (value == NULL)
    return TRUE;

  g_autoptr (BawnJson) json = bawn_json_parse (value, NULL, error);

  if (json == NULL)
    return FALSE;
  out_config->ttl_us = bawn_json_get_int (bawn_json_root (json), "ttl", DEFAULT_TTL_US);
  out_config->max_ttl_us = bawn_json_get_int (bawn_json_root (json), "max_ttl", 0);

  return TRUE;
}

static BawnResponse *
example_config_read (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  ExampleConfig config = { 0 };

  if (!get_config (txn, &config, error))
    return NULL;

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "max_ttl", config.max_ttl_us / G_USEC_PER_SEC);
  bawn_json_writer_add_int (&w, "ttl", config.ttl_us / G_USEC_PER_SEC);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

static BawnResponse *
example_config_write (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  ExampleConfig config = { 0 };

  if (!get_config (txn, &config, error)
      || !bawn_field_duration (request, "ttl", &config.ttl_us, error)
      || !bawn_field_duration (request, "max_ttl", &config.max_ttl_us, error))
    return NULL;
  if (config.max_ttl_us > 0 && config.ttl_us > config.max_ttl_us)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "ttl must not be above max_ttl");

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "ttl", config.ttl_us);
  bawn_json_writer_add_int (&w, "max_ttl", config.max_ttl_us);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);

  bawn_txn_put (txn, CONFIG_KEY, value);

  return bawn_response_new_empty ();
}

static GBytes *
one_member (const char *name, const char *text)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, name, text);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

/* Asks for a lease by setting secret_ttl_us; what secret_internal says comes back at renewal and
 * revocation. */
static BawnResponse *
example_account_make (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  ExampleConfig config = { 0 };

  if (!get_config (txn, &config, error))
    return NULL;

  g_autofree char *name = bawn_random_base62 (NAME_SIZE);
  g_autoptr (BawnWipedString) password = bawn_random_base62 (PASSWORD_SIZE);
  g_autofree char *key = g_strconcat (ACCOUNT_FOLDER, name, NULL);
  g_autoptr (GBytes) account = one_member ("password", password);

  bawn_txn_put (txn, key, account);

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "password", password);
  bawn_json_writer_add_string (&w, "username", name);
  bawn_json_writer_end_object (&w);

  BawnResponse *response = bawn_response_new_writer (&w);

  response->renewable = TRUE;
  response->secret_ttl_us = config.ttl_us;
  response->secret_max_ttl_us = config.max_ttl_us;
  response->secret_internal = one_member ("username", name);

  return response;
}

static BawnResponse *
example_account_list (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_auto (GStrv) names = NULL;

  if (!bawn_txn_list (txn, ACCOUNT_FOLDER, NULL, 0, &names, error))
    return NULL;

  return bawn_response_new_keys ((const char *const *) names);
}

static char *
account_key (const BawnJsonNode *internal, GError **error)
{
  const char *name = bawn_json_get_string (internal, "username", NULL);

  if (name == NULL)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "a lease of the example engine has no name");

  return g_strconcat (ACCOUNT_FOLDER, name, NULL);
}

static BawnResponse *
example_renew (BawnEngine *engine,
               BawnRequest *request,
               const BawnJsonNode *internal,
               BawnTxn *txn,
               GError **error)
{
  ExampleConfig config = { 0 };
  g_autofree char *key = account_key (internal, error);
  g_autoptr (GBytes) account = NULL;

  if (key == NULL || !get_config (txn, &config, error) || !bawn_txn_get (txn, key, &account, error))
    return NULL;
  if (account == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "the account is gone");

  BawnResponse *response = bawn_response_new_empty ();

  response->renewable = TRUE;
  response->secret_ttl_us = config.ttl_us;
  response->secret_max_ttl_us = config.max_ttl_us;

  return response;
}

/* May be asked twice for the same lease: taking back what is gone succeeds. */
static gboolean
example_revoke (BawnEngine *engine,
                BawnRequest *request,
                const BawnJsonNode *internal,
                BawnTxn *txn,
                GError **error)
{
  g_autofree char *key = account_key (internal, error);

  if (key == NULL)
    return FALSE;
  bawn_txn_delete (txn, key);

  return TRUE;
}

static const BawnRoute example_routes[] = {
  { "config", BAWN_OP_READ, example_config_read, BAWN_ROUTE_NONE, "Reads the settings." },
  { "config", BAWN_OP_WRITE, example_config_write, BAWN_ROUTE_NONE,
    "Sets ttl and max_ttl of accounts." },
  { "account", BAWN_OP_READ, example_account_make, BAWN_ROUTE_NONE,
    "Makes an account that ends with its lease." },
  { "account", BAWN_OP_LIST, example_account_list, BAWN_ROUTE_NONE, "Lists the accounts." },
  { NULL },
};

static void
bawn_engine_example_class_init (BawnEngineExampleClass *klass)
{
  BawnEngineClass *engine_class = BAWN_ENGINE_CLASS (klass);

  engine_class->name = "example";
  engine_class->help = "Makes accounts on demand, each with a lease.";
  engine_class->routes = example_routes;
  engine_class->renew = example_renew;
  engine_class->revoke = example_revoke;
}

static void
bawn_engine_example_init (BawnEngineExample *self)
{
}
