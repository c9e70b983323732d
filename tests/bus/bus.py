# SPDX-License-Identifier: LGPL-2.1-or-later
"""A system bus of one's own for a test, with the policy that is installed, and somebody who calls on it."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../api"), os.path.join(HERE, "../servers")]

from bawn_server import PATIENCE, SRC, wait_for  # noqa: E402
from bawn_servers import Process  # noqa: E402

try:
    from gi.repository import Gio, GLib
except ImportError:
    Gio = GLib = None

NAME = "org.bawn.Bawn1"
PATH = "/org/bawn/Bawn1"
PROPERTIES = "org.freedesktop.DBus.Properties"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
POLKIT = "org.freedesktop.PolicyKit1"
POLKIT_PATH = "/org/freedesktop/PolicyKit1/Authority"
# Somebody who is not root, and whom no file here belongs to.
NOBODY = 65534

# What the system's own configuration has, as far as it matters, and the installed policy behind it.
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=%(socket)s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
%(policy)s
</busconfig>
"""


def missing():
    """What a machine needs for this and does not have; None if it has it all."""
    if Gio is None:
        return "python3-gi is not here"
    for program in ("dbus-daemon", "gdbus", "busctl"):
        if shutil.which(program) is None:
            return program + " is not here"
    return None


def installed_policy(user):
    """The policy's groups, with @user in the place of the server's; an empty @user leaves nobody who may have the name."""
    with open(os.path.join(SRC, "data/dbus/org.bawn.Bawn1.conf")) as f:
        text = f.read()
    start, end = text.index("<busconfig>") + len("<busconfig>"), text.index("</busconfig>")
    text = text[start:end]
    assert text.count('user="bawn"') == 1 and text.count('user="root"') == 1
    if user == "":
        return text[text.index('<policy context="default">'):]
    return text.replace('user="bawn"', 'user="%s"' % user)


class RemoteError(Exception):
    """An error that came over the bus, by its name there."""

    def __init__(self, name, message):
        super().__init__("%s: %s" % (name, message))
        self.name, self.message = name, message


