/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-backend.h"
#include "util/bawn-config.h"

G_BEGIN_DECLS

BawnBackend *bawn_storage_wait_open (BawnConfigGroup *group, GError **error);

G_END_DECLS
