# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether packages of two kinds are the same thing: compare.py DEB-FOLDER RPM-FOLDER. Their files but for where a distribution wants
them, modes and owners, configuration files, what they need, and what their scripts do to units and users. Speaks TAP."""

import glob
import os
import re
import subprocess
import sys

# A package's name in one distribution and in the other.
PAIRS = [("bawn", "bawn"), ("bawn-dev", "bawn-devel")]
# Where Debian's files are, and where the others are to be found for the same thing.
PLACES = [
    (r"^/lib/systemd/", "/usr/lib/systemd/"),
    (r"^/usr/lib/bawn(/|$)", r"/usr/lib64/bawn\1"),
    (r"^/usr/lib/[^/]+-linux-gnu[^/]*/", "/usr/lib64/"),
    (r"^/usr/share/zsh/vendor-completions/", "/usr/share/zsh/site-functions/"),
]
# What only one of them has, and why.
ONLY_DEB = {
    "/etc/apparmor.d/usr.sbin.bawnd": "AppArmor is Debian's",
    "/etc/needrestart/conf.d/bawn.conf": "needrestart is Debian's",
    "/etc/ufw/applications.d/bawn": "ufw is Debian's",
}
ONLY_RPM = {}
# Papers: each distribution has its own ways with them.
PAPERS = re.compile(r"^/usr/(share/(doc|licenses|lintian)/|lib/\.build-id/|lib/debug/)")
# What systemd-tmpfiles makes of them in Debian, where files come before the user.
LATER = {"/etc/bawn": ("0750", "root", "bawn"), "/etc/bawn/bawn.conf": ("0640", "root", "bawn")}
# What is linked with, in Debian's words and the others'.
NEEDS = {"glib-networking": "glib-networking", "ca-certificates": "ca-certificates", "libglib2.0-dev": "glib2-devel"}

count = 0
bad = 0


def check(name, problems):
    global count, bad
    count += 1
    for problem in problems:
        print("# " + problem)
    bad += bool(problems)
    print("%s %d - %s" % ("not ok" if problems else "ok", count, name))


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def find(folder, name, pattern):
    found = [f for f in glob.glob(os.path.join(folder, pattern)) if "dbgsym" not in f and "debuginfo" not in f and "debugsource" not in f]
    assert len(found) == 1, "%s: %s" % (name, found)
    return found[0]


def octal(letters):
    bits = "".join("0" if c == "-" else "1" for c in letters[1:])
    return "%04o" % int(bits, 2)


class Deb:
    def __init__(self, folder, name):
        self.path = find(folder, name, name + "_*.deb")
        self.files = {}
        for line in output("dpkg-deb", "-c", self.path).splitlines():
            letters, owner, _, _, _, path = line.split(None, 5)
            path = path.split(" -> ")[0].lstrip(".").rstrip("/")
            self.files[path] = (octal(letters), *owner.split("/"), letters[0])
        self.config = set(self.control("conffiles").split())
        self.scripts = {s: self.control(s) for s in ("preinst", "postinst", "prerm", "postrm")}
        self.needs = output("dpkg-deb", "-f", self.path, "Depends", "Recommends")

    def control(self, name):
        return subprocess.run(["dpkg-deb", "-I", self.path, name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


class Rpm:
    def __init__(self, folder, name):
        self.path = find(folder, name, "*/%s-[0-9]*.rpm" % name)
        ask = "[%{FILENAMES}|%{FILEMODES:perms}|%{FILEUSERNAME}|%{FILEGROUPNAME}|%{FILEFLAGS:fflags}\n]"
        self.files = {}
        self.config = set()
        for line in output("rpm", "-qp", "--qf", ask, self.path).splitlines():
            path, letters, user, group, flags = line.split("|")
            self.files[path] = (octal(letters), user, group, letters[0])
            if "c" in flags:
                assert "n" in flags, "%s would be overwritten by an upgrade" % path
                self.config.add(path)
        self.scripts = output("rpm", "-qp", "--scripts", self.path)
        self.needs = output("rpm", "-qp", "--requires", self.path) + output("rpm", "-qp", "--recommends", self.path)


def place(path):
    for pattern, instead in PLACES:
        path = re.sub(pattern, instead, path)
    return re.sub(r"^(/usr/share/man/.*\.[1-9])\.gz$", r"\1", path)


def kept(files, only):
    """Without papers, and folders that are the system's: a folder counts where it is named after us."""
    return {place(p): v for p, v in files.items()
            if p and not PAPERS.match(p) and p not in only and (v[3] != "d" or re.search("bawn", p))}


