/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The seam to the system: what POSIX does not have. Each function stands in os-linux.c, by the
 * system's own calls, and in os-posix.c, for systems without them; configure tries which a system
 * has (HAVE_... in config.h, 1 or 0), and --enable-portable uses none. What a system does not tell
 * is "not known", never a guess: each function says how.
 *
 * Beyond POSIX the programs use only what Linux, FreeBSD and macOS all have: getopt_long(),
 * getifaddrs(), flock(), TIOCGWINSZ, IPV6_V6ONLY and a TTL for each socket. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>

/* --- descriptors --- */

/* All descriptors are close-on-exec and, where nothing else is said, non-blocking. */

/* socket(), accept() (`from` may be NULL), socketpair() of AF_UNIX, pipe(): like these. */
int os_socket(int family, int type);
int os_accept(int listener, struct sockaddr *from, socklen_t *length);
int os_socketpair(int ends[2]);
int os_pipe(int ends[2], bool blocking);
/* Opens what `fd` writes to anew and non-blocking, so that nobody else who has it open is affected.
 * Returns -1 with errno where the system cannot. */
int os_reopen(int fd);

/* --- messages --- */

/* What a socket is to report about each message that it receives: a set. */
enum os_ask {
	OS_ASK_STAMP = 1, /* when the system received it */
	OS_ASK_DROPS = 2,
	OS_ASK_LOCAL = 4,
	OS_ASK_TTL = 8,
};

/* The address of this machine that a datagram was sent to, from which its reply leaves. */
struct os_local {
	/* AF_INET or AF_INET6; AF_UNSPEC: not known, or not asked for. */
	int family;
	/* It was sent to a group: multicast or broadcast; the address is the interface's own. */
	bool group;
	/* The interface of a link-local address; 0: the route decides. */
	unsigned interface;
	union {
		struct in_addr in;
		struct in6_addr in6;
	};
};

struct os_arrival {
	/* ns of the wall clock; -1: not known. */
	int64_t stamp;
	/* The socket's messages that found no room until then, modulo 2^32; -1: not known. */
	int64_t drops;
	/* The TTL or hop limit; 0: not known. */
	int ttl;
	/* The size of each of the datagrams that the system has joined; 0: it is one. */
	size_t each;
	struct os_local local;
};

/* Room for the control data of a message. */
union os_control {
	uint64_t align;
	unsigned char bytes[192];
};

/* A message of several that are received or sent at once; `n`: the bytes received. */
struct os_message {
	struct msghdr header;
	unsigned n;
};

/* What a socket accepts at once. */
struct os_batches {
	/* Several messages in a call. */
	bool calls;
	/* Sends a message as datagrams of equal size; receives datagrams as one message. */
	bool splits, joins;
};

/* Reports what the system can. */
void os_ask(int fd, unsigned what);
/* Receives one as recv() does, and what the system reports. */
ssize_t os_receive(int fd, void *bytes, size_t size, struct os_arrival *out);
/* Reads the control data of a received message. */
void os_read_arrival(struct msghdr *m, struct os_arrival *out);
/* Writes the control data of a message that leaves from `from`, as datagrams of `each` bytes if
 * that is not 0. Returns its size: 0 if there is nothing to say. */
size_t os_write_control(union os_control *out, const struct os_local *from, size_t each);
/* As `drops` above, at present. */
int64_t os_drops(int fd);
/* Adds up what this machine has dropped because sockets had no room. Returns -1: not known. */
int64_t os_host_drops(void);
/* The size of a socket's buffer, SO_RCVBUF or SO_SNDBUF, bytes; 0: not known. */
int os_buffer(int fd, int option);
/* Sets it, past the system's limit where that is allowed, else up to it. */
void os_set_buffer(int fd, int option, int size);

/* Finds out what the socket can; switches joining on. */
struct os_batches os_batches(int fd);
/* Receives or sends up to `count` messages, without waiting. Returns how many; or -1 with errno,
 * which is ENOSYS where the system has no such call. */
int os_receive_many(int fd, struct os_message *messages, int count);
int os_send_many(int fd, struct os_message *messages, int count);

/* --- the error queue --- */

/* What the system says later of a datagram that was sent. */
struct os_error {
	enum { OS_ERROR_OTHER, OS_ERROR_ICMP4, OS_ERROR_ICMP6, OS_ERROR_SENT } kind;
	/* SENT: which datagram of the socket, from 0 on, and when it left, ns of the wall clock. */
	uint32_t number;
	int64_t sent;
	/* ICMP: as errno, the message's type and code, the next hop's MTU, and the host that sent
	 * it, of length 0 if that is not known. */
	int error, type, code;
	uint32_t mtu;
	struct sockaddr_storage from;
	socklen_t from_length;
};

/* Switches the queue of ICMP errors on or off. Returns whether there is one: where there is none,
 * an error is the errno of a later call, and says nothing of the datagram. */
bool os_queue_errors(int fd, int family, bool on);
/* Switches on the times at which datagrams leave. Returns whether they come. */
bool os_queue_sent(int fd);
/* Takes the next entry and the bytes of the datagram, as many as came back. Returns their count; -1
 * if there is none. */
ssize_t os_next_error(int fd, void *bytes, size_t size, struct os_error *out);

/* --- TCP --- */

/* The kernel's numbers of a connection: X(identifier, the word for it on the server's control
 * socket or NULL, its place in struct tcp_info). Times are in us. */
