/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's sandbox from inside: what somebody would try who has taken the server over is done
 * by a process that has entered it, and what is looked at is what became of those outside. Each is
 * done without a sandbox first: what does nothing there shows nothing. */
/* For its table: whatever is not in it is tried too. */
#include "server/sandbox.c"

#if !HAVE_SANDBOX
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* A build without one says so. */
static void says_so(void **state)
{
	char report[80];

	(void)state;
	sandbox_enter(&(struct sandbox){ .lifeline = -1 }, report, sizeof report);
	assert_string_equal(report, "none (not built in)");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(says_so) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else

#include <dirent.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/addr.h"
#include "tests/lib/child.h"

/* How a process ends that has got what it wanted. */
#define GOT_IT 77
#define WORD 42
#define SECRET "secret"

enum mode { OUTSIDE, SERVER, WATCHER, LANDLOCK, MODES };

static const char *const mode_names[] = { "without a sandbox", "the server", "the watching process",
	"by Landlock alone" };

/* What the attacker holds, and those outside. */
struct fixture {
	char folder[64], secret[80], receiver[80], own[80];
	/* A server's: its sockets, a client, what it was started with: a terminal's input, its log;
	 * a line to another. */
	int listener, udp, client, input, log, line[2];
	struct sockaddr_in udp_at;
	/* Of others: a server, which is not to be connected to, on TCP and on a Unix socket; who
	 * receives datagrams, by name and abstract. */
	int tcp, stream, datagrams, abstract;
	struct sockaddr_in tcp_at;
	struct sockaddr_un stream_at, datagrams_at, abstract_at;
	socklen_t abstract_len;
	/* A process, which tells its word when it is asked. */
	pid_t victim;
	int ask, answer;
};

/* The victim's is at the same address as the attacker's. */
static volatile long word = WORD;

static int bound(int family, int type, const void *at, socklen_t size)
{
	const int fd = socket(family, type | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, at, size), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static int bound_port(int type, struct sockaddr_in *at)
{
	socklen_t size = sizeof *at;
	int fd;

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	fd = bound(AF_INET, type, at, size);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &size), 0);
	return fd;
}

static void victim(int asked, int answer)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
#ifdef PR_SET_PTRACER
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
#endif
	setpgid(0, 0);
	for (;;) {
		const long told = word;

		if (write(answer, (const void *)&told, sizeof told) != sizeof told ||
		    read(asked, &byte, 1) != 1)
			_exit(0);
	}
}

/* Its word, or -1: it is dead or stands still. */
static long hear_victim(const struct fixture *s)
{
	struct pollfd p = { .fd = s->answer, .events = POLLIN };
	long told;

	return poll(&p, 1, 5000) == 1 && read(s->answer, &told, sizeof told) == sizeof told ? told
	                                                                                    : -1;
}

static void start_victim(struct fixture *s)
{
	int asked[2], answer[2];

	assert_int_equal(pipe(asked) | pipe(answer), 0);
	s->victim = fork();
	assert_true(s->victim >= 0);
	if (s->victim == 0) {
		close(asked[1]);
		close(answer[0]);
		victim(asked[0], answer[1]);
	}
	close(asked[0]);
	close(answer[1]);
	s->ask = asked[1];
	s->answer = answer[0];
	assert_int_equal(hear_victim(s), WORD);
}

static void make_file(const char *path)
{
	const int fd = open(path, O_CREAT | O_WRONLY, 0600);

	assert_int_equal(write(fd, SECRET, sizeof SECRET), sizeof SECRET);
	close(fd);
}

static struct sockaddr_un unix_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	return at;
}

static void set_stage(struct fixture *s)
{
	struct sockaddr_in at;
	char path[100];
	int input[2];

	*s = (struct fixture){ .folder = "/tmp/test_sandbox.XXXXXX" };
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->secret, sizeof s->secret, "%s/secret", s->folder);
	snprintf(s->receiver, sizeof s->receiver, "%s/receiver", s->folder);
	snprintf(s->own, sizeof s->own, "%s/own", s->folder);
	assert_int_equal(mkdir(s->own, 0700), 0);
	snprintf(s->own, sizeof s->own, "%s/own/file", s->folder);
	make_file(s->own);
	make_file(s->secret);
	snprintf(path, sizeof path, "%s/log", s->folder);
	make_file(path);
	s->log = open(path, O_RDWR);
	lseek(s->log, 0, SEEK_END);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s->line), 0);
	s->listener = bound_port(SOCK_STREAM, &at);
	s->udp = bound_port(SOCK_DGRAM, &s->udp_at);
	s->client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(s->client, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(pipe(input), 0);
	s->input = input[0];
	assert_int_equal(write(input[1], SECRET, sizeof SECRET), sizeof SECRET);
	close(input[1]);
	s->tcp = bound_port(SOCK_STREAM, &s->tcp_at);
	snprintf(path, sizeof path, "%s/stream", s->folder);
	s->stream_at = unix_at(path);
	s->stream = bound(AF_UNIX, SOCK_STREAM, &s->stream_at, sizeof s->stream_at);
	s->datagrams_at = unix_at(s->receiver);
	s->datagrams = bound(AF_UNIX, SOCK_DGRAM, &s->datagrams_at, sizeof s->datagrams_at);
	s->abstract_at = unix_at("");
	s->abstract_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	                              strlen(s->folder));
	memcpy(s->abstract_at.sun_path + 1, s->folder, strlen(s->folder));
	s->abstract = bound(AF_UNIX, SOCK_DGRAM, &s->abstract_at, s->abstract_len);
	start_victim(s);
}

