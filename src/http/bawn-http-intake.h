/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-body.h"
#include "http/bawn-http-limits.h"

G_BEGIN_DECLS

typedef enum
{
  BAWN_HTTP_INTAKE_HEAD,
  BAWN_HTTP_INTAKE_BODY,
  BAWN_HTTP_INTAKE_COMPLETE,
} BawnHttpIntakeState;

/**
 * BawnHttpIntake:
 * @state: what is still to come
 * @head: (nullable): of the present request, once it is here
 * @body: of the present request
 * @begun: something of the present request has come
 *
 * Makes requests out of the bytes of a connection, within the limits. What comes behind a request waits for its turn.
 */
typedef struct
{
  BawnHttpIntakeState state;
  BawnHttpHead *head;
  BawnHttpBody body;
  gboolean begun;
  /*< private >*/
  const BawnHttpLimits *limits;
  gssize *buffered;
  BawnBuffer in;    /* come and not yet taken apart */
  gsize scanned;    /* how much of it was searched for the end of the head */
  gboolean starved; /* what is in there is of no use until more comes */
  gsize counted;    /* of the body, in *buffered */
} BawnHttpIntake;

void bawn_http_intake_init (BawnHttpIntake *intake, const BawnHttpLimits *limits, gssize *buffered);
void bawn_http_intake_clear (BawnHttpIntake *intake);
gboolean bawn_http_intake_take (BawnHttpIntake *intake, const guint8 *data, gsize size, BawnHttpRefusal *out_refusal);
gboolean bawn_http_intake_has_rest (const BawnHttpIntake *intake);
gboolean bawn_http_intake_take_rest (BawnHttpIntake *intake, BawnHttpRefusal *out_refusal);
void bawn_http_intake_next (BawnHttpIntake *intake);

G_END_DECLS
