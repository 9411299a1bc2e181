/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A netlink request is built in one buffer: the header, the fixed part, then attributes. An
 * attribute that holds others is opened and closed; its length is known at the close. */
#include "lab/hosts/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "common/file.h"
#include "lab/hosts/timestamp-tap.h"

#define REQUEST_SIZE 1024

/* The time between two checks of the kernel, ns, and their number. */
#define POLL_INTERVAL (1000 * 1000)
#define POLLS 10000

struct request {
	union {
		struct nlmsghdr header;
		char bytes[REQUEST_SIZE];
	};
};

static void *append(struct request *r, size_t size)
{
	void *place = r->bytes + NLMSG_ALIGN(r->header.nlmsg_len);

	memset(place, 0, size);
	r->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->header.nlmsg_len) + size);
	return place;
}

static void *begin(struct request *r, uint16_t type, uint16_t flags, size_t fixed)
{
	memset(r, 0, sizeof(*r));
	r->header.nlmsg_len = NLMSG_HDRLEN;
	r->header.nlmsg_type = type;
	r->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return append(r, fixed);
}

static struct rtattr *put(struct request *r, unsigned short type, const void *data, size_t n)
{
	struct rtattr *attribute = append(r, RTA_LENGTH(n));

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(n);
	if (n)
		memcpy(RTA_DATA(attribute), data, n);
	return attribute;
}

static void put_text(struct request *r, unsigned short type, const char *text)
{
	put(r, type, text, strlen(text) + 1);
}

static void put_u32(struct request *r, unsigned short type, uint32_t value)
{
	put(r, type, &value, sizeof(value));
}

static struct rtattr *begin_nested(struct request *r, unsigned short type)
{
	return put(r, type, NULL, 0);
}

static void end_nested(struct request *r, struct rtattr *nested)
{
	nested->rta_len = (unsigned short)(r->bytes + r->header.nlmsg_len - (char *)nested);
}

/* The kernel's answer to the one request sent: 0, or its error in errno. */
static int read_ack(int fd)
{
	union {
		struct nlmsghdr header;
		char bytes[4096];
	} answer;
	ssize_t n = recv(fd, &answer, sizeof(answer), 0);
	const struct nlmsgerr *ack = NLMSG_DATA(&answer.header);

	if (n < 0)
		return -1;
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(*ack)) || answer.header.nlmsg_type != NLMSG_ERROR) {
		errno = EPROTO;
		return -1;
	}
	errno = -ack->error;
	return ack->error ? -1 : 0;
}

static int send_request(const struct request *r)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	const bool done = fd >= 0 && send(fd, r, r->header.nlmsg_len, 0) >= 0 && read_ack(fd) == 0;

	(void)file_close(fd);
	return done ? 0 : -1;
}

int netlink_veth(const char *name, const unsigned char *mac, const char *peer, int peer_ns, int mtu)
{
	struct request r;
	struct rtattr *info, *data, *end;

	begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	put_text(&r, IFLA_IFNAME, name);
	put(&r, IFLA_ADDRESS, mac, ETH_ALEN);
	put_u32(&r, IFLA_MTU, (uint32_t)mtu);
	info = begin_nested(&r, IFLA_LINKINFO);
	put_text(&r, IFLA_INFO_KIND, "veth");
	data = begin_nested(&r, IFLA_INFO_DATA);
	end = begin_nested(&r, VETH_INFO_PEER);
	append(&r, sizeof(struct ifinfomsg));
	put_text(&r, IFLA_IFNAME, peer);
	put_u32(&r, IFLA_MTU, (uint32_t)mtu);
	put_u32(&r, IFLA_NET_NS_FD, (uint32_t)peer_ns);
	end_nested(&r, end);
	end_nested(&r, data);
	end_nested(&r, info);
	return send_request(&r);
}

static struct ifreq device_request(const char *name)
{
	struct ifreq request = { .ifr_flags = 0 };

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	return request;
}

int netlink_tun(int fd, const char *name)
{
	struct ifreq request = device_request(name);

	request.ifr_flags = IFF_TUN | IFF_NO_PI;
	return ioctl(fd, TUNSETIFF, &request);
}

