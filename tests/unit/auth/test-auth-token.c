/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/auth/bawn-auth-fixture.h"

#include <string.h>

#define READ BAWN_OP_READ
#define LIST BAWN_OP_LIST
#define WRITE BAWN_OP_UPDATE
#define DELETE BAWN_OP_DELETE

/* 768 hours, the longest life. */
#define MONTH "2764800"

/* Who asks. */
typedef enum
{
  ROOT,
  EXPIRING_ROOT,
  SUDO,  /* policies "a default", with sudo on the path */
  PLAIN, /* policies "a b default" */
  BARE,  /* policy "a" */
} Caller;

typedef struct
{
  const char *name;
  Caller caller;
  const char *path;
  const char *body;
  const char *expected;
} CreateRow;

#define SUBSET "INVALID child policies must be subset of parent"

static const CreateRow create_rows[] = {
  { "root-makes-root", ROOT, "create", NULL, "auth root token ttl=0 uses=0" },
  { "root-makes-root-that-ends", ROOT, "create", "{\"ttl\":\"1h\"}",
    "auth root token ttl=3600 renewable uses=0" },
  { "root-makes-root-with-an-explicit-max", ROOT, "create", "{\"explicit_max_ttl\":60}",
    "auth root token ttl=60 renewable uses=0" },
  { "nulls-are-absent", ROOT, "create",
    "{\"ttl\":null,\"policies\":null,\"renewable\":null,\"meta\":null,\"id\":null,\"period\":null}",
    "auth root token ttl=0 uses=0" },
  { "what-the-command-line-sends", ROOT, "create",
    "{\"policies\":[\"a\"],\"meta\":{\"n\":5},\"ttl\":\"1h0m0s\",\"explicit_max_ttl\":\"0s\","
    "\"period\":\"0s\",\"display_name\":\"x\",\"num_uses\":0,\"renewable\":true,\"type\":"
    "\"service\","
    "\"no_default_policy\":false,\"no_parent\":false,\"entity_alias\":\"\"}",
    "auth a,default token-x ttl=3600 renewable uses=0" },
  { "policies-as-a-string", ROOT, "create", "{\"policies\":\"B, a,a\"}",
    "auth a,b,default token ttl=" MONTH " renewable uses=0" },
  { "an-expiring-root-makes-none-that-lasts", EXPIRING_ROOT, "create", NULL,
    "INVALID expiring root tokens cannot create non-expiring root tokens" },
  { "an-expiring-root-makes-one-that-ends", EXPIRING_ROOT, "create", "{\"ttl\":60}",
    "auth root token ttl=60 renewable uses=0" },
  { "root-swallows-other-policies", ROOT, "create", "{\"policies\":[\"a\",\"root\"],\"ttl\":9}",
    "auth root token ttl=9 renewable uses=0" },
  { "without-policies-all-of-the-parent", PLAIN, "create", NULL,
    "auth a,b,default token ttl=" MONTH " renewable uses=0" },
  { "without-policies-no-default-is-added", BARE, "create", NULL,
    "auth a token ttl=" MONTH " renewable uses=0" },
  { "a-subset-with-default", PLAIN, "create", "{\"policies\":[\"b\"]}",
    "auth b,default token ttl=" MONTH " renewable uses=0" },
  { "a-subset-without-default", PLAIN, "create",
    "{\"policies\":[\"b\"],\"no_default_policy\":true}",
    "auth b token ttl=" MONTH " renewable uses=0" },
  { "a-subset-of-one-without-default", BARE, "create", "{\"policies\":[\"a\"]}",
    "auth a token ttl=" MONTH " renewable uses=0" },
  { "no-more-than-the-parent", PLAIN, "create", "{\"policies\":[\"c\"]}", SUBSET },
  { "no-default-that-the-parent-lacks", BARE, "create", "{\"policies\":[\"default\"]}", SUBSET },
  { "not-root", PLAIN, "create", "{\"policies\":[\"root\"]}", SUBSET },
  { "not-root-with-others", PLAIN, "create", "{\"policies\":[\"a\",\"ROOT \"]}", SUBSET },
  { "with-sudo-any", SUDO, "create", "{\"policies\":[\"c\"]}",
    "auth c,default token ttl=" MONTH " renewable uses=0" },
  { "with-sudo-not-root", SUDO, "create", "{\"policies\":[\"root\"]}",
    "INVALID root tokens may not be created without parent token being root" },
  { "an-unknown-policy-is-told", ROOT, "create", "{\"policies\":[\"zz\"]}",
    "auth default,zz token ttl=" MONTH " renewable uses=0 !Policy \"zz\" does not exist" },
  { "not-response-wrapping", ROOT, "create", "{\"policies\":[\"response-wrapping\"]}",
    "INVALID cannot assign policy \"response-wrapping\"" },
  { "not-control-group", ROOT, "create", "{\"policies\":[\"control-group\"]}",
    "INVALID cannot assign policy \"control-group\"" },
  { "too-long-is-capped", PLAIN, "create", "{\"ttl\":\"100000h\"}",
    "auth a,b,default token ttl=" MONTH
    " renewable uses=0 !TTL of \"100000h\" exceeded the effective "
    "max_ttl of \"768h\"; TTL value is capped accordingly" },
  { "an-explicit-max-caps", PLAIN, "create", "{\"ttl\":\"2h\",\"explicit_max_ttl\":\"1h\"}",
    "auth a,b,default token ttl=3600 renewable uses=0 !TTL of \"2h\" exceeded the effective "
    "max_ttl "
    "of \"1h\"; TTL value is capped accordingly" },
  { "the-old-lease-is-a-ttl", PLAIN, "create", "{\"lease\":\"2h\"}",
    "auth a,b,default token ttl=7200 renewable uses=0" },
  { "a-ttl-below-zero", PLAIN, "create", "{\"ttl\":-1}", "INVALID ttl must be positive" },
  { "an-explicit-max-below-zero", PLAIN, "create", "{\"explicit_max_ttl\":\"-1\"}",
    "INVALID explicit_max_ttl must be positive" },
  { "a-period-below-zero", ROOT, "create", "{\"period\":-1}", "INVALID period must be positive" },
  { "a-period-needs-sudo", PLAIN, "create", "{\"period\":\"1h\"}",
    "INVALID root or sudo privileges required to create periodic token" },
  { "a-period-is-the-ttl", SUDO, "create", "{\"period\":\"1h\",\"ttl\":5}",
    "auth a,default token ttl=3600 renewable uses=0" },
  { "a-root-with-a-period", ROOT, "create", "{\"period\":\"1h\"}",
    "auth root token ttl=3600 renewable uses=0" },
  { "not-renewable", PLAIN, "create", "{\"renewable\":false}",
    "auth a,b,default token ttl=" MONTH " uses=0" },
  { "uses-are-limited", PLAIN, "create", "{\"num_uses\":\"3\"}",
    "auth a,b,default token ttl=" MONTH " renewable uses=3" },
  { "uses-below-zero", PLAIN, "create", "{\"num_uses\":-1}",
    "INVALID number of uses cannot be negative" },
  { "a-display-name-is-cleaned", PLAIN, "create", "{\"display_name\":\"a b/c.d!\"}",
    "auth a,b,default token-a-b-c-d ttl=" MONTH " renewable uses=0" },
  { "an-orphan-needs-sudo", PLAIN, "create", "{\"no_parent\":true}",
    "INVALID root or sudo privileges required to create orphan token" },
  { "an-orphan-with-sudo", SUDO, "create", "{\"no_parent\":true}",
    "auth a,default token ttl=" MONTH " renewable orphan uses=0" },
  { "create-orphan-needs-no-sudo", PLAIN, "create-orphan", "{\"no_parent\":true}",
    "auth a,b,default token ttl=" MONTH " renewable orphan uses=0" },
  { "an-id-needs-sudo", PLAIN, "create", "{\"id\":\"x\"}",
    "INVALID root or sudo privileges required to specify token id" },
  { "an-id-without-the-old-prefix", ROOT, "create", "{\"id\":\"s.x\"}",
    "INVALID custom token ID cannot have the 's.' prefix" },
  { "an-id-without-the-new-prefix", ROOT, "create", "{\"id\":\"hvs.x\"}",
    "INVALID custom token ID cannot have the 'hvs.' prefix" },
  { "an-id-without-the-prefix-of-batch", ROOT, "create", "{\"id\":\"hvb.x\"}",
    "INVALID custom token ID cannot have the 'hvb.' prefix" },
  { "an-unknown-type", PLAIN, "create", "{\"type\":\"zip\"}",
    "INVALID invalid 'token_type' value" },
  { "a-batch-token", PLAIN, "create", "{\"type\":\"batch\",\"ttl\":60}",
    "auth a,b,default token ttl=60 uses=0 batch" },
  { "a-batch-token-ends", PLAIN, "create", "{\"type\":\"batch\"}",
    "auth a,b,default token ttl=" MONTH " uses=0 batch" },
  { "batch-with-a-period", ROOT, "create", "{\"type\":\"batch\",\"period\":60,\"policies\":\"a\"}",
    "INVALID batch tokens cannot have \"period\" set" },
  { "batch-with-an-explicit-max", PLAIN, "create", "{\"type\":\"batch\",\"explicit_max_ttl\":60}",
    "INVALID batch tokens cannot have \"explicit_max_ttl\" set" },
  { "batch-with-uses", PLAIN, "create", "{\"type\":\"batch\",\"num_uses\":6}",
    "INVALID batch tokens cannot have \"num_uses\" set" },
  { "batch-as-root", ROOT, "create", "{\"type\":\"batch\"}",
    "INVALID batch tokens cannot be root tokens" },
  { "an-alias-without-a-role", ROOT, "create", "{\"entity_alias\":\"x\"}",
    "INVALID 'entity_alias' is only allowed in combination with token role" },
  { "an-unknown-role", ROOT, "create/r1", NULL, "INVALID unknown role r1" },
};

