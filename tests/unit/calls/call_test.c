#include "scene.h"

#include "step_check.h"

/* The whole book by hand, once more: what each state lets happen. A command that is not here is
 * refused and leaves no trace, a fact or timer that is not here came late and is ignored. A word
 * before '>' with a ! belongs to a consultation, with a ? to a call that an outcome is still due
 * for, with a + to one with a running timer, with a - to one that nobody has talked on. */
static const char *const book[CALL_STATE_COUNT] = {
	[CALL_NONE] = "present>preview enqueue>queued dial>ringing consult_dial>ringing",
	[CALL_QUEUED] = "offer>incoming far_ended>wrap",
	[CALL_PREVIEW] = "preview_time>ringing dial>ringing pause_timer>preview_paused skip>wrap "
			 "release>wrap reject>wrap not_ready>wrap",
	[CALL_PREVIEW_PAUSED] =
		"resume_timer>preview dial>ringing skip>wrap release>wrap reject>wrap "
		"not_ready>wrap",
	[CALL_INCOMING] =
		"answer>answering release>wrap reject>wrap -not_ready>wrap offer_time>wrap "
		"far_ended>wrap"
		" 1record_over>incoming",
	[CALL_ANSWERING] = "up>talk release>wrap no_audio>wrap far_ended>wrap"
			   " 1record_over>answering",
	[CALL_RINGING] = "far_waits>ringing far_dialing>ringing far_ringing>ringing !up>consult "
			 "up>talk release>wrap "
			 "!cancel_consult>wrap ring_time>wrap far_ended>wrap",
	[CALL_TALK] =
		"hold>held mute>talk dtmf>talk play>talk transfer>transferring consult>held "
		"complete>wrap conference>conference release>wrap far_ended>wrap no_audio>held "
		"outcome>talk callback>talk"
		" 0record_start>talk 1record_stop>talk 2record_pause>talk 3record_resume>talk "
		"1record_over>talk",
	[CALL_HELD] =
		"resume>talk transfer>transferring consult>held completed>wrap "
		"conferenced>conference release>wrap far_ended>wrap outcome>held callback>held"
		" 0record_start>held 1record_stop>held 2record_pause>held 3record_resume>held "
		"1record_over>held",
	[CALL_CONSULT] = "hold>consult_held mute>consult dtmf>consult play>consult "
			 "cancel_consult>wrap complete>wrap conference>conference release>wrap "
			 "far_ended>wrap no_audio>consult_held"
			 " 0record_start>consult 1record_stop>consult 2record_pause>consult "
			 "3record_resume>consult 1record_over>consult",
	[CALL_CONSULT_HELD] =
		"resume>consult cancel_consult>wrap completed>wrap "
		"conferenced>conference release>wrap far_ended>wrap"
		" 0record_start>consult_held 1record_stop>consult_held 2record_pause>consult_held "
		"3record_resume>consult_held 1record_over>consult_held",
	[CALL_CONFERENCE] =
		"leave>wrap partner_left>wrap partner_gone>talk mute>conference "
		"dtmf>conference play>conference release>wrap far_ended>wrap "
		"outcome>conference callback>conference"
		" 0record_start>conference 1record_stop>conference 2record_pause>conference "
		"3record_resume>conference 1record_over>conference",
	[CALL_TRANSFERRING] =
		"transferred>wrap transfer_failed>incoming release>wrap far_ended>wrap "
		"outcome>transferring callback>transferring"
		" 1record_over>transferring",
	[CALL_WRAP] = "?wrap_time>pause wrap_time>end end_wrap>end +pause_timer>wrap_paused "
		      "outcome>wrap callback>wrap",
	[CALL_WRAP_PAUSED] = "resume_timer>wrap end_wrap>end outcome>wrap_paused "
			     "callback>wrap_paused",
	[CALL_PAUSE] = "outcome>end callback>end end_wrap>end",
	[CALL_END] = "",
};

