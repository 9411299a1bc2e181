/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/tui-state.h"

#include <stdarg.h>

#include "common/clock.h"
#include "report/summary.h"

#define MESSAGE_TIME (5 * NS_PER_S)

void tui_message(struct tui *tui, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(tui->message, sizeof tui->message, format, args);
	va_end(args);
	tui->message_until = clock_monotonic() + MESSAGE_TIME;
	tui->changed = true;
}

void tui_event(void *context, const struct session_event *event)
{
	struct tui *tui = context;

	if (!event->quiet)
		transcript_add_event(tui->transcript, event);
	run_record(&tui->run, event);
	shares_add(&tui->shares, event);
	/* The link's row shows the settings of that time. */
	if (tui->run.replay && event->kind == SESSION_EVENT_LINK)
		snprintf(tui->link_words, sizeof tui->link_words, "%s", event->text);
	tui->changed = true;
}

void tui_page(struct tui *tui, const char *title, char *text)
{
	if (!text) {
		tui_message(tui, "memory is short");
		return;
	}
	free(tui->page_text);
	tui->page_text = text;
	tui->page = (struct view_page){ .title = title,
		.text = tui->run.utf8 ? text : summary_ascii(text) };
	tui->view.page = &tui->page;
	tui->changed = true;
}

void tui_close_page(struct tui *tui)
{
	tui->view.page = NULL;
	tui->changed = true;
}

void tui_plot(struct tui *tui, enum plot_kind kind)
{
	tui_close_page(tui);
	tui->panel.open = false;
	tui->plot.kind = kind;
}

char tui_arrow(const unsigned char *bytes, size_t n)
{
	return n == 3 && bytes[0] == '\033' && (bytes[1] == '[' || bytes[1] == 'O') &&
	               bytes[2] >= 'A' && bytes[2] <= 'D'
	         ? (char)bytes[2]
	         : 0;
}
