# SPDX-License-Identifier: LGPL-2.1-or-later
"""bawnd on a system bus: what it shows, to whom it listens, and what it outlives."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import xml.etree.ElementTree

from bus import INTROSPECTABLE, NAME, NOBODY, PATH, PROPERTIES, Bus, Client, Gio, GLib, RemoteError, missing
from bawn_server import BAWN, PATIENCE, SRC, Server, run_all, wait_for

ERROR = NAME + ".Error."


def refused(function, *args):
    """The last word of the error's name; everything that a server refuses must have one of its own."""
    try:
        result = function(*args)
    except RemoteError as e:
        assert e.name.startswith(ERROR), e
        return e.name[len(ERROR):]
    raise AssertionError("it was let: %s" % (result,))


def started(bus, may_own=True, extra="", **kwargs):
    """A server that has come onto the bus."""
    server = Server(tls=False, extra=extra, **kwargs)
    if may_own:
        instance = extra.partition("instance=")[2].partition("\n")[0].replace(".", "_")
        name = NAME + (".node_" + instance if instance else "")
        with Client(bus) as client:
            wait_for("the server to be on the bus", lambda: client.has_owner(name))
    return server


def memfd(data):
    fd = os.memfd_create("share")
    os.write(fd, data)
    return fd


def share_pipe(data):
    """What reads a share from a pipe whose other end is closed."""
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return reader


def close(*fds):
    for fd in fds:
        os.close(fd)


def test_a_new_server_is_shown_as_it_is(bus):
    with started(bus) as server, Client(bus) as client:
        shown = client.get_all()
        node_id = shown.pop("NodeId")
        assert len(node_id) == 36, node_id
        assert shown.pop("Version"), shown
        assert shown.pop("LastChangeReason") == ""
        assert shown == {
            "Initialized": False, "Sealed": True, "UnsealProgress": 0, "UnsealThreshold": 0, "UnsealShares": 0, "SealType": "shamir",
            "ClusterName": "", "ClusterId": "", "StorageType": "sqlite", "HaEnabled": True, "HaState": "sealed", "Epoch": 0,
            "LeaderAddress": "", "LeaderClusterAddress": "", "IsSelf": False, "ActiveSince": 0, "LeaseTimeLeftMs": 0,
            "Peers": [], "Listeners": [server.url]}, shown


def test_an_unsealed_server_is_shown_as_it_is(bus):
    with started(bus) as server, Client(bus) as client:
        server.ready()
        wait_for("the server to be active", lambda: client.get("HaState") == "active")
        shown, seal = client.get_all(), server.call("GET", "sys/seal-status").json
        leader = server.call("GET", "sys/leader").json
        assert shown["Initialized"] and not shown["Sealed"] and shown["IsSelf"], shown
        assert (shown["ClusterName"], shown["ClusterId"]) == (seal["cluster_name"], seal["cluster_id"])
        assert shown["LeaderAddress"] == leader["leader_address"] == server.url
        assert shown["LeaderClusterAddress"] == leader["leader_cluster_address"]
        assert shown["Epoch"] > 0 and shown["ActiveSince"] > 1e15, shown
        assert 0 < shown["LeaseTimeLeftMs"] <= 3000, shown
        assert (shown["UnsealShares"], shown["UnsealThreshold"]) == (1, 1)


def test_a_server_alone_is_shown_as_that(bus):
    with started(bus, storage="memory") as server, Client(bus) as client:
        server.ready()
        assert client.get("HaEnabled") is False
        assert client.get("HaState") == "disabled"
        assert client.get("IsSelf") is True
        assert client.get("Epoch") > 0
        assert client.get("LeaderAddress") == server.url
        assert client.get("LeaseTimeLeftMs") == 0


