#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A folder below src/ may include only what its row in src/LAYERS names.
cd "${srcdir:-.}" || exit 1
n=0
bad=0
for dir in src/*/; do
  folder=$(basename "$dir")
  row=$(sed -n "s/^$folder://p" src/LAYERS)
  n=$((n + 1))
  if ! grep -q "^$folder:" src/LAYERS; then
    echo "not ok $n - $folder has a row in src/LAYERS"
    bad=1
    continue
  fi
  wrong=
  # shellcheck disable=SC2013 # words of letters only
  for inc in $(grep -rhoE '^#include "[a-z]+/' --include='*.[ch]' "$dir" | sed -E 's/.*"([a-z]+)\//\1/' | sort -u); do
    [ "$inc" = "$folder" ] && continue
    case " $row " in
      *" $inc "*) ;;
      *) wrong="$wrong $inc" ;;
    esac
  done
  if [ -n "$wrong" ]; then
    echo "# $folder may not include:$wrong"
    echo "not ok $n - $folder stays in its layer"
    bad=1
  else
    echo "ok $n - $folder stays in its layer"
  fi
done
echo "1..$n"
exit $bad
