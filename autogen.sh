#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes configure out of a checkout; a tarball has it already.
set -e
cd "$(dirname "$0")"
autoreconf --install --force --warnings=all,no-obsolete
