/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core-fixture.h"
#include "util/bawn-json.h"

G_BEGIN_DECLS

/**
 * SysStep:
 * @code: CORE_FIXTURE_OK or a code of BAWN_ERROR
 * @status: the HTTP status of an answer
 * @expect: (nullable): of an error its whole message, of an answer a part of its body
 *
 * One request and what must come of it: a row of the API's facts.
 */
typedef struct
{
  BawnOp op;
  const char *path;
  const char *body;
  int code;
  guint status;
  const char *expect;
} SysStep;

#define SYS_OK(status, part) CORE_FIXTURE_OK, status, part
#define SYS_INVALID(text) BAWN_ERROR_INVALID, 0, text

/* The body of the answer, or the message of the error; NULL for an answer without a body. */
char *sys_check_ask (CoreFixture *f, BawnRequest *request, int *out_code, guint *out_status);
char *sys_check_call (CoreFixture *f,
                      const char *token,
                      BawnOp op,
                      const char *path,
                      const char *body,
                      int *out_code,
                      guint *out_status);
/* The answer, which must be a success with a body. */
BawnJson *
sys_check_json (CoreFixture *f, const char *token, BawnOp op, const char *path, const char *body);
void sys_check_steps (CoreFixture *f, const char *token, const SysStep *steps, guint n_steps);
/* A token with one policy of that text. */
char *sys_check_token (CoreFixture *f, const char *policy, const char *text);

G_END_DECLS
