# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a command with a fresh bawnd: BAWN_ADDR, BAWN_CACERT and BAWN_HOME tell it where."""

import os
import subprocess
import sys

from bawn_server import PATIENCE, Server

if __name__ == "__main__":
    with Server() as server:
        environment = dict(os.environ, BAWN_ADDR=server.url, BAWN_CACERT=server.cert, BAWN_HOME=server.home)
        code = subprocess.run(sys.argv[1:], env=environment, timeout=4 * PATIENCE).returncode
    sys.exit(code)
