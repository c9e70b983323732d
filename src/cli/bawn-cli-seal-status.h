/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-output.h"

G_BEGIN_DECLS

/* Prints what sys/seal-status answered, and with it what is known of the cluster. */
gboolean bawn_cli_output_seal_status (BawnCli *cli, const BawnCliReply *seal_status,
                                      GError **error);

G_END_DECLS
