/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

/* Gives up what should be the last reference but for those of threads that have been told of the end and may let go a
 * moment later. A reference that stays is a leak, and ends as a hang here. */
static inline void
unref_last (gpointer object)
{
  gpointer there = object;

  g_object_add_weak_pointer (object, &there);
  g_object_unref (object);
  while (g_atomic_pointer_get (&there) != NULL)
    g_usleep (100);
}