static void clear_stage(struct fixture *s)
{
	const int all[] = { s->listener, s->udp, s->client, s->input, s->log, s->line[0],
		s->line[1], s->tcp, s->stream, s->datagrams, s->abstract, s->ask, s->answer };
	char command[100];

	kill(s->victim, SIGKILL);
	waitpid(s->victim, NULL, 0);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		close(all[i]);
	snprintf(command, sizeof command, "rm -rf %s", s->folder);
	assert_int_equal(system(command), 0);
}

static int files_in(const char *folder)
{
	DIR *all = opendir(folder);
	int n = 0;

	while (readdir(all))
		n++;
	closedir(all);
	return n;
}

static bool is_whole(const char *path)
{
	char text[sizeof SECRET + 1];
	const int fd = open(path, O_RDONLY);
	const bool whole = read(fd, text, sizeof text) == sizeof SECRET &&
	                   memcmp(text, SECRET, sizeof SECRET) == 0;

	close(fd);
	return whole;
}

/* What has happened to those outside; NULL for nothing. */
static const char *effect(const struct fixture *s)
{
	char path[100], bytes[100];
	struct stat st;

	snprintf(path, sizeof path, "%s/log", s->folder);
	if (accept(s->tcp, NULL, NULL) >= 0 || accept(s->stream, NULL, NULL) >= 0)
		return "connected to a server";
	if (recv(s->datagrams, bytes, sizeof bytes, 0) >= 0 ||
	    recv(s->abstract, bytes, sizeof bytes, 0) >= 0)
		return "sent to a Unix socket";
	/* ., .., secret, log, own, receiver, stream */
	if (!is_whole(s->secret) || !is_whole(path) || files_in(s->folder) != 7 ||
	    stat(s->secret, &st) < 0 || st.st_mode != (S_IFREG | 0600))
		return "files are changed";
	if (write(s->ask, "", 1) != 1 || hear_victim(s) != WORD)
		return "a process is killed, stopped or changed";
	return NULL;
}

static bool fast_open_listener(const struct fixture *s)
{
	shutdown(s->listener, SHUT_RDWR);
	sendto(s->listener, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
	    (const struct sockaddr *)&s->tcp_at, sizeof s->tcp_at);
	return false;
}

/* A message to `at`, with a descriptor if `fd` is one. */
static struct msghdr *message(const void *at, size_t size, int fd)
{
	static char control[CMSG_SPACE(sizeof fd)];
	static struct iovec part = { (void *)(uintptr_t)SECRET, 1 };
	static struct msghdr m;
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;

	m = (struct msghdr){ .msg_name = (void *)(uintptr_t)at,
		.msg_namelen = (socklen_t)size,
		.msg_iov = &part,
		.msg_iovlen = 1 };
	if (fd < 0)
		return &m;
	*c = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)
	};
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	m.msg_control = control;
	m.msg_controllen = sizeof control;
	return &m;
}

static bool fast_open_message(const struct fixture *s)
{
	shutdown(s->listener, SHUT_RDWR);
	sendmsg(s->listener, message(&s->tcp_at, sizeof s->tcp_at, -1),
	    MSG_FASTOPEN | MSG_NOSIGNAL);
	return false;
}

static bool fast_open_messages(const struct fixture *s)
{
	struct mmsghdr one = { .msg_hdr = *message(&s->tcp_at, sizeof s->tcp_at, -1) };

	shutdown(s->listener, SHUT_RDWR);
	sendmmsg(s->listener, &one, 1, MSG_FASTOPEN | MSG_NOSIGNAL);
	return false;
}

static bool fast_open_client(const struct fixture *s)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	connect(s->client, &nowhere, sizeof nowhere);
	sendto(s->client, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (const struct sockaddr *)&s->tcp_at,
	    sizeof s->tcp_at);
	return false;
}