def shape(node):
    """An interface as comparable lists, without what documents it."""
    found = []
    # Arguments are in order; of the rest, the order says nothing.
    for child in sorted(node, key=lambda e: (e.tag, "" if e.tag == "arg" else e.get("name", ""))):
        attributes = tuple(sorted((k, v) for k, v in child.attrib.items()))
        # The argument of a signal goes out, whether or not that is said.
        if node.tag == "signal":
            attributes = tuple(a for a in attributes if a[0] != "direction")
        found.append((child.tag, attributes, shape(child)))
    return found


def test_introspection_is_the_installed_description(bus):
    with started(bus), Client(bus) as client:
        said = xml.etree.ElementTree.fromstring(client.call("Introspect", interface=INTROSPECTABLE)[0])
        described = xml.etree.ElementTree.parse(os.path.join(SRC, "data/dbus/org.bawn.Bawn1.xml"))
        find = "interface[@name='%s']" % NAME
        wanted, got = shape(described.getroot().find(find)), shape(said.find(find))
        assert wanted == got, [pair for pair in zip(wanted, got) if pair[0] != pair[1]]
        assert {p.get("name") for p in said.find(find).iter("property")} == set(client.get_all())


def test_nothing_can_be_set(bus):
    with started(bus), Client(bus) as client:
        try:
            client.call("Set", GLib.Variant("(ssv)", (NAME, "Sealed", GLib.Variant("b", False))), interface=PROPERTIES)
        except RemoteError as e:
            assert e.name == "org.freedesktop.DBus.Error.AccessDenied", e
        else:
            raise AssertionError("a property was set")


def test_everybody_may_read(bus):
    with started(bus):
        code, said = bus.gdbus("--dest", NAME, "--object-path", PATH, "--method", PROPERTIES + ".Get", NAME, "Sealed")
        assert (code, said.strip()) == (0, "(<true>,)"), said


def changes(client, before=None):
    """What PropertiesChanged has said so far, or before that signal, all together."""
    together = {}
    for member, arguments in client.hear():
        if (member, arguments) == before:
            break
        if member == "PropertiesChanged":
            assert arguments[0] == NAME and arguments[2] == [], arguments
            together.update(arguments[1])
    return together


def test_changes_are_told(bus):
    with started(bus) as server, Client(bus) as client:
        client.listen()
        server.init(shares=3, threshold=2)
        wait_for("the initialisation to be told", lambda: changes(client).get("Initialized") is True)
        client.wait_signal("a change of state", lambda m, a: (m, a[:2]) == ("StateChanged", ("uninitialized", "sealed")))
        assert changes(client)["UnsealThreshold"] == 2
        server.call("PUT", "sys/unseal", {"key": server.shares[0]})
        wait_for("the progress to be told", lambda: changes(client).get("UnsealProgress") == 1)
        server.call("PUT", "sys/unseal", {"key": server.shares[1]})
        active = client.wait_signal("the server to be active", lambda m, a: m == "StateChanged" and a[1] == "active")
        # The properties come first: whoever hears the signal has them.
        told = changes(client, before=active)
        assert told["Sealed"] is False and told["IsSelf"] is True and told["UnsealProgress"] == 0, told
        client.wait_signal("a leader", lambda m, a: m == "LeaderChanged" and a[:3] == ("", server.url, True) and a[3] > 0)
        assert not {"Version", "NodeId", "LeaseTimeLeftMs"} & set(told), told
        client.signals.clear()
        assert server.call("PUT", "sys/seal").status == 204
        sealed = client.wait_signal("the server to be sealed", lambda m, a: m == "StateChanged" and a[1] == "sealed")
        told = changes(client, before=sealed)
        assert told["Sealed"] is True and told["ClusterName"] == "", told
        client.wait_signal("no leader", lambda m, a: m == "LeaderChanged" and a[:3] == (server.url, "", False))


