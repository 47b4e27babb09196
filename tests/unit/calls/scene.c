#include "scene.h"

#include "base/str.h"

struct call_outcome outcome(const char *name, bool is_connect_xor_abort)
{
	struct call_outcome result = {.is_configured = true,
				      .is_connect_xor_abort = is_connect_xor_abort};

	assert_true(str_copy(result.name, sizeof result.name, name));
	return result;
}

struct call_policy usual_policy(void)
{
	struct call_policy policy = {.preview_ms = 15000,
				     .ring_ms = 22000,
				     .offer_ms = 20000,
				     .wrap_ms = 30000,
				     .has_outcomes = true};

	for (int i = 0; i < ATTEMPT_RESULT_COUNT; i++) {
		struct call_outcome *system = &policy.system[i];

		str_copy(system->name, sizeof system->name,
			 attempt_system_outcome((enum attempt_result)i));
		system->is_automatic = true;
	}
	return policy;
}

void scene_start(struct scene *scene, const struct call_policy *policy)
{
	*scene = (struct scene){.now_ms = START_MS};
	scene->call.policy = *policy;
	scene->call.view.direction = DIR_OUTBOUND;
	scene->call.view.tab = 1;
	scene->call.view.version = 7;
}

void later(struct scene *scene, int64_t ms)
{
	scene->now_ms += ms;
}

static enum actor actor_of(enum call_event_kind kind)
{
	if (kind == EV_PRESENT || kind == EV_OFFER)
		return ACTOR_DIALER;
	if (call_event_is_command(kind) && kind != EV_ENQUEUE)
		return ACTOR_AGENT;
	return kind >= EV_PREVIEW_TIME && kind <= EV_WRAP_TIME ? ACTOR_TIMER : ACTOR_SWITCH;
}

struct call_event event_now(const struct scene *scene, enum call_event_kind kind)
{
	return (struct call_event){
		.kind = kind,
		.at_ms = scene->now_ms,
		.actor = actor_of(kind),
		.command_id = call_event_is_command(kind) ? "c1" : NULL,
		.result = kind == EV_FAR_ENDED ? ATTEMPT_CANCELLED : ATTEMPT_NONE,
		.ended_by = kind == EV_FAR_ENDED ? ENDED_BY_CUSTOMER : ENDED_BY_UNKNOWN,
		.cause = kind == EV_FAR_ENDED ? 16 : 0,
		.on = true,
		.retry_at_ms = kind == EV_CALLBACK ? scene->now_ms + 3600000 : 0,
		.outcome = outcome("Sold", true),
		.tab = 3,
	};
}

static void add(char *list, size_t size, const char *text)
{
	size_t length = strlen(list);

	assert_true(str_format(list + length, size - length, "%s%s", length ? ", " : "", text));
}

static void write_down(struct scene *scene, const struct call *before)
{
	struct call_story story = call_story(before, &scene->call);
	char text[160];

	assert_true(story.is_changed);
	if (story.closed_event) {
		const char *last = strrchr(scene->rows, ',');

		assert_string_equal(last ? last + 2 : scene->rows, story.closed_event);
		str_format(text, sizeof text, " %lld",
			   (long long)(scene->now_ms - scene->row_at_ms));
		str_format(scene->rows + strlen(scene->rows),
			   sizeof scene->rows - strlen(scene->rows), "%s", text);
	}
	if (story.instant_event)
		add(scene->rows, sizeof scene->rows, story.instant_event);
	if (story.opened_event) {
		add(scene->rows, sizeof scene->rows, story.opened_event);
		scene->row_at_ms = scene->now_ms;
	}
	if (story.is_result_given) {
		str_format(text, sizeof text, "%s%s", scene->call.outcome.name,
			   scene->call.outcome.is_automatic ? "*" : "");
		add(scene->results, sizeof scene->results, text);
	}
}

void happens_event(struct scene *scene, const struct call_event *event)
{
	struct call before = scene->call;
	enum status status = call_step(&before, event, &scene->call, &scene->todo, &scene->err);

	if (status != ST_OK)
		fail_msg("%s refused in %s: %s", call_event_word(event->kind),
			 call_state_word(before.view.state), scene->err.message);
	if (scene->call.view.version == before.view.version)
		fail_msg("%s changed nothing in %s", call_event_word(event->kind),
			 call_state_word(before.view.state));
	write_down(scene, &before);
}

void happens(struct scene *scene, enum call_event_kind kind)
{
	struct call_event event = event_now(scene, kind);

	happens_event(scene, &event);
}

void far_ends(struct scene *scene, enum attempt_result result)
{
	struct call_event event = event_now(scene, EV_FAR_ENDED);

	event.result = result;
	happens_event(scene, &event);
}

void chooses(struct scene *scene, const struct call_outcome *chosen)
{
	struct call_event event = event_now(scene, EV_OUTCOME);

	event.outcome = *chosen;
	happens_event(scene, &event);
}

void is_ignored(struct scene *scene, enum call_event_kind kind)
{
	struct call_event event = event_now(scene, kind);
	struct call next;

	memset(&next, 0x5a, sizeof next);
	assert_int_equal(call_step(&scene->call, &event, &next, &scene->todo, &scene->err), ST_OK);
	assert_memory_equal(&next, &scene->call, sizeof next);
	assert_int_equal(scene->todo.count, 0);
}

