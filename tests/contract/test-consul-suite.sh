#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The conformance suite over a real Consul.
exec "${srcdir:-.}/tests/servers/run" consul --tap -- "${builddir:-build}/tests/contract/contract-consul"
