/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-token-record.h"
#include "logical/bawn-string-map.h"
#include "util/bawn-error.h"
#include "util/bawn-json.h"

#define TYPE_SERVICE "service"
#define TYPE_BATCH "batch"
#define TYPE_STUB "stub"

static void
add_string (BawnJsonWriter *w, const char *name, const char *text)
{
  if (text != NULL)
    bawn_json_writer_add_string (w, name, text);
}

static void
add_number (BawnJsonWriter *w, const char *name, gint64 value)
{
  if (value != 0)
    bawn_json_writer_add_int (w, name, value);
}

static void
add_flag (BawnJsonWriter *w, const char *name, gboolean value)
{
  if (value)
    bawn_json_writer_add_bool (w, name, TRUE);
}

static void
add_strv (BawnJsonWriter *w, const char *name, GStrv strings)
{
  if (strings != NULL)
    bawn_json_writer_add_strv (w, name, (const char *const *) strings);
}

static void
add_map (BawnJsonWriter *w, const char *name, GHashTable *map)
{
  if (map == NULL)
    return;

  bawn_json_writer_name (w, name);
  bawn_string_map_write (w, map);
}

/**
 * bawn_token_record_write:
 * @token: a token
 *
 * What is not set is left out: a record is read on every request that misses the cache, and a batch
 * token carries it.
 *
 * Returns: (transfer full): its record, in wiping memory
 */
GBytes *
bawn_token_record_write (const BawnToken *token)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  gboolean batch = token->type == BAWN_TOKEN_BATCH;

  bawn_json_writer_begin_object (&w);
  add_string (&w, "type", batch ? TYPE_BATCH : TYPE_SERVICE);
  if (!batch)
    add_string (&w, "hash", token->hash);
  add_string (&w, "accessor", token->accessor);
  add_string (&w, "parent", token->parent);
  add_string (&w, "display_name", token->display_name);
  add_string (&w, "path", token->path);
  add_string (&w, "role", token->role);
  add_string (&w, "entity", token->entity_id);
  add_string (&w, "cubbyhole", token->cubbyhole);
  add_strv (&w, "policies", token->policies);
  add_map (&w, "meta", token->meta);
  add_strv (&w, "cidrs", token->bound_cidrs);
  add_number (&w, "created", token->creation_us);
  add_number (&w, "creation_ttl", token->creation_ttl_us);
  add_number (&w, "ttl", token->ttl_us);
  add_number (&w, "expires", token->expire_us);
  add_number (&w, "renewed", token->last_renewal_us);
  add_number (&w, "explicit_max_ttl", token->explicit_max_ttl_us);
  add_number (&w, "period", token->period_us);
  add_number (&w, "max_ttl", token->max_ttl_us);
  add_number (&w, "uses", token->num_uses);
  add_flag (&w, "renewable", token->renewable);
  add_flag (&w, "no_default_policy", token->no_default_policy);
  add_map (&w, "internal", token->internal);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

/**
 * bawn_token_record_write_stub:
 *
 * Returns: (transfer full): the record of a token that is gone while its children live on
 */
GBytes *
bawn_token_record_write_stub (void)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  add_string (&w, "type", TYPE_STUB);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

static char *
dup_string (const BawnJsonNode *root, const char *name)
{
  return g_strdup (bawn_json_get_string (root, name, NULL));
}

