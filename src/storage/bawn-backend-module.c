/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-backend-module.h"

#include <dlfcn.h>
#include <string.h>

#include "storage/bawn-backend-registry.h"

/* No name of a storage is near it; a bound, so that a file name can be made of any. */
#define MAX_NAME 32
#define SYMBOL "bawn_backend_module"

/**
 * bawn_backend_module_name_is_valid:
 * @name: what `type=` says
 *
 * Returns: %TRUE if @name is of small letters, digits and '-', and so leads nowhere but into the
 * folder of the modules
 */
gboolean
bawn_backend_module_name_is_valid (const char *name)
{
  gsize size = strnlen (name, MAX_NAME + 1);

  return size > 0 && size <= MAX_NAME
         && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

/**
 * bawn_backend_module_file_name:
 * @name: a valid name
 *
 * Returns: (transfer full): what the file of that module is called, without a folder
 */
char *
bawn_backend_module_file_name (const char *name)
{
  g_return_val_if_fail (bawn_backend_module_name_is_valid (name), NULL);

  return g_strdup_printf ("libbawn-backend-%s.so", name);
}

/* What the linker says begins with the path it was given, which may be one that means nothing to
 * people. */
static const char *
linker_error (const char *path)
{
  const char *text = dlerror ();

  if (text == NULL)
    return "no reason given";
  if (g_str_has_prefix (text, path) && g_str_has_prefix (text + strlen (path), ": "))
    return text + strlen (path) + strlen (": ");

  return text;
}

static gboolean
check_versions (const BawnBackendModule *module, const char *shown, GError **error)
{
  if (module->abi != BAWN_BACKEND_ABI)
    return bawn_fail (
        error, BAWN_ERROR_INVALID,
        "%s was built for version %u of the backend interface, and this is version %u", shown,
        module->abi, BAWN_BACKEND_ABI);
  if (module->revision > BAWN_BACKEND_REVISION)
    return bawn_fail (
        error, BAWN_ERROR_INVALID,
        "%s was built for a newer bawn: revision %u of the backend interface, and this is %u",
        shown, module->revision, BAWN_BACKEND_REVISION);
  if (module->size < sizeof *module)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "%s describes itself in %" G_GSIZE_FORMAT
                      " bytes instead of %" G_GSIZE_FORMAT,
                      shown, module->size, sizeof *module);

  return TRUE;
}

static gboolean
check_name (const BawnBackendModule *module, const char *shown, const char *name, GError **error)
{
  if (module->name == NULL || !bawn_backend_module_name_is_valid (module->name))
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s does not give a name that a storage may have",
                      shown);
  if (name != NULL && !g_str_equal (module->name, name))
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s is the storage \"%s\", not \"%s\"", shown,
                      module->name, name);
  if (g_strv_contains (bawn_backend_names (), module->name))
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s is the storage \"%s\", which is there already",
                      shown, module->name);
  if (module->version == NULL || module->get_type == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s gives no version, or no class", shown);

  return TRUE;
}

static gboolean
check_type (GType type, const char *shown, GError **error)
{
  if (type == G_TYPE_INVALID || !g_type_is_a (type, G_TYPE_OBJECT)
      || !g_type_is_a (type, BAWN_TYPE_BACKEND) || !g_type_is_a (type, G_TYPE_INITABLE))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "the class of %s is not a BawnBackend and GInitable", shown);

  GObjectClass *klass = g_type_class_ref (type);
  const GParamSpec *config = g_object_class_find_property (klass, "config");
  gboolean good = config != NULL && g_type_is_a (config->value_type, BAWN_TYPE_CONFIG_GROUP)
                  && (config->flags & G_PARAM_WRITABLE) != 0;

  g_type_class_unref (klass);
  return good
         || bawn_fail (
             error, BAWN_ERROR_INVALID,
             "the class of %s has no writable property \"config\" of the type BawnConfigGroup",
             shown);
}

/**
 * bawn_backend_module_load:
 * @path: (type filename): the file, by a path that can be trusted: loading it runs it
 * @shown: what to call it in errors
 * @name: (nullable): the storage it must be; %NULL: whichever it is
 * @error: (out) (optional): %BAWN_ERROR_INVALID, with what is wrong with it
 *
 * Loads a module and makes its storage known to the registry. It stays for the rest of the process.
 * At start-up only, before there are threads.
 *
 * Returns: (transfer none) (nullable): what the module says of itself
 */
const BawnBackendModule *
bawn_backend_module_load (const char *path, const char *shown, const char *name, GError **error)
{
  /* Now and not when it is called: a function that is missing must not end a server that holds
   * keys. */
  gpointer handle = dlopen (path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

  if (handle == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "%s cannot be loaded: %s", shown,
                           linker_error (path));

  const BawnBackendModule *module = dlsym (handle, SYMBOL);

  if (module == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "%s is no backend: it has no symbol " SYMBOL,
                           shown);
  if (!check_versions (module, shown, error) || !check_name (module, shown, name, error))
    return NULL;

  GType type = module->get_type ();

  if (!check_type (type, shown, error))
    return NULL;

  bawn_backend_register (module->name, module->get_type, g_type_is_a (type, BAWN_TYPE_HA_BACKEND));
  return module;
}
