/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean bawn_path_is_printable (const char *path, gsize size);
gboolean bawn_path_is_clean (const char *path);
char *bawn_path_clean (const char *path);
const char *bawn_path_after_prefix (const char *path, const char *prefix);
char *bawn_path_with_slash (const char *path);
char *bawn_path_without_slash (const char *path);

G_END_DECLS
