/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recording on the screen, and the keys that move in it. */
#include <ctype.h>

#include "app/commands.h"
#include "app/tui-state.h"
#include "common/text.h"
#include "common/units.h"
#include "view/glyphs.h"

static const struct replay_status *status_of(const struct tui *tui)
{
	return replay_status(tui->run.replay);
}

/* Shows what the screen has before the first event. */
static void show_beginning(struct tui *tui)
{
	static const struct link_status unknown;
	const struct replay_status *status = status_of(tui);

	if (status->trace) {
		snprintf(tui->link_words, sizeof tui->link_words, "%s", status->run->link);
		tui->lab_view = (struct view_lab){ .link = &unknown,
			.words = tui->link_words,
			.trace = status->trace,
			.panel = &tui->panel };
		tui->view.lab = &tui->lab_view;
	}
	if (!status->whole)
		run_notice(&tui->run, -1, false,
		    "the recording has no end: what came of its last lines is not known");
}

int tui_replay_start(struct tui *tui, int64_t now)
{
	const struct settings *s = &tui->run.settings;

	if (run_open_replay(&tui->run, s->session.rows, s->step, now) < 0)
		return -1;
	show_beginning(tui);
	return 0;
}

/* --- moving --- */

/* Shows the state after that many steps, and stands still; leaves when memory is short. */
static void seek(struct tui *tui, size_t step, int64_t now)
{
	if (step < status_of(tui)->position) {
		transcript_clear(tui->transcript);
		shares_clear(&tui->shares);
		tui->view.find = NULL;
		tui->view.selected = 0;
		if (run_restart_replay(&tui->run) < 0) {
			tui->run.settings.save = NULL;
			tui->quit = true;
			return;
		}
		show_beginning(tui);
	}
	replay_seek(tui->run.replay, step, now);
	view_scroll_end(&tui->view);
}

void tui_replay_pause(const struct command_call *c)
{
	const struct replay_status *status = status_of(c->tui);

	replay_set_clock(c->tui->run.replay, !status->paused, status->speed, c->now);
}

/* Reads a place as /goto has it. Returns 0 and the step, or -1. */
static int read_place(const struct tui *tui, const char *place, size_t *step)
{
	const struct replay_status *status = status_of(tui);
	const bool back = *place == '-', on = *place == '+';
	int64_t number;

	if (text_begins(place, "line "))
		place += strlen("line ");
	if (strcmp(place, "start") == 0)
		*step = 0;
	else if (strcmp(place, "end") == 0)
		*step = status->length;
	else if (strcmp(place, "<") == 0)
		*step = replay_find_line(tui->run.replay, REPLAY_LINE_BEFORE, 0);
	else if (strcmp(place, ">") == 0)
		*step = replay_find_line(tui->run.replay, REPLAY_LINE_AFTER, 0);
	else if (units_count(place + (back || on), 1, INT64_MAX, &number) < 0)
		return -1;
	else if (back)
		*step = status->position > (size_t)number ? status->position - (size_t)number : 0;
	else if (on)
		*step = status->position + (size_t)number;
	else
		*step = replay_find_line(tui->run.replay, REPLAY_LINE, (uint64_t)number);
	return *step > 0 || !isdigit((unsigned char)*place) ? 0 : -1;
}

void tui_replay_goto(const struct command_call *c)
{
	size_t step;
	int64_t number;

	if (read_place(c->tui, c->arguments, &step) == 0)
		seek(c->tui, step, c->now);
	else if (units_count(c->arguments, 0, INT64_MAX, &number) == 0)
		tui_message(c->tui, "the recording has no line %s", c->arguments);
	else
		tui_message(c->tui, "'%.40s' is no place; for example /goto 12, +1, <, end",
		    c->arguments);
}

/* --- speed --- */

/* As powers of two, from REPLAY_SLOWEST on. */
static const char *const speeds[] = { "1/4", "1/2", "1", "2", "4", "8", "16" };
#define SPEEDS ((int)(sizeof speeds / sizeof *speeds))

void tui_replay_speed(const struct command_call *c)
{
	const struct replay_status *status = status_of(c->tui);
	const char *speed = c->arguments;
	int i = status->speed - REPLAY_SLOWEST;

	if (strcmp(speed, "+") == 0)
		i = i + 1 < SPEEDS ? i + 1 : i;
	else if (strcmp(speed, "-") == 0)
		i = i > 0 ? i - 1 : i;
	else
		for (i = 0; i < SPEEDS && strcmp(speed, speeds[i]) != 0;)
			i++;
	if (i < SPEEDS)
		replay_set_clock(c->tui->run.replay, status->paused, i + REPLAY_SLOWEST, c->now);
	else
		tui_message(c->tui, "'%.40s' is no speed: 1/4, 1/2, 1, 2, 4, 8 or 16", speed);
}

const char *tui_replay_progress(struct tui *tui)
{
	const struct replay_status *status = status_of(tui);
	struct text t = text_begin(tui->progress, sizeof tui->progress);

	text_put(&t, "event %zu of %zu", status->position, status->length);
	if (status->speed != 0)
		text_put(&t, " at %s%s", speeds[status->speed - REPLAY_SLOWEST],
		    glyph(GLYPH_TIMES, tui->view.ascii));
	if (status->position == status->length)
		text_put(&t, " · the end");
	else if (status->paused)
		text_put(&t, " · paused");
	return tui->progress;
}