static const char *const codes[EV_COUNT] = {
	[EV_PRESENT] = "tab.not_free",
	[EV_ENQUEUE] = "tab.not_free",
	[EV_OFFER] = "tab.not_free",
	[EV_DIAL] = "tab.not_free",
	[EV_CONSULT_DIAL] = "tab.not_free",
	[EV_ANSWER] = "call.not_incoming",
	[EV_RELEASE] = "call.nothing_to_release",
	[EV_REJECT] = "call.not_incoming",
	[EV_SKIP] = "call.not_preview",
	[EV_NOT_READY] = "call.not_offered",
	[EV_HOLD] = "call.not_active",
	[EV_RESUME] = "call.not_held",
	[EV_MUTE] = "call.not_active",
	[EV_DTMF] = "call.not_active",
	[EV_PLAY] = "call.not_active",
	[EV_TRANSFER] = "call.not_active",
	[EV_CONSULT] = "call.not_active",
	[EV_CANCEL_CONSULT] = "call.no_consult",
	[EV_COMPLETE] = "tab.not_active",
	[EV_CONFERENCE] = "tab.not_active",
	[EV_LEAVE] = "call.no_conference",
	[EV_PAUSE_TIMER] = "call.no_timer",
	[EV_RESUME_TIMER] = "call.not_paused",
	[EV_OUTCOME] = "call.no_outcome_now",
	[EV_CALLBACK] = "call.no_outcome_now",
	[EV_END_WRAP] = "call.not_idle",
	[EV_RECORD_START] = "call.not_recordable",
	[EV_RECORD_STOP] = "call.not_recorded",
	[EV_RECORD_PAUSE] = "call.not_recorded",
	[EV_RECORD_RESUME] = "call.recording_not_paused",
};

/* What decides between two lines of the book. */
struct variant {
	bool is_consult, is_due, has_timer, is_talked;
	enum recording recording;
};

#define CONDITIONS "!?+-0123" /* the last four: not recorded, recorded, on, paused */

static bool condition_holds(char sign, const struct variant *v)
{
	switch (sign) {
	case '!':
		return v->is_consult;
	case '?':
		return v->is_due;
	case '+':
		return v->has_timer;
	case '-':
		return !v->is_talked;
	case '0':
		return v->recording == RECORDING_OFF;
	case '1':
		return v->recording != RECORDING_OFF;
	case '2':
		return v->recording == RECORDING_ON;
	default:
		return v->recording == RECORDING_PAUSED;
	}
}

/* The state's word the book names for this event, or false. */
static bool look_up(enum call_state from, const char *event, const struct variant *v, char *ret_to)
{
	char line[600], *rest = line, *entry;

	strcpy(line, book[from]);
	while ((entry = strsep(&rest, " "))) {
		char *to = strchr(entry, '>');
		bool has_condition = *entry && strchr(CONDITIONS, *entry);

		if (!to)
			continue;
		*to++ = 0;
		if (strcmp(entry + has_condition, event) != 0)
			continue;
		if (has_condition && !condition_holds(*entry, v))
			continue;
		strcpy(ret_to, to);
		return true;
	}
	return false;
}

static void set_variant(struct scene *scene, const struct variant *v)
{
	struct call *call = &scene->call;

	call->is_consult = v->is_consult;
	if (!v->is_due)
		call->outcome = outcome("Sold", true);
	else
		call->outcome.name[0] = 0;
	strcpy(call->view.outcome, call->outcome.name);
	if (!v->has_timer && call->view.state != CALL_WRAP_PAUSED)
		call->view.wrap_until_ms = call->policy.wrap_ms = 0;
	call->view.recording = v->recording;
	call->view.attempt_result = v->is_talked ? ATTEMPT_CONNECTED : ATTEMPT_NONE;
}

static void check_step(const struct call *before, const struct call_event *event,
		       const struct call *after, const struct effects *todo)
{
	const char *fault = step_fault(before, event, after, todo);

	if (!fault)
		fault = can_fault(after);
	if (fault)
		fail_msg("%s in %s: %s", call_event_word(event->kind),
			 call_state_word(before->view.state), fault);
}

static void check_pair(enum call_state from, enum call_event_kind kind, const struct variant *v)
{
	struct call_policy policy = usual_policy();
	struct scene scene;
	struct call before;
	char to[40] = "";

	scene_lead(&scene, &policy, from, false);
	set_variant(&scene, v);
	later(&scene, 500);
	before = scene.call;
	if (look_up(from, call_event_word(kind), v, to)) {
		struct call_event event = event_now(&scene, kind);

		assert_int_equal(call_step(&before, &event, &scene.call, &scene.todo, &scene.err),
				 ST_OK);
		assert_string_equal(call_state_word(scene.call.view.state), to);
		check_step(&before, &event, &scene.call, &scene.todo);
	} else if (call_event_is_command(kind)) {
		is_refused(&scene, kind, codes[kind]);
	} else {
		is_ignored(&scene, kind);
	}
}

