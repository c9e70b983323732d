#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Units, policies and rules for other programs, as far as these can judge them where they are not used. What they do
# in a system that runs is in test-system.py.
cd "${builddir:-.}" || exit 1
src=${srcdir:-.}
n=0
bad=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

check () { # NAME LINES: passes when LINES is empty
  n=$((n + 1))
  if [ -n "$2" ]; then
    printf '%s\n' "$2" | sed 's/^/# /'
    echo "not ok $n - $1"
    bad=1
  else
    echo "ok $n - $1"
  fi
}

skip () { # NAME REASON
  n=$((n + 1))
  echo "ok $n - $1 # SKIP $2"
}

# What it printed, if it failed.
complaints () {
  "$@" >"$scratch/out" 2>&1 </dev/null || { echo "exit status $?:"; cat "$scratch/out"; }
}

has () {
  command -v "$1" >/dev/null 2>&1
}

left=$(grep -nE '@(one|many|notify|notify-reload|self|[a-z]+dir|servicetype)@' data/systemd/bawnd.service data/systemd/bawnd@.service \
  data/systemd/bawnd.socket data/sysusers/bawn.conf data/tmpfiles/bawn.conf data/apparmor/usr.sbin.bawnd \
  data/selinux/bawn.fc data/logrotate/bawn)
check "nothing is left to be replaced" "$left"

sandbox () { # UNIT: what it may do, without what differs between one node and many
  sed -nE '/^# Memory/,/^\[Install\]/p' "$1" | grep -vE '^#|^$'
}
check "one node and many have the same sandbox" \
  "$([ "$(sandbox data/systemd/bawnd.service)" = "$(sandbox data/systemd/bawnd@.service)" ] || echo they differ
     [ "$(sandbox data/systemd/bawnd.service | wc -l)" -ge 40 ] || echo 'hardly anything is there')"
check "each part of the sandbox says why" \
  "$(awk '/^# Memory/ { on = 1 } /^\[Install\]/ { on = 0 } /^$/ { reason = 0 } /^#/ { reason = 1 }
          on && /^[A-Z]/ && !reason { print }' data/systemd/bawnd.service)"

for unit in bawnd.service bawnd@.service; do
  if has systemd-analyze && systemd-analyze --help | grep -q -e --offline; then
    check "$unit is exposed 1.1 at most, says systemd-analyze" \
      "$(complaints systemd-analyze security --no-pager --offline=yes --threshold=11 "data/systemd/$unit")"
  else
    skip "$unit is exposed 1.1 at most, says systemd-analyze" "there is no systemd-analyze with --offline"
  fi
done

if has apparmor_parser; then
  check "AppArmor's parser takes the profile" "$(complaints apparmor_parser -Q -K -I /etc/apparmor.d data/apparmor/usr.sbin.bawnd)"
else
  skip "AppArmor's parser takes the profile" "apparmor is not here"
fi

# Who is not let ask who calls can let nobody do anything.
asked=$(cat "$src"/src/bus/*.c | tr -d '\n' | grep -oE '"org\.freedesktop\.DBus",[[:space:]]*"[A-Z][A-Za-z]*"|BUS_NAME,[[:space:]]*"[A-Z][A-Za-z]*"' |
  sed -E 's/.*"([A-Za-z]+)"$/\1/' | sort -u)
check "AppArmor's profile lets the server ask the bus what it asks" \
  "$(for method in $asked; do grep -qE "[{,]$method[,}]" data/apparmor/usr.sbin.bawnd || echo "$method"; done
     [ "$(echo "$asked" | wc -w)" -ge 2 ] || echo 'it asks nothing')"

if [ -f /usr/share/selinux/devel/Makefile ]; then
  cp "$src/data/selinux/bawn.te" "$src/data/selinux/bawn.if" data/selinux/bawn.fc "$scratch"
  check "the SELinux module compiles, with its file contexts" \
    "$(complaints make -C "$scratch" -f /usr/share/selinux/devel/Makefile bawn.pp; [ -s "$scratch/bawn.pp" ] || echo 'no module was made')"
else
  skip "the SELinux module compiles, with its file contexts" "selinux-policy-dev is not here"
fi

if has xmllint; then
  check "firewalld's services are well-formed" "$(complaints xmllint --noout "$src"/data/firewalld/*.xml)"
else
  skip "firewalld's services are well-formed" "xmllint is not here"
fi

if has perl; then
  # shellcheck disable=SC2016
  matched=$(perl -e 'our %nrconf; defined (do "./$ARGV[0]") or die; my ($re) = keys %{$nrconf{override_rc}};
    for (@ARGV[1..$#ARGV]) { print "$_\n" if /$re/ && !$nrconf{override_rc}{$re} }' \
    "$(realpath --relative-to=. "$src/data/needrestart/bawn.conf")" bawnd.service bawnd@n1.service bawnd-x.service 2>&1)
  check "needrestart restarts none of ours, and leaves others alone" \
    "$([ "$matched" = "bawnd.service
bawnd@n1.service" ] || echo "$matched")"
else
  skip "needrestart restarts none of ours, and leaves others alone" "perl is not here"
fi

if has journalctl; then
  mkdir -p "$scratch/root/usr/lib/systemd/catalog"
  cp "$src/data/catalog/bawn.catalog" "$scratch/root/usr/lib/systemd/catalog"
  check "the journal takes the catalog" \
    "$(complaints journalctl --root="$scratch/root" --update-catalog
       [ "$(journalctl --root="$scratch/root" --list-catalog 2>/dev/null | grep -c bawn)" -ge 6 ] || echo 'entries are missing')"
else
  skip "the journal takes the catalog" "journalctl is not here"
fi
ids () {
  grep -ohE '\b[0-9a-f]{32}\b' "$1" | sort -u
}
check "every message id in the sources is explained, and no other" \
  "$(ids "$src/src/util/bawn-message-id.h" >"$scratch/used"; ids "$src/data/catalog/bawn.catalog" | diff "$scratch/used" -)"

echo "1..$n"
exit $bad
