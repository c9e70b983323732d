dnl SPDX-License-Identifier: LGPL-2.1-or-later
dnl Folders of other programs, in which a distribution wants our files. Each can be given, or be "no" for nothing there.

dnl BAWN_ARG_DIR(NAME, DEFAULT, WHAT FOR)
AC_DEFUN([BAWN_ARG_DIR], [
  AC_ARG_WITH([$1],
    [AS_HELP_STRING([--with-$1=DIR], [$3 ($2)])],
    [], [with_$1='$2'])
  AS_CASE([$with_$1], [yes], [with_$1='$2'])
  AC_SUBST([$1], [$with_$1])
  AM_CONDITIONAL([INSTALL_]m4_toupper([$1]), [test "x$with_$1" != xno])
])

AC_DEFUN([BAWN_DIRS], [
  BAWN_ARG_DIR([systemdsystemunitdir], [${prefix}/lib/systemd/system], [units of systemd])
  BAWN_ARG_DIR([systemdpresetdir], [${prefix}/lib/systemd/system-preset], [presets of systemd])
  BAWN_ARG_DIR([systemdcatalogdir], [${prefix}/lib/systemd/catalog], [explanations for the journal])
  BAWN_ARG_DIR([sysusersdir], [${prefix}/lib/sysusers.d], [users that systemd makes])
  BAWN_ARG_DIR([tmpfilesdir], [${prefix}/lib/tmpfiles.d], [folders that systemd makes])
  BAWN_ARG_DIR([apparmordir], [${sysconfdir}/apparmor.d], [profiles of AppArmor])
  BAWN_ARG_DIR([selinuxdir], [${datadir}/bawn/selinux], [sources of the SELinux module])
  BAWN_ARG_DIR([firewallddir], [${prefix}/lib/firewalld/services], [services of firewalld])
  BAWN_ARG_DIR([ufwdir], [${sysconfdir}/ufw/applications.d], [profiles of ufw])
  BAWN_ARG_DIR([logrotatedir], [${sysconfdir}/logrotate.d], [rules of logrotate])
  BAWN_ARG_DIR([needrestartdir], [${sysconfdir}/needrestart/conf.d], [rules of needrestart])

  dnl A reload that systemd waits for, where it knows how.
  AC_ARG_WITH([systemd-service-type],
    [AS_HELP_STRING([--with-systemd-service-type=TYPE], [notify, or notify-reload since systemd 253 (as it is here)])],
    [], [with_systemd_service_type=auto])
  AS_CASE([$with_systemd_service_type],
    [auto], [PKG_CHECK_EXISTS([systemd >= 253], [servicetype=notify-reload], [servicetype=notify])],
    [notify|notify-reload], [servicetype=$with_systemd_service_type],
    [AC_MSG_ERROR([--with-systemd-service-type is notify or notify-reload, not $with_systemd_service_type])])
  AC_SUBST([servicetype])
])
