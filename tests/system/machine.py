# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine of one's own for a test: a bare Debian tree that a real systemd boots in, with what this build installs."""

import atexit
import glob
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.path.abspath(os.environ.get("builddir", os.path.join(os.path.dirname(__file__), "../../build")))
SRC = os.path.abspath(os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "../..")))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "bawn")
# Another one has another systemd: trixie has 257.
RELEASE = os.environ.get("BAWN_TEST_RELEASE", "bookworm")
# What the packages of bawn depend on, and what the tests look with.
PACKAGES = ["systemd", "systemd-sysv", "dbus", "polkitd", "libglib2.0-bin", "libsoup-3.0-0", "libjson-glib-1.0-0", "libgnutls30",
            "glib-networking", "libsqlite3-0", "init-system-helpers", "ca-certificates", "procps", "iproute2", "curl", "openssl",
            "logrotate", "ufw", "firewalld", "adduser", "apparmor"]
# These start by themselves, and nobody asks them anything.
MASKED = ["getty.target", "console-getty.service", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_reap.service",
          "e2scrub_all.timer", "dpkg-db-backup.timer", "fstrim.timer", "logrotate.timer", "firewalld.service", "ufw.service",
          "systemd-networkd-wait-online.service", "apparmor.service"]
# How long a condition is waited for before it counts as never; a slow machine is not a failure.
PATIENCE = 90
# A tree that is being fetched.
FETCH_PATIENCE = 1800


class Impossible(Exception):
    """It cannot be done here, and the reason is no fault of bawn's."""


def wait_for(what, condition, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError("waited in vain for " + what)


def check_host():
    """What no package can mend."""
    if os.geteuid() != 0:
        raise Impossible("only root can boot a machine")
    with tempfile.TemporaryDirectory() as place:
        mounts = "mount -t tmpfs none %s && mkdir %s/u %s/w %s/m && mount -t overlay -o lowerdir=/etc,upperdir=%s/u,workdir=%s/w none %s/m"
        line = mounts % ((place,) * 7)
        if subprocess.run(["unshare", "--mount", "--pid", "--fork", "sh", "-c", line], capture_output=True).returncode != 0:
            raise Impossible("no namespaces or mounts can be made here")
    group = os.path.join(cgroup_root(), "bawn-probe-%d" % os.getpid())
    try:
        os.mkdir(group)
        try:
            enter = subprocess.run(["sh", "-c", "echo $$ >%s/cgroup.procs" % group], capture_output=True)
        finally:
            wait_for("the group to be empty", lambda: remove_group(group))
    except OSError as error:
        raise Impossible("no control groups (v2) can be made here: %s" % error.strerror)
    if enter.returncode != 0:
        raise Impossible("no process can be moved to another control group here")


def remove_group(group):
    try:
        os.rmdir(group)
        return True
    except OSError:
        return False


def check_possible():
    check_host()
    for program in ("systemd-nspawn", "mmdebstrap", "nsenter", "make"):
        if shutil.which(program) is None:
            raise Impossible("there is no " + program)


def cgroup_root():
    unified = "/sys/fs/cgroup/unified"
    return unified if os.path.isdir(unified) else "/sys/fs/cgroup"


def mirror():
    """Where this machine gets the release from."""
    lines = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(ORIGIN)", "Identifier: Packages"],
                           capture_output=True, text=True).stdout.splitlines()
    for line in sorted(lines):
        words = line.split()
        if len(words) == 3 and words[2] == "Debian" and "security" not in words[1] and "updates" not in words[1]:
            return words[0]
    raise Impossible("the machine's package sources name no Debian")