static void
become (AuthFixture *f, Caller caller)
{
  switch (caller)
    {
    case ROOT:
      auth_become (f, "root", 0, TRUE);
      break;
    case EXPIRING_ROOT:
      auth_become (f, "root", 600, TRUE);
      break;
    case SUDO:
      auth_become (f, "a default", 0, TRUE);
      break;
    case PLAIN:
      auth_become (f, "a b default", 0, FALSE);
      break;
    case BARE:
      auth_become (f, "a", 0, FALSE);
      break;
    }
}

static void
set_up (AuthFixture *f, gconstpointer data)
{
  auth_set_up (f, data);
  auth_mount_token (f);
}

static void
test_create (AuthFixture *f, gconstpointer data)
{
  const CreateRow *row = data;

  become (f, row->caller);
  assert_answer (f, WRITE, row->path, row->body, row->expected);
}

/* Roles */

typedef struct
{
  const char *name;
  const char *role;
  Caller caller;
  const char *body;
  const char *expected;
} RoleRow;

#define OUTSIDE(asked, allowed)                                                                    \
  "INVALID token policies (" asked ") must be subset of the role's allowed policies (" allowed     \
  ") or glob policies ([])"

static const RoleRow role_rows[] = {
  { "an-empty-role-is-as-without", "{}", PLAIN, NULL,
    "auth a,b,default token ttl=" MONTH " renewable uses=0" },
  { "an-empty-role-keeps-the-subset", "{}", PLAIN, "{\"policies\":\"c\"}", SUBSET },
  { "all-allowed-policies-if-none-is-asked-for", "{\"allowed_policies\":\"c,d\"}", BARE, NULL,
    "auth c,d,default token ttl=" MONTH " renewable uses=0" },
  { "an-allowed-policy-that-the-parent-lacks", "{\"allowed_policies\":\"c,d\"}", BARE,
    "{\"policies\":\"c\"}", "auth c,default token ttl=" MONTH " renewable uses=0" },
  { "a-policy-that-is-not-allowed", "{\"allowed_policies\":\"a\"}", PLAIN, "{\"policies\":\"c\"}",
    OUTSIDE ("[\"c\" \"default\"]", "[\"a\" \"default\"]") },
  { "default-is-not-added-if-not-wanted", "{\"allowed_policies\":\"a\"}", PLAIN,
    "{\"no_default_policy\":true}", "auth a token ttl=" MONTH " renewable uses=0" },
  { "default-is-not-added-if-the-role-says-so",
    "{\"allowed_policies\":\"a\",\"token_no_default_policy\":true}", PLAIN, NULL,
    "auth a token ttl=" MONTH " renewable uses=0" },
  { "a-role-without-default-drops-an-inherited-one", "{\"token_no_default_policy\":true}", PLAIN,
    NULL, "auth a,b token ttl=" MONTH " renewable uses=0" },
  { "globs-allow", "{\"allowed_policies_glob\":\"te*m-?,x*\"}", BARE, "{\"policies\":\"xyz\"}",
    "auth default,xyz token ttl=" MONTH " renewable uses=0 !Policy \"xyz\" does not exist" },
  { "globs-do-not-allow-the-rest", "{\"allowed_policies_glob\":\"x*\"}", BARE,
    "{\"policies\":\"yx\"}",
    "INVALID token policies ([\"default\" \"yx\"]) must be subset of the role's allowed policies "
    "([\"default\"]) or glob policies ([\"x*\"])" },
  { "globs-do-not-make-root", "{\"allowed_policies_glob\":\"*\"}", PLAIN, "{\"policies\":\"root\"}",
    "INVALID root tokens may not be created without parent token being root" },
  { "allowed-root-does-not-make-root", "{\"allowed_policies\":\"root\"}", PLAIN, NULL,
    "INVALID root tokens may not be created without parent token being root" },
  { "a-disallowed-policy", "{\"disallowed_policies\":\"c\"}", BARE, "{\"policies\":\"c\"}",
    "INVALID token policy \"c\" is disallowed by this role" },
  { "a-policy-that-is-not-disallowed", "{\"disallowed_policies\":\"c\"}", BARE,
    "{\"policies\":\"d\"}", "auth d,default token ttl=" MONTH " renewable uses=0" },
  { "an-inherited-policy-is-disallowed-too", "{\"disallowed_policies\":\"b\"}", PLAIN, NULL,
    "INVALID token policy \"b\" is disallowed by this role" },
  { "a-disallowed-glob", "{\"disallowed_policies_glob\":\"*c*\"}", BARE, "{\"policies\":\"xcx\"}",
    "INVALID token policy \"xcx\" is disallowed by this role" },
  { "a-disallowed-default-is-not-added", "{\"disallowed_policies\":\"default\"}", BARE,
    "{\"policies\":\"a\"}", "auth a token ttl=" MONTH " renewable uses=0" },
  { "an-orphan", "{\"orphan\":true}", PLAIN, NULL,
    "auth a,b,default token ttl=" MONTH " renewable orphan uses=0" },
  { "not-renewable", "{\"renewable\":false}", PLAIN, "{\"renewable\":true}",
    "auth a,b,default token ttl=" MONTH " uses=0" },
  { "a-period-for-anybody", "{\"token_period\":\"1h\"}", PLAIN, "{\"ttl\":5}",
    "auth a,b,default token ttl=3600 renewable uses=0" },
  { "the-smaller-period", "{\"token_period\":\"1h\"}", SUDO, "{\"period\":\"2h\"}",
    "auth a,default token ttl=3600 renewable uses=0 !Period specified both during creation call "
    "and "
    "in role; using the lesser value of 3600 seconds" },
  { "the-old-period", "{\"period\":\"1h\"}", PLAIN, NULL,
    "auth a,b,default token ttl=3600 renewable uses=0" },
  { "an-explicit-max", "{\"token_explicit_max_ttl\":\"1h\"}", PLAIN, NULL,
    "auth a,b,default token ttl=3600 renewable uses=0 !TTL of \"768h\" exceeded the effective "
    "max_ttl of \"1h\"; TTL value is capped accordingly" },
  { "the-smaller-explicit-max", "{\"token_explicit_max_ttl\":\"1h\"}", PLAIN,
    "{\"explicit_max_ttl\":\"30m\",\"ttl\":\"1m\"}",
    "auth a,b,default token ttl=60 renewable uses=0 !Explicit max TTL specified both during "
    "creation "
    "call and in role; using the lesser value of 1800 seconds" },
  { "uses", "{\"token_num_uses\":4}", PLAIN, "{\"num_uses\":9}",
    "auth a,b,default token ttl=" MONTH " renewable uses=4" },
  { "always-batch", "{\"token_type\":\"batch\"}", PLAIN, "{\"type\":\"service\"}",
    "auth a,b,default token ttl=" MONTH " uses=0 batch" },
  { "batch-by-default", "{\"token_type\":\"default-batch\"}", PLAIN, NULL,
    "auth a,b,default token ttl=" MONTH " uses=0 batch" },
  { "batch-by-default-can-be-service", "{\"token_type\":\"default-batch\"}", PLAIN,
    "{\"type\":\"service\"}", "auth a,b,default token ttl=" MONTH " renewable uses=0" },
  { "always-service", "{\"token_type\":\"service\"}", PLAIN, "{\"type\":\"batch\"}",
    "auth a,b,default token ttl=" MONTH " renewable uses=0" },
  { "an-alias-is-not-known", "{\"allowed_entity_aliases\":\"x\"}", PLAIN,
    "{\"entity_alias\":\"x\"}", "INVALID invalid 'entity_alias' value" },
};

