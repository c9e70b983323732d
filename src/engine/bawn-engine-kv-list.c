/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "engine/bawn-engine-kv-private.h"

#include <string.h>

/* More names than this are not gathered into one answer; "after" and "limit" go on from there. */
#define NAMES_MAX 1000000

typedef struct
{
  gint64 limit; /* 0: all */
  char *after;  /* nullable */
} Page;

static void
page_clear (Page *page)
{
  g_free (page->after);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Page, page_clear)

static gboolean
read_page (BawnRequest *request, Page *page, GError **error)
{
  g_autofree char *after = NULL;

  if (!bawn_field_string (request, "after", &after, error)
      || !bawn_field_int (request, "limit", &page->limit, error))
    return FALSE;
  if (page->limit < 0 || page->limit > NAMES_MAX)
    page->limit = 0;
  if (after != NULL && *after != '\0')
    page->after = g_steal_pointer (&after);

  return TRUE;
}

/* All names below one prefix, as far as the page goes: the storage gives them in pages of its own.
 */
static gboolean
gather (BawnTxn *txn, const char *prefix, const Page *page, GPtrArray *names, GError **error)
{
  g_autofree char *after = g_strdup (page->after);
  gsize first = names->len;

  while (TRUE)
    {
      g_auto (GStrv) some = NULL;
      guint limit = page->limit > 0 && page->limit < BAWN_BACKEND_MAX_LIST ? (guint) page->limit
                                                                           : BAWN_BACKEND_MAX_LIST;

      if (!bawn_txn_list (txn, prefix, after, limit, &some, error))
        return FALSE;

      guint n = g_strv_length (some);

      for (guint i = 0; i < n; i++)
        g_ptr_array_add (names, g_steal_pointer (&some[i]));
      if (n < limit || (page->limit > 0 && names->len - first >= (gsize) page->limit))
        return TRUE;
      if (names->len > NAMES_MAX)
        return bawn_fail (error, BAWN_ERROR_TOO_LARGE,
                          "more than %d names; list them in parts with limit and after", NAMES_MAX);
      g_free (after);
      after = g_strdup (g_ptr_array_index (names, names->len - 1));
    }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static BawnResponse *
answer (GPtrArray *names, const Page *page)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  const char *last = NULL;
  gint64 n = 0;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "keys");
  bawn_json_writer_begin_array (&w);
  for (guint i = 0; i < names->len && (page->limit == 0 || n < page->limit); i++)
    {
      const char *name = g_ptr_array_index (names, i);

      if (last != NULL && g_str_equal (name, last))
        continue;
      bawn_json_writer_string (&w, name);
      last = name;
      n++;
    }
  bawn_json_writer_end_array (&w);
  bawn_json_writer_end_object (&w);

  BawnResponse *response = bawn_response_new_writer (&w);

  response->is_list = TRUE;

  return response;
}

/**
 * bawn_kv_list:
 * @request: a list; its "after" and "limit" are honoured
 * @txn: scoped to the mount
 * @places: (array zero-terminated=1): prefixes whose names are shown together
 * @path: the folder, "" or ending in '/'
 * @error: of the storage
 *
 * Returns: (transfer full) (nullable): the names one level below the folder, sorted and once each
 */
BawnResponse *
bawn_kv_list (
    BawnRequest *request, BawnTxn *txn, const char *const *places, const char *path, GError **error)
{
  g_auto (Page) page = { 0 };
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *slash = *path == '\0' || g_str_has_suffix (path, "/") ? "" : "/";

  if (!read_page (request, &page, error))
    return NULL;
  if (*path != '\0' && !bawn_kv_check_folder (request, path, error))
    return NULL;
  for (guint i = 0; places[i] != NULL; i++)
    {
      g_autofree char *prefix = g_strconcat (places[i], path, slash, NULL);

      if (!gather (txn, prefix, &page, names, error))
        return NULL;
    }
  if (places[0] != NULL && places[1] != NULL)
    g_ptr_array_sort (names, compare_names);

  return answer (names, &page);
}
