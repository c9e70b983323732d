#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The list of sources with messages is complete, and so is each translation.
cd "${srcdir:-.}" || exit 1
n=0
failed=0
check () { # NAME LINES: passes when LINES is empty
  n=$((n + 1))
  if [ -n "$2" ]; then
    printf '%s\n' "$2" | sed 's/^/# /'
    echo "not ok $n - $1"
    failed=1
  else
    echo "ok $n - $1"
  fi
}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

sed '/^#/d' po/POTFILES.in | sort >"$scratch/listed"
grep -lE '\bN?_ ?\("' src/cli/*.c | sort >"$scratch/there"
check "every source with messages is listed, and no other" "$(diff "$scratch/listed" "$scratch/there")"

# shellcheck disable=SC2013 # one word a line
for lang in $(sed '/^#/d' po/LINGUAS); do
  check "$lang is sound" "$(msgfmt -c -o /dev/null "po/$lang.po" 2>&1)"
  check "$lang has a rule to be built" "$(grep -q "^mo_${lang}_DATA" po/Makefile-po.am || echo "no mo_${lang}_DATA")"
  if command -v xgettext >/dev/null && command -v msgcmp >/dev/null; then
    xgettext --files-from=po/POTFILES.in --from-code=UTF-8 --language=C --keyword=_ --keyword=N_ -o "$scratch/bawn.pot"
    check "$lang has every message" "$(msgcmp "po/$lang.po" "$scratch/bawn.pot" 2>&1)"
  else
    n=$((n + 1))
    echo "ok $n - $lang has every message # SKIP xgettext is not here"
  fi
done
echo "1..$n"
exit $failed
