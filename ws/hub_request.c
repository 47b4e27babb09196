/* What tabs ask: read, refuse or pass on to control, answer. */
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/shed.h"
#include "ws/frame.h"
#include "ws/hub_priv.h"

/* A command control has not answered yet. Freed by the answer, which always comes. */
struct pending {
	struct channel *channel; /* NULL: gone meanwhile */
	struct pending *prev, *next;
	struct request_id id;
};

static void refuse(struct channel *channel, const struct request_id *id, const struct err *err)
{
	protocol_write_error(&channel->shared->hub->writer, id, err);
	hub_send(channel);
}

/* ---- attach ---- */

/* One page that lost its connection is back before we noticed: the old one must not go on hearing.
 */
static void replace_older(struct channel *channel)
{
	struct channel *other, *next;

	if (!channel->client)
		return;
	other = audience_find(channel->shared->hub->audience, &channel->agent_id);
	DL_FOREACH_SAFE2(other, other, next, agent_next) {
		if (other != channel && other->tab == channel->tab && other->client &&
		    strcmp(other->client, channel->client) == 0)
			channel_close(other, CLOSE_REPLACED, "replaced");
	}
}

static void join(struct channel *channel, const struct attach *attach)
{
	struct hub *hub = channel->shared->hub;

	channel->state = CHANNEL_ATTACHED;
	channel->tab = attach->tab;
	channel->client = attach->client[0] ? xstrdup(attach->client) : NULL;
	if (audience_add(hub->audience, channel))
		control_agent_present(hub->control, &channel->agent_id, true);
	replace_older(channel);
}

/* Exactly what was missed, or nothing. */
static bool may_resume(const struct channel *channel, const struct attach *attach, uint64_t epoch,
		       uint64_t seq)
{
	const struct hub *hub = channel->shared->hub;

	if (PLANTED(18) && attach->has_position && attach->epoch != epoch)
		return true;
	return attach->has_position && attach->epoch == epoch &&
	       recent_has(hub->recent, &channel->agent_id, channel->tab, epoch, attach->seq, seq,
			  hub_now_us(hub));
}

/* A slice of what it missed. Live events join behind, in the log, until it has caught up. */
void hub_on_ready(struct channel *channel)
{
	struct hub *hub = channel->shared->hub;
	struct recent_text texts[REPLAY_SLICE];
	unsigned count, i;
	uint64_t newest;

	if (!recent_read(hub->recent, &channel->agent_id, channel->tab, channel->heard_epoch,
			 channel->heard_seq, REPLAY_SLICE, texts, &count, &newest)) {
		channel_close(channel, CLOSE_SLOW, "too slow"); /* forgotten before it was read */
		return;
	}
	for (i = 0; i < count && channel_is_ready(channel); i++) {
		hub->figures.messages_out++;
		FAILPOINT("ws.resumed_event");
		if (!PLANTED(17) || i > 0)
			channel_send_text(channel, texts[i].text, texts[i].length);
	}
	channel->heard_seq += i;
	channel->is_behind = channel->heard_seq < newest;
	if (channel->is_behind && channel->state != CHANNEL_CLOSING)
		channel_ask_ready(channel);
}

static void resume(struct channel *channel, const struct attach *attach, uint64_t seq)
{
	channel->heard_epoch = attach->epoch;
	channel->heard_seq = attach->seq;
	channel->is_behind = attach->seq < seq;
	if (!channel->is_behind)
		return;
	if (channel_is_ready(channel))
		hub_on_ready(channel);
	else
		channel_ask_ready(channel);
}

static void answer_attach(struct channel *channel, const struct request *request)
{
	struct hub *hub = channel->shared->hub;
	struct call_view call;
	struct agent_view agent = {0};
	int tabs[TAB_MAX];
	struct attached answer = {
		.tab = channel->tab, .agent = &agent, .tabs = tabs, .outcomes = hub->outcomes};

	if (control_tab_snapshot(hub->control, &channel->agent_id, channel->tab, &call,
				 &answer.epoch, &answer.seq))
		answer.snapshot = &call;
	control_agent_view(hub->control, &channel->agent_id, &agent);
	answer.tab_count = control_tabs(hub->control, &channel->agent_id, tabs);
	answer.outcome_count = control_outcomes(hub->control, hub->outcomes, OUTCOMES_MAX);
	answer.now_ms = clock_wall_ms(hub->clock);
	answer.is_resumed = may_resume(channel, &request->attach, answer.epoch, answer.seq);
	protocol_write_attached(&hub->writer, &request->id, &answer);
	hub_send(channel);
	if (answer.is_resumed)
		resume(channel, &request->attach, answer.seq);
}

/* A page that was loaded again has no number to come back with, but perhaps a call. */
static bool comes_back(const struct channel *channel, const struct attach *attach)
{
	struct call_view call;
	uint64_t epoch, seq;

	return attach->has_position ||
	       (control_tab_snapshot(channel->shared->hub->control, &channel->agent_id, attach->tab,
				     &call, &epoch, &seq) &&
		call.state != CALL_END);
}

