/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Enough for any encoded character. */
#define BAWN_UTF8_MAX 4
/* U+FFFD, what stands for something that is no character. */
#define BAWN_UTF8_REPLACEMENT "\xef\xbf\xbd"

guint bawn_utf8_sequence (const guint8 *text, gsize size);
guint bawn_utf8_encode (guint32 character, guint8 out_text[BAWN_UTF8_MAX]);
gboolean bawn_utf8_valid (const char *text, gsize size);

G_END_DECLS
