/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-ha-backend.h"

G_BEGIN_DECLS

typedef enum
{
  BAWN_FAULT_GET,
  BAWN_FAULT_LIST,
  BAWN_FAULT_COMMIT,
  BAWN_FAULT_WAIT,
} BawnFaultCall;

/**
 * BawnBackendFault:
 *
 * A backend in front of another one which misbehaves as it is told, for tests. Thread-safe. It can be elected through if the
 * other one can. A call that is held does not notice that it is cancelled, like one to a storage that hangs.
 */
#define BAWN_TYPE_BACKEND_FAULT (bawn_backend_fault_get_type ())
G_DECLARE_FINAL_TYPE (BawnBackendFault, bawn_backend_fault, BAWN, BACKEND_FAULT, GObject)

BawnBackendFault *bawn_backend_fault_new (BawnBackend *inner);

/* After @skip more of these calls, the next @times fail with @code without reaching the storage. */
void bawn_backend_fault_fail (BawnBackendFault *self, BawnFaultCall call, guint skip, guint times,
                              BawnErrorCode code);
/* After @skip more commits, the answers of the next @times are lost (UNKNOWN_OUTCOME); @applied: on the way back,
 * so that the commit is in; otherwise on the way there. */
void bawn_backend_fault_lose (BawnBackendFault *self, guint skip, guint times, gboolean applied);
/* The commit after @skip more is lost on the way and reaches the storage only when
 * bawn_backend_fault_deliver() is called, which returns what the storage said to it. */
void bawn_backend_fault_postpone (BawnBackendFault *self, guint skip);
gboolean bawn_backend_fault_deliver (BawnBackendFault *self, GError **error);

/* Holds the next call of that kind; @after: when the storage has done it already, otherwise before. A call that is
 * held goes on. */
void bawn_backend_fault_hold (BawnBackendFault *self, BawnFaultCall call, gboolean after);
void bawn_backend_fault_await_held (BawnBackendFault *self);
void bawn_backend_fault_release (BawnBackendFault *self);

void bawn_backend_fault_set_limits (BawnBackendFault *self, const BawnBackendLimits *limits);
guint bawn_backend_fault_count (BawnBackendFault *self, BawnFaultCall call);
guint bawn_backend_fault_last_n_writes (BawnBackendFault *self);

G_END_DECLS
