# SPDX-License-Identifier: LGPL-2.1-or-later
"""A backend that is built outside of the tree, with what is installed: built, put through the suite, and served from."""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("builddir", os.path.join(HERE, "../../build")))
SRC = os.path.abspath(os.environ.get("srcdir", os.path.join(HERE, "../..")))
# The same program as the one that is installed, but for where it looks for modules.
os.environ["BAWND"] = os.path.join(BUILD, "tests/examples/bawnd")
sys.path.insert(0, os.path.join(HERE, "../api"))

from bawn_server import PATIENCE, Server, run_all, wait_for  # noqa: E402

# Building and the suite under a sanitizer on a busy machine.
LONG = 1800


def make_variable(name):
    with open(os.path.join(BUILD, "Makefile")) as f:
        return re.search("^%s = ?(.*)$" % name, f.read(), re.M).group(1)


class Place:
    """Where bawn is installed for the test, and the example beside it."""

    def __init__(self, home):
        self.home = home
        self.root = os.path.join(home, "root")
        self.source = os.path.join(home, "example")
        self.pc = os.path.join(home, "pkgconfig")
        # What the make that runs the tests has to say is not for those that the tests run.
        self.env = {k: v for k, v in os.environ.items()
                    if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "srcdir", "builddir", "DESTDIR")}
        self.env["PKG_CONFIG_PATH"] = self.pc + ":" + os.environ.get("PKG_CONFIG_PATH", "")
        self.modules = None
        self.token = None
        self.shares = []

    def run(self, *args, cwd=None, env=None, good=True):
        result = subprocess.run(args, cwd=cwd or self.source, env=dict(self.env, **(env or {})), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LONG)
        assert not good or result.returncode == 0, "%s: %d\n%s" % (" ".join(args), result.returncode, result.stdout[-6000:])
        return result

    def ask(self, *args):
        return self.run("pkg-config", *args, "bawn-backend-1", cwd=self.home).stdout.strip()

    def server(self, **kwargs):
        os.environ["BAWN_TEST_MODULES"] = self.modules
        return Server(storage="journal", extra="path=" + os.path.join(self.home, "storage"), **kwargs)

    def check_config(self, more="", program=None):
        path = os.path.join(self.home, "check.conf")
        with open(path, "w") as f:
            f.write("[listener]\ntls-disable=true\n[storage]\ntype=journal\npath=/nowhere\n" + more)
        return self.run(program or os.environ["BAWND"], "--config", path, "--check-config", cwd=self.home, good=False,
                        env={"BAWN_TEST_MODULES": self.modules})


def test_what_a_backend_needs_is_installed(place):
    place.run("make", "install", "DESTDIR=" + place.root, cwd=BUILD)
    os.mkdir(place.pc)
    installed = [os.path.join(d, f) for d, _, files in os.walk(place.root) for f in files]
    found = [f for f in installed if f.endswith("/pkgconfig/bawn-backend-1.pc")]
    assert len(found) == 1, installed
    # Below the scratch root the paths begin there; nothing else is changed.
    with open(found[0]) as f:
        text = f.read()
    with open(os.path.join(place.pc, "bawn-backend-1.pc"), "w") as f:
        f.write(re.sub(r"^(\w+)=/", r"\1=" + place.root + "/", text, flags=re.M))
    includes = re.search(r"-I(\S+/bawn-1)", place.ask("--cflags")).group(1)
    assert os.listdir(includes) == ["bawn-backend.h"], includes
    assert os.access(place.ask("--variable=contract"), os.X_OK)
    assert place.ask("--modversion") == make_variable("PACKAGE_VERSION")
    place.modules = place.ask("--variable=backenddir")
    # The tests' own bawnd and what only tests need stay here.
    assert not [f for f in installed if "libbawn" in f or f.endswith("-child")], installed


def test_the_example_is_built_outside_of_the_tree(place):
    shutil.copytree(os.path.join(SRC, "doc/examples/backend-journal"), place.source)
    for d, _, files in os.walk(place.source):
        os.chmod(d, 0o755)
        for f in files:
            os.chmod(os.path.join(d, f), 0o644)
    place.run("autoreconf", "-i", "-Wall")
    place.run("./configure", "CFLAGS=-O1 -g -Werror " + make_variable("SAN_CFLAGS"))
    place.run("make")


def suite(place, *flags):
    out = place.run("make", "check", *flags).stdout
    good = re.findall(r"^ok \d+ (\S+)", out, re.M)
    assert len(good) >= 50 and not re.search(r"^not ok|# SKIP", out, re.M), out[-6000:]
    assert all(name.startswith("/contract/journal/") for name in good), good
    assert len([name for name in good if "/processes/" in name]) >= 2, good


def test_the_example_passes_the_suite(place):
    suite(place)


def test_it_passes_when_it_writes_itself_anew_all_the_time(place):
    path = os.path.join(place.home, "compact.conf")
    with open(path, "w") as f:
        f.write("[storage]\ntype=journal\ncompact-size=64K\n")
    suite(place, "CONTRACT_FLAGS=--config=" + path)


