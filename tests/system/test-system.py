# SPDX-License-Identifier: LGPL-2.1-or-later
"""bawn as the distribution runs it: a machine is booted with a real systemd, and everything that the units promise is asked
of it. With --debs DIR it is the packages there that are installed, not this build."""

import argparse
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine import BUILD, SRC, Machine, installed_paths, run_tests, tests_of, wait_for  # noqa: E402

CONFIG = """[server]
api-addr=http://127.0.0.1:8200
[listener]
address=127.0.0.1:8200
[listener local]
address=unix:/run/bawn/bawn.sock
tls-disable=true
[storage]
type=sqlite
path=/var/lib/bawn/bawn.db
"""
# What the unit's sandbox must let through; it forbids all else that the probe tries.
ALLOWED = {"locking memory", "memfd_secret", "reading the configuration", "writing in its own folder", "writing in /tmp",
           "reading /dev/urandom", "IPv4", "Unix sockets", "asking for routes"}
AGAINST = "BAWN_ADDR=http://127.0.0.1:%d "

machine = None
bawnd = etc = None
keys = {}


def drop_in(unit, name, text):
    machine.write("/etc/systemd/system/%s.d/%s.conf" % (unit, name), text)
    machine.run("systemctl daemon-reload")


def no_drop_in(unit, name):
    os.unlink(machine.path("/etc/systemd/system/%s.d/%s.conf" % (unit, name)))
    machine.run("systemctl daemon-reload")


def configure(text, name="bawn"):
    machine.write("%s/%s.conf" % (etc, name), text, 0o640, "root:bawn")


def bawn(line, port=8200, token=None, check=True):
    prefix = AGAINST % port + ("BAWN_TOKEN=%s " % token if token else "")
    return machine.run(prefix + "bawn " + line, check)


def http(path, options="", port=8200):
    return machine.run("curl -sS --max-time 30 %s http://127.0.0.1:%d/v1/%s" % (options, port, path))


def initialize(port=8200):
    made = json.loads(bawn("operator init -key-shares=3 -key-threshold=2 -format=json", port))
    return made["unseal_keys_b64"], made["root_token"]


def unseal(shares, port=8200):
    for share in shares[:2]:
        bawn("operator unseal " + share, port)


def is_sealed(port=8200):
    try:
        return json.loads(http("sys/seal-status", port=port))["sealed"]
    except (AssertionError, ValueError):
        return None


def status(unit="bawnd"):
    return machine.show(unit, "StatusText")


def wait_status(unit, beginning):
    return wait_for("%s to say “%s”" % (unit, beginning), lambda: status(unit).startswith(beginning) and status(unit))


def restarts(unit="bawnd"):
    return int(machine.show(unit, "NRestarts"))


def restart(check=True):
    """As often as a test likes."""
    machine.run("systemctl reset-failed bawnd; systemctl restart bawnd", check)


def main_pid(unit="bawnd"):
    return int(machine.show(unit, "MainPID"))


def fresh(text=CONFIG):
    """A server that was never started before."""
    machine.run("systemctl stop bawnd.socket bawnd.service bawn.target; systemctl reset-failed bawnd.service", check=False)
    machine.run("rm -rf /var/lib/bawn /var/log/bawn")
    configure(text)
    machine.run("systemctl start bawnd")


def fresh_unsealed(text=CONFIG):
    fresh(text)
    keys["shares"], keys["root"] = initialize()
    unseal(keys["shares"])
    wait_status("bawnd", "active since")


def test_units_are_valid():
    text = machine.run("systemd-analyze verify --man=no bawnd.service bawnd@n1.service bawnd.socket bawn.target 2>&1")
    assert text == "", text
    for unit in ("bawnd.service", "bawnd@n1.service"):
        machine.run("systemd-analyze security --no-pager --threshold=11 %s" % unit)


