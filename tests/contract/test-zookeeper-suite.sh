#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The conformance suite over a real ZooKeeper.
exec "${srcdir:-.}/tests/servers/run" zookeeper --tap -- "${builddir:-build}/tests/contract/contract-zookeeper" --tap -k
