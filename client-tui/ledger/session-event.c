/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ledger/session-event.h"

#include <stdio.h>
#include <string.h>

/* Its name in records, NULL for notices, and what a row says before its text. */
static const struct {
	const char *name, *before;
} kinds[SESSION_EVENT_KINDS] = {
	[SESSION_EVENT_NOTICE] = { NULL, "" },
	[SESSION_EVENT_ERROR] = { NULL, "" },
	[SESSION_EVENT_LINK] = { "link", "link: " },
	[SESSION_EVENT_FAULT] = { "fault", "link: " },
	[SESSION_EVENT_CONNECT] = { "connect", "connect: " },
	[SESSION_EVENT_TCP] = { "tcp", "TCP: " },
};

const char *session_event_kind_name(enum session_event_kind kind)
{
	return kinds[kind].name;
}

int session_event_kind(const char *name)
{
	for (size_t i = 0; i < SESSION_EVENT_KINDS; i++)
		if (kinds[i].name && strcmp(kinds[i].name, name) == 0)
			return (int)i;
	return -1;
}

char *session_event_words(const struct session_event *e, char buf[SESSION_EVENT_WORDS])
{
	snprintf(buf, SESSION_EVENT_WORDS, "%s%s", kinds[e->kind].before, e->text);
	return buf;
}

bool session_event_is_notice(const struct session_event *e)
{
	return !kinds[e->kind].name;
}
