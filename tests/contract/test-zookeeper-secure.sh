#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The conformance suite over three ZooKeepers, over TLS with a client's certificate, and with a digest.
exec "${srcdir:-.}/tests/servers/run" zookeeper --nodes 3 --tls --auth --tap -- \
  "${builddir:-build}/tests/contract/contract-zookeeper" --tap -k
