#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The fish completion, asked as fish asks it.
if ! command -v fish >/dev/null; then
  echo "1..0 # SKIP fish is not here"
  exit 0
fi
script=$(realpath "${srcdir:-.}/data/completions/bawn.fish")
bawn=$(realpath "${BAWN:-${builddir:-.}/src/cli/bawn}")
n=0
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" && ln -s "$bawn" "$work/bin/bawn" && touch "$work/some-file" && cd "$work" || exit 1

# Completion of files is fish's own; what it says of each is not looked at.
offers () { # NAME LINE WORDS
  n=$((n + 1))
  got=$(HOME=$work PATH=$work/bin:$PATH fish --no-config -c "source '$script'; complete --do-complete -- '$2'" 2>&1 \
    | cut -f 1 | sort | tr '\n' ' ')
  if [ "$got" = "$3" ]; then
    echo "ok $n - $1"
  else
    echo "# for '$2': '$got', not '$3'"
    echo "not ok $n - $1"
    failed=1
  fi
}

n=1
if fish --no-execute "$script"; then echo "ok 1 - the syntax is sound"; else echo "not ok 1 - the syntax is sound"; failed=1; fi
offers "commands are completed" "bawn stat" "status "
offers "families are completed" "bawn kv metadata pa" "patch "
offers "all of a family are offered behind a blank" "bawn print " "token "
offers "flags are completed" "bawn kv get -fi" "-field= "
offers "flags with two dashes are completed" "bawn kv get --fi" "--field= "
offers "values are completed behind the equals sign" "bawn kv get -format=" "-format=json -format=table -format=yaml "
offers "a value begun is completed" "bawn kv get secret/x -format=j" "-format=json "
offers "help completes commands" "bawn help kv ge" "get "
offers "where nothing is offered, files are" "bawn policy write x som" "some-file "
offers "data from a file are completed" "bawn kv put secret/x a=@som" "a=@some-file "
n=$((n + 1))
if HOME=$work PATH=$work/bin:$PATH fish --no-config -c "source '$script'; complete --do-complete -- 'bawn stat'" | grep -q "	Print whether"; then
  echo "ok $n - each is described"
else
  echo "not ok $n - each is described"
  failed=1
fi
echo "1..$n"
exit $failed