static void
test_role (AuthFixture *f, gconstpointer data)
{
  const RoleRow *row = data;

  become (f, ROOT);
  assert_answer (f, WRITE, "roles/r1", row->role, "204");
  become (f, row->caller);
  assert_answer (f, WRITE, "create/r1", row->body, row->expected);
}

static const char role_defaults[] =
    "200 {\"allowed_entity_aliases\":[],\"allowed_policies\":[],\"allowed_policies_glob\":[],"
    "\"disallowed_policies\":[],\"disallowed_policies_glob\":[],\"explicit_max_ttl\":0,"
    "\"name\":\"r1\",\"orphan\":false,\"path_suffix\":\"\",\"period\":0,\"renewable\":true,"
    "\"token_explicit_max_ttl\":0,\"token_no_default_policy\":false,\"token_period\":0,"
    "\"token_type\":\"default-service\"}";

static const char role_full[] =
    "200 {\"allowed_entity_aliases\":[\"E\"],\"allowed_policies\":[\"a\",\"b\"],"
    "\"allowed_policies_glob\":[\"g*\"],\"disallowed_policies\":[\"c\"],"
    "\"disallowed_policies_glob\":[\"h*\"],\"explicit_max_ttl\":7200,"
    "\"name\":\"r1\",\"orphan\":true,\"path_suffix\":\"suf-1\",\"period\":0,\"renewable\":false,"
    "\"token_explicit_max_ttl\":7200,\"token_no_default_policy\":true,\"token_period\":3600,"
    "\"token_type\":\"service\",\"token_bound_cidrs\":[\"10.0.0.0/8\"],"
    "\"bound_cidrs\":[\"10.0.0.0/8\"],\"token_num_uses\":3}";

