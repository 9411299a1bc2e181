/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/sandbox.h"

#if !HAVE_SANDBOX
void sandbox_enter(const struct sandbox *s, char *report, size_t size)
{
	(void)s;
	snprintf(report, size, "none (not built in)");
}
#else

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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

#include "common/file.h"
#include "common/text.h"

/* Adds what is in force; or, with an `error`, what is not and why. */
static void add(struct text *report, const char *done, const char *not_done, int error)
{
	text_put(report, "%s%s", report->used ? ", " : "", error ? not_done : done);
	if (error)
		text_put(report, " (%s)", strerror(error));
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	return (int)syscall(SYS_capset, &header, none);
}

#ifdef HAVE_LINUX_LANDLOCK_H
/* A ruleset of newer versions of Landlock; the C library's header may be older than the kernel. */
struct ruleset {
	uint64_t files, network, scopes;
};

/* The number of rights on files in each version, from 1 on: 2 adds another folder's names, 3
 * truncating, 5 ioctl() of devices. */
static const int file_rights[] = { 13, 14, 15, 15, 16 };
#define NEWEST (int)(sizeof file_rights / sizeof *file_rights)
/* Since version 4: to bind TCP to a port, to connect it; since version 6: abstract Unix sockets and
 * signals of those outside. */
#define NETWORK_SINCE 4
#define ALL_NETWORK 3
#define SCOPES_SINCE 6
#define ALL_SCOPES 3

static int allow(int rules, const char *folder, uint64_t rights)
{
	struct landlock_path_beneath_attr beneath = { .allowed_access = rights };
	int result;

	beneath.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (beneath.parent_fd < 0)
		return -1;
	result = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath,
	    0);
	close(beneath.parent_fd);
	return result;
}

/* Allows the removal of files from the folder of `path`. */
static int allow_removal(int rules, const char *path)
{
	char folder[4096];

	snprintf(folder, sizeof folder, "%s", path);
	return allow(rules, dirname(folder), LANDLOCK_ACCESS_FS_REMOVE_FILE);
}

/* Forbids all files but the removal of `files`. Returns the version in force, or -1 with errno. */
static int close_files(const char *const files[SANDBOX_FILES])
{
	const int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset all = { .network = version < NETWORK_SINCE ? 0 : ALL_NETWORK,
		.scopes = version < SCOPES_SINCE ? 0 : ALL_SCOPES };
	int rules, result;

	if (version < 1)
		return -1;
	all.files = (1u << file_rights[(version < NEWEST ? version : NEWEST) - 1]) - 1;
	rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
	result = rules < 0 ? -1 : 0;
	for (int i = 0; i < SANDBOX_FILES && result == 0; i++)
		if (files[i])
			result = allow_removal(rules, files[i]);
	/* A sanitizer's report is a file. */
	if (result == 0 && SANITIZED)
		result = allow(rules, "/", all.files);
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, rules, 0);
	(void)file_close(rules);
	return result < 0 ? -1 : version;
}
#endif

#if defined HAVE_LIBSECCOMP && !SANITIZED
/* The processes that may make a call. */
enum processes {
	/* Each process. */
	SERVES = 1,
	/* The watching process, and for the workers what they do before they are in a sandbox of
	   their own, because its filter holds for them too. */
	WATCHES = 2,
	/* A process that has files to remove; a process that has a lifeline. */
	REMOVES = 4,
	READS = 8,
};

#define CONDITIONS 3

struct system_call {
	int number;
	enum processes processes;
	/* Conditions on its arguments, which must all hold; `op` is 0 behind the last. */
	struct scmp_arg_cmp when[CONDITIONS];
};

/* Conditions on the lower 32 bits of an argument. ITSELF and LIFELINE stand for numbers that are
 * known later: this process, the descriptor of the lifeline. */
#define IS(argument, value) { argument, SCMP_CMP_MASKED_EQ, UINT32_MAX, value }
#define NONE_BUT(argument, flags) { argument, SCMP_CMP_MASKED_EQ, UINT32_MAX & ~(flags), 0 }
#define ITSELF (UINT32_MAX + 1ull)
#define LIFELINE (UINT32_MAX + 2ull)
/* Where the C library makes one call of all socket calls (socketcall(2)), their arguments are in
 * memory, where no filter sees them; they are not checked there, as upcased(8) says. */