def test_the_suite_names_a_mistake_and_does_not_run(place):
    path = os.path.join(place.home, "mistake.conf")
    with open(path, "w") as f:
        f.write("[storage]\ncompact-size=small\n")
    out = place.run("make", "check", "CONTRACT_FLAGS=--config=" + path, good=False)
    assert out.returncode != 0 and "[storage] compact-size: expected a size" in out.stdout, out.stdout
    assert "ok 1" not in out.stdout, out.stdout


def test_it_is_installed_where_bawnd_looks(place):
    place.run("make", "install")
    assert os.listdir(place.modules) == ["libbawn-backend-journal.so"]
    result = place.check_config()
    assert result.returncode == 0, result.stdout


def test_check_config_knows_the_keys_of_a_module(place):
    result = place.check_config("lock-timeout=soon\ncompakt-size=64K\n")
    assert result.returncode == 78, result.stdout
    assert "check.conf:6: [storage] lock-timeout: expected a duration" in result.stdout, result.stdout
    assert "check.conf:7: [storage] compakt-size: unknown key; did you mean \"compact-size\"?" in result.stdout, result.stdout


def await_health(server, status):
    """200: active, 429: standing by"""
    wait_for("health %d" % status, lambda: server.call("GET", "sys/health").status == status)


def test_bawnd_serves_from_it(place):
    with place.server() as server:
        server.ready()
        await_health(server, 200)
        log = server.read_log()
        assert re.search(r"Storage: journal \(HA available\)", log), log
        assert "the storage \"journal\" is the module %s/libbawn-backend-journal.so, version 1.0" % place.modules in log, log
        assert server.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}).status == 204
        assert server.call("PUT", "secret/data/a", {"data": {"color": "green"}}).status == 200
        assert server.call("GET", "secret/data/a").data["data"] == {"color": "green"}
        place.token, place.shares = server.root, server.shares
    with place.server() as server:
        server.root, server.shares = place.token, place.shares
        assert server.unseal()["sealed"] is False
        await_health(server, 200)
        assert server.call("GET", "secret/data/a").data["data"] == {"color": "green"}


def test_two_nodes_elect_through_it(place):
    with place.server() as first, place.server() as second:
        first.root = second.root = place.token
        first.shares = second.shares = place.shares
        first.unseal()
        await_health(first, 200)
        second.unseal()
        await_health(second, 429)
        assert first.call("PUT", "secret/data/b", {"data": {"by": "the first"}}).status == 200
        assert first.stop() == 0
        await_health(second, 200)
        assert second.call("GET", "secret/data/b").data["data"] == {"by": "the first"}
        assert second.call("PUT", "secret/data/b", {"data": {"by": "the second"}}).status == 200


def test_what_is_stored_is_not_readable(place):
    folder = os.path.join(place.home, "storage")
    with open(os.path.join(folder, "journal"), "rb") as f:
        journal = f.read()
    assert b"core/fence" in journal and b"green" not in journal
    assert os.stat(folder).st_mode & 0o077 == 0


def test_what_a_dying_process_left_is_cut_off(place):
    journal = os.path.join(place.home, "storage", "journal")
    before = os.path.getsize(journal)
    with open(journal, "ab") as f:
        f.write(struct.pack("=II", 1000, 0xffffffff - 1000) + b"x" * 500)
    with place.server() as server:
        server.root, server.shares = place.token, place.shares
        server.unseal()
        await_health(server, 200)
        assert server.call("GET", "secret/data/b").data["data"] == {"by": "the second"}
    with open(journal, "rb") as f:
        whole = f.read()
    assert len(whole) > before and b"x" * 500 not in whole


def test_a_damaged_journal_is_refused_and_kept(place):
    journal = os.path.join(place.home, "storage", "journal")
    with open(journal, "rb") as f:
        good = f.read()
    # The size of the first record, its body, and the body of the last.
    for at in (8, 100, len(good) - 1):
        bad = good[:at] + bytes([good[at] ^ 1]) + good[at + 1:]
        with open(journal, "wb") as f:
            f.write(bad)
        server = place.server(start=False)
        server.write_config()
        result = place.run(os.environ["BAWND"], "--config", server.config, cwd=place.home, good=False,
                           env={"BAWN_TEST_MODULES": place.modules})
        shutil.rmtree(server.home)
        assert result.returncode == 1, result.stdout
        assert re.search(r"the journal in %s/storage is damaged at byte \d+" % place.home, result.stdout), result.stdout
        with open(journal, "rb") as f:
            assert f.read() == bad
    with open(journal, "wb") as f:
        f.write(good)


def test_bawnd_does_not_load_what_others_can_write_to(place):
    path = os.path.join(place.modules, "libbawn-backend-journal.so")
    os.chmod(path, 0o666)
    result = place.check_config()
    assert result.returncode == 78 and path + " can be written to by others than its owner" in result.stdout, result.stdout
    os.chmod(path, 0o644)
    assert place.check_config().returncode == 0


def test_the_bawnd_that_is_installed_cannot_be_led_elsewhere(place):
    result = place.check_config(program=os.path.join(BUILD, "bawnd"))
    assert result.returncode == 78 and "unknown storage \"journal\"" in result.stdout, result.stdout
    assert place.modules not in result.stdout, result.stdout


if __name__ == "__main__":
    assert PATIENCE < LONG
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="bawn-example-") as scratch:
        run_all(globals(), Place(scratch))
