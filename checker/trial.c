/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/trial.h"

#include <stdarg.h>

#include "common/printable.h"

/* Over a link that loses segments, TCP sends them again after up to several seconds. */
#define LOSSY_FACTOR 10
/* What has had the whole time before gets this part of it, so that a server without any replies
 * does not take minutes. */
#define SILENT_PART 3
/* Bytes of a text that is shown whole; of a longer one, those of the beginning. */
#define SHOWN_WHOLE 60
#define SHOWN_FIRST 32

int64_t trial_patience(const struct trial *t, unsigned transport)
{
	return (t->link && transport == CASE_TCP ? LOSSY_FACTOR : 1) * t->options->wait /
	       (t->unanswered & transport ? SILENT_PART : 1);
}

bool trial_fail(struct trial *t, const char *format, ...)
{
	va_list args;

	if (*t->outcome.reason)
		return false;
	va_start(args, format);
	vsnprintf(t->outcome.reason, TRIAL_TEXT, format, args);
	va_end(args);
	printable_replace(t->outcome.reason, strlen(t->outcome.reason));
	return false;
}

bool trial_fail_ended(struct trial *t)
{
	return trial_fail(t, "the program %s", PROGRAM_END(&t->program));
}

/* Of what is too long the older half goes. */
void trial_remark(struct trial *t, bool sent, int peer, const char *words)
{
	char part[TEXT_FORMAT_SIZE], *log = sent ? t->outcome.sent : t->outcome.came, *cut;

	snprintf(part, sizeof part, "%s%s%s", peer ? TEXT_FORMAT("%d", peer) : "", peer ? ": " : "",
	    words);
	printable_replace(part, strlen(part));
	if (strlen(log) + strlen(part) + 3 > TRIAL_TEXT) {
		cut = strstr(log + strlen(log) / 2, ", ");
		memmove(log + 3, cut ? cut : "", cut ? strlen(cut) + 1 : 1);
		memcpy(log, "...", 3);
	}
	text_append(log, TRIAL_TEXT, *log ? ", " : "");
	text_append(log, TRIAL_TEXT, part);
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
