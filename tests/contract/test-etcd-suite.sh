#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The conformance suite over a real etcd.
exec "${srcdir:-.}/tests/servers/run" etcd --tap -- "${builddir:-build}/tests/contract/contract-etcd" --tap -k
