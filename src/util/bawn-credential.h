/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Values of keys that name files may begin so instead: what follows is the name of a credential of the service manager. */
#define BAWN_CREDENTIAL_PREFIX "credential:"

/* Whether the service manager takes it for a name. */
gboolean bawn_credential_is_name (const char *name);
/* The file of a credential. If the service manager passes none, no such file exists, and its name tells why. */
char *bawn_credential_dup_path (const char *name);
/* Whether a message is about such a file. */
gboolean bawn_credential_is_out_of_reach (const char *message);

G_END_DECLS
