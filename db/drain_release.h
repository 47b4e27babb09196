#pragma once
/* When old segments of the journal may go: what is in them is stored, a restart begins behind them,
 * and it is long ago (a page that comes back is told what it has missed). Private to db/. */
#include <stdint.h>

#include "db/journal.h"

#define RELEASE_SAMPLES 16

struct release_log {
	int64_t keep_us;
	struct {
		int64_t at_us;
		uint64_t number; /* stable at that time */
	} samples[RELEASE_SAMPLES];
	unsigned next;
};

void release_init(struct release_log *log, unsigned keep_s);
/* Called now and then. stored: the watermark; keep_from: where a restart begins, 0 = not known. */
void release_run(struct release_log *log, struct journal *journal, uint64_t stored,
		 uint64_t keep_from);
