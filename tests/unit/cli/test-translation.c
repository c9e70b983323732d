/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-help.h"
#include "cli/bawn-cli-terminal.h"

#include <libintl.h>
#include <locale.h>
#include <string.h>

static gboolean
speak (const char *language)
{
  g_autofree char *folder = g_test_build_filename (G_TEST_BUILT, "po", NULL);
  const char *builddir = g_getenv ("builddir");
  g_autofree char *top = builddir != NULL ? g_build_filename (builddir, "po", NULL) : NULL;

  g_setenv ("LANGUAGE", language, TRUE);
  setlocale (LC_ALL, "C.UTF-8");
  bindtextdomain (PACKAGE, top != NULL ? top : folder);
  bind_textdomain_codeset (PACKAGE, "UTF-8");
  textdomain (PACKAGE);

  return strcmp (gettext ("Usage:"), "Usage:") != 0;
}

static void
test_help (gconstpointer language)
{
  if (!speak (language))
    {
      g_test_skip ("this C library translates nothing in the locale C.UTF-8");
      return;
    }

  for (guint i = 0; bawn_cli_commands[i] != NULL; i++)
    {
      const BawnCliCommand *command = bawn_cli_commands[i];
      g_autofree char *text = bawn_cli_help_command (command);

      g_assert_true (g_utf8_validate (text, -1, NULL));
      g_assert_null (strstr (text, "Usage:"));
      g_assert_nonnull (strstr (text, command->name));
      g_assert_cmpstr (gettext (command->summary), !=, command->summary);
      for (const BawnCliFlag *flag = command->flags; flag != NULL && flag->name != NULL; flag++)
        if (flag->help != NULL)
          g_assert_cmpstr (gettext (flag->help), !=, flag->help);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/cli/translation/every-help-speaks-german", "de", test_help);
  g_test_add_data_func ("/cli/translation/every-help-speaks-french", "fr", test_help);

  return g_test_run ();
}
