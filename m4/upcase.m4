dnl SPDX-License-Identifier: GPL-3.0-or-later

dnl UPCASE_INSTALL(PACKAGES) The command that installs packages, which Debian calls so, on this machine.
AC_DEFUN([UPCASE_INSTALL], [`"$srcdir/tools/needs" how $1`])

dnl UPCASE_MISSING(WHAT, PACKAGE) Notes that something the programs need is missing. All are named
dnl together by UPCASE_MISSING_END, so that nobody has to run configure once for each.
AC_DEFUN([UPCASE_MISSING],
[AS_VAR_APPEND([upcase_missing], ["configure: error: $1 is missing: UPCASE_INSTALL([$2])
"])
AS_VAR_APPEND([upcase_packages], [" $2"])])

dnl UPCASE_MISSING_END
dnl Ends configure when something is missing: one line each.
AC_DEFUN([UPCASE_MISSING_END],
[AS_IF([test -n "$upcase_missing"],
	[AS_ECHO_N(["$upcase_missing"]) >&AS_MESSAGE_LOG_FD
	AS_ECHO_N(["$upcase_missing"]) >&2
	AS_EXIT([1])])])

dnl UPCASE_LIBRARY(VARIABLE, MODULE, HEADERS, CALL, LIBS, IF-FOUND, IF-NOT-FOUND) Finds a library by
dnl pkg-config (MODULE, with a version if need be; empty: it has no .pc file), else by LIBS as they
dnl stand, and in both cases proves it by compiling and linking CALL. Sets VARIABLE_CFLAGS and
dnl VARIABLE_LIBS.
AC_DEFUN([UPCASE_LIBRARY],
[AC_ARG_VAR([$1_CFLAGS], [C compiler flags for $1, instead of looking for them])
AC_ARG_VAR([$1_LIBS], [linker flags for $1, instead of looking for them])
AC_MSG_CHECKING([for m4_tolower([$1])])
AS_IF([test -z "$$1_LIBS"],
	[m4_ifval([$2], [AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists --print-errors "$2" >&AS_MESSAGE_LOG_FD 2>&1],
		[$1_CFLAGS=`$PKG_CONFIG --cflags "$2"`
		$1_LIBS=`$PKG_CONFIG --libs "$2"`],
		[$1_LIBS="$5"])],
		[$1_LIBS="$5"])])
upcase_save_CPPFLAGS=$CPPFLAGS
upcase_save_LIBS=$LIBS
CPPFLAGS="$CPPFLAGS $$1_CFLAGS"
LIBS="$$1_LIBS $LIBS"
AC_LINK_IFELSE([AC_LANG_PROGRAM([$3], [$4])], [upcase_found=yes], [upcase_found=no])
CPPFLAGS=$upcase_save_CPPFLAGS
LIBS=$upcase_save_LIBS
AS_IF([test "$upcase_found" = yes],
	[AC_MSG_RESULT([$$1_LIBS])
	$6],
	[AC_MSG_RESULT([no])
	$7])])

dnl UPCASE_TRY_CFLAGS(VARIABLE, FLAGS), UPCASE_TRY_LDFLAGS(VARIABLE, FLAGS) Each flag is appended to
dnl VARIABLE if a program still compiles and links with it and no compiler says a word.
AC_DEFUN([UPCASE_TRY_CFLAGS],
[m4_foreach_w([upcase_flag], [$2], [UPCASE_TRY_FLAG([$1], [CFLAGS], m4_defn([upcase_flag]))
])])

AC_DEFUN([UPCASE_TRY_LDFLAGS],
[m4_foreach_w([upcase_flag], [$2], [UPCASE_TRY_FLAG([$1], [LDFLAGS], m4_defn([upcase_flag]))
])])

dnl UPCASE_TRY_FLAG(VARIABLE, CFLAGS or LDFLAGS, FLAG)
AC_DEFUN([UPCASE_TRY_FLAG],
[AS_VAR_PUSHDEF([upcase_cache], [upcase_cv_$2_$3])dnl
AC_CACHE_CHECK([whether $CC takes $3], [upcase_cache],
	[upcase_save_CFLAGS=$CFLAGS
	upcase_save_LDFLAGS=$LDFLAGS
	$2="$$2 $3"
	CFLAGS="$CFLAGS -Werror"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[char line[80]; return !fgets(line, 80, stdin);]])],
		[AS_VAR_SET([upcase_cache], [yes])],
		[AS_VAR_SET([upcase_cache], [no])])
	CFLAGS=$upcase_save_CFLAGS
	LDFLAGS=$upcase_save_LDFLAGS])
AS_VAR_IF([upcase_cache], [yes], [AS_VAR_APPEND([$1], [" $3"])])
AS_VAR_POPDEF([upcase_cache])])

dnl UPCASE_TRY_FORTIFY(VARIABLE) Appends the highest _FORTIFY_SOURCE that the C library knows, only
dnl where the user's own flags optimise (it warns otherwise) and do not set it already.
AC_DEFUN([UPCASE_TRY_FORTIFY],
[AC_CACHE_CHECK([for _FORTIFY_SOURCE], [upcase_cv_fortify],
	[upcase_cv_fortify=no
	upcase_save_CPPFLAGS=$CPPFLAGS
	upcase_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -Werror"
	AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#if !defined __OPTIMIZE__ || defined _FORTIFY_SOURCE
# error "not wanted"
#endif
int nothing;
]])],
		[for upcase_level in 3 2; do
			CPPFLAGS="$upcase_save_CPPFLAGS -D_FORTIFY_SOURCE=$upcase_level"
			AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts("");]])],
				[upcase_cv_fortify=$upcase_level; break])
		done])
	CPPFLAGS=$upcase_save_CPPFLAGS
	CFLAGS=$upcase_save_CFLAGS])
AS_IF([test "$upcase_cv_fortify" != no],
	[AS_VAR_APPEND([$1], [" -D_FORTIFY_SOURCE=$upcase_cv_fortify"])])])

dnl UPCASE_SYSTEM(NAME, WHAT, HEADERS, CALL, WANTED) Tries what POSIX does not have: HAVE_NAME is 1
dnl where CALL links, else 0, as it is with --enable-portable and where the shell variable WANTED is
dnl no. Adds WHAT to system_used or to system_lacking, which configure shows at its end.
AC_DEFUN([UPCASE_SYSTEM],
[AS_IF([test "$enable_portable" = yes m4_ifval([$5], [|| test "$$5" = no])],
	[upcase_cv_system_[]m4_tolower([$1])=no])
AC_CACHE_CHECK([for $2], [upcase_cv_system_[]m4_tolower([$1])],
	[AC_LINK_IFELSE([AC_LANG_PROGRAM([$3], [$4])],
		[upcase_cv_system_[]m4_tolower([$1])=yes],
		[upcase_cv_system_[]m4_tolower([$1])=no])])
AS_IF([test "$upcase_cv_system_[]m4_tolower([$1])" = yes],
	[upcase_value=1
	AS_VAR_APPEND([system_used], ["${system_used:+, }$2"])],
	[upcase_value=0
	AS_VAR_APPEND([system_lacking], ["${system_lacking:+, }$2"])])
AC_DEFINE_UNQUOTED([HAVE_$1], [$upcase_value], [1 to use $2 of the system, or 0.])])
