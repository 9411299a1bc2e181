/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#if HAVE_NETLINK
#include <linux/netlink.h>
#include <net/if.h>
#endif
#if HAVE_GETRANDOM
#include <sys/random.h>
#endif
#if HAVE_MALLOC_TRIM
#include <malloc.h>
#endif
#if HAVE_ARRIVALS
#include <linux/sock_diag.h>
#endif
#if HAVE_ERROR_QUEUE
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#endif
#if HAVE_TCP_INFO
#include <linux/tcp.h>
#endif
#if HAVE_SEND_QUEUE
#include <linux/sockios.h>
#endif
#if HAVE_EPOLL
#include <sys/epoll.h>
#endif
#if HAVE_WORKERS
#include <sys/mman.h>
#include <sys/prctl.h>
#endif

#include "common/clock.h"
#include "common/file.h"
#include "common/member.h"

/* Linux 4.18 and 5.0; the C library's header may be older than the kernel. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#if HAVE_ACCEPT4
int os_socket(int family, int type)
{
	return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int os_accept(int listener, struct sockaddr *from, socklen_t *length)
{
	return accept4(listener, from, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int os_socketpair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

int os_pipe(int ends[2], bool blocking)
{
	return pipe2(ends, O_CLOEXEC | (blocking ? 0 : O_NONBLOCK));
}
#endif

#if HAVE_PROC
int os_reopen(int fd)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool os_program_path(char *path, size_t size)
{
	const ssize_t n = readlink("/proc/self/exe", path, size - 1);

	path[n > 0 ? n : 0] = '\0';
	return n > 0;
}
#endif

#if HAVE_NETLINK
/* if_indextoname(3) uses a socket of AF_UNIX; the server's sandbox allows only AF_NETLINK. */
char *os_interface_name(unsigned number, char *name)
{
	struct ifreq request = { .ifr_ifindex = (int)number };
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	const bool found = fd >= 0 && ioctl(fd, SIOCGIFNAME, &request) == 0;

	(void)file_close(fd);
	return found ? strcpy(name, request.ifr_name) : if_indextoname(number, name);
}
#endif

#if HAVE_GETRANDOM
bool os_random(void *bytes, size_t n)
{
	return getrandom(bytes, n, 0) == (ssize_t)n;
}
#endif

#if HAVE_MALLOC_TRIM
void os_trim_memory(void)
{
	malloc_trim(0);
}
#endif

#if HAVE_ARRIVALS || HAVE_ERROR_QUEUE
/* Sets an option without which the program still works. */
static void set(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof value);
}

static int64_t stamp(const void *data)
{
	struct timespec ts;

	memcpy(&ts, data, sizeof ts);
	return clock_ns(&ts);
}
#endif

#if HAVE_ARRIVALS
/* A socket of IPv6 that also takes IPv4, which a service manager may hand over, has control data of
 * both and takes both options; a socket of IPv4 refuses those of IPv6. */
void os_ask(int fd, unsigned what)
{
	if (what & OS_ASK_STAMP)
		set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	if (what & OS_ASK_DROPS)
		set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	if (what & OS_ASK_LOCAL) {
		set(fd, IPPROTO_IP, IP_PKTINFO, 1);
		set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	}
	if (what & OS_ASK_TTL) {
		set(fd, IPPROTO_IP, IP_RECVTTL, 1);
		set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	}
}

/* The local address of a datagram differs from the one it was sent to if that was multicast or
 * broadcast. It is missing for datagrams that came before the socket was asked, as where a service
 * manager starts servers when something comes: then the address decides as far as it can, and the
 * kernel sends nothing from a wrong one. */
static struct os_local local4(const void *data)
{
	struct in_pktinfo p;

	memcpy(&p, data, sizeof p);
	const in_addr_t to = ntohl(p.ipi_addr.s_addr);
	const bool known = p.ipi_spec_dst.s_addr != htonl(INADDR_ANY);

