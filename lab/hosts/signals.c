/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/hosts/signals.h"

#include <sys/time.h>
#include <unistd.h>

/* The signals that set flags come first; the others have no effect. */
static const int caught[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE,
	SIGXFSZ };
#define CAUGHT (sizeof(caught) / sizeof(*caught))
#define FLAGGED 4

/* By index in `caught`: a process sent it; the terminal did. */
static volatile sig_atomic_t sent[FLAGGED], from_terminal[FLAGGED];

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)context;
	for (size_t i = 0; i < FLAGGED; i++)
		if (caught[i] == number)
			(info->si_code == SI_KERNEL ? from_terminal : sent)[i] = 1;
}

/* A signal that nohup or a shell's "&" has switched off stays off. */
static void set_all(const struct sigaction *action)
{
	struct sigaction old;

	for (size_t i = 0; i < CAUGHT; i++)
		if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(caught[i], action, NULL);
}

void signals_catch(void)
{
	set_all(&(struct sigaction){
	    .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART });
}

void signals_release(void)
{
	set_all(&(struct sigaction){ .sa_handler = SIG_DFL, .sa_flags = SA_RESTART });
}

void signals_block(sigset_t *mask)
{
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < FLAGGED; i++)
		sigaddset(&block, caught[i]);
	sigprocmask(SIG_BLOCK, &block, mask);
}

int signals_take(bool *typed)
{
	for (size_t i = 0; i < FLAGGED; i++) {
		if (!sent[i] && !from_terminal[i])
			continue;
		*typed = !sent[i];
		sent[i] = from_terminal[i] = 0;
		return caught[i];
	}
	return 0;
}

static volatile sig_atomic_t fatal_signal;

static void on_alarm(int number)
{
	(void)number;
	signals_end_process(fatal_signal);
}

void signals_end_process_soon(int number)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 100 * 1000 } };

	fatal_signal = number;
	signal(SIGALRM, on_alarm);
	(void)setitimer(ITIMER_REAL, &soon, NULL);
}

void signals_end_process(int number)
{
	sigset_t only;

	signal(number, SIG_DFL);
	sigemptyset(&only);
	sigaddset(&only, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
	_exit(128 + number);
}