def test_user_and_folders():
    passwd = machine.run("getent passwd bawn").split(":")
    assert passwd[5] == "/var/lib/bawn" and passwd[6].endswith("nologin"), passwd
    modes = machine.run("stat -c '%%a %%U:%%G %%n' %s /run/bawn" % etc).splitlines()
    assert modes == ["750 root:bawn " + etc, "750 bawn:bawn /run/bawn"], modes


def test_nothing_starts_unasked():
    assert machine.show("bawnd", "ActiveState") == "inactive"
    assert machine.run("systemctl is-enabled bawnd.service bawnd.socket", check=False).split() == ["disabled", "disabled"]
    configure("")
    machine.run("systemctl start bawnd")
    assert machine.show("bawnd", "ActiveState", "ConditionResult") == {"ActiveState": "inactive", "ConditionResult": "no"}


def test_start_and_status_line():
    fresh()
    assert machine.show("bawnd", "ActiveState") == "active"
    wait_status("bawnd", "not initialized")
    keys["shares"], keys["root"] = initialize()
    wait_status("bawnd", "sealed, 0 of 2 shares")
    bawn("operator unseal " + keys["shares"][0])
    wait_status("bawnd", "sealed, 1 of 2 shares")
    bawn("operator unseal " + keys["shares"][1])
    line = wait_status("bawnd", "active since")
    assert re.fullmatch(r"active since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, epoch \d+, 0 standbys", line), line
    assert "Status: \"active since" in machine.run("systemctl status bawnd")
    assert machine.run("stat -c '%a %U' /var/lib/bawn /var/log/bawn").splitlines() == ["700 bawn", "750 bawn"]
    machine.run("test -S /run/bawn/bawn.sock")
    assert machine.run("stat -c '%a %U:%G' /run/bawn/bawn.sock") == "660 bawn:bawn"


def test_reload_and_logrotate():
    fresh_unsealed()
    bawn("audit enable file file_path=/var/log/bawn/audit.log", token=keys["root"])
    pid = main_pid()
    machine.run("systemctl reload bawnd")
    wait_for("the reload", lambda: "audit files were opened again" in machine.journal("bawnd"))
    assert main_pid() == pid and machine.show("bawnd", "ActiveState") == "active"
    assert is_sealed() is False
    bawn("secrets list", token=keys["root"])
    before = machine.run("wc -c </var/log/bawn/audit.log")
    assert int(before) > 0
    provide("/etc/logrotate.d/bawn")
    machine.run("logrotate -f /etc/logrotate.d/bawn")
    rotated = "/var/log/bawn/audit.log.1"

    def goes_on():
        bawn("secrets list", token=keys["root"])
        return int(machine.run("wc -c </var/log/bawn/audit.log")) > 0

    wait_for("a line in the new audit file", goes_on)
    assert int(machine.run("wc -c <" + rotated)) >= int(before)
    assert machine.run("stat -c '%a %U:%G' /var/log/bawn/audit.log") == "600 bawn:bawn"


def entries(message_id):
    lines = machine.run("journalctl --no-pager -o json -u bawnd MESSAGE_ID=%s" % message_id).splitlines()
    return [json.loads(line) for line in lines]


