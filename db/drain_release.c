#include "db/drain_release.h"

#include <stdlib.h>

#include "base/clock.h"

void release_init(struct release_log *log, unsigned keep_s)
{
	*log = (struct release_log){.keep_us = (int64_t)keep_s * 1000000};
}

/* The newest number that is old enough; 0 = none is, or it is not known since the start. */
static uint64_t old_enough(const struct release_log *log, int64_t now_us)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < RELEASE_SAMPLES; i++)
		if (log->samples[i].at_us && now_us - log->samples[i].at_us >= log->keep_us &&
		    log->samples[i].number > number)
			number = log->samples[i].number;
	return number;
}

static void take_sample(struct release_log *log, int64_t now_us, uint64_t number)
{
	unsigned latest = (log->next + RELEASE_SAMPLES - 1) % RELEASE_SAMPLES;

	/* So far apart that the oldest of them is old enough. */
	if (log->samples[latest].at_us &&
	    now_us - log->samples[latest].at_us < log->keep_us / (RELEASE_SAMPLES - 2))
		return;
	log->samples[log->next].at_us = now_us;
	log->samples[log->next].number = number;
	log->next = (log->next + 1) % RELEASE_SAMPLES;
}

void release_run(struct release_log *log, struct journal *journal, uint64_t stored,
		 uint64_t keep_from)
{
	int64_t now_us = clock_mono_us(&clock_system);
	uint64_t below = old_enough(log, now_us);

	take_sample(log, now_us, journal_synced(journal));
	if (stored + 1 < below)
		below = stored + 1;
	if (keep_from < below)
		below = keep_from;
	if (below > 1)
		journal_release(journal, below);
}