def test_nobody_may_call_whom_polkit_does_not_let(bus):
    bus.let("no")
    with started(bus) as server:
        server.ready()
        for method, arguments, action in (("Seal", (), "seal"), ("Reload", (), "reload"), ("StepDown", ("",), "step-down")):
            bus.let("no")
            code, said = bus.call_as_somebody(method, *arguments)
            assert code != 0 and ERROR + "NotAuthorized" in said, said
            assert bus.asked() == [(NAME + "." + action, "system-bus-name", [0])], bus.asked()
        assert server.call("GET", "sys/seal-status").json["sealed"] is False


def test_whom_polkit_lets_may_call(bus):
    with started(bus) as server, Client(bus) as client:
        server.ready()
        bus.let("yes")
        code, said = bus.call_as_somebody("Seal")
        assert (code, said.strip()) == (0, "()"), said
        # Whoever has the answer reads what is so now.
        assert client.get("Sealed") is True
        uid = NOBODY if os.geteuid() == 0 else os.geteuid()
        assert "sys/seal asked for through D-Bus by uid %d" % uid in server.read_log()


def test_a_dialog_is_for_those_who_allow_for_it(bus):
    with started(bus) as server:
        server.ready()
        bus.let("challenge")
        code, said = bus.call_as_somebody("Seal")
        assert code != 0 and ERROR + "NotAuthorized" in said and "authentication is required" in said, said
        code, said = bus.call_as_somebody("Seal", interactive=True)
        assert code == 0, said
        assert [flags for _, _, flags in bus.asked()] == [[0], [1]], bus.asked()


def test_without_polkit_nobody_but_root_may_call(bus):
    with started(bus) as server, Client(bus) as client:
        server.ready()
        bus.stop_polkit()
        try:
            code, said = bus.call_as_somebody("Seal")
            assert code != 0 and ERROR + "NotAuthorized" in said, said
            assert client.get("Sealed") is False
            if os.geteuid() == 0:
                client.call("Seal")
                assert client.get("Sealed") is True
        finally:
            bus.start_polkit()


def test_a_polkit_that_does_not_answer_holds_up_nothing(bus):
    if os.geteuid() == 0:
        # Root is not asked about, so there must be somebody else to call.
        os.seteuid(NOBODY)
    try:
        waiting = [Client(bus) for _ in range(6)]
    finally:
        os.seteuid(os.getuid())
    with started(bus) as server, Client(bus) as client:
        server.ready()
        bus.let("silence")
        withdrawn = bus.withdrawn()
        answers = []

        def on_answer(connection, result):
            try:
                answers.append(connection.call_finish(result).unpack())
            except GLib.Error as e:
                answers.append(e.message)

        for other in waiting:
            other.connection.call(NAME, PATH, NAME, "Seal", None, None, Gio.DBusCallFlags.NONE, -1, None, on_answer)
        # One person is asked about a few calls at a time, and not about more.
        wait_for("some calls to be too many", lambda: client.hear() is not None and len(answers) == 2)
        assert all(ERROR + "Busy" in a for a in answers), answers
        wait_for("polkit to be asked", lambda: len(bus.asked()) == 4)
        assert client.get("Sealed") is False
        assert server.call("GET", "sys/seal-status").json["sealed"] is False
        # Those who go take their question with them.
        for other in waiting:
            other.close()
        wait_for("the questions to be withdrawn", lambda: bus.withdrawn() == withdrawn + 4)
        bus.let("yes")
        code, said = bus.call_as_somebody("Seal")
        assert code == 0, said


def test_nobody_has_the_server_hold_many_descriptors(bus):
    with started(bus) as server, Client(bus) as client:
        server.ready()
        bus.let("silence")
        other = Client(bus) if os.geteuid() != 0 else client_of_nobody(bus)
        reader, writer = os.pipe()
        held = len(os.listdir("/proc/%d/fd" % server.pid))
        answers = []
        for _ in range(4):
            other.connection.call_with_unix_fd_list(NAME, PATH, NAME, "Seal", None, None, Gio.DBusCallFlags.NONE, -1,
                                                    Gio.UnixFDList.new_from_array([os.dup(reader) for _ in range(8)]), None,
                                                    lambda c, r: answers.append(fds_answer_of(c, r)))
        wait_for("all to be turned away", lambda: client.hear() is not None and len(answers) == 4)
        assert set(answers) == {ERROR + "InvalidArgument"}, answers
        assert bus.asked() == []
        wait_for("none to be held", lambda: len(os.listdir("/proc/%d/fd" % server.pid)) <= held)
        close(reader, writer)
        other.close()


