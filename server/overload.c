#include "server/overload.h"

#include <stdbool.h>

#define MEASURES 4

/* From how much on a measure asks for a level. Descriptors are not set free by answering less REST:
 * whoever has one keeps it, so new tabs go first. Below calm it asks for nothing any more. */
static const struct {
	unsigned at[OVERLOAD_RESUMES]; /* of level 1 and up; 0 = never */
	unsigned calm;
} thresholds[MEASURES] = {
	{{50, 150, 300, 600, 2000}, 30},	    /* lag_ms */
	{{50, 65, 75, 85, 95}, 35},		    /* journal_percent */
	{{50, 0, 0, 0, 0}, SHED_POLL_ROOM_PERCENT}, /* requests_percent */
	{{85, 85, 85, 85, 97}, 80},		    /* files_percent */
};

static enum overload_level asked_by(unsigned measure, unsigned value)
{
	enum overload_level level = OVERLOAD_NONE;

	for (unsigned i = 0; i < OVERLOAD_RESUMES; i++)
		if (thresholds[measure].at[i] && value > thresholds[measure].at[i])
			level = (enum overload_level)(i + 1);
	return level;
}

/* It lasts: one more, but not beyond what this measure can be helped by. */
static enum overload_level one_more(unsigned measure, enum overload_level level)
{
	bool helps = level < OVERLOAD_TABS && thresholds[measure].at[level];

	return helps ? (enum overload_level)(level + 1) : level;
}

static void go_down(struct overload *overload, int64_t now_us)
{
	if (!overload->calm_since_us)
		overload->calm_since_us = now_us;
	if (overload->level == OVERLOAD_NONE ||
	    now_us - overload->calm_since_us < OVERLOAD_CALM_MS * INT64_C(1000))
		return;
	overload->level--;
	overload->calm_since_us = now_us;
}

enum overload_level overload_step(struct overload *overload, const struct overload_sample *sample,
				  int64_t now_us)
{
	const unsigned values[MEASURES] = {sample->lag_ms, sample->journal_percent,
					   sample->requests_percent, sample->files_percent};
	enum overload_level before = overload->level, level = before;
	bool is_lasting = now_us - overload->raised_us >= OVERLOAD_LASTING_MS * INT64_C(1000);
	bool is_calm = true;

	for (unsigned i = 0; i < MEASURES; i++) {
		enum overload_level asked = asked_by(i, values[i]);

		if (asked != OVERLOAD_NONE && asked <= before && is_lasting)
			asked = one_more(i, before);
		if (asked > level)
			level = asked;
		is_calm &= values[i] < thresholds[i].calm;
	}
	if (level > before)
		overload->raised_us = now_us;
	overload->level = level;
	if (is_calm)
		go_down(overload, now_us);
	else
		overload->calm_since_us = 0;
	return overload->level;
}

unsigned overload_lag_ms(struct overload_lag *lag, unsigned newest_ms)
{
	unsigned least = newest_ms;

	lag->ms[lag->next] = newest_ms;
	lag->next = (lag->next + 1) % OVERLOAD_LAGS;
	for (unsigned i = 0; i < OVERLOAD_LAGS; i++)
		if (lag->ms[i] < least)
			least = lag->ms[i];
	return least;
}
