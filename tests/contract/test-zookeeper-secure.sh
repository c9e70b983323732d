#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The conformance suite over three ZooKeepers, over TLS with a client's certificate, and with a digest.
# The threads that GIO's TLS leaves behind make the leak sanitizer itself crash now and then as it ends; what leaks is found without TLS.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS
exec "${srcdir:-.}/tests/servers/run" zookeeper --nodes 3 --tls --auth --tap -- \
  "${builddir:-build}/tests/contract/contract-zookeeper" --tap -k
