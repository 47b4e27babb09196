/* How much there is to do, looked at ten times a second, and what is turned away because of it. The
 * rule is server/overload.h; the doors ask base/shed.h. */
#include <inttypes.h>

#include "base/log.h"
#include "base/spare.h"
#include "server/app_priv.h"

#define SAMPLE_US 100000
#define LAG_MS	  50 /* the thresholds of server/overload.c are in this measure */

/* What the turns of the loop took, and how late this one is. */
static unsigned newest_lag_ms(struct app *app, int64_t now_us)
{
	int64_t late_us = now_us - app->load.due_us, longest_us = loop_take_longest_us(app->loop);

	return (unsigned)((late_us > longest_us ? late_us : longest_us) / 1000);
}

static uint64_t refused(const struct shed *shed)
{
	uint64_t sum = 0;

	for (int work = 0; work < OVERLOAD_LEVEL_COUNT; work++)
		sum += atomic_load(&shed->refused[work]);
	return sum;
}

/* Once for a change and not for each who is turned away: there may be thousands. */
static void tell(struct app *app, enum overload_level before, const struct overload_sample *sample,
		 unsigned lag_ms)
{
	enum overload_level level = app->load.overload.level;

	if (level > before)
		log_warn("overload: new work is turned away",
			 "level=%s before=%s lag_ms=%u journal=%u%% requests=%u%% connections=%u%%",
			 overload_word(level), overload_word(before), lag_ms,
			 sample->journal_percent, sample->requests_percent, sample->files_percent);
	else if (level < before)
		log_info(level == OVERLOAD_NONE ? "overload is over" : "overload is less",
			 "level=%s before=%s refused=%" PRIu64, overload_word(level),
			 overload_word(before), refused(&app->shed));
}

static void on_sample(void *arg)
{
	struct app *app = arg;
	struct app_load *load = &app->load;
	int64_t now_us = clock_mono_us(&clock_system);
	unsigned lag_ms = overload_lag_ms(&load->lag, newest_lag_ms(app, now_us));
	const struct overload_sample sample = {
		.lag_ms = lag_ms * LAG_MS / load->most_lag_ms,
		.journal_percent = record_log_fill_percent(app->log),
		.requests_percent = db_fill_percent(app->db),
		.files_percent = front_fill_percent(app->front),
	};
	enum overload_level before = load->overload.level;

	shed_set_level(&app->shed, overload_step(&load->overload, &sample, now_us));
	if (load->overload.level != before)
		tell(app, before, &sample, lag_ms);
	spare_fill();
	load->due_us = now_us + SAMPLE_US;
	timer_set(loop_timers(app->loop), &load->timer, load->due_us);
}

void app_watch_load(struct app *app)
{
	app->load.timer = (struct timer){.fire = on_sample, .arg = app};
	app->load.most_lag_ms = (unsigned)config_number(app->config, OPT_overload_lag_ms);
	app->load.due_us = clock_mono_us(&clock_system) + SAMPLE_US;
	timer_set(loop_timers(app->loop), &app->load.timer, app->load.due_us);
}

void app_stop_watching_load(struct app *app)
{
	if (app->loop)
		timer_stop(loop_timers(app->loop), &app->load.timer);
}
