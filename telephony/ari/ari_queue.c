/* The order of operations. Each leg and each mix has a queue; an operation that touches both stands
 * in both and goes when it is the first of each and its leg is ready. So the operations of one leg
 * or mix take effect in the order given, and a leg that is not ready - not in Stasis yet, sending
 * digits, or on its way into a bridge - holds up nobody who does not depend on it.
 *
 * A move of a channel that is sending digits would make Asterisk's socket wait for them, and with
 * it every other call. And a bridge that is deleted while a channel is on its way into or out of it
 * can take the channel out of the bridge where it went: the answer to a move comes before the move
 * is over, only its event tells that. So a leg's next operation waits for the event of its last
 * move, and so does the end of the mixes between which it moves. */
#include "telephony/ari/ari_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define NO_CHANNEL	400 /* to addChannel, removeChannel */
#define NOT_FOUND	404
#define ALREADY_SO	409
#define NOT_IN_STASIS	422 /* addChannel; removeChannel: not in this bridge */
#define ADD_TRIES	5
#define ADD_PAUSE_MS	20
#define CHECK_IN_MS	1000
#define MOVE_MAX_MS	2000 /* until an event that tells of a move is not waited for any more */
#define DIGITS_MAX	4
#define DIGITS_LEAD_MS	100 /* Asterisk waits so long before the first digit of a request */
#define DIGITS_SLACK_MS 20
#define CODE_SIZE	(3 * DIGITS_MAX + 1)

/* ---- what each kind sends; false: it has more to send after the leg's pause ---- */

static struct ari_request *fill(struct ari_request *request, const struct ari_op *op)
{
	request->kind = op->kind;
	request->token = op->token;
	request->tries = op->tries;
	request->on = op->on;
	if (op->leg) {
		request->move = op->leg->move;
		str_copy(request->leg, sizeof request->leg, op->leg->id);
	}
	if (op->mix)
		str_copy(request->mix, sizeof request->mix, op->mix->id);
	str_copy(request->play, sizeof request->play, op->play);
	return request;
}

static void on_op_answer(struct ari *ari, const struct ari_request *request,
			 const struct ari_event *answer);

static void run_mix(struct ari *ari, struct ari_mix *mix);

static void count_move(struct ari *ari, const char *id, int change)
{
	struct ari_mix *mix = id[0] ? ari_mix_find(ari, id) : NULL;

	if (!mix)
		return;
	mix->moves += change;
	if (mix->moves == 0)
		run_mix(ari, mix);
}

static void settle(struct ari_leg *leg)
{
	if (!leg->is_moving)
		return;
	leg->is_moving = false;
	count_move(leg->ari, leg->moving, -1);
	count_move(leg->ari, leg->moving_from, -1);
}

static void on_pause_over(void *arg)
{
	struct ari_leg *leg = arg;
	struct ari *ari = leg->ari;

	settle(leg);
	ari_queue_run(ari, leg);
	ari_flush(ari);
}

static void pause_leg(struct ari_leg *leg, unsigned ms)
{
	ari_timer_in(leg->ari, &leg->pause_timer, on_pause_over, leg, ms);
}

static void begin_move(struct ari_leg *leg, const char *mix, bool is_in)
{
	leg->move = ++leg->ari->next_move;
	leg->is_moving = true;
	leg->moves_in = is_in;
	str_copy(leg->moving, sizeof leg->moving, mix);
	str_copy(leg->moving_from, sizeof leg->moving_from, is_in ? leg->joined : "");
	count_move(leg->ari, leg->moving, 1);
	count_move(leg->ari, leg->moving_from, 1);
	pause_leg(leg, MOVE_MAX_MS);
}

static void end_move(struct ari_leg *leg)
{
	ari_timer_stop(leg->ari, &leg->pause_timer);
	settle(leg);
	ari_queue_run(leg->ari, leg);
}

