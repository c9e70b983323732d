/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-policy.h"

#include <string.h>

#define R "{ capabilities = [\"read\"] }\n"
#define L "{ capabilities = [\"list\"] }\n"
#define D "{ capabilities = [\"deny\"] }\n"
#define S "{ capabilities = [\"read\", \"sudo\"] }\n"
#define NO "{ capabilities = [\"delete\"] }\n"

/* Policies in one text are parted by this. */
#define NEXT "---"

typedef struct
{
  const char *name;
  const char *policies;
  BawnOp op;
  const char *path;
  gboolean allowed;
  gboolean sudo;
  const char *data;
  gint wrap_s;
} Row;

#define PARAMS(more) "path \"a\" { capabilities = [\"update\", \"read\", \"delete\"] " more " }"

static const Row rows[] = {
  { "nothing-is-allowed-by-nothing", "", BAWN_OP_READ, "a", FALSE },
  { "help-needs-nothing", "", BAWN_OP_HELP, "a", TRUE },
  { "an-exact-path-fits", "path \"a/b\"" R, BAWN_OP_READ, "a/b", TRUE },
  { "an-exact-path-does-not-fit-below", "path \"a/b\"" R, BAWN_OP_READ, "a/b/c", FALSE },
  { "an-exact-path-does-not-fit-with-a-slash", "path \"a/b\"" R, BAWN_OP_READ, "a/b/", FALSE },
  { "a-leading-slash-is-no-part-of-a-path", "path \"/a/b\"" R, BAWN_OP_READ, "a/b", TRUE },
  { "the-operation-must-be-granted", "path \"a\"" R, BAWN_OP_UPDATE, "a", FALSE },
  { "create-is-not-update", "path \"a\" { capabilities = [\"create\"] }", BAWN_OP_UPDATE, "a",
    FALSE },
  { "create-is-create", "path \"a\" { capabilities = [\"create\"] }", BAWN_OP_CREATE, "a", TRUE },
  { "patch-is-its-own", "path \"a\" { capabilities = [\"update\"] }", BAWN_OP_PATCH, "a", FALSE },
  { "patch-is-patch", "path \"a\" { capabilities = [\"patch\"] }", BAWN_OP_PATCH, "a", TRUE },
  { "delete-is-delete", "path \"a\" { capabilities = [\"delete\"] }", BAWN_OP_DELETE, "a", TRUE },
  { "sudo-is-told", "path \"a\"" S, BAWN_OP_READ, "a", TRUE, TRUE },
  { "sudo-is-told-of-what-is-refused", "path \"a\"" S, BAWN_OP_UPDATE, "a", FALSE, TRUE },
  { "a-list-fits-the-path-without-its-slash", "path \"a\"" L, BAWN_OP_LIST, "a/", TRUE },
  { "a-list-prefers-the-path-with-its-slash", "path \"a\"" L "path \"a/\"" D, BAWN_OP_LIST, "a/",
    FALSE },
  { "a-read-keeps-its-slash", "path \"a\"" R, BAWN_OP_READ, "a/", FALSE },
  { "a-prefix-fits-what-begins-with-it", "path \"a/b*\"" R, BAWN_OP_READ, "a/bcd/e", TRUE },
  { "a-prefix-fits-itself", "path \"a/b*\"" R, BAWN_OP_READ, "a/b", TRUE },
  { "a-prefix-with-a-slash-needs-it", "path \"a/*\"" R, BAWN_OP_READ, "a", FALSE },
  { "a-prefix-fits-the-empty-rest", "path \"a/*\"" L, BAWN_OP_LIST, "a/", TRUE },
  { "a-star-alone-fits-all", "path \"*\"" R, BAWN_OP_READ, "x/y", TRUE },
  { "a-star-in-the-middle-is-itself", "path \"a/*/b\"" R, BAWN_OP_READ, "a/x/b", FALSE },
  { "a-star-in-the-middle-fits-itself", "path \"a/*/b\"" R, BAWN_OP_READ, "a/*/b", TRUE },
  { "the-longest-prefix-counts", "path \"a*\"" R "path \"a/b*\"" NO "path \"a/b/c*\"" R,
    BAWN_OP_READ, "a/b/x", FALSE },
  { "the-longest-prefix-counts-deeper", "path \"a*\"" R "path \"a/b*\"" NO "path \"a/b/c*\"" R,
    BAWN_OP_READ, "a/b/cx", TRUE },
  { "a-neighbour-in-order-is-no-prefix", "path \"a*\"" R "path \"a/b*\"" NO, BAWN_OP_READ, "a/c",
    TRUE },
  { "an-exact-path-wins-over-a-prefix", "path \"a/*\"" R "path \"a/b\"" NO, BAWN_OP_READ, "a/b",
    FALSE },
  { "an-exact-path-wins-over-a-plus", "path \"a/+\"" D "path \"a/b\"" R, BAWN_OP_READ, "a/b",
    TRUE },
  { "paths-are-not-united", "path \"a/*\" { capabilities = [\"read\", \"list\"] } path \"a/b\"" NO,
    BAWN_OP_READ, "a/b", FALSE },
  { "a-plus-fits-a-segment", "path \"a/+/c\"" R, BAWN_OP_READ, "a/b/c", TRUE },
  { "a-plus-does-not-fit-two-segments", "path \"a/+/c\"" R, BAWN_OP_READ, "a/b/b/c", FALSE },
  { "a-plus-does-not-fit-none", "path \"a/+/c\"" R, BAWN_OP_READ, "a/c", FALSE },
  { "a-plus-at-the-end-fits-one", "path \"a/+\"" R, BAWN_OP_READ, "a/b", TRUE },
  { "a-plus-at-the-end-does-not-fit-more", "path \"a/+\"" R, BAWN_OP_READ, "a/b/c", FALSE },
  { "a-plus-fits-an-empty-segment", "path \"a/+\"" L, BAWN_OP_LIST, "a/", TRUE },
  { "a-plus-in-front-fits", "path \"+/b\"" R, BAWN_OP_READ, "a/b", TRUE },
  { "a-plus-alone-is-itself", "path \"+\"" R, BAWN_OP_READ, "a", FALSE },
  { "a-plus-in-a-segment-is-itself", "path \"a/b+/c\"" R, BAWN_OP_READ, "a/bx/c", FALSE },
  { "two-pluses-fit", "path \"+/+/c\"" R, BAWN_OP_READ, "a/b/c", TRUE },
  { "a-plus-and-a-star-combine", "path \"a/+/b*\"" R, BAWN_OP_READ, "a/x/bc/d", TRUE },
  { "a-plus-and-a-star-fit-exactly", "path \"a/+/b*\"" R, BAWN_OP_READ, "a/x/b", TRUE },
  { "a-plus-and-a-star-fit-below", "path \"a/+/b*\"" R, BAWN_OP_READ, "a/x/b/y", TRUE },
  { "a-plus-and-a-star-need-the-beginning", "path \"a/+/b*\"" R, BAWN_OP_READ, "a/x/c", FALSE },
  { "a-plus-and-a-slash-star-fit-below", "path \"a/+/*\"" R, BAWN_OP_READ, "a/x/y/z", TRUE },
  { "a-plus-and-a-slash-star-need-the-slash", "path \"a/+/*\"" R, BAWN_OP_READ, "a/x", FALSE },
  /* ties: a later wildcard, then no star, then fewer pluses, then longer, then greater */
  { "a-later-wildcard-wins", "path \"a/+/c\"" R "path \"a/b/+\"" NO, BAWN_OP_READ, "a/b/c", FALSE },
  { "a-later-star-wins-over-a-plus", "path \"a/+/c\"" R "path \"a/b*\"" NO, BAWN_OP_READ, "a/b/c",
    FALSE },
  { "a-later-plus-wins-over-a-star", "path \"a*\"" NO "path \"a/+/c\"" R, BAWN_OP_READ, "a/b/c",
    TRUE },
  { "a-plus-wins-over-a-star-at-the-same-place", "path \"a/*\"" NO "path \"a/+\"" R, BAWN_OP_READ,
    "a/b", TRUE },
  { "without-a-star-wins-over-with", "path \"a/+/b*\"" NO "path \"a/+/bc\"" R, BAWN_OP_READ,
    "a/x/bc", TRUE },
  { "fewer-pluses-win", "path \"a/+/+\"" NO "path \"a/+/c\"" R, BAWN_OP_READ, "a/b/c", TRUE },
  { "the-longer-one-wins", "path \"a/+/b*\"" NO "path \"a/+/bc*\"" R, BAWN_OP_READ, "a/x/bcd",
    TRUE },
  { "the-greater-one-wins", "path \"a/+/b/+\"" NO "path \"a/+/+/c\"" R, BAWN_OP_READ, "a/x/b/c",
    FALSE },
  /* deny */
  { "deny-wipes-the-rest-of-its-rule",
    "path \"a\" { capabilities = [\"read\", \"deny\", \"sudo\"] }", BAWN_OP_READ, "a", FALSE,
    FALSE },
  { "deny-wins-in-another-policy", "path \"a\"" S NEXT "path \"a\"" D, BAWN_OP_READ, "a", FALSE,
    FALSE },
  { "deny-wins-whatever-the-order", "path \"a\"" D NEXT "path \"a\"" S, BAWN_OP_READ, "a", FALSE,
    FALSE },
  { "deny-of-a-prefix-gives-way-to-a-longer-one", "path \"a/*\"" D NEXT "path \"a/b/*\"" R,
    BAWN_OP_READ, "a/b/c", TRUE },
  { "capabilities-of-the-same-path-are-united", "path \"a\"" L NEXT "path \"a\"" R, BAWN_OP_READ,
    "a", TRUE },
  { "the-same-path-twice-in-a-policy-is-united", "path \"a\"" L "path \"a\"" R, BAWN_OP_LIST, "a",
    TRUE },
  { "an-exact-and-a-prefix-of-the-same-text-are-two", "path \"a\"" NO NEXT "path \"a*\"" R,
    BAWN_OP_READ, "a", FALSE },
  { "a-plus-and-its-star-are-two", "path \"+/a\"" D NEXT "path \"+/a*\"" R, BAWN_OP_READ, "x/ab",
    TRUE },
  /* the old form */
  { "old-read-lists", "path \"a\" { policy = \"read\" }", BAWN_OP_LIST, "a", TRUE },
  { "old-read-does-not-write", "path \"a\" { policy = \"read\" }", BAWN_OP_UPDATE, "a", FALSE },
  { "old-write-writes", "path \"a\" { policy = \"write\" }", BAWN_OP_CREATE, "a", TRUE },
  { "old-write-is-no-sudo", "path \"a\" { policy = \"write\" }", BAWN_OP_DELETE, "a", TRUE, FALSE },
  { "old-sudo-is-sudo", "path \"a\" { policy = \"sudo\" }", BAWN_OP_DELETE, "a", TRUE, TRUE },
  { "old-deny-denies", "path \"a\" { policy = \"deny\" capabilities = [\"read\"] }", BAWN_OP_READ,
    "a", FALSE },
  { "a-templated-path-is-dropped", "path \"a/{{identity.entity.id}}\"" R, BAWN_OP_READ,
    "a/{{identity.entity.id}}", FALSE },
  { "a-templated-prefix-is-dropped", "path \"{{x}}*\"" R, BAWN_OP_READ, "a", FALSE },
  /* parameters */
  { "an-allowed-name-passes", PARAMS ("allowed_parameters = { \"x\" = [] }"), BAWN_OP_UPDATE, "a",
    TRUE, FALSE, "{\"x\":1}" },
  { "a-name-that-is-not-allowed-is-refused", PARAMS ("allowed_parameters = { \"x\" = [] }"),
    BAWN_OP_UPDATE, "a", FALSE, FALSE, "{\"x\":1,\"y\":2}" },
  { "no-parameters-pass", PARAMS ("allowed_parameters = { \"x\" = [] }"), BAWN_OP_UPDATE, "a",
    TRUE },
  { "an-empty-object-passes", PARAMS ("denied_parameters = { \"*\" = [] }"), BAWN_OP_UPDATE, "a",
    TRUE, FALSE, "{}" },
  { "an-allowed-value-passes", PARAMS ("allowed_parameters = { \"x\" = [\"1\", \"b*\"] }"),
    BAWN_OP_UPDATE, "a", TRUE, FALSE, "{\"x\":\"bee\"}" },
  { "a-value-that-is-not-allowed-is-refused",
    PARAMS ("allowed_parameters = { \"x\" = [\"1\", \"b*\"] }"), BAWN_OP_UPDATE, "a", FALSE, FALSE,
    "{\"x\":\"ebb\"}" },
  { "both-of-a-name-sent-twice-are-checked", PARAMS ("allowed_parameters = { \"x\" = [\"1\"] }"),
    BAWN_OP_UPDATE, "a", FALSE, FALSE, "{\"x\":\"2\",\"x\":\"1\"}" },
  { "a-star-in-front-fits-ends", PARAMS ("allowed_parameters = { \"x\" = [\"*b\"] }"),
    BAWN_OP_UPDATE, "a", TRUE, FALSE, "{\"x\":\"eb\"}" },
  { "two-stars-fit-inside", PARAMS ("allowed_parameters = { \"x\" = [\"*b*\"] }"), BAWN_OP_UPDATE,
    "a", TRUE, FALSE, "{\"x\":\"abc\"}" },
  { "a-star-as-value-is-itself", PARAMS ("allowed_parameters = { \"x\" = [\"*\"] }"),
    BAWN_OP_UPDATE, "a", FALSE, FALSE, "{\"x\":\"abc\"}" },
  { "numbers-are-compared", PARAMS ("allowed_parameters = { \"x\" = [5, true] }"), BAWN_OP_UPDATE,
    "a", TRUE, FALSE, "{\"x\":5}" },
  { "a-number-is-no-string", PARAMS ("allowed_parameters = { \"x\" = [5] }"), BAWN_OP_UPDATE, "a",
    FALSE, FALSE, "{\"x\":\"5\"}" },
  { "truths-are-compared", PARAMS ("allowed_parameters = { \"x\" = [5, true] }"), BAWN_OP_UPDATE,
    "a", TRUE, FALSE, "{\"x\":true}" },
  { "lists-are-compared", PARAMS ("allowed_parameters = { \"x\" = [[\"a\", 1]] }"), BAWN_OP_UPDATE,
    "a", TRUE, FALSE, "{\"x\":[\"a\",1]}" },
  { "a-star-allows-other-names", PARAMS ("allowed_parameters = { \"*\" = [] \"x\" = [\"1\"] }"),
    BAWN_OP_UPDATE, "a", TRUE, FALSE, "{\"y\":2}" },
  { "a-star-keeps-values-of-names", PARAMS ("allowed_parameters = { \"*\" = [] \"x\" = [\"1\"] }"),
    BAWN_OP_UPDATE, "a", FALSE, FALSE, "{\"x\":\"2\"}" },
  { "a-denied-name-is-refused", PARAMS ("denied_parameters = { \"x\" = [] }"), BAWN_OP_UPDATE, "a",
    FALSE, FALSE, "{\"x\":1}" },
  { "a-denied-name-is-refused-in-any-case", PARAMS ("denied_parameters = { \"Xy\" = [] }"),
    BAWN_OP_UPDATE, "a", FALSE, FALSE, "{\"xY\":1}" },
  { "a-denied-name-beyond-ascii-is-refused-in-any-case",
    PARAMS ("denied_parameters = { \"Äx\" = [] }"), BAWN_OP_UPDATE, "a", FALSE, FALSE,
    "{\"äX\":1}" },
  { "a-denied-value-is-refused", PARAMS ("denied_parameters = { \"x\" = [\"bad*\"] }"),
    BAWN_OP_UPDATE, "a", FALSE, FALSE, "{\"x\":\"badly\"}" },
  { "another-value-is-not-denied", PARAMS ("denied_parameters = { \"x\" = [\"bad*\"] }"),
    BAWN_OP_UPDATE, "a", TRUE, FALSE, "{\"x\":\"good\"}" },
  { "a-denied-star-refuses-any", PARAMS ("denied_parameters = { \"*\" = [] }"), BAWN_OP_UPDATE, "a",
    FALSE, FALSE, "{\"z\":1}" },
  { "denied-wins-over-allowed",
    PARAMS ("allowed_parameters = { \"x\" = [] } denied_parameters = { \"x\" = [] }"),
    BAWN_OP_UPDATE, "a", FALSE, FALSE, "{\"x\":1}" },
  { "required-must-be-there", PARAMS ("required_parameters = [\"x\", \"y\"]"), BAWN_OP_UPDATE, "a",
    FALSE, FALSE, "{\"x\":1}" },
  { "required-is-there", PARAMS ("required_parameters = [\"x\", \"y\"]"), BAWN_OP_UPDATE, "a", TRUE,
    FALSE, "{\"x\":1,\"y\":null}" },
  { "required-is-missed-without-data", PARAMS ("required_parameters = [\"x\"]"), BAWN_OP_UPDATE,
    "a", FALSE },
  { "a-delete-has-no-parameters", PARAMS ("required_parameters = [\"x\"]"), BAWN_OP_DELETE, "a",
    TRUE },
  { "a-read-has-parameters", PARAMS ("denied_parameters = { \"x\" = [] }"), BAWN_OP_READ, "a",
    FALSE, FALSE, "{\"x\":\"1\"}" },
  { "values-of-two-policies-are-united",
    PARAMS ("allowed_parameters = { \"x\" = [\"1\"] }")
        NEXT PARAMS ("allowed_parameters = { \"x\" = [\"2\"] \"y\" = [] }"),
    BAWN_OP_UPDATE, "a", TRUE, FALSE, "{\"x\":\"1\",\"y\":7}" },
  { "any-value-of-two-policies-wins",
    PARAMS ("allowed_parameters = { \"x\" = [\"1\"] }")
        NEXT PARAMS ("allowed_parameters = { \"x\" = [] }"),
    BAWN_OP_UPDATE, "a", TRUE, FALSE, "{\"x\":\"9\"}" },
  { "any-value-denied-of-two-policies-wins",
    PARAMS ("denied_parameters = { \"x\" = [] }")
        NEXT PARAMS ("denied_parameters = { \"x\" = [\"1\"] }"),
    BAWN_OP_UPDATE, "a", FALSE, FALSE, "{\"x\":\"9\"}" },
  { "required-of-two-policies-is-united",
    PARAMS ("required_parameters = [\"x\"]") NEXT PARAMS ("required_parameters = [\"y\"]"),
    BAWN_OP_UPDATE, "a", FALSE, FALSE, "{\"x\":\"9\"}" },
  /* wrapping */
  { "a-max-wants-wrapping", PARAMS ("max_wrapping_ttl = \"1m\""), BAWN_OP_READ, "a", FALSE },
  { "a-max-is-kept", PARAMS ("max_wrapping_ttl = \"1m\""), BAWN_OP_READ, "a", TRUE, FALSE, NULL,
    60 },
  { "a-max-is-not-passed", PARAMS ("max_wrapping_ttl = \"1m\""), BAWN_OP_READ, "a", FALSE, FALSE,
    NULL, 61 },
  { "a-min-wants-wrapping", PARAMS ("min_wrapping_ttl = 60"), BAWN_OP_READ, "a", FALSE },
  { "a-min-is-reached", PARAMS ("min_wrapping_ttl = 60"), BAWN_OP_READ, "a", TRUE, FALSE, NULL,
    60 },
  { "a-min-is-not-reached", PARAMS ("min_wrapping_ttl = 60"), BAWN_OP_READ, "a", FALSE, FALSE, NULL,
    59 },
  { "the-smaller-max-counts",
    PARAMS ("max_wrapping_ttl = 60") NEXT PARAMS ("max_wrapping_ttl = 30"), BAWN_OP_READ, "a",
    FALSE, FALSE, NULL, 45 },
  { "the-smaller-min-counts",
    PARAMS ("min_wrapping_ttl = 60") NEXT PARAMS ("min_wrapping_ttl = 30"), BAWN_OP_READ, "a", TRUE,
    FALSE, NULL, 45 },
};

