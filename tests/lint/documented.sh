#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# bawn.conf(5) and the pages of storages have every group and key of the configuration that the sources read, and no other.
cd "${srcdir:-.}" || exit 1
page=doc/man/bawn.conf.5.scd
storages='doc/man/bawn-sqlite.5.scd doc/man/bawn-consul.5.scd doc/man/bawn-etcd.5.scd doc/man/bawn-zookeeper.5.scd'
n=0
bad=0
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

# The second arguments of a file's calls: "key", or whatever stands in its place.
arguments () { # FILE
  tr '\n' ' ' <"$1" | tr -s ' ' \
    | grep -oE 'bawn_config_(get_(string|list|bool|int|size|duration_us|choice)|group_has) \([^,()]+, [^,()]+[,)]' \
    | sed -E 's/^[^,]*, //; s/[,)]$//'
}

# Of `table[i].key`, the keys that begin the rows of the table.
rows () { # FILE TABLE
  tr '\n' ' ' <"$1" | tr -s ' ' | grep -oE "[^a-z_]$2\[\] = \{.*" | sed -E 's/ \};.*//' \
    | grep -oE '\{ "[a-z0-9-]+"' | sed -E 's/.*"(.*)"/\1/'
}

keys () {
  # shellcheck disable=SC2046
  keys_in $(grep -rlE 'bawn_config_(get_|group_has)' src --include='*.c' | grep -v '^src/util/')
}

keys_in () { # FILE…
  for file in "$@"; do
    arguments "$file" | while read -r argument; do
      case $argument in
        \"*\") echo "$argument" | tr -d '"' ;;
        *\[*) rows "$file" "${argument%%\[*}" | grep . || echo "$file: no keys in $argument" ;;
        *) echo "$file: cannot tell what $argument is" ;;
      esac
    done
  done | sort -u
}

# What is in the definition lists: "*key*, *key*" at the beginning of a line, with the text indented below.
documented () {
  # shellcheck disable=SC2086
  grep -hE '^\*[a-z0-9-]+\*(, \*[a-z0-9-]+\*)*$' "$page" $storages | tr -d '*' | tr ',' '\n' | tr -d ' ' | sort -u
}

read_keys=$(keys)
check "the sources' keys are found" "$(printf '%s\n' "$read_keys" | grep ':'; [ "$(printf '%s\n' "$read_keys" | wc -l)" -ge 30 ] || echo "only: $read_keys")"
check "every key that is read is documented" \
  "$(printf '%s\n' "$read_keys" | grep -v : | while read -r key; do documented | grep -qxF -e "$key" || echo "$key"; done)"
check "every key that is documented is read" \
  "$(documented | while read -r key; do printf '%s\n' "$read_keys" | grep -qxF -e "$key" || echo "$key"; done)"
groups=$(tr '\n' ' ' <src/daemon/main.c | grep -oE 'families\[\] = \{[^}]*' | grep -oE '"[a-z-]+"' | tr -d '"')
check "every group is in bawn.conf(5)" \
  "$([ -n "$groups" ] || echo "src/daemon/main.c names none"; for group in $groups; do grep -qE "^# \[$group\]" "$page" || echo "[$group]"; done)"
# Those that speak HTTP have files in common.
sources_of () { # STORAGE
  case $1 in
    consul | etcd) ls src/backend/bawn-*"$1"*.c src/backend/bawn-rest*.c ;;
    zookeeper) ls src/backend/bawn-backend-zookeeper.c src/backend/bawn-zk-*.c ;;
    *) ls src/backend/bawn-*"$1"*.c ;;
  esac
}

# shellcheck disable=SC2046
check "every storage's page has the keys that its own sources read" \
  "$(for storage in sqlite consul etcd zookeeper; do
    keys_in $(sources_of $storage) | while read -r key; do
      grep -qE "^(\\*[a-z0-9-]+\\*, )*\\*$key\\*(,|\$)" "doc/man/bawn-$storage.5.scd" || echo "$storage: $key"
    done
  done)"
check "nothing is left to be filled in" "$(grep -nE '^[A-Z]+_KEYS$|TODO|FIXME|XXX' doc/man/*.scd)"
echo "1..$n"
exit $bad
