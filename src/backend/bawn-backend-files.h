/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-config.h"

G_BEGIN_DECLS

void bawn_backend_complain_of_file (BawnConfigGroup *group, const GError *error);

G_END_DECLS
