/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls that a signal interrupts are restarted on the present file of their descriptor, which may
 * be /dev/null by then. A handler has no argument: the state is static. */
#include "app/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/standard.h"
#include "terminal/restore.h"

/* After the signal that ends the program, SIGALRM comes every STEP_US. A slow reader has
 * GRACE_STEPS steps to read the output. After STALLED_STEPS counted steps in a row the program
 * dies. A step does not count if the program may work long and used WORK_US of processor time. */
#define STEP_US 100000
#define GRACE_STEPS 2
#define STALLED_STEPS 9
#define WORK_US 2000
/* Instead of STALLED_STEPS while it saves: for a slow disk, and for others that lock the file. */
#define SAVE_STEPS 90

static struct {
	volatile sig_atomic_t interruptible, interrupted, resized, ended, may_work, steps, waits,
	    most;
	clock_t worked;
	sigset_t caught;
} self = { .most = STALLED_STEPS };

static void replace_stuck(int fd, short events)
{
	const int null = standard_would_block(fd, events) ? open("/dev/null", O_RDWR | O_CLOEXEC)
	                                                  : -1;

	if (null < 0)
		return;
	dup2(null, fd);
	close(null);
}

static void on_step(int number)
{
	const int error = errno;
	const clock_t worked = clock();

	(void)number;
	self.waits = self.may_work && worked - self.worked >= WORK_US ? 0 : self.waits + 1;
	self.worked = worked;
	if (++self.steps >= GRACE_STEPS) {
		if (self.waits >= self.most || standard_would_block(STDOUT_FILENO, POLLOUT))
			restore_now();
		if (self.waits >= self.most)
			_exit(128 + self.ended);
		replace_stuck(STDIN_FILENO, POLLIN);
		replace_stuck(STDOUT_FILENO, POLLOUT);
		replace_stuck(STDERR_FILENO, POLLOUT);
	}
	errno = error;
}

static void on_signal(int number)
{
	static const struct timeval step = { .tv_usec = STEP_US };
	const int error = errno;

	if (number == SIGWINCH) {
		self.resized = 1;
	} else if (number == SIGINT && self.interruptible &&
	           !standard_would_block(STDOUT_FILENO, POLLOUT) &&
	           !standard_would_block(STDERR_FILENO, POLLOUT)) {
		self.interruptible = 0;
		self.interrupted = 1;
	} else if (!self.ended) {
		self.ended = number;
		self.worked = clock();
		setitimer(ITIMER_REAL, &(const struct itimerval){ step, step }, NULL);
	}
	errno = error;
}

void stop_catch(bool interruptible)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH };
	struct sigaction old;

	self.interruptible = interruptible;
	sigemptyset(&self.caught);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_step, .sa_flags = SA_RESTART },
	    NULL);
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
		/* nohup ignores SIGHUP. */
		if (caught[i] == SIGHUP && sigaction(SIGHUP, NULL, &old) == 0 &&
		    old.sa_handler == SIG_IGN)
			continue;
		sigaddset(&self.caught, caught[i]);
		sigaction(caught[i],
		    &(struct sigaction){ .sa_handler = on_signal, .sa_flags = SA_RESTART }, NULL);
	}
}

void stop_may_work(bool may)
{
	self.may_work = may || self.ended;
	self.most = may ? SAVE_STEPS : STALLED_STEPS;
	self.waits = 0;
}

int stop_requested(void)
{
	self.may_work |= self.ended;
	return self.ended;
}

static bool take(volatile sig_atomic_t *flag)
{
	const bool was = *flag;

	*flag = 0;
	return was;
}

bool stop_take_interrupt(void)
{
	return take(&self.interrupted);
}

bool stop_take_resize(void)
{
	return take(&self.resized);
}

/* The signals are blocked from the test of the flags to the wait only: writes are interruptible. */
void stop_wait(struct fd_watch *w, int64_t now)
{
	struct timespec ts;
	sigset_t mask;

	sigprocmask(SIG_BLOCK, &self.caught, &mask);
	if (self.ended || self.interrupted || self.resized ||
	    pselect(w->count, &w->readable, &w->writable, NULL, clock_until(w->deadline, now, &ts),
	        &mask) < 0) {
		FD_ZERO(&w->readable);
		FD_ZERO(&w->writable);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
}
