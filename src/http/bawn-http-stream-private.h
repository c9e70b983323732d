/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-stream.h"

G_BEGIN_DECLS

/* By the stream, for its halves. */
gssize bawn_http_stream_read (BawnHttpStream *self, void *data, gsize size, GError **error);
gssize bawn_http_stream_write (BawnHttpStream *self, const void *data, gsize size, GError **error);
GSource *bawn_http_stream_wait (BawnHttpStream *self, GIOCondition condition);
gboolean bawn_http_stream_is_ready (BawnHttpStream *self, GIOCondition condition);

/* By the halves, for the stream. They may outlive it, and know nothing any more after the last of these. */
GInputStream *bawn_http_stream_half_in_new (BawnHttpStream *stream);
GOutputStream *bawn_http_stream_half_out_new (BawnHttpStream *stream);
void bawn_http_stream_halves_forget (GInputStream *input, GOutputStream *output);

G_END_DECLS
