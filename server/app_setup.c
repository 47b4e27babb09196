/* Agents, queues, outcomes and sounds: rows -> control. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "routes/sound_file.h"
#include "server/app_priv.h"

#define SETUP_MAX 20000

struct setup {
	struct app *app;
	struct db_job job;
	struct agent_setup *agents;
	struct queue_setup *queues;
	struct outcome_setup *outcomes;
	struct sound_setup *sounds;
	struct dial_rule *dial_rules;
	unsigned agent_count, queue_count, outcome_count, sound_count, dial_rule_count;
	unsigned sound_changes; /* those the sounds have in them */
};

static void free_setup(struct setup *setup)
{
	free(setup->agents);
	free(setup->queues);
	free(setup->outcomes);
	free(setup->sounds);
	free(setup->dial_rules);
}

/* What this version cannot do is a desk telephone. */
static enum audio_mode audio_of(const struct db_result *rows, unsigned row)
{
	enum audio_mode mode = AUDIO_DESK;
	char word[WORD_SIZE];

	db_copy_text(rows, row, 5, word, sizeof(word));
	if (!audio_mode_parse(word, &mode))
		log_warn("an agent's audio is not known here: his desk telephone is used",
			 "audio=%s", log_quote(word));
	return mode;
}

static enum status read_agents(struct db_conn *conn, const struct db_param *tenant,
			       struct setup *setup, struct err *err)
{
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "setup_agents", tenant, 1, &rows, err);

	if (status != ST_OK)
		return status;
	setup->agent_count = db_rows(rows) < SETUP_MAX ? db_rows(rows) : SETUP_MAX;
	setup->agents = xcalloc(setup->agent_count + 1, sizeof(*setup->agents));
	for (unsigned i = 0; i < setup->agent_count; i++) {
		struct agent_setup *agent = &setup->agents[i];

		agent->agent_id = db_get_uuid(rows, i, 0);
		db_copy_text(rows, i, 1, agent->login, sizeof(agent->login));
		db_copy_text(rows, i, 2, agent->name, sizeof(agent->name));
		db_copy_text(rows, i, 3, agent->extension, sizeof(agent->extension));
		db_copy_text(rows, i, 4, agent->cc_agent_id, sizeof(agent->cc_agent_id));
		agent->audio = audio_of(rows, i);
	}
	return ST_OK;
}

static enum status read_queues(struct db_conn *conn, const struct db_param *tenant,
			       struct setup *setup, struct err *err)
{
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "setup_queues", tenant, 1, &rows, err);

	if (status != ST_OK)
		return status;
	setup->queue_count = db_rows(rows) < SETUP_MAX ? db_rows(rows) : SETUP_MAX;
	setup->queues = xcalloc(setup->queue_count + 1, sizeof(*setup->queues));
	for (unsigned i = 0; i < setup->queue_count; i++) {
		struct queue_setup *queue = &setup->queues[i];

		queue->queue_id = db_get_uuid(rows, i, 0);
		db_copy_text(rows, i, 1, queue->name, sizeof(queue->name));
		db_copy_text(rows, i, 2, queue->number, sizeof(queue->number));
		queue->wrap_s = (unsigned)db_get_int(rows, i, 3);
		db_copy_text(rows, i, 4, queue->script_url, sizeof(queue->script_url));
	}
	return ST_OK;
}

static enum attempt_result result_of(const char *word)
{
	for (int i = ATTEMPT_CONNECTED; i < ATTEMPT_RESULT_COUNT; i++)
		if (!strcmp(attempt_result_word((enum attempt_result)i), word))
			return (enum attempt_result)i;
	return ATTEMPT_NONE;
}

static enum status read_outcomes(struct db_conn *conn, const struct db_param *tenant,
				 struct setup *setup, struct err *err)
{
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "setup_outcomes", tenant, 1, &rows, err);

	if (status != ST_OK)
		return status;
	setup->outcome_count = db_rows(rows);
	setup->outcomes = xcalloc(setup->outcome_count + 1, sizeof(*setup->outcomes));
	for (unsigned i = 0; i < setup->outcome_count; i++) {
		struct outcome_setup *outcome = &setup->outcomes[i];
		char word[WORD_SIZE];

		outcome->outcome_id = db_get_uuid(rows, i, 0);
		db_copy_text(rows, i, 1, outcome->name, sizeof(outcome->name));
		outcome->is_connect_xor_abort = db_get_bool(rows, i, 2);
		db_copy_text(rows, i, 3, word, sizeof(word));
		outcome->system_for = result_of(word);
		outcome->is_default = db_get_bool(rows, i, 4);
		outcome->is_retry = db_get_bool(rows, i, 5);
		outcome->retry_after_s = (unsigned)db_get_int(rows, i, 6);
	}
	return ST_OK;
}

static enum status read_sounds(struct db_conn *conn, const struct db_param *tenant,
			       struct setup *setup, struct err *err)
{
	struct db_param params[] = {*tenant, db_int(SOUNDS_MAX)};
	auto_db_result struct db_result *rows = NULL;
	enum status status;

	setup->sound_changes = atomic_load(&setup->app->sound_changes);
	status = db_query(conn, "setup_sounds", params, 2, &rows, err);
	if (status != ST_OK)
		return status;
	setup->sound_count = db_rows(rows);
	setup->sounds = xcalloc(setup->sound_count + 1, sizeof(*setup->sounds));
	for (unsigned i = 0; i < setup->sound_count; i++) {
		struct sound_setup *sound = &setup->sounds[i];

		db_copy_text(rows, i, 0, sound->name, sizeof(sound->name));
		db_copy_text(rows, i, 1, sound->version, sizeof(sound->version));
		sound->duration_ms = (unsigned)db_get_int(rows, i, 2);
	}
	return ST_OK;
}

