/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-bytes.h"

#include <malloc.h>
#include <stddef.h>
#include <string.h>

/* The first block of a buffer holds a small answer whole: most bodies are a few hundred bytes. */
#define FIRST_BLOCK 240

/* Goes before every block, because a free function is not told how much there is to wipe. */
typedef union
{
  gsize size;
  max_align_t align;
} Header;

static guint8 *
block_new (gsize size)
{
  /* A block is one byte longer than it says, and that byte is NUL: texts can be used in place. */
  if (G_UNLIKELY (size > G_MAXSSIZE - sizeof (Header) - 1))
    g_error ("a block of %" G_GSIZE_FORMAT " bytes is impossible", size);

  Header *header = g_malloc (sizeof *header + size + 1);
  guint8 *data = (guint8 *) (header + 1);

  header->size = size;
  data[size] = 0;

  return data;
}

static void
block_free (gpointer data)
{
  if (data == NULL)
    return;

  Header *header = (Header *) data - 1;

  explicit_bzero (data, header->size);
  g_free (header);
}

/**
 * bawn_bytes_new:
 * @data: (array length=size) (nullable): what to copy
 * @size: how many bytes
 *
 * Copies @data into memory that is wiped when the last owner lets go of it. A NUL that does not
 * count follows the bytes.
 *
 * Returns: (transfer full): the bytes
 */
GBytes *
bawn_bytes_new (gconstpointer data, gsize size)
{
  guint8 *copy = NULL;
  GBytes *bytes = bawn_bytes_alloc (size, &copy);

  if (size > 0)
    memcpy (copy, data, size);

  return bytes;
}

/**
 * bawn_bytes_alloc:
 * @size: how many bytes
 * @out_data: (out): where to write them, before anybody else sees the bytes
 *
 * Makes wiped memory to be filled by the caller: its content is not set, but for the NUL behind it.
 *
 * Returns: (transfer full): the bytes
 */
GBytes *
bawn_bytes_alloc (gsize size, guint8 **out_data)
{
  guint8 *data = block_new (size);

  *out_data = data;
  return g_bytes_new_with_free_func (data, size, block_free, data);
}

/**
 * bawn_bytes_new_string:
 * @text: a text
 *
 * Returns: (transfer full): the bytes of @text without its NUL, in wiped memory
 */
GBytes *
bawn_bytes_new_string (const char *text)
{
  g_return_val_if_fail (text != NULL, NULL);

  return bawn_bytes_new (text, strlen (text));
}

/**
 * bawn_bytes_equal:
 * @a: (nullable): some bytes
 * @b: (nullable): other bytes
 *
 * Compares in a time that depends on the sizes only. Two %NULL are equal.
 *
 * Returns: whether both hold the same
 */
gboolean
bawn_bytes_equal (GBytes *a, GBytes *b)
{
  if (a == NULL || b == NULL)
    return a == b;

  gsize a_size = 0;
  gsize b_size = 0;
  const volatile guint8 *a_data = g_bytes_get_data (a, &a_size);
  const volatile guint8 *b_data = g_bytes_get_data (b, &b_size);
  guint8 difference = 0;

  if (a_size != b_size)
    return FALSE;
  for (gsize i = 0; i < a_size; i++)
    difference |= a_data[i] ^ b_data[i];

  return difference == 0;
}

/**
 * bawn_wipe:
 * @data: (nullable): memory that held something secret
 * @size: how many bytes
 *
 * Clears @data in a way that no optimiser takes out.
 */
void
bawn_wipe (gpointer data, gsize size)
{
  if (data != NULL)
    explicit_bzero (data, size);
}

/**
 * bawn_string_wipe_free:
 * @string: (nullable) (transfer full): a text from g_malloc() and its like
 *
 * Wipes the whole allocation, also what lies behind the NUL, and frees it.
 */
void
bawn_string_wipe_free (char *string)
{
  if (string == NULL)
    return;

  explicit_bzero (string, malloc_usable_size (string));
  g_free (string);
}

/**
 * bawn_buffer_reserve:
 * @buffer: a buffer
 * @more: how many bytes are about to be appended
 *
 * Makes room, so that what follows does not move. What is left behind is wiped.
 */
void
bawn_buffer_reserve (BawnBuffer *buffer, gsize more)
{
  if (G_LIKELY (more <= buffer->allocated - buffer->size))
    return;
  if (G_UNLIKELY (more > G_MAXSSIZE - buffer->size))
    g_error ("a buffer of %" G_GSIZE_FORMAT " more bytes is impossible", more);

  gsize grown = buffer->allocated <= G_MAXSSIZE / 2 ? buffer->allocated * 2 : G_MAXSSIZE;
  gsize wanted = MAX (MAX (buffer->size + more, grown), FIRST_BLOCK);
  guint8 *data = block_new (wanted);

  if (buffer->size > 0)
    memcpy (data, buffer->data, buffer->size);
  block_free (buffer->data);
  buffer->data = data;
  buffer->allocated = wanted;
}

/**
 * bawn_buffer_append:
 * @buffer: a buffer
 * @data: (array length=size) (nullable): what to append; not a part of @buffer itself
 * @size: how many bytes
 *
 * Appends a copy of @data.
 */
void
bawn_buffer_append (BawnBuffer *buffer, gconstpointer data, gsize size)
{
  if (size == 0)
    return;

  bawn_buffer_reserve (buffer, size);
  memcpy (buffer->data + buffer->size, data, size);
  buffer->size += size;
}

/**
 * bawn_buffer_append_string:
 * @buffer: a buffer
 * @text: a text
 *
 * Appends @text without its NUL.
 */
void
bawn_buffer_append_string (BawnBuffer *buffer, const char *text)
{
  bawn_buffer_append (buffer, text, strlen (text));
}

/**
 * bawn_buffer_append_byte:
 * @buffer: a buffer
 * @byte: one byte
 *
 * Appends @byte.
 */
void
bawn_buffer_append_byte (BawnBuffer *buffer, guint8 byte)
{
  bawn_buffer_reserve (buffer, 1);
  buffer->data[buffer->size++] = byte;
}

/**
 * bawn_buffer_truncate:
 * @buffer: a buffer
 * @size: how many bytes to keep, at most what there are
 *
 * Cuts the end off and wipes it.
 */
void
bawn_buffer_truncate (BawnBuffer *buffer, gsize size)
{
  g_return_if_fail (size <= buffer->size);

  if (size < buffer->size)
    explicit_bzero (buffer->data + size, buffer->size - size);
  buffer->size = size;
}

/**
 * bawn_buffer_steal:
 * @buffer: a buffer
 *
 * Takes the content out without a copy and leaves @buffer empty and usable.
 *
 * Returns: (transfer full): wiping bytes with a NUL behind them, as from bawn_bytes_new()
 */
GBytes *
bawn_buffer_steal (BawnBuffer *buffer)
{
  if (buffer->data == NULL)
    return bawn_bytes_new (NULL, 0);

  guint8 *data = g_steal_pointer (&buffer->data);
  gsize size = buffer->size;

  data[size] = 0;
  buffer->size = 0;
  buffer->allocated = 0;

  return g_bytes_new_with_free_func (data, size, block_free, data);
}

/**
 * bawn_buffer_clear:
 * @buffer: a buffer
 *
 * Wipes and frees the content; @buffer is empty and usable.
 */
void
bawn_buffer_clear (BawnBuffer *buffer)
{
  block_free (g_steal_pointer (&buffer->data));
  buffer->size = 0;
  buffer->allocated = 0;
}
