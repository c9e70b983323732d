/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-bytes.h"

G_BEGIN_DECLS

/**
 * BawnPasswordPolicy:
 *
 * What generated passwords look like: a length, and sets of characters with how many of each there
 * must be.
 */
typedef struct _BawnPasswordPolicy BawnPasswordPolicy;

BawnPasswordPolicy *bawn_password_policy_parse (const char *text, GError **error);
void bawn_password_policy_free (BawnPasswordPolicy *policy);
/* What the rules ask for is drawn from their sets, the rest from all of them together, and then all
 * is shuffled. To be freed with bawn_string_wipe_free(). */
char *bawn_password_policy_generate (const BawnPasswordPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnPasswordPolicy, bawn_password_policy_free)

G_END_DECLS