class Client:
    """A connection to the bus, as this process's own user."""

    def __init__(self, bus):
        self.bus = bus
        self.context = GLib.MainContext.default()
        self.connection = Gio.DBusConnection.new_for_address_sync(
            bus.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None, None)
        self.signals = []

    def call(self, method, parameters=None, name=NAME, path=PATH, interface=NAME, fds=None):
        """What the method returns, as Python's values. RemoteError for whatever it says instead."""
        try:
            reply, _ = self.connection.call_with_unix_fd_list_sync(
                name, path, interface, method, parameters, None, Gio.DBusCallFlags.NO_AUTO_START, PATIENCE * 1000,
                Gio.UnixFDList.new_from_array([os.dup(fd) for fd in fds]) if fds else None, None)
        except GLib.Error as e:
            remote = Gio.DBusError.get_remote_error(e)
            if remote is None:
                raise
            Gio.DBusError.strip_remote_error(e)
            raise RemoteError(remote, e.message) from None
        return reply.unpack()

    def get(self, prop, name=NAME):
        return self.call("Get", GLib.Variant("(ss)", (NAME, prop)), name=name, interface=PROPERTIES)[0]

    def get_all(self, name=NAME):
        return self.call("GetAll", GLib.Variant("(s)", (NAME,)), name=name, interface=PROPERTIES)[0]

    def unseal(self, *fds, name=NAME):
        return self.call("Unseal", GLib.Variant("(h)", (0,)), name=name, fds=fds)

    def send(self, method, parameters=None, interface=NAME, name=NAME):
        """A call that wants no answer."""
        message = Gio.DBusMessage.new_method_call(name, PATH, interface, method)
        message.set_flags(Gio.DBusMessageFlags.NO_REPLY_EXPECTED)
        if parameters is not None:
            message.set_body(parameters)
        self.connection.send_message(message, Gio.DBusSendMessageFlags.NONE)

    def has_owner(self, name=NAME):
        return self.call("NameHasOwner", GLib.Variant("(s)", (name,)), name="org.freedesktop.DBus",
                         path="/org/freedesktop/DBus", interface="org.freedesktop.DBus")[0]

    def listen(self, name=NAME):
        """From now on self.signals has (member, arguments) of each of the server's signals."""
        def heard(connection, sender, path, interface, signal, parameters):
            self.signals.append((signal, parameters.unpack()))

        self.connection.signal_subscribe(name, None, None, PATH, None, Gio.DBusSignalFlags.NONE, heard)
        # The bus knows of it when it has answered something else.
        self.has_owner()

    def hear(self):
        while self.context.iteration(False):
            pass
        return self.signals

    def wait_signal(self, what, condition):
        """The first signal of which condition(member, arguments) is true."""
        return wait_for(what, lambda: next((s for s in self.hear() if condition(*s)), None))

    def close(self):
        self.connection.close_sync(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Bus:
    """As a context manager: the bus and polkit run, and DBUS_SYSTEM_BUS_ADDRESS leads to them."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="bawn-bus-")
        # Whoever is let into a system bus reaches it.
        os.chmod(self.home, stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH)
        self.socket = os.path.join(self.home, "socket")
        self.address = "unix:path=" + self.socket
        self.config = os.path.join(self.home, "bus.conf")
        self.log = os.path.join(self.home, "log")
        self.daemon = self.polkit = None

    def write_config(self, may_own=True):
        with open(self.config, "w") as f:
            f.write(CONFIG % {"socket": self.socket, "policy": installed_policy(str(os.getuid()) if may_own else "")})

    def start(self, may_own=True):
        self.write_config(may_own)
        self.daemon = Process(["dbus-daemon", "--nofork", "--nopidfile", "--config-file", self.config], self.log)
        wait_for("the bus", lambda: self.is_there())

    def is_there(self):
        if self.daemon.ended():
            raise AssertionError("dbus-daemon ended:\n" + self.read_log())
        try:
            Client(self).close()
            return True
        except GLib.Error:
            return False

    def stop(self):
        self.stop_polkit()
        self.daemon.kill()
        os.unlink(self.socket)

    def start_polkit(self):
        self.polkit = Process(["/usr/bin/python3", os.path.join(HERE, "fake-polkit.py")], self.log,
                              env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address))
        with Client(self) as client:
            wait_for("polkit", lambda: client.has_owner(POLKIT))

    def stop_polkit(self):
        if self.polkit is not None:
            self.polkit.kill()
            self.polkit = None

    def ask_polkit(self, method, parameters=None):
        with Client(self) as client:
            return client.call(method, parameters, name=POLKIT, path=POLKIT_PATH, interface="org.bawn.Test.Polkit")

    def let(self, verdict):
        self.ask_polkit("Say", GLib.Variant("(s)", (verdict,)))

    def asked(self):
        """[(action, kind of subject, [flags])] since let() was called."""
        return self.ask_polkit("Asked")[0]

    def withdrawn(self):
        return self.ask_polkit("Withdrawn")[0]

    def reload(self):
        self.daemon.signal(signal.SIGHUP)

    def read_log(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def gdbus(self, *args):
        """What `gdbus call` as somebody else than root comes to: (exit status, what it printed)."""
        command = ["gdbus", "call", "--system", "--timeout", str(PATIENCE)] + list(args)
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE * 2,
                              env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address), cwd="/",
                              **({"user": NOBODY} if os.geteuid() == 0 else {}))
        return done.returncode, done.stdout + done.stderr

    def call_as_somebody(self, method, *args, interactive=False, name=NAME):
        return self.gdbus("--dest", name, "--object-path", PATH, "--method", NAME + "." + method,
                          *(["--interactive"] if interactive else []), *args)

    def __enter__(self):
        self.start()
        self.start_polkit()
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = self.address
        return self

    def __exit__(self, *exc):
        if exc[0] is not None and not (exc[0] is SystemExit and not exc[1].code):
            for line in self.read_log().splitlines()[-40:]:
                print("# bus: " + line)
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