static struct ifinfomsg *begin_link(struct request *r, const char *name)
{
	struct ifinfomsg *link = begin(r, RTM_NEWLINK, 0, sizeof(*link));

	link->ifi_index = (int)if_nametoindex(name);
	return link;
}

/* Without a link-local address the kernel neither solicits routers nor reports multicast groups.
 * The request fails where IPv6 is switched off, which does no harm. */
static void forbid_link_local(const char *name)
{
	const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
	struct request r;
	struct rtattr *families, *family;

	begin_link(&r, name);
	families = begin_nested(&r, IFLA_AF_SPEC);
	family = begin_nested(&r, AF_INET6);
	put(&r, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	end_nested(&r, family);
	end_nested(&r, families);
	(void)send_request(&r);
}

/* An ethtool command for the device: its answer is in `command`. */
static int ethtool(int fd, const char *name, void *command)
{
	struct ifreq request = device_request(name);

	request.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &request);
}

/* Leaves checksums and segmentation to the kernel's software, which also segments where the device
 * makes no checksums (without TX checksums the kernel uses no other offload of the device). A
 * checksum that is still missing shows in PACKET_VNET_HDR, and device_read() completes it. */
static void forbid_offload(const char *name)
{
	static const uint32_t commands[] = { ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM, ETHTOOL_STSO,
		ETHTOOL_SGRO };
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands) && fd >= 0; i++)
		(void)ethtool(fd, name, &(struct ethtool_value){ .cmd = commands[i] });
	(void)file_close(fd);
}

int netlink_raise(const char *name, const struct netlink_setup *shape)
{
	struct request r;
	struct ifinfomsg *link;

	forbid_link_local(name);
	if (shape->no_offload)
		forbid_offload(name);
	link = begin_link(&r, name);
	link->ifi_flags = IFF_UP | (shape->no_arp ? IFF_NOARP : 0);
	link->ifi_change = IFF_UP | (shape->no_arp ? IFF_NOARP | IFF_MULTICAST : 0);
	if (shape->mtu)
		put_u32(&r, IFLA_MTU, (uint32_t)shape->mtu);
	if (shape->queue)
		put_u32(&r, IFLA_TXQLEN, (uint32_t)shape->queue);
	return send_request(&r);
}

/* Waits until `ready` returns true for the socket `fd`, which it closes, and `target`. */
static void wait_until(bool (*ready)(int fd, const void *target), int fd, const void *target)
{
	const struct timespec pause = { .tv_nsec = POLL_INTERVAL };

	for (int i = 0; fd >= 0 && i < POLLS && !ready(fd, target); i++)
		nanosleep(&pause, NULL);
	(void)file_close(fd);
}

/* ETHTOOL_GLINK makes kernels from 6.8 on update the flags. */
static bool has_carrier(int fd, const void *name)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GLINK };
	struct ifreq request = device_request(name);

	(void)ethtool(fd, name, &value);
	return ioctl(fd, SIOCGIFFLAGS, &request) != 0 || request.ifr_flags & IFF_RUNNING;
}

void netlink_wait_carrier(const char *name)
{
	wait_until(has_carrier, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), name);
}

/* The address's family, and its `*n` bytes. */
static int read_address(const char *address, unsigned char bytes[sizeof(struct in6_addr)],
    size_t *n)
{
	const int family = strchr(address, ':') ? AF_INET6 : AF_INET;

	*n = family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
	inet_pton(family, address, bytes);
	return family;
}

int netlink_address(const char *name, const char *address, int prefix)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	size_t n;
	int family = read_address(address, bytes, &n);
	struct request r;
	struct ifaddrmsg *fixed = begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE,
	    sizeof(*fixed));

	fixed->ifa_family = (uint8_t)family;
	fixed->ifa_prefixlen = (uint8_t)prefix;
	fixed->ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0;
	fixed->ifa_index = if_nametoindex(name);
	put(&r, IFA_LOCAL, bytes, n);
	put(&r, IFA_ADDRESS, bytes, n);
	return send_request(&r);
}

