/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-permissions.h"
#include "auth/bawn-policy.h"

G_BEGIN_DECLS

typedef enum
{
  BAWN_PATH_EXACT,
  BAWN_PATH_PREFIX,   /* "a/b*": @path is "a/b" */
  BAWN_PATH_SEGMENTS, /* "a/+/b", "a/+/b*": @path is without the '*' */
} BawnPathKind;

/**
 * BawnPolicyRule:
 * @path: without '/' in front and '*' behind
 * @is_prefix: it ended in '*'
 *
 * One path of a policy.
 */
typedef struct
{
  char *path;
  BawnPathKind kind;
  gboolean is_prefix;
  BawnPermissions permissions;
} BawnPolicyRule;

struct _BawnPolicy
{
  gatomicrefcount refs;
  char *name;
  char *text;
  GPtrArray *rules;     /* of BawnPolicyRule */
  GPtrArray *documents; /* of BawnJson: where the values of parameters live */
};

/* Fills @rules and @documents from @text. INVALID: without the words "failed to parse policy: ". */
gboolean bawn_policy_parse_rules (BawnPolicy *policy, GError **error);

G_END_DECLS
