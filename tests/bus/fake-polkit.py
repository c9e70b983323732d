# SPDX-License-Identifier: LGPL-2.1-or-later
"""Polkit as a server sees it, doing as it is told. Run with the bus in DBUS_SYSTEM_BUS_ADDRESS.

Verdicts: "yes", "no", "challenge" (yes, were there somebody to be asked), "silence" (until the question is withdrawn).
"""

import os

from gi.repository import Gio, GLib

NAME = "org.freedesktop.PolicyKit1"
XML = """<node>
<interface name="org.freedesktop.PolicyKit1.Authority">
  <method name="CheckAuthorization">
    <arg type="(sa{sv})" direction="in"/><arg type="s" direction="in"/><arg type="a{ss}" direction="in"/>
    <arg type="u" direction="in"/><arg type="s" direction="in"/><arg type="(bba{ss})" direction="out"/>
  </method>
  <method name="CancelCheckAuthorization"><arg type="s" direction="in"/></method>
</interface>
<interface name="org.bawn.Test.Polkit">
  <method name="Say"><arg type="s" direction="in"/></method>
  <method name="Asked"><arg type="a(ssau)" direction="out"/></method>
  <method name="Withdrawn"><arg type="u" direction="out"/></method>
</interface>
</node>"""


class Polkit:
    def __init__(self):
        self.verdict = "no"
        self.asked = []
        self.silent = {}
        self.withdrawn = 0

    def called(self, connection, sender, path, interface, method, parameters, invocation):
        getattr(self, method)(invocation, *parameters.unpack())

    def CheckAuthorization(self, invocation, subject, action, details, flags, cancellation):
        self.asked.append((action, subject[0], [flags]))
        if self.verdict == "silence":
            self.silent[cancellation] = invocation
            return
        interactive = flags & 1
        yes = self.verdict == "yes" or (self.verdict == "challenge" and interactive)
        challenge = self.verdict == "challenge" and not interactive
        invocation.return_value(GLib.Variant("((bba{ss}))", ((yes, challenge, {}),)))

    def CancelCheckAuthorization(self, invocation, cancellation):
        waiting = self.silent.pop(cancellation, None)
        if waiting is None:
            invocation.return_dbus_error("org.freedesktop.PolicyKit1.Error.Failed", "no such question")
            return
        self.withdrawn += 1
        waiting.return_dbus_error("org.freedesktop.PolicyKit1.Error.Cancelled", "withdrawn")
        invocation.return_value(None)

    def Say(self, invocation, verdict):
        self.verdict, self.asked = verdict, []
        invocation.return_value(None)

    def Asked(self, invocation):
        invocation.return_value(GLib.Variant("(a(ssau))", (self.asked,)))

    def Withdrawn(self, invocation):
        invocation.return_value(GLib.Variant("(u)", (self.withdrawn,)))


def main():
    polkit = Polkit()
    loop = GLib.MainLoop()
    connection = Gio.DBusConnection.new_for_address_sync(
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"],
        Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
    connection.connect("closed", lambda *_: loop.quit())
    for interface in Gio.DBusNodeInfo.new_for_xml(XML).interfaces:
        connection.register_object("/org/freedesktop/PolicyKit1/Authority", interface, polkit.called, None, None)
    Gio.bus_own_name_on_connection(connection, NAME, Gio.BusNameOwnerFlags.NONE, None, lambda *_: loop.quit())
    loop.run()


main()
