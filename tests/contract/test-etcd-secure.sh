#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The conformance suite over three etcd, over TLS with a client's certificate, and with a user.
exec "${srcdir:-.}/tests/servers/run" etcd --nodes 3 --tls --auth --tap -- \
  "${builddir:-build}/tests/contract/contract-etcd" --tap -k