void ari_queue_on_moved(struct ari_leg *leg, const char *bridge, bool is_in)
{
	if (leg->is_moving && leg->moves_in == is_in && strcmp(leg->moving, bridge) == 0)
		end_move(leg);
}

/* Into the mix where it is already it would be parted and joined once more: a click in the ear. */
static bool send_add(struct ari *ari, struct ari_op *op)
{
	if (strcmp(op->leg->mix, op->mix->id) == 0)
		return true;
	str_copy(op->leg->mix, sizeof op->leg->mix, op->mix->id);
	begin_move(op->leg, op->mix->id, true);
	fill(ari_send(ari, on_op_answer, NULL,
		      "POST bridges/%s/addChannel?channel=%s&inhibitConnectedLineUpdates=true",
		      op->mix->id, op->leg->channel),
	     op);
	return true;
}

static bool send_remove(struct ari *ari, struct ari_op *op)
{
	if (strcmp(op->leg->mix, op->mix->id) == 0)
		op->leg->mix[0] = '\0';
	begin_move(op->leg, op->mix->id, false);
	fill(ari_send(ari, on_op_answer, NULL, "POST bridges/%s/removeChannel?channel=%s",
		      op->mix->id, op->leg->channel),
	     op);
	return true;
}

static bool send_dial(struct ari *ari, struct ari_op *op)
{
	op->leg->stage = ARI_LEG_DIALING;
	fill(ari_send(ari, on_op_answer, NULL, "POST channels/%s/dial?timeout=%u", op->leg->channel,
		      op->timeout_s),
	     op);
	return true;
}

/* A few digits at a time, and the next ones when these are out: Asterisk says nothing of the end.
 */
static bool send_dtmf(struct ari *ari, struct ari_op *op)
{
	char some[DIGITS_MAX + 1], code[CODE_SIZE];

	if (op->leg->stage != ARI_LEG_UP) {
		ari_tell_failure(ari, op->token, op->leg->id, "", "the leg is not up");
		return true;
	}
	if (!op->digits[op->sent]) {
		ari_tell_leg(op->leg,
			     (struct tel_fact){.kind = TEL_LEG_DTMF_DONE, .token = op->token});
		return true;
	}
	str_format(some, sizeof some, "%.*s", DIGITS_MAX, op->digits + op->sent);
	str_url_encode(code, sizeof code, some);
	fill(ari_send(ari, on_op_answer, NULL,
		      "POST channels/%s/dtmf?dtmf=%s&duration=%u&between=%u", op->leg->channel,
		      code, op->on_ms, op->gap_ms),
	     op);
	op->sent += (unsigned)strlen(some);
	pause_leg(op->leg, DIGITS_LEAD_MS + (unsigned)strlen(some) * (op->on_ms + op->gap_ms) +
				   DIGITS_SLACK_MS);
	return false;
}

static bool send_mute(struct ari *ari, struct ari_op *op)
{
	static const char *const directions[] = {
		[TEL_MUTE_VOICE] = "in", [TEL_MUTE_EAR] = "out", [TEL_MUTE_BOTH] = "both"};

	fill(ari_send(ari, on_op_answer, NULL, "%s channels/%s/mute?direction=%s",
		      op->on ? "POST" : "DELETE", op->leg->channel, directions[op->mute]),
	     op);
	return true;
}

static bool send_ring(struct ari *ari, struct ari_op *op)
{
	fill(ari_send(ari, on_op_answer, NULL, "POST channels/%s/ring", op->leg->channel), op);
	return true;
}

static bool send_answer(struct ari *ari, struct ari_op *op)
{
	fill(ari_send(ari, on_op_answer, NULL, "POST channels/%s/answer", op->leg->channel), op);
	return true;
}

/* The name tells after a restart which bridges are ours. */
static bool send_mix_make(struct ari *ari, struct ari_op *op)
{
	fill(ari_send(ari, on_op_answer, NULL, "POST bridges/%s?type=%s&name=%s", op->mix->id,
		      op->mix_kind == TEL_MIX_PARK ? "holding" : "mixing", ari->config.app),
	     op);
	return true;
}

