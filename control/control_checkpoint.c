/* A copy of everything live at the end of the journal, so that older segments can go. What changes
 * while it is written has records of its own behind the copy, so the copy need not be of one
 * moment. */
#include "control/control_priv.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fault.h"

#define COMMANDS_A_TURN 200
#define WAITING_MAX	2000 /* records that wait for the disk: what is new comes before copies */

struct checkpoint {
	uint64_t begun_at;
};

static uint64_t append(struct control *control, struct record *record, unsigned has)
{
	uint64_t number = 0;

	record->has = has;
	record->at_ms = control_now_ms(control);
	control_append(control, record, &number);
	return number;
}

/* As of the last record, told or not: what is still on its way to be told stands before the copy.
 */
static void copy_tabs(struct control *control, const struct agent_slot *agent,
		      struct record *record)
{
	for (int i = 1; i <= TAB_MAX; i++) {
		const struct tab_slot *slot = agent->tabs[i];

		if (!slot || !slot->appended_seq)
			continue;
		memset(record, 0, sizeof(*record));
		record->call = slot->current ? slot->current->call.view : *slot->told;
		record->epoch = control->epoch;
		record->seq = slot->appended_seq;
		append(control, record, RECORD_COPY | RECORD_STREAM);
	}
}

static void copy_agents(struct control *control, struct record *record)
{
	struct agent_slot *agent, *next;

	HASH_ITER(by_id, control->agents, agent, next) {
		memset(record, 0, sizeof(*record));
		record->agent = agent->view;
		if (agent->view.state != AGENT_LOGGED_OUT)
			append(control, record, RECORD_COPY | RECORD_AGENT);
		copy_tabs(control, agent, record);
	}
}

static void copy_calls(struct control *control, struct record *record)
{
	struct live_call *call, *next;

	HASH_ITER(by_id, control->calls, call, next) {
		memset(record, 0, sizeof(*record));
		control_fill_live(call, record);
		append(control, record, RECORD_COPY | RECORD_LIVE);
	}
}

void control_checkpoint(struct control *control)
{
	struct record *record;

	if (control->checkpoint || control->is_settling || control->is_degraded)
		return;
	record = xcalloc(1, sizeof(*record));
	control->checkpoint = xcalloc(1, sizeof(*control->checkpoint));
	control->checkpoint->begun_at = append(control, record, RECORD_CHECKPOINT_BEGIN);
	FAILPOINT("checkpoint.begun");
	copy_agents(control, record);
	copy_calls(control, record);
	control_copy_begin(control);
	free(record);
	control_checkpoint_go_on(control);
}

static void end(struct control *control)
{
	struct record *record = xcalloc(1, sizeof(*record));

	record->begun_at = control->checkpoint->begun_at;
	if (record->begun_at)
		append(control, record, RECORD_CHECKPOINT_END);
	FAILPOINT("checkpoint.ended");
	free(record);
	free(control->checkpoint);
	control->checkpoint = NULL;
}

void control_checkpoint_go_on(struct control *control)
{
	/* The journal's next news bring the next turn. */
	if (record_log_waiting(control->log) > WAITING_MAX)
		return;
	if (!control_copy_commands(control, COMMANDS_A_TURN))
		end(control);
	else if (control->inbox.wake)
		control->inbox.wake(control->inbox.user);
}