	return (struct os_local){ .family = AF_INET,
		.group = (known && p.ipi_addr.s_addr != p.ipi_spec_dst.s_addr) ||
		         IN_MULTICAST(to) || to == INADDR_BROADCAST,
		.in = known ? p.ipi_spec_dst : p.ipi_addr };
}

static struct os_local local6(const void *data)
{
	struct in6_pktinfo p;

	memcpy(&p, data, sizeof p);
	return (struct os_local){ .family = AF_INET6,
		.group = IN6_IS_ADDR_MULTICAST(&p.ipi6_addr),
		.interface = IN6_IS_ADDR_LINKLOCAL(&p.ipi6_addr) ? p.ipi6_ifindex : 0,
		.in6 = p.ipi6_addr };
}

static uint32_t number(const void *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof value);
	return value;
}

void os_read_arrival(struct msghdr *m, struct os_arrival *out)
{
	*out = (struct os_arrival){ .stamp = -1, .drops = -1 };
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		const void *data = CMSG_DATA(c);
		const int level = c->cmsg_level, type = c->cmsg_type;

		if (level == SOL_SOCKET && type == SO_TIMESTAMPNS)
			out->stamp = stamp(data);
		else if (level == SOL_SOCKET && type == SO_RXQ_OVFL)
			out->drops = number(data);
		else if (level == IPPROTO_IP && type == IP_PKTINFO)
			out->local = local4(data);
		else if (level == IPPROTO_IPV6 && type == IPV6_PKTINFO)
			out->local = local6(data);
		else if ((level == IPPROTO_IP && type == IP_TTL) ||
		         (level == IPPROTO_IPV6 && type == IPV6_HOPLIMIT))
			out->ttl = (int)number(data);
		else if (level == IPPROTO_UDP && type == UDP_GRO)
			out->each = number(data);
	}
}

int64_t os_drops(int fd)
{
	uint32_t values[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof values;

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, values, &size) < 0 ||
	    size < (SK_MEMINFO_DROPS + 1) * sizeof *values)
		return -1;
	return values[SK_MEMINFO_DROPS];
}

/* Adds the counters of "Udp:" (IPv4) in /proc/net/snmp, which has lines of names and of values:
 * RcvbufErrors (no room in the socket) and MemErrors (none in the kernel), as for IPv6. */
static bool read_snmp(int64_t *count)
{
	char names[1024], values[1024], *rest_names = NULL, *rest_values = NULL;
	bool found = false;
	FILE *in = fopen("/proc/self/net/snmp", "re");

	while (in && !found && fgets(names, sizeof names, in) && fgets(values, sizeof values, in))
		found = strncmp(names, "Udp:", 4) == 0;
	if (in)
		fclose(in);
	if (!found)
		return false;
	for (const char *name = strtok_r(names, " \n", &rest_names),
	                *value = strtok_r(values, " \n", &rest_values);
	    name && value;
	    name = strtok_r(NULL, " \n", &rest_names), value = strtok_r(NULL, " \n", &rest_values))
		if (strcmp(name, "RcvbufErrors") == 0 || strcmp(name, "MemErrors") == 0)
			*count += strtoll(value, NULL, 10);
	return true;
}

static void read_snmp6(int64_t *count)
{
	char line[256];
	FILE *in = fopen("/proc/self/net/snmp6", "re");

	while (in && fgets(line, sizeof line, in))
		if (strncmp(line, "Udp6RcvbufErrors", 16) == 0 ||
		    strncmp(line, "Udp6MemErrors", 13) == 0)
			*count += strtoll(line + strcspn(line, " \t"), NULL, 10);
	if (in)
		fclose(in);
}

int64_t os_host_drops(void)
{
	int64_t count = 0;

	if (!read_snmp(&count))
		return -1;
	read_snmp6(&count);
	return count;
}

