/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The rows that start-up shows, in order; free with g_ptr_array_unref(). */
typedef GPtrArray BawnBanner;
BawnBanner *bawn_banner_new (void);
void bawn_banner_add (BawnBanner *banner, const char *label, const char *format, ...) G_GNUC_PRINTF (3, 4);
void bawn_banner_print (BawnBanner *banner);

G_END_DECLS
