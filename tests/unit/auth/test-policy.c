/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-policy.h"
#include "util/bawn-error.h"

typedef struct
{
  const char *name;
  const char *text;
  const char *message; /* NULL: it parses */
} ParseRow;

static const ParseRow parse_rows[] = {
  { "an-empty-text-is-a-policy", "", NULL },
  { "all-capabilities-are-known",
    "path \"a\" { capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\", "
    "\"sudo\", \"deny\", \"patch\"] }",
    NULL },
  { "comments-names-and-heredocs-are-taken",
    "# one\n// two\n/* three */\nname = \"x\"\npath \"a\" {\n  comment = <<EOT\nwhy\nEOT\n"
    "  capabilities = [\"read\",]\n}\n",
    NULL },
  { "unused-keys-are-taken",
    "path \"a\" { mfa_methods = [\"x\"]\n control_group { ttl = \"1h\" factor \"f\" { a = 1 } } }",
    NULL },
  { "json-is-taken", "{\"path\":{\"a/*\":{\"capabilities\":[\"read\"]}}}", NULL },
  { "json-lists-of-objects-are-taken",
    "{\"path\":[{\"a/*\":{\"capabilities\":[\"read\"]}},{\"b\":[{\"policy\":\"read\"}]}]}", NULL },
  { "a-capability-may-stand-without-a-list", "path \"a\" { capabilities = \"read\" }", NULL },
  { "templates-are-taken",
    "path \"a/{{identity.entity.id}}/{{identity.groups.names.x.id}}\" { policy = \"read\" }",
    NULL },
  { "an-unknown-key-at-the-top-is-refused", "foo {}",
    "failed to parse policy: 1 error occurred:\n\t* invalid key \"foo\" on line 0\n\n" },
  { "an-unknown-assignment-at-the-top-is-refused", "\nfoo = 1",
    "failed to parse policy: 1 error occurred:\n\t* invalid key \"foo\" on line 2\n\n" },
  { "an-unknown-key-in-a-path-is-refused", "path \"a\" { capabilites = [\"read\"] }",
    "failed to parse policy: 1 error occurred:\n\t* path \"a\": invalid key \"capabilites\" on "
    "line 1\n\n" },
  { "all-unknown-keys-are-told", "path \"a\" {\n x = 1\n y = 2\n}",
    "failed to parse policy: 2 errors occurred:\n\t* path \"a\": invalid key \"x\" on line 2\n"
    "\t* path \"a\": invalid key \"y\" on line 3\n\n" },
  { "bad-syntax-is-refused-with-its-place", "path \"a\" {",
    "failed to parse policy: At 1:12: object expected closing RBRACE got: EOF" },
  { "an-unknown-capability-is-refused", "path \"a\" { capabilities = [\"zip\"] }",
    "failed to parse policy: path \"a\": invalid capability \"zip\"" },
  { "root-is-no-capability", "path \"a\" { capabilities = [\"root\"] }",
    "failed to parse policy: path \"a\": invalid capability \"root\"" },
  { "an-unknown-old-policy-is-refused", "path \"a\" { policy = \"zip\" }",
    "failed to parse policy: path \"a\": invalid policy \"zip\"" },
  { "plus-star-is-refused", "path \"a/+*\" { policy = \"read\" }",
    "failed to parse policy: path \"a/+*\": invalid use of wildcards ('+*' is forbidden)" },
  { "a-brace-that-is-not-closed-is-refused", "path \"a/{{x\" { policy = \"read\" }",
    "failed to parse policy: failed to validate policy templating: unbalanced templating "
    "characters" },
  { "a-brace-that-is-not-opened-is-refused", "path \"a/x}}\" { policy = \"read\" }",
    "failed to parse policy: failed to validate policy templating: unbalanced templating "
    "characters" },
  { "nested-braces-are-refused", "path \"a/{{x{{y}}}}\" { policy = \"read\" }",
    "failed to parse policy: failed to validate policy templating: unbalanced templating "
    "characters" },
  { "a-max-wrapping-below-the-min-is-refused",
    "path \"a\" { min_wrapping_ttl = \"2m\" max_wrapping_ttl = 60 }",
    "failed to parse policy: max_wrapping_ttl cannot be less than min_wrapping_ttl" },
  { "parameters-that-are-no-object-are-refused", "path \"a\" { allowed_parameters = [\"x\"] }",
    "failed to parse policy: path \"a\": allowed_parameters must be an object" },
};

static void
test_parse (gconstpointer data)
{
  const ParseRow *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnPolicy) policy = bawn_policy_parse ("p", row->text, &error);

  if (row->message != NULL)
    {
      g_assert_null (policy);
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      g_assert_cmpstr (error->message, ==, row->message);
      return;
    }

  g_assert_no_error (error);
  g_assert_cmpstr (bawn_policy_get_text (policy), ==, row->text);
  g_assert_cmpstr (bawn_policy_get_name (policy), ==, "p");
}

typedef struct
{
  const char *names;
  gboolean add_default;
  const char *clean;
} NamesRow;

static void
test_names_are_cleaned (void)
{
  static const NamesRow rows[] = {
    { "", FALSE, "" },
    { "", TRUE, "default" },
    { "B,a, A ,b", FALSE, "a,b" },
    { "zed,apple", TRUE, "apple,default,zed" },
    { "default,a", TRUE, "a,default" },
    { "a,Root,b", TRUE, "root" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_auto (GStrv) names = g_strsplit (rows[i].names, ",", -1);
      g_auto (GStrv) clean =
          bawn_policy_names_clean ((const char *const *) names, rows[i].add_default);
      g_autofree char *joined = g_strjoinv (",", clean);

      g_assert_cmpstr (joined, ==, rows[i].clean);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (parse_rows); i++)
    {
      g_autofree char *path = g_strconcat ("/auth/policy/parse/", parse_rows[i].name, NULL);
      g_test_add_data_func (path, &parse_rows[i], test_parse);
    }
  g_test_add_func ("/auth/policy/names-are-cleaned", test_names_are_cleaned);

  return g_test_run ();
}
