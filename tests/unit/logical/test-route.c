/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-engine.h"

static BawnResponse *
handler (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return NULL;
}

static const BawnRoute routes[] = {
  { "config", BAWN_OP_READ | BAWN_OP_WRITE, handler, BAWN_ROUTE_NONE, "config" },
  { "users/{name}/password", BAWN_OP_WRITE, handler, BAWN_ROUTE_NONE, "password" },
  { "users/{name}", BAWN_OP_READ, handler, BAWN_ROUTE_NONE, "user" },
  { "users", BAWN_OP_LIST, handler, BAWN_ROUTE_NONE, "users" },
  { "data/{path...}", BAWN_OP_READ, handler, BAWN_ROUTE_ANY_FIELD, "data" },
  { "pair/{a}/{b}", BAWN_OP_READ, handler, BAWN_ROUTE_NONE, "pair" },
  { "{path...}", BAWN_OP_DELETE, handler, BAWN_ROUTE_NONE, "rest" },
  { NULL },
};

static const struct
{
  const char *rest;
  BawnOp op;
  const char *help; /* of the row expected */
  const char *param;
  const char *value;
} rows[] = {
  { "config", BAWN_OP_READ, "config", NULL, NULL },
  { "config", BAWN_OP_CREATE, "config", NULL, NULL },
  { "config", BAWN_OP_UPDATE, "config", NULL, NULL },
  { "users/bob", BAWN_OP_READ, "user", "name", "bob" },
  { "users/b", BAWN_OP_READ, "user", "name", "b" },
  { "users/b.o-b_2", BAWN_OP_READ, "user", "name", "b.o-b_2" },
  { "users/bob/password", BAWN_OP_UPDATE, "password", "name", "bob" },
  { "users/", BAWN_OP_LIST, "users", NULL, NULL },
  { "users", BAWN_OP_LIST, "users", NULL, NULL },
  { "data/a/b c/ä", BAWN_OP_READ, "data", "path", "a/b c/ä" },
  { "data/a/", BAWN_OP_READ, "data", "path", "a/" },
  { "data", BAWN_OP_READ, "data", "path", "" },
  { "data/", BAWN_OP_READ, "data", "path", "" },
  { "pair/x/y", BAWN_OP_READ, "pair", "b", "y" },
  { "anything/else", BAWN_OP_DELETE, "rest", "path", "anything/else" },
  { "", BAWN_OP_DELETE, "rest", "path", "" },
  { "config", BAWN_OP_DELETE, "rest", "path", "config" },
  { "config", BAWN_OP_HELP, "config", NULL, NULL },
  { "config/", BAWN_OP_HELP, "config", NULL, NULL },
  { "config/", BAWN_OP_DELETE, "rest", "path", "config/" },
};

static void
test_the_first_row_that_fits_wins (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (BawnRequest) request = bawn_request_new (rows[i].op, "");
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", rows[i].rest);
      request->rest = rows[i].rest;

      const BawnRoute *route = bawn_route_match (routes, request, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (route->help, ==, rows[i].help);
      if (rows[i].param != NULL)
        g_assert_cmpstr (bawn_request_param (request, rows[i].param), ==, rows[i].value);
      g_assert_cmpstr (bawn_request_param (request, "none"), ==, "");
      g_assert_cmpint (request->any_field, ==, g_str_equal (rows[i].help, "data"));
    }
}

static void
assert_no_row (const char *rest, BawnOp op, BawnErrorCode code, const char *message)
{
  static const BawnRoute few[] = {
    { "users/{name}", BAWN_OP_READ, handler, BAWN_ROUTE_NONE, "" },
    { NULL },
  };
  g_autoptr (BawnRequest) request = bawn_request_new (op, "");
  g_autoptr (GError) error = NULL;

  g_test_message ("%s", rest);
  request->rest = rest;
  g_assert_null (bawn_route_match (few, request, &error));
  g_assert_true (bawn_error_is (error, code));
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_a_path_without_a_row_is_unsupported (void)
{
  const char *const paths[] = { "",         "user",        "users",     "users/",   "users/-b",
                                "users/b-", "users/.b",    "users/b b", "users/ä",  "users/bob/x",
                                "usersx/b", "users/b/c/d", "users/@a",  "xusers/b", "users//b",
                                "users/bob/" };

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    assert_no_row (paths[i], BAWN_OP_READ, BAWN_ERROR_NOT_FOUND, "unsupported path");
}

static void
test_another_operation_is_unsupported (void)
{
  assert_no_row ("users/bob", BAWN_OP_DELETE, BAWN_ERROR_UNSUPPORTED, "unsupported operation");
  assert_no_row ("users/bob/", BAWN_OP_LIST, BAWN_ERROR_UNSUPPORTED, "unsupported operation");
}

static void
test_a_path_is_open_whatever_the_operation (void)
{
  static const BawnRoute some[] = {
    { "login/{name}", BAWN_OP_WRITE, handler, BAWN_ROUTE_OPEN, "" },
    { "users/{name}", BAWN_OP_READ, handler, BAWN_ROUTE_NONE, "" },
    { NULL },
  };

  g_assert_true (bawn_route_is_open_path (some, "login/bob"));
  g_assert_false (bawn_route_is_open_path (some, "login/"));
  g_assert_false (bawn_route_is_open_path (some, "login/bob/x"));
  g_assert_false (bawn_route_is_open_path (some, "users/bob"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/logical/route/the-first-row-that-fits-wins",
                   test_the_first_row_that_fits_wins);
  g_test_add_func ("/logical/route/a-path-without-a-row-is-unsupported",
                   test_a_path_without_a_row_is_unsupported);
  g_test_add_func ("/logical/route/another-operation-is-unsupported",
                   test_another_operation_is_unsupported);
  g_test_add_func ("/logical/route/a-path-is-open-whatever-the-operation",
                   test_a_path_is_open_whatever_the_operation);

  return g_test_run ();
}
