/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-token-store.h"
#include "storage/bawn-store.h"
#include "util/bawn-clock.h"
#include "util/bawn-error.h"

/* A store in memory, a clock that stands still, and a token store on both. */
typedef struct
{
  BawnBackend *backend;
  BawnStore *store;
  BawnClock *clock;
  BawnTokenStore *tokens;
} AuthFixture;

/* When it starts: not at a whole second. */
#define AUTH_START_US (G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC + 250000)
#define AUTH_S(seconds) ((gint64) (seconds) *G_USEC_PER_SEC)

void auth_set_up (AuthFixture *f, gconstpointer data);
void auth_tear_down (AuthFixture *f, gconstpointer data);
BawnTxn *auth_begin (AuthFixture *f);
/* Takes @txn. */
void auth_commit (BawnTxn *txn);
/* How many entries there are below a prefix, in all folders. */
guint auth_count (AuthFixture *f, const char *prefix);

#define assert_works(expression)                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error = NULL;                                                               \
    gboolean works_ = (expression);                                                                \
    g_assert_no_error (error);                                                                     \
    g_assert_true (works_);                                                                        \
  }                                                                                                \
  G_STMT_END

#define assert_fails(expression, code_, text_)                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error = NULL;                                                               \
    gboolean works_ = (expression) ? TRUE : FALSE;                                                 \
    g_assert_error (error, BAWN_ERROR, code_);                                                     \
    g_assert_cmpstr (error->message, ==, text_);                                                   \
    g_assert_false (works_);                                                                       \
  }                                                                                                \
  G_STMT_END
