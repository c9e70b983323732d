/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-utf8.h"

static gboolean
is_tail (guint8 byte)
{
  return (byte & 0xc0) == 0x80;
}

/**
 * bawn_utf8_sequence:
 * @text: (array length=size): where a character begins
 * @size: bytes that are left
 *
 * Measures one character by the table of well-formed sequences (Unicode 15, table 3-7): no
 * overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * Returns: 1 to 4, or 0 if what begins here is not a whole, well-formed character
 */
guint
bawn_utf8_sequence (const guint8 *text, gsize size)
{
  if (size == 0)
    return 0;

  guint8 first = text[0];

  if (first < 0x80)
    return 1;
  if (first < 0xc2 || first > 0xf4 || size < 2)
    return 0;
  if (first < 0xe0)
    return is_tail (text[1]) ? 2 : 0;

  guint8 low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  guint8 high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

  if (text[1] < low || text[1] > high || size < 3 || !is_tail (text[2]))
    return 0;
  if (first < 0xf0)
    return 3;

  return size >= 4 && is_tail (text[3]) ? 4 : 0;
}

/**
 * bawn_utf8_encode:
 * @character: a code point; what is none (a surrogate, too big) becomes U+FFFD
 * @out_text: (out): the bytes, without a NUL
 *
 * Returns: how many bytes, 1 to 4
 */
guint
bawn_utf8_encode (guint32 character, guint8 out_text[BAWN_UTF8_MAX])
{
  if ((character >= 0xd800 && character <= 0xdfff) || character > 0x10ffff)
    character = 0xfffd;

  if (character < 0x80)
    {
      out_text[0] = (guint8) character;
      return 1;
    }
  if (character < 0x800)
    {
      out_text[0] = (guint8) (0xc0 | character >> 6);
      out_text[1] = (guint8) (0x80 | (character & 0x3f));
      return 2;
    }
  if (character < 0x10000)
    {
      out_text[0] = (guint8) (0xe0 | character >> 12);
      out_text[1] = (guint8) (0x80 | (character >> 6 & 0x3f));
      out_text[2] = (guint8) (0x80 | (character & 0x3f));
      return 3;
    }

  out_text[0] = (guint8) (0xf0 | character >> 18);
  out_text[1] = (guint8) (0x80 | (character >> 12 & 0x3f));
  out_text[2] = (guint8) (0x80 | (character >> 6 & 0x3f));
  out_text[3] = (guint8) (0x80 | (character & 0x3f));
  return 4;
}

/**
 * bawn_utf8_valid:
 * @text: (array length=size): some bytes; a NUL among them is a character like others
 * @size: how many
 *
 * Returns: whether all of it is well-formed UTF-8
 */
gboolean
bawn_utf8_valid (const char *text, gsize size)
{
  const guint8 *at = (const guint8 *) text;
  const guint8 *end = at + size;

  while (at < end)
    {
      guint length = bawn_utf8_sequence (at, (gsize) (end - at));

      if (length == 0)
        return FALSE;
      at += length;
    }

  return TRUE;
}