static bool connect_new(const struct fixture *s)
{
	connect(socket(AF_INET, SOCK_STREAM, 0), (const struct sockaddr *)&s->tcp_at,
	    sizeof s->tcp_at);
	return false;
}

static bool connect_listener(const struct fixture *s)
{
	shutdown(s->listener, SHUT_RDWR);
	connect(s->listener, (const struct sockaddr *)&s->tcp_at, sizeof s->tcp_at);
	return false;
}

static bool connect_later(const struct fixture *s)
{
	shutdown(s->listener, SHUT_RDWR);
	setsockopt(s->listener, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &(int){ 1 }, sizeof(int));
	connect(s->listener, (const struct sockaddr *)&s->tcp_at, sizeof s->tcp_at);
	send(s->listener, "x", 1, MSG_NOSIGNAL);
	return false;
}

static bool connect_unix(const struct fixture *s)
{
	connect(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&s->stream_at,
	    sizeof s->stream_at);
	return false;
}

static bool send_unix(const struct fixture *s)
{
	sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, MSG_NOSIGNAL,
	    (const struct sockaddr *)&s->datagrams_at, sizeof s->datagrams_at);
	return false;
}

static bool send_descriptor(const struct fixture *s)
{
	sendmsg(socket(AF_UNIX, SOCK_DGRAM, 0),
	    message(&s->datagrams_at, sizeof s->datagrams_at, s->listener), MSG_NOSIGNAL);
	return false;
}

static bool send_abstract(const struct fixture *s)
{
	sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, MSG_NOSIGNAL,
	    (const struct sockaddr *)&s->abstract_at, s->abstract_len);
	return false;
}

static bool send_from_pair(const struct fixture *s)
{
	int pair[2] = { -1, -1 };

	for (int type = 1; type < 6; type++)
		if (socketpair(AF_UNIX, type, 0, pair) == 0) {
			sendto(pair[0], "x", 1, MSG_NOSIGNAL,
			    (const struct sockaddr *)&s->datagrams_at, sizeof s->datagrams_at);
			connect(pair[0], (const struct sockaddr *)&s->datagrams_at,
			    sizeof s->datagrams_at);
			send(pair[0], "x", 1, MSG_NOSIGNAL);
		}
	return false;
}

static void make_ready(const struct fixture *s)
{
	sendto(s->udp, "x", 1, MSG_NOSIGNAL, (const struct sockaddr *)&s->udp_at, sizeof s->udp_at);
}

static bool signal_owner(const struct fixture *s)
{
	fcntl(s->udp, F_SETOWN, s->victim);
	fcntl(s->udp, F_SETSIG, SIGTERM);
	fcntl(s->udp, F_SETFL, O_ASYNC | O_NONBLOCK);
	make_ready(s);
	return false;
}

static bool signal_owner_extended(const struct fixture *s)
{
	const struct f_owner_ex owner = { F_OWNER_PID, s->victim };

	fcntl(s->udp, F_SETOWN_EX, &owner);
	fcntl(s->udp, F_SETFL, O_ASYNC);
	make_ready(s);
	return false;
}

static bool signal_owner_ioctl(const struct fixture *s)
{
	ioctl(s->udp, FIOSETOWN, &s->victim);
	ioctl(s->udp, FIOASYNC, &(int){ 1 });
	make_ready(s);
	return false;
}

static bool kill_victim(const struct fixture *s)
{
	kill(s->victim, SIGKILL);
	return false;
}

static bool kill_otherwise(const struct fixture *s)
{
	kill(s->victim, SIGHUP);
	kill(-s->victim, SIGUSR1);
	return false;
}

static bool abort_victim(const struct fixture *s)
{
	syscall(SYS_tgkill, s->victim, s->victim, SIGABRT);
	return false;
}

static bool kill_thread(const struct fixture *s)
{
	syscall(SYS_tgkill, s->victim, s->victim, SIGKILL);
	syscall(SYS_tkill, s->victim, SIGKILL);
	return false;
}

static bool kill_queued(const struct fixture *s)
{
	const siginfo_t info = { .si_code = SI_QUEUE, .si_signo = SIGTERM };

	syscall(SYS_rt_sigqueueinfo, s->victim, SIGTERM, &info);
	syscall(SYS_rt_tgsigqueueinfo, s->victim, s->victim, SIGTERM, &info);
	return false;
}

static bool kill_by_descriptor(const struct fixture *s)
{
	syscall(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, s->victim, 0), SIGKILL, NULL, 0);
	return false;
}

