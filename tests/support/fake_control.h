#pragma once
/* A stand-in for control/, with the functions of control/control.h that the tab door calls: so that
 * the door can be tested, and measured, without calls, a switch or a database. Link this file's
 * object with calltab_ws and the linker does not take the real room.
 *
 * Every agent id made by fake_uuid() with a number below FAKE_NOBODY is somebody. A tab's call is
 * made up from its state whenever it is needed, so that ten thousand tabs cost little. Commands are
 * kept until fake_control_answer_all(). */
#include <stdbool.h>
#include <stdint.h>
#include "control/control.h"

#define FAKE_NOBODY 1000000 /* agents from here on are unknown */
#define FAKE_EPOCH  1764000000000

/* A key with a number in it: kind 1 = agent, 2 = session, ... */
struct uuid fake_uuid(unsigned kind, unsigned number);
unsigned fake_number(const struct uuid *uuid);

struct control *fake_control_create(const struct clock *clock);
void fake_control_destroy(struct control *control);

/* The tab's call as it would be told now. mark goes into its commandId. */
void fake_call(struct control *control, unsigned agent, int tab, enum call_state state,
	       const char *mark, struct call_view *ret);
/* Tells it to all listeners under the tab's next number. */
void fake_tell_call(struct control *control, unsigned agent, int tab, enum call_state state,
		    const char *mark);
/* Tells it as something of before a restart, so long ago. */
void fake_tell_past(struct control *control, unsigned agent, int tab, const struct call_view *call,
		    uint64_t seq, int64_t age_ms);
void fake_tell_agent(struct control *control, unsigned agent, enum agent_state state);
void fake_tell_tabs(struct control *control, unsigned agent);
void fake_tell_notice(struct control *control, unsigned agent, const char *code,
		      const char *message); /* 0 = all */

/* Who is there, by control_agent_present(). */
bool fake_is_present(struct control *control, unsigned agent);
unsigned fake_present_count(const struct control *control);
/* Tabs that somebody has attached to. */
unsigned fake_seen_count(const struct control *control);
/* Tells this call to the i-th of them, with its agent and tab filled in: the cheapest way to push.
 */
bool fake_tell_seen(struct control *control, unsigned i, struct call_view *call);

/* Commands waiting for an answer, oldest first; NULL beyond the last. */
const struct command *fake_command(const struct control *control, unsigned i);
unsigned fake_command_count(const struct control *control);
/* err NULL: done, with call ids made from the tab. Returns how many were answered. */
unsigned fake_answer_all(struct control *control, const struct err *err);