#ifdef SYS_socketcall
#define SOCKET(...) { { 0 } }
#else
#define SOCKET(...) { __VA_ARGS__ }
#endif
/* The argument of clone(2) that has its flags. */
#if defined __s390__ || defined __s390x__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

/* The calls that are allowed; all others are refused with EPERM. The most frequent come first,
 * since the system tries them in this order. The comments say what a call is for and, after
 * "Left:", what it leaves to an attacker who has taken over the process and calls it with whatever
 * the conditions let pass. */
static const struct system_call calls[] = {
	/* Replies, and getifaddrs(). Left: over UDP, datagrams to anybody, from the server's port,
	   with the source addresses and header fields that everybody may set; false replies to
	   clients. A descriptor, by Unix sockets' control messages, to whoever has connected to the
	   control socket or is at the other end of what the server was started with, if he takes
	   it. MSG_FASTOPEN, which connects, is not allowed. */
	{ SCMP_SYS(sendto), SERVES, SOCKET(NONE_BUT(3, MSG_DONTWAIT | MSG_NOSIGNAL)) },
	{ SCMP_SYS(sendmsg), SERVES, SOCKET(NONE_BUT(2, MSG_DONTWAIT | MSG_NOSIGNAL)) },
	{ SCMP_SYS(sendmmsg), SERVES, SOCKET(NONE_BUT(3, MSG_DONTWAIT | MSG_NOSIGNAL)) },
	{ SCMP_SYS(send), SERVES, SOCKET(NONE_BUT(3, MSG_DONTWAIT | MSG_NOSIGNAL)) },
	/* Receiving. Left: receiving, also from what it was started with where this is a socket,
	   and descriptors that these and the clients of the control socket give it. Flags are not
	   checked, because none does anything to others: so the system is faster. */
	{ SCMP_SYS(recvfrom), SERVES, { { 0 } } },
	{ SCMP_SYS(recvmsg), SERVES, { { 0 } } },
	{ SCMP_SYS(recvmmsg), SERVES, { { 0 } } },
	{ SCMP_SYS(recvmmsg_time64), SERVES, { { 0 } } },
	{ SCMP_SYS(recv), SERVES, { { 0 } } },
	/* Waiting. Left: to wait. */
	{ SCMP_SYS(pselect6), SERVES, { { 0 } } },
	{ SCMP_SYS(pselect6_time64), SERVES, { { 0 } } },
	{ SCMP_SYS(epoll_wait), SERVES, { { 0 } } },
	{ SCMP_SYS(epoll_pwait), SERVES, { { 0 } } },
	{ SCMP_SYS(epoll_ctl), SERVES, { { 0 } } },
	{ SCMP_SYS(poll), SERVES, { { 0 } } },
	{ SCMP_SYS(ppoll), SERVES, { { 0 } } },
	{ SCMP_SYS(ppoll_time64), SERVES, { { 0 } } },
	/* Its clients. Left: to serve or to drop them. A listener cannot be shut down, which would
	   make a socket of it that connects. */
	{ SCMP_SYS(accept4), SERVES, SOCKET(IS(3, SOCK_CLOEXEC | SOCK_NONBLOCK)) },
	{ SCMP_SYS(shutdown), SERVES, SOCKET(IS(1, SHUT_WR)) },
	{ SCMP_SYS(close), SERVES, { { 0 } } },
	/* The bytes of its client under way. Left: the same. */
	{ SCMP_SYS(ioctl), SERVES, { IS(1, SIOCOUTQ) } },
	{ SCMP_SYS(ioctl), SERVES, { IS(1, FIONREAD) } },
	{ SCMP_SYS(getsockopt), SERVES, SOCKET(IS(1, IPPROTO_TCP), IS(2, TCP_INFO)) },
	{ SCMP_SYS(getsockopt), SERVES, SOCKET(IS(1, SOL_SOCKET), IS(2, SO_MEMINFO)) },
	/* An idle client is not offered any more what it did not take. Left: to reset a client. */
	{ SCMP_SYS(setsockopt), SERVES, SOCKET(IS(1, SOL_SOCKET), IS(2, SO_LINGER)) },
	/* For a client of a socket that was handed over. Left: to send it less or more at once. */
	{ SCMP_SYS(setsockopt), SERVES, SOCKET(IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)) },
	{ SCMP_SYS(setsockopt), SERVES, SOCKET(IS(1, IPPROTO_TCP), IS(2, TCP_NOTSENT_LOWAT)) },
	{ SCMP_SYS(setsockopt), SERVES, SOCKET(IS(1, SOL_SOCKET), IS(2, SO_OOBINLINE)) },
	{ SCMP_SYS(setsockopt), SERVES, SOCKET(IS(1, SOL_SOCKET), IS(2, SO_KEEPALIVE)) },
	/* The log, and the C library's message before abort(). Left: false lines in the log, and
	   any bytes to what it was started with; but nothing is read there, and what is written is
	   not taken back (lseek). */
	{ SCMP_SYS(write), SERVES, { { 0 } } },
	{ SCMP_SYS(writev), SERVES, { { 0 } } },
	/* The check whether the lifeline has ended. Left: to read it. */
	{ SCMP_SYS(read), READS, { IS(0, LIFELINE) } },
	/* Signals. Left: not to be ended by SIGTERM, only by SIGKILL. */
	{ SCMP_SYS(rt_sigprocmask), SERVES, { { 0 } } },
	{ SCMP_SYS(rt_sigreturn), SERVES, { { 0 } } },
	{ SCMP_SYS(sigreturn), SERVES, { { 0 } } },
	{ SCMP_SYS(restart_syscall), SERVES, { { 0 } } },
	/* The clock, where it needs a call. Left: to know the time. */
	{ SCMP_SYS(clock_gettime), SERVES, { { 0 } } },
	{ SCMP_SYS(clock_gettime64), SERVES, { { 0 } } },
	/* Memory. Left: to take what the system gives, but none executable and no mapped file. */
	{ SCMP_SYS(mmap), SERVES,
	    { NONE_BUT(2, PROT_READ | PROT_WRITE), IS(3, MAP_PRIVATE | MAP_ANONYMOUS) } },
	{ SCMP_SYS(mmap2), SERVES,
	    { NONE_BUT(2, PROT_READ | PROT_WRITE), IS(3, MAP_PRIVATE | MAP_ANONYMOUS) } },
	{ SCMP_SYS(mprotect), SERVES, { NONE_BUT(2, PROT_READ | PROT_WRITE) } },
	{ SCMP_SYS(munmap), SERVES, { { 0 } } },
	{ SCMP_SYS(madvise), SERVES, { IS(2, MADV_DONTNEED) } },
	{ SCMP_SYS(mremap), SERVES, { { 0 } } },
	{ SCMP_SYS(brk), SERVES, { { 0 } } },
	/* getifaddrs(), and names of interfaces. Left: to read the system's lists of addresses and
	 * routes. What it sends reaches the kernel alone, which changes nothing for who has no
	 * capabilities. Of other addresses only Unix sockets' can be so short: to give one that has
	 * none, as a line to a worker, a name of ten bytes, where nobody can connect; a file of
	 * that name only without Landlock. */
	{ SCMP_SYS(socket), SERVES,
	    SOCKET(IS(0, AF_NETLINK), IS(1, SOCK_RAW | SOCK_CLOEXEC), IS(2, NETLINK_ROUTE)) },
	{ SCMP_SYS(bind), SERVES, SOCKET(IS(2, sizeof(struct sockaddr_nl))) },
	{ SCMP_SYS(getsockname), SERVES, { { 0 } } },
	{ SCMP_SYS(ioctl), SERVES, { IS(1, SIOCGIFNAME) } },
	/* The end, by abort() too. Left: to end. */
	{ SCMP_SYS(exit_group), SERVES, { { 0 } } },
	{ SCMP_SYS(getpid), SERVES, { { 0 } } },
	{ SCMP_SYS(gettid), SERVES, { { 0 } } },
	{ SCMP_SYS(rt_sigaction), SERVES, { IS(0, SIGABRT) } },
	{ SCMP_SYS(tgkill), SERVES, { IS(0, ITSELF), IS(2, SIGABRT) } },
	{ SCMP_SYS(tkill), SERVES, { IS(0, ITSELF), IS(1, SIGABRT) } },
	/* The files of --control and --port-file, if they are still its own. Left: with Landlock,
	 * to remove others from their folders and all below these, without it whatever its user
	 * may; to learn whether a file is there. */
	{ SCMP_SYS(unlink), REMOVES, { { 0 } } },
	{ SCMP_SYS(unlinkat), REMOVES, { IS(2, 0) } },
	{ SCMP_SYS(newfstatat), REMOVES, { { 0 } } },
	{ SCMP_SYS(fstatat64), REMOVES, { { 0 } } },
	{ SCMP_SYS(lstat), REMOVES, { { 0 } } },
	{ SCMP_SYS(lstat64), REMOVES, { { 0 } } },
	{ SCMP_SYS(statx), REMOVES, { { 0 } } },

	/* Workers, and the lines to them. Left: processes without number, each with these rights;
	 * not in new namespaces, not sharing memory. Lines have no address, so that they reach
	 * nobody else. */
	{ SCMP_SYS(clone), WATCHES,
	    { NONE_BUT(CLONE_FLAGS, CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD) } },
	{ SCMP_SYS(fork), WATCHES, { { 0 } } },
	{ SCMP_SYS(set_robust_list), WATCHES, { { 0 } } },
	{ SCMP_SYS(socketpair), WATCHES,
	    SOCKET(IS(0, AF_UNIX), IS(1, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)) },
	/* The end of the workers, which they may also make themselves. Left: with Landlock (6), to
	   end them; without it, whatever its user may. */
	{ SCMP_SYS(kill), WATCHES, { IS(1, SIGTERM) } },
	{ SCMP_SYS(kill), WATCHES, { IS(1, SIGKILL) } },
	{ SCMP_SYS(tgkill), WATCHES, { IS(2, SIGABRT) } },
	{ SCMP_SYS(tkill), WATCHES, { IS(1, SIGABRT) } },
	{ SCMP_SYS(wait4), WATCHES, { { 0 } } },
	{ SCMP_SYS(waitpid), WATCHES, { { 0 } } },
	/* A worker's sockets and buffers. Left: other buffers, more control data. */
	{ SCMP_SYS(getppid), WATCHES, { { 0 } } },
	{ SCMP_SYS(epoll_create1), WATCHES, { { 0 } } },
	{ SCMP_SYS(getrandom), WATCHES, { { 0 } } },
	{ SCMP_SYS(getsockopt), WATCHES, SOCKET(IS(1, SOL_SOCKET), IS(2, SO_RCVBUF)) },
	{ SCMP_SYS(getsockopt), WATCHES, SOCKET(IS(1, SOL_SOCKET), IS(2, SO_SNDBUF)) },
	{ SCMP_SYS(getsockopt), WATCHES, SOCKET(IS(1, IPPROTO_UDP), IS(2, UDP_SEGMENT)) },
	{ SCMP_SYS(setsockopt), WATCHES, SOCKET(IS(1, SOL_SOCKET), IS(2, SO_RCVBUF)) },
	{ SCMP_SYS(setsockopt), WATCHES, SOCKET(IS(1, SOL_SOCKET), IS(2, SO_SNDBUF)) },
	{ SCMP_SYS(setsockopt), WATCHES, SOCKET(IS(1, SOL_SOCKET), IS(2, SO_TIMESTAMPNS)) },
	{ SCMP_SYS(setsockopt), WATCHES, SOCKET(IS(1, SOL_SOCKET), IS(2, SO_RXQ_OVFL)) },
	{ SCMP_SYS(setsockopt), WATCHES, SOCKET(IS(1, IPPROTO_IP), IS(2, IP_PKTINFO)) },
	{ SCMP_SYS(setsockopt), WATCHES, SOCKET(IS(1, IPPROTO_IPV6), IS(2, IPV6_RECVPKTINFO)) },
	{ SCMP_SYS(setsockopt), WATCHES, SOCKET(IS(1, IPPROTO_IP), IS(2, IP_TTL)) },
	{ SCMP_SYS(setsockopt), WATCHES, SOCKET(IS(1, IPPROTO_IP), IS(2, IP_RECVTTL)) },
	{ SCMP_SYS(setsockopt), WATCHES, SOCKET(IS(1, IPPROTO_IPV6), IS(2, IPV6_UNICAST_HOPS)) },
	{ SCMP_SYS(setsockopt), WATCHES, SOCKET(IS(1, IPPROTO_IPV6), IS(2, IPV6_RECVHOPLIMIT)) },
	{ SCMP_SYS(setsockopt), WATCHES, SOCKET(IS(1, IPPROTO_UDP), IS(2, UDP_GRO)) },
	/* Its own sandbox. Left: to have still less rights, to die with its parent. */
	{ SCMP_SYS(prctl), WATCHES, { IS(0, PR_SET_PDEATHSIG) } },
	{ SCMP_SYS(prctl), WATCHES, { IS(0, PR_SET_NO_NEW_PRIVS) } },
	{ SCMP_SYS(capset), WATCHES, { { 0 } } },
	{ SCMP_SYS(seccomp), WATCHES, { { 0 } } },
