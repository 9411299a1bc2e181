/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a fuzz target has: the function that libFuzzer and driver.c call, and a check. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

/* One input. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that holds for every input: else the program ends and the input is kept. */
#define fuzz_check(condition) ((condition) ? (void)0 : fuzz_failed(__FILE__, __LINE__, #condition))

static inline __attribute__((noreturn)) void fuzz_failed(const char *file, int line,
    const char *condition)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}
