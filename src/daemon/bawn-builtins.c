/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-builtins.h"

#include "audit/bawn-audit.h"
#include "storage/bawn-backend-registry.h"

/* The types have no headers, since nobody but this file may name them. */
#define BAWN_BUILTIN_BACKEND(name, prefix, ha) GType prefix##_get_type (void);
#define BAWN_BUILTIN_ENGINE(prefix) GType prefix##_get_type (void);
#define BAWN_BUILTIN_METHOD(prefix) GType prefix##_get_type (void);
#define BAWN_BUILTIN_AUDIT(name, prefix) GType prefix##_get_type (void);
#include "daemon/bawn-builtins.def"
#undef BAWN_BUILTIN_BACKEND
#undef BAWN_BUILTIN_ENGINE
#undef BAWN_BUILTIN_METHOD
#undef BAWN_BUILTIN_AUDIT

void
bawn_builtins_register (void)
{
#define BAWN_BUILTIN_BACKEND(name, prefix, ha) bawn_backend_register (name, prefix##_get_type, ha);
#define BAWN_BUILTIN_ENGINE(prefix)
#define BAWN_BUILTIN_METHOD(prefix)
#define BAWN_BUILTIN_AUDIT(name, prefix) bawn_audit_register (name, prefix##_get_type);
#include "daemon/bawn-builtins.def"
#undef BAWN_BUILTIN_BACKEND
#undef BAWN_BUILTIN_ENGINE
#undef BAWN_BUILTIN_METHOD
#undef BAWN_BUILTIN_AUDIT
}

void
bawn_builtins_add_engines (BawnCore *core)
{
#define BAWN_BUILTIN_BACKEND(name, prefix, ha)
#define BAWN_BUILTIN_ENGINE(prefix) bawn_core_add_engine (core, g_object_new (prefix##_get_type (), NULL), FALSE);
#define BAWN_BUILTIN_METHOD(prefix) bawn_core_add_engine (core, g_object_new (prefix##_get_type (), NULL), TRUE);
#define BAWN_BUILTIN_AUDIT(name, prefix)
#include "daemon/bawn-builtins.def"
#undef BAWN_BUILTIN_BACKEND
#undef BAWN_BUILTIN_ENGINE
#undef BAWN_BUILTIN_METHOD
#undef BAWN_BUILTIN_AUDIT
}
