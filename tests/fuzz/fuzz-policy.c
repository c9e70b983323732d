/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A path on the first line, a policy behind it: what may be done there is the same in every answer,
 * and does not change when the policy is given twice. */
#include "config.h"

#include "auth/bawn-policy.h"

#include "fuzz.h"

#include <string.h>

static const struct
{
  BawnOp op;
  const char *name;
} ops[] = {
  { BAWN_OP_CREATE, "create" }, { BAWN_OP_READ, "read" },   { BAWN_OP_UPDATE, "update" },
  { BAWN_OP_DELETE, "delete" }, { BAWN_OP_PATCH, "patch" },
};

static void
check_answers (BawnAcl *acl, const char *path)
{
  g_auto (GStrv) names = bawn_acl_capabilities (acl, path);
  const char *const *may = (const char *const *) names;
  gboolean slash = g_str_has_suffix (path, "/");

  g_assert_nonnull (names[0]);
  g_assert_true (!g_strv_contains (may, "deny") || names[1] == NULL);
  if (!g_strv_contains (may, "deny"))
    g_assert_true (bawn_acl_touches (acl, path));

  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    {
      g_autoptr (BawnRequest) request = bawn_request_new (ops[i].op, path);
      gboolean sudo = FALSE;
      gboolean allowed = bawn_acl_allows (acl, request, &sudo);

      /* Capabilities are those of a list, which sees a path without its last slash too. A rule may
       * ask for wrapping or parameters besides. */
      if (!slash && allowed)
        g_assert_true (g_strv_contains (may, ops[i].name));
      if (!slash)
        g_assert_cmpint (sudo, ==, g_strv_contains (may, "sudo"));
    }
}

static void
check_written (BawnAcl *acl)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_acl_write (acl, &w);

  g_autoptr (GBytes) text = bawn_json_writer_finish (&w);
  g_autoptr (BawnJson) json = bawn_json_parse (text, NULL, NULL);

  g_assert_nonnull (json);
}

static void
check_data (BawnAcl *acl, const char *path)
{
  g_autoptr (BawnRequest) bare = bawn_request_new (BAWN_OP_UPDATE, path);
  g_autoptr (BawnRequest) empty = bawn_request_new (BAWN_OP_UPDATE, path);
  g_autoptr (BawnRequest) full = bawn_request_new (BAWN_OP_UPDATE, path);

  empty->data = bawn_json_parse_string ("{}", NULL);
  full->data = bawn_json_parse_string ("{\"a\":\"ab\",\"B\":5,\"\":[null],\"\\u00c4\":true}", NULL);
  g_assert_cmpint (bawn_acl_allows (acl, bare, NULL), ==, bawn_acl_allows (acl, empty, NULL));
  (void) bawn_acl_allows (acl, full, NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *all = g_strndup ((const char *) data, size);
  char *text = strchr (all, '\n');
  g_autoptr (GError) error = NULL;

  if (text == NULL)
    return 0;
  *text++ = '\0';

  g_autoptr (BawnPolicy) policy = bawn_policy_parse ("p", text, &error);

  if (policy == NULL)
    {
      g_assert_true (g_str_has_prefix (error->message, "failed to parse policy: "));
      return 0;
    }

  BawnPolicy *twice[] = { policy, policy };
  g_autoptr (BawnAcl) acl = bawn_acl_new (&policy, 1);
  g_autoptr (BawnAcl) same = bawn_acl_new (twice, 2);
  g_auto (GStrv) once = bawn_acl_capabilities (acl, all);
  g_auto (GStrv) again = bawn_acl_capabilities (same, all);

  g_assert_cmpstrv (once, again);
  check_answers (acl, all);
  check_data (acl, all);
  check_written (acl);

  return 0;
}
