/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The candidate that @word was probably meant to be, or NULL when nothing is near. */
const char *bawn_cli_suggest (const char *word, const char *const *candidates);

G_END_DECLS