static void
test_roles_are_kept (AuthFixture *f, gconstpointer data)
{
  become (f, ROOT);
  assert_answer (f, LIST, "roles/", NULL, "200 {\"keys\":[]}");
  assert_answer (f, READ, "roles/r1", NULL, "NOT_FOUND ");
  assert_answer (f, WRITE, "roles/r1", "{}", "204");
  assert_answer (f, READ, "roles/r1", NULL, role_defaults);
  assert_answer (f, WRITE, "roles/r1",
                 "{\"orphan\":true,\"renewable\":false,\"path_suffix\":\"suf-1\","
                 "\"allowed_policies\":\"B,a\",\"allowed_policies_glob\":[\"G*\"],"
                 "\"disallowed_policies\":\"c\",\"disallowed_policies_glob\":\"h*\","
                 "\"allowed_entity_aliases\":\"E\",\"token_period\":\"1h\","
                 "\"explicit_max_ttl\":\"2h\",\"bound_cidrs\":\"10.0.0.0/8\","
                 "\"token_no_default_policy\":true,\"token_num_uses\":3,"
                 "\"token_type\":\"service\"}",
                 "204");
  assert_answer (f, WRITE, "roles/r1", "{}", "204");
  assert_answer (f, READ, "roles/r1", NULL, role_full);
  assert_answer (f, LIST, "roles/", NULL, "200 {\"keys\":[\"r1\"]}");
  assert_answer (f, DELETE, "roles/r1", NULL, "204");
  assert_answer (f, DELETE, "roles/r1", NULL, "204");
  assert_answer (f, READ, "roles/r1", NULL, "NOT_FOUND ");
}

typedef struct
{
  const char *body;
  const char *expected;
} BadRole;

static void
test_bad_roles_are_refused (AuthFixture *f, gconstpointer data)
{
  static const BadRole cases[] = {
    { "{\"path_suffix\":\"a\"}", "INVALID given role path suffix contains invalid characters; must "
                                 "match \\w[\\w-.]+\\w" },
    { "{\"path_suffix\":\"a/b\"}",
      "INVALID given role path suffix contains invalid characters; must "
      "match \\w[\\w-.]+\\w" },
    { "{\"path_suffix\":\"a..b\"}", "INVALID given role path suffix contains invalid characters; "
                                    "must match \\w[\\w-.]+\\w" },
    { "{\"token_type\":\"zip\"}", "INVALID invalid 'token_type' value \"zip\"" },
    { "{\"token_type\":\"batch\",\"token_period\":5}",
      "INVALID 'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic "
      "tokens" },
    { "{\"token_type\":\"batch\",\"token_num_uses\":5}",
      "INVALID 'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with "
      "limited use count" },
    { "{\"token_type\":\"batch\",\"token_explicit_max_ttl\":5}",
      "INVALID 'token_type' cannot be 'batch' when role is set to generate tokens with an explicit "
      "max TTL" },
    { "{\"token_period\":-5}", "INVALID 'token_period' cannot be negative" },
    { "{\"token_num_uses\":-5}", "INVALID 'token_num_uses' cannot be negative" },
    { "{\"token_bound_cidrs\":\"zz\"}",
      "INVALID error parsing address \"zz\": not an IPv4 or IPv6 address or block" },
  };

  become (f, ROOT);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_answer (f, WRITE, "roles/r1", cases[i].body, cases[i].expected);
  assert_answer (f, LIST, "roles/", NULL, "200 {\"keys\":[]}");
}

static void
test_both_spellings_are_told (AuthFixture *f, gconstpointer data)
{
  become (f, ROOT);
  assert_answer (f, WRITE, "roles/r1", "{\"period\":\"1h\",\"token_period\":\"2h\"}",
                 "204 !Both 'token_period' and deprecated 'period' value supplied, ignoring the "
                 "deprecated value");
  become (f, PLAIN);
  assert_answer (f, WRITE, "create/r1", NULL, "auth a,b,default token ttl=7200 renewable uses=0");
}

static void
test_a_role_shows_in_its_tokens (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = NULL;
  g_autoptr (BawnToken) token = NULL;

  become (f, ROOT);
  assert_answer (f, WRITE, "roles/r1",
                 "{\"path_suffix\":\"suf\",\"token_bound_cidrs\":\"10.0.0.0/8\"}", "204");
  become (f, PLAIN);
  assert_answer (f, WRITE, "create/r1", NULL,
                 "auth a,b,default token ttl=" MONTH " renewable uses=0");
  txn = auth_begin (f);
  assert_works (bawn_token_store_lookup (f->tokens, txn, f->made, &token, &error));
  g_assert_cmpstr (token->role, ==, "r1");
  g_assert_cmpstr (token->path, ==, "auth/token/create/r1/suf");
  g_assert_cmpstr (token->bound_cidrs[0], ==, "10.0.0.0/8");
}

/* Parents that may not */

static void
test_a_limited_token_has_no_children (AuthFixture *f, gconstpointer data)
{
  become (f, PLAIN);
  assert_answer (f, WRITE, "create", "{\"num_uses\":3}",
                 "auth a,b,default token ttl=" MONTH " renewable uses=3");
  auth_become_token (f, f->made, FALSE);
  assert_answer (f, WRITE, "create", NULL,
                 "INVALID restricted use token cannot generate child tokens");
}

static void
test_a_batch_token_has_no_children (AuthFixture *f, gconstpointer data)
{
  become (f, PLAIN);
  assert_answer (f, WRITE, "create", "{\"type\":\"batch\"}",
                 "auth a,b,default token ttl=" MONTH " uses=0 batch");
  auth_become_token (f, f->made, FALSE);
  assert_answer (f, WRITE, "create", NULL, "INVALID batch tokens cannot create more tokens");
}

