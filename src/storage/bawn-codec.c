/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-txn.h"

G_DEFINE_INTERFACE (BawnCodec, bawn_codec, G_TYPE_OBJECT)

static void
bawn_codec_default_init (BawnCodecInterface *iface)
{
}