static bool trace(const struct fixture *s)
{
	ptrace(PTRACE_SEIZE, s->victim, NULL, NULL);
	return ptrace(PTRACE_INTERRUPT, s->victim, NULL, NULL) == 0;
}

static bool write_memory(const struct fixture *s)
{
	long other = WORD + 1;
	const struct iovec local = { &other, sizeof other },
	                   remote = { (void *)(uintptr_t)&word, sizeof other };

	process_vm_writev(s->victim, &local, 1, &remote, 1, 0);
	return false;
}

static bool limit_other(const struct fixture *s)
{
	const struct rlimit none = { 0, 0 };

	return prlimit(s->victim, RLIMIT_CORE, &none, NULL) == 0;
}

static bool slow_other(const struct fixture *s)
{
	return setpriority(PRIO_PROCESS, (id_t)s->victim, 10) == 0;
}

static bool got_secret(int fd)
{
	char text[sizeof SECRET];

	return read(fd, text, sizeof text) == sizeof text &&
	       memcmp(text, SECRET, sizeof SECRET) == 0;
}

static bool read_file(const struct fixture *s)
{
	return got_secret(open(s->secret, O_RDONLY));
}

static bool read_input(const struct fixture *s)
{
	return got_secret(s->input);
}

static bool list_folder(const struct fixture *s)
{
	DIR *folder = opendir(s->folder);

	return folder && readdir(folder);
}

static bool write_file(const struct fixture *s)
{
	const int fd = open(s->secret, O_WRONLY | O_TRUNC);

	return fd >= 0 && write(fd, "other", 5) == 5;
}

/* As short a name as netlink's. */
static bool name_socket(const struct fixture *s)
{
	const struct sockaddr_un at = unix_at("socket");

	return bind(s->line[0], (const struct sockaddr *)&at, sizeof(struct sockaddr_nl)) == 0;
}

static bool make_new_file(const struct fixture *s)
{
	char path[100];

	snprintf(path, sizeof path, "%s/new", s->folder);
	open(path, O_CREAT | O_WRONLY, 0600);
	mkdir(path, 0700);
	mknod(path, S_IFIFO | 0600, 0);
	return symlink("/", path) == 0;
}

static bool rename_file(const struct fixture *s)
{
	char path[100];

	snprintf(path, sizeof path, "%s/other", s->folder);
	return rename(s->secret, path) == 0 || link(s->secret, path) == 0;
}

static bool change_file(const struct fixture *s)
{
	return chmod(s->secret, 0777) == 0 || truncate(s->secret, 0) == 0;
}

static bool truncate_file(const struct fixture *s)
{
	return truncate(s->secret, 0) == 0;
}

static bool remove_file(const struct fixture *s)
{
	return unlink(s->secret) == 0;
}

static bool remove_folder(const struct fixture *s)
{
	char path[100];

	unlink(s->own);
	snprintf(path, sizeof path, "%s/own", s->folder);
	return rmdir(path) == 0;
}

/* What was written is taken back, or written anew. */
static bool forge_log(const struct fixture *s)
{
	lseek(s->log, 0, SEEK_SET);
	return pwrite(s->log, "other", 5, 0) == 5 || ftruncate(s->log, 0) == 0;
}

/* A write where it stands is the log's. */
static bool forge_log_after_seek(const struct fixture *s)
{
	return lseek(s->log, 0, SEEK_SET) == 0 && write(s->log, "other", 5) == 5;
}

static bool execute(const struct fixture *s)
{
	char *const arguments[] = { (char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c",
		(char *)(uintptr_t)"exit 77", NULL };

	(void)s;
	execve("/bin/sh", arguments, environ);
	syscall(SYS_execveat, -1, "/bin/sh", arguments, environ, 0);
	return false;
}

static bool start_process(const struct fixture *s)
{
	pid_t pid = fork();

	(void)s;
	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool new_namespace(const struct fixture *s)
{
	(void)s;
	return unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWNET) == 0;
}

static bool start_in_namespace(const struct fixture *s)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	(void)s;
	if (pid < 0)
		pid = syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0)
		_exit(0);
	return pid > 0;
}

/* A socket of any family but the one that the server asks for addresses with. */
static bool make_socket(const struct fixture *s)
{
	(void)s;
	for (int family = 0; family < 46; family++)
		for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++)
			for (int protocol = 0; protocol < 20; protocol++)
				if ((family != AF_NETLINK || protocol != NETLINK_ROUTE) &&
				    socket(family, type | SOCK_CLOEXEC, protocol) >= 0)
					return true;
	return false;
}

static bool bind_new(const struct fixture *s)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)s;
	return fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
	       listen(fd, 1) == 0;
}

