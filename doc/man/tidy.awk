# SPDX-License-Identifier: LGPL-2.1-or-later
# scdoc begins a paragraph where none follows: behind headings, and at the end of an indented one, where the space has to
# come after it. Readers of man pages put up with that; their linters do not.
function flush_paragraph () {
  if (waiting && last !~ /^\.(TH|SH|SS)/)
    print ".P"
  waiting = 0
}

$0 == ".P" { waiting = 1; next }
$0 == ".RE" { print; last = $0; next }
/^\.(SH|SS)/ { waiting = 0 }
/^\.nf/ { literal = 1 }
/^\.fi/ { literal = 0 }
/^$/ && !literal { next }
{ flush_paragraph(); print; last = $0 }
