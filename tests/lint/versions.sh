#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The version stands in configure.ac; whoever else has to write it down says the same, and the same day.
cd "${srcdir:-.}" || exit 1
n=0
bad=0
same () { # NAME EXPECTED FOUND
  n=$((n + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $n - $1"
  else
    echo "# \"$3\", expected \"$2\""
    echo "not ok $n - $1"
    bad=1
  fi
}
day () { date -u -d "$1" +%Y-%m-%d; }

version=$(sed -n 's/^AC_INIT(\[bawn\], \[\([0-9][0-9.]*\)\],.*/\1/p' configure.ac)
date=$(sed -n '1s/.*(\([0-9-]*\))$/\1/p' NEWS)
same "configure.ac has a version" 1 "$(printf '%s\n' "$version" | grep -cE '^[0-9]+\.[0-9]+\.[0-9]+$')"
same "NEWS begins with it, and a date" "bawn $version ($date)" "$(head -n 1 NEWS)"
same "the spec takes it from there" @PACKAGE_VERSION@ "$(sed -n 's/^Version: *//p' rpm/bawn.spec.in)"
entry=$(sed -n '/^%changelog/,$s/^\* //p' rpm/bawn.spec.in | head -n 1)
same "the spec's last change is of that version" @PACKAGE_VERSION@-1 "${entry##* }"
same "and of that day" "$date" "$(day "$(echo "$entry" | cut -d ' ' -f 1-4)")"
# Not in a tarball.
if [ -d debian ]; then
  same "debian/changelog is at that version" "bawn ($version-" "$(sed -n '1s/-[0-9a-z.+~]*) .*/-/p' debian/changelog)"
  first=$(grep -n "^bawn ($version-" debian/changelog | tail -n 1 | cut -d : -f 1)
  stamp=$(tail -n "+$first" debian/changelog | sed -n 's/^ -- .*>  //p' | head -n 1)
  same "and its first package of it is of that day" "$date" "$(day "$stamp")"
fi
echo "1..$n"
exit $bad
