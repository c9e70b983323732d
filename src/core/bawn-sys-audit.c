/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

const BawnRoute bawn_sys_audit_routes[] = {
  { 0 },
};
