/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "terminal/readline-undo.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <readline/history.h>
#include <readline/readline.h>

void readline_undo_forget(int place)
{
	HIST_ENTRY **list = history_list();
	bool moved = where_history() != place;
	for (size_t i = 0; list && list[i]; i++) {
		UNDO_LIST *own = list[i]->data, *current = rl_undo_list;
		list[i]->data = NULL;
		if (!own || own == current || !moved)
			continue;
		rl_undo_list = own;
		rl_free_undo_list();
		rl_undo_list = current;
	}
}

void readline_undo_settle_search(void)
{
	if (!RL_ISSTATE(RL_STATE_NSEARCH))
		using_history();
}

static int search_safely(rl_command_func_t *search, int count, int key)
{
	int place = where_history();
	if (place < history_length)
		rl_end_of_history(1, 0);
	readline_undo_forget(place);
	rl_free_undo_list();
	int r = search(count, key);
	readline_undo_settle_search();
	return r;
}

#define SEARCHES(X) \
	X(rl_noninc_forward_search) \
	X(rl_noninc_reverse_search) \
	X(rl_noninc_forward_search_again) \
	X(rl_noninc_reverse_search_again) \
	X(rl_vi_search) \
	X(rl_vi_search_again)
#define SAFELY(name) \
	static int name##_safely(int count, int key) \
	{ \
		return search_safely(name, count, key); \
	}
SEARCHES(SAFELY)

#define PAIR(name) { name, name##_safely },
static const struct {
	rl_command_func_t *search, *safely;
} searches[] = { SEARCHES(PAIR) };

void readline_undo_rebind(int (*from)(int count, int key), int (*to)(int count, int key),
    struct _keymap_entry *map)
{
	char **keys = rl_invoking_keyseqs_in_map(from, map);
	for (size_t i = 0; keys && keys[i]; i++) {
		rl_bind_keyseq_in_map(keys[i], to, map);
		free(keys[i]);
	}
	free(keys);
}

void readline_undo_guard_searches(struct _keymap_entry *map)
{
	for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++)
		readline_undo_rebind(searches[i].search, searches[i].safely, map);
}
