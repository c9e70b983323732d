#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Lets spin look at all that can happen in lease.pml, and shows that it finds each mistake that is planted there.
# BAWN_MODEL makes the first one larger: BAWN_MODEL="-DMAX_VERSION=5 -DMAX_EPOCH=3" takes some 3 GB and minutes.
model=$(cd "${srcdir:-.}" && pwd)/tests/model/lease.pml
[ -f "$model" ] || model=$(cd "$(dirname "$0")" && pwd)/lease.pml
compiler=${CC:-cc}
if ! command -v spin >/dev/null || ! command -v "$compiler" >/dev/null; then
  echo "1..0 # SKIP spin or a C compiler is not installed"
  exit 0
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
n=0

ok () { # RESULT NAME
  n=$((n + 1))
  if [ "$1" = 0 ]; then
    echo "ok $n - $2"
  else
    sed 's/^/# /' log
    echo "not ok $n - $2"
  fi
}

# Into log; 0 if the search was run, whatever it has found.
search () { # BYTES-IN-MB OPTIONS-FOR-SPIN…
  memory=$1
  shift
  rm -f pan pan.* ./*.trail
  cp "$model" lease.pml
  # What spin generates is not ours to warn about. With statements merged (no -o3), it takes steps for reached that never were.
  spin -a -o3 "$@" lease.pml >log 2>&1 && "$compiler" -w -O2 -DSAFETY -DNOCLAIM -DCOLLAPSE -DMEMLIM="$memory" -o pan pan.c >>log 2>&1 \
    && timeout 600 ./pan -m100000 -w20 >>log 2>&1
}

found () { grep -q 'assertion violated' log && grep -q 'errors: 1$' log; }
complete () { grep -q 'errors: 0$' log && ! grep -qE 'not completed|too small|assertion violated' log; }
# What cannot happen in the model is not shown by it either: nothing was left out but the ends and what must not be.
unreached () { grep -E '^	.*lease\.pml:[0-9]+, state' log | grep -vE '"(-end-|assert\(0\))"'; }

memory=400
[ -z "${BAWN_MODEL:-}" ] || memory=8000
# shellcheck disable=SC2086
search "$memory" ${BAWN_MODEL:-}
complete
ok $? "nothing that lease and fence promise is ever broken"
grep -q '^unreached in proctype node' log && ! unreached >/dev/null
ok $? "every step of the model can happen"

search 400 -DIDLE_STEP
complete && [ "$(unreached | wc -l)" = 1 ]
ok $? "a step that never happens is noticed"

for mistake in NO_MARGIN FROM_ANSWER FROM_SENT NO_FENCE NO_CONDITION RELEASE_FIRST SAME_EPOCH; do
  # A third record is needed only for what goes wrong at a release.
  versions=2
  [ $mistake != RELEASE_FIRST ] || versions=3
  search 400 -D$mistake -DMAX_VERSION=$versions
  found
  ok $? "$mistake is found out"
done
echo "1..$n"
