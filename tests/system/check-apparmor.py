# SPDX-License-Identifier: LGPL-2.1-or-later
"""The AppArmor profile, enforced by a kernel that knows how: Debian's own, in a virtual machine that qemu emulates. Takes some
minutes, so it is run by hand, after changes of the profile or of what bawnd reaches for:

    builddir=build srcdir=. python3 tests/system/check-apparmor.py

Needs root, and the packages qemu-system-x86, busybox-static, e2fsprogs and cpio, besides those of test-system.py. bawnd has to be
built for --prefix=/usr --sysconfdir=/etc, where the profile looks for it."""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine import CACHE, Impossible, Machine, installed_paths  # noqa: E402

# As little as a disk needs, in this order.
MODULES = ["virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk"]
# An emulated processor is slow, and may share this one with others.
PATIENCE = 900

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for m in %s; do insmod /mod/$m.ko; done
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -b /dev/vda ] && break; sleep 0.2; done
mount -o rw /dev/vda /root || exec sh
umount /sys /proc; mount --move /dev /root/dev
exec switch_root /root /lib/systemd/systemd
"""

UNIT = """[Unit]
After=multi-user.target apparmor.service
[Service]
Type=oneshot
ExecStart=-/bin/sh /root/guest.sh
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=file:/dev/ttyS0
StandardError=file:/dev/ttyS0
[Install]
WantedBy=multi-user.target
"""

# Everything that bawnd reaches for; each line says what it found.
GUEST = r"""
step () { name=$1; shift; if "$@" >/tmp/step 2>&1; then echo "RESULT ok $name"; else echo "RESULT not ok $name"; sed 's/^/RESULT # /' /tmp/step; fi; }
export BAWN_ADDR=https://127.0.0.1:8200 BAWN_CACERT=/etc/bawn/tls/cert.pem PATH=/usr/sbin:/usr/bin:/sbin:/bin
systemd-sysusers; systemd-tmpfiles --create; systemctl daemon-reload
mkdir -p /etc/bawn/tls /etc/credstore.encrypted; chmod 755 /etc/bawn/tls
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
  -keyout /tmp/key.pem -out /etc/bawn/tls/cert.pem 2>/dev/null
chmod 644 /etc/bawn/tls/cert.pem
systemd-creds encrypt --with-key=host --name=listener-key /tmp/key.pem /etc/credstore.encrypted/bawnd-listener-key
head -c 32 /dev/urandom | systemd-creds encrypt --with-key=host --name=unseal-key - /etc/credstore.encrypted/bawnd-unseal-key
cat >/etc/bawn/bawn.conf <<X
[listener]
address=127.0.0.1:8200
tls-cert-file=/etc/bawn/tls/cert.pem
tls-key-file=credential:listener-key
[listener local]
address=unix:/run/bawn/bawn.sock
tls-disable=true
[storage]
type=sqlite
path=/var/lib/bawn/bawn.db
[seal]
type=credential
keep-over-restart=true
X
chown root:bawn /etc/bawn/bawn.conf; chmod 640 /etc/bawn/bawn.conf
step 'the profile loads' apparmor_parser -r /etc/apparmor.d/usr.sbin.bawnd
step 'the server starts' systemctl start bawnd
label () { cat "/proc/$(systemctl show -p MainPID --value bawnd)/attr/current" | grep -qxF 'bawnd (enforce)'; }
step 'it is confined' label
bawn operator init -recovery-shares=1 -recovery-threshold=1 -format=json >/tmp/init
BAWN_TOKEN=$(sed -nE 's/.*"root_token": *"([^"]*)".*/\1/p' /tmp/init); export BAWN_TOKEN
unsealed () { for i in $(seq 200); do bawn status -format=json | grep -q '"sealed": *false' && return 0; sleep 0.3; done; return 1; }
step 'it unseals itself' unsealed
step 'it writes audit files' bawn audit enable file file_path=/var/log/bawn/audit.log
step 'it mounts' bawn secrets enable -path=kv kv
step 'it writes' bawn kv put kv/a b=c
step 'it reads' bawn kv get kv/a
step 'it is asked by its socket' env BAWN_ADDR=unix:/run/bawn/bawn.sock bawn kv get kv/a
step 'it opens its files again' systemctl reload bawnd
sleep 2
step 'it comes back unsealed' sh -c 'systemctl restart bawnd'
step 'and serves' unsealed
status () { systemctl show -p StatusText --value bawnd | grep -q '^active since'; }
sleep 3
step 'it tells its state' status
kill -KILL "$(systemctl show -p MainPID --value bawnd)"; sleep 5
step 'it comes back from a crash' unsealed
freed () { journalctl -b -u bawnd -o cat | grep -q 'the lease of the process that died is free'; }
step 'and its lease was freed' freed
step 'it is on the bus' busctl get-property org.bawn.Bawn1 /org/bawn/Bawn1 org.bawn.Bawn1 Sealed
step 'it knows who calls' busctl call org.bawn.Bawn1 /org/bawn/Bawn1 org.bawn.Bawn1 Reload
step 'it stops' systemctl stop bawnd
systemctl start bawnd.socket
step 'it takes sockets over' bawn status -format=json
journalctl -b -o cat --no-pager _TRANSPORT=audit | grep 'apparmor="DENIED"' | grep 'profile="bawnd"' >/tmp/denied
step 'nothing that it needs is denied' test ! -s /tmp/denied
sed 's/^/RESULT # /' /tmp/denied | sort -u | head -n 40
refused () { ! aa-exec -p bawnd -- "$@"; }
step 'it could not read passwords' refused cat /etc/shadow
step 'nor run another program' refused sh -c /bin/true
step 'nor write beside its own files' refused sh -c ': >/var/lib/beside'
systemctl stop bawnd.socket bawnd.service
echo "RESULT end"
"""


class Disk(Machine):
    """The machine's files, for another way to boot them."""

    def start(self, debs):
        os.unlink(self.path("/etc/systemd/system/apparmor.service"))
        self.write("/root/guest.sh", GUEST)
        self.write("/etc/systemd/system/guest.service", UNIT)
        os.makedirs(self.path("/etc/systemd/system/multi-user.target.wants"), exist_ok=True)
        os.symlink("/etc/systemd/system/guest.service", self.path("/etc/systemd/system/multi-user.target.wants/guest.service"))


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def kernel():
    """(vmlinuz, its modules): Debian's smallest, fetched once."""
    depends = run("apt-cache", "depends", "linux-image-cloud-amd64")
    name = re.search(r"Depends: (linux-image-[0-9][^\s]*)", depends).group(1)
    place = os.path.join(CACHE, name)
    if not os.path.isdir(place):
        fresh = tempfile.mkdtemp(prefix="kernel-new-", dir=CACHE)
        run("apt-get", "download", name, cwd=fresh)
        deb = [f for f in os.listdir(fresh) if f.endswith(".deb")][0]
        run("dpkg-deb", "-x", os.path.join(fresh, deb), os.path.join(fresh, "files"))
        os.rename(os.path.join(fresh, "files"), place)
        shutil.rmtree(fresh)
    version = name[len("linux-image-"):]
    return os.path.join(place, "boot/vmlinuz-" + version), os.path.join(place, "lib/modules", version)


