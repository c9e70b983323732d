# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs node-vault.js against a bawnd with TLS, and passes its TAP on."""

import os
import shutil
import subprocess
import sys

from bawn_server import PATIENCE, SRC, Server

if __name__ == "__main__":
    # A distribution's own build has no modules of npm.
    if shutil.which("node") is None or not os.path.isdir(os.path.join(SRC, "tests/api/node_modules")):
        print("1..0 # SKIP node-vault is not here: npm install --prefix tests/api")
        sys.exit(0)
    with Server() as server:
        environment = dict(os.environ, BAWN_ADDR=server.url, BAWN_CACERT=server.cert,
                           NODE_PATH=os.path.join(SRC, "tests/api/node_modules"),
                           AUDIT_FILE=os.path.join(server.home, "audit.log"))
        code = subprocess.run(["node", os.path.join(SRC, "tests/api/node-vault.js")], env=environment,
                              timeout=4 * PATIENCE).returncode
    sys.exit(code)
