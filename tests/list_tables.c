/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints the client's tables of commands and keys, for tests/manual.py: a word for the table, the name and the
 * arguments, tabs between. */
#include "config.h"

#include <stdio.h>

#include "client-tui/commands.h"

int main(void)
{
	for (const struct command_spec *c = command_table; c->name; c++)
		printf("command\t%s\t%s\n", c->name, c->arguments);
	for (const struct key_spec *k = key_table; k->key; k++)
		printf("key\t%s\t\n", k->key);
	return 0;
}