static void
test_an_id_can_be_chosen_once (AuthFixture *f, gconstpointer data)
{
  become (f, ROOT);
  assert_answer (f, WRITE, "create", "{\"id\":\"my.id\",\"policies\":\"a\"}",
                 "auth a,default token ttl=" MONTH " renewable uses=0");
  g_assert_cmpstr (f->made, ==, "my.id");
  assert_answer (f, WRITE, "create", "{\"id\":\"my.id\"}",
                 "INVALID cannot create a token with a duplicate ID");
}

/* Looking up */

static char *
named (const char *field, const char *value)
{
  return g_strdup_printf ("{\"%s\":\"%s\"}", field, value);
}

static void
test_a_lookup_tells_all (AuthFixture *f, gconstpointer data)
{
  g_autofree char *body = NULL;
  g_autofree char *expected = NULL;

  become (f, SUDO);
  assert_answer (f, WRITE, "create",
                 "{\"ttl\":60,\"explicit_max_ttl\":600,\"meta\":{\"k\":\"v\"},\"num_uses\":7,"
                 "\"display_name\":\"n\"}",
                 "auth a,default token-n ttl=60 renewable uses=7");
  body = named ("token", f->made);
  expected = g_strdup_printf (
      "200 {\"accessor\":\"%s\",\"creation_time\":1700000000,\"creation_ttl\":60,"
      "\"display_name\":\"token-n\",\"entity_id\":\"\",\"expire_time\":\"2023-11-14T22:14:20.25Z\","
      "\"explicit_max_ttl\":600,\"id\":\"%s\",\"issue_time\":\"2023-11-14T22:13:20.25Z\","
      "\"meta\":{\"k\":\"v\"},\"num_uses\":7,\"orphan\":false,\"path\":\"auth/token/create\","
      "\"policies\":[\"a\",\"default\"],\"renewable\":true,\"ttl\":60,\"type\":\"service\"}",
      f->accessor, f->made);
  assert_answer (f, WRITE, "lookup", body, expected);
  assert_answer (f, READ, "lookup", body, expected);
}

static void
test_a_lookup_of_root_has_no_end (AuthFixture *f, gconstpointer data)
{
  g_autofree char *answer = NULL;

  become (f, ROOT);
  answer = auth_answer (f, READ, "lookup-self", NULL);
  g_assert_nonnull (strstr (answer, "\"expire_time\":null"));
  g_assert_nonnull (strstr (answer, "\"meta\":null"));
  g_assert_nonnull (strstr (answer, "\"orphan\":true"));
  g_assert_nonnull (strstr (answer, "\"ttl\":0"));
  g_assert_null (strstr (answer, "issue_time"));
  g_assert_null (strstr (answer, "renewable"));
}

static void
test_a_lookup_by_accessor_has_no_id (AuthFixture *f, gconstpointer data)
{
  g_autofree char *body = NULL;
  g_autofree char *answer = NULL;

  become (f, SUDO);
  assert_answer (f, WRITE, "create", "{\"ttl\":60}",
                 "auth a,default token ttl=60 renewable uses=0");
  body = named ("accessor", f->accessor);
  answer = auth_answer (f, WRITE, "lookup-accessor", body);
  g_assert_nonnull (strstr (answer, "\"id\":\"\""));
  g_assert_nonnull (strstr (answer, f->accessor));
  assert_answer (f, WRITE, "lookup-accessor", "{\"accessor\":\"zz\"}", "INVALID invalid accessor");
  assert_answer (f, WRITE, "lookup-accessor", NULL, "INVALID missing accessor");
}

static void
test_a_lookup_of_nothing_is_a_bad_token (AuthFixture *f, gconstpointer data)
{
  become (f, PLAIN);
  assert_answer (f, WRITE, "lookup", "{\"token\":\"zz\"}", "403 {\"errors\":[\"bad token\"]}\n");
}

static void
test_a_lookup_of_itself_needs_no_name (AuthFixture *f, gconstpointer data)
{
  g_autofree char *by_lookup = NULL;
  g_autofree char *by_self = NULL;

  become (f, PLAIN);
  by_lookup = auth_answer (f, WRITE, "lookup", NULL);
  by_self = auth_answer (f, WRITE, "lookup-self", NULL);
  g_assert_cmpstr (by_lookup, ==, by_self);
  g_assert_nonnull (strstr (by_self, f->caller));
}

static void
test_uses_show_as_they_go (AuthFixture *f, gconstpointer data)
{
  become (f, PLAIN);
  assert_answer (f, WRITE, "create", "{\"num_uses\":2}",
                 "auth a,b,default token ttl=" MONTH " renewable uses=2");
  auth_become_token (f, f->made, FALSE);

  g_autofree char *first = auth_answer (f, READ, "lookup-self", NULL);
  g_autofree char *last = auth_answer (f, READ, "lookup-self", NULL);

  g_assert_nonnull (strstr (first, "\"num_uses\":1,"));
  g_assert_nonnull (strstr (last, "\"num_uses\":-1,"));
  assert_answer (f, READ, "lookup-self", NULL, "DENIED permission denied");
}

static void
test_the_last_use_may_name_itself (AuthFixture *f, gconstpointer data)
{
  g_autofree char *body = NULL;
  g_autofree char *answer = NULL;

  become (f, PLAIN);
  assert_answer (f, WRITE, "create", "{\"num_uses\":1}",
                 "auth a,b,default token ttl=" MONTH " renewable uses=1");
  auth_become_token (f, f->made, FALSE);
  body = named ("token", f->made);
  answer = auth_answer (f, WRITE, "lookup", body);
  g_assert_true (g_str_has_prefix (answer, "200 "));
}

static void
test_a_batch_token_is_looked_up (AuthFixture *f, gconstpointer data)
{
  g_autofree char *answer = NULL;

  become (f, PLAIN);
  assert_answer (f, WRITE, "create", "{\"type\":\"batch\",\"ttl\":60}",
                 "auth a,b,default token ttl=60 uses=0 batch");
  auth_become_token (f, f->made, FALSE);
  answer = auth_answer (f, READ, "lookup-self", NULL);
  g_assert_nonnull (strstr (answer, "\"type\":\"batch\""));
  g_assert_nonnull (strstr (answer, "\"renewable\":false"));
  g_assert_nonnull (strstr (answer, "\"accessor\":\"\""));
  g_assert_nonnull (strstr (answer, "\"orphan\":false"));
}

