/* The switch that is configured: its driver, and the telephony on it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "server/app_priv.h"

enum status app_check_switch(const struct config *config, struct err *err)
{
	const char *name = config_text(config, OPT_switch);

	if (!strcmp(name, "sim") || !strcmp(name, "ari"))
		return ST_OK;
	return err_set(err, ST_INVALID, "config.value", "switch",
		       "%s: switch must be sim or ari, not \"%.40s\"", config->sources[OPT_switch],
		       name);
}

static enum status read_secret(const char *path, char *secret, size_t size, struct err *err)
{
	FILE *file = fopen(path, "re");

	if (!file || !fgets(secret, (int)size, file)) {
		enum status status =
			err_set(err, ST_INVALID, "config.secret", "ari_password_file",
				"cannot read ari_password_file %.100s: %s", path, strerror(errno));
		if (file)
			fclose(file);
		return status;
	}
	secret[strcspn(secret, "\r\n")] = 0;
	fclose(file);
	return ST_OK;
}

static enum status create_ari(struct app *app, const struct tel_host *host, struct err *err)
{
	struct config *c = app->config;
	struct ari_config config = {.port = (unsigned)config_number(c, OPT_ari_port),
				    .loop = loop_uv(app->loop),
				    .on_replaced = app_on_replaced,
				    .user_data = app,
				    .find_sound = app_find_sound,
				    .sound_user = app};
	bool fits = str_copy(config.host, sizeof(config.host), config_text(c, OPT_ari_host)) &&
		    str_copy(config.user, sizeof(config.user), config_text(c, OPT_ari_user)) &&
		    str_copy(config.password, sizeof(config.password),
			     config_text(c, OPT_ari_password)) &&
		    str_copy(config.app, sizeof(config.app), config_text(c, OPT_ari_app)) &&
		    str_copy(config.trunk, sizeof(config.trunk), config_text(c, OPT_ari_trunk)) &&
		    str_copy(config.station_technology, sizeof(config.station_technology),
			     config_text(c, OPT_ari_technology)) &&
		    str_copy(config.music_class, sizeof(config.music_class),
			     config_text(c, OPT_ari_music));

	if (!fits)
		return err_set(err, ST_INVALID, "config.value", "ari",
			       "an ari_ option is too long");
	if (*config_text(c, OPT_ari_password_file)) {
		enum status status = read_secret(config_text(c, OPT_ari_password_file),
						 config.password, sizeof(config.password), err);
		if (status != ST_OK)
			return status;
	}
	app->driver = ari_driver_create(host, &config, loop_lws(app->loop));
	return ST_OK;
}

static enum status create_driver(struct app *app, struct err *err)
{
	struct config *c = app->config;
	struct tel_host host = {
		.clock = &clock_system,
		.timers = loop_timers(app->loop),
		.node = config_text(c, OPT_node),
		.sink = telephony_driver_sink(app->telephony),
	};
	struct sim_config sim = {
		.any_station = true,
		.ring_ms = (unsigned)config_number(c, OPT_sim_ring_ms),
		.answer_ms = (unsigned)config_number(c, OPT_sim_answer_ms),
	};

	if (!strcmp(config_text(c, OPT_switch), "ari"))
		return create_ari(app, &host, err);
	app->driver = sim_driver_create(&host, &sim, &app->sim);
	return ST_OK;
}

static unsigned calls_per_s(const struct config *c)
{
	bool is_ari = !strcmp(config_text(c, OPT_switch), "ari");

	return (unsigned)config_number(c, is_ari ? OPT_ari_calls_per_s : OPT_sim_calls_per_s);
}

void app_create_telephony(struct app *app)
{
	struct tel_call_sink sink = {.on_fact = control_on_fact, .user = app->control};

	app->telephony = telephony_create(&clock_system, loop_timers(app->loop),
					  config_text(app->config, OPT_node), sink);
	telephony_set_pace(app->telephony, calls_per_s(app->config));
	control_attach_telephony(app->control, app->telephony);
}

enum status app_start_telephony(struct app *app, struct err *err)
{
	enum status status = create_driver(app, err);

	return status == ST_OK ? telephony_start(app->telephony, app->driver, err) : status;
}

/* What /readyz says of the switch while it is not up: copied, because another thread reads it. */
void app_note_switch(struct app *app)
{
	const char *now = atomic_load(&app->switch_state);
	char *other = now == app->state_text[0] ? app->state_text[1] : app->state_text[0];

	if (app->sim)
		return;
	str_copy_cut(other, sizeof(app->state_text[0]), ari_driver_state(app->driver));
	for (char *p = other; *p; p++)
		if (*p == '"' || *p == '\\' || (unsigned char)*p < 0x20)
			*p = '\'';
	atomic_store(&app->switch_state, other);
}
