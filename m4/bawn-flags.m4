dnl SPDX-License-Identifier: LGPL-2.1-or-later
dnl Compiler flags are tried one by one, and those that were taken are printed by configure, so that a typo shows.

dnl BAWN_TRY_CFLAG(VARIABLE, FLAG)
AC_DEFUN([BAWN_TRY_CFLAG], [
  AS_VAR_PUSHDEF([cachevar], [bawn_cv_cflag_$2])
  AC_CACHE_CHECK([whether $CC takes $2], [cachevar], [
    bawn_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $2"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cachevar], [yes])], [AS_VAR_SET([cachevar], [no])])
    CFLAGS=$bawn_saved_CFLAGS])
  AS_VAR_IF([cachevar], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([cachevar])
])

dnl BAWN_TRY_LDFLAG(VARIABLE, FLAG)
AC_DEFUN([BAWN_TRY_LDFLAG], [
  AS_VAR_PUSHDEF([cachevar], [bawn_cv_ldflag_$2])
  AC_CACHE_CHECK([whether the linker takes $2], [cachevar], [
    bawn_saved_LDFLAGS=$LDFLAGS
    LDFLAGS="$LDFLAGS $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cachevar], [yes])], [AS_VAR_SET([cachevar], [no])])
    LDFLAGS=$bawn_saved_LDFLAGS])
  AS_VAR_IF([cachevar], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([cachevar])
])

AC_DEFUN([BAWN_SWITCHES], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors (for developers)])],
    [], [enable_werror=no])
  AC_ARG_ENABLE([coverage],
    [AS_HELP_STRING([--enable-coverage], [build for gcov])],
    [], [enable_coverage=no])
  AC_ARG_ENABLE([fuzzing],
    [AS_HELP_STRING([--enable-fuzzing], [link the fuzz targets with libFuzzer (needs CC=clang)])],
    [], [enable_fuzzing=no])
  AC_ARG_WITH([sanitizer],
    [AS_HELP_STRING([--with-sanitizer=LIST], [address,undefined or thread])],
    [], [with_sanitizer=no])
  SAN_CFLAGS=
  AS_CASE([$with_sanitizer],
    [no], [],
    [yes], [AC_MSG_ERROR([--with-sanitizer wants a list: address,undefined or thread])],
    [SAN_CFLAGS="-fsanitize=$with_sanitizer -fno-omit-frame-pointer -fno-sanitize-recover=undefined"])
  AS_IF([test "$enable_fuzzing" = yes], [FUZZ_CFLAGS=-fsanitize=fuzzer-no-link FUZZ_LDFLAGS=-fsanitize=fuzzer])
  AS_IF([test "$enable_coverage" = yes], [COVERAGE_CFLAGS="--coverage -O0" COVERAGE_LDFLAGS=--coverage])
  AM_CONDITIONAL([FUZZING], [test "$enable_fuzzing" = yes])
  AM_CONDITIONAL([SANITIZED], [test "$with_sanitizer" != no])
  AC_SUBST([SAN_CFLAGS])
  AC_SUBST([FUZZ_CFLAGS])
  AC_SUBST([FUZZ_LDFLAGS])
  AC_SUBST([COVERAGE_CFLAGS])
  AC_SUBST([COVERAGE_LDFLAGS])
])

AC_DEFUN([BAWN_WARNINGS], [
  WARN_CFLAGS=
  m4_foreach_w([flag], [-Wall -Wextra -Wundef -Wshadow -Wpointer-arith -Wwrite-strings -Wcast-align -Wredundant-decls
      -Wmissing-include-dirs -Wformat=2 -Wformat-signedness -Wlogical-op -Wduplicated-cond -Wnested-externs
      -Wold-style-definition -Wunused -Wvla -Wdouble-promotion -Wfloat-equal
      -Wno-unused-parameter -Wno-missing-field-initializers -Wno-error=deprecated-declarations
      -Werror=implicit-function-declaration -Werror=incompatible-pointer-types -Werror=int-conversion
      -Werror=missing-prototypes -Werror=strict-prototypes -Werror=return-type -Werror=switch
      -Werror=format=2 -Werror=array-bounds -Werror=init-self -Werror=address],
    [BAWN_TRY_CFLAG([WARN_CFLAGS], flag)])
  AS_IF([test "$enable_werror" = yes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
  AC_SUBST([WARN_CFLAGS])
])

AC_DEFUN([BAWN_HARDENING], [
  HARDEN_CFLAGS=
  HARDEN_LDFLAGS=
  HARDEN_CPPFLAGS=
  BAWN_TRY_CFLAG([HARDEN_CFLAGS], [-fPIE])
  BAWN_TRY_CFLAG([HARDEN_CFLAGS], [-fstack-protector-strong])
  BAWN_TRY_CFLAG([HARDEN_CFLAGS], [-fstack-clash-protection])
  BAWN_TRY_CFLAG([HARDEN_CFLAGS], [-fcf-protection])
  BAWN_TRY_CFLAG([HARDEN_CFLAGS], [-ftrivial-auto-var-init=zero])
  BAWN_TRY_LDFLAG([HARDEN_LDFLAGS], [-pie])
  BAWN_TRY_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,relro])
  BAWN_TRY_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,now])
  BAWN_TRY_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,noexecstack])
  BAWN_TRY_LDFLAG([HARDEN_LDFLAGS], [-Wl,--as-needed])
  # The check macros need the optimiser, and get in the way of the sanitizers.
  AS_CASE(["$CFLAGS $CPPFLAGS $SAN_CFLAGS $COVERAGE_CFLAGS"],
    [*-D_FORTIFY_SOURCE*|*-fsanitize*|*-O0*], [],
    [*-O*], [HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
  AC_SUBST([HARDEN_CPPFLAGS])
  AC_SUBST([HARDEN_CFLAGS])
  AC_SUBST([HARDEN_LDFLAGS])
])
