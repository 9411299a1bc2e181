/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reply matcher: any schedule of lines and replies leaves the ledger balanced and gives the
 * verdicts of the naive ledger beside it. */
#include "tests/lib/ledger_model.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *wrong = model_play(data, size);

	if (wrong) {
		fprintf(stderr, "not so: %s\n", wrong);
		abort();
	}
	return 0;
}
