/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-zk-tree.h"

G_BEGIN_DECLS

struct _BawnZkTree
{
  const BawnZkOptions *options;
  BawnZkClient *client;
  char *clock;
  char *root;
  GBytes *mark;

  GMutex lock;
  /* One commit at a time: who waits for the turn, in order. */
  gboolean is_committing;
  GQueue waiting;
  /* Large listings read lately, the latest first. */
  GQueue listings;

  /* With the turn: the clock's version, as far as we know. */
  gboolean knows_clock;
  gint32 clock_version;
};

void bawn_zk_listing_free (gpointer data);

G_END_DECLS
