/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-request.h"
#include "util/bawn-json.h"

G_BEGIN_DECLS

typedef enum
{
  BAWN_TOKEN_WISH_DEFAULT,
  BAWN_TOKEN_WISH_DEFAULT_SERVICE,
  BAWN_TOKEN_WISH_DEFAULT_BATCH,
  BAWN_TOKEN_WISH_SERVICE,
  BAWN_TOKEN_WISH_BATCH,
} BawnTokenWish;

/* The token_* fields that a user of this has, and their older spellings. */
typedef enum
{
  BAWN_TOKEN_PARAM_TTL = 1 << 0,
  BAWN_TOKEN_PARAM_MAX_TTL = 1 << 1,
  BAWN_TOKEN_PARAM_POLICIES = 1 << 2,
  BAWN_TOKEN_PARAM_CIDRS = 1 << 3,
  BAWN_TOKEN_PARAM_EXPLICIT_MAX_TTL = 1 << 4,
  BAWN_TOKEN_PARAM_NO_DEFAULT_POLICY = 1 << 5,
  BAWN_TOKEN_PARAM_NUM_USES = 1 << 6,
  BAWN_TOKEN_PARAM_PERIOD = 1 << 7,
  BAWN_TOKEN_PARAM_TYPE = 1 << 8,
} BawnTokenParam;
#define BAWN_TOKEN_PARAM_ALL ((1 << 9) - 1)

/**
 * BawnTokenParams:
 * @legacy: mask of #BawnTokenParam: those last set by their older spelling, in which they are then
 * shown too
 *
 * What login methods and token roles say about the tokens that come of them. Lives inside its
 * owner; times are in microseconds, 0 is "none".
 */
typedef struct
{
  gint64 ttl_us;
  gint64 max_ttl_us;
  gint64 explicit_max_ttl_us;
  gint64 period_us;
  gint64 num_uses;
  GStrv policies;    /* nullable */
  GStrv bound_cidrs; /* nullable */
  gboolean no_default_policy;
  BawnTokenWish type;
  guint legacy;
} BawnTokenParams;

#define BAWN_TOKEN_PARAMS_INIT                                                                     \
  {                                                                                                \
    0                                                                                              \
  }

void bawn_token_params_clear (BawnTokenParams *params);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnTokenParams, bawn_token_params_clear)

/* Takes those of @known that the request has, over what is there; @legacy: which of them have an
 * older spelling here.
 * @warnings: (nullable) (element-type utf8): gets a line when both spellings were given. */
gboolean bawn_token_params_parse (BawnTokenParams *params,
                                  BawnRequest *request,
                                  guint known,
                                  guint legacy,
                                  GPtrArray *warnings,
                                  GError **error);
/* Members of an object: as answers show them, and as records keep them. */
void bawn_token_params_show (const BawnTokenParams *params, BawnJsonWriter *w, guint known);
void bawn_token_params_write (const BawnTokenParams *params, BawnJsonWriter *w);
void bawn_token_params_read (BawnTokenParams *params, const BawnJsonNode *object);
/* Sets what a login's token is to be; policies are cleaned, "default" among them unless it is not
 * wanted. */
void
bawn_token_params_apply (const BawnTokenParams *params, const BawnMount *mount, BawnToken *token);
/* At renewal: the times as they are said now. */
void
bawn_token_params_renew (const BawnTokenParams *params, const BawnMount *mount, BawnToken *token);

const char *bawn_token_wish_name (BawnTokenWish type);

G_END_DECLS