/* The kernel doubles the size for its own needs. */
int os_buffer(int fd, int option)
{
	int size = 0;
	socklen_t length = sizeof size;

	return getsockopt(fd, SOL_SOCKET, option, &size, &length) < 0 ? 0 : size / 2;
}

void os_set_buffer(int fd, int option, int size)
{
	const int forced = option == SO_RCVBUF ? SO_RCVBUFFORCE : SO_SNDBUFFORCE;

	if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size) < 0)
		set(fd, SOL_SOCKET, option, size);
}

_Static_assert(sizeof(union os_control) >=
                   CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(struct in6_pktinfo)) +
                       CMSG_SPACE(sizeof(struct timespec)) + 3 * CMSG_SPACE(sizeof(uint32_t)),
    "a datagram of IPv4 to a socket of IPv6 has the most");

/* Adds a control message. Returns the size of all. */
static size_t put(union os_control *out, size_t at, int level, int type, const void *data, size_t n)
{
	struct cmsghdr *c = (void *)(out->bytes + at);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), data, n);
	return at + CMSG_SPACE(n);
}

size_t os_write_control(union os_control *out, const struct os_local *from, size_t each)
{
	const uint16_t segment = (uint16_t)each;
	size_t size = 0;

	if (from->family == AF_INET)
		size = put(out, size, IPPROTO_IP, IP_PKTINFO,
		    &(struct in_pktinfo){ .ipi_spec_dst = from->in, .ipi_addr = from->in },
		    sizeof(struct in_pktinfo));
	else if (from->family == AF_INET6)
		size = put(out, size, IPPROTO_IPV6, IPV6_PKTINFO,
		    &(struct in6_pktinfo){ from->in6, from->interface },
		    sizeof(struct in6_pktinfo));
	return each ? put(out, size, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) : size;
}
#endif

#if HAVE_BATCHES
_Static_assert(sizeof(struct os_message) == sizeof(struct mmsghdr) &&
                   offsetof(struct os_message, n) == offsetof(struct mmsghdr, msg_len),
    "a message is the system's");

struct os_batches os_batches(int fd)
{
	int value;
	socklen_t size = sizeof value;
	struct mmsghdr none;

	return (struct os_batches){
		.calls = recvmmsg(fd, &none, 0, MSG_DONTWAIT, NULL) >= 0 ||
		         (errno != ENOSYS && errno != EPERM),
		.splits = getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &size) == 0,
		.joins = setsockopt(fd, IPPROTO_UDP, UDP_GRO, &(int){ 1 }, sizeof(int)) == 0,
	};
}

int os_receive_many(int fd, struct os_message *messages, int count)
{
	return recvmmsg(fd, (void *)messages, (unsigned)count, MSG_DONTWAIT, NULL);
}

int os_send_many(int fd, struct os_message *messages, int count)
{
	return sendmmsg(fd, (void *)messages, (unsigned)count, MSG_NOSIGNAL | MSG_DONTWAIT);
}
#endif

#if HAVE_ERROR_QUEUE
bool os_queue_errors(int fd, int family, bool on)
{
	if (family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_RECVERR, on);
	else
		set(fd, IPPROTO_IP, IP_RECVERR, on);
	return true;
}

bool os_queue_sent(int fd)
{
	const int flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
	                  SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;

	return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) == 0;
}

static void read_icmp(const struct sock_extended_err *e, struct os_error *out)
{
	out->kind = e->ee_origin == SO_EE_ORIGIN_ICMP6 ? OS_ERROR_ICMP6 : OS_ERROR_ICMP4;
	out->error = (int)e->ee_errno;
	out->type = e->ee_type;
	out->code = e->ee_code;
	out->mtu = e->ee_errno == EMSGSIZE ? e->ee_info : 0;
	/* SO_EE_OFFENDER() has no const. */
	const struct sockaddr *offender = (const struct sockaddr *)(e + 1);
	if (offender->sa_family == AF_UNSPEC)
		return;
	out->from_length = out->kind == OS_ERROR_ICMP6 ? sizeof(struct sockaddr_in6)
	                                               : sizeof(struct sockaddr_in);
	memcpy(&out->from, offender, out->from_length);
}

