#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whether the packages of a folder come out the same when somebody else makes them elsewhere: reproduce.sh FOLDER SCRATCH. Path, user,
# home, umask, locale, time zone, day and the number of processes differ. Speaks TAP.
set -u
first=$(cd "$1" && pwd)
scratch=$2
rm -rf "$scratch"
mkdir -p "$scratch"
scratch=$(cd "$scratch" && pwd)
place=$scratch/another/place
log=$scratch/log
n=0
bad=0
same () { # NAME FILE FILE
  n=$((n + 1))
  if cmp "$2" "$3" >"$log.cmp" 2>&1; then
    echo "ok $n - $1"
  else
    sed 's/^/# /' "$log.cmp"
    echo "not ok $n - $1"
    bad=1
  fi
}
give_up () {
  tail -n 40 "$log" | sed 's/^/# /'
  echo "not ok $((n + 1)) - $1"
  exit 1
}

# The tarball first, made out of itself.
tarball=$(echo "$first"/bawn-*.tar.xz)
mkdir -p "$place/tarball/build"
cp "$tarball" "$place/"
chmod 755 "$scratch" "$scratch/another"
# Who makes them is nobody in particular, where root can be somebody else.
as_another=
if [ "$(id -u)" = 0 ]; then
  chown -R nobody: "$place"
  as_another='setpriv --reuid=nobody --regid=nogroup --clear-groups'
fi
# In a year: nothing may know the day.
later=
if command -v faketime >/dev/null 2>&1; then
  later='faketime -f +370d'
fi
elsewhere () { # FOLDER COMMAND…
  folder=$1
  shift
  # shellcheck disable=SC2086 # words
  (umask 077 && cd "$folder" && $as_another env -i PATH="$PATH" HOME="$place" TZ=Asia/Kathmandu LC_ALL=C.UTF-8 LANGUAGE=de \
    NO_FAKE_STAT=1 DEB_BUILD_OPTIONS='nocheck parallel=3' $later "$@") >>"$log" 2>&1
}
elsewhere "$place/tarball" tar --strip-components=1 -xf "../${tarball##*/}" || give_up 'the tarball is unpacked'
elsewhere "$place/tarball/build" sh -c '../configure -q && make -s dist' || give_up 'the tarball is made again'
same "the tarball is made out of itself" "$tarball" "$place/tarball/build/${tarball##*/}"

dsc=$(echo "$first"/*.dsc)
for file in "$dsc" "${dsc%.dsc}.debian.tar.xz" "$first"/*.orig.tar.xz; do cp "$file" "$place/"; done
[ -z "$as_another" ] || chown -R nobody: "$place"
elsewhere "$place" dpkg-source -x "${dsc##*/}" sources || give_up 'the sources are unpacked'
elsewhere "$place/sources" dpkg-buildpackage -us -uc -b || give_up 'the packages are made again'
for deb in "$first"/*.deb; do
  same "${deb##*/} is made again" "$deb" "$place/${deb##*/}"
done
echo "1..$n"
exit $bad
