/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"

G_BEGIN_DECLS

/* The registries of backends and audit devices: once, before threads. */
void bawn_builtins_register (void);
void bawn_builtins_add_engines (BawnCore *core);

G_END_DECLS
