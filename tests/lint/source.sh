#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Habits that a machine can check: licence lines, banned calls, sizes. What a tool has made, in a build within the sources, has its own.
cd "${srcdir:-.}" || exit 1
n=0
check () { # NAME LINES: passes when LINES is empty
  n=$((n + 1))
  if [ -n "$2" ]; then
    printf '%s\n' "$2" | sed 's/^/# /'
    echo "not ok $n - $1"
  else
    echo "ok $n - $1"
  fi
}
files=$(find src tests bench tools doc data po m4 \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.am' -o -name '*.m4' \) \
  ! -name '*-generated.[ch]' -print)
check "every source has its SPDX line" "$(for f in $files; do head -n 3 "$f" | grep -q SPDX-License-Identifier || echo "$f"; done)"
check "no goto" "$(grep -rnE '^[[:space:]]*goto [a-z_]+;' src --include='*.c' --exclude='*-generated.c' | head)"
check "no call that copies payload into plain heap" \
  "$(grep -rnE 'g_bytes_unref_to_(data|array)|g_bytes_new \(' src --include='*.c' --exclude=bawn-bytes.c | head)"
check "no memset where a wipe is meant, no strcmp on secrets" \
  "$(grep -rnE '\b(bzero|strcpy|strcat|sprintf|gets) \(' src --include='*.c' | head)"
check "no soup_server_listen: it leaks connections" "$(grep -rnE 'soup_server_listen[a-z_]* \(' src --include='*.c' | grep -v 'bawn-http-' | head)"
check "no file over 700 lines" "$(find src -name '*.[ch]' ! -name '*-generated.[ch]' -exec wc -l {} + | awk '$2 != "total" && $1 > 700 {print $1, $2}')"
echo "1..$n"
