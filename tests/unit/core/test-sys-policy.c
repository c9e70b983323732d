/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "sys-check.h"

#include "core/bawn-password-policy.h"

#define READ BAWN_OP_READ
#define WRITE BAWN_OP_UPDATE
#define DELETE BAWN_OP_DELETE
#define LIST BAWN_OP_LIST

static void
test_policies_are_kept_word_for_word (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { READ, "sys/policy", NULL,
      SYS_OK (200, "{\"keys\":[\"default\",\"root\"],\"policies\":[\"default\",\"root\"],") },
    { LIST, "sys/policy/", NULL, SYS_OK (200, "\"data\":{\"keys\":[\"default\",\"root\"]") },
    { LIST, "sys/policies/acl/", NULL, SYS_OK (200, "\"data\":{\"keys\":[\"default\",\"root\"]}") },
    { WRITE, "sys/policy/Mine",
      "{\"policy\":\"path \\\"a\\\" {\\n  capabilities = [\\\"read\\\"] }\"}", SYS_OK (204, NULL) },
    { READ, "sys/policy/mine", NULL,
      SYS_OK (200, "\"data\":{\"name\":\"mine\",\"rules\":\"path \\\"a\\\" {\\n  capabilities = "
                   "[\\\"read\\\"] }\"}") },
    { READ, "sys/policies/acl/mine", NULL,
      SYS_OK (200, "\"data\":{\"name\":\"mine\",\"policy\":\"path \\\"a\\\" {") },
    { WRITE, "sys/policy/x", "{\"rules\":\"path \\\"a\\\" { capabilities = [\\\"read\\\"] }\"}",
      SYS_OK (200, "'rules' is deprecated, please use 'policy' instead") },
    { WRITE, "sys/policies/acl/y",
      "{\"rules\":\"path \\\"a\\\" { capabilities = [\\\"read\\\"] }\"}",
      SYS_INVALID ("'policy' parameter not supplied or empty") },
    { WRITE, "sys/policies/acl/y",
      "{\"policy\":\"cGF0aCAiYSIgeyBjYXBhYmlsaXRpZXMgPSBbInJlYWQiXSB9\"}", SYS_OK (204, NULL) },
    { READ, "sys/policies/acl/y", NULL,
      SYS_OK (200, "\"policy\":\"path \\\"a\\\" { capabilities = [\\\"read\\\"] }\"") },
    { READ, "sys/policies/acl", NULL, SYS_OK (200, "[\"default\",\"mine\",\"root\",\"x\",\"y\"]") },
    { READ, "sys/policy/root", NULL, SYS_OK (200, "\"name\":\"root\",\"rules\":\"\"") },
    { READ, "sys/policy/none", NULL, BAWN_ERROR_NOT_FOUND, 0, "" },
    { WRITE, "sys/policy/x", "{\"policy\":\"\"}",
      SYS_INVALID ("'policy' parameter not supplied or empty") },
    { WRITE, "sys/policy/root", "{\"policy\":\"x\"}",
      SYS_INVALID ("cannot update \"root\" policy") },
    { WRITE, "sys/policy/response-wrapping", "{\"policy\":\"x\"}",
      SYS_INVALID ("cannot update \"response-wrapping\" policy") },
    { WRITE, "sys/policy/default",
      "{\"policy\":\"path \\\"a\\\" { capabilities = [\\\"read\\\"] }\"}", SYS_OK (204, NULL) },
    { DELETE, "sys/policy/root", NULL, SYS_INVALID ("cannot delete \"root\" policy") },
    { DELETE, "sys/policies/acl/default", NULL, SYS_INVALID ("cannot delete default policy") },
    { DELETE, "sys/policy/x", NULL, SYS_OK (204, NULL) },
    { DELETE, "sys/policy/x", NULL, SYS_OK (204, NULL) },
    { DELETE, "sys/policy", NULL, BAWN_ERROR_UNSUPPORTED, 0, "unsupported operation" },
    { WRITE, "sys/policy", "{\"policy\":\"x\"}", BAWN_ERROR_UNSUPPORTED, 0,
      "unsupported operation" },
    { READ, "sys/policy/x", NULL, BAWN_ERROR_NOT_FOUND, 0, "" },
  };
  int code = 0;

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
  g_autofree char *bad = sys_check_call (&f, f.root, WRITE, "sys/policy/x",
                                         "{\"policy\":\"path \\\"a\\\" {\"}", &code, NULL);
  g_assert_cmpint (code, ==, BAWN_ERROR_INVALID);
  g_assert_true (g_str_has_prefix (bad, "failed to parse policy: "));
}