def test_the_journal_has_fields():
    with open(os.path.join(SRC, "src/util/bawn-message-id.h")) as f:
        ids = dict(re.findall(r"#define BAWN_MESSAGE_(\w+) \"(\w+)\"", f.read()))
    fresh_unsealed()
    unsealed, active = entries(ids["UNSEALED"])[-1], entries(ids["ACTIVE"])[-1]
    assert unsealed["BAWN_MODULE"] == "core" and unsealed["SYSLOG_IDENTIFIER"] == "bawnd" and unsealed["PRIORITY"] == "6", unsealed
    assert active["EPOCH"].isdigit() and ("epoch " + active["EPOCH"]) in active["MESSAGE"], active
    # The change of the state is found by the state.
    assert "active, was promoting" in machine.run("journalctl --no-pager -o cat -u bawnd HA_STATE=active")
    machine.run("systemctl reload bawnd")
    reloads = wait_for("the reload", lambda: [entry for entry in map(json.loads, machine.run(
        "journalctl --no-pager -o json -u bawnd -n 20").splitlines()) if "audit files were opened again" in str(entry["MESSAGE"])])
    assert (reloads[-1]["HA_STATE"], reloads[-1]["EPOCH"]) == ("active", active["EPOCH"]), reloads
    # An audit file on a full disk: nobody is answered, the journal says why, under the request's id if it is about one.
    machine.run("mkdir -p /var/log/bawn/full; mount -t tmpfs -o size=64k,mode=777 full /var/log/bawn/full; systemctl restart bawnd")
    unseal(keys["shares"])
    wait_status("bawnd", "active since")
    bawn("audit enable file file_path=/var/log/bawn/full/audit.log", token=keys["root"])
    machine.run("dd if=/dev/zero of=/var/log/bawn/full/rest bs=1k", check=False)
    assert wait_for("a refusal", lambda: "internal error" in bawn("secrets list", token=keys["root"], check=False))
    failed = entries(ids["AUDIT_FAILED"])[-1]
    assert failed["PRIORITY"] == "3" and len(failed["REQUEST_ID"]) == 36, failed
    refused = machine.run("journalctl --no-pager -o cat -u bawnd REQUEST_ID=" + failed["REQUEST_ID"])
    assert "audit" in refused, refused
    assert "Look for a full disk" in machine.run("journalctl --no-pager -x -u bawnd MESSAGE_ID=" + ids["AUDIT_FAILED"])
    machine.run("systemctl stop bawnd; umount /var/log/bawn/full")
    assert entries(ids["SEALED"]) and entries(ids["NOT_ACTIVE"])


