# SPDX-License-Identifier: LGPL-2.1-or-later
"""storage-driver, held by a test: a storage in a process of its own, which does and answers one line at a time."""

import os
import queue
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../api"), os.path.join(HERE, "../servers")]

from bawn_server import BUILD  # noqa: E402
from bawn_servers import PATIENCE, Keeper, wait_for  # noqa: E402


class Driver:
    """With [storage] as given: pairs of name and value, all but type."""

    def __init__(self, kind, settings, opened=True):
        argv = [os.path.join(BUILD, "tests/contract/storage-driver"), "type=" + kind] + ["%s=%s" % s for s in settings]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        start_new_session=True)
        Keeper.tell("child %d\n" % self.process.pid)
        self.lock = threading.Lock()
        self.answers = queue.Queue()
        self.late = {}
        threading.Thread(target=self.listen, daemon=True).start()
        if opened:
            self.ok("open")

    def listen(self):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            name, colon, rest = line.partition(": ")
            if colon and " " not in name:
                self.late[name] = rest
            else:
                self.answers.put(line)
        self.answers.put("ended")

    def ask(self, *words):
        with self.lock:
            self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
            self.process.stdin.flush()
            return self.answers.get(timeout=PATIENCE)

    def ok(self, *words):
        answer = self.ask(*words)
        assert answer.split(" ")[0] == "ok", "%s: %s" % (words, answer)
        return answer[3:]

    def fails(self, code, *words):
        answer = self.ask(*words)
        assert answer.startswith("fail %s " % code), "%s: %s" % (words, answer)
        return answer

    def spawn(self, name, *words):
        """Does it on a thread of its own; collect() has the answer."""
        self.late.pop(name, None)
        self.ok("spawn", name, *words)

    def collect(self, name):
        return wait_for(name, lambda: self.late.get(name))

    def close(self):
        self.process.kill()
        self.process.wait()
        Keeper.tell("ended %d\n" % self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