static void
test_capabilities_are_told (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep own[] = {
    { WRITE, "sys/capabilities-self", "{\"paths\":[\"a/b\"]}",
      SYS_OK (
          200,
          "{\"a/"
          "b\":[\"create\",\"update\"],\"capabilities\":[\"create\",\"update\"],\"request_id\"") },
    { WRITE, "sys/capabilities-self", "{\"path\":\"/a/b\"}",
      SYS_OK (200, "\"/a/b\":[\"create\",\"update\"]") },
    { WRITE, "sys/capabilities-self", "{\"paths\":\"a/b,c\"}",
      SYS_OK (200, "\"data\":{\"a/b\":[\"create\",\"update\"],\"c\":[\"deny\"]}") },
    { WRITE, "sys/capabilities-self", "{\"paths\":[]}", SYS_INVALID ("paths must be supplied") },
    { WRITE, "sys/capabilities", "{\"token\":\"nope\",\"path\":\"a\"}", BAWN_ERROR_DENIED, 0,
      "permission denied" },
  };
  static const SysStep by_root[] = {
    { WRITE, "sys/capabilities-self", "{\"path\":\"a\"}",
      SYS_OK (200, "\"capabilities\":[\"root\"]") },
    { WRITE, "sys/capabilities", "{\"token\":\"nope\",\"path\":\"a\"}",
      SYS_INVALID ("invalid token") },
    { WRITE, "sys/capabilities", "{\"path\":\"a\"}", SYS_INVALID ("invalid token") },
    { WRITE, "sys/capabilities-accessor", "{\"accessor\":\"nope\",\"path\":\"a\"}",
      SYS_INVALID ("invalid accessor") },
    { WRITE, "sys/capabilities", "{\"token\":\"nope\"}", SYS_INVALID ("paths must be supplied") },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  g_autofree char *token =
      sys_check_token (&f, "w",
                       "path \"a/*\" { capabilities = [\"create\", \"update\"] } "
                       "path \"sys/capabilities-self\" { capabilities = [\"update\"] }");
  sys_check_steps (&f, token, own, G_N_ELEMENTS (own));
  sys_check_steps (&f, f.root, by_root, G_N_ELEMENTS (by_root));

  g_autofree char *body = g_strdup_printf ("{\"token\":\"%s\",\"paths\":[\"a/x\"]}", token);
  g_autoptr (BawnJson) told = sys_check_json (&f, f.root, WRITE, "sys/capabilities", body);
  g_auto (GStrv) capabilities = bawn_json_get_strv (bawn_json_root (told), "capabilities");
  g_assert_cmpstr (capabilities[0], ==, "create");
}

static void
test_password_policies_are_kept_and_used (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { LIST, "sys/policies/password/", NULL, SYS_OK (404, NULL) },
    { READ, "sys/policies/password/p", NULL, BAWN_ERROR_NOT_FOUND, 0, "policy does not exist" },
    { READ, "sys/policies/password/p/generate", NULL, BAWN_ERROR_NOT_FOUND, 0,
      "policy does not exist" },
    { WRITE, "sys/policies/password/p", "{}", SYS_INVALID ("missing policy") },
    { WRITE, "sys/policies/password/p", "{\"policy\":\"length = 3\"}",
      SYS_INVALID ("invalid password policy: passwords must be between 4 and 100 characters") },
    { WRITE, "sys/policies/password/p", "{\"policy\":\"length = 8\"}",
      SYS_INVALID ("invalid password policy: at least one charset rule is needed") },
    { WRITE, "sys/policies/password/p",
      "{\"policy\":\"length = 8\\nrule \\\"charset\\\" { charset = \\\"ab\\\" }\"}",
      SYS_OK (204, NULL) },
    { READ, "sys/policies/password/p", NULL, SYS_OK (200, "length = 8") },
    { LIST, "sys/policies/password/", NULL, SYS_OK (200, "[\"p\"]") },
    { READ, "sys/policies/password/p/generate", NULL, SYS_OK (200, "\"password\":\"") },
    { DELETE, "sys/policies/password/p", NULL, SYS_OK (204, NULL) },
    { READ, "sys/policies/password/p", NULL, BAWN_ERROR_NOT_FOUND, 0, "policy does not exist" },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

static void
test_passwords_keep_to_their_rules (void)
{
  static const char text[] = "length = 12\n"
                             "rule \"charset\" { charset = \"abcdef\" min-chars = 2 }\n"
                             "rule \"charset\" { charset = \"0123456789\" min-chars = 3 }\n"
                             "rule \"charset\" { charset = \"\xc3\xa4\" min-chars = 1 }\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnPasswordPolicy) policy = bawn_password_policy_parse (text, &error);

  g_assert_no_error (error);
  for (guint round = 0; round < 50; round++)
    {
      g_autofree char *password = bawn_password_policy_generate (policy);
      guint letters = 0;
      guint digits = 0;

      g_assert_cmpint (g_utf8_strlen (password, -1), ==, 12);
      g_assert_nonnull (strstr (password, "\xc3\xa4"));
      for (const char *c = password; *c != '\0'; c++)
        {
          letters += *c >= 'a' && *c <= 'f';
          digits += g_ascii_isdigit (*c);
        }
      g_assert_cmpuint (letters, >=, 2);
      g_assert_cmpuint (digits, >=, 3);
    }
}

static void
test_impossible_rules_are_refused (void)
{
  static const char *const texts[] = {
    "length = 4\nrule \"charset\" { charset = \"a\" min-chars = 3 }\nrule \"charset\" { charset = "
    "\"b\" min-chars = 2 }",
    "length = 4\nrule \"charset\" { charset = \"\" }",
    "length = 4\nrule \"zip\" { charset = \"a\" }",
    "length = 4\nrule \"charset\" { charset = \"a\" min-chars = \"x\" }",
    "length = 101\nrule \"charset\" { charset = \"a\" }",
    "length = ",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnPasswordPolicy) policy = bawn_password_policy_parse (texts[i], &error);

      g_test_message ("%s", error != NULL ? error->message : texts[i]);
      g_assert_null (policy);
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/sys/policy/texts-are-kept-word-for-word",
                   test_policies_are_kept_word_for_word);
  g_test_add_func ("/core/sys/policy/capabilities-are-told", test_capabilities_are_told);
  g_test_add_func ("/core/sys/password/policies-are-kept-and-used",
                   test_password_policies_are_kept_and_used);
  g_test_add_func ("/core/sys/password/passwords-keep-to-their-rules",
                   test_passwords_keep_to_their_rules);
  g_test_add_func ("/core/sys/password/impossible-rules-are-refused",
                   test_impossible_rules_are_refused);
  return g_test_run ();
}
