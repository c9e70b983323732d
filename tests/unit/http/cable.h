/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * Cable:
 * Stands between two nodes, on a port of its own. Bytes pass, unless it is told otherwise.
 */
typedef struct _Cable Cable;

typedef enum
{
  CABLE_PASS,  /* both ways */
  CABLE_STALL, /* nothing is read: who sends has to wait */
  CABLE_DROP,  /* everything is read and lost, as if the cable was out */
} CableMode;

Cable *cable_new (guint target_port);
void cable_free (Cable *cable);
guint cable_port (Cable *cable);
void cable_set (Cable *cable, CableMode mode);
/* Breaks all connections that there are. New ones begin to pass again. */
void cable_cut (Cable *cable);
guint64 cable_bytes (Cable *cable);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Cable, cable_free)