static BawnAcl *
acl_of (const char *texts)
{
  g_auto (GStrv) parts = g_strsplit (texts, NEXT, -1);
  g_autoptr (GPtrArray) policies =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_policy_unref);

  for (char **part = parts; *part != NULL; part++)
    {
      g_autoptr (GError) error = NULL;
      BawnPolicy *policy = bawn_policy_parse ("p", *part, &error);

      g_assert_no_error (error);
      g_ptr_array_add (policies, policy);
    }

  return bawn_acl_new ((BawnPolicy **) policies->pdata, policies->len);
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (BawnAcl) acl = acl_of (row->policies);
  g_autoptr (BawnRequest) request = bawn_request_new (row->op, row->path);
  gboolean sudo = !row->sudo;

  if (row->data != NULL)
    request->data = bawn_json_parse_string (row->data, NULL);
  request->wrap_ttl_us = row->wrap_s * G_USEC_PER_SEC;

  g_assert_cmpint (bawn_acl_allows (acl, request, &sudo), ==, row->allowed);
  g_assert_cmpint (sudo, ==, row->sudo);
}

static void
assert_capabilities (BawnAcl *acl, const char *path, const char *expected)
{
  g_auto (GStrv) names = bawn_acl_capabilities (acl, path);
  g_autofree char *joined = g_strjoinv (" ", names);

  g_assert_cmpstr (joined, ==, expected);
}

