/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints the client's tables of commands, keys, marks and figures, for tests/tree/manual.py: a word
 * for the table, the name and the arguments, tabs between; of a mark its two signs, of a figure its
 * key in records and its label on the page, of a fate of the link the client's name, the word of
 * events and the server's counter of it. */
#include <stdio.h>

#include "app/commands.h"
#include "common/impair.h"
#include "ledger/figures.h"
#include "tests/lib/marks.h"

int main(void)
{
	for (const struct command *c = command_table; c->name; c++)
		printf("command\t%s\t%s\n", c->name, c->arguments);
	for (const struct key_spec *k = key_table; k->key; k++)
		printf("key\t%s\t\n", k->key);
	for (const struct mark *m = screen_marks; m->name; m++)
		printf("mark\t%s\t%s\n", m->sign, m->ascii);
	for (const struct mark *m = lab_marks; m->name; m++)
		printf("mark\t%s\t%s\n", m->sign, m->ascii);
	for (size_t i = 0; i < figures_count; i++)
		printf("figure\t%s\t%s\n", figures_table[i].key ? figures_table[i].key : "",
		    figures_table[i].title ? figures_table[i].title : "");
#define X(id, word, text, name, counted) \
	printf("fate\t%s\t%s\t%s\n", name, word, (counted) ? (word) : "");
	IMPAIR_FATE_LIST(X)
#undef X
	return 0;
}
