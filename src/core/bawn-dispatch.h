/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core-private.h"

G_BEGIN_DECLS

typedef struct _BawnDispatcher BawnDispatcher;

BawnDispatcher *bawn_dispatcher_new (BawnCore *core, guint threads);
void bawn_dispatcher_stop (BawnDispatcher *dispatcher);
void bawn_dispatcher_free (BawnDispatcher *dispatcher);
void bawn_dispatcher_run (BawnDispatcher *dispatcher, BawnRequest *request, BawnCoreReply reply, gpointer user_data);

G_END_DECLS
