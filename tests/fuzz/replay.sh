#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Gives each fuzz target its committed corpus once.
srcdir=${srcdir:-.}
builddir=${builddir:-.}
n=0
bad=0
for source in "$srcdir"/tests/fuzz/fuzz-*.c; do
  name=$(basename "$source" .c)
  name=${name#fuzz-}
  [ "$name" = main ] && continue
  n=$((n + 1))
  if output=$("$builddir/tests/fuzz/fuzz-$name" -runs=0 "$srcdir/tests/fuzz/corpus/$name" 2>&1); then
    echo "ok $n - $name survives its corpus"
  else
    printf '%s\n' "$output" | sed 's/^/# /'
    echo "not ok $n - $name survives its corpus"
    bad=1
  fi
done
echo "1..$n"
exit $bad