static bool set_option(const struct fixture *s)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { 1, &none };

	return setsockopt(s->udp, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ||
	       setsockopt(s->listener, SOL_SOCKET, SO_REUSEPORT, &(int){ 1 }, sizeof(int)) == 0;
}

/* "return 77" */
#if defined __x86_64__ || defined __i386__
#define HAVE_CODE 1
static const unsigned char code[] = { 0xb8, GOT_IT, 0, 0, 0, 0xc3 };
#endif

static bool run_code(void *at)
{
#ifdef HAVE_CODE
	union {
		void *data;
		int (*function)(void);
	} entry = { at };

	return at != MAP_FAILED && entry.function() == GOT_IT;
#else
	return at != MAP_FAILED;
#endif
}

static void *code_at(void *at)
{
#ifdef HAVE_CODE
	if (at != MAP_FAILED)
		memcpy(at, code, sizeof code);
#endif
	return at;
}

static bool run_mapped(const struct fixture *s)
{
	(void)s;
	return run_code(code_at(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
}

static bool run_protected(const struct fixture *s)
{
	void *at = code_at(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0));

	(void)s;
	return mprotect(at, 4096, PROT_READ | PROT_EXEC) == 0 && run_code(at);
}

static bool run_of_file(const struct fixture *s)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, s->log, 0) != MAP_FAILED ||
	       mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, s->log, 0) != MAP_FAILED;
}

static bool run_shared(const struct fixture *s)
{
	const int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700);
	void *at = id < 0 ? MAP_FAILED : shmat(id, NULL, SHM_EXEC);

	(void)s;
	if (id >= 0)
		shmctl(id, IPC_RMID, NULL);
	return at != MAP_FAILED;
}

