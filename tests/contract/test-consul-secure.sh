#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The conformance suite over three Consuls, over TLS with a client's certificate, and with a token.
exec "${srcdir:-.}/tests/servers/run" consul --nodes 3 --tls --auth --tap -- "${builddir:-build}/tests/contract/contract-consul"
