#pragma once
/* One call after another, led by numbers: random ones in the test, a fuzzer's bytes in tests/fuzz.
 * Knows no test library. */
#include <stddef.h>

#include "step_check.h"

enum walk_did { WALK_ACCEPTED, WALK_REFUSED, WALK_IGNORED };

struct walk {
	uint64_t random;      /* state of the generator, unless bytes lead */
	const uint8_t *bytes; /* NULL: random */
	size_t left;
	struct call call, before;
	struct call_event event;
	struct effects todo;
	struct life life;
	int64_t now_ms;
	unsigned events, lives;
	enum walk_did did;
};

/* CALLTAB_SEED, or 1. */
uint64_t walk_seed(void);
void walk_begin(struct walk *walk, uint64_t seed);
void walk_begin_bytes(struct walk *walk, const uint8_t *bytes, size_t size);
/* The next event; NULL, or what is wrong. */
const char *walk_step(struct walk *walk);
/* The running deadline passes. */
const char *walk_timer(struct walk *walk);