static bool run_by_personality(const struct fixture *s)
{
	/* READ_IMPLIES_EXEC */
	return s && syscall(SYS_personality, 0x0400000) >= 0 &&
	       run_code(code_at(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
}

static bool make_memory_file(const struct fixture *s)
{
	(void)s;
	return syscall(SYS_memfd_create, "x", 0) >= 0;
}

static bool make_ring(const struct fixture *s)
{
	unsigned char parameters[120] = { 0 };

	(void)s;
	return syscall(SYS_io_uring_setup, 4, parameters) >= 0;
}

static bool make_program(const struct fixture *s)
{
	/* BPF_MAP_CREATE of an array. */
	unsigned attributes[30] = { 2, 4, 4, 1 };

	(void)s;
	return syscall(SYS_bpf, 0, attributes, sizeof attributes) >= 0;
}

static bool handle_faults(const struct fixture *s)
{
	(void)s;
	return syscall(SYS_userfaultfd, 1) >= 0;
}

static bool raise_limit(const struct fixture *s)
{
	struct rlimit limit;

	(void)s;
	return getrlimit(RLIMIT_CORE, &limit) == 0 && setrlimit(RLIMIT_CORE, &limit) == 0;
}

static bool type_into_terminal(const struct fixture *s)
{
	const int master = posix_openpt(O_RDWR | O_NOCTTY);
	int slave = -1;

	(void)s;
	if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0)
		slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	return slave >= 0 && ioctl(slave, TIOCSTI, "x") == 0;
}

/* The calls of 32 bits have other numbers, which the table does not know. */
static bool other_numbers(const struct fixture *s)
{
	(void)s;
#ifdef __x86_64__
	long fd = 359;

	/* socket(AF_INET, SOCK_DGRAM, 0) */
	__asm__ volatile("int $0x80"
	    : "+a"(fd)
	    : "b"(AF_INET), "c"(SOCK_DGRAM), "d"(0)
	    : "memory", "r8", "r9", "r10", "r11");
	return fd >= 0 || syscall(0x40000000 + SYS_socket, AF_INET, SOCK_DGRAM, 0) >= 0;
#else
	return false;
#endif
}

/* What holds it. */
enum by {
	FILTER,
	/* The filter lets the watching process. */
	FILTER_OF_SERVER,
	/* The filter lets both. */
	NO_FILTER,
	/* It is what the watching process does. */
	NOT_WATCHER,
};

/* The filter, where it sees the arguments of socket calls. */
#ifdef SYS_socketcall
#define ARGUMENTS NO_FILTER
#else
#define ARGUMENTS FILTER
#endif

static const struct attack {
	const char *name;
	bool (*run)(const struct fixture *s);
	enum by by;
	/* From which version on Landlock holds it too, 0 for none. */
	int landlock;
	/* Possible wherever there is no sandbox. */
	bool always;
} attacks[] = {
	{ "connect", connect_new, FILTER, 4, true },
	{ "connect a listener", connect_listener, FILTER, 4, true },
	{ "TCP_FASTOPEN_CONNECT", connect_later, FILTER, 4, false },
	{ "MSG_FASTOPEN by sendto", fast_open_listener, ARGUMENTS, 0, false },
	{ "MSG_FASTOPEN by sendmsg", fast_open_message, ARGUMENTS, 0, false },
	{ "MSG_FASTOPEN by sendmmsg", fast_open_messages, ARGUMENTS, 0, false },
	{ "MSG_FASTOPEN from a client's connection", fast_open_client, ARGUMENTS, 0, false },
	{ "connect a Unix socket", connect_unix, FILTER, 0, true },
	{ "Unix datagram", send_unix, ARGUMENTS, 0, true },
	{ "Unix datagram with a descriptor", send_descriptor, ARGUMENTS, 0, true },
	{ "Unix datagram, abstract", send_abstract, FILTER, 6, true },
	{ "Unix datagram from a pair", send_from_pair, ARGUMENTS, 0, true },
	{ "F_SETOWN, F_SETSIG, O_ASYNC", signal_owner, FILTER, 6, true },
	{ "F_SETOWN_EX, O_ASYNC", signal_owner_extended, FILTER, 6, true },
	{ "FIOSETOWN, FIOASYNC", signal_owner_ioctl, FILTER, 6, true },
	{ "kill", kill_victim, FILTER_OF_SERVER, 6, true },
	{ "kill with SIGHUP, a group", kill_otherwise, FILTER, 6, true },
	{ "tgkill with SIGABRT", abort_victim, FILTER_OF_SERVER, 6, true },
	{ "tgkill, tkill with SIGKILL", kill_thread, FILTER, 6, true },
	{ "rt_sigqueueinfo", kill_queued, FILTER, 6, true },
	{ "pidfd_send_signal", kill_by_descriptor, FILTER, 6, false },
	{ "ptrace", trace, FILTER, 1, false },
	{ "process_vm_writev", write_memory, FILTER, 1, false },
	{ "prlimit of another", limit_other, FILTER, 0, false },
	{ "setpriority of another", slow_other, FILTER, 0, true },
	{ "read a file", read_file, FILTER, 1, true },
	{ "read standard input", read_input, FILTER, 0, true },
	{ "list a folder", list_folder, FILTER, 1, true },
	{ "write a file", write_file, FILTER, 1, true },
	{ "make a file", make_new_file, FILTER, 1, true },
	{ "name a Unix socket", name_socket, NO_FILTER, 1, true },
	{ "rename, link", rename_file, FILTER, 1, true },
	{ "chmod, truncate", change_file, FILTER, 0, true },
	{ "truncate", truncate_file, FILTER, 3, true },
	{ "unlink elsewhere", remove_file, NO_FILTER, 1, true },
	{ "rmdir", remove_folder, FILTER, 1, true },
	{ "pwrite, ftruncate the log", forge_log, FILTER, 0, true },
	{ "lseek in the log", forge_log_after_seek, FILTER, 0, true },
	{ "execve, execveat", execute, FILTER, 1, true },
	{ "fork", start_process, NOT_WATCHER, 0, true },
	{ "unshare", new_namespace, FILTER, 0, false },
	{ "clone, clone3 of a namespace", start_in_namespace, FILTER, 0, false },
	{ "socket of every family", make_socket, ARGUMENTS, 0, true },
	{ "bind and listen", bind_new, FILTER, 0, true },
	{ "setsockopt", set_option, ARGUMENTS, 0, true },
	{ "mmap PROT_EXEC", run_mapped, FILTER, 0, false },
	{ "mprotect PROT_EXEC", run_protected, FILTER, 0, false },
	{ "mmap a file", run_of_file, FILTER, 0, false },
	{ "shmat SHM_EXEC", run_shared, FILTER, 0, false },
	{ "personality READ_IMPLIES_EXEC", run_by_personality, FILTER, 0, false },
	{ "memfd_create", make_memory_file, FILTER, 0, false },
	{ "io_uring_setup", make_ring, FILTER, 0, false },
	{ "bpf", make_program, FILTER, 0, false },
	{ "userfaultfd", handle_faults, FILTER, 0, false },
	{ "setrlimit", raise_limit, FILTER, 0, true },
	{ "TIOCSTI", type_into_terminal, FILTER, 0, false },
	{ "calls by int 0x80 and x32", other_numbers, FILTER, 0, false },
};
#define ATTACKS (sizeof attacks / sizeof *attacks)

/* As on a system that has no filters. */
static void forbid_filter(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog all = { sizeof program / sizeof *program, program };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all);
}

