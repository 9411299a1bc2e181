/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/hosts/signals.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static const int flagged[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };
static const int idle[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGXFSZ };

/* By index in `flagged`: it came from a process; from the terminal. */
static volatile sig_atomic_t sent[LENGTH(flagged)], typed_there[LENGTH(flagged)];

static void on_flagged(int number, siginfo_t *info, void *context)
{
	(void)context;
	for (size_t i = 0; i < LENGTH(flagged); i++) {
		if (flagged[i] == number && info->si_code == SI_KERNEL)
			typed_there[i] = 1;
		else if (flagged[i] == number)
			sent[i] = 1;
	}
}

static void on_idle(int number)
{
	(void)number;
}

void signals_catch(void)
{
	struct sigaction action = { .sa_sigaction = on_flagged,
		.sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction nothing = { .sa_handler = on_idle, .sa_flags = SA_RESTART };
	struct sigaction old;

	for (size_t i = 0; i < LENGTH(flagged); i++) {
		/* What nohup or a shell's "&" has switched off stays off. */
		if (sigaction(flagged[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(flagged[i], &action, NULL);
	}
	for (size_t i = 0; i < LENGTH(idle); i++) {
		if (sigaction(idle[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(idle[i], &nothing, NULL);
	}
}

static void release(const int *numbers, size_t count)
{
	struct sigaction old;

	for (size_t i = 0; i < count; i++) {
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			signal(numbers[i], SIG_DFL);
	}
}

void signals_release(void)
{
	release(flagged, LENGTH(flagged));
	release(idle, LENGTH(idle));
}

void signals_block(sigset_t *mask)
{
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < LENGTH(flagged); i++)
		sigaddset(&block, flagged[i]);
	sigprocmask(SIG_BLOCK, &block, mask);
}

int signals_take(bool *typed)
{
	for (size_t i = 0; i < LENGTH(flagged); i++) {
		if (!sent[i] && !typed_there[i])
			continue;
		*typed = !sent[i];
		sent[i] = typed_there[i] = 0;
		return flagged[i];
	}
	return 0;
}

static volatile sig_atomic_t dying_of;

static void on_alarm(int number)
{
	(void)number;
	signals_die(dying_of);
}

void signals_die_soon(int number)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 100 * 1000 } };

	dying_of = number;
	signal(SIGALRM, on_alarm);
	(void)setitimer(ITIMER_REAL, &soon, NULL);
}

void signals_die(int number)
{
	sigset_t only;

	signal(number, SIG_DFL);
	sigemptyset(&only);
	sigaddset(&only, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
	_exit(128 + number);
}