static bool send_mix_free(struct ari *ari, struct ari_op *op)
{
	fill(ari_send(ari, on_op_answer, NULL, "DELETE bridges/%s", op->mix->id), op);
	return true;
}

static bool send_music(struct ari *ari, struct ari_op *op)
{
	char class[3 * sizeof ari->config.music_class];
	bool has_class = op->on && ari->config.music_class[0];

	str_url_encode(class, sizeof class, has_class ? ari->config.music_class : "");
	fill(ari_send(ari, on_op_answer, NULL, "%s bridges/%s/moh%s%s", op->on ? "POST" : "DELETE",
		      op->mix->id, has_class ? "?mohClass=" : "", class),
	     op);
	return true;
}

static bool send_play(struct ari *ari, struct ari_op *op)
{
	char sound[3 * sizeof op->sound];

	str_url_encode(sound, sizeof sound, op->sound);
	fill(ari_send(ari, on_op_answer, NULL, "POST bridges/%s/play/%s?media=sound:%s",
		      op->mix->id, op->play, sound),
	     op);
	return true;
}

/* Gone when it was to be stopped before this. */
static bool send_record(struct ari *ari, struct ari_op *op)
{
	struct ari_record *record = ari_record_find(ari, op->play);

	if (record)
		ari_record_send(record, op->token);
	return true;
}

static bool (*const senders[ARI_OP_KIND_COUNT])(struct ari *, struct ari_op *) = {
	[ARI_OP_ADD] = send_add,	   [ARI_OP_REMOVE] = send_remove,
	[ARI_OP_DIAL] = send_dial,	   [ARI_OP_DTMF] = send_dtmf,
	[ARI_OP_MUTE] = send_mute,	   [ARI_OP_RING] = send_ring,
	[ARI_OP_ANSWER] = send_answer,	   [ARI_OP_MIX_MAKE] = send_mix_make,
	[ARI_OP_MIX_FREE] = send_mix_free, [ARI_OP_MUSIC] = send_music,
	[ARI_OP_PLAY] = send_play,	   [ARI_OP_RECORD] = send_record,
};

/* ---- the queues ---- */

static void enqueue(struct ari *ari, struct ari_op *op)
{
	if (op->leg)
		DL_APPEND2(op->leg->ops, op, leg_prev, leg_next);
	if (op->mix)
		DL_APPEND2(op->mix->ops, op, mix_prev, mix_next);
	ari->ops_count++;
}

static void op_free(struct ari *ari, struct ari_op *op)
{
	if (op->leg)
		DL_DELETE2(op->leg->ops, op, leg_prev, leg_next);
	if (op->mix)
		DL_DELETE2(op->mix->ops, op, mix_prev, mix_next);
	ari->ops_count--;
	free(op);
}

static bool has_move_before(const struct ari_leg *leg, uint64_t number)
{
	const struct ari_op *op;

	DL_FOREACH2(leg->ops, op, leg_next)
		if ((op->kind == ARI_OP_ADD || op->kind == ARI_OP_REMOVE) && op->number < number)
			return true;
	return false;
}

/* Whether legs are on their way into or out of the mix, or were told to leave it before its end was
 * asked for. */
static bool is_busy(const struct ari_op *free_op)
{
	const struct ari_mix *mix = free_op->mix;
	const struct ari_leg *leg, *next;

	if (mix->moves)
		return true;
	HASH_ITER(hh, mix->ari->legs, leg, next)
		if ((strcmp(leg->mix, mix->id) == 0 || strcmp(leg->joined, mix->id) == 0) &&
		    has_move_before(leg, free_op->number))
			return true;
	return false;
}

