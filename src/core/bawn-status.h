/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"

G_BEGIN_DECLS

BawnStatus *bawn_status_new (void);

G_END_DECLS
