#pragma once
/* Figures on record from C tests: the same line as record() of results.mjs writes. */
#include <stdbool.h>
#include <stdint.h>

struct result {
	const char *test; /* a stable dotted name */
	uint64_t n;	  /* how often it was tried */
	uint64_t seed;
	double figure, target;
	const char *unit;
	bool pass;
};

/* Appends to CALLTAB_RESULTS or var/test-results.jsonl below the working folder, which is the
 * project's (workdir in meson.build). A figure that cannot be written is not a failed test. */
void result_record(const struct result *result);