static void
test_capabilities_are_told_sorted (void)
{
  g_autoptr (BawnAcl) acl =
      acl_of ("path \"a/*\" { capabilities = [\"update\", \"list\", \"sudo\", \"patch\", \"read\", "
              "\"delete\", \"create\"] } path \"a/d\"" D "path \"e\" { }");

  assert_capabilities (acl, "a/b", "create delete list patch read sudo update");
  assert_capabilities (acl, "a/d", "deny");
  assert_capabilities (acl, "e", "deny");
  assert_capabilities (acl, "e/", "deny");
  assert_capabilities (acl, "zzz", "deny");
}

static void
test_root_may_do_everything (void)
{
  g_autoptr (BawnAcl) acl = bawn_acl_new_root ();
  g_autoptr (BawnRequest) request = bawn_request_new (BAWN_OP_DELETE, "sys/x");
  gboolean sudo = FALSE;

  g_assert_true (bawn_acl_is_root (acl));
  g_assert_true (bawn_acl_allows (acl, request, &sudo));
  g_assert_true (sudo);
  g_assert_true (bawn_acl_touches (acl, "any/"));
  assert_capabilities (acl, "sys/x", "root");
}

static void
test_touching_sees_what_lies_below (void)
{
  static const struct
  {
    const char *policy;
    gboolean touches; /* "secret/foo/" */
  } cases[] = {
    { "path \"secret/foo/\"" R, TRUE },
    { "path \"secret/foo\"" R, TRUE },
    { "path \"secret/foo/bar\"" R, TRUE },
    { "path \"secret/foo/bar\"" D, FALSE },
    { "path \"secret/foo/bar*\"" R, TRUE },
    { "path \"secret/foo/bar*\"" D, FALSE },
    { "path \"sec*\"" R, TRUE },
    { "path \"secret/foobar*\"" R, FALSE },
    { "path \"secret/fo\"" R, FALSE },
    { "path \"secret/+/bar\"" R, TRUE },
    { "path \"secret/+/bar\"" D, FALSE },
    { "path \"+/foo/bar/baz\"" R, TRUE },
    { "path \"+/boo/bar\"" R, FALSE },
    { "path \"secret/+\"" R, FALSE },
    { "path \"+/f*\"" R, TRUE },
    { "path \"other/*\"" R, FALSE },
    { "path \"*\"" D "path \"secret/foo/x\"" R, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (BawnAcl) acl = acl_of (cases[i].policy);

      if (bawn_acl_touches (acl, "secret/foo/") != cases[i].touches)
        g_error ("wrong for %s", cases[i].policy);
    }
}

static void
test_rules_are_written (void)
{
  g_autoptr (BawnAcl) acl =
      acl_of ("path \"b\"" R "path \"a\"" D "path \"c/*\"" S "path \"+/d*\"" L);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_acl_write (acl, &w);

  g_autoptr (GBytes) text = bawn_json_writer_finish (&w);
  g_autofree char *string = g_strndup (g_bytes_get_data (text, NULL), g_bytes_get_size (text));

  g_assert_cmpstr (string, ==,
                   "{\"root\":false,\"exact_paths\":{\"a\":{\"capabilities\":[\"deny\"]},"
                   "\"b\":{\"capabilities\":[\"read\"]}},"
                   "\"glob_paths\":{\"c/\":{\"capabilities\":[\"read\",\"sudo\"]},"
                   "\"+/d*\":{\"capabilities\":[\"list\"]}}}");
}

/* A slow second opinion, made of the rules' text alone. */

typedef struct
{
  const char *text;
  const char *capability;
} Stated;

static gboolean
is_segmented (const char *rule)
{
  return strstr (rule, "/+") != NULL || g_str_has_prefix (rule, "+/");
}

static gboolean
stated_fits (const char *rule, const char *path)
{
  gboolean star = g_str_has_suffix (rule, "*");
  g_autofree char *bare = g_strndup (rule, strlen (rule) - (star ? 1 : 0));

  if (!is_segmented (rule))
    return star ? g_str_has_prefix (path, bare) : g_str_equal (path, bare);

  g_auto (GStrv) want = g_strsplit (bare, "/", -1);
  g_auto (GStrv) have = g_strsplit (path, "/", -1);
  guint n = g_strv_length (want);
  guint m = g_strv_length (have);

  if (m < n || (!star && m != n))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      gboolean last = star && i == n - 1;

      if (!g_str_equal (want[i], "+") && !g_str_equal (want[i], have[i])
          && !(last && g_str_has_prefix (have[i], want[i])))
        return FALSE;
    }

  return TRUE;
}

