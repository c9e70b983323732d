/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-token-store.h"
#include "logical/bawn-engine.h"
#include "storage/bawn-store.h"
#include "util/bawn-clock.h"
#include "util/bawn-error.h"

/**
 * AuthFixture:
 * @engine: a login method, mounted at @mount, if one was set up
 * @caller: (nullable): the client token that requests come with
 * @sudo: whether policies grant it sudo
 * @address: (nullable): where requests come from
 * @made: (nullable): the client token of the last answer that had one
 * @accessor: (nullable): its accessor
 * @kicks: how often the sweeper was called
 *
 * A store in memory, a clock that stands still, and a token store on both.
 */
typedef struct
{
  BawnBackend *backend;
  BawnStore *store;
  BawnClock *clock;
  BawnTokenStore *tokens;
  BawnEngine *engine;
  BawnMount *mount;
  char *caller;
  gboolean sudo;
  const char *address;
  char *made;
  char *accessor;
  guint kicks;
  BawnMount *login_mount;
} AuthFixture;

/* When it starts: not at a whole second. */
#define AUTH_START_US (G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC + 250000)
#define AUTH_S(seconds) ((gint64) (seconds) *G_USEC_PER_SEC)

void auth_set_up (AuthFixture *f, gconstpointer data);
void auth_tear_down (AuthFixture *f, gconstpointer data);
BawnTxn *auth_begin (AuthFixture *f);
/* Takes @txn. */
void auth_commit (BawnTxn *txn);
/* Mounts the engine of auth/token, or @type. */
void auth_mount_token (AuthFixture *f);
void auth_mount (AuthFixture *f, GType type, const char *path);
/* A token with these policies becomes the caller; @ttl_s 0: for ever. */
void auth_become (AuthFixture *f, const char *policies, gint64 ttl_s, gboolean sudo);
void auth_become_token (AuthFixture *f, const char *id, gboolean sudo);
/* Asks the engine as the pipeline does: looks the caller up, counts its use, matches the route,
 * runs the handler, makes the token that a login wishes for, commits, and ends a caller that was
 * spent. */
BawnResponse *
auth_ask (AuthFixture *f, BawnOp op, const char *path, const char *body, GError **error);
/* The same in a line: "200 {…}", "204", "auth …", or an error's "INVALID …"; each warning behind "
 * !". */
char *auth_answer (AuthFixture *f, BawnOp op, const char *path, const char *body);

#define assert_answer(f, op, path, body, expected)                                                 \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *answer_ = auth_answer (f, op, path, body);                                    \
    g_assert_cmpstr (answer_, ==, expected);                                                       \
  }                                                                                                \
  G_STMT_END

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
