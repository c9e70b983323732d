#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The bash completion, sourced and asked as bash would ask it.
if ! command -v bash >/dev/null; then
  echo "1..0 # SKIP bash is not here"
  exit 0
fi
exec bash -us "${srcdir:-.}/data/completions/bawn" "${BAWN:-${builddir:-.}/src/cli/bawn}" <<'END'
script=$1
bawn=$2
n=0
failed=0

check () { # NAME CONDITION…
  n=$((n + 1))
  local name=$1
  shift
  if "$@"; then
    echo "ok $n - $name"
  else
    echo "not ok $n - $name"
    failed=1
  fi
}

# What is offered for the line $1, on one line.
offers () {
  COMP_LINE=$1
  COMP_POINT=${#COMP_LINE}
  COMPREPLY=()
  _bawn "$bawn"
  [[ "${COMPREPLY[*]-}" == "$2" ]] && return 0
  echo "# for '$1': '${COMPREPLY[*]-}', not '$2'"
  return 1
}

check "the syntax is sound" bash -n "$script"
. "$script"
check "it is registered" eval '[[ $(complete -p bawn) == *"-F _bawn"* ]]'
check "commands are completed" offers "bawn stat" "status"
check "families are completed" offers "bawn kv metadata pa" "patch"
check "all of a family are offered behind a blank" offers "bawn print " "token"
check "flags are completed" offers "bawn kv get -fi" "-field="
check "flags with two dashes are completed" offers "bawn kv get --fi" "--field="
check "values are completed behind the equals sign" offers "bawn kv get -format=" "table json yaml"
check "a value begun is completed" offers "bawn kv get secret/x -format=j" "json"
check "help completes commands" offers "bawn help kv ge" "get"
check "what is no command offers nothing" offers "bawn nonsense " ""
check "the middle of a line is completed up to the cursor" eval '
  COMP_LINE="bawn kv ge secret/x"; COMP_POINT=10; _bawn "$bawn"; [[ "${COMPREPLY[*]}" == get ]]'
echo "1..$n"
exit $failed
END