static int
count_pluses (const char *rule)
{
  g_auto (GStrv) parts = g_strsplit (rule, "/", -1);
  int n = 0;

  for (char **part = parts; is_segmented (rule) && *part != NULL; part++)
    n += g_str_equal (*part, "+") || g_str_equal (*part, "+*");

  return n;
}

static int
first_wildcard (const char *rule)
{
  return is_segmented (rule) ? (int) strcspn (rule, "+") : (int) strlen (rule) - 1;
}

static int
compare_stated (const char *a, const char *b)
{
  gboolean star_a = g_str_has_suffix (a, "*");
  gboolean star_b = g_str_has_suffix (b, "*");
  g_autofree char *bare_a = g_strndup (a, strlen (a) - (star_a ? 1 : 0));
  g_autofree char *bare_b = g_strndup (b, strlen (b) - (star_b ? 1 : 0));

  if (first_wildcard (a) != first_wildcard (b))
    return first_wildcard (a) - first_wildcard (b);
  if (star_a != star_b)
    return star_b - star_a;
  if (count_pluses (a) != count_pluses (b))
    return count_pluses (b) - count_pluses (a);
  if (strlen (bare_a) != strlen (bare_b))
    return (int) strlen (bare_a) - (int) strlen (bare_b);

  return strcmp (bare_a, bare_b);
}

