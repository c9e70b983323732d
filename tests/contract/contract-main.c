/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* bawn-contract: the conformance suite as a program, for any storage that is built in or a module.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/bawn-backend-module.h"
#include "storage/bawn-backend-registry.h"
#include "tests/contract/bawn-contract.h"

#define SELF "/proc/self/exe"
#define EXIT_USAGE 2

/* Only the storages of the list are of interest here. */
#define BAWN_BUILTIN_ENGINE(prefix)
#define BAWN_BUILTIN_METHOD(prefix)
#define BAWN_BUILTIN_AUDIT(name, prefix)
#define BAWN_BUILTIN_BACKEND(name, prefix, ha) GType prefix##_get_type (void);
#include "daemon/bawn-builtins.def"
#undef BAWN_BUILTIN_BACKEND

static void
register_builtins (void)
{
#define BAWN_BUILTIN_BACKEND(name, prefix, ha) bawn_backend_register (name, prefix##_get_type, ha);
#include "daemon/bawn-builtins.def"
#undef BAWN_BUILTIN_BACKEND
}

/* What `path` is to a storage. */
static const char *const path_kinds[] = { "file", "prefix", "none", NULL };

typedef enum
{
  PATH_FILE,
  PATH_PREFIX,
  PATH_NONE,
} PathKind;

typedef struct
{
  char *module;
  char *type;
  char *config;
  char *path;
  gboolean is_child;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  g_free (arguments->module);
  g_free (arguments->type);
  g_free (arguments->config);
  g_free (arguments->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static const char description[] =
    "All other options are those of GLib's test programs: -l lists the tests, -p PATH runs those "
    "below PATH, -s PATH leaves\n"
    "them out, -k goes on after a failure, --seed=SEED repeats a run, --tap is for harnesses.\n";

static gboolean
parse (Arguments *arguments, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "module", 0, 0, G_OPTION_ARG_FILENAME, &arguments->module, "The module to test", "FILE" },
    { "type", 0, 0, G_OPTION_ARG_STRING, &arguments->type, "The built-in storage to test", "NAME" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &arguments->config,
      "Take the keys of [storage] from this file", "FILE" },
    { "path", 0, 0, G_OPTION_ARG_STRING, &arguments->path,
      "What the key path is: file (each test gets a new one), prefix (of all keys) or none (each "
      "handle is a storage)",
      "KIND" },
    { "child", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &arguments->is_child, NULL, NULL },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context,
                                "Runs a storage backend of bawn through the conformance suite.");
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_ignore_unknown_options (context, TRUE);
  return g_option_context_parse (context, argc, argv, error);
}

/* The lines of [storage] but for those that the suite sets itself; @out_type: what it says of the
 * type. */
static gboolean
read_lines (const char *path, char **out_lines, char **out_type, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GString) lines = g_string_new (NULL);

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, error))
    return FALSE;

  g_auto (GStrv) keys = g_key_file_get_keys (file, "storage", NULL, error);

  if (keys == NULL)
    return FALSE;
  for (guint i = 0; keys[i] != NULL; i++)
    {
      g_autofree char *value = g_key_file_get_value (file, "storage", keys[i], NULL);

      if (g_str_equal (keys[i], "type"))
        *out_type = g_steal_pointer (&value);
      else if (!g_str_equal (keys[i], "path"))
        g_string_append_printf (lines, "%s=%s\n", keys[i], value);
    }

  *out_lines = g_string_free (g_steal_pointer (&lines), FALSE);
  return TRUE;
}

/* Which storage it is: that of the module, the one that was named, or the one of the configuration.
 */
static const char *
choose_type (Arguments *arguments, const char *configured, GError **error)
{
  if (arguments->module != NULL)
    {
      g_autofree char *path = g_canonicalize_filename (arguments->module, NULL);
      const BawnBackendModule *module =
          bawn_backend_module_load (path, arguments->module, NULL, error);

      if (module == NULL)
        return NULL;
      if (!arguments->is_child)
        printf ("# %s %s, %s\n", module->name, module->version, arguments->module);
      return module->name;
    }

  const char *type = arguments->type != NULL ? arguments->type : configured;

  if (type != NULL && g_strv_contains (bawn_backend_names (), type))
    return type;

  g_autofree char *known = g_strjoinv (", ", (char **) bawn_backend_names ());

  return bawn_fail_null (error, BAWN_ERROR_INVALID,
                         "no storage to test: give --module=FILE, or --type= one of %s", known);
}

static gboolean
choose_path (const Arguments *arguments, const char *type, PathKind *out_kind, GError **error)
{
  const char *word = arguments->path;

  if (word == NULL && g_str_equal (type, "memory"))
    word = path_kinds[PATH_NONE];
  else if (word == NULL)
    word = path_kinds[arguments->module != NULL || g_str_equal (type, "sqlite") ? PATH_FILE
                                                                                : PATH_PREFIX];

  for (guint i = 0; path_kinds[i] != NULL; i++)
    if (g_str_equal (path_kinds[i], word))
      {
        *out_kind = (PathKind) i;
        return TRUE;
      }

  return bawn_fail (error, BAWN_ERROR_INVALID, "--path is file, prefix or none, not %s", word);
}

/* This program again, on the same storage. */
static GStrv
make_child (const Arguments *arguments, const char *type, PathKind kind)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();

  g_ptr_array_add (argv, g_strdup (SELF));
  g_ptr_array_add (argv, arguments->module != NULL
                             ? g_strconcat ("--module=", arguments->module, NULL)
                             : g_strconcat ("--type=", type, NULL));
  g_ptr_array_add (argv, g_strconcat ("--path=", path_kinds[kind], NULL));
  if (arguments->config != NULL)
    g_ptr_array_add (argv, g_strconcat ("--config=", arguments->config, NULL));
  g_ptr_array_add (argv, g_strdup ("--child"));
  g_ptr_array_add (argv, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&argv), FALSE);
}

static int
complain (const GError *error)
{
  fprintf (stderr, "bawn-contract: %s\n", error->message);
  return EXIT_USAGE;
}

static int
run_suite (const BawnContractTarget *target, int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (argc > 1)
    {
      fprintf (stderr, "bawn-contract: unexpected argument: %s\n", argv[1]);
      return EXIT_USAGE;
    }

  bawn_contract_add_tests (target);
  return g_test_run ();
}

int
main (int argc, char **argv)
{
  g_auto (Arguments) arguments = { 0 };
  g_autofree char *lines = NULL;
  g_autofree char *configured = NULL;
  g_autoptr (GError) error = NULL;
  PathKind kind = PATH_FILE;

  register_builtins ();
  if (!parse (&arguments, &argc, &argv, &error)
      || (arguments.config != NULL && !read_lines (arguments.config, &lines, &configured, &error)))
    return complain (error);

  const char *type = choose_type (&arguments, configured, &error);

  if (type == NULL || !choose_path (&arguments, type, &kind, &error))
    return complain (error);

  g_auto (GStrv) child = make_child (&arguments, type, kind);
  const BawnContractTarget target = {
    .type = type,
    .is_private = kind == PATH_NONE,
    .is_file = kind == PATH_FILE,
    .lines = lines,
    .child = (const char *const *) child,
  };

  if (!bawn_contract_check_config (&target, &error))
    return complain (error);
  if (arguments.is_child)
    return argc == 4 ? bawn_contract_child (&target, (const char *const *) argv + 1) : EXIT_USAGE;

  return run_suite (&target, argc, argv);
}
