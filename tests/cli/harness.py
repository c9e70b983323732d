# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the command line share: TAP, running bawn, a terminal to run it on."""
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

BUILD = os.environ.get("builddir", ".")
BAWN = os.environ.get("BAWN", os.path.join(BUILD, "src/cli/bawn"))
# Nothing here takes a tenth of it; under a sanitizer or valgrind on a busy machine it may take a while.
PATIENCE = 120

tests = []


def test(name):
    """Marks a test; its name is a sentence."""
    def mark(function):
        tests.append((name, function))
        return function
    return mark


class Skip(Exception):
    pass


def main():
    """Runs the marked tests in order and speaks TAP."""
    failed = 0
    print(f"1..{len(tests)}")
    for number, (name, function) in enumerate(tests, 1):
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception:
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} - {name}", flush=True)
    sys.exit(1 if failed else 0)


def equal(actual, expected):
    assert actual == expected, f"\n got: {actual!r}\n want: {expected!r}"


def contains(text, part):
    assert part in text, f"\n {part!r} is not in {text!r}"


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    def ok(self):
        assert self.status == 0, f"exit status {self.status}\nstdout: {self.out}\nstderr: {self.err}"
        return self

    def fails(self, status, *parts):
        assert self.status == status, f"exit status {self.status}, not {status}\nstdout: {self.out}\nstderr: {self.err}"
        for part in parts:
            contains(self.err, part)
        return self

    def json(self):
        return json.loads(self.ok().out)


class Home:
    """A user with a home folder and an environment of their own."""

    def __init__(self, **environment):
        self.path = tempfile.mkdtemp(prefix="bawn-test-")
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("BAWN_", "VAULT_")) and not name.lower().endswith("_proxy")}
        self.environment.update(HOME=self.path, LC_ALL="C.UTF-8", BAWN_MAX_RETRIES="0", **environment)
        self.environment.pop("LANGUAGE", None)

    def close(self):
        shutil.rmtree(self.path)

    def file(self, name, content, mode=0o600):
        path = os.path.join(self.path, name)
        with open(path, "wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        return path

    def command(self, *words):
        return [*os.environ.get("TEST_WRAPPER", "").split(), BAWN, *words]

    def run(self, *words, stdin=b"", **environment):
        """Runs bawn to its end."""
        done = subprocess.run(self.command(*words), input=stdin if isinstance(stdin, bytes) else stdin.encode(),
                              capture_output=True, env={**self.environment, **environment}, timeout=PATIENCE)
        return Result(done.returncode, done.stdout.decode(errors="replace"),
                      done.stderr.decode())

    def start(self, *words, **environment):
        return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env={**self.environment, **environment})

    def on_terminal(self, typed, *words, **environment):
        """Runs bawn on a terminal, types once it has asked something; all that the terminal showed."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(self.command(*words)[0], self.command(*words), {**self.environment, **environment})
        shown = b""
        while True:
            ready, _, _ = select.select([terminal], [], [], PATIENCE)
            if not ready:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise AssertionError(f"nothing more comes after {shown!r}")
            try:
                chunk = os.read(terminal, 4096)
            except OSError:
                chunk = b""
            if not chunk:
                break
            shown += chunk
            if typed and b": " in shown:
                os.write(terminal, typed.encode())
                typed = None
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        return Result(os.waitstatus_to_exitcode(status), shown.decode(errors="replace").replace("\r\n", "\n"), "")