static void every_event_in_every_state_is_legal_refused_or_late(void **state)
{
	unsigned pairs = 0;

	(void)state;
	for (unsigned from = 0; from < CALL_STATE_COUNT; from++)
		for (unsigned kind = 0; kind < EV_COUNT; kind++)
			for (unsigned bits = 0; bits < 48; bits++) {
				struct variant v = {bits & 1, bits & 2, bits & 4, bits & 8,
						    (enum recording)(bits / 16)};

				/* a consultation owes no outcome */
				if (v.is_consult && v.is_due)
					continue;
				check_pair((enum call_state)from, (enum call_event_kind)kind, &v);
				pairs++;
			}
	assert_int_equal(pairs, CALL_STATE_COUNT * EV_COUNT * 36);
}

static void every_line_of_the_book_names_an_event_and_a_state(void **state)
{
	(void)state;
	for (unsigned from = 0; from < CALL_STATE_COUNT; from++) {
		char line[600], *rest = line, *entry;

		strcpy(line, book[from]);
		while ((entry = strsep(&rest, " "))) {
			char *to = strchr(entry, '>');
			unsigned events = 0, states = 0;

			if (!to)
				continue;
			*to++ = 0;
			entry += strchr(CONDITIONS, *entry) != NULL;
			for (int i = 0; i < EV_COUNT; i++)
				events += !strcmp(entry, call_event_word((enum call_event_kind)i));
			for (int i = 0; i < CALL_STATE_COUNT; i++)
				states += !strcmp(to, call_state_word((enum call_state)i));
			assert_int_equal(events, 1);
			assert_int_equal(states, 1);
		}
	}
}

/* No rule stands behind one that always holds: it could never apply. */
static void every_rule_can_apply(void **state)
{
	(void)state;
	for (unsigned i = 0; i < call_rule_count; i++)
		for (unsigned j = 0; j < i; j++)
			assert_false(call_rules[j].from == call_rules[i].from &&
				     call_rules[j].event == call_rules[i].event &&
				     call_rules[j].guard == GUARD_ALWAYS);
}

/* From every state a call comes to its end, whatever the switch says or does not say: by timers
 * alone, or by one release or end by hand. */
static void idle_and_end_are_always_reachable(void **state)
{
	struct call_policy policy = usual_policy();

	(void)state;
	for (unsigned from = 1; from < CALL_END; from++) {
		struct scene scene;

		scene_lead(&scene, &policy, (enum call_state)from, false);
		if (call_rule_find(&scene.call, EV_RELEASE))
			happens(&scene, EV_RELEASE);
		else if (from == CALL_QUEUED)
			happens(&scene, EV_FAR_ENDED);
		assert_string_equal(call_client_word(scene.call.view.state), "idle");
		happens(&scene, EV_END_WRAP);
		assert_state(&scene, CALL_END);
	}
}

static void refusals_say_what_is_missing(void **state)
{
	static const struct {
		enum call_state in;
		enum call_event_kind command;
		const char *message;
	} expected[] = {
		{CALL_NONE, EV_HOLD, "hold needs an active call: there is no call"},
		{CALL_NONE, EV_RELEASE, "release needs a call: there is no call"},
		{CALL_NONE, EV_ANSWER, "answer needs an incoming call: there is no call"},
		{CALL_QUEUED, EV_ANSWER, "answer needs an incoming call: the caller is waiting"},
		{CALL_PREVIEW, EV_HOLD, "hold needs an active call: it is in preview"},
		{CALL_PREVIEW_PAUSED, EV_PAUSE_TIMER,
		 "pauseTimer needs a running preview or wrap timer: it is in preview"},
		{CALL_INCOMING, EV_DTMF, "sendDTMF needs an active call: it is incoming"},
		{CALL_ANSWERING, EV_ANSWER, "answer needs an incoming call: it is being answered"},
		{CALL_RINGING, EV_HOLD, "hold needs an active call: it is ringing"},
		{CALL_TALK, EV_RESUME, "resume needs a held call: it is active"},
		{CALL_TALK, EV_DIAL, "dial needs a free tab: it is active"},
		{CALL_HELD, EV_HOLD, "hold needs an active call: it is held"},
		{CALL_HELD, EV_COMPLETE, "transferComplete needs this tab active: it is held"},
		{CALL_HELD, EV_CONFERENCE, "conference needs this tab active: it is held"},
		{CALL_CONSULT, EV_TRANSFER,
		 "transferBlind needs an active or held call: it is a consultation"},
		{CALL_CONSULT_HELD, EV_HOLD,
		 "hold needs an active call: it is a consultation on hold"},
		{CALL_CONFERENCE, EV_HOLD, "hold needs an active call: it is in a conference"},
		{CALL_CONFERENCE, EV_CONSULT,
		 "transferConsult needs an active or held call: it is in a conference"},
		{CALL_TRANSFERRING, EV_END_WRAP,
		 "endWrap needs a call that is idle: it is being transferred"},
		{CALL_WRAP, EV_RELEASE, "release needs a call: it is idle"},
		{CALL_WRAP_PAUSED, EV_PAUSE_TIMER,
		 "pauseTimer needs a running preview or wrap timer: it is idle"},
		{CALL_PAUSE, EV_RESUME_TIMER,
		 "resumeTimer needs a paused timer: it is idle, an outcome is due"},
		{CALL_END, EV_RELEASE, "release needs a call: it has ended"},
		{CALL_END, EV_OUTCOME,
		 "setOutcome needs a call that has been talked or is idle: it has ended"},
	};
	struct call_policy policy = usual_policy();
	struct scene scene;

	(void)state;
	for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		scene_lead(&scene, &policy, expected[i].in, false);
		is_refused_saying(&scene, expected[i].command, expected[i].message);
	}
}

