/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-spec.h"

void
bawn_spec_begin (BawnJsonWriter *w)
{
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "openapi", "3.0.2");
  bawn_json_writer_name (w, "info");
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "title", "bawn");
  bawn_json_writer_add_string (
      w, "description", "HTTP API of a secrets server. All API routes are prefixed with /v1/");
  bawn_json_writer_add_string (w, "version", BAWN_API_VERSION);
  bawn_json_writer_name (w, "license");
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "name", "LGPL-2.1-or-later");
  bawn_json_writer_end_object (w);
  bawn_json_writer_end_object (w);
  bawn_json_writer_name (w, "paths");
  bawn_json_writer_begin_object (w);
}

void
bawn_spec_end (BawnJsonWriter *w)
{
  bawn_json_writer_end_object (w);
  bawn_json_writer_end_object (w);
}

/* "{name...}" is how our tables say "the rest"; the document knows only "{name}". */
static char *
document_path (const char *mount_path, const char *pattern)
{
  g_autofree char *path = g_strconcat ("/", mount_path, pattern, NULL);
  g_auto (GStrv) parts = g_strsplit (path, "...}", -1);

  return g_strjoinv ("}", parts);
}

static void
write_parameters (BawnJsonWriter *w, const char *pattern)
{
  const char *from = pattern;

  if (strchr (pattern, '{') == NULL)
    return;

  bawn_json_writer_name (w, "parameters");
  bawn_json_writer_begin_array (w);
  while ((from = strchr (from, '{')) != NULL)
    {
      g_autofree char *name = g_strndup (from + 1, strcspn (from + 1, ".}"));

      bawn_json_writer_begin_object (w);
      bawn_json_writer_add_string (w, "name", name);
      bawn_json_writer_add_string (w, "in", "path");
      bawn_json_writer_add_bool (w, "required", TRUE);
      bawn_json_writer_name (w, "schema");
      bawn_json_writer_begin_object (w);
      bawn_json_writer_add_string (w, "type", "string");
      bawn_json_writer_end_object (w);
      bawn_json_writer_end_object (w);
      from++;
    }
  bawn_json_writer_end_array (w);
}

static void
write_operation (BawnJsonWriter *w,
                 const char *method,
                 const char *help,
                 const char *status,
                 const char *meaning)
{
  bawn_json_writer_name (w, method);
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "summary", help != NULL ? help : "");
  bawn_json_writer_name (w, "responses");
  bawn_json_writer_begin_object (w);
  bawn_json_writer_name (w, status);
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "description", meaning);
  bawn_json_writer_end_object (w);
  bawn_json_writer_end_object (w);
  bawn_json_writer_end_object (w);
}

/* One HTTP method each; reading and listing share one. @inout_done: those that an earlier row has
 * described. */
static void
write_operations (BawnJsonWriter *w, const BawnRoute *row, guint *inout_done)
{
  static const struct
  {
    guint ops;
    const char *method;
    const char *status;
    const char *meaning;
  } methods[] = {
    { BAWN_OP_READ | BAWN_OP_LIST, "get", "200", "OK" },
    { BAWN_OP_WRITE, "post", "200", "OK" },
    { BAWN_OP_PATCH, "patch", "200", "OK" },
    { BAWN_OP_DELETE, "delete", "204", "empty body" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if ((row->ops & methods[i].ops) != 0 && (*inout_done & methods[i].ops) == 0)
      {
        write_operation (w, methods[i].method, row->help, methods[i].status, methods[i].meaning);
        *inout_done |= methods[i].ops;
      }
}

static gboolean
seen_before (const BawnRoute *routes, const BawnRoute *row)
{
  for (const BawnRoute *other = routes; other != row; other++)
    if (g_str_equal (other->pattern, row->pattern))
      return TRUE;

  return FALSE;
}

void
bawn_spec_add_routes (BawnJsonWriter *w,
                      const char *mount_path,
                      const BawnRoute *routes,
                      const char *only)
{
  for (const BawnRoute *row = routes; row->pattern != NULL; row++)
    {
      guint done = 0;

      if ((only != NULL && !g_str_equal (only, row->pattern)) || seen_before (routes, row))
        continue;

      g_autofree char *path = document_path (mount_path, row->pattern);
      bawn_json_writer_name (w, path);
      bawn_json_writer_begin_object (w);
      bawn_json_writer_add_string (w, "description", row->help != NULL ? row->help : "");
      if ((row->flags & BAWN_ROUTE_OPEN) != 0)
        bawn_json_writer_add_bool (w, "x-vault-unauthenticated", TRUE);
      if ((row->flags & BAWN_ROUTE_SUDO) != 0)
        bawn_json_writer_add_bool (w, "x-vault-sudo", TRUE);
      write_parameters (w, row->pattern);
      for (const BawnRoute *same = row; same->pattern != NULL; same++)
        if (g_str_equal (same->pattern, row->pattern))
          write_operations (w, same, &done);
      bawn_json_writer_end_object (w);
    }
}
