/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Internet addresses with their ports. An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) is the same
 * as the IPv4 address in it. No look-up of names, no socket; only for a scope ("%eth0") is the
 * system asked which interface that is. */
#ifndef UPCASE_ADDR_H
#define UPCASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for the longest text, "[" IPv6 "%" interface "]:" port, and its end. */
#define ADDR_TEXT 80

struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage storage;
	};
	/* How much of it counts, as the kernel says. */
	socklen_t len;
};

/* A numeric host ("127.0.0.1", "::1", "fe80::1%eth0") and a port: 0, or -1 if it is not numeric. */
int addr_numeric(const char *host, uint16_t port, struct addr *out);
/* An IPv6 address with an interface behind "%" that this machine does not have, by name or by
 * number. */
bool addr_names_no_interface(const char *host);
/* Makes an IPv4-mapped address the IPv4 address that it is: packets to it are IPv4's, and so are
 * its socket options. */
void addr_unmap(struct addr *a);
/* A port as text, 0 to 65535: 0, or -1. */
int addr_port_number(const char *text, uint16_t *port);
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);

/* "127.0.0.1:12000", "[::1]:12000". Returns `buf`. */
char *addr_text(const struct addr *a, char buf[ADDR_TEXT]);
/* The same without the port, no brackets: "127.0.0.1", "::1". Returns `buf`. */
char *addr_host_text(const struct addr *a, char buf[ADDR_TEXT]);

/* The same host and port; the same host. */
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_same_host(const struct addr *a, const struct addr *b);

bool addr_is_loopback(const struct addr *a);
bool addr_is_unspecified(const struct addr *a);
/* Of 0.0.0.0/8, "this network", which are no host's (RFC 1122, 3.2.1.3); 0.0.0.0 itself stands for
 * this machine. */
bool addr_is_zero_network(const struct addr *a);
/* It is an address of one link and does not say of which. */
bool addr_lacks_interface(const struct addr *a);
/* Multicast (224.0.0.0/4, ff00::/8) or limited broadcast (255.255.255.255). */
bool addr_is_group(const struct addr *a);

#endif