#ifdef HAVE_LINUX_LANDLOCK_H
	{ SYS_landlock_create_ruleset, WATCHES, { { 0 } } },
	{ SYS_landlock_restrict_self, WATCHES, { { 0 } } },
#endif
};
#define CALLS (sizeof calls / sizeof *calls)

static int allow_call(scmp_filter_ctx filter, const struct system_call *call, int lifeline)
{
	struct scmp_arg_cmp when[CONDITIONS];
	unsigned n = 0;

	for (; n < CONDITIONS && call->when[n].op; n++) {
		when[n] = call->when[n];
		if (when[n].datum_b == ITSELF)
			when[n].datum_b = (scmp_datum_t)getpid();
		else if (when[n].datum_b == LIFELINE)
			when[n].datum_b = (scmp_datum_t)lifeline;
	}
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call->number, n, when);
}

/* Returns 0 or an errno. */
static int filter_calls(const struct sandbox *s)
{
	const unsigned processes = SERVES | (s->watches ? WATCHES : 0) |
	                           (s->files[0] || s->files[1] ? REMOVES : 0) |
	                           (s->lifeline >= 0 ? READS : 0);
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error = 0;

	if (!filter)
		return ENOMEM;
	/* Flags of clone3(2) are in memory, where no filter sees them; libc then uses clone(2). */
	if (s->watches)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; i < CALLS && !error; i++) {
		if (!(calls[i].processes & processes))
			continue;
		error = allow_call(filter, &calls[i], s->lifeline);
		/* A call that this system does not have has no priority. */
		seccomp_syscall_priority(filter, calls[i].number, (uint8_t)(UINT8_MAX - i));
	}
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return -error;
}
#endif

void sandbox_enter(const struct sandbox *s, char *report, size_t size)
{
	struct text text = text_begin(report, size);

	add(&text, "no new privileges", "new privileges possible",
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno);
	add(&text, "no capabilities", "capabilities kept", drop_capabilities() == 0 ? 0 : errno);
#ifdef HAVE_LINUX_LANDLOCK_H
	const int version = close_files(s->files);

	add(&text,
	    version < NETWORK_SINCE  ? "Landlock (files)"
	    : version < SCOPES_SINCE ? "Landlock (files, TCP)"
	                             : "Landlock (files, TCP, signals)",
	    "no Landlock", version > 0 ? 0 : errno);
#else
	add(&text, "no Landlock (not built in)", NULL, 0);
#endif
	/* The filter comes last, because it forbids the calls of the others. */
#if defined HAVE_LIBSECCOMP && !SANITIZED
	add(&text, "seccomp", "no seccomp", filter_calls(s));
#else
	add(&text, SANITIZED ? "no seccomp (built with sanitizers)" : "no seccomp (not built in)",
	    NULL, 0);
#endif
}
#endif
