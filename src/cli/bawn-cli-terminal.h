/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Asks for a line that is not shown, on the terminal if @input_fd is one; otherwise just reads a
 * line from it. Free with bawn_string_wipe_free(). */
char *bawn_cli_ask_secret (int input_fd, const char *prompt, gboolean interactive, GError **error);
/* The next line without its end, and not a byte more. At the end: NULL with an error. */
char *bawn_cli_read_line (int input_fd, GError **error);

/* Whether colours are welcome on @fd: a terminal, NO_COLOR not set. */
gboolean bawn_cli_wants_colour (int fd);
/* @text with everything a terminal would act upon made visible; line ends and tabs stay. */
char *bawn_cli_make_harmless (const char *text, gsize size);
/* Columns that @text takes on a terminal. */
gsize bawn_cli_text_width (const char *text);

G_END_DECLS
