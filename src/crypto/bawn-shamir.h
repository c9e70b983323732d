/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/bawn-secret.h"

G_BEGIN_DECLS

#define BAWN_SHAMIR_MAX_SHARES 255
#define BAWN_SHAMIR_OVERHEAD 1 /* the x coordinate, behind the y bytes */

/* Shamir's secret sharing over GF(2^8) with the polynomial of AES, in constant time: no table look-up and
 * no branch depends on secret bytes. A share is the y bytes followed by one byte x, 1…255, all different
 * and in random order. Returned arrays own #BawnSecret elements. */
GPtrArray *bawn_shamir_split (const BawnSecret *secret, guint shares, guint threshold, GError **error);
BawnSecret *bawn_shamir_combine (GPtrArray *shares, GError **error);

G_END_DECLS
