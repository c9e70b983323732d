#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The blocks of doc/getting-started-*.md are pasted into a shell, one after the other, and do what the text says.

A block marked `sh` is run, as an ordinary user would run it, in a home folder and on loopback addresses of its own. A block
marked `text` is what the one before it prints at its end; `…` stands for any lines. A block marked `sh root` is for real
machines: of these only the syntax and the configuration are looked at.
"""

import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("srcdir") or os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("builddir") or os.path.join(SOURCE, "build")
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "servers"))

from bawn_servers import KINDS, Keeper, Network, NotInstalled  # noqa: E402

# All steps of one page together; what hangs is told from what is slow.
PATIENCE = 300
PORTS = (8200, 8201, 8210, 8211, 2281, 2379, 2380, 8300, 8301, 8501)


def blocks(path):
    """(kind, text, line) for each block of a page."""
    kind, lines, found = None, [], []
    with open(path) as page:
        for number, line in enumerate(page, 1):
            if not line.startswith("```"):
                lines.append(line)
                continue
            if kind is None:
                kind, lines = line[3:].strip(), []
            else:
                found.append((kind, "".join(lines), number - len(lines)))
                kind = None
    assert kind is None, "%s: a block does not end" % path
    return found


def stand_ins(folder):
    """A certificate and a key, for those that are only on the real machine."""
    names = [os.path.join(folder, name) for name in ("any.pem", "any.key")]
    done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                           "/O=any", "-out", names[0], "-keyout", names[1]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return names


def check_real(path):
    """What is for root on real machines is sound, as far as that can be told without being there."""
    shells = [block for block in blocks(path) if block[0] == "sh root"]
    assert shells, "no block for real machines"
    for _, text, line in shells:
        done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True)
        assert done.returncode == 0, "line %d: %s" % (line, done.stderr)
        config = re.search(r"<<'END'\n(.*?)^END$", text, re.M | re.S)
        assert config, "line %d: no configuration" % line
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = stand_ins(folder)
            written = config.group(1).replace("/var/lib/bawn/", folder + "/")
            written = re.sub(r"/etc/bawn/\S+\.key", key, written)
            written = re.sub(r"/etc/bawn/\S+-token", os.path.join(folder, "token"), written)
            written = re.sub(r"/etc/bawn/\S+", certificate, written)
            with open(os.path.join(folder, "token"), "w") as f:
                f.write("a-token\n")
            with open(os.path.join(folder, "bawn.conf"), "w") as f:
                f.write(written)
            done = subprocess.run([os.path.join(BUILD, "bawnd"), "--check-config", "--config", f.name], text=True,
                                  capture_output=True, env=dict(os.environ, BAWN_API_ADDR="https://127.0.0.1:8200"))
            assert done.returncode == 0, "line %d: %s" % (line, done.stderr)


def expected(text, printed):
    """Whether the lines of @text are the last of @printed."""
    pattern = "".join("(?:.*\n)*" if line == "…\n" else re.escape(line.rstrip("\n")) + "\n?" for line in text.splitlines(True))
    return re.fullmatch(pattern, printed) is not None


class Page:
    def __init__(self, path):
        self.path = path
        self.network = Network(PORTS)
        self.home = tempfile.mkdtemp(prefix="bawn-page-")
        Keeper.tell("folder %s\n" % self.home)
        self.outputs = {}

    def localised(self, text):
        return text.replace("127.0.0.1", self.network.address(1))

    def script(self):
        lines = ["set -eu -o pipefail"]
        for number, (kind, text, line) in enumerate(blocks(self.path)):
            if kind == "sh":
                lines.append("echo %d >%s/line" % (line, self.home))
                # In the same shell: what it sets is there for the next one.
                lines.append("{\n%s} >%s/out.%d" % (self.localised(text), self.home, number))
        return "\n".join(lines) + "\n"

    def environment(self):
        programs = os.path.join(self.home, "programs")
        os.mkdir(programs)
        for name, path in (("bawn", os.path.join(BUILD, "src/cli/bawn")), ("bawnd", os.path.join(BUILD, "bawnd")),
                           ("consul", KINDS["consul"].program())):
            if path:
                os.symlink(path, os.path.join(programs, name))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BAWN_", "VAULT_", "CONSUL_", "ETCD"))}
        return dict(kept, HOME=self.home, PATH=programs + ":" + os.environ["PATH"])

    def run(self):
        script = os.path.join(self.home, "script")
        with open(script, "w") as f:
            f.write(self.script())
        # All of its processes are one group, which ends when our end of the pipe is closed, by whatever cause.
        watch = "(cat >/dev/null; kill -KILL 0) <&0 & exec bash %s </dev/null" % script
        with open(os.path.join(self.home, "errors"), "w") as errors:
            shell = subprocess.Popen(["bash", "-c", watch], stdin=subprocess.PIPE, stdout=errors, stderr=errors,
                                     env=self.environment(), cwd=self.home, start_new_session=True)
        try:
            code = shell.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            code = "no end"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
            shell.stdin.close()
        self.check(code)

    def read(self, name):
        with contextlib.suppress(OSError), open(os.path.join(self.home, name), errors="replace") as f:
            return f.read()
        return ""

    def check(self, code):
        where = "the block of line %s" % self.read("line").strip()
        if code != 0:
            logs = [self.read(os.path.relpath(log, self.home))[-1500:] for log in glob.glob(self.home + "/bawn-try/*.log")]
            raise AssertionError("%s ended with %s\n%s\n%s" % (where, code, self.read("errors")[-3000:], "\n".join(logs)))
        found = blocks(self.path)
        assert any(kind == "text" for kind, _, _ in found), "no page says what is seen"
        for number, (kind, text, line) in enumerate(found):
            if kind == "text":
                printed = self.read("out.%d" % (number - 1))
                assert expected(self.localised(text), printed), "line %d: this was printed instead:\n%s" % (line, printed)
        assert not os.path.exists(os.path.join(self.home, "bawn-try")), "it does not clean up"

    def close(self):
        shutil.rmtree(self.home, ignore_errors=True)
        self.network.release()


def run_page(path, kind):
    if kind in KINDS:
        KINDS[kind].check_installed()
    if kind == "etcd" and shutil.which("etcdctl") is None:
        raise NotInstalled("etcdctl is not installed")
    with contextlib.closing(Page(path)) as page:
        page.run()


def main():
    count = failed = 0
    pages = sorted(glob.glob(os.path.join(SOURCE, "doc/getting-started-*.md")))
    assert len(pages) >= 4, pages
    for path in pages:
        kind = re.search("getting-started-(.*).md", path).group(1)
        for what, check in (("what is pasted works", lambda: run_page(path, kind)), ("what is for root is sound", lambda: check_real(path))):
            count += 1
            name = "%s: %s" % (kind, what)
            try:
                check()
                print("ok %d - %s" % (count, name), flush=True)
            except NotInstalled as e:
                print("ok %d - %s # SKIP %s" % (count, name, e), flush=True)
            except AssertionError as e:
                failed += 1
                print("".join("# %s\n" % line for line in str(e).splitlines()) + "not ok %d - %s" % (count, name), flush=True)
    print("1..%d" % count)
    sys.exit(1 if failed else 0)


main()