def client_of_nobody(bus):
    os.seteuid(NOBODY)
    try:
        return Client(bus)
    finally:
        os.seteuid(os.getuid())


def fds_answer_of(connection, result):
    try:
        connection.call_with_unix_fd_list_finish(result)
        return ""
    except GLib.Error as e:
        return Gio.DBusError.get_remote_error(e)


def test_what_the_bus_asks_for_is_audited(bus):
    with started(bus) as server, Client(bus) as client:
        server.ready()
        path = os.path.join(server.home, "audit.log")
        assert server.call("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": path}}).status == 204
        bus.let("yes")
        assert refused(client.call, "StepDown", GLib.Variant("(s)", ("https://nobody.example:8200",))) == "InvalidArgument"
        client.call("Seal")
        with open(path) as f:
            records = [json.loads(line) for line in f]
        mine = [r for r in records if r["auth"].get("display_name", "").startswith("D-Bus")]
        assert [(r["type"], r["request"]["path"], r.get("error", "")[:10]) for r in mine] == [
            ("request", "sys/step-down", "no standby"), ("response", "sys/step-down", "no standby"),
            ("request", "sys/seal", ""), ("response", "sys/seal", "")], mine
        for record in mine:
            assert record["auth"]["metadata"]["uid"] == str(os.geteuid()), record
            assert record["request"]["id"] in server.read_log()


def test_shares_come_by_descriptors(bus):
    with started(bus) as server, Client(bus) as client:
        bus.let("yes")
        server.init(shares=5, threshold=4)
        one, other = socket.socketpair()
        other.sendall(server.shares[2].encode() + b"\nand more")
        path = os.path.join(server.home, "share")
        with open(path, "w") as f:
            f.write("  %s\n\n" % server.shares[3])
        fds = [memfd(server.shares[0].encode()), share_pipe(server.shares[1].encode() + b"\n"), one.fileno(), os.open(path, os.O_RDONLY)]
        progress = [client.unseal(fd) for fd in fds]
        assert progress == [(True, 1, 4), (True, 2, 4), (True, 3, 4), (False, 0, 4)], progress
        close(fds[0], fds[1], fds[3])
        one.close()
        other.close()
        assert client.get("Sealed") is False
        # Once more does no harm.
        fd = memfd(b"00" * 32)
        assert client.unseal(fd) == (False, 0, 4)
        close(fd)
        for share in server.shares:
            assert share not in server.read_log()


def test_what_is_no_share_is_refused(bus):
    with started(bus) as server, Client(bus) as client:
        bus.let("yes")
        server.init()
        big = os.path.join(server.home, "big")
        with open(big, "wb") as f:
            f.truncate(1 << 40)
        folder, device, sparse = os.open(server.home, os.O_RDONLY), os.open("/dev/zero", os.O_RDONLY), os.open(big, os.O_RDONLY)
        reader, writer = os.pipe()
        long_pipe = share_pipe(b"a" * 5000)
        cases = [
            ("a folder", folder, "InvalidArgument"), ("a device", device, "InvalidArgument"), ("a huge file", sparse, "TooLarge"),
            ("the wrong end of a pipe", writer, "InvalidArgument"), ("too much in a pipe", long_pipe, "TooLarge"),
            ("nothing", memfd(b""), "InvalidArgument"), ("blanks", memfd(b" \n\t\n"), "InvalidArgument"),
            ("no share", memfd(b"hello"), "InvalidArgument"), ("zeros", memfd(server.shares[0].encode() + b"\0"), "InvalidArgument"),
            ("a wrong share", memfd(b"00" * 32), "InvalidArgument"),
            ("only a path", os.open(server.home, os.O_PATH), "InvalidArgument"),
        ]
        for name, fd, error in cases:
            got = refused(client.unseal, fd)
            assert got == error, (name, got)
            assert client.get("UnsealProgress") == 0, name
        close(reader, *(fd for _, fd, _ in cases))
        good = memfd(server.shares[0].encode())
        assert refused(client.unseal, good, good) == "InvalidArgument"
        try:
            client.unseal()
        except RemoteError as e:
            assert e.name in (ERROR + "InvalidArgument", "org.freedesktop.DBus.Error.InvalidArgs"), e
        assert client.unseal(good) == (False, 0, 1)
        close(good)