void is_refused(struct scene *scene, enum call_event_kind kind, const char *code)
{
	struct call_event event = event_now(scene, kind);
	struct call next, marked, before = scene->call;
	struct effects todo, marked_todo;

	memset(&next, 0x5a, sizeof next);
	memset(&marked, 0x5a, sizeof marked);
	memset(&todo, 0x5a, sizeof todo);
	memset(&marked_todo, 0x5a, sizeof marked_todo);
	scene->err = (struct err){0};
	assert_int_equal(call_step(&scene->call, &event, &next, &todo, &scene->err), ST_CONFLICT);
	assert_int_equal(scene->err.status, ST_CONFLICT);
	assert_string_equal(scene->err.code, code);
	assert_string_equal(scene->err.target, "tab");
	assert_memory_equal(&next, &marked, sizeof next);
	assert_memory_equal(&todo, &marked_todo, sizeof todo);
	assert_memory_equal(&before, &scene->call, sizeof before);
}

void is_refused_saying(struct scene *scene, enum call_event_kind kind, const char *message)
{
	struct call_event event = event_now(scene, kind);
	struct call next;
	struct effects todo;

	assert_int_equal(call_step(&scene->call, &event, &next, &todo, &scene->err), ST_CONFLICT);
	assert_string_equal(scene->err.message, message);
}

int64_t timer_left_ms(const struct scene *scene)
{
	enum call_event_kind kind;
	int64_t at_ms;

	return call_deadline(&scene->call, &at_ms, &kind) ? at_ms - scene->now_ms : -1;
}

bool deadline_passes(struct scene *scene)
{
	enum call_event_kind kind;
	int64_t at_ms;

	if (!call_deadline(&scene->call, &at_ms, &kind))
		return false;
	if (at_ms > scene->now_ms)
		scene->now_ms = at_ms;
	happens(scene, kind);
	return true;
}

/* The shortest way into a state: events until EV_COUNT. */
static const enum call_event_kind ways[CALL_STATE_COUNT][7] = {
	[CALL_NONE] = {EV_COUNT},
	[CALL_QUEUED] = {EV_ENQUEUE, EV_COUNT},
	[CALL_PREVIEW] = {EV_PRESENT, EV_COUNT},
	[CALL_PREVIEW_PAUSED] = {EV_PRESENT, EV_PAUSE_TIMER, EV_COUNT},
	[CALL_INCOMING] = {EV_ENQUEUE, EV_OFFER, EV_COUNT},
	[CALL_ANSWERING] = {EV_ENQUEUE, EV_OFFER, EV_ANSWER, EV_COUNT},
	[CALL_RINGING] = {EV_DIAL, EV_COUNT},
	[CALL_TALK] = {EV_DIAL, EV_UP, EV_COUNT},
	[CALL_HELD] = {EV_DIAL, EV_UP, EV_HOLD, EV_COUNT},
	[CALL_CONSULT] = {EV_CONSULT_DIAL, EV_UP, EV_COUNT},
	[CALL_CONSULT_HELD] = {EV_CONSULT_DIAL, EV_UP, EV_HOLD, EV_COUNT},
	[CALL_CONFERENCE] = {EV_DIAL, EV_UP, EV_CONFERENCE, EV_COUNT},
	[CALL_TRANSFERRING] = {EV_DIAL, EV_UP, EV_TRANSFER, EV_COUNT},
	[CALL_WRAP] = {EV_DIAL, EV_UP, EV_RELEASE, EV_COUNT},
	[CALL_WRAP_PAUSED] = {EV_DIAL, EV_UP, EV_RELEASE, EV_PAUSE_TIMER, EV_COUNT},
	[CALL_PAUSE] = {EV_DIAL, EV_UP, EV_RELEASE, EV_WRAP_TIME, EV_COUNT},
	[CALL_END] = {EV_DIAL, EV_UP, EV_RELEASE, EV_END_WRAP, EV_COUNT},
};

void scene_lead(struct scene *scene, const struct call_policy *policy, enum call_state state,
		bool is_consult)
{
	scene_start(scene, policy);
	for (const enum call_event_kind *way = ways[state]; *way != EV_COUNT; way++) {
		bool is_first_of_consult = is_consult && *way == EV_DIAL;

		later(scene, 1000);
		happens(scene, is_first_of_consult ? EV_CONSULT_DIAL : *way);
	}
	if (!is_consult || state < CALL_RINGING)
		assert_state(scene, state);
}

void assert_asked(const struct scene *scene, const char *effects)
{
	char asked[120] = "";

	for (unsigned i = 0; i < scene->todo.count; i++)
		add(asked, sizeof asked, call_effect_word(scene->todo.list[i]));
	assert_string_equal(asked, effects);
}

void assert_counters(const struct scene *scene, int calls, int no_answers, int busies, int connects,
		     int aborts, bool did_connect)
{
	const struct dialer_counters *c = &scene->call.view.counters;

	assert_int_equal(c->calls, calls);
	assert_int_equal(c->no_answers, no_answers);
	assert_int_equal(c->busies, busies);
	assert_int_equal(c->connects, connects);
	assert_int_equal(c->aborts, aborts);
	assert_int_equal(c->did_connect, did_connect);
}
