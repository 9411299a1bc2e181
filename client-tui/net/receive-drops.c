/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "net/receive-drops.h"

#include <inttypes.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds the counters of "Udp:" (IPv4) in /proc/net/snmp, which has a line of names and one of values
 * for each protocol: RcvbufErrors (no room in the socket) and MemErrors (none in the kernel), as
 * for IPv6. */
static bool read_snmp(uint64_t *count)
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
			*count += strtoull(value, NULL, 10);
	return true;
}

static void read_snmp6(uint64_t *count)
{
	char line[256];
	FILE *in = fopen("/proc/self/net/snmp6", "re");

	while (in && fgets(line, sizeof line, in))
		if (strncmp(line, "Udp6RcvbufErrors", 16) == 0 ||
		    strncmp(line, "Udp6MemErrors", 13) == 0)
			*count += strtoull(line + strcspn(line, " \t"), NULL, 10);
	if (in)
		fclose(in);
}

static bool host_drops(uint64_t *count)
{
	*count = 0;
	if (!read_snmp(count))
		return false;
	read_snmp6(count);
	return true;
}

void receive_drops_open(struct receive_drops *o, int fd)
{
	const int on = 1;

	o->drops = 0;
	o->has_host = host_drops(&o->host);
	(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
}

void receive_drops_take(struct receive_drops *o, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&o->drops, CMSG_DATA(c), sizeof o->drops);
}

/* No datagram reports what was dropped behind the last one that came: the socket is asked. */
static uint32_t drops_now(const struct receive_drops *o, int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof info;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size) < 0 || size < sizeof info)
		return o->drops;
	return info[SK_MEMINFO_DROPS] > o->drops ? info[SK_MEMINFO_DROPS] : o->drops;
}

uint64_t receive_drops_count(const struct receive_drops *o, int fd)
{
	const uint32_t drops = drops_now(o, fd);
	uint64_t host;

	if (drops == 0 || !o->has_host || !host_drops(&host))
		return o->before + drops;
	host = host > o->host ? host - o->host : 0;
	return o->before + (host < drops ? host : drops);
}

void receive_drops_close(struct receive_drops *o, int fd)
{
	o->before = receive_drops_count(o, fd);
	o->drops = 0;
}