enum status app_read_dial_rules(struct db_conn *conn, struct dial_rule **ret, unsigned *ret_count,
				struct err *err)
{
	struct uuid tenant = app_tenant();
	struct db_param params[] = {db_uuid(&tenant), db_int(DIAL_RULES_MAX)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "setup_dial_rules", params, 2, &rows, err);

	if (status != ST_OK)
		return status;
	*ret_count = db_rows(rows);
	*ret = xcalloc(*ret_count + 1, sizeof(**ret));
	for (unsigned i = 0; i < *ret_count; i++) {
		struct dial_rule *rule = &(*ret)[i];

		db_copy_text(rows, i, 0, rule->name, sizeof(rule->name));
		db_copy_text(rows, i, 1, rule->campaign, sizeof(rule->campaign));
		db_copy_text(rows, i, 2, rule->queue, sizeof(rule->queue));
		db_copy_text(rows, i, 3, rule->party_type, sizeof(rule->party_type));
		db_copy_text(rows, i, 4, rule->number_prefix, sizeof(rule->number_prefix));
		rule->strip = (unsigned)db_get_int(rows, i, 5);
		db_copy_text(rows, i, 6, rule->prefix, sizeof(rule->prefix));
		db_copy_text(rows, i, 7, rule->caller_number, sizeof(rule->caller_number));
		db_copy_text(rows, i, 8, rule->caller_name, sizeof(rule->caller_name));
		rule->is_withheld = db_get_bool(rows, i, 9);
	}
	return ST_OK;
}

static enum status read_setup(struct db_conn *conn, void *arg, struct err *err)
{
	struct setup *setup = arg;
	struct uuid tenant = app_tenant();
	struct db_param param = db_uuid(&tenant);
	enum status status = read_agents(conn, &param, setup, err);

	if (status == ST_OK)
		status = read_queues(conn, &param, setup, err);
	if (status == ST_OK)
		status = read_outcomes(conn, &param, setup, err);
	if (status == ST_OK)
		status = read_sounds(conn, &param, setup, err);
	if (status == ST_OK)
		status =
			app_read_dial_rules(conn, &setup->dial_rules, &setup->dial_rule_count, err);
	return status;
}

static void give_setup(struct control *control, const struct setup *setup)
{
	for (unsigned i = 0; i < setup->agent_count; i++)
		control_set_agent(control, &setup->agents[i]);
	for (unsigned i = 0; i < setup->queue_count; i++)
		control_set_queue(control, &setup->queues[i]);
	for (unsigned i = 0; i < setup->outcome_count; i++)
		control_set_outcome(control, &setup->outcomes[i]);
	control_set_dial_rules(control, setup->dial_rules, setup->dial_rule_count);
	/* One that was put or deleted while this was read is known already, and is not undone. */
	if (setup->sound_changes == atomic_load(&setup->app->sound_changes))
		control_set_sounds(control, setup->sounds, setup->sound_count);
	else
		app_reload_setup(setup->app);
	log_info("setup loaded", "agents=%u queues=%u outcomes=%u sounds=%u dial_rules=%u",
		 setup->agent_count, setup->queue_count, setup->outcome_count, setup->sound_count,
		 setup->dial_rule_count);
}

enum status app_load_setup(struct app *app, struct db_conn *conn, struct err *err)
{
	struct setup setup = {.app = app};
	enum status status = read_setup(conn, &setup, err);

	if (status == ST_OK)
		give_setup(app->control, &setup);
	free_setup(&setup);
	return status;
}

static void on_control(struct control *control, void *arg)
{
	struct setup *setup = arg;

	give_setup(control, setup);
	free_setup(setup);
	free(setup);
}

static void on_read(void *arg, enum status status, const struct err *err)
{
	struct setup *setup = arg;

	if (status == ST_OK && control_post(setup->app->control, on_control, setup))
		return;
	if (status != ST_OK)
		log_warn("setup not reloaded, the old one stays", "why=%s",
			 log_quote(err->message));
	free_setup(setup);
	free(setup);
}

void app_reload_setup(struct app *app)
{
	struct setup *setup = xcalloc(1, sizeof(*setup));

	setup->app = app;
	setup->job = (struct db_job){.run = read_setup, .done = on_read, .arg = setup};
	if (db_submit(app->db, &setup->job, NULL) != ST_OK)
		free(setup);
}

static enum status delete_expired(struct db_conn *conn, void *arg, struct err *err)
{
	struct db_param now = db_time(clock_wall_ms(&clock_system));
	enum status status = db_query(conn, "session_delete_expired", &now, 1, NULL, err);

	(void)arg;
	return status == ST_OK ? db_query(conn, "link_delete_expired", &now, 1, NULL, err) : status;
}

static void on_deleted(void *arg, enum status status, const struct err *err)
{
	if (status != ST_OK)
		log_warn("expired sessions stay for another hour", "why=%s",
			 log_quote(err->message));
	free(arg);
}

void app_forget_expired(struct app *app)
{
	struct db_job *job = xcalloc(1, sizeof(*job));

	*job = (struct db_job){.run = delete_expired, .done = on_deleted, .arg = job};
	if (db_submit(app->db, job, NULL) != ST_OK)
		free(job);
}
