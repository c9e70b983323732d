# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes the installed header: what stands between <installed> and </installed> in the headers given, in that order, with the
# comments that describe the functions, which stand in the sources given.
#   awk -f header.awk SOURCE.c … HEADER.h …

# A comment of a source is kept by the name on its second line.
FILENAME ~ /\.c$/ {
  if ($0 == "/**")
    { inside = 1; text = $0; name = ""; next }
  if (!inside)
    next
  if (name == "")
    { name = $2; sub (/:$/, "", name) }
  text = text "\n" $0
  if ($0 == " */")
    { described[name] = text; inside = 0 }
  next
}

!begun {
  begun = 1
  print "/* SPDX-License-Identifier: LGPL-2.1-or-later */"
  print "/* The interface of bawn to storage backends. Made from the headers of bawn: see its doc/writing-a-backend.md. */"
  print "#pragma once"
  print ""
  print "#include <gio/gio.h>"
  print ""
  print "G_BEGIN_DECLS"
}
$0 == "/* <installed> */" { shown = 1; blank = 1; next }
$0 == "/* </installed> */" { shown = 0; next }
!shown { next }
$0 == "" { blank = 1; next }
{ spaced = blank; blank = 0 }
spaced { print "" }
match ($0, /bawn_[a-z0-9_]+ \(/) && /^[A-Za-z]/ && !/^(typedef|static|extern)/ {
  called = substr ($0, RSTART, RLENGTH - 2)
  if (called in described)
    print (spaced ? "" : "\n") described[called]
}
{ print }

END {
  if (shown)
    { print "an <installed> without an end" > "/dev/stderr"; exit 1 }
  print ""
  print "G_END_DECLS"
}
