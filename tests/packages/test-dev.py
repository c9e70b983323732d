# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages among others: test-dev.py FOLDER. bawn-dev is installed with what it asks for, and nothing else, into a bare tree, where an
ordinary user builds the example and puts it through the suite; and piuparts installs, removes and purges all. Speaks TAP."""

import glob
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.abspath(os.path.join(HERE, "../.."))
sys.path.insert(0, os.path.join(HERE, "../system"))
from machine import RELEASE, Impossible, base_tree, check_possible, mirror, run_tests, tests_of  # noqa: E402

# Packages come from the machine's own mirror, which may be slow.
PATIENCE = 1200
SCRIPT = r"""
set -e
export DEBIAN_FRONTEND=noninteractive
tests=$(sed -n '/^Tests: backend$/,/^$/s/^Depends: //p' /sources/control | tr -d ,)
more=$(echo "$tests" | sed 's/bawn-dev//')
apt-get -q update
cp /packages/bawn-dev_*.deb /root/
apt-get -q -y install --no-install-recommends /root/bawn-dev_*.deb $more
useradd --create-home tester
cd /home/tester
exec setpriv --reuid=tester --regid=tester --init-groups env -i PATH="$PATH" HOME=/home/tester AUTOPKGTEST_TMP=/home/tester \
  sh /sources/backend
"""


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=PATIENCE)
    return done.returncode, done.stdout


def test_the_example_is_built_with_what_the_package_has(folder):
    status, said = run("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--directory=" + base_tree(), "--volatile=overlay",
                       "--machine=bawn-dev-%d" % os.getpid(), "--bind-ro=%s:/packages" % folder,
                       "--bind-ro=%s:/sources" % os.path.join(SRC, "debian/tests"), "--resolv-conf=copy-host", "sh", "-c", SCRIPT)
    assert status == 0 and said.count("\nok ") >= 50 and "\nnot ok " not in said, "%d: %s" % (status, said[-4000:])


def test_piuparts_finds_nothing(folder):
    if shutil.which("piuparts") is None:
        raise Impossible("there is no piuparts")
    debs = [d for d in glob.glob(os.path.join(folder, "*.deb")) if "dbgsym" not in d]
    # Nothing to upgrade from: a mirror has no bawn. test-life.py upgrades. It runs logrotate, which keeps books.
    # That folder goes when it is empty: debhelper has each package with a profile do so.
    status, said = run("piuparts", "--ignore=/etc/apparmor.d/disable/", "--distribution=" + RELEASE,
                       "--mirror=%s main" % mirror(), "--no-upgrade-test",
                       "--existing-chroot=" + base_tree(), "--ignore=/var/lib/logrotate/status", *debs)
    assert status == 0, said[-4000:]


def main(folder):
    folder = os.path.abspath(folder)
    return run_tests([(name, lambda test=test: test(folder)) for name, test in tests_of(globals())], check_possible)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