/* Whether the route to the host's own address is local. */
static bool is_taken(int fd, const void *address)
{
	union {
		struct nlmsghdr header;
		char bytes[1024];
	} answer;
	const struct rtmsg *route = NLMSG_DATA(&answer.header);
	struct request r;
	struct rtmsg *fixed = begin(&r, RTM_GETROUTE, 0, sizeof(*fixed));
	ssize_t n = -1;

	r.header.nlmsg_flags = NLM_F_REQUEST;
	fixed->rtm_family = AF_INET6;
	fixed->rtm_dst_len = 128;
	put(&r, RTA_DST, address, sizeof(struct in6_addr));
	if (send(fd, &r, r.header.nlmsg_len, 0) >= 0)
		n = recv(fd, &answer, sizeof(answer), 0);
	return n >= (ssize_t)NLMSG_LENGTH(sizeof(*route)) &&
	       answer.header.nlmsg_type == RTM_NEWROUTE && route->rtm_type == RTN_LOCAL;
}

void netlink_wait_address(const char *address)
{
	struct in6_addr bytes;

	if (inet_pton(AF_INET6, address, &bytes) == 1)
		wait_until(is_taken, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
		    &bytes);
}

/* The kernel's own metric for a network on the device: IPv6's differs (IP6_RT_PRIO_ADDRCONF). */
#define IPV6_PRIORITY 256

int netlink_route_congestion(const char *name, const char *address, int prefix,
    const char *congestion)
{
	unsigned char source[sizeof(struct in6_addr)], network[sizeof(struct in6_addr)];
	size_t n;
	int family = read_address(address, source, &n);
	struct request r;
	struct rtmsg *fixed = begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*fixed));
	struct rtattr *metrics;

	memcpy(network, source, n);
	memset(network + prefix / 8, 0, n - (size_t)prefix / 8);
	fixed->rtm_family = (uint8_t)family;
	fixed->rtm_dst_len = (uint8_t)prefix;
	fixed->rtm_table = RT_TABLE_MAIN;
	fixed->rtm_protocol = RTPROT_KERNEL;
	fixed->rtm_scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	fixed->rtm_type = RTN_UNICAST;
	put(&r, RTA_DST, network, n);
	put_u32(&r, RTA_OIF, if_nametoindex(name));
	if (family == AF_INET)
		put(&r, RTA_PREFSRC, source, n);
	else
		put_u32(&r, RTA_PRIORITY, IPV6_PRIORITY);
	metrics = begin_nested(&r, RTA_METRICS);
	put_text(&r, RTAX_CC_ALGO, congestion);
	end_nested(&r, metrics);
	return send_request(&r);
}

/* Receives only outgoing frames: not those that are injected at the other end. */
static int receive_outgoing(int fd)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = { .len = sizeof(steps) / sizeof(*steps), .filter = steps };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) != 0)
		return -1;
	return setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &(int){ 1 }, sizeof(int));
}

static int set_up_ring(int fd, const struct tpacket_req *ring)
{
	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &(int){ TPACKET_V2 }, sizeof(int)) != 0)
		return -1;
	return setsockopt(fd, SOL_PACKET, PACKET_RX_RING, ring, sizeof(*ring));
}

/* Protocol 0 receives nothing. */
static int bind_to_device(int fd, const char *name, uint16_t protocol)
{
	const struct sockaddr_ll here = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)if_nametoindex(name),
	};

	return bind(fd, (const struct sockaddr *)&here, sizeof(here));
}

int netlink_packet_socket(const char *name, const struct tpacket_req *ring)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && (!ring || (receive_outgoing(fd) == 0 && set_up_ring(fd, ring) == 0)) &&
	    bind_to_device(fd, name, ring ? ETH_P_ALL : 0) == 0)
		return fd;
	return file_close(fd);
}

int netlink_timestamp_tap(const char *name)
{
	const struct tpacket_req ring = timestamp_tap_shape();
	const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* Without SO_TIMESTAMPNS the kernel stamps a frame only when it is put into the ring. */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &(int){ 1 }, sizeof(int)) == 0 &&
	    set_up_ring(fd, &ring) == 0 && bind_to_device(fd, name, ETH_P_ALL) == 0)
		return fd;
	return file_close(fd);
}