static const char *
slow_answer (const Stated *rules, guint n, const char *path)
{
  const Stated *best = NULL;

  for (guint i = 0; i < n; i++)
    if (!is_segmented (rules[i].text) && !g_str_has_suffix (rules[i].text, "*")
        && g_str_equal (rules[i].text, path))
      return rules[i].capability;
  for (guint i = 0; i < n; i++)
    {
      gboolean wild = is_segmented (rules[i].text) || g_str_has_suffix (rules[i].text, "*");

      if (wild && stated_fits (rules[i].text, path)
          && (best == NULL || compare_stated (rules[i].text, best->text) > 0))
        best = &rules[i];
    }

  return best != NULL ? best->capability : "deny";
}

static char *
random_path (GRand *rand, gboolean pattern)
{
  static const char *const pieces[] = { "a", "b", "ab", "ba", "+", "c" };
  GString *path = g_string_new (NULL);
  int n = g_rand_int_range (rand, 1, 5);

  for (int i = 0; i < n; i++)
    {
      int piece = g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces));

      if (i > 0)
        g_string_append_c (path, '/');
      if (pieces[piece][0] == '+' && !pattern)
        piece = 0;
      g_string_append (path, pieces[piece]);
    }
  if (g_rand_int_range (rand, 0, 4) == 0)
    g_string_append_c (path, '/');
  if (pattern && g_rand_boolean (rand) && path->str[path->len - 1] != '+')
    g_string_append_c (path, '*');

  return g_string_free (path, FALSE);
}

