/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-bytes.h"

G_BEGIN_DECLS

/**
 * BawnPasswordPolicy:
 *
 * What generated passwords look like: a length, and sets of characters with how many of each there must be.
 */
typedef struct _BawnPasswordPolicy BawnPasswordPolicy;

BawnPasswordPolicy *bawn_password_policy_parse (const char *text, GError **error);
void bawn_password_policy_free (BawnPasswordPolicy *policy);
/* Each password that fits is as likely as any other. INVALID if none was found. */
char *bawn_password_policy_generate (const BawnPasswordPolicy *policy, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnPasswordPolicy, bawn_password_policy_free)

G_END_DECLS