def make_initrd(modules, folder):
    tree = os.path.join(folder, "initrd")
    for name in ("bin", "mod", "proc", "sys", "dev", "root"):
        os.makedirs(os.path.join(tree, name))
    shutil.copy(shutil.which("busybox"), os.path.join(tree, "bin/busybox"))
    os.symlink("busybox", os.path.join(tree, "bin/sh"))
    for name in MODULES:
        for found, _, files in os.walk(modules):
            if name + ".ko" in files:
                shutil.copy(os.path.join(found, name + ".ko"), os.path.join(tree, "mod"))
    with open(os.path.join(tree, "init"), "w") as f:
        f.write(INIT % " ".join(MODULES))
    os.chmod(os.path.join(tree, "init"), 0o755)
    names = subprocess.run(["find", "."], cwd=tree, check=True, capture_output=True).stdout
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree, input=names, check=True, capture_output=True).stdout
    with gzip.open(os.path.join(folder, "initrd.gz"), "wb", 1) as f:
        f.write(archive)
    return os.path.join(folder, "initrd.gz")


def boot(folder):
    linux, modules = kernel()
    initrd = make_initrd(modules, folder)
    disk = Disk("bawn-disk")
    image = os.path.join(folder, "root.img")
    run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", disk.root, image, "1800M")
    disk.close()
    return subprocess.run(
        ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "Nehalem", "-smp", "2", "-m", "1024",
         "-no-reboot", "-nographic", "-nic", "none", "-kernel", linux, "-initrd", initrd, "-append",
         "console=ttyS0 root=/dev/vda rw quiet systemd.show_status=0 systemd.log_target=journal panic=-1 mitigations=off "
         "apparmor=1 security=apparmor audit=1", "-drive", "file=%s,format=raw,if=virtio" % image, "-device", "virtio-rng-pci"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE).stdout.decode(errors="replace")


def main():
    try:
        for program in ("qemu-system-x86_64", "busybox", "mke2fs", "cpio"):
            if shutil.which(program) is None:
                raise Impossible("there is no " + program)
        if installed_paths() != ("/usr/sbin/bawnd", "/etc/bawn"):
            raise Impossible("the build is not for --prefix=/usr --sysconfdir=/etc")
        folder = tempfile.mkdtemp(prefix="bawn-apparmor-")
        try:
            said = boot(folder)
        finally:
            shutil.rmtree(folder)
    except Impossible as why:
        print("1..0 # SKIP %s" % why)
        return 0
    results = [line[len("RESULT "):] for line in said.replace("\r", "").splitlines() if line.startswith("RESULT ")]
    n = 0
    for line in results:
        if line.startswith(("ok ", "not ok ")):
            n += 1
            verdict, name = re.match("(ok|not ok) (.*)", line).groups()
            print("%s %d - %s" % (verdict, n, name))
        elif line != "end":
            print(line)
    print("1..%d" % n)
    if "end" not in results:
        print("".join("# " + line + "\n" for line in said.splitlines()[-40:]), end="")
    return 0 if "end" in results and not any(line.startswith("not ok") for line in results) else 1


if __name__ == "__main__":
    sys.exit(main())
