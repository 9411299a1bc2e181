/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/hosts/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

void terminal_open(struct terminal *t)
{
	t->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	t->has_modes = t->fd >= 0 && tcgetpgrp(t->fd) == getpgrp() &&
	               tcgetattr(t->fd, &t->modes) == 0;
}

/* Taking the terminal from the background would stop the lab. */
static void set_foreground_group(const struct terminal *t, pid_t group)
{
	sigset_t block, old;

	sigemptyset(&block);
	sigaddset(&block, SIGTTOU);
	sigprocmask(SIG_BLOCK, &block, &old);
	(void)tcsetpgrp(t->fd, group);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

bool terminal_stop(const struct terminal *t, pid_t near)
{
	pid_t group = near > 0 ? getpgid(near) : -1;

	/* This is the leader of a session: no shell could continue it. */
	if (getsid(0) == getpid())
		return true;
	/* Without a terminal no shell sees that it stopped. */
	if (t->fd < 0)
		return false;
	/* Stops the others of a pipeline: a shell sees a stopped job only when all have stopped. */
	kill(0, SIGTSTP);
	raise(SIGSTOP);
	if (group > 0 && tcgetpgrp(t->fd) == getpgrp())
		set_foreground_group(t, group);
	return group != getpgrp();
}

void terminal_close(struct terminal *t, bool killed)
{
	pid_t foreground;

	if (t->fd < 0)
		return;
	foreground = tcgetpgrp(t->fd);
	/* The foreground still belongs to a shell on the near host that is gone. */
	if (foreground > 0 && foreground != getpgrp() && kill(-foreground, 0) != 0 &&
	    errno == ESRCH) {
		set_foreground_group(t, getpgrp());
		foreground = getpgrp();
	}
	if (killed && t->has_modes && foreground == getpgrp())
		(void)tcsetattr(t->fd, TCSANOW, &t->modes);
	close(t->fd);
	t->fd = -1;
}