ssize_t os_next_error(int fd, void *bytes, size_t size, struct os_error *out)
{
	_Alignas(struct cmsghdr) unsigned char control[512];
	struct iovec part = { bytes, size };
	struct msghdr m = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control };
	const ssize_t n = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);

	*out = (struct os_error){ .sent = -1 };
	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		const struct sock_extended_err *e = (const void *)CMSG_DATA(c);

		/* The first of three stamps is the software's. */
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPING)
			out->sent = stamp(e);
		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
		    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			continue;
		if (e->ee_origin == SO_EE_ORIGIN_TIMESTAMPING && e->ee_info == SCM_TSTAMP_SND) {
			out->kind = OS_ERROR_SENT;
			out->number = e->ee_data;
		} else if (e->ee_origin == SO_EE_ORIGIN_ICMP ||
		           e->ee_origin == SO_EE_ORIGIN_ICMP6) {
			read_icmp(e, out);
		}
	}
	return n;
}
#endif

#if HAVE_TCP_INFO
#define PLACE(offset, size) { offset, size }
#define MEMBER(member) \
	PLACE(offsetof(struct tcp_info, member), sizeof((struct tcp_info){ 0 }.member))
#define X(id, word, place) place,
static const struct {
	size_t offset, size;
} tcp_numbers[OS_TCP_NUMBERS] = { OS_TCP_LIST(X) };
#undef X

/* An older kernel fills in less. */
void os_tcp_read(int fd, struct os_tcp *out)
{
	unsigned char info[256];
	socklen_t size = sizeof info;

	*out = (struct os_tcp){ .known = 0 };
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size) < 0)
		return;
	for (int i = 0; i < OS_TCP_NUMBERS; i++) {
		if (tcp_numbers[i].offset + tcp_numbers[i].size > size)
			continue;
		out->known |= 1u << i;
		out->value[i] = member_get(info + tcp_numbers[i].offset, tcp_numbers[i].size);
	}
}

int os_set_congestion(int fd, const char *name)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
}

char *os_congestion(int fd, char name[OS_CONGESTION])
{
	socklen_t size = OS_CONGESTION;

	memset(name, 0, OS_CONGESTION);
	if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) < 0)
		*name = '\0';
	return name;
}
#endif

#if HAVE_SEND_QUEUE
int os_unacknowledged(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) < 0 ? -1 : bytes;
}

void os_limit_unsent(int fd, int bytes)
{
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}
#endif

#if HAVE_EPOLL
int os_poller(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

int os_poller_watch(int poller, int fd, bool had, bool read, bool write)
{
	struct epoll_event e = { .events = (read ? EPOLLIN : 0) | (write ? EPOLLOUT : 0),
		.data.fd = fd };

	return epoll_ctl(poller,
	    !read && !write ? EPOLL_CTL_DEL
	    : had           ? EPOLL_CTL_MOD
	                    : EPOLL_CTL_ADD,
	    fd, &e);
}

int os_poller_ready(int poller, struct os_ready ready[OS_READY_MAX])
{
	struct epoll_event events[OS_READY_MAX];
	const int n = epoll_wait(poller, events, OS_READY_MAX, 0);

	/* An end or an error makes every awaited condition ready, as with select(). */
	for (int i = 0; i < n; i++)
		ready[i] = (struct os_ready){ .fd = events[i].data.fd,
			.read = events[i].events & ~(uint32_t)EPOLLOUT,
			.write = events[i].events & ~(uint32_t)EPOLLIN };
	return n;
}
#endif

#if HAVE_WORKERS
int os_share_port(int fd)
{
	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){ 1 }, sizeof(int));
}

void *os_shared_memory(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

void os_end_with_parent(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have ended before. */
	if (getppid() != parent)
		kill(getpid(), SIGKILL);
}
#endif
