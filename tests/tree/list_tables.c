/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints the client's tables of commands, keys and marks, for tests/tree/manual.py: a word for the
 * table, the name and the arguments, tabs between; of a mark its two signs. */
#include "config.h"

#include <stdio.h>

#include "app/commands.h"
#include "view/glyphs.h"

int main(void)
{
	for (const struct command_spec *c = command_table; c->name; c++)
		printf("command\t%s\t%s\n", c->name, c->arguments);
	for (const struct key_spec *k = key_table; k->key; k++)
		printf("key\t%s\t\n", k->key);
	for (const struct mark_spec *m = mark_table; m->name; m++)
		printf("mark\t%s\t%s\n", m->sign, m->ascii);
	for (const struct mark_spec *m = lab_mark_table; m->name; m++)
		printf("mark\t%s\t%s\n", m->sign, m->ascii);
	return 0;
}
