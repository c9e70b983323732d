#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The manual pages are made, and neither mandoc nor man finds anything in them.
cd "${srcdir:-.}" || exit 1
if ! command -v mandoc >/dev/null 2>&1; then
  echo "1..0 # SKIP mandoc is not here"
  exit 0
fi
n=0
bad=0
for source in doc/man/*.scd; do
  name=${source%.scd}
  page=${builddir:-.}/$name
  [ -f "$page" ] || page=$name
  n=$((n + 1))
  if [ ! -f "$page" ]; then
    echo "# ${name##*/} was not made; is scdoc there?"
    findings=missing
  else
    findings=$(mandoc -T lint -W warning "$page" 2>&1)
    # The one of mandoc has no --warnings.
    if man --help 2>/dev/null | grep -q -- --warnings; then
      findings=$findings$(MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 "$page" 2>&1 >/dev/null)
    fi
  fi
  if [ -n "$findings" ]; then
    printf '%s\n' "$findings" | sed 's/^/# /'
    echo "not ok $n - ${name##*/} is sound"
    bad=1
  else
    echo "ok $n - ${name##*/} is sound"
  fi
done
echo "1..$n"
exit $bad
