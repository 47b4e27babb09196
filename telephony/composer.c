#include "telephony/composer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct telephony *telephony_create(const struct clock *clock, struct timers *timers,
				   const char *node, struct tel_call_sink sink)
{
	struct telephony *t = xcalloc(1, sizeof *t);

	assert(tel_is_id(node) && strlen(node) <= TC_NODE_MAX);
	t->clock = clock;
	t->timers = timers;
	str_copy(t->node, sizeof t->node, node);
	t->sink = sink;
	t->next_serial = (uint64_t)clock_wall_us(clock);
	return t;
}

void telephony_destroy(struct telephony *t)
{
	struct tc_call *call, *next_call;
	struct tc_line *line, *next_line;
	struct tc_leg *leg, *next_leg;
	struct tc_mix *mix, *next_mix;

	if (!t)
		return;
	assert(!t->is_telling);
	tel_driver_close(t->driver);
	tc_send_done(t);
	tc_tell_done(t);
	tc_found_done(t);
	tc_plays_done(t);
	timer_stop(t->timers, &t->pace_timer);
	tc_records_done(t);
	HASH_ITER(hh, t->calls, call, next_call)
		tc_call_free(call);
	HASH_ITER(hh, t->lines, line, next_line) {
		timer_stop(t->timers, &line->ring_timer);
		timer_stop(t->timers, &line->keep_timer);
		HASH_DEL(t->lines, line);
		free(line);
	}
	HASH_ITER(hh, t->legs, leg, next_leg) {
		HASH_DEL(t->legs, leg);
		free(leg);
	}
	HASH_ITER(hh, t->mixes, mix, next_mix) {
		HASH_DEL(t->mixes, mix);
		free(mix);
	}
	free(t);
}

struct tel_sink telephony_driver_sink(struct telephony *t)
{
	return (struct tel_sink){tc_on_fact, t};
}

enum status telephony_start(struct telephony *t, struct tel_driver *driver, struct err *err)
{
	assert(!t->driver);
	t->driver = driver;
	return tel_driver_open(driver, err);
}

bool telephony_is_linked(const struct telephony *t)
{
	return t->link == TC_UP;
}

const char *telephony_driver_name(const struct telephony *t)
{
	return t->driver ? t->driver->ops->name : "none";
}

struct tc_call *tc_call_find(struct telephony *t, const char *id)
{
	struct tc_call *call;

	HASH_FIND_STR(t->calls, id, call);
	return call;
}

enum status tc_ready(struct telephony *t, struct err *err)
{
	if (t->link != TC_UP)
		return err_set(err, ST_UNAVAILABLE, "switch.away", "",
			       "the telephone switch cannot be reached; try again when it is back");
	if (t->waiting)
		return err_set(err, ST_BUSY, "switch.busy", "",
			       "the telephone switch has too much to do; try again in a moment");
	return ST_OK;
}

enum status tc_ready_call(struct telephony *t, const char *id, struct tc_call **ret,
			  struct err *err)
{
	enum status status = tc_ready(t, err);

	if (status != ST_OK)
		return status;
	struct tc_call *call = tc_call_find(t, id);
	if (!call)
		return err_set(err, ST_CONFLICT, "call.unknown", "call",
			       "the telephone switch has no such call any more");
	*ret = call;
	return ST_OK;
}

enum status tc_not_up(const struct tc_call *call, struct err *err)
{
	static const char *const why[] = {
		[TC_SEEKING] = "it is waiting for the agent's telephone",
		[TC_CALLING] = "nobody has answered yet",
		[TC_OFFERED] = "it has not been answered",
		[TC_ANSWERING] = "it is being answered",
		[TC_TALK] = "it is active",
		[TC_HELD] = "it is held",
		[TC_RESUMING] = "it is waiting for the agent's telephone",
		[TC_PARKED] = "no agent is in it",
		[TC_TRANSFERRING] = "it is being transferred",
		[TC_ENDING] = "it is over",
	};

	return err_set(err, ST_CONFLICT, "call.not_up", "call", "the call cannot do this now: %s",
		       why[call->state]);
}

const char *tel_call_fact_word(enum tel_call_fact_kind kind)
{
	static const char *const words[TELCALL_FACT_COUNT] = {
		[TELCALL_OFFERED] = "offered",
		[TELCALL_OFFER_GONE] = "offer_gone",
		[TELCALL_WAITING] = "waiting",
		[TELCALL_DIALING] = "dialing",
		[TELCALL_RINGING] = "ringing",
		[TELCALL_UP] = "up",
		[TELCALL_ENDED] = "ended",
		[TELCALL_TRANSFERRED] = "transferred",
		[TELCALL_TRANSFER_FAILED] = "transfer_failed",
		[TELCALL_DIGIT] = "digit",
		[TELCALL_DTMF_DONE] = "dtmf_done",
		[TELCALL_AGENT_AUDIO] = "agent_audio",
		[TELCALL_AGENT_HELD] = "agent_held",
		[TELCALL_AGENT_MEDIA] = "agent_media",
		[TELCALL_PLAY_ENDED] = "play_ended",
		[TELCALL_RECORD_BEGUN] = "record_begun",
		[TELCALL_RECORD_ENDED] = "record_ended",
		[TELCALL_OP_FAILED] = "op_failed",
		[TELCALL_LINK] = "link",
		[TELCALL_SYNCED] = "synced",
		[TELCALL_STATION] = "station",
	};

	return (unsigned)kind < TELCALL_FACT_COUNT ? words[kind] : "?";
}

const char *tel_side_word(enum tel_side side)
{
	static const char *const words[] = {
		[TEL_SIDE_UNKNOWN] = "unknown", [TEL_SIDE_FAR] = "customer",
		[TEL_SIDE_AGENT] = "agent",	[TEL_SIDE_US] = "us",
		[TEL_SIDE_SWITCH] = "switch",
	};

	return (unsigned)side < sizeof words / sizeof *words ? words[side] : "?";
}
