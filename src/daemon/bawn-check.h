/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/bawn-cluster-setup.h"
#include "daemon/bawn-settings.h"
#include "util/bawn-config.h"

G_BEGIN_DECLS

GStrv bawn_check_machine (BawnConfig *config,
                          const BawnSettings *settings,
                          const BawnClusterSettings *cluster);

G_END_DECLS