static BawnToken *
read_token (const BawnJsonNode *root, BawnTokenType type)
{
  BawnToken *token = bawn_token_new ();

  token->type = type;
  token->hash = dup_string (root, "hash");
  token->accessor = dup_string (root, "accessor");
  token->parent = dup_string (root, "parent");
  token->display_name = dup_string (root, "display_name");
  token->path = dup_string (root, "path");
  token->role = dup_string (root, "role");
  token->entity_id = dup_string (root, "entity");
  token->cubbyhole = dup_string (root, "cubbyhole");
  token->policies = bawn_json_get_strv (root, "policies");
  token->meta = bawn_string_map_read (bawn_json_get (root, "meta"));
  token->bound_cidrs = bawn_json_get_strv (root, "cidrs");
  token->creation_us = bawn_json_get_int (root, "created", 0);
  token->creation_ttl_us = bawn_json_get_int (root, "creation_ttl", 0);
  token->ttl_us = bawn_json_get_int (root, "ttl", 0);
  token->expire_us = bawn_json_get_int (root, "expires", 0);
  token->last_renewal_us = bawn_json_get_int (root, "renewed", 0);
  token->explicit_max_ttl_us = bawn_json_get_int (root, "explicit_max_ttl", 0);
  token->period_us = bawn_json_get_int (root, "period", 0);
  token->max_ttl_us = bawn_json_get_int (root, "max_ttl", 0);
  token->num_uses = bawn_json_get_int (root, "uses", 0);
  token->renewable = bawn_json_get_bool (root, "renewable", FALSE);
  token->no_default_policy = bawn_json_get_bool (root, "no_default_policy", FALSE);
  token->internal = bawn_string_map_read (bawn_json_get (root, "internal"));

  return token;
}

/* A restriction that cannot be read must not read as none: each of these is there and of its kind,
 * or absent. */
static gboolean
is_sound (const BawnJsonNode *root)
{
  static const struct
  {
    const char *name;
    BawnJsonKind kind;
  } members[] = {
    { "parent", BAWN_JSON_STRING },  { "cidrs", BAWN_JSON_ARRAY },
    { "expires", BAWN_JSON_NUMBER }, { "uses", BAWN_JSON_NUMBER },
    { "policies", BAWN_JSON_ARRAY },
  };

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      const BawnJsonNode *node = bawn_json_get (root, members[i].name);

      if (node != NULL && node->kind != members[i].kind)
        return FALSE;
    }

  return TRUE;
}

/**
 * bawn_token_record_parse:
 * @key: where it was found, for the message
 * @plain: a record
 * @error: CORRUPT if it is none
 *
 * Returns: (transfer full) (nullable): what it says
 */
BawnTokenRecord *
bawn_token_record_parse (const char *key, GBytes *plain, GError **error)
{
  g_autoptr (BawnJson) json = bawn_json_parse (plain, NULL, NULL);
  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;
  const char *type = bawn_json_get_string (root, "type", "");
  BawnTokenType kind = g_str_equal (type, TYPE_BATCH) ? BAWN_TOKEN_BATCH : BAWN_TOKEN_SERVICE;
  gboolean stub = g_str_equal (type, TYPE_STUB);

  if (!stub && kind == BAWN_TOKEN_SERVICE
      && (!g_str_equal (type, TYPE_SERVICE) || bawn_json_get_string (root, "hash", NULL) == NULL))
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s: not a token", key);
  if (!is_sound (root))
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s: not a sound token", key);

  BawnTokenRecord *record = g_atomic_rc_box_new0 (BawnTokenRecord);

  record->token = stub ? NULL : read_token (root, kind);
  return record;
}

static gpointer
record_parse (const char *key, GBytes *plain, GError **error)
{
  return bawn_token_record_parse (key, plain, error);
}

static gpointer
record_ref (gpointer object)
{
  return g_atomic_rc_box_acquire (object);
}

static void
record_clear (gpointer object)
{
  BawnTokenRecord *record = object;

  g_clear_pointer (&record->token, bawn_token_unref);
}

/**
 * bawn_token_record_unref:
 * @record: (transfer full): a record
 */
void
bawn_token_record_unref (BawnTokenRecord *record)
{
  g_atomic_rc_box_release_full (record, record_clear);
}

static void
record_unref (gpointer object)
{
  bawn_token_record_unref (object);
}

const BawnObjectKind bawn_token_record_kind = { "token", record_parse, record_ref, record_unref };