def test_stop_seals_and_frees():
    fresh_unsealed()
    machine.run("systemctl stop bawnd")
    assert machine.show("bawnd", "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    assert not machine.succeeds("test -e /run/bawn/lease")
    machine.run("systemctl start bawnd")
    assert is_sealed() is True


def test_a_crash_is_mended_and_its_lease_freed():
    fresh_unsealed()
    pid = main_pid()
    machine.run("kill -KILL %d" % pid)
    wait_for("the restart", lambda: main_pid() not in (0, pid) and machine.show("bawnd", "ActiveState") == "active")
    assert restarts() == 1
    assert "the lease of the process that died is free" in machine.journal("bawnd")
    assert is_sealed() is True


def test_a_wrong_configuration_is_not_tried_again():
    fresh()
    configure(CONFIG + "no-such-key=1\n")
    restart(check=False)
    got = machine.show("bawnd", "ActiveState", "ExecMainStatus", "NRestarts", "Result")
    assert got == {"ActiveState": "failed", "ExecMainStatus": "78", "NRestarts": "0", "Result": "exit-code"}, got
    assert "no-such-key" in machine.journal("bawnd")


def test_watchdog():
    drop_in("bawnd.service", "watchdog", "[Service]\nWatchdogSec=2s\n")
    fresh()
    pid = main_pid()
    time.sleep(3)
    assert main_pid() == pid, "it was restarted, though it turns"
    machine.run("kill -STOP %d" % pid)
    wait_for("the watchdog", lambda: main_pid() not in (0, pid) and machine.show("bawnd", "ActiveState") == "active")
    assert "Watchdog timeout" in machine.journal("bawnd")
    no_drop_in("bawnd.service", "watchdog")


def test_socket_activation():
    fresh()
    machine.run("systemctl stop bawnd")
    machine.run("systemctl start bawnd.socket")
    assert machine.show("bawnd", "ActiveState") == "inactive"
    assert json.loads(http("sys/seal-status"))["initialized"] is False
    assert machine.show("bawnd", "ActiveState") == "active"
    assert "nobody will be answered there" not in machine.journal("bawnd", "-b")
    machine.run("systemctl stop bawnd")
    reply = machine.run("curl -sS --max-time 30 --unix-socket /run/bawn/bawn.sock http://localhost/v1/sys/seal-status")
    assert json.loads(reply)["initialized"] is False
    assert machine.run("stat -c '%a %U:%G' /run/bawn/bawn.sock") == "660 bawn:bawn"


def test_a_restart_refuses_no_connection():
    fresh()
    machine.run("systemctl stop bawnd; systemctl start bawnd.socket bawnd.service")
    loop = machine.popen("while [ ! -e /run/bawn-test-done ]; do curl -sS -o /dev/null --max-time 60 "
                         "http://127.0.0.1:8200/v1/sys/seal-status || echo failed; echo asked; done", stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    for _ in range(3):
        restart()
    machine.run("touch /run/bawn-test-done")
    said, _ = loop.communicate(timeout=90)
    machine.run("rm /run/bawn-test-done; systemctl stop bawnd.socket bawnd.service")
    assert said.count("asked") >= 5, said
    assert "failed" not in said and "curl" not in said, said


def test_sandbox():
    shutil.copy(os.path.join(BUILD, "tests/system/probe"), machine.path("/usr/lib/bawn-probe"))
    configure("# a probe\n", "probe")
    # Everything as in the unit, but another program.
    drop_in("bawnd@probe.service", "probe", "[Service]\nType=exec\nRestart=no\nWatchdogSec=0\nExecStopPost=\n"
            "BindReadOnlyPaths=/usr/lib/bawn-probe:%s\n" % bawnd)
    machine.run("touch /root/.profile; systemctl start bawnd@probe")
    text = wait_for("the probe", lambda: "the end" in machine.journal("bawnd@probe") and machine.journal("bawnd@probe"))
    lines = [line for line in text.splitlines() if re.match("(allowed|denied) ", line)]
    assert len(lines) >= 40, text
    wrong = [line for line in lines
             if line.startswith("allowed ") != (re.sub(r"^\w+ ([^:]*).*", r"\1", line) in ALLOWED)]
    assert not wrong, "\n".join(wrong)


def on_bus(verb, words, name="org.bawn.Bawn1", user="nobody", check=True):
    return machine.run("runuser -u %s -- busctl %s %s /org/bawn/Bawn1 org.bawn.Bawn1 %s" % (user, verb, name, words), check)


def test_the_bus_is_for_everybody_and_its_methods_are_not():
    provide("/usr/share/dbus-1/system.d/org.bawn.Bawn1.conf")
    provide("/usr/share/polkit-1/actions/org.bawn.Bawn1.policy")
    machine.run("systemctl reload dbus; systemctl restart polkit; id keeper || useradd --system keeper")
    fresh_unsealed()
    wait_for("the name on the bus", lambda: "org.bawn.Bawn1" in machine.run("busctl list --acquired --no-legend"))
    assert on_bus("get-property", "Sealed HaState").splitlines() == ["b false", 's "active"']
    assert "Sealed" in machine.run("runuser -u nobody -- bawn status -bus")
    for method in ("Seal", "Reload", "StepDown s ''"):
        said = on_bus("call", method, check=False)
        assert "authenticat" in said.lower() or "authoriz" in said.lower() or "not allowed" in said.lower(), said
    assert "denied" in on_bus("set-property", "Sealed b true", check=False)
    assert is_sealed() is False
    # The machine's own rules decide, which only an owner of the action may ask for: the server is one without being root.
    machine.write("/etc/polkit-1/rules.d/50-test.rules", """polkit.addRule(function(action, subject) {
        if (action.id == "org.bawn.Bawn1.seal" && subject.user == "keeper") { return polkit.Result.YES; } });""")
    machine.run("systemctl restart polkit")
    wait_for("the rule to count", lambda: machine.succeeds(
        "runuser -u keeper -- busctl call org.bawn.Bawn1 /org/bawn/Bawn1 org.bawn.Bawn1 Seal"))
    wait_for("the server to be sealed", lambda: is_sealed() is True)
    assert on_bus("get-property", "Sealed") == "b true"
    assert re.search(r"asked for through D-Bus by uid \d+", machine.journal("bawnd"))
    # A bus that is restarted takes nobody along.
    pid = main_pid()
    machine.run("systemctl restart dbus")
    wait_for("the name on the new bus", lambda: on_bus("get-property", "Sealed", check=False) == "b true")
    assert main_pid() == pid


def test_instances_form_a_cluster():
    machine.run("systemctl stop bawnd.socket bawnd.service; rm -rf /var/lib/bawn", check=False)
    nodes = {"n1": 8210, "n2": 8220, "n3": 8230}
    for name, port in nodes.items():
        configure("[server]\napi-addr=http://127.0.0.1:%d\n[listener]\naddress=127.0.0.1:%d\n[storage]\ntype=sqlite\n"
                  "path=/var/lib/bawn/cluster.db\n" % (port, port), name)
    machine.run("systemctl enable bawnd@n1 bawnd@n2 bawnd@n3; systemctl start bawn.target")
    assert [machine.show("bawnd@" + name, "ActiveState") for name in nodes] == ["active"] * 3
    shares, root = initialize(8210)
    for port in nodes.values():
        unseal(shares, port)
    line = wait_for("two standbys", lambda: ", 2 standbys" in status("bawnd@n1") and status("bawnd@n1"))
    assert re.fullmatch(r"active since .*, epoch \d+, 2 standbys", line), line
    for name in ("n2", "n3"):
        wait_status("bawnd@" + name, "standby of http://127.0.0.1:8210")
        assert on_bus("get-property", "HaState", "org.bawn.Bawn1.node_" + name) == 's "standby"'
    bawn("secrets enable -path=kv kv", 8220, root)
    bawn("kv put kv/a b=c", 8230, root)
    # A death that systemd sees, then a look at who follows.
    machine.run("kill -KILL %d" % main_pid("bawnd@n1"))
    wait_for("another active node", lambda: any(status("bawnd@" + name).startswith("active since") for name in ("n2", "n3")))
    assert "b=c" in bawn("kv get -format=json kv/a", 8220, root).replace('": "', "=").replace('"', ""), "the secret is lost"
    machine.run("systemctl stop bawn.target")
    wait_for("all nodes to stop", lambda: [machine.show("bawnd@" + name, "ActiveState") for name in nodes] == ["inactive"] * 3)
    machine.run("systemctl disable bawnd@n1 bawnd@n2 bawnd@n3")


def provide(path):
    """For a build that was not installed in /usr: to where the other program looks."""
    inside = (os.path.dirname(etc) if path.startswith("/etc/") else os.path.dirname(os.path.dirname(bawnd))) \
        + path[len("/etc" if path.startswith("/etc/") else "/usr"):]
    machine.run("test -e %s || cp %s %s" % (path, inside, path))


def make_credential(name, data, unit="bawnd"):
    machine.run("mkdir -p -m 700 /etc/credstore.encrypted")
    machine.run("base64 -d | systemd-creds encrypt --with-key=host --name=%s - /etc/credstore.encrypted/%s-%s" % (name, unit, name),
                input=base64.b64encode(data).decode())


def no_credentials():
    machine.run("rm -rf /etc/credstore.encrypted")


def test_the_listeners_key_is_a_credential():
    machine.run("mkdir -p %s/tls; cd %s/tls; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 "
                "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem; chmod 644 cert.pem" % (etc, etc))
    machine.run("chmod 755 %s/tls" % etc)
    with open(machine.path(etc + "/tls/key.pem"), "rb") as f:
        make_credential("listener-key", f.read())
    os.unlink(machine.path(etc + "/tls/key.pem"))
    fresh(CONFIG.replace("http:", "https:").replace("8200\n[listener local]", "8200\ntls-cert-file=%s/tls/cert.pem\n"
                                                   "tls-key-file=credential:listener-key\n[listener local]" % etc))
    said = machine.run("curl -sS --cacert %s/tls/cert.pem https://127.0.0.1:8200/v1/sys/seal-status" % etc)
    assert json.loads(said)["initialized"] is False
    machine.run("systemctl reload bawnd")
    wait_for("the reload", lambda: "certificates and audit files were opened again" in machine.journal("bawnd", "-n 5"))
    assert "stay as they were" not in machine.journal("bawnd", "-n 5")
    # It is there for nobody else, and nowhere else in the open.
    assert machine.succeeds("setpriv --reuid=bawn --clear-groups test -r /run/credentials/bawnd.service/listener-key")
    assert not machine.succeeds("setpriv --reuid=nobody --clear-groups test -r /run/credentials/bawnd.service/listener-key")
    assert not machine.succeeds("grep -rl 'PRIVATE KEY' /etc/credstore.encrypted %s" % etc)
    # Without it the server says what is missing, and whose fault it is.
    no_credentials()
    restart(check=False)
    assert machine.show("bawnd", "ExecMainStatus") == "78"
    assert "listener-key" in machine.journal("bawnd", "-n 20")


def test_a_node_unseals_itself():
    text = CONFIG + "[seal]\ntype=credential\n"
    make_credential("unseal-key", bytes(range(32)))
    fresh(text)
    made = json.loads(bawn("operator init -recovery-shares=3 -recovery-threshold=2 -format=json"))
    assert made["unseal_keys_b64"] == [] and len(made["recovery_keys_b64"]) == 3, made
    # Nobody has to do anything: neither now, nor after any start.
    wait_status("bawnd", "active since")
    seal = json.loads(http("sys/seal-status"))
    assert (seal["type"], seal["recovery_seal"], seal["t"], seal["n"]) == ("credential", True, 2, 3), seal
    bawn("secrets enable -path=kv kv", token=made["root_token"])
    bawn("kv put kv/a b=c", token=made["root_token"])
    restart()
    assert is_sealed() is False
    assert json.loads(bawn("kv get -format=json kv/a", token=made["root_token"]))["data"] == {"b": "c"}
    # What an operator seals stays sealed until the next start.
    bawn("operator seal", token=made["root_token"])
    time.sleep(3)
    assert is_sealed() is True
    restart()
    assert is_sealed() is False
    # Another key opens nothing; people do, and then it is this one that opens.
    make_credential("unseal-key", bytes(range(1, 33)))
    restart()
    assert is_sealed() is True
    wait_for("the complaint", lambda: "is not that of this storage" in machine.journal("bawnd"))
    unseal(made["recovery_keys_b64"])
    wait_for("the enrolment", lambda: "from now on the unseal key of this node opens" in machine.journal("bawnd"))
    restart()
    assert is_sealed() is False
    # Without a key there is a server all the same.
    no_credentials()
    restart()
    assert is_sealed() is True and machine.show("bawnd", "ActiveState") == "active"
    unseal(made["recovery_keys_b64"])
    assert is_sealed() is False
    make_credential("unseal-key", b"too short")
    restart(check=False)
    assert machine.show("bawnd", "ExecMainStatus") == "78"
    no_credentials()


def test_the_root_key_outlives_a_restart_but_no_stop():
    fresh_unsealed(CONFIG + "[seal]\nkeep-over-restart=true\n")
    restart()
    wait_status("bawnd", "active since")
    pid = main_pid()
    machine.run("kill -SEGV %d" % pid)
    wait_for("the restart", lambda: main_pid() not in (0, pid) and machine.show("bawnd", "ActiveState") == "active")
    wait_status("bawnd", "active since")
    assert machine.show("bawnd", "NFileDescriptorStore") == "1"
    machine.run("systemctl stop bawnd; systemctl start bawnd")
    assert is_sealed() is True
    assert machine.show("bawnd", "NFileDescriptorStore") == "0"
    unseal(keys["shares"])
    wait_for("the key to be kept", lambda: machine.show("bawnd", "NFileDescriptorStore") == "1")
    bawn("operator seal", token=keys["root"])
    wait_for("the key to be forgotten", lambda: machine.show("bawnd", "NFileDescriptorStore") == "0")
    restart()
    assert is_sealed() is True
    # Who has not asked for it gets none of it, whatever an earlier configuration has left.
    unseal(keys["shares"])
    wait_for("the key to be kept", lambda: machine.show("bawnd", "NFileDescriptorStore") == "1")
    configure(CONFIG)
    restart()
    assert is_sealed() is True
    wait_for("the key to be forgotten", lambda: machine.show("bawnd", "NFileDescriptorStore") == "0")


def test_the_smoke_test_passes_under_systemd_run():
    """The steps of tests/api/test-curl.sh, with a server that may write nothing but its own folder."""
    machine.run("systemctl stop bawnd.socket bawnd.service", check=False)
    machine.run("mkdir -p /srv/smoke; cd /srv/smoke; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 "
                "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem; chown bawn key.pem cert.pem")
    machine.write("/srv/smoke/bawn.conf", "[listener]\naddress=127.0.0.1:8300\ntls-cert-file=/srv/smoke/cert.pem\n"
                  "tls-key-file=/srv/smoke/key.pem\n[storage]\ntype=sqlite\npath=/var/lib/smoke/bawn.db\n")
    shutil.copy(os.path.join(SRC, "tests/api/curl-steps.sh"), machine.path("/srv/smoke/curl-steps.sh"))
    machine.run("systemd-run -q --unit=smoke -p Type=notify -p User=bawn -p ProtectSystem=strict -p ProtectHome=yes -p PrivateTmp=yes "
                "-p NoNewPrivileges=yes -p StateDirectory=smoke -p SystemCallFilter=@system-service -p SystemCallErrorNumber=EPERM "
                "%s --config /srv/smoke/bawn.conf" % bawnd)
    said = machine.run("BAWN_ADDR=https://127.0.0.1:8300 BAWN_CACERT=/srv/smoke/cert.pem BAWN_HOME=/var/lib/smoke "
                       "sh /srv/smoke/curl-steps.sh", check=False)
    assert "not ok" not in said and len(re.findall("^ok ", said, re.M)) >= 25, said
    machine.run("systemctl stop smoke")


def test_rules_for_other_programs():
    for name in ("bawn-api.xml", "bawn-cluster.xml"):
        provide("/usr/lib/firewalld/services/" + name)
    provide("/etc/ufw/applications.d/bawn")
    machine.run("firewall-offline-cmd --check-config")
    assert "8200/tcp" in machine.run("firewall-offline-cmd --info-service=bawn-api")
    assert "8201/tcp" in machine.run("firewall-offline-cmd --info-service=bawn-cluster")
    assert "8200/tcp" in machine.run("ufw app info 'bawn API'")


def main():
    global bawnd, etc
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--debs", metavar="DIR", help="install these packages")
    parser.add_argument("tests", nargs="*", help="run only these")
    arguments = parser.parse_args()
    bawnd, etc = ("/usr/sbin/bawnd", "/etc/bawn") if arguments.debs else installed_paths()

    def boot():
        global machine

        machine = Machine(debs=arguments.debs)

    return run_tests([(name, test) for name, test in tests_of(globals())
                      if not arguments.tests or name.replace(" ", "-") in arguments.tests], boot,
                     lambda: machine.run("journalctl --no-pager -o short-precise -n 40", check=False))


if __name__ == "__main__":
    sys.exit(main())
