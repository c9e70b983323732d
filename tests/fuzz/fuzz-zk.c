/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a ZooKeeper server may send: the first byte says what the rest is taken for. All of it is
 * either read whole or refused, nothing that is handed out lies outside of it, and a node's name
 * that is taken has one path only. */
#include "config.h"

#include "backend/bawn-zk-messages.h"
#include "backend/bawn-zk-path.h"

#include <string.h>

#include "fuzz.h"

#define ROOT "/r"

static void
check_slice (GBytes *whole, GBytes *slice)
{
  gsize size = 0;
  gsize all = 0;
  const guint8 *start = g_bytes_get_data (slice, &size);
  const guint8 *from = g_bytes_get_data (whole, &all);

  g_assert_true (size <= all);
  g_assert_true (size == 0 || (start >= from && start + size <= from + all));
}

static void
check_name (const char *child)
{
  g_autofree char *name = bawn_zk_name_of_child (child);

  if (name == NULL)
    return;

  g_autofree char *path = g_str_has_suffix (name, "/") ? bawn_zk_path_of_folder (ROOT, name)
                                                       : bawn_zk_path_of_key (ROOT, name);
  g_autofree char *expected = g_strconcat (ROOT "/", child, NULL);

  g_assert_cmpstr (path, ==, expected);
}

static void
take_reply (GBytes *frame)
{
  BawnZkReplyHeader header = { 0 };
  g_autoptr (GBytes) body = NULL;
  g_autofree char *path = NULL;

  if (!bawn_zk_parse_reply (frame, &header, &body, NULL))
    return;
  check_slice (frame, body);
  if (header.xid == BAWN_ZK_XID_EVENT && bawn_zk_parse_event (body, &path, NULL))
    g_assert_true (g_utf8_validate (path, -1, NULL));
}

static void
take_greeting (GBytes *frame)
{
  BawnZkSession session = { 0 };
  gint32 timeout_ms = 0;
  g_autoptr (GError) error = NULL;

  if (bawn_zk_parse_connect (frame, &timeout_ms, &session, &error))
    g_assert_true (session.id == 0 || timeout_ms > 0);
  else
    g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
}

static void
take_multi (GBytes *body)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) results = bawn_zk_parse_multi (body, &error);

  if (results == NULL)
    g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
  /* Each result has a header of nine bytes. */
  else
    g_assert_true (results->len <= g_bytes_get_size (body) / 9);
}

static void
take_children (GBytes *body)
{
  g_autoptr (GPtrArray) names = NULL;
  BawnZkStat stat = { 0 };

  if (!bawn_zk_parse_children (body, &names, &stat, NULL))
    return;
  g_assert_true (stat.mzxid > 0);
  for (guint i = 0; i < names->len; i++)
    check_name (names->pdata[i]);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;

  g_autoptr (GBytes) bytes = bawn_bytes_new (data + 1, size - 1);
  g_autofree char *text = g_strndup ((const char *) data + 1, size - 1);
  g_autoptr (GBytes) value = NULL;
  BawnZkStat stat = { 0 };

  switch (*data)
    {
    case 'g':
      take_greeting (bytes);
      break;
    case 'm':
      take_multi (bytes);
      break;
    case 'c':
      take_children (bytes);
      break;
    case 'd':
      if (bawn_zk_parse_data (bytes, &value, &stat, NULL))
        check_slice (bytes, value);
      break;
    case 's':
      if (bawn_zk_parse_stat (bytes, &stat, NULL))
        g_assert_true (stat.mzxid > 0 && stat.num_children >= 0);
      break;
    case 'n':
      check_name (text);
      break;
    case 'p':
      bawn_zk_path_is_valid (text);
      break;
    default:
      take_reply (bytes);
      break;
    }
  return 0;
}
