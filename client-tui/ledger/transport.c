/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ledger/transport.h"

const struct transport_info transport_info[2] = {
	{ .title = "UDP", .name = "udp", .opening = "opening" },
	{ .title = "TCP", .name = "tcp", .opening = "connecting" },
};