static void enter(enum mode mode, const char *own, char report[300])
{
	const struct sandbox s = {
		.watches = mode == WATCHER, .files = { own, NULL }, .lifeline = -1
	};

	if (mode == LANDLOCK)
		forbid_filter();
	if (mode != OUTSIDE)
		sandbox_enter(&s, report, 300);
}

/* A process begins that does not live for ever. */
static pid_t start_attacker(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS };
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* cmocka's own would go on with the tests. */
		for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
			signal(faults[i], SIG_DFL);
		alarm(20);
	}
	return pid;
}

static int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* What it has led to, NULL for nothing. */
static const char *try_attack(const struct attack *a, enum mode mode)
{
	const char *did = NULL;
	char report[300];
	struct fixture s;
	pid_t pid;
	int status;

	set_stage(&s);
	pid = start_attacker();
	if (pid == 0) {
		if (chdir(s.folder) < 0)
			_exit(GOT_IT);
		enter(mode, s.own, report);
		_exit(a->run(&s) ? GOT_IT : 0);
	}
	status = wait_for(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == GOT_IT)
		did = "done";
	/* A signal, or a connection, may be under way yet. */
	for (int i = 0;
	    !did && !(did = effect(&s)) && mode == OUTSIDE && i < (a->always ? 1000 : 50); i++)
		usleep(2000);
	clear_stage(&s);
	return did;
}

/* Landlock's version, as the report tells of it, at least; whether there is a filter. */
static int in_force(enum mode mode, bool *filter)
{
	char report[300] = "";
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = start_attacker();
	if (pid == 0) {
		enter(mode, NULL, report);
		_exit(write(ends[1], report, sizeof report) != sizeof report);
	}
	assert_int_equal(wait_for(pid), 0);
	assert_int_equal(read(ends[0], report, sizeof report), sizeof report);
	close(ends[0]);
	close(ends[1]);
	*filter = strstr(report, ", seccomp") != NULL;
	return strstr(report, "no Landlock") ? 0
	     : strstr(report, "signals)")    ? 6
	     : strstr(report, "TCP)")        ? 4
	                                     : 1;
}

static bool is_held(const struct attack *a, enum mode mode, int landlock, bool filter)
{
	const bool filtered = filter && (a->by == FILTER || (mode == SERVER && a->by != NO_FILTER));

	/* Sanitizers may write files, so that Landlock allows all then. */
	return filtered || (a->landlock > (SANITIZED ? 3 : 0) && a->landlock <= landlock);
}

static void attacks_do_nothing(void **state)
{
	bool filter[MODES] = { false };
	int landlock[MODES] = { 0 }, failed = 0, tried = 0;

	(void)state;
	for (enum mode mode = SERVER; mode < MODES; mode++)
		landlock[mode] = in_force(mode, &filter[mode]);
	assert_false(filter[LANDLOCK]);
	print_message("Landlock %d, a filter %d\n", landlock[SERVER], filter[SERVER]);
	for (const struct attack *a = attacks; a < attacks + ATTACKS; a++) {
		const char *did = try_attack(a, OUTSIDE);

		print_message("%s: %s\n", a->name, did ? did : "cannot be tried here");
		failed += !did && a->always;
		for (enum mode mode = SERVER; did && mode < MODES; mode++) {
			if (!is_held(a, mode, landlock[mode], filter[mode]))
				continue;
			tried++;
			if (!(did = try_attack(a, mode)))
				did = "";
			else
				print_error("%s, %s: %s\n", a->name, mode_names[mode], did),
				    failed++;
		}
	}
	assert_int_equal(failed, 0);
	if (!tried)
		not_here("a sandbox: neither a filter nor Landlock");
}

static bool in_table(long number)
{
#ifdef __x86_64__
	/* uretprobe and uprobe: no filter is asked, and who calls them elsewhere than in a probe
	 * dies. */
	if (number == 335 || number == 336)
		return true;
#endif
#if defined HAVE_LIBSECCOMP && !SANITIZED
	for (size_t i = 0; i < CALLS; i++)
		if (calls[i].number == number && calls[i].when[0].op == 0)
			return true;
#else
	(void)number;
#endif
	return false;
}

/* Whatever is not in the table, and what is there under conditions, which these do not fulfil. */
static void all_else_is_refused(void **state)
{
	bool filter;

	(void)state;
	/* Then there is none. */
	if (SANITIZED)
		return;
	in_force(SERVER, &filter);
	if (!filter)
		not_here("a filter of system calls");
	for (enum mode mode = SERVER; mode <= WATCHER; mode++) {
		const pid_t pid = start_attacker();
		char report[300];

		if (pid == 0) {
			enter(mode, "/nowhere/file", report);
			for (long number = 0; number <= 480; number++)
				if (!in_table(number) &&
				    (syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) != -1 ||
				        (errno != EPERM && errno != ENOSYS)))
					_exit(number % 255 + 1);
			_exit(0);
		}
		assert_int_equal(wait_for(pid), 0);
	}
}

