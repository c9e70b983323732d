/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"

G_BEGIN_DECLS

#define CORE_FIXTURE_OK (-1)

/* A core on memory, with the engines that are built in. */
typedef struct
{
  BawnBackend *backend;
  BawnStore *store;
  BawnClock *clock;
  BawnCore *core;
  GPtrArray *shares;
  char *root;
  gint64 patience_us; /* to be set before it is opened; 0: the usual */
} CoreFixture;

#define CORE_FIXTURE_INIT { NULL, NULL, NULL, NULL, NULL, NULL, 0 }

BawnBackend *core_fixture_new_backend (void);
/* @backend (nullable): a new one. */
void core_fixture_open (CoreFixture *f, BawnBackend *backend);
/* One of several nodes on one storage, with the system's clock, for elections need real time. */
void core_fixture_open_node (CoreFixture *f, BawnBackend *backend, BawnHaBackend *elections, const char *api_addr);
void core_fixture_ready (CoreFixture *f, guint shares, guint threshold);
void core_fixture_adopt_keys (CoreFixture *f, const CoreFixture *other);
void core_fixture_unseal (CoreFixture *f, guint threshold);
/* Runs a request and waits for the answer. Each gives CORE_FIXTURE_OK or the error's code. */
int core_fixture_call (CoreFixture *f, BawnOp op, const char *path, const char *body, const char *token);
int core_fixture_ask (CoreFixture *f, BawnOp op, const char *path, const char *body, const char *token,
                      BawnResponse **out_response, char **out_message);
int core_fixture_run (CoreFixture *f, BawnRequest *request, BawnResponse **out_response, char **out_message);
/* Asks as another node does that only wants to know whether the caller may. */
int core_fixture_authorize (CoreFixture *f, BawnOp op, const char *path, const char *token);
void core_fixture_expect (CoreFixture *f, BawnOp op, const char *path, const char *body, const char *token);
char *core_fixture_token (CoreFixture *f, const char *body);
void core_fixture_wait_sealed (CoreFixture *f);
/* Waits until nothing is stored below a prefix. */
void core_fixture_wait_empty (CoreFixture *f, const char *prefix);
void core_fixture_close (CoreFixture *f);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CoreFixture, core_fixture_close)

G_END_DECLS
