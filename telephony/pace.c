#include "telephony/pace.h"

#include <string.h>
#include <utlist.h>

#include "base/str.h"

#define SECOND_US    INT64_C(1000000)
#define BURSTS_PER_S 4
#define DEBT_MAX_US  SECOND_US /* what could not wait does not hold up the others for longer */

static int64_t interval_us(const struct pace *pace)
{
	return SECOND_US / pace->per_s;
}

/* So far ahead of the even pace one may be. */
static int64_t ahead_us(const struct pace *pace)
{
	unsigned burst = pace->per_s / BURSTS_PER_S;

	return (burst ? burst - 1 : 0) * interval_us(pace);
}

int64_t pace_wait_us(const struct pace *pace, int64_t now_us)
{
	int64_t wait_us;

	if (!pace->per_s)
		return 0;
	wait_us = pace->due_us - ahead_us(pace) - now_us;
	return wait_us > 0 ? wait_us : 0;
}

bool pace_may_go(const struct pace *pace, int64_t now_us)
{
	return pace_wait_us(pace, now_us) == 0;
}

void pace_spend(struct pace *pace, int64_t now_us)
{
	int64_t most_us;

	if (!pace->per_s)
		return;
	most_us = now_us + ahead_us(pace) + DEBT_MAX_US;
	if (pace->due_us < now_us)
		pace->due_us = now_us;
	pace->due_us += interval_us(pace);
	if (pace->due_us > most_us)
		pace->due_us = most_us;
}

static uint64_t last_turn(const struct pace *pace, const char *owner)
{
	const struct pace_entry *entry;
	uint64_t turn = pace->turn;

	DL_FOREACH(pace->waiting, entry)
		if (strcmp(entry->owner, owner) == 0)
			turn = entry->turn;
	return turn;
}

void pace_put(struct pace *pace, struct pace_entry *entry, const char *owner, int64_t now_us)
{
	struct pace_entry *before;

	str_copy_cut(entry->owner, sizeof entry->owner, owner);
	entry->turn = last_turn(pace, owner) + 1;
	entry->since_us = now_us;
	entry->is_waiting = true;
	pace->count++;
	DL_FOREACH(pace->waiting, before)
		if (before->turn > entry->turn)
			break;
	if (before)
		DL_PREPEND_ELEM(pace->waiting, before, entry);
	else
		DL_APPEND(pace->waiting, entry);
}

void pace_remove(struct pace *pace, struct pace_entry *entry)
{
	if (!entry->is_waiting)
		return;
	DL_DELETE(pace->waiting, entry);
	entry->is_waiting = false;
	pace->count--;
}

struct pace_entry *pace_take(struct pace *pace)
{
	struct pace_entry *first = pace->waiting;

	if (!first)
		return NULL;
	pace_remove(pace, first);
	pace->turn = first->turn;
	return first;
}
