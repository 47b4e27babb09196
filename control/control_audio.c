/* Audio that is kept up between an agent's calls. */
#include "control/control_priv.h"

#include "base/log.h"

#define PAGES_BACK_US (60 * INT64_C(1000000)) /* a reload, a new network, another browser */

static bool is_wanted(const struct agent_slot *agent)
{
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

void control_drop_audio(struct control *control, struct agent_slot *agent)
{
	keep(control, agent, false);
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
