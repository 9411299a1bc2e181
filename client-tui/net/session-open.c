/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "net/session-internal.h"

struct session *session_open(const struct session_settings *settings,
    const struct session_hooks *hooks, int64_t now)
{
	static const struct transport *const transports[] = {
		[SESSION_UDP] = &transport_udp,
		[SESSION_TCP] = &transport_tcp,
	};

	return session_start(transports[settings->transport], settings, hooks, now);
}
