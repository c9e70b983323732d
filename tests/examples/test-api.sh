#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The installed header stands alone, and what it declares is what the programs lend to modules: no more, no less.
builddir=${builddir:-.}
header=$builddir/data/api/bawn-backend.h
list=${srcdir:-.}/data/api/bawn-backend-1.symbols
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
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
value () { # NAME: of a variable of the makefile
  sed -n "s/^$1 = //p" "$builddir/Makefile"
}

# The functions, without comments, and the get_type function that each interface brings along.
awk '{ text = text $0 "\n" } END {
  while ((i = index(text, "/*")) > 0) { rest = substr(text, i + 2); text = substr(text, 1, i - 1) " " substr(rest, index(rest, "*/") + 2) }
  print text }' "$header" >"$work/plain.h"
{
  grep -oE '^[A-Za-z][A-Za-z0-9 ]*[ *]bawn_[a-z0-9_]+ \(' "$work/plain.h" | grep -oE 'bawn_[a-z0-9_]+ ' | tr -d ' '
  sed -nE 's/^G_DECLARE_[A-Z_]+ \([A-Za-z]+, ([a-z_]+),.*/\1_get_type/p' "$work/plain.h"
} | sort -u >"$work/declared"
sed -nE 's/^ +([A-Za-z0-9_*]+);$/\1/p' "$list" >"$work/listed"

# All functions, and whatever has a name like ours; data of the libraries may be copied into a program.
exported () { # PROGRAM
  nm -D --defined-only "$1" | awk '($2 ~ /^[TWi]$/ && $3 !~ /^_/) || tolower($3) ~ /^bawn/ { print $3 }' | sort
}

check "functions are found in the header" "$([ "$(wc -l <"$work/declared")" -ge 30 ] || cat "$work/declared")"
check "the list is sorted" "$(sort -c "$work/listed" 2>&1)"
check "the list is what the header declares" "$(diff "$work/declared" "$work/listed")"
for program in bawnd tests/contract/bawn-contract; do
  exported "$builddir/$program" >"$work/exported"
  if [ -n "$(value SAN_CFLAGS)" ]; then
    # The sanitizers' own.
    grep '^bawn' "$work/exported" >"$work/ours"
    mv "$work/ours" "$work/exported"
  fi
  check "${program##*/} exports the list and nothing else" "$(diff "$work/listed" "$work/exported")"
done

# shellcheck disable=SC2046 # flags are words
compile () { # FLAGS…
  printf '#include <bawn-backend.h>\nBAWN_BACKEND_DEFINE_MODULE ("x", "1", bawn_backend)\n' \
    | $(value CC) "$@" -Wall -Wextra -Werror -fsyntax-only $(pkg-config --cflags gio-2.0) -I "$builddir/data/api" - 2>&1
}
check "the header needs nothing else" "$(compile -x c -std=gnu11)"
check "the header is good C99 too" "$(compile -x c -std=c99)"
echo "1..$n"
exit $bad