/* "hold needs an active call: it is active" */
static void check_contradiction(const struct err *err)
{
	static const char *const things[] = {"active", "incoming", "preview",
					     "held",   "idle",	   "paused"};
	const char *colon = strrchr(err->message, ':');
	char is[40], needs[40];

	assert_non_null(colon);
	for (unsigned i = 0; i < sizeof things / sizeof things[0]; i++) {
		const char *need;

		snprintf(is, sizeof is, "it is %s", things[i]);
		snprintf(needs, sizeof needs, " %s", things[i]);
		need = strstr(err->message, needs);
		if (strstr(colon, is) && need && need < colon)
			fail_msg("%s", err->message);
	}
}

static void no_refusal_contradicts_itself(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene scene;

	(void)state;
	for (unsigned from = 0; from < CALL_STATE_COUNT; from++)
		for (unsigned kind = 0; kind < EV_COUNT; kind++) {
			struct call_event event;
			struct call next;
			struct effects todo;

			scene_lead(&scene, &policy, (enum call_state)from, false);
			event = event_now(&scene, (enum call_event_kind)kind);
			if (call_event_is_command(event.kind) &&
			    call_step(&scene.call, &event, &next, &todo, &scene.err) != ST_OK)
				check_contradiction(&scene.err);
		}
}

static void refusals_work_without_a_place_for_the_reason(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene scene;
	struct call_event event;
	struct call next;
	struct effects todo;

	(void)state;
	scene_lead(&scene, &policy, CALL_TALK, false);
	event = event_now(&scene, EV_RESUME);
	assert_int_equal(call_step(&scene.call, &event, &next, &todo, NULL), ST_CONFLICT);
}

static void steps_are_pure(void **state)
{
	struct call_policy policy = usual_policy();

	(void)state;
	for (unsigned from = 0; from < CALL_STATE_COUNT; from++)
		for (unsigned kind = 0; kind < EV_COUNT; kind++) {
			struct scene scene;
			struct call_event event;
			struct call first, second, before;
			struct effects todo;

			scene_lead(&scene, &policy, (enum call_state)from, false);
			event = event_now(&scene, (enum call_event_kind)kind);
			before = scene.call;
			if (call_step(&scene.call, &event, &first, &todo, NULL) != ST_OK)
				continue;
			assert_int_equal(call_step(&scene.call, &event, &second, &todo, NULL),
					 ST_OK);
			assert_memory_equal(&first, &second, sizeof first);
			assert_memory_equal(&before, &scene.call, sizeof before);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_in_every_state_is_legal_refused_or_late),
		cmocka_unit_test(every_line_of_the_book_names_an_event_and_a_state),
		cmocka_unit_test(every_rule_can_apply),
		cmocka_unit_test(idle_and_end_are_always_reachable),
		cmocka_unit_test(refusals_say_what_is_missing),
		cmocka_unit_test(no_refusal_contradicts_itself),
		cmocka_unit_test(refusals_work_without_a_place_for_the_reason),
		cmocka_unit_test(steps_are_pure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
