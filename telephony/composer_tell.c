/* Facts to control are queued and told when the composer has finished what it is doing: its own
 * books are then in order and control may give commands from inside the sink. */
#include "telephony/composer.h"

#include <stdlib.h>

#include "base/str.h"

static void on_tell_due(void *arg)
{
	tc_tell_all(arg);
}

static void tell_soon(struct telephony *t)
{
	t->tell_timer.fire = on_tell_due;
	t->tell_timer.arg = t;
	timer_set(t->timers, &t->tell_timer, clock_mono_us(t->clock));
}

struct tel_call_fact *tc_tell(struct telephony *t, enum tel_call_fact_kind kind,
			      const struct tc_call *call)
{
	struct tc_telling *telling = xcalloc(1, sizeof *telling);
	struct tel_call_fact *fact = &telling->fact;

	fact->kind = kind;
	fact->at_us = t->fact_at_us ? t->fact_at_us : clock_wall_us(t->clock);
	if (call) {
		str_copy(fact->call, sizeof fact->call, call->id);
		str_copy(fact->agent, sizeof fact->agent, call->agent);
	}
	DL_APPEND(t->tellings, telling);
	if (!timer_is_set(&t->tell_timer))
		tell_soon(t);
	return fact;
}

void tc_tell_all(struct telephony *t)
{
	if (t->is_telling || !t->tellings)
		return;
	/* Only what is there now: facts that follow from commands in the sink wait for the next
	 * turn. */
	struct tc_telling *last = t->tellings->prev, *telling;
	bool is_last;
	t->is_telling = true;
	do {
		telling = t->tellings;
		is_last = telling == last;
		DL_DELETE(t->tellings, telling);
		t->sink.on_fact(t->sink.user, &telling->fact);
		free(telling);
	} while (!is_last);
	t->is_telling = false;
	/* What was added in the sink has set the timer. */
	if (!t->tellings)
		timer_stop(t->timers, &t->tell_timer);
}

void tc_tell_done(struct telephony *t)
{
	timer_stop(t->timers, &t->tell_timer);
	while (t->tellings) {
		struct tc_telling *telling = t->tellings;
		DL_DELETE(t->tellings, telling);
		free(telling);
	}
}