def test_a_pipe_that_says_nothing_is_given_up(bus):
    with started(bus) as server, Client(bus) as client:
        bus.let("yes")
        server.init()
        reader, writer = os.pipe()
        answers = []
        threads = [Client(bus) for _ in range(5)]

        def on_answer(connection, result):
            try:
                answers.append(connection.call_with_unix_fd_list_finish(result))
            except GLib.Error as e:
                answers.append(e.message)

        for other in threads:
            other.connection.call_with_unix_fd_list(NAME, PATH, NAME, "Unseal", GLib.Variant("(h)", (0,)), None, Gio.DBusCallFlags.NONE, 120000,
                                                    Gio.UnixFDList.new_from_array([os.dup(reader)]), None, on_answer)
        wait_for("one too many", lambda: client.hear() is not None and len(answers) == 1)
        assert ERROR + "Busy" in answers[0], answers
        assert client.get("Sealed") is True
        wait_for("the others to be given up", lambda: client.hear() is not None and len(answers) == 5)
        assert all(ERROR + "Timeout" in a for a in answers[1:]), answers
        fd = memfd(server.shares[0].encode())
        assert client.unseal(fd) == (False, 0, 1)
        close(fd, reader, writer)
        for other in threads:
            other.close()


def test_a_server_ends_while_somebody_waits(bus):
    with started(bus) as server:
        bus.let("yes")
        server.init()
        reader, writer = os.pipe()
        other = Client(bus)
        other.connection.call_with_unix_fd_list(NAME, PATH, NAME, "Unseal", GLib.Variant("(h)", (0,)), None, Gio.DBusCallFlags.NONE, 120000,
                                                Gio.UnixFDList.new_from_array([os.dup(reader)]), None, None)
        other.has_owner()
        bus.let("silence")
        other.connection.call(NAME, PATH, NAME, "Seal", None, None, Gio.DBusCallFlags.NONE, -1, None, None)
        other.has_owner()
        assert server.stop() == 0
        server.start()
        close(reader, writer)
        other.close()


def test_certificates_are_read_again(bus):
    with Server(tls=True) as server, Client(bus) as client:
        wait_for("the server to be on the bus", client.has_owner)
        bus.let("yes")
        client.call("Reload")
        assert "reload asked for through D-Bus by uid %d" % os.geteuid() in server.read_log()
        with open(server.cert, "a") as f:
            f.seek(0)
            f.truncate()
            f.write("no certificate")
        assert refused(client.call, "Reload") in ("InvalidArgument", "Failed")


def test_a_restarted_bus_disturbs_nobody(bus):
    with started(bus) as server:
        server.ready()
        pid = server.pid
        for _ in range(3):
            bus.stop()
            assert server.call("GET", "sys/health").status == 200
            bus.start()
            bus.start_polkit()
            with Client(bus) as again:
                wait_for("the name to be back", again.has_owner)
                assert again.get("Sealed") is False
                bus.let("no")
        assert server.process.poll() is None and server.pid == pid
        # And it listens as before.
        bus.let("yes")
        code, said = bus.call_as_somebody("Seal")
        assert code == 0, said