static gboolean
is_stated (const Stated *rules, guint n, const char *text)
{
  for (guint i = 0; i < n; i++)
    if (g_str_equal (rules[i].text, text))
      return TRUE;

  return FALSE;
}

#define RULES 12
#define PATHS 40
#define ROUNDS 400

static void
try_random_policy (GRand *rand)
{
  static const char *const capabilities[] = {
    "create", "read", "update", "delete", "list", "deny"
  };
  Stated rules[RULES];
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GPtrArray) memory = g_ptr_array_new_with_free_func (g_free);
  guint n = 0;

  while (n < RULES)
    {
      char *path = random_path (rand, TRUE);

      g_ptr_array_add (memory, path);
      if (is_stated (rules, n, path))
        continue;
      rules[n].text = path;
      rules[n].capability = capabilities[g_rand_int_range (rand, 0, G_N_ELEMENTS (capabilities))];
      g_string_append_printf (text, "path \"%s\" { capabilities = [\"%s\"] }\n", path,
                              rules[n].capability);
      n++;
    }

  g_autoptr (BawnAcl) acl = acl_of (text->str);

  for (guint i = 0; i < PATHS; i++)
    {
      g_autofree char *path = random_path (rand, FALSE);
      g_auto (GStrv) names = NULL;

      /* Capabilities are asked for as by a list, which has one more rule for a '/' at the end. */
      if (g_str_has_suffix (path, "/"))
        continue;
      names = bawn_acl_capabilities (acl, path);
      if (g_strcmp0 (names[0], slow_answer (rules, n, path)) != 0)
        g_error ("%s is answered with %s by\n%s", path, names[0], text->str);
    }
}

static void
test_random_policies_agree_with_a_slow_reading (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32) g_test_rand_int ());

  for (guint i = 0; i < ROUNDS; i++)
    try_random_policy (rand);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strconcat ("/auth/acl/", rows[i].name, NULL);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/auth/acl/capabilities-are-told-sorted", test_capabilities_are_told_sorted);
  g_test_add_func ("/auth/acl/root-may-do-everything", test_root_may_do_everything);
  g_test_add_func ("/auth/acl/touching-sees-what-lies-below", test_touching_sees_what_lies_below);
  g_test_add_func ("/auth/acl/rules-are-written", test_rules_are_written);
  g_test_add_func ("/auth/acl/random-policies-agree-with-a-slow-reading",
                   test_random_policies_agree_with_a_slow_reading);

  return g_test_run ();
}
