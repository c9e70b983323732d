/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* <installed> */
/* Payload memory: a GBytes whose last owner wipes it. Slices by g_bytes_new_from_bytes() keep that
 * promise; g_bytes_unref_to_data() and g_bytes_unref_to_array() break it and are banned elsewhere. */
GBytes *bawn_bytes_new (gconstpointer data, gsize size);
GBytes *bawn_bytes_alloc (gsize size, guint8 **out_data);
GBytes *bawn_bytes_new_string (const char *text);
gboolean bawn_bytes_equal (GBytes *a, GBytes *b);

void bawn_wipe (gpointer data, gsize size);
void bawn_string_wipe_free (char *string);

typedef char BawnWipedString;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnWipedString, bawn_string_wipe_free)

/**
 * BawnBuffer:
 * @data: (array length=size): what has been appended
 * @size: how many bytes
 *
 * A growing byte string that wipes what it leaves behind when it moves. Lives on the stack as
 * `g_auto(BawnBuffer) buffer = BAWN_BUFFER_INIT`.
 */
typedef struct
{
  guint8 *data;
  gsize size;
  /*< private >*/
  gsize allocated;
} BawnBuffer;

#define BAWN_BUFFER_INIT { NULL, 0, 0 }

void bawn_buffer_reserve (BawnBuffer *buffer, gsize more);
void bawn_buffer_append (BawnBuffer *buffer, gconstpointer data, gsize size);
void bawn_buffer_append_string (BawnBuffer *buffer, const char *text);
void bawn_buffer_append_byte (BawnBuffer *buffer, guint8 byte);
void bawn_buffer_truncate (BawnBuffer *buffer, gsize size);
GBytes *bawn_buffer_steal (BawnBuffer *buffer);
void bawn_buffer_clear (BawnBuffer *buffer);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnBuffer, bawn_buffer_clear)
/* </installed> */

G_END_DECLS
