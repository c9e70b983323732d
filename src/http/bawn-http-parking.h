/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-gate.h"

G_BEGIN_DECLS

/**
 * BawnHttpParkingEvents:
 * @go_on: something has changed: it may try again
 * @give_up: it has waited long enough
 *
 * What a parking tells its owner of a passage, which has left it then.
 */
typedef struct
{
  void (*go_on) (gpointer owner, BawnHttpPassage *passage);
  void (*give_up) (gpointer owner, BawnHttpPassage *passage);
} BawnHttpParkingEvents;

/**
 * BawnHttpParking:
 *
 * Where requests of one worker wait for an active node; how many may, all workers decide together.
 */
typedef struct _BawnHttpParking BawnHttpParking;

BawnHttpParking *
bawn_http_parking_new (BawnHttpWorker *worker, const BawnHttpParkingEvents *events, gpointer owner);
void bawn_http_parking_free (BawnHttpParking *parking);
gboolean
bawn_http_parking_enter (BawnHttpParking *parking, BawnHttpPassage *passage, gboolean *out_full);
void bawn_http_parking_leave (BawnHttpParking *parking, BawnHttpPassage *passage);
void bawn_http_parking_run (BawnHttpParking *parking);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpParking, bawn_http_parking_free)

G_END_DECLS