static void
test_accessors_are_listed_with_sudo (AuthFixture *f, gconstpointer data)
{
  g_autofree char *answer = NULL;

  become (f, PLAIN);
  assert_answer (f, LIST, "accessors/", NULL, "DENIED permission denied");
  become (f, ROOT);
  assert_answer (f, WRITE, "create", "{\"ttl\":60}", "auth root token ttl=60 renewable uses=0");
  answer = auth_answer (f, LIST, "accessors/", NULL);
  g_assert_nonnull (strstr (answer, f->accessor));
}

/* Renewing */

static void
test_renewing_goes_on_from_now (AuthFixture *f, gconstpointer data)
{
  g_autofree char *answer = NULL;

  become (f, PLAIN);
  assert_answer (f, WRITE, "create", "{\"ttl\":\"1h\"}",
                 "auth a,b,default token ttl=3600 renewable uses=0");
  auth_become_token (f, f->made, FALSE);
  bawn_clock_advance (f->clock, AUTH_S (1000));
  assert_answer (f, WRITE, "renew-self", NULL, "auth a,b,default token ttl=3600 renewable uses=0");
  assert_answer (f, WRITE, "renew-self", "{\"increment\":\"2h\"}",
                 "auth a,b,default token ttl=7200 renewable uses=0");
  bawn_clock_advance (f->clock, AUTH_S (7199));
  answer = auth_answer (f, READ, "lookup-self", NULL);
  g_assert_nonnull (strstr (answer, "\"ttl\":1,"));
  g_assert_nonnull (strstr (answer, "\"last_renewal_time\":1700001000"));
  g_assert_nonnull (strstr (answer, "\"last_renewal\":\"2023-11-14T22:30:00.25Z\""));
  g_assert_nonnull (strstr (answer, "\"creation_ttl\":3600,"));
}

static void
test_renewing_is_capped_by_the_age (AuthFixture *f, gconstpointer data)
{
  become (f, PLAIN);
  assert_answer (f, WRITE, "create", "{\"ttl\":\"1h\",\"explicit_max_ttl\":\"2h\"}",
                 "auth a,b,default token ttl=3600 renewable uses=0");
  auth_become_token (f, f->made, FALSE);
  bawn_clock_advance (f->clock, AUTH_S (3000));
  assert_answer (f, WRITE, "renew-self", "{\"increment\":\"3h\"}",
                 "auth a,b,default token ttl=4200 renewable uses=0 !TTL of \"3h\" exceeded the "
                 "effective max_ttl of \"1h10m\"; TTL value is capped accordingly");
  bawn_clock_advance (f->clock, AUTH_S (4200));
  assert_answer (f, WRITE, "renew-self", NULL, "DENIED permission denied");
}

static void
test_a_periodic_token_goes_on_for_ever (AuthFixture *f, gconstpointer data)
{
  become (f, SUDO);
  assert_answer (f, WRITE, "create", "{\"period\":\"1h\"}",
                 "auth a,default token ttl=3600 renewable uses=0");
  auth_become_token (f, f->made, FALSE);
  for (guint i = 0; i < 2000; i++)
    {
      bawn_clock_advance (f->clock, AUTH_S (3500));
      assert_answer (f, WRITE, "renew-self", "{\"increment\":5}",
                     "auth a,default token ttl=3600 renewable uses=0");
    }
}

static void
test_a_roles_period_counts_as_it_is_now (AuthFixture *f, gconstpointer data)
{
  g_autofree char *role_token = NULL;

  become (f, ROOT);
  assert_answer (f, WRITE, "roles/r1", "{\"token_period\":\"1h\"}", "204");
  become (f, SUDO);
  assert_answer (f, WRITE, "create/r1", NULL, "auth a,default token ttl=3600 renewable uses=0");
  role_token = g_strdup (f->made);
  auth_become_token (f, role_token, FALSE);

  become (f, ROOT);
  assert_answer (f, WRITE, "roles/r1", "{\"token_period\":\"2h\"}", "204");
  auth_become_token (f, role_token, FALSE);
  assert_answer (f, WRITE, "renew-self", NULL, "auth a,default token ttl=7200 renewable uses=0");

  become (f, ROOT);
  assert_answer (f, WRITE, "roles/r1", "{\"token_period\":0}", "204");
  auth_become_token (f, role_token, FALSE);
  bawn_clock_advance (f->clock, AUTH_S (1));
  assert_answer (f, WRITE, "renew-self", "{\"increment\":60}",
                 "auth a,default token ttl=60 renewable uses=0");

  become (f, ROOT);
  assert_answer (f, DELETE, "roles/r1", NULL, "204");
  auth_become_token (f, role_token, FALSE);
  assert_answer (f, WRITE, "renew-self", NULL,
                 "INVALID original token role \"r1\" could not be found, not renewing");
}

static void
test_what_cannot_be_renewed_is_refused (AuthFixture *f, gconstpointer data)
{
  g_autofree char *batch = NULL;

  become (f, ROOT);
  assert_answer (f, WRITE, "renew-self", NULL, "INVALID invalid lease ID");
  assert_answer (f, WRITE, "renew", NULL, "INVALID missing token ID");
  assert_answer (f, WRITE, "renew", "{\"token\":\"zz\"}", "INVALID token not found");
  assert_answer (f, WRITE, "renew-accessor", "{\"accessor\":\"zz\"}", "INVALID invalid accessor");
  become (f, PLAIN);
  assert_answer (f, WRITE, "create", "{\"type\":\"batch\"}",
                 "auth a,b,default token ttl=" MONTH " uses=0 batch");
  batch = named ("token", f->made);
  assert_answer (f, WRITE, "renew", batch, "INVALID batch tokens cannot be renewed");
  assert_answer (f, WRITE, "create", "{\"renewable\":false}",
                 "auth a,b,default token ttl=" MONTH " uses=0");
  auth_become_token (f, f->made, FALSE);
  assert_answer (f, WRITE, "renew-self", NULL, "INVALID lease is not renewable");
}