def test_a_bus_that_hangs_disturbs_nobody(bus):
    with started(bus) as server, Client(bus) as client:
        callers = [Client(bus) for _ in range(8)]
        # More answers than fit between the two, at a moment when the bus takes none.
        server.process.send_signal(signal.SIGSTOP)
        for caller in callers:
            for _ in range(30):
                caller.connection.call(NAME, PATH, INTROSPECTABLE, "Introspect", None, None, Gio.DBusCallFlags.NONE, -1, None, None)
            # Behind them: the bus has them all.
            caller.has_owner()
        bus.daemon.stand_still()
        server.process.send_signal(signal.SIGCONT)
        try:
            server.ready()
            assert server.call("GET", "sys/health").status == 200
            assert server.call("PUT", "sys/seal").status == 204
            assert server.stop() == 0
        finally:
            bus.daemon.signal(signal.SIGCONT)
        for caller in callers:
            caller.close()
        server.start()
        wait_for("the server to be on the bus", client.has_owner)


def test_a_name_that_is_refused_is_asked_for_again(bus):
    bus.write_config(may_own=False)
    bus.reload()
    with started(bus, may_own=False) as server, Client(bus) as client:
        wait_for("the name to be refused", lambda: "the system bus refuses our name" in server.read_log())
        server.ready()
        assert not client.has_owner()
        bus.write_config()
        bus.reload()
        wait_for("the name", client.has_owner)
        assert client.get("Sealed") is False
        assert server.read_log().count("refuses our name") == 1


def test_several_servers_have_a_name_each(bus):
    with started(bus) as one, started(bus, extra="[dbus]\ninstance=n-2.a\n") as other, Client(bus) as client:
        assert client.get("Listeners") == [one.url]
        assert client.get("Listeners", name=NAME + ".node_n-2_a") == [other.url]
        code, said = bus.gdbus("--dest", NAME + ".node_n-2_a", "--object-path", PATH, "--method", PROPERTIES + ".GetAll", NAME)
        assert code == 0 and other.url in said, said


def test_a_second_server_waits_for_the_name(bus):
    with started(bus, may_own=True) as one, Server(tls=False) as other, Client(bus) as client:
        wait_for("the second one to see that", lambda: "another process has our name" in other.read_log())
        assert client.get("Listeners") == [one.url]
        assert one.stop() == 0
        wait_for("the second one to have the name", lambda: client.has_owner() and client.get("Listeners") == [other.url])
        one.start()


def test_a_server_keeps_off_the_bus_if_it_should(bus):
    with Server(tls=False, extra="[dbus]\nenabled=false\n") as server, Client(bus) as client:
        server.ready()
        assert not client.has_owner()
        assert "bus:" not in server.read_log()


def test_a_server_runs_without_a_bus(bus):
    address = os.environ["DBUS_SYSTEM_BUS_ADDRESS"]
    for other in ("unix:path=/nonexistent/bus", "nonsense", "tcp:host=127.0.0.1,port=1"):
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = other
        try:
            with Server(tls=False) as server:
                server.ready()
                wait_for("that to be said", lambda: "will be asked again" in server.read_log())
                assert server.call("GET", "sys/health").status == 200
        finally:
            os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = address


def test_a_flood_is_turned_away(bus):
    with started(bus) as server, Client(bus) as client:
        server.ready()
        flooders = [Client(bus) for _ in range(4)]
        all_of_it = GLib.Variant("(s)", (NAME,))
        for _ in range(3000):
            for flooder in flooders:
                flooder.send("GetAll", all_of_it, interface=PROPERTIES)
        # Behind all of it there is still somebody who answers, and through the API too.
        for flooder in flooders:
            flooder.connection.flush_sync(None)
        wait_for("the API to answer as before", lambda: server.call("GET", "sys/health").status == 200)
        wait_for("an answer", lambda: client.get("Sealed") is False)
        # More at once than one has any use for are told so.
        answers = []
        for _ in range(120):
            flooders[0].connection.call(NAME, PATH, PROPERTIES, "GetAll", all_of_it, None, Gio.DBusCallFlags.NONE, -1, None,
                                        lambda c, r: answers.append(answer_of(c, r)))
        wait_for("all answers", lambda: client.hear() is not None and len(answers) == 120)
        # The bus has a limit too.
        assert set(answers) <= {"", ERROR + "Busy", "org.freedesktop.DBus.Error.LimitsExceeded"} and "" in answers, set(answers)
        for flooder in flooders:
            flooder.close()