def base_tree():
    """The tree without bawn; made when it is not there, or another list of packages is wanted."""
    digest = hashlib.sha256(" ".join([RELEASE] + PACKAGES).encode()).hexdigest()[:12]
    tree = os.path.join(CACHE, "tree-%s-%s" % (RELEASE, digest))
    if os.path.isdir(tree):
        return tree
    os.makedirs(CACHE, exist_ok=True)
    fresh = tempfile.mkdtemp(prefix="tree-new-", dir=CACHE)
    os.chmod(fresh, 0o755)
    made = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--include=" + ",".join(PACKAGES), RELEASE, fresh, mirror()],
                          capture_output=True, text=True, timeout=FETCH_PATIENCE)
    if made.returncode != 0:
        shutil.rmtree(fresh)
        raise AssertionError("no tree could be made: " + made.stderr[-2000:])
    try:
        os.rename(fresh, tree)
    except OSError:
        shutil.rmtree(fresh)  # somebody else was quicker
    return tree


class Machine:
    """One that is booted. Its files are in memory, and gone with it."""

    def __init__(self, name="bawn", debs=None):
        check_possible()
        self.name = "%s-%d" % (name, os.getpid())
        self.cgroup = os.path.join(cgroup_root(), self.name)
        self.home = None
        self.nspawn = None
        self.leader = None
        atexit.register(self.close)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(1))
        self.mount(base_tree())
        if debs is None:
            self.install_build()
        else:
            # The others need compilers and what they need, or are for debuggers.
            for deb in glob.glob(os.path.join(debs, "bawn_*.deb")):
                shutil.copy(deb, self.path("/root"))
        self.start(debs)

    def start(self, debs):
        self.boot()
        if debs is not None:
            self.run("sh -c 'DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /root/*.deb'")
        else:
            self.run("systemd-sysusers")
            self.run("systemd-tmpfiles --create")
            self.run("journalctl --update-catalog")
            self.run("systemctl daemon-reload")

    def path(self, inside):
        return os.path.join(self.root, inside.lstrip("/"))

    def write(self, inside, text, mode=0o644, owner=None):
        os.makedirs(os.path.dirname(self.path(inside)), exist_ok=True)
        with open(self.path(inside), "w") as f:
            f.write(text)
        os.chmod(self.path(inside), mode)
        if owner is not None:
            self.run("chown %s %s" % (owner, inside))

    def mount(self, lower):
        self.home = tempfile.mkdtemp(prefix="bawn-machine-")
        self.root = os.path.join(self.home, "root")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2g,mode=755", "bawn-test", self.home], check=True)
        for name in ("upper", "work", "root"):
            os.mkdir(os.path.join(self.home, name))
        subprocess.run(["mount", "-t", "overlay", "-o", "lowerdir=%s,upperdir=%s/upper,workdir=%s/work" % (lower, self.home, self.home),
                        "bawn-test", self.root], check=True)
        with open(self.path("/etc/machine-id"), "w"):
            pass
        for unit in MASKED:
            link = self.path("/etc/systemd/system/" + unit)
            if not os.path.lexists(link):
                os.symlink("/dev/null", link)

    def install_build(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        made = subprocess.run(["make", "-s", "-C", BUILD, "install", "DESTDIR=" + self.root], env=environment, capture_output=True,
                              text=True)
        if made.returncode != 0:
            raise AssertionError("make install: " + made.stderr[-2000:])

    def boot(self):
        """No manager of machines is asked for, since the host may not have systemd; so it gets a control group by hand."""
        os.mkdir(self.cgroup)
        self.console = os.path.join(self.home, "console")
        command = ["systemd-nspawn", "--quiet", "--directory=" + self.root, "--boot", "--register=no", "--keep-unit",
                   "--machine=" + self.name, "--console=pipe", "--private-network",
                   "--system-call-filter=@memlock bpf memfd_secret"]
        with open(self.console, "w") as console:
            self.nspawn = subprocess.Popen(
                ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', self.cgroup] + command,
                env=dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1"), stdin=subprocess.DEVNULL, stdout=console,
                stderr=console, start_new_session=True)
        wait_for("the machine to boot", self.is_up)

    def is_up(self):
        if self.nspawn.poll() is not None:
            with open(self.console) as f:
                raise AssertionError("systemd-nspawn ended: " + f.read()[-2000:])
        children = subprocess.run(["pgrep", "-P", str(self.nspawn.pid)], capture_output=True, text=True).stdout.split()
        if not children:
            return False
        self.leader = int(children[0])
        state = self.run("systemctl is-system-running", check=False)
        if state == "degraded":
            raise AssertionError("units have failed: " + self.run("systemctl list-units --failed --no-legend", check=False))
        return state == "running"

    def command(self, line):
        return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "env", "-i",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "TZ=UTC", "SYSTEMD_PAGER=cat",
                "SYSTEMD_COLORS=0", "sh", "-c", line]

    def run(self, line, check=True, input=None):
        """What the command printed. Its errors come with it when it may fail, else they are raised."""
        done = subprocess.run(self.command(line), capture_output=True, text=True, input=input, timeout=PATIENCE * 2)
        if check and done.returncode != 0:
            raise AssertionError("%s: exit status %d: %s%s" % (line, done.returncode, done.stdout[-3000:], done.stderr[-3000:]))
        return (done.stdout if check else done.stdout + done.stderr).strip()

    def succeeds(self, line):
        return subprocess.run(self.command(line), capture_output=True, timeout=PATIENCE * 2).returncode == 0

    def popen(self, line, **options):
        return subprocess.Popen(self.command(line), text=True, **options)

    def show(self, unit, *properties):
        """Of one property its value, of several a dictionary."""
        lines = self.run("systemctl show -p %s %s" % (",".join(properties), unit)).splitlines()
        values = dict(line.split("=", 1) for line in lines if "=" in line)
        return values[properties[0]] if len(properties) == 1 else values

    def journal(self, unit, *more):
        return self.run("journalctl --no-pager -o cat -u %s %s" % (unit, " ".join(more)))

    def close(self):
        if self.nspawn is not None and self.nspawn.poll() is None:
            if self.leader is not None:
                # As a kernel would: the machine ends at once, there is nothing to save.
                kill(self.leader)
            try:
                self.nspawn.wait(10)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()
        self.nspawn = None
        for folder, _, _ in os.walk(self.cgroup, topdown=False):
            end = time.monotonic() + 5
            while time.monotonic() < end:
                try:
                    os.rmdir(folder)
                    break
                except OSError:
                    time.sleep(0.05)
        if self.home is not None:
            for place in (os.path.join(self.home, "root"), self.home):
                subprocess.run(["umount", "--lazy", place], capture_output=True)
            os.rmdir(self.home)
        self.home = None


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def installed_paths():
    """Where the build puts the daemon and its configuration."""
    with open(os.path.join(BUILD, "data/systemd/bawnd.service")) as f:
        found = re.search(r"^ExecStart=(\S+) --config (\S+)$", f.read(), re.M)
    return found.group(1), os.path.dirname(found.group(2))


