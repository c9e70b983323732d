/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-head.h"
#include "http/bawn-http-reply.h"
#include "logical/bawn-request.h"

G_BEGIN_DECLS

BawnRequest *bawn_http_codec_decode (const BawnHttpHead *head, GBytes *body, const BawnJsonLimits *limits,
                                     BawnHttpReply *out_reply);

G_END_DECLS
