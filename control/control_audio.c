/* Audio that is kept up between an agent's calls, and audio in a page of his. */
#include "control/control_priv.h"

#include "base/log.h"
#include "base/str.h"

#define PAGES_BACK_US (60 * INT64_C(1000000)) /* a reload, a new network, another browser */

static bool is_wanted(const struct agent_slot *agent)
{
	if (agent->setup.audio == AUDIO_WS)
		return agent->lease.is_connected;
	return agent_keeps_audio(&agent->view) &&
	       (agent->pages > 0 || timer_is_set(&agent->left_timer));
}

static void keep(struct control *control, struct agent_slot *agent, bool is_kept)
{
	struct tel_agent who = control_tel_agent(agent);
	struct err err = {0};

	if (agent->is_audio_kept == is_kept || !control->telephony)
		return;
	agent->is_audio_kept = is_kept;
	if (telephony_keep(control->telephony, &who, is_kept, &err) != ST_OK)
		log_warn("an agent's audio cannot be kept up", "agent=%s why=%s",
			 agent->setup.login, log_quote(err.message));
}

void control_keep_audio(struct control *control, struct agent_slot *agent)
{
	keep(control, agent, is_wanted(agent));
}

/* --- in a page --- */

static void show_window(struct control *control, struct agent_slot *agent)
{
	if (strcmp(agent->view.audio_window, agent->lease.window) == 0)
		return;
	str_copy_cut(agent->view.audio_window, sizeof(agent->view.audio_window),
		     agent->lease.window);
	agent->view.version++;
	control_record_agent(control, agent);
}

static int64_t now_ms(const struct control *control)
{
	return clock_mono_us(control->clock) / 1000;
}

static void on_lease_timer(void *arg)
{
	struct agent_slot *agent = arg;

	if (audio_lease_expire(&agent->lease, now_ms(agent->control)))
		show_window(agent->control, agent);
}

static enum status refuse(const struct agent_slot *agent, struct err *err)
{
	if (!agent)
		return err_set(err, ST_NOT_FOUND, "agent.unknown", "agent",
			       "there is no such agent");
	if (agent->setup.audio != AUDIO_WS)
		return err_set(err, ST_CONFLICT, "audio.not_here", "audio",
			       "this agent's audio is not in his page");
	return err_set(err, ST_CONFLICT, "audio.elsewhere", "window",
		       "the audio is in another window of this agent");
}

enum status control_audio_open(struct control *control, const struct uuid *agent_id,
			       const char *window, bool is_take, uint64_t *ret_lease,
			       struct err *err)
{
	struct agent_slot *agent = control_find_agent(control, agent_id);

	if (!audio_window_is_valid(window))
		return err_set(err, ST_INVALID, "audio.bad_window", "window",
			       "a window's name is 1 to 16 of A-Z a-z 0-9 _ -");
	if (!agent || agent->setup.audio != AUDIO_WS ||
	    !audio_lease_ask(&agent->lease, window, is_take, now_ms(control)))
		return refuse(agent, err);
	timer_stop(control->timers, &agent->lease_timer);
	keep(control, agent, false); /* the leg of the connection before */
	keep(control, agent, true);
	show_window(control, agent);
	*ret_lease = agent->lease.serial;
	return ST_OK;
}

void control_audio_close(struct control *control, const struct uuid *agent_id, uint64_t lease)
{
	struct agent_slot *agent = control_find_agent(control, agent_id);

	if (!agent || !audio_lease_leave(&agent->lease, lease, now_ms(control)))
		return;
	control_keep_audio(control, agent);
	agent->lease_timer.fire = on_lease_timer;
	agent->lease_timer.arg = agent;
	timer_set(control->timers, &agent->lease_timer,
		  clock_mono_us(control->clock) + AUDIO_RESERVED_MS * INT64_C(1000));
}

void control_audio_path(struct control *control, struct agent_slot *agent, const char *path)
{
	for (unsigned i = 0; i < control->listener_count && agent->lease.is_connected; i++)
		if (control->listeners[i].on_audio_path)
			control->listeners[i].on_audio_path(control->listeners[i].user,
							    &agent->setup.agent_id,
							    agent->lease.serial, path);
}

/* --- another way to reach it --- */

static void end_lease(struct control *control, struct agent_slot *agent)
{
	uint64_t serial = agent->lease.serial;

	timer_stop(control->timers, &agent->lease_timer);
	agent->lease = (struct audio_lease){.serial = serial};
	agent->view.audio_window[0] = '\0';
	for (unsigned i = 0; i < control->listener_count; i++)
		if (control->listeners[i].on_audio_over)
			control->listeners[i].on_audio_over(control->listeners[i].user,
							    &agent->setup.agent_id, serial);
}

void control_drop_audio(struct control *control, struct agent_slot *agent)
{
	keep(control, agent, false);
	if (agent->lease.window[0])
		end_lease(control, agent);
}

static void on_left(void *arg)
{
	struct agent_slot *agent = arg;

	control_keep_audio(agent->control, agent);
}

void control_audio_left(struct control *control, struct agent_slot *agent)
{
	agent->left_timer.fire = on_left;
	agent->left_timer.arg = agent;
	timer_set(control->timers, &agent->left_timer,
		  clock_mono_us(control->clock) + PAGES_BACK_US);
}

void control_audio_recover(struct control *control)
{
	struct agent_slot *agent, *next;

	HASH_ITER(by_id, control->agents, agent, next) {
		if (!agent_keeps_audio(&agent->view))
			continue;
		control_audio_left(control, agent);
		control_keep_audio(control, agent);
	}
}
