#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The zsh completion, in a zsh that has a terminal and gets a Tab.
if ! command -v zsh >/dev/null; then
  echo "1..0 # SKIP zsh is not here"
  exit 0
fi
exec zsh -f -s "${srcdir:-.}/data/completions" "${BAWN:-${builddir:-.}/src/cli/bawn}" <<'END'
zmodload zsh/zpty || exit 1
folder=$1
integer n=0 failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf $work' EXIT
mkdir $work/bin && ln -s ${2:A} $work/bin/bawn && touch $work/some-file

check () { # NAME CONDITION…
  local name=$1
  shift
  (( n++ ))
  if "$@"; then
    echo "ok $n - $name"
  else
    echo "not ok $n - $name"
    failed=1
  fi
}

# What completion gives to the shell is written down, each word once, between two marks.
cat >$work/inner <<'INNER'
PROMPT= RPROMPT=
unset zle_bracketed_paste
autoload -Uz compinit && compinit -D -u
compadd () {
  local -a hits
  # Those that only compute something, for completion's own use.
  if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
    builtin compadd -A hits "$@"
    (( $#hits )) && print -rl -- $hits >>$WORK/hits
  fi
  builtin compadd "$@"
}
answer () {
  : >$WORK/hits
  zle complete-word
  print -r -- "$BUFFER" >$WORK/line.new
  zle kill-buffer
  mv $WORK/line.new $WORK/line
}
zle -N answer
bindkey '^T' answer
touch $WORK/ready
INNER

await () { # FILE
  local -i tries=0
  until [[ -e $1 ]]; do
    (( ++tries < 3000 )) || { echo "# $1 never came"; exit 1 }
    sleep 0.02
  done
}

zpty shell env -i LC_ALL=C.UTF-8 TERM=dumb HOME=$work ZDOTDIR=$work WORK=$work PATH=$work/bin:$PATH zsh -f -i
zpty -w shell "fpath=(${(q)folder:A} \$fpath); cd ${(q)work}; source ${(q)work}/inner"
await $work/ready

# What is offered for the line $1, sorted, on one line.
offers () {
  local got
  rm -f $work/line
  zpty -w -n shell $1$'\x14'
  await $work/line
  # Whatever was written to the terminal is not looked at, but has to be taken.
  while zpty -r -t shell got; do :; done
  got=$(sort -u $work/hits | tr '\n' ' ')
  [[ $got == $2 ]] && return 0
  echo "# for '$1': '$got', not '$2'"
  return 1
}
becomes () {
  offers $1 $2 && [[ $(<$work/line) == $3 ]] && return 0
  echo "# for '$1': the line '$(<$work/line)', not '$3'"
  return 1
}

check "the syntax is sound" zsh -n $folder/_bawn
check "commands are completed" becomes "bawn stat" "status " "bawn status "
check "families are completed" offers "bawn kv metadata pa" "patch "
check "all of a family are offered behind a blank" offers "bawn print " "token "
check "flags are completed, and wait for their value" becomes "bawn kv get -fi" "-field= " "bawn kv get -field="
check "flags with two dashes are completed" offers "bawn kv get --fi" "--field= "
check "values are completed behind the equals sign" offers "bawn kv get -format=" "-format=json -format=table -format=yaml "
check "a value begun is completed" becomes "bawn kv get secret/x -format=j" "-format=json " "bawn kv get secret/x -format=json "
check "help completes commands" offers "bawn help kv ge" "get "
check "where nothing is offered, files are" offers "bawn policy write x som" "some-file "
check "data from a file are completed" becomes "bawn kv put secret/x a=@som" "some-file " "bawn kv put secret/x a=@some-file "
check "what is quoted does no harm" offers 'bawn kv get "$(touch evil)" -fi' "-field= "
check "nor is it run" eval '[[ ! -e $work/evil ]]'
zpty -d shell
echo "1..$n"
exit $failed
END
