/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "fixture.h"

#include <string.h>

#define GET(path) "GET /v1/" path " HTTP/1.1\r\nHost: h\r\n\r\n"

static void
assert_has (const char *text, const char *part)
{
  if (text == NULL || strstr (text, part) == NULL)
    g_error ("«%s» is not in «%s»", part, text != NULL ? text : "(nothing)");
}

static void
test_in_place (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);
  guint status = 0;
  g_autofree char *answer = client_ask (client, &status, GET ("echo?a=1"));

  g_assert_cmpuint (status, ==, 200);
  assert_has (answer, "\r\nContent-Type: application/json\r\n");
  assert_has (answer, "\r\nCache-Control: no-store\r\n");
  assert_has (answer, "\"op\":\"read\",\"path\":\"echo\"");
  assert_has (answer, "\"data\":{\"a\":\"1\"}");
  assert_has (answer, "\"remote\":\"127.0.0.1\"");
  g_assert_null (strstr (answer, "Strict-Transport"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/a-request-is-answered-in-place", test_in_place);

  return g_test_run ();
}
