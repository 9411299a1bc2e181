/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "terminal/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "common/standard.h"

/* Signals that end a process. Signals that the program handles itself are not caught. */
static const int fatal_signals[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP,
	SIGQUIT, SIGXCPU, SIGXFSZ, SIGHUP, SIGINT, SIGTERM };
#define FATAL_SIGNALS (sizeof fatal_signals / sizeof fatal_signals[0])
static struct sigaction fatal_before[FATAL_SIGNALS];

/* A handler has no argument. */
static struct {
	volatile sig_atomic_t armed;
	struct termios modes;
	char bytes[RESTORE_BYTES];
} self;

/* Calls only functions that POSIX allows in a handler. */
void restore_now(void)
{
	/* Standard input may no longer be a terminal after a signal that ends the program. */
	const int terminal = isatty(STDIN_FILENO) ? STDIN_FILENO : STDOUT_FILENO;
	int flags;

	if (!self.armed)
		return;
	self.armed = 0;
	/* In the background another program owns the terminal. */
	if (tcgetpgrp(terminal) != getpgrp())
		return;
	/* Drops the output that a stopped terminal has not shown, instead of waiting for it. */
	tcflow(STDOUT_FILENO, TCOON);
	tcflush(STDOUT_FILENO, TCOFLUSH);
	flags = fcntl(STDOUT_FILENO, F_GETFL);
	fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK);
	standard_write(self.bytes, strlen(self.bytes));
	fcntl(STDOUT_FILENO, F_SETFL, flags);
	tcsetattr(terminal, TCSANOW, &self.modes);
}

/* A fault's existing handler (a sanitizer's) is called afterwards; that of another signal stays. */
static bool is_fault(int signal_number)
{
	return signal_number == SIGSEGV || signal_number == SIGBUS || signal_number == SIGFPE ||
	       signal_number == SIGILL || signal_number == SIGABRT;
}

static void fatal(int signal_number, siginfo_t *info, void *context)
{
	(void)context;
	int error = errno;
	restore_now();
	for (size_t i = 0; i < FATAL_SIGNALS; i++)
		if (fatal_signals[i] == signal_number)
			sigaction(signal_number, &fatal_before[i], NULL);
	errno = error;
	/* A fault repeats with its instruction, so that a debugger shows the right place. */
	if (!is_fault(signal_number) || info->si_code <= 0 || info->si_code == SI_KERNEL)
		raise(signal_number);
}

/* A handler needs its own stack after a stack overflow. */
static void set_up_signal_stack(void)
{
	static char stack[32 * 1024];
	stack_t now;
	if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE))
		return;
	stack_t ours = { .ss_sp = stack, .ss_size = sizeof stack };
	sigaltstack(&ours, NULL);
}

static bool is_plain_handler(const struct sigaction *sa, void (*handler)(int))
{
	return !(sa->sa_flags & SA_SIGINFO) && sa->sa_handler == handler;
}

static bool is_own_handler(const struct sigaction *sa)
{
	return (sa->sa_flags & SA_SIGINFO) && sa->sa_sigaction == fatal;
}

void restore_start(const char *bytes, const struct termios *modes)
{
	self.armed = 0;
	self.modes = *modes;
	strncpy(self.bytes, bytes, sizeof self.bytes - 1);
	set_up_signal_stack();
	struct sigaction ours = { .sa_sigaction = fatal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigfillset(&ours.sa_mask);
	for (size_t i = 0; i < FATAL_SIGNALS; i++) {
		struct sigaction now;
		sigaction(fatal_signals[i], NULL, &now);
		if (is_own_handler(&now) || is_plain_handler(&now, SIG_IGN))
			continue;
		if (!is_plain_handler(&now, SIG_DFL) && !is_fault(fatal_signals[i]))
			continue;
		fatal_before[i] = now;
		sigaction(fatal_signals[i], &ours, NULL);
	}
}

void restore_arm(bool armed)
{
	self.armed = armed;
}
