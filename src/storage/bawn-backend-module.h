/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-ha-backend.h"

G_BEGIN_DECLS

/* <installed> */
/* What a module and the program that loads it must agree on. The ABI is another one when a module must be built anew; the
 * revision grows when something is added at the end of an interface or to the functions. A module may be of an older
 * revision than the program, not of a newer one. */
#define BAWN_BACKEND_ABI 1U
#define BAWN_BACKEND_REVISION 0U

/**
 * BawnBackendModule:
 * @abi: %BAWN_BACKEND_ABI of the header that the module was built with
 * @revision: %BAWN_BACKEND_REVISION of it
 * @size: the size of this
 * @name: what `type=` in the configuration says; the module's file is libbawn-backend-NAME.so
 * @version: the module's own version, for people
 * @get_type: gives the class: a #GInitable and #BawnBackend, and a #BawnHaBackend if nodes can elect through it, with a
 *   construct-only property "config" of %BAWN_TYPE_CONFIG_GROUP
 *
 * What a module exports by the name `bawn_backend_module`; see BAWN_BACKEND_DEFINE_MODULE().
 */
typedef struct
{
  guint32 abi;
  guint32 revision;
  gsize size;
  const char *name;
  const char *version;
  GType (*get_type) (void);
} BawnBackendModule;

/* Once in a module, without a semicolon: BAWN_BACKEND_DEFINE_MODULE ("mine", "1.0", bawn_backend_mine) */
#define BAWN_BACKEND_DEFINE_MODULE(name_, version_, prefix_)                                       \
  extern __attribute__ ((visibility ("default"))) const BawnBackendModule bawn_backend_module;     \
  const BawnBackendModule bawn_backend_module = {                                                  \
    BAWN_BACKEND_ABI, BAWN_BACKEND_REVISION, sizeof (BawnBackendModule), name_, version_,          \
    prefix_##_get_type                                                                             \
  };
/* </installed> */

gboolean bawn_backend_module_name_is_valid (const char *name);
char *bawn_backend_module_file_name (const char *name);
const BawnBackendModule *bawn_backend_module_load (const char *path,
                                                   const char *shown,
                                                   const char *name,
                                                   GError **error);

G_END_DECLS
