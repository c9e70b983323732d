/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/engine/engine-fixture.h"

#include "logical/bawn-string-map.h"
#include "tests/support/unref-last.h"

#include <string.h>

#define VIEW "logical/11111111-2222-4333-8444-555555555555/"

GType bawn_backend_memory_get_type (void);

static const char *
code_name (int code)
{
  switch ((BawnErrorCode) code)
    {
    case BAWN_ERROR_INVALID:
      return "INVALID";
    case BAWN_ERROR_NOT_FOUND:
      return "NOT_FOUND";
    case BAWN_ERROR_UNSUPPORTED:
      return "UNSUPPORTED";
    case BAWN_ERROR_TOO_LARGE:
      return "TOO_LARGE";
    case BAWN_ERROR_CORRUPT:
      return "CORRUPT";
    case BAWN_ERROR_DENIED:
    case BAWN_ERROR_LIMITED:
    case BAWN_ERROR_INTERNAL:
    case BAWN_ERROR_UPSTREAM:
    case BAWN_ERROR_SEALED:
    case BAWN_ERROR_STANDBY:
    case BAWN_ERROR_BUSY:
    case BAWN_ERROR_TIMEOUT:
    case BAWN_ERROR_WOULD_BLOCK:
    case BAWN_ERROR_CONFLICT:
    case BAWN_ERROR_UNKNOWN_OUTCOME:
    case BAWN_ERROR_DEPOSED:
      break;
    }

  return "OTHER";
}

static BawnMount *
mount_with (const BawnMount *old, const char *option)
{
  BawnMount *mount = bawn_mount_copy (old);

  if (option == NULL)
    return mount;

  g_auto (GStrv) pair = g_strsplit (option, "=", 2);

  if (mount->options == NULL)
    mount->options = bawn_string_map_new ();
  g_hash_table_replace (mount->options, g_strdup (pair[0]), g_strdup (pair[1]));

  return mount;
}

void
engine_fixture_set_option (EngineFixture *f, const char *option)
{
  BawnMount *mount = mount_with (f->mount, option);

  bawn_mount_unref (f->mount);
  f->mount = mount;
}

void
engine_fixture_set_up (EngineFixture *f, GType type, const char *options)
{
  g_autoptr (GError) error = NULL;

  f->backend = (BawnBackend *) g_initable_new (bawn_backend_memory_get_type (), NULL, &error, NULL);
  g_assert_no_error (error);
  f->store = bawn_store_new (f->backend, BAWN_STORE_CACHE_DEFAULT);
  g_assert_true (bawn_store_open_term (f->store, 0, NULL, &error));
  g_assert_no_error (error);
  f->engine = g_object_new (type, NULL);
  f->mount = bawn_mount_new ();
  f->mount->path = g_strdup ("secret/");
  f->mount->view = g_strdup (VIEW);
  engine_fixture_set_option (f, options);
  f->caller = bawn_token_new ();
  f->caller->cubbyhole = g_strdup ("c1");
  f->now_us = ENGINE_FIXTURE_START_US;
}

void
engine_fixture_tear_down (EngineFixture *f)
{
  bawn_token_unref (f->caller);
  bawn_mount_unref (f->mount);
  unref_last (f->engine);
  g_object_unref (f->store);
  g_object_unref (f->backend);
}

gboolean
engine_fixture_tune (EngineFixture *f, const char *option, GError **error)
{
  BawnEngineClass *klass = BAWN_ENGINE_GET_CLASS (f->engine);
  g_autoptr (BawnMount) after = mount_with (f->mount, option);
  g_autoptr (BawnTxn) root = bawn_store_begin (f->store, NULL, TRUE);
  g_autoptr (BawnTxn) txn = bawn_txn_scope (root, VIEW);

  if (!klass->tuned (f->engine, f->mount, after, txn, error) || !bawn_txn_commit (root, error))
    return FALSE;
  engine_fixture_set_option (f, option);

  return TRUE;
}

static BawnRequest *
make_request (EngineFixture *f, BawnOp op, const char *path, const char *body)
{
  g_autofree char *full = g_strconcat (f->mount->path, path, NULL);
  BawnRequest *request = bawn_request_new (op, full);
  g_autoptr (GError) error = NULL;

  request->started_us = f->now_us;
  if (body != NULL)
    {
      request->data = bawn_json_parse_string (body, &error);
      g_assert_no_error (error);
    }

  return request;
}

