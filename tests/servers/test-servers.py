#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The servers that other tests start can be had here, obey, and go away with whoever started them."""

import os
import signal
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from bawn_servers import KINDS, Control, NotInstalled, wait_for  # noqa: E402


def is_refused(endpoint):
    with socket.socket() as s:
        return s.connect_ex(endpoint) != 0


def check_control(cls):
    with cls() as servers:
        control = Control(servers)
        with socket.socket(socket.AF_UNIX) as s, s.makefile("rw") as stream:
            s.connect(control.path)
            for request in ("kill 1", "start 1", "pause 1", "resume 1", "restart 1", "kill 7", "dance 1"):
                print(request, file=stream, flush=True)
                answer = stream.readline().strip()
                good = answer == "ok" if request[-1] == "1" and request[0] != "d" else answer.startswith("failed: ")
                assert good, "%s: %s" % (request, answer)
                assert is_refused(servers.endpoint(1)) == (request == "kill 1"), request


def check_orphans(cls):
    """Whoever started them is killed without a chance to clean up."""
    program = "import sys, time\nsys.path.insert(0, %r)\nfrom bawn_servers import KINDS\n" \
              "s = KINDS[%r]()\nprint(*s.endpoint(1), s.folder.path, flush=True)\ntime.sleep(3600)\n" % (HERE, cls.kind)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as owner:
        host, port, folder = owner.stdout.readline().split()
        assert not is_refused((host, int(port)))
        owner.send_signal(signal.SIGKILL)
    wait_for("the orphan to end", lambda: is_refused((host, int(port))))
    wait_for("its folder to go", lambda: not os.path.exists(folder))


def main():
    count = failed = 0
    for kind, cls in KINDS.items():
        for check in (check_control, check_orphans):
            count += 1
            name = "%s: %s" % (kind, check.__name__.replace("_", " "))
            try:
                cls.check_installed()
                check(cls)
                print("ok %d - %s" % (count, name))
            except NotInstalled as e:
                print("ok %d - %s # SKIP %s" % (count, name, e))
            except AssertionError as e:
                failed += 1
                print("# %s\nnot ok %d - %s" % (e, count, name))
    print("1..%d" % count)
    sys.exit(1 if failed else 0)


main()
