#pragma once
/* What is wrong with an Asterisk: facts -> findings. Pure; `calltab doctor asterisk`
 * (server/cmd_doctor.c) gathers the facts and prints the findings. The checks are a table: each
 * looks at the facts and gives one finding, in the order in which one would repair things.
 *
 * What could not be asked or read is DOCTOR_UNKNOWN, never a failure by itself. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum doctor_reach {
	DOCTOR_AWAY,	/* nobody answers; why says more */
	DOCTOR_NO_ARI,	/* an HTTP server, without ARI */
	DOCTOR_REFUSED, /* user or password is wrong */
	DOCTOR_SIGNED_IN
};

enum doctor_answer { DOCTOR_NOT_ASKED, DOCTOR_NO, DOCTOR_YES };

struct doctor_module {
	char name[64]; /* "chan_pjsip.so" */
	bool is_running;
};

struct doctor_endpoint {
	char technology[17], resource[65];
	bool is_online;
};

struct doctor_agent {
	char login[33], extension[33];
};

/* The files that are read. text NULL: it could not be; is_missing: the folder could, the file is
 * not there. */
enum doctor_file_index {
	DOCTOR_HTTP_CONF,
	DOCTOR_ARI_CONF,
	DOCTOR_RTP_CONF,
	DOCTOR_MUSIC_CONF,
	DOCTOR_EXTENSIONS_CONF,
	DOCTOR_FILE_COUNT
};
extern const char *const doctor_file_names[DOCTOR_FILE_COUNT];

struct doctor_file {
	const char *text;
	bool is_missing;
};

struct doctor_facts {
	/* how calltab is configured */
	const char *host, *user, *app, *technology, *trunk, *music;
	unsigned port;
	/* what Asterisk answered */
	enum doctor_reach reach;
	char why[160];
	char version[33]; /* "" = not asked */
	enum doctor_answer may_write, has_app;
	bool has_clock;
	int64_t clock_ahead_ms; /* Asterisk's minus ours */
	bool has_modules, has_endpoints;
	struct doctor_module *modules;
	struct doctor_endpoint *endpoints;
	unsigned module_count, endpoint_count;
	/* the database */
	bool has_agents;
	char agents_why[200]; /* why not */
	struct doctor_agent *agents;
	unsigned agent_count;
	/* Asterisk's configuration folder */
	const char *config_dir; /* NULL = none was looked at */
	struct doctor_file files[DOCTOR_FILE_COUNT];
};

enum doctor_state { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAILED, DOCTOR_UNKNOWN, DOCTOR_STATE_COUNT };

struct doctor_finding {
	const char *check; /* stable, for programs: "write-timeout" */
	enum doctor_state state;
	char text[240];	  /* one line: what was found */
	char change[320]; /* what to change; "" when nothing is */
	const char *file; /* in which file: "ari.conf", "calltab.ini"; NULL when in none */
};

#define DOCTOR_CHECKS_MAX 24
/* Fills findings (DOCTOR_CHECKS_MAX of them fit) and answers how many. */
unsigned doctor_check(const struct doctor_facts *facts, struct doctor_finding *findings);
const char *doctor_state_word(enum doctor_state state);
