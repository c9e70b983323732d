#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# curl against a bawnd with TLS, as people type it into scripts.
set -u
here=$(cd "$(dirname "$0")" && pwd)
exec /usr/bin/python3 "$here/with-server.py" sh "$here/curl-steps.sh"
