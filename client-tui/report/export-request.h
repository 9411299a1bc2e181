/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What /save and --save are asked to write: "talk.svg last 12 --title Loss at 20 % --dark". */
#pragma once

#include <limits.h>

#include "common/text.h"

#define EXPORT_REASON 400

struct export_request {
	char path[PATH_MAX]; /* The file. A request without a name has one of its own. */
	/* The numbers of the lines, both 0 for all; or the last so many, 0 for all. */
	uint64_t first, last, newest;
	char title[200]; /* the title of the pictures, "" for their own */
	bool dark;       /* bright colours on a dark ground */
	bool screen;     /* the picture of the screen */
	bool own_name;   /* the request has no name */
};

/* Reads a request: [FILE] [last N | N | N-M] [screen] [--title TEXT] [--dark]. The name ends where
 * one of these words begins, or with its quote; "~" at its begin is the home folder. A
 * file that begins with "screen" and ends in .svg is the picture of the screen.
 * The name of a request without one has the local time, upcase-2026-11-29-154501.txt, and "-2" and
 * so on if that file exists. Returns 0, or -1 with one line in `reason`. */
int export_request(const char *words, struct export_request *q, char reason[EXPORT_REASON]);
/* Returns true if the request wants line `number` of those up to `last`; NULL wants all. */
bool export_wants(const struct export_request *q, uint64_t number, uint64_t last);
/* Writes why a file could not be made, by errno. Returns -1. */
int export_refuse(char reason[EXPORT_REASON], const char *path, int error);
/* A file's name for a message, without its middle if it is long. */
#define EXPORT_SHORT(path) text_middle((char[402]){ 0 }, 402, path, 100)
/* Returns a file name's ending, with its dot, or "". */
const char *export_ending(const char *path);
