/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linked into what is built with sanitizers and has a screen: readline loses memory in some of its
 * searches, ncurses 6.6 at its start, and there is nothing to be done about it. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libreadline\nleak:libncursesw\n";
}
