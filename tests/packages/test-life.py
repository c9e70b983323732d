# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of a Debian package, on a machine that is booted for it: installed, used, upgraded under the clients of a cluster,
removed, installed again, purged. test-life.py FOLDER, where the packages are. Speaks TAP."""

import glob
import http.client
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.abspath(os.path.join(HERE, "../.."))
sys.path.insert(0, os.path.join(HERE, "../system"))
from machine import Machine, run_tests, tests_of, wait_for  # noqa: E402

# Two nodes on one machine, which share a file.
NODES = {"one": 8200, "two": 8210}
CONFIG = """[server]
api-addr=http://127.0.0.1:%(port)d
[listener]
address=127.0.0.1:%(port)d
[storage]
type=sqlite
path=/var/lib/bawn/bawn.db
"""
# Longer than any node waits before it answers in one way or the other.
ANSWER = 120
CLIENTS = 4
# So many answers to each client show that it is at work.
AT_WORK = 20
# What no package may leave behind on this machine: all but these, where the system writes by itself.
RESTLESS = re.compile(r"^/(dev|proc|sys|run|tmp|root|var/(tmp|cache|log/(journal|apt|dpkg\.log|alternatives\.log|btmp|wtmp|lastlog)|"
                      r"lib/(apt|dpkg|systemd|private|dbus|polkit-1|ucf))|etc/(\.pwd\.lock|machine-id|ld\.so\.cache|mtab|"
                      r"(passwd|group|shadow|gshadow|subuid|subgid)-?))(/|$)")


class Bare(Machine):
    """As it is before anybody has heard of bawn."""

    def install_build(self):
        pass


machine = None
debs = {}
keys = {}


def apt(line):
    return machine.run("DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends " + line)


def bawn(line, port=8200, check=True, input=None):
    return machine.run("HOME=/root BAWN_ADDR=http://127.0.0.1:%d bawn %s" % (port, line), check, input)


def unit(node):
    return "bawnd@%s.service" % node


def pid(name):
    return int(machine.show(name, "MainPID"))


def health(port):
    return machine.run("curl -s -o /dev/null -w '%%{http_code}' http://127.0.0.1:%d/v1/sys/health" % port, check=False)


def unseal(port):
    bawn("operator unseal -", port, input=keys["share"] + "\n")


def paths():
    """All files of the machine, but for those that it writes by itself."""
    listed = machine.run("find / -xdev -print").splitlines()
    return {p for p in listed if not RESTLESS.match(p)}


def mode(path):
    return machine.run("stat -c '%%a %%U:%%G' %s" % path)


def test_installing_it_starts_nothing():
    keys["before"] = paths()
    apt("install " + debs["old"])
    assert machine.run("dpkg-query -W -f '${Status}' bawn") == "install ok installed"
    assert machine.run("getent passwd bawn").split(":")[5:] == ["/var/lib/bawn", "/usr/sbin/nologin"]
    for name in ("bawnd.service", "bawnd.socket"):
        state = machine.show(name, "ActiveState", "UnitFileState", "LoadState")
        assert state == {"ActiveState": "inactive", "UnitFileState": "disabled", "LoadState": "loaded"}, (name, state)
    assert machine.run("systemctl is-enabled bawn.target") == "enabled"
    assert mode("/etc/bawn") == "750 root:bawn" and mode("/etc/bawn/bawn.conf") == "640 root:bawn"
    assert not machine.succeeds("test -e /var/lib/bawn"), "no storage was asked for"
    machine.run("bawnd --check-config")
    assert machine.run("dpkg --verify bawn") == ""


def run_packaged_test(name):
    """One of debian/tests, as the distribution would run it."""
    shutil.copy(os.path.join(SRC, "debian/tests", name), machine.path("/root/" + name))
    machine.run("cd /root && AUTOPKGTEST_TMP=$(mktemp -d) ./" + name)


def test_the_command_line_works():
    run_packaged_test("command-line")


def test_the_service_works():
    run_packaged_test("service")
    machine.run("rm -rf /etc/bawn/tls /var/lib/bawn/*")


def start_cluster():
    for node, port in NODES.items():
        machine.write("/etc/bawn/%s.conf" % node, CONFIG % {"port": port}, 0o640, "root:bawn")
        machine.run("systemctl enable --now " + unit(node))
    made = json.loads(bawn("operator init -key-shares=1 -key-threshold=1 -format=json"))
    keys["share"], keys["token"] = made["unseal_keys_b64"][0], made["root_token"]
    for port in NODES.values():
        unseal(port)
        wait_for("an active node", lambda: "200" in [health(p) for p in NODES.values()])
    wait_for("a standby", lambda: sorted(health(p) for p in NODES.values()) == ["200", "429"])
    bawn("login -no-print -", input=keys["token"] + "\n")
    bawn("secrets enable -path=secret -version=2 kv")


class Client(threading.Thread):
    """Writes and reads back, all the time. It goes to the other node when a connection is refused; whatever else is not the answer that it
    should be is a failure. It is a process in the machine's network, with a key of its own."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.process = subprocess.Popen(["nsenter", "-t", str(machine.leader), "-n", sys.executable, __file__, "--client", name],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(keys["token"] + "\n")
        self.process.stdin.flush()
        self.answers = 0
        self.problems = []
        self.start()

    def run(self):
        for line in self.process.stdout:
            if line == "ok\n":
                self.answers += 1
            else:
                self.problems.append(line.strip())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(ANSWER)
        self.join()