#define NEED(what) \
	do { \
		if (!(what)) \
			_exit(__LINE__ % 200 + 1); \
	} while (0)

/* What the server does, in `mode`. */
static void serve(const struct fixture *s, enum mode mode, unsigned loopback)
{
	struct addr scoped = { .in6 = { .sin6_family = AF_INET6, .sin6_scope_id = loopback },
		.len = sizeof(struct sockaddr_in6) };
	struct ifaddrs *all;
	struct stat own;
	char text[ADDR_TEXT_SIZE], report[300];
	int accepted, queued = -1;
	unsigned char *bytes = malloc(1 << 20), *more = realloc(bytes, 8 << 20);

	enter(mode, s->own, report);
	NEED(more && (bytes = realloc(more, 16 << 20)));
	free(bytes);
	NEED((accepted = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0);
	NEED(send(accepted, "x", 1, MSG_NOSIGNAL) == 1 && ioctl(accepted, SIOCOUTQ, &queued) == 0);
	NEED(shutdown(accepted, SHUT_WR) == 0 && close(accepted) == 0);
	NEED(sendmsg(s->udp, message(&s->udp_at, sizeof s->udp_at, -1),
	         MSG_DONTWAIT | MSG_NOSIGNAL) == 1);
	NEED(ioctl(s->udp, FIONREAD, &queued) == 0 && recv(s->udp, text, 1, MSG_DONTWAIT) == 1);
	NEED(getifaddrs(&all) == 0 && all);
	freeifaddrs(all);
	scoped.in6.sin6_addr.s6_addr[0] = 0xfe;
	scoped.in6.sin6_addr.s6_addr[1] = 0x80;
	NEED(!strstr(addr_host_text(&scoped, text), "%1") && strchr(text, '%'));
	NEED(lstat(s->own, &own) == 0 && unlink(s->own) == 0);
	_exit(0);
}

static void serving_works(void **state)
{
	const unsigned loopback = if_nametoindex("lo");
	struct fixture s;

	(void)state;
	for (enum mode mode = SERVER; mode < MODES; mode++) {
		pid_t pid;

		set_stage(&s);
		pid = start_attacker();
		if (pid == 0)
			serve(&s, mode, loopback);
		assert_int_equal(wait_for(pid), 0);
		clear_stage(&s);
	}
}

/* As it ends where the C library finds its heap broken. */
static void aborts(void **state)
{
	(void)state;
	for (enum mode mode = SERVER; mode < MODES; mode++) {
		const pid_t pid = start_attacker();
		char report[300];

		if (pid == 0) {
			setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
			enter(mode, NULL, report);
			abort();
		}
		assert_int_equal(WTERMSIG(wait_for(pid)), SIGABRT);
	}
}

/* A worker's sandbox within the one of who watches, which reads its lifeline and ends the worker.
 */
static void watch(int lifeline)
{
	const struct sandbox watcher = { .watches = true, .lifeline = lifeline },
	                     worker = { .lifeline = -1 };
	char report[300];
	int status, line[2];
	pid_t pid;

	sandbox_enter(&watcher, report, sizeof report);
	NEED(got_secret(lifeline));
	NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, line) == 0);
	for (int number = SIGABRT; number; number = number == SIGABRT ? SIGTERM : 0) {
		NEED((pid = fork()) >= 0);
		if (pid == 0) {
			char inner[300];

			sandbox_enter(&worker, inner, sizeof inner);
			NEED(strcmp(inner, report) == 0);
			/* Who watches is not to be ended by a worker. */
			kill(getppid(), SIGKILL);
			if (number == SIGABRT)
				abort();
			for (;;)
				poll(NULL, 0, 1000);
		}
		NEED(number == SIGABRT || kill(pid, number) == 0);
		NEED(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
		     WTERMSIG(status) == number);
	}
	_exit(0);
}

static void watching_works(void **state)
{
	struct fixture s;
	bool filter;
	pid_t pid;

	(void)state;
	if (in_force(WATCHER, &filter) < 6 && !filter)
		not_here("a sandbox that holds signals: neither a filter nor Landlock");
	set_stage(&s);
	pid = start_attacker();
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		watch(s.input);
	}
	assert_int_equal(wait_for(pid), 0);
	clear_stage(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attacks_do_nothing),
		cmocka_unit_test(all_else_is_refused),
		cmocka_unit_test(serving_works),
		cmocka_unit_test(aborts),
		cmocka_unit_test(watching_works),
	};

	/* The victim's pipe. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
