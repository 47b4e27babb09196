/* An agent's leg that is kept up between calls. */
#include "telephony/composer.h"

static bool is_due(const struct tc_line *line)
{
	return line->is_kept && !line->leg && !line->is_restored && line->telephony->link == TC_UP;
}

void tc_keep_stop(struct tc_line *line)
{
	timer_stop(line->telephony->timers, &line->keep_timer);
}

void tc_keep_now(struct tc_line *line)
{
	if (is_due(line))
		tc_line_ring(line);
}

static void on_due(void *arg)
{
	struct tc_line *line = arg;
	struct telephony *t = line->telephony;

	tc_keep_now(line);
	tc_tell_all(t);
}

void tc_keep_later(struct tc_line *line)
{
	struct telephony *t = line->telephony;
	int64_t wait_s = TC_KEEP_MAX_S;

	if (!is_due(line) || timer_is_set(&line->keep_timer))
		return;
	if (line->keep_failures < 5)
		wait_s = TC_KEEP_MIN_S << line->keep_failures;
	line->keep_failures++;
	line->keep_timer.fire = on_due;
	line->keep_timer.arg = line;
	timer_set(t->timers, &line->keep_timer, clock_mono_us(t->clock) + wait_s * 1000000);
}

void tc_keep_all(struct telephony *t)
{
	struct tc_line *line, *next;

	HASH_ITER(hh, t->lines, line, next)
		tc_keep_now(line);
}

enum status telephony_keep(struct telephony *t, const struct tel_agent *agent, bool on,
			   struct err *err)
{
	enum status status = tc_check_agent(agent, err);
	struct tc_line *line = status == ST_OK ? tc_line_find(t, agent->id) : NULL;

	if (status != ST_OK || (!line && !on))
		return status;
	if (on)
		line = tc_line_get(t, agent);
	if (on == line->is_kept)
		return ST_OK;
	line->is_kept = on;
	line->keep_failures = 0;
	if (!t->driver)
		line->is_restored = on || line->calls;
	if (on)
		tc_keep_now(line);
	else
		tc_keep_stop(line);
	if (!on && line->mode == TEL_AGENT_TAB)
		tc_line_part(line);
	if (!on)
		tc_line_settle(line);
	return ST_OK;
}