def ask(port, method, path, token, body=None):
    # Not kept: of what is sent on a connection that the other side closes at this moment nobody knows what became.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER)
    try:
        connection.connect()
        connection.request(method, path, body=body, headers={"X-Vault-Token": token, "Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


# Nodes that have refused a connection. Like a load balancer, a client goes back to one when it says that it is well.
away = set()


def is_well(port):
    try:
        return ask(port, "GET", "/v1/sys/health", "")[0] in (200, 429)
    except OSError:
        return False


def ask_any(*question):
    """Of the nodes that take connections; if none does, that is a failure."""
    for port in random.sample(list(NODES.values()), len(NODES)):
        if port in away and not is_well(port):
            continue
        away.discard(port)
        try:
            return ask(port, *question)
        except ConnectionRefusedError:
            away.add(port)
    raise ConnectionRefusedError("no node is left to talk to")


def client(name):
    token = sys.stdin.readline().strip()
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    path = "/v1/secret/data/" + name
    number = 0
    while not over.is_set():
        number += 1
        try:
            status, answer = ask_any("POST", path, token, json.dumps({"data": {"n": number}, "options": {"cas": number - 1}}))
            assert status == 200, "write: %d %s" % (status, answer)
            status, answer = ask_any("GET", path, token)
            assert status == 200, "read: %d %s" % (status, answer)
            assert json.loads(answer)["data"]["data"]["n"] == number, "read %s after %d" % (answer, number)
            print("ok", flush=True)
        except (OSError, http.client.HTTPException, AssertionError) as e:
            print("%s: %s" % (type(e).__name__, str(e)[:300]), flush=True)
            number = number_of(path, token)
        time.sleep(0.01)


def number_of(path, token):
    """Where a write that failed has left the key."""
    for _ in range(100):
        try:
            status, answer = ask_any("GET", path, token)
            if status in (200, 404):
                return json.loads(answer)["data"]["data"]["n"] if status == 200 else 0
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.1)
    return 0


def at_work(clients):
    begun = [c.answers for c in clients]
    wait_for("the clients to be at work", lambda: all(c.answers >= b + AT_WORK or c.problems for c, b in zip(clients, begun)), ANSWER)


def program(node):
    return machine.run("readlink /proc/%d/exe" % pid(unit(node)))


def roll(node, clients):
    """What README.Debian says, with a stop between so long that each client has come by and knows."""
    machine.run("systemctl stop " + unit(node))
    at_work(clients)
    machine.run("systemctl start " + unit(node))
    wait_for("%s to answer" % node, lambda: health(NODES[node]) == "503")
    unseal(NODES[node])
    wait_for("%s to stand by" % node, lambda: health(NODES[node]) in ("200", "429"))


def test_an_upgrade_costs_a_cluster_no_request():
    start_cluster()
    machine.run("systemctl stop bawnd.service")
    before = {node: pid(unit(node)) for node in NODES}
    clients = [Client("client-%d" % i) for i in range(CLIENTS)]
    try:
        at_work(clients)
        apt("install " + debs["new"])
        at_work(clients)
        assert machine.run("dpkg-query -W -f '${Version}' bawn") == debs["version"]
        assert {node: pid(unit(node)) for node in NODES} == before, "the upgrade has restarted a server"
        assert sorted(health(p) for p in NODES.values()) == ["200", "429"], "the upgrade has sealed a server"
        assert machine.show("bawnd.service", "ActiveState") == "inactive", "the upgrade has started a server"
        for node in sorted(NODES, key=lambda n: health(NODES[n]), reverse=True):
            assert program(node).endswith(" (deleted)"), program(node)
            roll(node, clients)
            assert program(node) == "/usr/sbin/bawnd", program(node)
            at_work(clients)
    finally:
        for c in clients:
            c.stop()
    problems = ["%d of %d: %s" % (i, len(clients), p) for i, c in enumerate(clients) for p in c.problems]
    assert not problems, "\n".join(problems[:20])
    print("# %d requests" % (2 * sum(c.answers for c in clients)))


def test_removing_it_keeps_the_data():
    bawn("kv put secret/kept color=green")
    apt("remove bawn")
    assert machine.run("pgrep -x bawnd", check=False) == "", "a server still runs"
    for path in ("/var/lib/bawn/bawn.db", "/etc/bawn/bawn.conf", "/etc/bawn/one.conf", "/var/log/bawn"):
        assert machine.succeeds("test -e " + path), path
    assert not machine.succeeds("test -e /usr/sbin/bawnd || systemctl cat bawnd.service")
    apt("install " + debs["new"])
    assert machine.run("pgrep -x bawnd", check=False) == "", "installing it again has started a server"
    assert machine.run("systemctl is-enabled " + unit("one"), check=False) == "enabled"
    machine.run("systemctl start " + unit("one"))
    unseal(NODES["one"])
    wait_for("the node to be active", lambda: health(NODES["one"]) == "200")
    assert bawn("kv get -field=color secret/kept") == "green"


def test_purging_it_leaves_what_cannot_be_had_again():
    machine.write("/etc/bawn/tls/key.pem", "a key that somebody made", 0o640, "root:bawn")
    assert machine.succeeds("systemctl is-enabled " + unit("one")), "there is less to be left behind"
    text = machine.run("DEBIAN_FRONTEND=noninteractive apt-get -q -y purge bawn 2>&1")
    assert "/var/lib/bawn is not empty and stays" in text and "/etc/bawn is not empty and stays" in text, text
    left = paths() - keys["before"]
    stays = {p for p in left if p.startswith("/var/lib/bawn") or p in ("/etc/bawn", "/etc/bawn/tls", "/etc/bawn/tls/key.pem")}
    assert "/var/lib/bawn/bawn.db" in stays and "/etc/bawn/tls/key.pem" in stays, stays
    assert left == stays, sorted(left - stays)
    # The folder for disabled profiles goes when it is empty: debhelper has each package with a profile do so.
    gone = keys["before"] - paths() - {"/etc/apparmor.d/disable"}
    assert gone == set(), "gone: %s" % sorted(gone)
    assert machine.run("getent passwd bawn"), "the user's number could be given to another one"


def test_purging_it_unused_leaves_nothing():
    machine.run("rm -rf /var/lib/bawn /etc/bawn")
    apt("install " + debs["new"])
    apt("purge bawn")
    assert paths() - keys["before"] == set(), sorted(paths() - keys["before"])


def next_version(deb, folder):
    """The same package, as one that comes after it."""
    tree = os.path.join(folder, "tree")
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = os.path.join(tree, "DEBIAN/control")
    with open(control) as f:
        text = f.read()
    debs["version"] = re.search(r"^Version: (.*)$", text, re.M).group(1) + "+next1"
    with open(control, "w") as f:
        f.write(re.sub(r"^Version: .*$", "Version: " + debs["version"], text, flags=re.M))
    made = os.path.join(folder, "bawn_next.deb")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, made], check=True, stdout=subprocess.DEVNULL)
    return made


def main(folder):
    found = glob.glob(os.path.join(folder, "bawn_*.deb"))
    assert len(found) == 1, found

    def boot():
        global machine

        machine = Bare("bawn-life")
        with tempfile.TemporaryDirectory(prefix="bawn-life-") as scratch:
            for name, deb in (("old", found[0]), ("new", next_version(found[0], scratch))):
                debs[name] = "/root/%s.deb" % name
                shutil.copy(deb, machine.path(debs[name]))

    return run_tests(tests_of(globals()), boot, chained=True,
                     journal=lambda: machine.run("journalctl --no-pager -o short-precise -n 60 -u 'bawnd*'", check=False))


if __name__ == "__main__":
    if sys.argv[1] == "--client":
        client(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1]))
