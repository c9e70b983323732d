/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stands in for libFuzzer in a usual build: gives the files that are named, and those of folders
 * that are named, to the target once. Arguments that begin with a dash are for libFuzzer. */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "fuzz.h"

static guint n_inputs;

static void
run (const char *data, gsize size)
{
  /* A copy of just this size, so that the address sanitizer sees a read behind it; never NULL, as
   * libFuzzer has it. */
  g_autofree guint8 *copy = g_malloc (MAX (size, 1));

  memcpy (copy, data, size);
  LLVMFuzzerTestOneInput (copy, size);
}

static gboolean
replay (const char *path)
{
  g_autoptr (GError) error = NULL;

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      g_autoptr (GDir) dir = g_dir_open (path, 0, &error);

      for (const char *name = NULL; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
        {
          g_autofree char *file = g_build_filename (path, name, NULL);

          if (!replay (file))
            return FALSE;
        }
    }
  else
    {
      g_autofree char *data = NULL;
      gsize size = 0;

      if (g_file_get_contents (path, &data, &size, &error))
        {
          run (data, size);
          n_inputs++;
        }
    }

  if (error != NULL)
    g_printerr ("%s\n", error->message);
  return error == NULL;
}

int
main (int argc, char **argv)
{
  run ("", 0);
  for (int i = 1; i < argc; i++)
    if (argv[i][0] != '-' && !replay (argv[i]))
      return 1;

  g_print ("# %u inputs\n", n_inputs);
  return n_inputs > 0 ? 0 : 1;
}
