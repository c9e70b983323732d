/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-job.h"
#include "storage/bawn-mirror.h"

G_BEGIN_DECLS

BawnMirror *bawn_store_peek_mirror (BawnStore *store);
/* @job is answered in any case. */
void bawn_store_submit (BawnStore *store, BawnJob *job);
void bawn_store_count_conflict (BawnStore *store);

G_END_DECLS