/* One attempt. */
static BawnResponse *
attempt (EngineFixture *f, BawnRequest *request, BawnTxn *root, GError **error)
{
  BawnEngineClass *klass = BAWN_ENGINE_GET_CLASS (f->engine);
  g_autoptr (BawnTxn) scoped = bawn_txn_scope (root, f->mount->view);

  bawn_request_reset (request);
  request->mount = bawn_mount_ref (f->mount);
  request->rest = request->path + strlen (f->mount->path);
  request->caller = bawn_token_ref (f->caller);

  const BawnRoute *route =
      bawn_route_match (bawn_engine_get_routes (f->engine, f->mount), request, error);

  if (route == NULL)
    return NULL;

  BawnTxn *txn = (route->flags & BAWN_ROUTE_ROOT_TXN) != 0 ? root : scoped;
  gboolean exists = TRUE;

  if (request->op == BAWN_OP_UPDATE && klass->exists != NULL
      && !klass->exists (f->engine, request, txn, &exists, error))
    return NULL;
  if (!exists)
    request->op = BAWN_OP_CREATE;

  g_atomic_int_inc ((gint *) &f->runs);

  return route->handler (f->engine, request, txn, error);
}

BawnResponse *
engine_fixture_run (EngineFixture *f, BawnOp op, const char *path, const char *body, GError **error)
{
  g_autoptr (BawnRequest) request = make_request (f, op, path, body);

  while (TRUE)
    {
      g_autoptr (BawnTxn) root = bawn_store_begin (f->store, NULL, TRUE);
      g_autoptr (GError) local = NULL;
      g_autoptr (GError) refused = NULL;
      g_autoptr (BawnResponse) response = attempt (f, request, root, &local);

      if (f->before_commit != NULL)
        f->before_commit (f);
      if (response == NULL)
        bawn_txn_drop_writes (root);
      if (bawn_txn_commit (root, &refused))
        {
          if (response == NULL)
            g_propagate_error (error, g_steal_pointer (&local));
          return g_steal_pointer (&response);
        }
      if (!bawn_error_is (refused, BAWN_ERROR_CONFLICT))
        {
          g_propagate_error (error, g_steal_pointer (&refused));
          return NULL;
        }
    }
}

static char *
body_data (GBytes *body)
{
  g_autoptr (BawnJson) json = bawn_json_parse (body, NULL, NULL);

  g_assert_nonnull (json);

  const BawnJsonNode *data = bawn_json_get (bawn_json_root (json), "data");

  /* A 404 has no envelope. */
  if (data == NULL)
    return g_strdup ("");

  const BawnJsonNode *warnings = bawn_json_get (bawn_json_root (json), "warnings");
  g_autofree char *text = g_strndup (data->raw, data->raw_size);

  if (bawn_json_index (warnings, 0) == NULL)
    return g_steal_pointer (&text);

  return g_strdup_printf ("%s !%s", text, bawn_json_index (warnings, 0)->string);
}

char *
engine_fixture_answer (EngineFixture *f, BawnOp op, const char *path, const char *body)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnResponse) response = engine_fixture_run (f, op, path, body, &error);

  if (response == NULL)
    {
      g_assert_cmpuint (error->domain, ==, BAWN_ERROR);
      return g_strdup_printf ("%s%s%s", code_name (error->code), *error->message != '\0' ? " " : "",
                              error->message);
    }

  guint status = 0;
  g_autoptr (GBytes) text = bawn_response_encode (response, "id", &status);
  g_autofree char *data = text != NULL ? body_data (text) : g_strdup ("");

  return g_strdup_printf ("%u%s%s", status, *data != '\0' ? " " : "", data);
}

void
engine_fixture_steps (EngineFixture *f, const EngineStep *steps, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      const EngineStep *step = &steps[i];

      if (step->op == 0)
        {
          f->now_us += g_ascii_strtoll (step->path, NULL, 10) * (gint64) G_USEC_PER_SEC;
          continue;
        }

      g_autofree char *answer =
          engine_fixture_answer (f, (BawnOp) step->op, step->path, step->body);

      if (!g_str_equal (answer, step->expected))
        g_test_message ("step %u: %s %s %s", (guint) i,
                        bawn_op_name ((BawnOp) (step->op & -step->op)), step->path,
                        step->body != NULL ? step->body : "");
      g_assert_cmpstr (answer, ==, step->expected);
    }
}

static guint
count_below (BawnTxn *txn, const char *prefix)
{
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  guint n = 0;

  g_assert_true (bawn_txn_list (txn, prefix, NULL, 0, &names, &error));
  g_assert_no_error (error);
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *below = g_strconcat (prefix, names[i], NULL);

      n += g_str_has_suffix (names[i], "/") ? count_below (txn, below) : 1;
    }

  return n;
}

guint
engine_fixture_count (EngineFixture *f, const char *prefix)
{
  g_autoptr (BawnTxn) root = bawn_store_begin (f->store, NULL, TRUE);
  g_autoptr (BawnTxn) txn = bawn_txn_scope (root, f->mount->view);

  return count_below (txn, prefix);
}
