/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli.h"
#include "crypto/bawn-harden.h"
#include "util/bawn-bytes.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

/* Other users may look at our command line while we run. Words that can be data or a token are
 * blanked out; the command itself and the names of flags stay, so that one still sees what is
 * running. */
static void
hide_values (int argc, char **argv)
{
  for (int i = 2; i < argc; i++)
    {
      char *start = argv[i];

      if (start[0] == '-' && start[1] != '\0')
        start = strchrnul (start, '=');
      bawn_wipe (start, strlen (start));
    }
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  bindtextdomain (PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (PACKAGE, "UTF-8");
  textdomain (PACKAGE);

  /* Best effort: a command line is no daemon, and works without. */
  bawn_process_harden (NULL);

  g_autoptr (GPtrArray) words =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_string_wipe_free);
  for (int i = 1; i < argc; i++)
    g_ptr_array_add (words, g_strdup (argv[i]));
  g_ptr_array_add (words, NULL);
  hide_values (argc, argv);

  g_auto (GStrv) environment = g_get_environ ();
  return bawn_cli_run ((const char *const *) words->pdata, (const char *const *) environment,
                       STDIN_FILENO, STDOUT_FILENO);
}
