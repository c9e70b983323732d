/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-engine.h"
#include "storage/bawn-store.h"

G_BEGIN_DECLS

/* 2026-01-02T03:04:05Z: when a fixture's clock begins. */
#define ENGINE_FIXTURE_START_US (G_GINT64_CONSTANT (1767323045) * G_USEC_PER_SEC)

/**
 * EngineFixture:
 * @runs: how often handlers ran, repetitions after a conflict included
 * @before_commit: (nullable): called between a handler's run and its commit
 *
 * An engine on a store of its own, asked as the pipeline asks it: match the route, see whether the path exists, run the
 * handler in a transaction, commit, and run again on a conflict.
 */
typedef struct _EngineFixture EngineFixture;
struct _EngineFixture
{
  BawnBackend *backend;
  BawnStore *store;
  BawnEngine *engine;
  BawnMount *mount;
  BawnToken *caller;
  gint64 now_us;
  guint runs;
  void (*before_commit) (EngineFixture *f);
};

/* @options: "version=2" or NULL. */
void engine_fixture_set_up (EngineFixture *f, GType type, const char *options);
void engine_fixture_tear_down (EngineFixture *f);
void engine_fixture_set_option (EngineFixture *f, const char *option);
/* Runs the class's tuned and commits, then takes the new options. */
gboolean engine_fixture_tune (EngineFixture *f, const char *option, GError **error);

BawnResponse *engine_fixture_run (EngineFixture *f, BawnOp op, const char *path, const char *body,
                                  GError **error);
/* "200 {…}": status and data; "204"; or the error's code and message: "INVALID no data provided". A warning comes after
 * " !". */
char *engine_fixture_answer (EngineFixture *f, BawnOp op, const char *path, const char *body);

/**
 * EngineStep:
 * @op: 0: @path is a number of seconds by which the clock goes on
 * @body: (nullable): the request's data
 * @expected: as from engine_fixture_answer()
 */
typedef struct
{
  guint op;
  const char *path;
  const char *body;
  const char *expected;
} EngineStep;

void engine_fixture_steps (EngineFixture *f, const EngineStep *steps, gsize n);

/* How many entries lie below a prefix of the mount, folders and all. */
guint engine_fixture_count (EngineFixture *f, const char *prefix);

G_END_DECLS
