# SPDX-License-Identifier: LGPL-2.1-or-later
"""The RPM package on a machine: installed into a tree by rpm, booted there, used, upgraded, removed. test-rpm.py FOLDER, where the
packages are. The tree is Debian's, since no other one is at hand: what the package needs is in it under other names. Speaks TAP."""

import glob
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.abspath(os.path.join(HERE, "../.."))
sys.path.insert(0, os.path.join(HERE, "../system"))
from machine import Machine, run_tests, tests_of  # noqa: E402

# What systemd of Fedora brings for the scripts of packages, and Debian's lacks; it keeps to presets as the real one does.
HELPER = """#!/bin/sh
command=$1
shift
case $command in
  install-system-units) systemctl --no-reload preset "$@" ;;
  remove-system-units) systemctl --no-reload disable --now --no-warn "$@" ;;
  *) echo "unexpected: $command" >&2; exit 1 ;;
esac
echo "$command $*" >>/root/helper
"""
machine = None
package = None


def rpm(*arguments, check=True):
    # The database of this machine's own rpm, in the tree.
    done = subprocess.run(["rpm", "--root", machine.root, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert not check or done.returncode == 0, "rpm %s: %s" % (" ".join(arguments), done.stdout[-3000:])
    return done.stdout


class RpmMachine(Machine):
    def install_build(self):
        global machine

        machine = self
        helper = "/usr/lib/systemd/systemd-update-helper"
        with open(self.path(helper), "w") as f:
            f.write(HELPER)
        os.chmod(self.path(helper), 0o755)
        rpm("--initdb")
        # Debian's rpm would have people convert packages; and it does not know what dpkg has installed.
        self.said = rpm("--force-debian", "--nodeps", "-ivh", package)


def helper_said():
    with open(machine.path("/root/helper")) as f:
        return f.read()


def test_it_is_installed_into_a_tree():
    assert "warning" not in machine.said, machine.said
    assert machine.run("stat -c '%a %U:%G' /etc/bawn /etc/bawn/bawn.conf").splitlines() == ["750 root:bawn", "640 root:bawn"]
    assert "install-system-units bawnd.service bawnd.socket bawn.target" in helper_said(), helper_said()
    said = rpm("--verify", "--nodeps", "--force-debian", "bawn", check=False).strip()
    assert said == "", said


def test_presets_start_nothing():
    for name in ("bawnd.service", "bawnd.socket"):
        state = machine.show(name, "ActiveState", "UnitFileState")
        assert state == {"ActiveState": "inactive", "UnitFileState": "disabled"}, (name, state)
    assert machine.run("systemctl is-enabled bawn.target") == "enabled"


def test_the_service_works():
    for name in ("command-line", "service"):
        shutil.copy(os.path.join(SRC, "debian/tests", name), machine.path("/root/" + name))
        machine.run("cd /root && AUTOPKGTEST_TMP=$(mktemp -d) ./" + name)


def test_an_upgrade_restarts_nothing():
    machine.run("systemctl start bawnd.service")
    before = machine.show("bawnd.service", "MainPID")
    rpm("--force-debian", "--nodeps", "-Uvh", "--replacepkgs", "--replacefiles", package)
    assert machine.show("bawnd.service", "MainPID") == before and before != "0"
    assert helper_said().count("\n") == 1, helper_said()
    machine.run("grep -q bawn.db /etc/bawn/bawn.conf && test -e /etc/bawn/tls/key.pem")


def test_removing_it_keeps_the_data():
    # The scripts have to reach the systemd that runs there.
    machine.run("systemctl stop bawnd.service")
    rpm("--force-debian", "-e", "bawn")
    assert "remove-system-units bawnd.service" in helper_said(), helper_said()
    machine.run("test -e /var/lib/bawn/bawn.db && test -e /etc/bawn/bawn.conf.rpmsave && test -e /etc/bawn/tls/key.pem")
    assert not machine.succeeds("test -e /usr/sbin/bawnd"), "the program is still there"


def main(folder):
    global package

    found = glob.glob(os.path.join(folder, "*/bawn-[0-9]*.rpm"))
    assert len(found) == 1, found
    package = found[0]
    return run_tests(tests_of(globals()), lambda: RpmMachine("bawn-rpm"), chained=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
