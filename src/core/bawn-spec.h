/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-engine.h"

G_BEGIN_DECLS

/* OpenAPI out of route tables. The document's frame goes around the paths of any number of mounts.
 */
void bawn_spec_begin (BawnJsonWriter *w);
/* @mount_path: such as "sys/"; @only (nullable): just the rows of this pattern. */
void bawn_spec_add_routes (BawnJsonWriter *w,
                           const char *mount_path,
                           const BawnRoute *routes,
                           const char *only);
void bawn_spec_end (BawnJsonWriter *w);

G_END_DECLS