static void
test_renewal_by_token_and_by_accessor (AuthFixture *f, gconstpointer data)
{
  g_autofree char *by_token = NULL;
  g_autofree char *by_accessor = NULL;
  g_autofree char *id = NULL;

  become (f, PLAIN);
  assert_answer (f, WRITE, "create", "{\"ttl\":60}",
                 "auth a,b,default token ttl=60 renewable uses=0");
  id = g_strdup (f->made);
  by_token = g_strdup_printf ("{\"token\":\"%s\",\"increment\":\"70\"}", f->made);
  by_accessor = g_strdup_printf ("{\"accessor\":\"%s\",\"increment\":80}", f->accessor);
  assert_answer (f, WRITE, "renew", by_token, "auth a,b,default token ttl=70 renewable uses=0");
  g_assert_cmpstr (f->made, ==, id);
  assert_answer (f, WRITE, "renew-accessor", by_accessor,
                 "auth a,b,default token ttl=80 renewable uses=0");
  g_assert_cmpstr (f->made, ==, "");
}

static void
make_login (AuthFixture *f, const char *path)
{
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnWipedString) id = NULL;
  BawnTxn *txn = auth_begin (f);

  token->policies = g_strsplit ("a default", " ", -1);
  token->display_name = g_strdup ("login-x");
  token->ttl_us = AUTH_S (60);
  token->renewable = TRUE;
  assert_works (bawn_token_store_create (f->tokens, txn, token, NULL, path, &id, &error));
  auth_commit (txn);
  auth_become_token (f, id, FALSE);
}

static void
test_a_login_method_has_its_say (AuthFixture *f, gconstpointer data)
{
  make_login (f, "auth/login/x");
  assert_answer (f, WRITE, "renew-self", NULL,
                 "auth a,default login-x ttl=3600 renewable orphan uses=0");
  make_login (f, "auth/login/gone");
  assert_answer (f, WRITE, "renew-self", NULL, "INVALID policies have changed, not renewing");
}

static void
test_a_login_methods_mount_limits_renewal (AuthFixture *f, gconstpointer data)
{
  f->login_mount = bawn_mount_new ();
  f->login_mount->path = g_strdup ("auth/login/");
  f->login_mount->max_ttl_us = AUTH_S (600);
  make_login (f, "auth/login/x");
  assert_answer (
      f, WRITE, "renew-self", NULL,
      "auth a,default login-x ttl=600 renewable orphan uses=0 !TTL of \"1h\" exceeded the "
      "effective max_ttl of \"10m\"; TTL value is capped accordingly");
}

static void
test_the_mounts_times_are_kept (AuthFixture *f, gconstpointer data)
{
  f->mount->default_ttl_us = AUTH_S (100);
  f->mount->max_ttl_us = AUTH_S (200);
  become (f, PLAIN);
  assert_answer (f, WRITE, "create", NULL, "auth a,b,default token ttl=100 renewable uses=0");
  assert_answer (f, WRITE, "create", "{\"ttl\":300}",
                 "auth a,b,default token ttl=200 renewable uses=0 !TTL of \"5m\" exceeded the "
                 "effective max_ttl of \"3m20s\"; TTL value is capped accordingly");
}

/* Revoking */

static gboolean
is_good (AuthFixture *f, const char *id)
{
  g_autoptr (BawnTxn) txn = auth_begin (f);
  g_autoptr (BawnToken) token = NULL;

  assert_works (bawn_token_store_lookup (f->tokens, txn, id, &token, &error));
  return token != NULL;
}

/* A child of the caller and a child of that; the caller stays. */
static void
make_line (AuthFixture *f, char **out_child, char **out_grandchild, char **out_accessor)
{
  g_autofree char *caller = NULL;

  become (f, SUDO);
  caller = g_strdup (f->caller);
  assert_answer (f, WRITE, "create", NULL, "auth a,default token ttl=" MONTH " renewable uses=0");
  *out_child = g_strdup (f->made);
  *out_accessor = g_strdup (f->accessor);
  auth_become_token (f, *out_child, TRUE);
  assert_answer (f, WRITE, "create", NULL, "auth a,default token ttl=" MONTH " renewable uses=0");
  *out_grandchild = g_strdup (f->made);
  auth_become_token (f, caller, TRUE);
}

static void
test_revoking_ends_the_tree (AuthFixture *f, gconstpointer data)
{
  g_autofree char *child = NULL;
  g_autofree char *grandchild = NULL;
  g_autofree char *accessor = NULL;
  g_autofree char *body = NULL;

  make_line (f, &child, &grandchild, &accessor);
  body = named ("token", child);
  assert_answer (f, WRITE, "revoke", body, "204");
  g_assert_cmpuint (f->kicks, ==, 1);
  g_assert_false (is_good (f, child));
  g_assert_false (is_good (f, grandchild));
  assert_answer (f, WRITE, "revoke", body, "204");
  assert_answer (f, WRITE, "revoke", NULL, "INVALID missing token ID");
}

static void
test_revoking_by_accessor_ends_the_tree (AuthFixture *f, gconstpointer data)
{
  g_autofree char *child = NULL;
  g_autofree char *grandchild = NULL;
  g_autofree char *accessor = NULL;
  g_autofree char *body = NULL;

  make_line (f, &child, &grandchild, &accessor);
  body = named ("accessor", accessor);
  assert_answer (f, WRITE, "revoke-accessor", body, "204");
  g_assert_false (is_good (f, grandchild));
  assert_answer (f, WRITE, "revoke-accessor", body, "INVALID invalid accessor");
}

static void
test_revoking_itself_ends_the_tree (AuthFixture *f, gconstpointer data)
{
  g_autofree char *child = NULL;
  g_autofree char *grandchild = NULL;
  g_autofree char *accessor = NULL;

  make_line (f, &child, &grandchild, &accessor);
  auth_become_token (f, child, FALSE);
  assert_answer (f, WRITE, "revoke-self", NULL, "204");
  g_assert_false (is_good (f, child));
  g_assert_false (is_good (f, grandchild));
}

