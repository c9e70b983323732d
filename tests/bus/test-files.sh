#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is installed for the bus and for polkit is sound, and agrees with the sources.
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
if ! command -v xmllint >/dev/null; then
  echo "1..0 # SKIP xmllint is not here"
  exit 0
fi
policy=${builddir:-.}/data/polkit/org.bawn.Bawn1.policy
actions=$(grep -ohE '"org\.bawn\.Bawn1\.[a-z-]+"' src/bus/*.c | tr -d '"' | sort -u)

value () { # XPATH FILE
  xmllint --nonet --xpath "$1" "$2" 2>&1
}

check "the XML is well-formed" "$(xmllint --nonet --noout data/dbus/org.bawn.Bawn1.xml data/dbus/org.bawn.Bawn1.conf "$policy" 2>&1)"
check "the sources name four actions" "$([ "$(printf '%s\n' "$actions" | wc -l)" = 4 ] || echo "$actions")"
check "there is an action for each, and no other" \
  "$(value '//action/@id' "$policy" | tr ' ' '\n' | sed -n 's/.*id="\(.*\)"/\1/p' | sort >"${TMPDIR:-/tmp}/bawn-actions.$$"
     printf '%s\n' "$actions" | diff - "${TMPDIR:-/tmp}/bawn-actions.$$"; rm -f "${TMPDIR:-/tmp}/bawn-actions.$$")"
for action in $actions; do
  check "$action is for administrators" \
    "$(value "//action[@id='$action']/defaults/*[not(starts-with(., 'auth_admin'))]" "$policy" | grep -v 'XPath set is empty')"
  check "$action has the server's user as its owner" \
    "$([ "$(value "string(//action[@id='$action']/annotate[@key='org.freedesktop.policykit.owner'])" "$policy")" = unix-user:bawn ] || echo none)"
  # shellcheck disable=SC2013 # one word a line
  for lang in $(sed '/^#/d' po/LINGUAS); do
    check "$action speaks $lang" \
      "$([ "$(value "count(//action[@id='$action']/*[@*[name()='xml:lang']='$lang'])" "$policy")" = 2 ] || echo "not both texts")"
  done
  check "$action is in the manual" "$(grep -qF "$action" doc/man/org.bawn.Bawn1.5.scd || echo missing)"
done
# The manual names all there is, and nothing else.
for kind in property method signal; do
  names=$(value "//$kind/@name" data/dbus/org.bawn.Bawn1.xml | tr ' ' '\n' | sed -n 's/.*name="\(.*\)"/\1/p' | sort)
  documented=$(sed -n "/^# .*$(echo "$kind" | tr '[:lower:]' '[:upper:]' | sed 's/Y$/IES/; s/\([^S]\)$/\1S/')/,/^# /p" doc/man/org.bawn.Bawn1.5.scd | sed -n 's/^\*\([A-Z][A-Za-z]*\)[*(_ ].*/\1/p' | sort)
  check "the manual has every $kind, and no other" "$([ "$names" = "$documented" ] || echo "description: $names; manual: $documented" | tr '\n' ' ')"
done
errors=$(grep -oE 'BAWN_BUS_ERROR_PREFIX "[A-Za-z]+"' src/bus/bawn-bus-error.c | sed 's/.*"\(.*\)"/\1/' | sort -u)
check "the manual has every error" "$(for error in $errors; do grep -qF "Error.$error" doc/man/org.bawn.Bawn1.5.scd || echo "$error"; done)"
echo "1..$n"
exit $failed