def test_a_server_ends_in_the_middle_of_a_flood(bus):
    over = threading.Event()

    def flood():
        with Client(bus) as client:
            while not over.is_set():
                try:
                    client.get_all()
                except RemoteError:
                    pass

    with started(bus) as server:
        server.ready()
        threads = [threading.Thread(target=flood) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            assert server.stop() == 0
        finally:
            over.set()
            for thread in threads:
                thread.join()
        server.start()


def answer_of(connection, result):
    try:
        connection.call_finish(result)
        return ""
    except GLib.Error as e:
        return Gio.DBusError.get_remote_error(e)


def test_a_failover_is_told(bus):
    with started(bus) as one, Client(bus) as client:
        storage = "sqlite\npath=" + os.path.join(one.home, "bawn.db")
        second = NAME + ".node_two"
        one.ready()
        with started(bus, storage=storage, extra="[dbus]\ninstance=two\n") as two:
            two.shares, two.root = one.shares, one.root
            two.unseal()
            wait_for("a standby", lambda: client.get("HaState", name=second) == "standby")
            wait_for("its leader", lambda: client.get("LeaderAddress", name=second) == one.url)
            wait_for("the standby's name", lambda: [p["Address"] for p in client.get("Peers")] == [two.url])
            peer = client.get("Peers")[0]
            assert peer["State"] == "standby" and peer["LastContact"] > 1e15 and peer["Version"], peer
            assert client.get("Epoch") == client.get("Epoch", name=second) > 0
            assert client.get("LeaseTimeLeftMs", name=second) == 0
            bus.let("yes")
            assert refused(lambda: client.call("StepDown", GLib.Variant("(s)", ("",)), name=second)) == "NotActive"
            assert refused(client.call, "StepDown", GLib.Variant("(s)", ("http://127.0.0.1:1",))) == "InvalidArgument"
            assert refused(client.call, "StepDown", GLib.Variant("(s)", ("x" * 5000,))) == "InvalidArgument"
            client.listen()
            epoch = client.get("Epoch")
            client.call("StepDown", GLib.Variant("(s)", (two.url,)))
            client.wait_signal("the other one to lead",
                               lambda m, a: m == "LeaderChanged" and a[1:3] == (two.url, False) and a[3] > epoch)
            client.wait_signal("a standby", lambda m, a: m == "StateChanged" and a[:2] == ("active", "standby"))
            wait_for("the other one to be active", lambda: client.get("HaState", name=second) == "active")
            assert "asked for through D-Bus by uid %d" % os.geteuid() in one.read_log()
            wait_for("the reason", lambda: changes(client).get("LastChangeReason") is not None)
            client.call("Seal", name=second)
            wait_for("the first one to lead again", lambda: client.get("IsSelf") is True)
            assert client.get("HaState", name=second) == "sealed"
            assert refused(lambda: client.call("StepDown", GLib.Variant("(s)", ("",)), name=second)) == "Sealed"


def test_a_server_alone_cannot_step_down(bus):
    with started(bus, storage="memory") as server, Client(bus) as client:
        server.ready()
        bus.let("yes")
        assert refused(client.call, "StepDown", GLib.Variant("(s)", ("",))) == "NotSupported"


def status(bus, *args):
    """`bawn status -bus` of somebody who has no token, and whom nobody has told an address."""
    environment = {"DBUS_SYSTEM_BUS_ADDRESS": bus.address, "HOME": "/", "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    return subprocess.run([BAWN, "status", "-bus", *args], capture_output=True, text=True, env=environment, timeout=PATIENCE, cwd="/",
                          **({"user": NOBODY} if os.geteuid() == 0 else {}))


def test_the_command_line_asks_the_bus(bus):
    done = status(bus)
    assert done.returncode == 1 and "No server answers on the system bus as " + NAME in done.stderr, done
    done = status(bus, "-instance=")
    assert done.returncode == 1 and "cannot be the name of an instance" in done.stderr, done
    with started(bus, extra="[dbus]\ninstance=two\n") as server:
        done = status(bus, "-instance=two")
        assert done.returncode == 2, done
        rows = [line.split() for line in done.stdout.splitlines()]
        assert ["Sealed", "true"] in rows and ["Initialized", "false"] in rows, done.stdout
        server.ready()
        done = status(bus, "-instance=two", "-format=json")
        assert done.returncode == 0, done
        shown, seal = json.loads(done.stdout), server.call("GET", "sys/seal-status").json
        leader = server.call("GET", "sys/leader").json
        for name in ("type", "initialized", "sealed", "t", "n", "progress", "storage_type", "cluster_name", "cluster_id"):
            assert shown[name] == seal[name], name
        for name in ("ha_enabled", "is_self", "leader_address", "leader_cluster_address"):
            assert shown[name] == leader[name], name
        assert shown["ha_state"] == "active" and shown["listeners"] == [server.url] and shown["peers"] == [], shown
        # The same table, up to what is written of the version.
        by_http = server.cli("status", env={"LC_ALL": "C.UTF-8"})
        by_bus = status(bus, "-instance=two")
        assert by_bus.returncode == 0

        def keys(text):
            return [line.split("  ")[0] for line in text.splitlines() if not line.startswith(("Build Date", "Version"))]

        assert keys(by_http.stdout) == keys(by_bus.stdout), (by_http.stdout, by_bus.stdout)


def manual_block(first_words):
    """The lines of the manual's example that begins so, as they are typed."""
    with open(os.path.join(SRC, "doc/man/org.bawn.Bawn1.5.scd")) as f:
        blocks = f.read().split("```\n")[1::2]
    return next(block for block in blocks if block.startswith(first_words))


def test_the_health_check_of_the_manual_tells_what_is_so(bus):
    check = manual_block("busctl -")
    environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=bus.address)

    def run():
        done = subprocess.run(["sh", "-c", check], capture_output=True, text=True, env=environment, timeout=PATIENCE)
        assert done.stdout == "", done
        return done.returncode

    assert run() == 2
    with started(bus) as server:
        assert run() == 2
        server.ready()
        assert run() == 0
        server.call("PUT", "sys/seal")
        assert run() == 2


def test_the_queries_of_the_manual_work(bus):
    environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=bus.address, PATH=os.path.dirname(BAWN) + ":" + os.environ["PATH"])
    with started(bus) as server:
        server.ready()
        for block in ("bawn status", "busctl --json"):
            for line in manual_block(block).splitlines():
                done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environment, timeout=PATIENCE)
                assert done.returncode == 0 and "active" in done.stdout, (line, done)


def test_the_unseal_of_the_manual_works(bus):
    code = manual_block("import getpass").replace('getpass.getpass("Share: ")', "input()")
    bus.let("yes")
    with started(bus) as server:
        server.init(shares=2, threshold=2)
        done = subprocess.run(["/usr/bin/python3", "-c", code], input=server.shares[0] + "\n", capture_output=True, text=True,
                              env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=bus.address), timeout=PATIENCE)
        assert done.stdout.strip() == "(true, uint32 1, uint32 2)", done


if __name__ == "__main__":
    why = missing()
    if why:
        print("1..0 # SKIP " + why)
        sys.exit(0)
    # Words on the command line choose among the tests.
    tests = {n: f for n, f in globals().items() if all(word in n for word in sys.argv[1:])}
    with Bus() as the_bus:
        run_all(tests, the_bus)