#define OS_TCP_LIST(X) \
	/* RFC 9293, section 3.3.2, as Linux numbers it (net/tcp_states.h). */ \
	X(STATE, NULL, MEMBER(tcpi_state)) \
	X(RETRANSMITS, "retransmits", MEMBER(tcpi_retransmits)) \
	X(PROBES, "probes", MEMBER(tcpi_probes)) \
	X(BACKOFF, "backoff", MEMBER(tcpi_backoff)) \
	X(RTO, "rto-us", MEMBER(tcpi_rto)) \
	X(RTT, "rtt-us", MEMBER(tcpi_rtt)) \
	X(RTTVAR, "rttvar-us", MEMBER(tcpi_rttvar)) \
	X(MIN_RTT, "min-rtt-us", MEMBER(tcpi_min_rtt)) \
	X(CWND, "cwnd", MEMBER(tcpi_snd_cwnd)) \
	X(UNACKED, "unacked", MEMBER(tcpi_unacked)) \
	X(LOST, "lost", MEMBER(tcpi_lost)) \
	X(TOTAL_RETRANS, "total-retrans", MEMBER(tcpi_total_retrans)) \
	X(BYTES_RETRANS, "bytes-retrans", MEMBER(tcpi_bytes_retrans)) \
	X(NOTSENT, "notsent", MEMBER(tcpi_notsent_bytes)) \
	/* Linux 6.7's tcpi_total_rto, for headers older than the kernel. */ \
	X(TOTAL_RTO, "total-rto", PLACE(240, sizeof(uint16_t))) \
	X(OUT_OF_ORDER, NULL, MEMBER(tcpi_rcv_ooopack)) \
	X(BYTES_ACKED, NULL, MEMBER(tcpi_bytes_acked)) \
	/* Linux's 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss. */ \
	X(CA_STATE, "ca-state", MEMBER(tcpi_ca_state)) \
	/* Segments; OS_TCP_NO_SSTHRESH: none yet. */ \
	X(SSTHRESH, "ssthresh", MEMBER(tcpi_snd_ssthresh)) \
	X(MSS, "mss", MEMBER(tcpi_snd_mss)) \
	/* The receive window that the peer has announced, bytes. */ \
	X(PEER_WINDOW, "peer-window", MEMBER(tcpi_snd_wnd))

#define X(id, word, place) OS_TCP_##id,
enum os_tcp_number { OS_TCP_LIST(X) OS_TCP_NUMBERS };
#undef X
/* The initializer of an array of the words by number. */
#define OS_TCP_WORD(id, word, place) [OS_TCP_##id] = word,
#define OS_TCP_WORDS { OS_TCP_LIST(OS_TCP_WORD) }

/* TCP_INFINITE_SSTHRESH of Linux (net/tcp.h): slow start has no end yet (RFC 5681, 3.1). */
#define OS_TCP_NO_SSTHRESH 0x7fffffff

/* The kernel's state of a connection (tcp(7), TCP_INFO). */
struct os_tcp {
	/* Bit N is set if number N is known. */
	unsigned known;
	uint64_t value[OS_TCP_NUMBERS];
};

void os_tcp_read(int fd, struct os_tcp *out);
static inline bool os_tcp_knows(const struct os_tcp *t, enum os_tcp_number n)
{
	return t->known >> n & 1;
}
/* The congestion control of a connection, TCP_CONGESTION, whose name has OS_CONGESTION bytes at
 * most with its end. Setting it returns 0, or -1 with errno: ENOENT where the kernel has not this
 * one, EPERM where only root may choose it, ENOSYS where the system has no choice. Returns `name`,
 * "" where it is not known. */
#define OS_CONGESTION 16
int os_set_congestion(int fd, const char *name);
char *os_congestion(int fd, char name[OS_CONGESTION]);
/* The bytes that were written and are not acknowledged; -1: not known. */
int os_unacknowledged(int fd);
/* Limits what the system keeps unsent of what is written, bytes, where it can. */
void os_limit_unsent(int fd, int bytes);

/* --- many descriptors: epoll(7) --- */

struct os_ready {
	int fd;
	bool read, write;
};

/* Returns a descriptor that can be read when one of those that it watches is ready; or -1 with
 * errno, which is ENOSYS where the system has none. */
int os_poller(void);
/* Watches `fd` for what is true, or no more; `had`: it was watched. Returns 0, or -1 with errno. */
int os_poller_watch(int poller, int fd, bool had, bool read, bool write);
/* Fills in those that are ready, at most OS_READY_MAX. Returns how many. */
#define OS_READY_MAX 256
int os_poller_ready(int poller, struct os_ready ready[OS_READY_MAX]);

/* --- processes --- */

/* Lets sockets of this program share a port and its clients. Returns 0, or -1 with errno. */
int os_share_port(int fd);
/* Zeroed memory that later children share; NULL with errno. munmap() frees it. */
void *os_shared_memory(size_t size);
/* Ends this process when its parent ends; where the system cannot, only if that has happened. */
void os_end_with_parent(pid_t parent);

/* --- the rest --- */

/* Fills in random bytes. Returns whether the system gave them. */
bool os_random(void *bytes, size_t n);
/* Writes the running program's path, cut to `size`. Returns false where it is not known. */
bool os_program_path(char *path, size_t size);
/* Writes the name of a network interface, of IF_NAMESIZE bytes. Returns it, or NULL. */
char *os_interface_name(unsigned number, char *name);
/* Gives memory that was freed back to the system, where the library would keep it. */
void os_trim_memory(void);
