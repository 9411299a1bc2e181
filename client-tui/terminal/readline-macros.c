/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "terminal/readline-macros.h"

#include <stdio.h>
#include <stdlib.h>

#include <readline/readline.h>

/* Keymaps below keymaps, at most. */
#define DEPTH_MAX 16

struct macro {
	Keymap map;
	int key;
	char *text;
};

static struct {
	struct macro *list;
	size_t count;
} self;

static struct macro *find(Keymap map, int key)
{
	for (size_t i = 0; i < self.count; i++)
		if (self.list[i].map == map && self.list[i].key == key)
			return &self.list[i];
	return NULL;
}

/* The text was readline's, as long as it was the key's. */
static int take(Keymap map, int key, char *text)
{
	struct macro *m = find(map, key);

	if (!m) {
		struct macro *more = realloc(self.list, (self.count + 1) * sizeof *more);

		if (!more)
			return -1;
		self.list = more;
		m = &more[self.count++];
		*m = (struct macro){ .map = map, .key = key };
	}
	free(m->text);
	m->text = text;
	return 0;
}

static void take_below(Keymap map, rl_command_func_t *play, int depth)
{
	/* The last one is what a sequence is that goes on as none does. */
	for (int key = 0; key < KEYMAP_SIZE && depth < DEPTH_MAX; key++) {
		if (map[key].type == ISKMAP && map[key].function) {
			take_below((Keymap)map[key].function, play, depth + 1);
		} else if (map[key].type == ISMACR && map[key].function &&
		           take(map, key, (char *)map[key].function) == 0) {
			map[key].type = ISFUNC;
			map[key].function = play;
		}
	}
}

void macros_take(struct _keymap_entry *map, int (*play)(int count, int key))
{
	take_below(map, play, 0);
}

const char *macros_text(struct _keymap_entry *map, int key)
{
	const struct macro *m = find(map, key);

	if (!m)
		m = find(map, ANYOTHERKEY);
	return m ? m->text : NULL;
}