def compare(deb, rpm):
    ours = kept(deb.files, ONLY_DEB)
    theirs = {re.sub(r"^(/usr/share/man/.*\.[1-9])\.(gz|bz2|xz|zst)$", r"\1", p): v for p, v in kept(rpm.files, ONLY_RPM).items()}
    check("the same files", ["only in %s: %s" % (os.path.basename(deb.path), p) for p in sorted(ours.keys() - theirs.keys())]
          + ["only in %s: %s" % (os.path.basename(rpm.path), p) for p in sorted(theirs.keys() - ours.keys())])
    # A page that only names another one is a link in Debian.
    meant = {p: (*LATER[p], v[3]) if p in LATER else v for p, v in ours.items() if v[3] != "l"}
    check("with the same modes and owners", ["%s: %s and %s" % (p, meant[p], theirs[p])
                                             for p in sorted(meant.keys() & theirs.keys()) if meant[p] != theirs[p]])
    check("the same configuration files", sorted("not in both: " + p for p in
                                                 {place(c) for c in deb.config - ONLY_DEB.keys()} ^ (rpm.config - ONLY_RPM.keys())))
    check("the same needs", ["%s or %s is missing in one" % pair for pair in NEEDS.items()
                             if bool(re.search(r"\b%s\b" % re.escape(pair[0]), deb.needs)) != bool(re.search(r"\b%s\b" % pair[1], rpm.needs))])


def scripts(deb, rpm):
    units = sorted(os.path.basename(p) for p, v in deb.files.items()
                   if "/systemd/system/" in p and v[3] == "-")
    named = set(re.findall(r"'(bawn[\w@.]*)'", deb.scripts["postinst"]))
    told = set(re.search(r"install-system-units ([^|]*)", rpm.scripts + "install-system-units |").group(1).split())
    check("the same units are introduced", sorted("not in both: " + u for u in named ^ told)
          + ["of no script: " + u for u in units if "@" not in u and u not in told])
    removed = re.search(r"remove-system-units ([^|]*)", rpm.scripts + "remove-system-units |").group(1).replace("'", "").split()
    stopped = re.findall(r"bawn[\w@*]*\.(?:service|socket|target)", deb.scripts["prerm"])
    check("the same units are stopped when the package goes", sorted("not in both: " + u for u in set(removed) ^ set(stopped)))
    start = re.compile(r"(deb-systemd-invoke|systemctl)[^\n]* (re)?start |mark-restart-system-units|try-restart")
    found = [s + ": " + m.group(0) for s, text in deb.scripts.items() for m in start.finditer(text)]
    found += ["rpm: " + m.group(0) for m in start.finditer(rpm.scripts)]
    # After a removal that failed, which has stopped them.
    check("no script starts or restarts a server", [f for f in found if "postinst: deb-systemd-invoke start " != f])
    text = "\n".join(deb.scripts.values()) + rpm.scripts
    check("no script knows of secrets", sorted(set(re.findall(r"\b(?:openssl|bawn operator|certtool|\S+\.(?:pem|key))\b", text))))


def users(deb, rpm):
    lines = []
    for line in subprocess.run(["sh", "-c", "dpkg-deb --fsys-tarfile \"$1\" | tar -xOf - ./usr/lib/sysusers.d/bawn.conf", "sh", deb.path],
                               stdout=subprocess.PIPE, text=True).stdout.splitlines():
        if line.strip() and not line.startswith("#"):
            lines.append(" ".join(line.split()))
    check("there is one user", [] if len(lines) == 1 else lines)
    check("the same user, made before its files", [line for line in lines if line not in " ".join(rpm.scripts.split())]
          + ([] if "systemd-sysusers" in deb.scripts["postinst"] else ["the .deb makes none"]))


def main(debs, rpms):
    for debian, fedora in PAIRS:
        print("# %s and %s" % (debian, fedora))
        deb, rpm = Deb(debs, debian), Rpm(rpms, fedora)
        compare(deb, rpm)
        if debian == "bawn":
            scripts(deb, rpm)
            users(deb, rpm)
    print("1..%d" % count)
    return bad != 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
