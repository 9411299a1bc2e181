/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Internet addresses with their ports. An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) is the same
 * as the IPv4 address in it. No names are resolved, except the interface of a scope ("%eth0"). */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

/* Room for the longest text, "[" IPv6 "%" interface "]:" port, and its end. */
#define ADDR_TEXT_SIZE 80

struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage storage;
	};
	/* The length in use, as for the kernel. */
	socklen_t len;
};

/* Reads a numeric host ("127.0.0.1", "::1", "fe80::1%eth0") and a port. Returns 0 or -1. */
int addr_numeric(const char *host, uint16_t port, struct addr *out);
/* Whether `host` is an IPv6 address with an interface behind "%" that is not here. */
bool addr_names_no_interface(const char *host);
/* Turns an IPv4-mapped address into the IPv4 address, whose packets and socket options it has. */
void addr_unmap(struct addr *a);
/* Reads a port, 0 to 65535. Returns 0 or -1. */
int addr_port_number(const char *text, uint16_t *port);
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);

/* "127.0.0.1:12000", "[::1]:12000". Returns `buf`; of the macro it is the block's. */
#define ADDR_TEXT(a) addr_text(a, (char[ADDR_TEXT_SIZE]){ 0 })
char *addr_text(const struct addr *a, char buf[ADDR_TEXT_SIZE]);
/* The same without the port, no brackets: "127.0.0.1", "::1". */
#define ADDR_HOST_TEXT(a) addr_host_text(a, (char[ADDR_TEXT_SIZE]){ 0 })
char *addr_host_text(const struct addr *a, char buf[ADDR_TEXT_SIZE]);

/* The same host and port; the same host. */
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_same_host(const struct addr *a, const struct addr *b);

bool addr_is_loopback(const struct addr *a);
bool addr_is_unspecified(const struct addr *a);
/* Whether it is in 0.0.0.0/8, "this network" (RFC 1122, 3.2.1.3), but not 0.0.0.0, this machine. */
bool addr_is_zero_network(const struct addr *a);
/* Whether it is a link-local address without a scope. */
bool addr_lacks_interface(const struct addr *a);
/* Multicast (224.0.0.0/4, ff00::/8) or limited broadcast (255.255.255.255). */
bool addr_is_group(const struct addr *a);
