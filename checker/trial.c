/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/trial.h"

#include <stdarg.h>

#include "common/printable.h"

/* Over a link that loses segments, TCP sends them again after up to several seconds. */
#define LOSSY_FACTOR 10
/* Bytes of a text that is shown whole; of a longer one, those of the beginning. */
#define SHOWN_WHOLE 60
#define SHOWN_FIRST 32

int64_t trial_patience(const struct trial *t, unsigned transport)
{
	return (t->link && transport == CASE_TCP ? LOSSY_FACTOR : 1) * t->options->wait;
}

bool trial_fail(struct trial *t, const char *format, ...)
{
	va_list args;

	if (*t->outcome.reason)
		return false;
	va_start(args, format);
	vsnprintf(t->outcome.reason, TRIAL_REASON, format, args);
	va_end(args);
	printable_replace(t->outcome.reason, strlen(t->outcome.reason));
	return false;
}

bool trial_fail_ended(struct trial *t)
{
	return trial_fail(t, "the program %s", PROGRAM_END(&t->program));
}

/* Adds a part. Of what is too long the older half goes. */
static void add_part(char *transcript, const char *part)
{
	static const char dots[] = "...";
	const size_t n = strlen(transcript), more = strlen(part) + 3;
	const char *cut;

	if (n + more > TRIAL_TRANSCRIPT) {
		cut = strstr(transcript + n / 2, ", ");
		memmove(transcript + sizeof dots - 1, cut ? cut : transcript + n,
		    cut ? strlen(cut) + 1 : 1);
		memcpy(transcript, dots, sizeof dots - 1);
	}
	if (*transcript)
		text_append(transcript, TRIAL_TRANSCRIPT, ", ");
	text_append(transcript, TRIAL_TRANSCRIPT, part);
}

void trial_remark(struct trial *t, bool sent, int peer, const char *words)
{
	char part[TEXT_FORMAT_SIZE];

	if (peer)
		snprintf(part, sizeof part, "%d: %s", peer, words);
	else
		snprintf(part, sizeof part, "%s", words);
	add_part(sent ? t->outcome.sent : t->outcome.came, printable_replace(part, strlen(part)));
}

void trial_log(struct trial *t, bool sent, int peer, const void *bytes, size_t n)
{
	char shown[PRINTABLE_ROOM(SHOWN_WHOLE)], *end;

	printable_text(shown, bytes, n > SHOWN_WHOLE ? SHOWN_FIRST : n, "", true);
	while ((end = strstr(shown, "\\x0a")))
		memmove((char *)memcpy(end, "\\n", 2) + 2, end + 4, strlen(end + 4) + 1);
	trial_remark(t, sent, peer,
	    n > SHOWN_WHOLE ? TEXT_FORMAT("\"%s...\" (%zu bytes)", shown, n)
	                    : TEXT_FORMAT("\"%s\"", shown));
}
