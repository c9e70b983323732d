#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The contract of storages, kept by etcd.
exec /usr/bin/python3 "$srcdir/tests/servers/run" etcd --tap -- "$builddir/tests/contract/test-etcd"
