/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-request.h"
#include "util/bawn-json.h"

G_BEGIN_DECLS

/* What may be done on a path; in the alphabetical order of their names. */
typedef enum
{
  BAWN_MAY_CREATE = 1 << 0,
  BAWN_MAY_DELETE = 1 << 1,
  BAWN_MAY_DENY = 1 << 2,
  BAWN_MAY_LIST = 1 << 3,
  BAWN_MAY_PATCH = 1 << 4,
  BAWN_MAY_READ = 1 << 5,
  BAWN_MAY_SUDO = 1 << 6,
  BAWN_MAY_UPDATE = 1 << 7,
} BawnMay;

/* 0 for a name that is none. */
guint bawn_may_from_name (const char *name);
/* Sorted; {"deny"} for nothing. */
GStrv bawn_may_names (guint may);

/**
 * BawnParameter:
 * @name: in lower case, or "*"
 * @values: (element-type BawnJsonNode): what it may (or may not) be; empty: anything
 *
 * A parameter in a rule. The values belong to the policy it comes from.
 */
typedef struct
{
  char *name;
  GPtrArray *values;
} BawnParameter;

/**
 * BawnPermissions:
 * @may: mask of #BawnMay; BAWN_MAY_DENY stands alone
 * @allowed: (nullable) (element-type BawnParameter)
 * @denied: (nullable) (element-type BawnParameter)
 * @required: (nullable) (element-type utf8): in lower case
 * @min_wrap_us: 0: none
 * @max_wrap_us: 0: none
 *
 * What one path of a policy, or of several, grants.
 */
typedef struct
{
  guint may;
  GPtrArray *allowed;
  GPtrArray *denied;
  GPtrArray *required;
  gint64 min_wrap_us;
  gint64 max_wrap_us;
} BawnPermissions;

void bawn_permissions_clear (BawnPermissions *permissions);
/* Adds what another policy says about the same path. */
void bawn_permissions_merge (BawnPermissions *into, const BawnPermissions *other);
/* Whether a request is within them; its path is not looked at. */
gboolean bawn_permissions_allow (const BawnPermissions *permissions, const BawnRequest *request);

/* For building: the parameter of that name, made if it is not there. */
BawnParameter *bawn_permissions_parameter (GPtrArray **inout_parameters, const char *name);
void bawn_permissions_require (BawnPermissions *permissions, const char *name);

G_END_DECLS
