/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-render.h"

#include "cli/bawn-cli-terminal.h"

#include <string.h>

/* Between columns, and what stands for an empty cell: as people's scripts know it. */
#define GAP 4
#define EMPTY "n/a"

struct _BawnCliTable
{
  GPtrArray *rows; /* of GPtrArray of wiped strings */
  gboolean has_header;
};

/**
 * bawn_cli_table_free:
 * @table: (nullable) (transfer full): a table
 */
void
bawn_cli_table_free (BawnCliTable *table)
{
  if (table == NULL)
    return;

  g_ptr_array_unref (table->rows);
  g_free (table);
}

static GPtrArray *
table_append_row (BawnCliTable *table)
{
  GPtrArray *row = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_string_wipe_free);

  g_ptr_array_add (table->rows, row);
  return row;
}

/**
 * bawn_cli_table_new:
 * @header: (nullable) (array zero-terminated=1): the first row, which will be underlined
 *
 * Returns: (transfer full): a table
 */
BawnCliTable *
bawn_cli_table_new (const char *const *header)
{
  BawnCliTable *table = g_new0 (BawnCliTable, 1);

  table->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  table->has_header = header != NULL;
  if (header == NULL)
    return table;

  GPtrArray *names = table_append_row (table);
  GPtrArray *lines = table_append_row (table);
  for (guint i = 0; header[i] != NULL; i++)
    {
      g_ptr_array_add (names, g_strdup (header[i]));
      g_ptr_array_add (lines, g_strnfill (bawn_cli_text_width (header[i]), '-'));
    }

  return table;
}

/**
 * bawn_cli_table_add:
 * @table: a table
 * @...: cells, then %NULL
 *
 * Adds a row.
 */
void
bawn_cli_table_add (BawnCliTable *table, ...)
{
  GPtrArray *row = table_append_row (table);
  va_list args;

  va_start (args, table);
  for (const char *cell = va_arg (args, const char *); cell != NULL;
       cell = va_arg (args, const char *))
    g_ptr_array_add (row, g_strdup (cell));
  va_end (args);
}

/**
 * bawn_cli_table_add_value:
 * @table: a table of two columns
 * @name: the first cell
 * @value: (nullable): what the second shows
 *
 * Adds a row. Numbers of seconds become durations if @name says that they are some.
 */
void
bawn_cli_table_add_value (BawnCliTable *table, const char *name, const BawnJsonNode *value)
{
  GPtrArray *row = table_append_row (table);
  gint64 seconds = 0;

  g_ptr_array_add (row, g_strdup (name));
  if (bawn_json_is (value, BAWN_JSON_NUMBER) && bawn_cli_name_means_duration (name)
      && bawn_json_node_int (value, &seconds))
    g_ptr_array_add (row, bawn_cli_render_seconds (seconds));
  else
    g_ptr_array_add (row, bawn_cli_render_value_dup (value));
}

/**
 * bawn_cli_table_n_rows:
 * @table: a table
 *
 * Returns: how many rows it has, the header not counted
 */
guint
bawn_cli_table_n_rows (BawnCliTable *table)
{
  return table->rows->len - (table->has_header ? 2 : 0);
}

static void
make_presentable (BawnCliTable *table, gboolean harmless)
{
  for (guint i = 0; i < table->rows->len; i++)
    {
      GPtrArray *row = g_ptr_array_index (table->rows, i);

      for (guint j = 0; j < row->len; j++)
        {
          g_autoptr (BawnWipedString) cell = g_ptr_array_index (row, j);

          if (cell[0] == '\0')
            row->pdata[j] = g_strdup (EMPTY);
          else if (harmless)
            row->pdata[j] = bawn_cli_make_harmless (cell, strlen (cell));
          else
            row->pdata[j] = g_steal_pointer (&cell);
        }
    }
}

static GArray *
column_widths (BawnCliTable *table)
{
  GArray *widths = g_array_new (FALSE, TRUE, sizeof (gsize));

  for (guint i = 0; i < table->rows->len; i++)
    {
      GPtrArray *row = g_ptr_array_index (table->rows, i);

      if (row->len > widths->len)
        g_array_set_size (widths, row->len);
      for (guint j = 0; j < row->len; j++)
        {
          gsize *width = &g_array_index (widths, gsize, j);
          *width = MAX (*width, bawn_cli_text_width (g_ptr_array_index (row, j)));
        }
    }

  return widths;
}

/**
 * bawn_cli_table_render:
 * @table: a table
 * @harmless: whether control characters are to be made visible
 * @out: what to append to
 *
 * Columns are as wide as their widest cell; the last one is not padded.
 */
void
bawn_cli_table_render (BawnCliTable *table, gboolean harmless, BawnBuffer *out)
{
  make_presentable (table, harmless);
  g_autoptr (GArray) widths = column_widths (table);

  for (guint i = 0; i < table->rows->len; i++)
    {
      GPtrArray *row = g_ptr_array_index (table->rows, i);

      for (guint j = 0; j < row->len; j++)
        {
          const char *cell = g_ptr_array_index (row, j);

          bawn_buffer_append_string (out, cell);
          if (j + 1 == row->len)
            break;

          gsize padding = g_array_index (widths, gsize, j) - bawn_cli_text_width (cell) + GAP;
          for (gsize k = 0; k < padding; k++)
            bawn_buffer_append_byte (out, ' ');
        }
      bawn_buffer_append_byte (out, '\n');
    }
}
