/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"

G_BEGIN_DECLS

/**
 * BawnLocalCaller:
 * @door: the way in: "dbus"
 * @uid: of the caller
 * @pid: of the caller; 0: not known
 *
 * Somebody on this machine who has no token, and whom the machine's own rules have let in.
 */
typedef struct
{
  const char *door;
  guint uid;
  guint pid;
} BawnLocalCaller;

/* What the endpoints of the same names do, for such a caller. Each writes down who asked before it
 * acts: in the audit devices if this node is active, and always in the log. They block. */
gboolean bawn_core_seal_locally (BawnCore *core, const BawnLocalCaller *caller, GError **error);
/* @successor (nullable): the API address of who should become active. */
gboolean bawn_core_step_down_locally (BawnCore *core,
                                      const BawnLocalCaller *caller,
                                      const char *successor,
                                      GError **error);
/* @text: a share as people hand it in, with a NUL behind it. */
gboolean bawn_core_unseal_locally (BawnCore *core,
                                   const BawnLocalCaller *caller,
                                   BawnSecret *text,
                                   GError **error);

/* How long this node can trust its lease from now on; 0 if it has none. Any thread; never waits for
 * the storage. */
gint64 bawn_core_get_lease_left_us (BawnCore *core);

G_END_DECLS
