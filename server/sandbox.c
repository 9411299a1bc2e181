/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "sandbox.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text.h"

/* The sanitizers' own calls at the end are many, and not ours; and their reports are files. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#ifdef __linux__
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef HAVE_LINUX_LANDLOCK_H
#include <linux/landlock.h>
#endif
#ifdef HAVE_LIBSECCOMP
#include <seccomp.h>
#endif

/* What is in force, and why something is not. */
static void add(struct text *report, const char *what, const char *reason)
{
	text_put(report, "%s%s", report->used ? ", " : "", what);
	if (reason)
		text_put(report, " (%s)", reason);
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return (int)syscall(SYS_capset, &header, none);
}

#ifdef HAVE_LINUX_LANDLOCK_H
/* Everything that the first version of Landlock knows about files. */
#define ALL_DEEDS (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | \
    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
    LANDLOCK_ACCESS_FS_MAKE_SYM)

static int allow(int rules, const char *folder, uint64_t deeds)
{
	struct landlock_path_beneath_attr beneath = {.allowed_access = deeds};
	int result;

	beneath.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (beneath.parent_fd < 0)
		return -1;
	result = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	close(beneath.parent_fd);
	return result;
}

/* Files may be removed from the folder that `path` is in. */
static int allow_removal(int rules, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];

	if (slash == path)
		strcpy(folder, "/");
	else
		snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	return allow(rules, folder, LANDLOCK_ACCESS_FS_REMOVE_FILE);
}

static int close_files(const char *const files[SANDBOX_FILES])
{
	const struct landlock_ruleset_attr attributes = {.handled_access_fs = ALL_DEEDS};
	const int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
	int result = rules < 0 ? -1 : 0;

	for (int i = 0; i < SANDBOX_FILES && result == 0; i++)
		if (files[i])
			result = allow_removal(rules, files[i]);
	/* A sanitizer's report is a file. */
	if (result == 0 && SANITIZED)
		result = allow(rules, "/", ALL_DEEDS);
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, rules, 0);
	if (rules >= 0) {
		const int error = errno;

		close(rules);
		errno = error;
	}
	return result;
}
#endif

#if defined HAVE_LIBSECCOMP && !SANITIZED
/* What serving takes, and what the C library calls meanwhile. Everything else is refused with EPERM, which hurts no one who does
 * without. */
static const int calls[] = {
	/* waiting */
	SCMP_SYS(pselect6), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(_newselect), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction), SCMP_SYS(sigreturn), SCMP_SYS(restart_syscall),
	/* bytes */
	SCMP_SYS(accept4), SCMP_SYS(accept), SCMP_SYS(recvfrom), SCMP_SYS(recv), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(sendto),
	SCMP_SYS(send), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(shutdown), SCMP_SYS(close), SCMP_SYS(lseek),
	/* about sockets and descriptors; bind for the list of this host's addresses, which is asked for by netlink(7) */
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(bind), SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64), SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(dup),
	/* time */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(sched_yield),
	/* the end: its own files; abort() too */
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(tgkill), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
};

/* What it takes besides to watch, and what those who are started do until they are in a sandbox of their own. */
static const int watching_calls[] = {
	SCMP_SYS(socketpair), SCMP_SYS(fork), SCMP_SYS(wait4), SCMP_SYS(waitpid), SCMP_SYS(waitid), SCMP_SYS(kill),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
	SCMP_SYS(epoll_create1), SCMP_SYS(prctl), SCMP_SYS(capset), SCMP_SYS(seccomp),
#ifdef HAVE_LINUX_LANDLOCK_H
	SYS_landlock_create_ruleset, SYS_landlock_restrict_self,
#endif
};

/* Where clone(2) has its flags. */
#if defined __s390__ || defined __s390x__
#define CLONE_FLAGS SCMP_A1
#else
#define CLONE_FLAGS SCMP_A0
#endif
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

static int allow_calls(scmp_filter_ctx filter, const int *list, size_t n)
{
	int error = 0;

	for (size_t i = 0; i < n && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, list[i], 0);
	return error;
}

static int add_watching_rules(scmp_filter_ctx filter)
{
	int error = allow_calls(filter, watching_calls, sizeof watching_calls / sizeof *watching_calls);

	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, CLONE_FLAGS(SCMP_CMP_MASKED_EQ, NAMESPACES, 0));
	/* Its flags are in memory, where no filter sees them; the C library then takes the other. */
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return error;
}

static int add_rules(scmp_filter_ctx filter)
{
	int error = allow_calls(filter, calls, sizeof calls / sizeof *calls);

	/* Names and addresses of interfaces: no other socket is ever made, and none is connected. */
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK));
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, SIOCGIFNAME));
	/* Bytes that a client has not taken yet; bytes that are to be read. */
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, SIOCOUTQ));
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONREAD));
	return error;
}

/* Returns 0 or an errno. */
static int filter_calls(enum sandbox_role role)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error;

	if (!filter)
		return ENOMEM;
	error = add_rules(filter);
	if (!error && role == SANDBOX_WATCHES)
		error = add_watching_rules(filter);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return -error;
}
#endif

static void add_files(const char *const files[SANDBOX_FILES], struct text *report)
{
#ifdef HAVE_LINUX_LANDLOCK_H
	if (close_files(files) == 0)
		add(report, "Landlock", NULL);
	else
		add(report, "no Landlock", strerror(errno));
#else
	(void)files;
	add(report, "no Landlock", "not built in");
#endif
}

static void add_filter(enum sandbox_role role, struct text *report)
{
#if defined HAVE_LIBSECCOMP && !SANITIZED
	const int error = filter_calls(role);

	if (error == 0)
		add(report, "seccomp", NULL);
	else
		add(report, "no seccomp", strerror(error));
#else
	(void)role;
	add(report, "no seccomp", SANITIZED ? "built with sanitizers" : "not built in");
#endif
}

void sandbox_enter(enum sandbox_role role, const char *const files[SANDBOX_FILES], char *report, size_t size)
{
	struct text text = text_begin(report, size);

	/* The log's times: what it reads of the time zone is read now. */
	tzset();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		add(&text, "no new privileges", NULL);
	else
		add(&text, "new privileges possible", strerror(errno));
	if (drop_capabilities() == 0)
		add(&text, "no capabilities", NULL);
	else
		add(&text, "capabilities kept", strerror(errno));
	add_files(files, &text);
	/* Last, since it forbids the others' calls. */
	add_filter(role, &text);
}
#else
void sandbox_enter(enum sandbox_role role, const char *const files[SANDBOX_FILES], char *report, size_t size)
{
	(void)role, (void)files;
	tzset();
	snprintf(report, size, "none (not Linux)");
}
#endif
