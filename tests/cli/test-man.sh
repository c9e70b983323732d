#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# bawn(1) leaves out no command, flag of all commands, or variable; the pages of commands say what the commands say.
source=${srcdir:-.}/doc/man
bawn=${BAWN:-${builddir:-.}/src/cli/bawn}
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

commands () {
  for word in $("$bawn" __complete ""); do
    echo "$word"
    for next in $("$bawn" __complete "$word" ""); do
      echo "$word $next"
      for last in $("$bawn" __complete "$word" "$next" ""); do
        echo "$word $next $last"
      done
    done
  done
}

check "bawn(1) has every command" "$(commands | while read -r name; do grep -qF "*$name*" "$source/bawn.1.scd" || echo "$name"; done)"
check "bawn(1) has every flag that many commands have" \
  "$("$bawn" __complete read -- | sed 's/=$//' | sed 's/^--/-/' | while read -r flag; do grep -qF "*$flag*" "$source/bawn.1.scd" || echo "$flag"; done)"
check "bawn(1) has every variable" \
  "$(grep -ohE 'environment, "[A-Z_]+"|"[A-Z_]{4,}"(, NULL)?\)' "${srcdir:-.}/src/cli/bawn-cli-settings.c" | grep -oE '[A-Z_]{4,}' | sort -u |
    while read -r name; do grep -qF "*BAWN\\_$(echo "$name" | sed 's/_/\\_/g')*" "$source/bawn.1.scd" || echo "$name"; done)"
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/made" "$scratch/there"
/usr/bin/python3 "$source/commands.py" "$bawn" "$scratch/made"
grep -l 'Made by commands.py' "$source"/*.scd | while read -r page; do cp "$page" "$scratch/there"; done
check "the pages of commands are as \`make update-man\` makes them" "$(diff -r "$scratch/there" "$scratch/made" 2>&1)"
check "every page is built and installed" \
  "$(find "$source" -name '*.scd' | sed 's,.*/,,' | while read -r page; do grep -q "doc/man/$page\b" "$source/../Makefile-doc.am" || echo "$page"; done)"
check "bawn(1) refers to every page of a command" \
  "$(find "$scratch/made" -name '*.scd' | sed 's,.*/,,; s/\.1\.scd//' | while read -r page; do grep -qF "*$page*(1)" "$source/bawn.1.scd" || echo "$page"; done)"
echo "1..$n"
exit $failed
