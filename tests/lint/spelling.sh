#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# No known misspelling in sources and documents. Tests are left out: they misspell on purpose, and have Base64 in them.
cd "${srcdir:-.}" || exit 1
if ! command -v codespell >/dev/null 2>&1; then
  echo "1..0 # SKIP codespell is not here"
  exit 0
fi
echo "1..1"
# inout: gtk-doc's annotation
if findings=$(codespell --ignore-words-list=inout,te src doc bench tools README SECURITY.md tests/README 2>&1); then
  echo "ok 1 - no known misspelling"
else
  printf '%s\n' "$findings" | sed 's/^/# /'
  echo "not ok 1 - no known misspelling"
  exit 1
fi
