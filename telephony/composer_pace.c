/* Calls that are made wait here for their turn (pace.h). Who is answered, or called for a party
 * that is up, does not wait: somebody is on the line. It counts all the same. */
#include "telephony/composer.h"

#include <stddef.h>

static void begin(struct tc_call *call)
{
	tc_line_bring(call->line, call->mix);
	if (tc_line_is_in(call->line))
		tc_call_dial(call);
}

static void on_due(void *arg);

static void wait_for_turn(struct telephony *t)
{
	int64_t now_us = clock_mono_us(t->clock);
	int64_t wait_us = pace_wait_us(&t->pace, now_us);

	/* The driver's queue has no room: asking at once would ask without end. */
	if (t->waiting && wait_us < TC_RETRY_MS * 1000)
		wait_us = TC_RETRY_MS * 1000;
	t->pace_timer.fire = on_due;
	t->pace_timer.arg = t;
	timer_set(t->timers, &t->pace_timer, now_us + wait_us);
}

/* While the switch is away, or has too much to do, nobody's turn comes. */
void tc_pace_run(struct telephony *t)
{
	int64_t now_us = clock_mono_us(t->clock);

	while (t->pace.waiting && t->link == TC_UP && !t->waiting &&
	       pace_may_go(&t->pace, now_us)) {
		struct pace_entry *entry = pace_take(&t->pace);
		int64_t waited_us = now_us - entry->since_us;

		if (waited_us > t->figures.longest_wait_us)
			t->figures.longest_wait_us = waited_us;
		pace_spend(&t->pace, now_us);
		begin((struct tc_call *)((char *)entry - offsetof(struct tc_call, turn)));
	}
	if (t->pace.waiting && t->link == TC_UP)
		wait_for_turn(t);
}

static void on_due(void *arg)
{
	struct telephony *t = arg;

	tc_pace_run(t);
	tc_tell_all(t);
}

void tc_pace_begin(struct tc_call *call)
{
	struct telephony *t = call->telephony;
	int64_t now_us = clock_mono_us(t->clock);

	t->figures.made++;
	if (!t->pace.waiting && pace_may_go(&t->pace, now_us)) {
		pace_spend(&t->pace, now_us);
		begin(call);
		return;
	}
	t->figures.delayed++;
	call->line->mix = call->mix; /* his audio is spoken for */
	pace_put(&t->pace, &call->turn, call->line->agent, now_us);
	tc_tell(t, TELCALL_WAITING, call);
	if (!timer_is_set(&t->pace_timer))
		wait_for_turn(t);
}

void tc_pace_count(struct telephony *t)
{
	pace_spend(&t->pace, clock_mono_us(t->clock));
}

void telephony_set_pace(struct telephony *t, unsigned calls_per_s)
{
	t->pace.per_s = calls_per_s;
}

void telephony_figures(const struct telephony *t, struct telephony_figures *ret)
{
	*ret = t->figures;
	ret->waiting = t->pace.count;
}
