/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a line failed or an address could not be opened, as one number: an errno, an ICMP error, an
 * error of resolving the name, or one of our own. One table has its names and words. Pure. */
#pragma once

/* An ICMP message with its type and code (RFC 792, RFC 1812; RFC 4443). One that says that nothing
 * listens on the port is ECONNREFUSED. */
#define ERROR_ICMP4(type, code) (0x10000 | (type) << 8 | (code))
#define ERROR_ICMP6(type, code) (0x20000 | (type) << 8 | (code))

/* Beyond any errno. */
enum {
	/* The name has no address of the requested version of IP. */
	ERROR_NO_IPV4 = 0x1000,
	ERROR_NO_IPV6,
	/* A link-local address without an interface, or with one that this machine does not have.
	 */
	ERROR_NO_INTERFACE,
	ERROR_WRONG_INTERFACE,
	/* A multicast or broadcast address; one of 0.0.0.0/8 (RFC 1122, 3.2.1.3). */
	ERROR_GROUP,
	ERROR_ZERO_NETWORK,
};

#define ERROR_NAME 32

/* The error of an EAI_ code; where it only stands for an errno, that errno. */
int error_from_eai(int eai);

/* A sentence for people: what the error means and what to try. Static, but for an error that is not
 * in the table: then valid until the next call of strerror(). */
const char *error_sentence(int error, bool stream);
/* The same in 14 columns at most: "unreachable". Static. */
const char *error_word(int error);
/* Its name in records: "ECONNREFUSED", "EAI_NONAME", "ICMP 3/13", "ICMPv6 1/1", "no interface",
 * "errno 123"; static or in `buf`. error_number() reads it back: -1 for none. */
const char *error_name(int error, char buf[ERROR_NAME]);
int error_number(const char *name);
