/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bisection. Pure. */
#pragma once

/* Sets `at`, a size_t, to the first place from `begin` on at which `reached`, an expression with
 * `at` in it, is true; to `end` if there is none. `reached` must stay true from there on. */
#define SEARCH_FIRST(at, begin, end, reached) \
	do { \
		size_t search_low = (begin), search_high = (end); \
		while (search_low < search_high) { \
			(at) = search_low + (search_high - search_low) / 2; \
			if (reached) \
				search_high = (at); \
			else \
				search_low = (at) + 1; \
		} \
		(at) = search_low; \
	} while (0)