/* By a close code: no script in a browser can read the answer to an upgrade. */
static bool is_turned_away(struct channel *channel, const struct attach *attach)
{
	struct shed *shed = channel->shared->hub->config.shed;
	char reason[32];

	if (shed_level(shed) < OVERLOAD_TABS ||
	    !shed_refuses(shed, comes_back(channel, attach) ? OVERLOAD_RESUMES : OVERLOAD_TABS))
		return false;
	snprintf(reason, sizeof(reason), "retry=%u", shed_retry_ms());
	channel_close(channel, CLOSE_OVERLOAD, reason);
	return true;
}

static void attach(struct channel *channel, const struct request *request)
{
	struct hub *hub = channel->shared->hub;
	struct agent_view agent;
	struct err err;

	if (is_turned_away(channel, &request->attach))
		return;
	if (!control_agent_view(hub->control, &channel->agent_id, &agent)) {
		channel_close(channel, CLOSE_NOT_ALLOWED, "agent");
		return;
	}
	if (audience_count(hub->audience, &channel->agent_id) >= AUDIENCE_MAX) {
		err_set(&err, ST_CONFLICT, "agent.too_many_windows", "",
			"this agent has %d windows open already: close some", AUDIENCE_MAX);
		refuse(channel, &request->id, &err);
		return;
	}
	join(channel, &request->attach);
	FAILPOINT("ws.joined");
	answer_attach(channel, request);
	FAILPOINT("ws.attached");
	if (channel->state == CHANNEL_ATTACHED)
		hub_watch_session(channel);
}

/* ---- commands ---- */

static void on_reply(void *user, const struct command *command, const struct reply *reply)
{
	struct pending *pending = user;
	struct channel *channel = pending->channel;

	(void)command;
	if (channel) {
		DL_DELETE(channel->pending, pending);
		channel->pending_count--;
		FAILPOINT("ws.reply");
		if (channel->state != CHANNEL_CLOSING) {
			protocol_write_reply(&channel->shared->hub->writer, &pending->id, reply);
			hub_send(channel);
		}
		if (channel->is_leaving && channel->pending_count == 0)
			hub_close_restarting(channel);
	}
	free(pending);
}

void hub_forget_pending(struct channel *channel)
{
	struct pending *pending;

	DL_FOREACH(channel->pending, pending)
		pending->channel = NULL;
	channel->pending = NULL;
	channel->pending_count = 0;
}

static void command(struct channel *channel, struct request *request)
{
	struct pending *pending;
	struct err err;

	if (channel->pending_count >= PENDING_MAX) {
		err_set(&err, ST_BUSY, "protocol.busy", "",
			"%d commands of this tab are not answered yet: nothing was done",
			PENDING_MAX);
		refuse(channel, &request->id, &err);
		return;
	}
	pending = xcalloc(1, sizeof(*pending));
	pending->channel = channel;
	pending->id = request->id;
	DL_APPEND(channel->pending, pending);
	channel->pending_count++;
	request->command.agent_id = channel->agent_id;
	request->command.tab = channel->tab;
	control_command(channel->shared->hub->control, &request->command, on_reply, pending);
}

/* ---- the rest ---- */

static void get_call(struct channel *channel, const struct request *request)
{
	struct hub *hub = channel->shared->hub;
	struct call_view call;
	uint64_t epoch, seq;
	bool has_call = control_tab_snapshot(hub->control, &channel->agent_id, channel->tab, &call,
					     &epoch, &seq);

	protocol_write_got_call(&hub->writer, &request->id, has_call ? &call : NULL);
	hub_send(channel);
}

static void pong(struct channel *channel, const struct request *request)
{
	struct hub *hub = channel->shared->hub;

	protocol_write_pong(&hub->writer, &request->id, clock_wall_ms(hub->clock));
	hub_send(channel);
}

static void carry_out(struct channel *channel, struct request *request)
{
	switch (request->kind) {
	case REQUEST_ATTACH:
		attach(channel, request);
		break;
	case REQUEST_PING:
		pong(channel, request);
		break;
	case REQUEST_GET_CALL:
		get_call(channel, request);
		break;
	case REQUEST_COMMAND:
		command(channel, request);
		break;
	}
}

static enum status check_turn(const struct channel *channel, enum request_kind kind,
			      struct err *err)
{
	if (kind == REQUEST_ATTACH && channel->state == CHANNEL_ATTACHED)
		return err_set(err, ST_CONFLICT, "protocol.already_attached", "",
			       "this connection is attached to tab %d", channel->tab);
	if (kind != REQUEST_ATTACH && channel->state == CHANNEL_OPEN)
		return err_set(err, ST_CONFLICT, "protocol.not_attached", "",
			       "attach to a tab first");
	return ST_OK;
}

void hub_on_message(struct channel *channel, const char *text, size_t length, bool is_binary)
{
	struct request request = {0};
	struct err err;
	enum status status;

	channel->shared->hub->figures.messages_in++;
	/* Not carried out and not answered: the client asks again, under its id, where it goes. */
	if (channel->is_leaving)
		return;
	if (is_binary)
		status = err_set(&err, ST_INVALID, "protocol.bad_request", "",
				 "messages are text frames, this one is binary");
	else
		status = protocol_read(text, length, &request, &err);
	if (status == ST_OK)
		status = check_turn(channel, request.kind, &err);
	if (status == ST_OK)
		carry_out(channel, &request);
	else
		refuse(channel, &request.id, &err);
}