def tests_of(namespace):
    return [(name[len("test_"):].replace("_", " "), test) for name, test in namespace.items() if name.startswith("test_")]


def run_tests(tests, boot, journal=None, chained=False):
    """Runs (name, function) one after the other and speaks TAP; where boot() is impossible all are skipped. journal() has lines for
    whoever looks at a failure. If they are chained each begins where the last one has ended, so the first failure is the last."""
    print("1..%d" % len(tests), flush=True)
    try:
        boot()
    except Impossible as why:
        for number, (name, _) in enumerate(tests, 1):
            print("ok %d - %s # SKIP %s" % (number, name, why), flush=True)
        return 0
    bad = 0
    for number, (name, test) in enumerate(tests, 1):
        begun = time.monotonic()
        try:
            assert not (chained and bad), "what comes before it has failed"
            test()
            print("ok %d - %s" % (number, name), flush=True)
            print("# after %.1f s" % (time.monotonic() - begun), flush=True)
        except Impossible as why:
            print("ok %d - %s # SKIP %s" % (number, name, why), flush=True)
        except Exception:
            bad += 1
            text = traceback.format_exc()
            if journal is not None and not (chained and bad > 1):
                text += journal()
            print("".join("# " + line + "\n" for line in text.splitlines()) + "not ok %d - %s" % (number, name), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        check_host()
    except Impossible as why:
        sys.exit("no machine can be booted here: %s" % why)
