/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-lease.h"

G_BEGIN_DECLS

/* An entry below sys/lease/id/, and how it is written. */
extern const BawnObjectKind bawn_lease_kind;
GBytes *bawn_lease_write (const BawnLease *lease);

G_END_DECLS
