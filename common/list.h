/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists whose items have their neighbours in a member, `place`; an item may be in several. Pure. */
#pragma once

/* A list, empty when it is zeroed; `tag` names the type, or is empty. */
#define LIST_OF(type, tag) \
	struct tag { \
		struct type *first, *last; \
	}
/* The member of an item. */
#define LIST_PLACE(type) \
	struct { \
		struct type *next, *previous; \
	}

#define LIST_APPEND(list, item, place) \
	do { \
		(item)->place.next = NULL; \
		(item)->place.previous = (list)->last; \
		*((list)->last ? &(list)->last->place.next : &(list)->first) = (item); \
		(list)->last = (item); \
	} while (0)

#define LIST_PREPEND(list, item, place) \
	do { \
		(item)->place.previous = NULL; \
		(item)->place.next = (list)->first; \
		*((list)->first ? &(list)->first->place.previous : &(list)->last) = (item); \
		(list)->first = (item); \
	} while (0)

#define LIST_REMOVE(list, item, place) \
	do { \
		*((item)->place.next ? &(item)->place.next->place.previous \
		                     : &(list)->last) = (item)->place.previous; \
		*((item)->place.previous ? &(item)->place.previous->place.next \
		                         : &(list)->first) = (item)->place.next; \
	} while (0)

/* Each item, from the first one on; the body does not remove any. */
#define LIST_EACH(item, list, place) \
	for ((item) = (list)->first; (item); (item) = (item)->place.next)