static bool is_ready(const struct ari_op *op)
{
	if (op->kind == ARI_OP_MIX_FREE && is_busy(op))
		return false;
	if (op->leg &&
	    (op->leg->ops != op || !op->leg->is_in_stasis || timer_is_set(&op->leg->pause_timer)))
		return false;
	return !op->mix || op->mix->ops == op;
}

/* Sends it and lets go what stood behind it; false when it has more to send later. */
static bool carry_out(struct ari *ari, struct ari_op *op)
{
	struct ari_leg *leg = op->leg;
	struct ari_mix *mix = op->mix;
	bool is_free = op->kind == ARI_OP_MIX_FREE;

	if (!senders[op->kind](ari, op))
		return false;
	op_free(ari, op);
	if (is_free)
		ari_mix_destroy(ari, mix);
	else if (leg && mix)
		run_mix(ari, mix);
	return true;
}

void ari_queue_run(struct ari *ari, struct ari_leg *leg)
{
	while (leg->ops && is_ready(leg->ops))
		if (!carry_out(ari, leg->ops))
			return;
}

static void run_mix(struct ari *ari, struct ari_mix *mix)
{
	while (mix->ops && is_ready(mix->ops)) {
		struct ari_leg *leg = mix->ops->leg;
		bool is_free = mix->ops->kind == ARI_OP_MIX_FREE;
		carry_out(ari, mix->ops);
		if (is_free)
			return;
		if (leg)
			ari_queue_run(ari, leg);
	}
}

/* These do not wait for digits: they are not moves, and mute above all has to be immediate. */
static bool is_immediate(const struct ari_op *op)
{
	return (op->kind == ARI_OP_MUTE || op->kind == ARI_OP_RING || op->kind == ARI_OP_ANSWER) &&
	       op->leg->is_in_stasis;
}

void ari_queue_put(struct ari *ari, const struct ari_op *op)
{
	struct ari_op *copy = xmalloc(sizeof *copy);

	*copy = *op;
	copy->number = ++ari->next_op;
	if (is_immediate(copy)) {
		senders[copy->kind](ari, copy);
		free(copy);
		return;
	}
	enqueue(ari, copy);
	if (is_ready(copy))
		carry_out(ari, copy);
}

static void run_mix_named(struct ari *ari, const char *id)
{
	struct ari_mix *mix = id[0] ? ari_mix_find(ari, id) : NULL;

	if (mix)
		run_mix(ari, mix);
}

/* First its operations go, then what waited for them. */
void ari_queue_drop_leg(struct ari *ari, struct ari_leg *leg)
{
	ari_timer_stop(ari, &leg->pause_timer);
	while (leg->ops) {
		struct ari_mix *mix = leg->ops->mix;
		op_free(ari, leg->ops);
		if (mix)
			run_mix(ari, mix);
	}
	settle(leg);
	run_mix_named(ari, leg->mix);
	run_mix_named(ari, leg->joined);
}

void ari_queue_drop_all(struct ari *ari)
{
	struct ari_leg *leg, *next_leg;
	struct ari_mix *mix, *next_mix;

	HASH_ITER(hh, ari->legs, leg, next_leg) {
		ari_timer_stop(ari, &leg->pause_timer);
		leg->is_moving = false;
		while (leg->ops)
			op_free(ari, leg->ops);
	}
	HASH_ITER(hh, ari->mixes, mix, next_mix) {
		mix->moves = 0;
		mix->is_freed = false; /* its end was not asked for: whoever wants it asks again */
		while (mix->ops)
			op_free(ari, mix->ops);
	}
}

/* ---- answers ---- */

/* Asterisk was not ready for the channel yet. It is asked again, first of all that the leg has to
 * do, unless the leg has been sent elsewhere meanwhile. */