static void
test_revoking_an_orphan_maker_sets_free (AuthFixture *f, gconstpointer data)
{
  g_autofree char *child = NULL;
  g_autofree char *grandchild = NULL;
  g_autofree char *accessor = NULL;
  g_autofree char *body = NULL;

  make_line (f, &child, &grandchild, &accessor);
  body = named ("token", child);
  f->sudo = FALSE;
  assert_answer (f, WRITE, "revoke-orphan", body, "DENIED permission denied");
  f->sudo = TRUE;
  assert_answer (f, WRITE, "revoke-orphan", body, "204");
  g_assert_false (is_good (f, child));
  g_assert_true (is_good (f, grandchild));
  assert_answer (f, WRITE, "revoke-orphan", body, "INVALID token to revoke not found");
  assert_answer (f, WRITE, "revoke-orphan", "{}", "INVALID missing token ID");
}

static void
test_a_batch_token_cannot_be_revoked (AuthFixture *f, gconstpointer data)
{
  g_autofree char *body = NULL;

  become (f, PLAIN);
  assert_answer (f, WRITE, "create", "{\"type\":\"batch\"}",
                 "auth a,b,default token ttl=" MONTH " uses=0 batch");
  body = named ("token", f->made);
  assert_answer (f, WRITE, "revoke", body, "INVALID batch tokens cannot be revoked");
}

static void
test_a_renewal_answer_keeps_what_was_used (AuthFixture *f, gconstpointer data)
{
  g_autofree char *answer = NULL;

  become (f, PLAIN);
  assert_answer (f, WRITE, "create", "{\"num_uses\":5,\"ttl\":60}",
                 "auth a,b,default token ttl=60 renewable uses=5");
  auth_become_token (f, f->made, FALSE);
  g_free (auth_answer (f, WRITE, "renew-self", NULL));
  answer = auth_answer (f, READ, "lookup-self", NULL);
  g_assert_nonnull (strstr (answer, "\"num_uses\":3,"));
}

static void
test_tidying_calls_the_sweeper (AuthFixture *f, gconstpointer data)
{
  become (f, ROOT);
  assert_answer (
      f, WRITE, "tidy", NULL,
      "202 !Tidy operation successfully started. Any information from the operation will "
      "be printed to Vault's server logs.");
  g_assert_cmpuint (f->kicks, ==, 1);
}

static void
test_what_is_not_there_is_unsupported (AuthFixture *f, gconstpointer data)
{
  become (f, ROOT);
  assert_answer (f, READ, "create", NULL, "UNSUPPORTED unsupported operation");
  assert_answer (f, READ, "nothing", NULL, "NOT_FOUND unsupported path");
  assert_answer (f, WRITE, "accessors", NULL, "UNSUPPORTED unsupported operation");
}

#define add(name, func)                                                                            \
  g_test_add ("/auth/token/" name, AuthFixture, NULL, set_up, func, auth_tear_down)

static void
add_rows (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (create_rows); i++)
    {
      g_autofree char *path = g_strconcat ("/auth/token/create/", create_rows[i].name, NULL);
      g_test_add (path, AuthFixture, &create_rows[i], set_up, test_create, auth_tear_down);
    }
  for (guint i = 0; i < G_N_ELEMENTS (role_rows); i++)
    {
      g_autofree char *path = g_strconcat ("/auth/token/role/", role_rows[i].name, NULL);
      g_test_add (path, AuthFixture, &role_rows[i], set_up, test_role, auth_tear_down);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_rows ();
  add ("roles-are-kept", test_roles_are_kept);
  add ("bad-roles-are-refused", test_bad_roles_are_refused);
  add ("both-spellings-are-told", test_both_spellings_are_told);
  add ("a-role-shows-in-its-tokens", test_a_role_shows_in_its_tokens);
  add ("a-limited-token-has-no-children", test_a_limited_token_has_no_children);
  add ("a-batch-token-has-no-children", test_a_batch_token_has_no_children);
  add ("an-id-can-be-chosen-once", test_an_id_can_be_chosen_once);
  add ("a-lookup-tells-all", test_a_lookup_tells_all);
  add ("a-lookup-of-root-has-no-end", test_a_lookup_of_root_has_no_end);
  add ("a-lookup-by-accessor-has-no-id", test_a_lookup_by_accessor_has_no_id);
  add ("a-lookup-of-nothing-is-a-bad-token", test_a_lookup_of_nothing_is_a_bad_token);
  add ("a-lookup-of-itself-needs-no-name", test_a_lookup_of_itself_needs_no_name);
  add ("uses-show-as-they-go", test_uses_show_as_they_go);
  add ("the-last-use-may-name-itself", test_the_last_use_may_name_itself);
  add ("a-batch-token-is-looked-up", test_a_batch_token_is_looked_up);
  add ("accessors-are-listed-with-sudo", test_accessors_are_listed_with_sudo);
  add ("renewing-goes-on-from-now", test_renewing_goes_on_from_now);
  add ("renewing-is-capped-by-the-age", test_renewing_is_capped_by_the_age);
  add ("a-periodic-token-goes-on-for-ever", test_a_periodic_token_goes_on_for_ever);
  add ("a-roles-period-counts-as-it-is-now", test_a_roles_period_counts_as_it_is_now);
  add ("what-cannot-be-renewed-is-refused", test_what_cannot_be_renewed_is_refused);
  add ("renewal-by-token-and-by-accessor", test_renewal_by_token_and_by_accessor);
  add ("a-login-method-has-its-say", test_a_login_method_has_its_say);
  add ("a-login-methods-mount-limits-renewal", test_a_login_methods_mount_limits_renewal);
  add ("the-mounts-times-are-kept", test_the_mounts_times_are_kept);
  add ("revoking-ends-the-tree", test_revoking_ends_the_tree);
  add ("revoking-by-accessor-ends-the-tree", test_revoking_by_accessor_ends_the_tree);
  add ("revoking-itself-ends-the-tree", test_revoking_itself_ends_the_tree);
  add ("revoking-an-orphan-maker-sets-free", test_revoking_an_orphan_maker_sets_free);
  add ("a-batch-token-cannot-be-revoked", test_a_batch_token_cannot_be_revoked);
  add ("a-renewal-answer-keeps-what-was-used", test_a_renewal_answer_keeps_what_was_used);
  add ("tidying-calls-the-sweeper", test_tidying_calls_the_sweeper);
  add ("what-is-not-there-is-unsupported", test_what_is_not_there_is_unsupported);

  return g_test_run ();
}
