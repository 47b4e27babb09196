/* calltab doctor: is Asterisk fit for calltab, and what is to be changed in which file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "db/db.h"
#include "server/app.h"
#include "server/cli.h"
#include "server/doctor_ask.h"

#define CONFIG_DIR  "/etc/asterisk"
#define SECRET_SIZE 128
#define AGENTS_MAX  20000

/* The column in which the advice begins. */
#define INDENT 25

static enum status read_password(const struct config *config, char password[SECRET_SIZE],
				 struct err *err)
{
	const char *path = config_text(config, OPT_ari_password_file);
	FILE *file;
	bool is_read;

	if (!*path) {
		str_copy(password, SECRET_SIZE, config_text(config, OPT_ari_password));
		return ST_OK;
	}
	file = fopen(path, "re");
	is_read = file && fgets(password, SECRET_SIZE, file);
	if (file)
		fclose(file);
	if (!is_read)
		return err_set(err, ST_INVALID, "config.secret", "ari_password_file",
			       "cannot read ari_password_file %.100s", path);
	password[strcspn(password, "\r\n")] = 0;
	return ST_OK;
}

/* ---- the database ---- */

static enum status query_agents(struct db_conn *conn, struct doctor_facts *facts, struct err *err)
{
	struct uuid tenant = app_tenant();
	struct db_param param = db_uuid(&tenant);
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "setup_agents", &param, 1, &rows, err);

	if (status != ST_OK)
		return status;
	facts->has_agents = true;
	facts->agent_count = db_rows(rows) < AGENTS_MAX ? db_rows(rows) : AGENTS_MAX;
	facts->agents = xcalloc(facts->agent_count + 1, sizeof(*facts->agents));
	for (unsigned i = 0; i < facts->agent_count; i++) {
		struct doctor_agent *agent = &facts->agents[i];

		db_copy_text(rows, i, 1, agent->login, sizeof(agent->login));
		db_copy_text(rows, i, 3, agent->extension, sizeof(agent->extension));
	}
	return ST_OK;
}

static void read_agents(struct cli *cli, struct doctor_facts *facts)
{
	struct db_conn *conn = NULL;
	struct err err;
	enum status status = cli_connect(cli, &conn, &err);

	if (status == ST_OK)
		status = query_agents(conn, facts, &err);
	if (status != ST_OK)
		str_copy_cut(facts->agents_why, sizeof(facts->agents_why), err.message);
	if (conn)
		db_disconnect(conn);
}

/* ---- what is printed ---- */

static void print_text(const struct doctor_finding *findings, unsigned count,
		       const unsigned *totals)
{
	for (unsigned i = 0; i < count; i++) {
		const struct doctor_finding *finding = &findings[i];
		const char *state = finding->state == DOCTOR_UNKNOWN
					    ? "not known"
					    : doctor_state_word(finding->state);

		printf("%-9s %-14s %s\n", state, finding->check, finding->text);
		if (*finding->change)
			printf("%*s-> %s%s%s\n", INDENT, "", finding->file ? finding->file : "",
			       finding->file ? ": " : "", finding->change);
	}
	printf("\n%u ok, %u warnings, %u failed, %u not known\n", totals[DOCTOR_OK],
	       totals[DOCTOR_WARNING], totals[DOCTOR_FAILED], totals[DOCTOR_UNKNOWN]);
}

static void write_finding(struct json_writer *w, const struct doctor_finding *finding)
{
	jw_object(w);
	jw_kv_text(w, "check", finding->check);
	jw_kv_text(w, "state", doctor_state_word(finding->state));
	jw_kv_text(w, "text", finding->text);
	jw_kv_text(w, "change", *finding->change ? finding->change : NULL);
	jw_kv_text(w, "file", finding->file);
	jw_object_end(w);
}

static void print_json(const struct doctor_finding *findings, unsigned count,
		       const unsigned *totals)
{
	struct json_writer w = {0};

	jw_object(&w);
	jw_key(&w, "checks");
	jw_array(&w);
	for (unsigned i = 0; i < count; i++)
		write_finding(&w, &findings[i]);
	jw_array_end(&w);
	for (unsigned i = 0; i < DOCTOR_STATE_COUNT; i++)
		jw_kv_int(&w, doctor_state_word((enum doctor_state)i), totals[i]);
	jw_object_end(&w);
	printf("%.*s\n", (int)w.length, jw_start(&w));
	jw_done(&w);
}

static int report(const struct cli *cli, const struct doctor_facts *facts)
{
	struct doctor_finding findings[DOCTOR_CHECKS_MAX];
	unsigned totals[DOCTOR_STATE_COUNT] = {0}, count = doctor_check(facts, findings);

	for (unsigned i = 0; i < count; i++)
		totals[findings[i].state]++;
	(cli->is_json ? print_json : print_text)(findings, count, totals);
	return totals[DOCTOR_FAILED] ? 1 : 0;
}

/* Of this machine's Asterisk, when it is the one that is asked. */
static const char *default_config_dir(const char *host)
{
	bool is_here =
		!strncmp(host, "127.", 4) || !strcmp(host, "::1") || !strcmp(host, "localhost");

	return is_here && access(CONFIG_DIR, R_OK | X_OK) == 0 ? CONFIG_DIR : NULL;
}

static int run_doctor(struct cli *cli)
{
	struct config *config = &cli->config;
	struct doctor_facts facts = {
		.host = config_text(config, OPT_ari_host),
		.port = (unsigned)config_number(config, OPT_ari_port),
		.user = config_text(config, OPT_ari_user),
		.app = config_text(config, OPT_ari_app),
		.technology = config_text(config, OPT_ari_technology),
		.trunk = config_text(config, OPT_ari_trunk),
		.music = config_text(config, OPT_ari_music),
		.config_dir = cli_flag(cli, "config-dir"),
	};
	char password[SECRET_SIZE] = "";
	struct err err;
	int code;

	if (cli->word_count != 1 || strcmp(cli->words[0], "asterisk") != 0)
		return cli_usage(&command_doctor, "say what is to be looked at: asterisk");
	if (facts.config_dir && access(facts.config_dir, R_OK | X_OK) != 0)
		return cli_usage(&command_doctor, "--config-dir %.200s: %s", facts.config_dir,
				 strerror(errno));
	if (read_password(config, password, &err) != ST_OK)
		return cli_fail(cli, &err);
	if (!facts.config_dir)
		facts.config_dir = default_config_dir(facts.host);
	doctor_ask(&facts, password);
	read_agents(cli, &facts);
	doctor_read_files(&facts);
	code = report(cli, &facts);
	doctor_facts_done(&facts);
	return code;
}

const struct cli_command command_doctor = {
	.name = "doctor",
	.summary = "look whether Asterisk is fit for calltab, and say what to change",
	.help = "Usage: calltab doctor asterisk [--config-dir FOLDER] [--json]\n\n"
		"Asks the Asterisk of the ari_ options over HTTP, the database for the agents, and "
		"reads\n"
		"http.conf, ari.conf, rtp.conf, musiconhold.conf and extensions.conf. It changes "
		"nothing.\n"
		"--config-dir  Asterisk's configuration; default /etc/asterisk when Asterisk is on "
		"this machine\n\n"
		"Ends with 0, or with 1 when something failed.\n\n"
		"Example: calltab doctor asterisk --ari-host 192.0.2.5 --ari-password-file "
		"/etc/calltab/ari\n",
	.flags = "config-dir",
	.run = run_doctor,
};