static void add_again(struct ari *ari, struct ari_leg *leg, struct ari_mix *mix,
		      const struct ari_request *request)
{
	struct ari_op *op = xcalloc(1, sizeof *op);

	*op = (struct ari_op){.kind = ARI_OP_ADD,
			      .token = request->token,
			      .leg = leg,
			      .mix = mix,
			      .tries = request->tries + 1};
	DL_PREPEND2(leg->ops, op, leg_prev, leg_next);
	DL_PREPEND2(mix->ops, op, mix_prev, mix_next);
	ari->ops_count++;
	pause_leg(leg, ADD_PAUSE_MS * op->tries);
}

static void drop_digits(struct ari *ari, struct ari_leg *leg, uint32_t token)
{
	if (!leg->ops || leg->ops->kind != ARI_OP_DTMF || leg->ops->token != token)
		return;
	ari_timer_stop(ari, &leg->pause_timer);
	op_free(ari, leg->ops);
	ari_queue_run(ari, leg);
}

/* Refusals that mean that things are as they were asked to be. */
static bool is_fine(const struct ari_request *request, int status)
{
	switch (request->kind) {
	case ARI_OP_REMOVE:
		return status == NOT_IN_STASIS;
	case ARI_OP_MIX_MAKE:
	case ARI_OP_ANSWER:
		return status == ALREADY_SO;
	case ARI_OP_MUSIC:
		return status == ALREADY_SO && !request->on;
	case ARI_OP_MIX_FREE:
		return status == NOT_FOUND;
	default:
		return false;
	}
}

static bool is_channel_gone(const struct ari_request *request, int status)
{
	if (request->kind == ARI_OP_ADD || request->kind == ARI_OP_REMOVE)
		return status == NO_CHANNEL;
	return request->leg[0] && status == NOT_FOUND;
}

static bool is_move(const struct ari_request *request)
{
	return request->kind == ARI_OP_ADD || request->kind == ARI_OP_REMOVE;
}

/* True when it will be tried again. */
static bool retry_move(struct ari *ari, struct ari_leg *leg, const struct ari_request *request,
		       int status)
{
	struct ari_mix *mix = ari_mix_find(ari, request->mix);

	if (leg->move != request->move)
		return false;
	if (request->kind == ARI_OP_ADD)
		leg->mix[0] = '\0';
	bool is_again = request->kind == ARI_OP_ADD && status == NOT_IN_STASIS &&
			request->tries < ADD_TRIES && mix && !mix->is_freed;
	if (is_again) {
		settle(leg);
		add_again(ari, leg, mix, request);
	} else {
		end_move(leg);
	}
	return is_again;
}

/* Cleans up after an operation that was refused; true when that is all there is to do. */
static bool recover(struct ari *ari, struct ari_leg *leg, const struct ari_request *request,
		    int status)
{
	if (is_move(request) && retry_move(ari, leg, request, status))
		return true;
	if (request->kind == ARI_OP_DTMF)
		drop_digits(ari, leg, request->token);
	if (is_channel_gone(request, status)) {
		ari_leg_check_in(leg, CHECK_IN_MS);
		return true;
	}
	if (request->kind == ARI_OP_DIAL) {
		ari_leg_fail(leg);
		return true;
	}
	return is_fine(request, status);
}

static void on_op_answer(struct ari *ari, const struct ari_request *request,
			 const struct ari_event *answer)
{
	struct ari_leg *leg = request->leg[0] ? ari_leg_find(ari, request->leg) : NULL;
	struct ari_play *play = request->play[0] ? ari_play_find(ari, request->play) : NULL;
	char reason[ARI_REASON_SIZE];

	if (request->leg[0] && (!leg || leg->is_hangup_asked))
		return; /* it has ended, or is about to: no failure */
	if (answer->status < 300) {
		if (leg && request->kind == ARI_OP_DIAL)
			leg->is_dialed = true;
		return;
	}
	if (leg ? recover(ari, leg, request, answer->status) : is_fine(request, answer->status))
		return;
	if (play)
		ari_play_destroy(play);
	ari_reason_parse(answer->body, answer->body_length, reason, sizeof reason);
	ari_tell_failure(ari, request->token, request->leg, request->mix, reason);
}
