/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ledger/session-event.h"

const char *const session_event_names[SESSION_EVENT_KINDS] = {
	[SESSION_EVENT_LINK] = "link",
	[SESSION_EVENT_FAULT] = "fault",
	[SESSION_EVENT_CONNECT] = "connect",
	[SESSION_EVENT_TCP] = "tcp",
	[SESSION_EVENT_FLOW] = "flow",
};

/* The words before the text of a row. */
static const char *const heads[SESSION_EVENT_KINDS] = {
	[SESSION_EVENT_NOTICE] = "",
	[SESSION_EVENT_ERROR] = "",
	[SESSION_EVENT_LINK] = "link: ",
	[SESSION_EVENT_FAULT] = "link: ",
	[SESSION_EVENT_CONNECT] = "connect: ",
	[SESSION_EVENT_TCP] = "TCP: ",
	[SESSION_EVENT_FLOW] = "flow: ",
};

char *session_event_words(const struct session_event *e, char buf[SESSION_EVENT_WORDS])
{
	snprintf(buf, SESSION_EVENT_WORDS, "%s%s", heads[e->kind], e->text);
	return buf;
}

bool session_event_is_notice(const struct session_event *e)
{
	return !session_event_names[e->kind];
}
