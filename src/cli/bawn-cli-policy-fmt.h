/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* HCL text laid out the usual way: two blanks a level, one blank around `=`, no blanks at ends of
 * lines. */
GString *bawn_cli_policy_fmt (const char *text, gsize size, GError **error);

G_END_DECLS
