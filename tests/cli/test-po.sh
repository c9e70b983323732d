#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The list of sources with messages is complete, and so is each translation, in the typography of its language.
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
skip () { # NAME WHY
  n=$((n + 1))
  echo "ok $n - $1 # SKIP $2"
}
scratch=$(mktemp -d) || exit 1
# What there is to be translated in which kind of XML.
GETTEXTDATADIRS=$PWD/data
export GETTEXTDATADIRS
trap 'rm -rf "$scratch"' EXIT

# Sources that mark messages, and files whose texts a desktop shows.
marked () {
  grep -rlE '\b(N?_|n?gettext|C_|NC_|Q_) ?\("' src --include='*.c' --include='*.h'
  find data \( -name '*.policy.in' -o -name '*.desktop.in' -o -name '*.metainfo.xml.in' \) -print
}

# The translations of a language, its header left out.
messages () { # FILE
  msgattrib --no-wrap --no-obsolete "$1" | sed '1,/^$/d' | sed -n '/^msgstr/,/^$/p'
}

sed '/^#/d' po/POTFILES.in | sort >"$scratch/listed"
marked | sort >"$scratch/there"
check "every source with messages is listed, and no other" "$(diff "$scratch/listed" "$scratch/there")"
check "the languages there are, are those that are listed" \
  "$(sed '/^#/d' po/LINGUAS | sort >"$scratch/languages"; find po -name '*.po' | sed 's,^po/,,; s/\.po$//' | sort | diff "$scratch/languages" -)"

have_xgettext=yes
command -v xgettext >/dev/null && command -v msgcmp >/dev/null && command -v msgattrib >/dev/null || have_xgettext=no
if [ $have_xgettext = yes ]; then
  check "the messages can be extracted" \
    "$(xgettext --files-from=po/POTFILES.in --from-code=UTF-8 --keyword=_ --keyword=N_ -o "$scratch/bawn.pot" 2>&1)"
fi
while read -r lang; do
  po=po/$lang.po
  check "$lang is sound" "$(msgfmt -c -o /dev/null "$po" 2>&1)"
  check "$lang has no message untranslated or doubtful" \
    "$(LC_ALL=C msgfmt --statistics -o /dev/null "$po" 2>&1 | grep -E 'fuzzy|untranslated')"
  check "$lang has a rule to be built" "$(grep -q "^mo_${lang}_DATA" po/Makefile-po.am || echo "no mo_${lang}_DATA")"
  if [ $have_xgettext = no ]; then
    skip "$lang has every message" "xgettext is not here"
    continue
  fi
  check "$lang has every message" "$(msgcmp "$po" "$scratch/bawn.pot" 2>&1)"
  check "$lang has no message that is gone" "$(msgcmp "$scratch/bawn.pot" "$po" 2>&1 | grep -v 'untranslated' | grep 'is used but'; grep -n '^#~' "$po")"
  if command -v i18nspector >/dev/null; then
    # There is no address for reports, and no person to name, in a project that is made by many.
    check "i18nspector has nothing to say about $lang" \
      "$(i18nspector "$po" 2>&1 | grep -vE 'no-report-msgid-bugs-to-header-field|invalid-last-translator|no-version-in-project-id-version|date-from-future')"
  else
    skip "i18nspector has nothing to say about $lang" "it is not here"
  fi
done <"$scratch/languages"

if [ $have_xgettext = yes ]; then
  full=$(printf '\302\240')
  narrow=$(printf '\342\200\257')
  # What is right is taken out; what is left is not.
  messages po/fr.po | LC_ALL=C sed -e "s/${narrow}[;!?]//g" -e "s/${full}:\([ \"\\\\]\)/\1/g" -e "s/\xc2\xab$full//g" -e "s/$full\xc2\xbb//g" >"$scratch/fr"
  check "French has its spaces before ; : ! ? and inside of quotes" \
    "$(LC_ALL=C grep -nE "[;!?:]([ \"]|\\\\n)|$(printf '\302\253|\302\273')|$full|$narrow" "$scratch/fr")"
  check "French has apostrophes, not ticks" "$(grep -n "'" "$scratch/fr")"
  messages po/de.po >"$scratch/de"
  check "German has quotes of its own" "$(grep -n '”\|\\"' "$scratch/de")"
fi
echo "1..$n"
exit $failed
