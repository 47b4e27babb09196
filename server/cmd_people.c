/* calltab agent, calltab key: who may come in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "db/db.h"
#include "routes/principal.h"
#include "routes/secret.h"
#include "server/app.h"
#include "server/cli.h"

#define LINK_LIFE_MS (10 * 60 * 1000LL)
#define DAY_MS	     (24 * 3600 * 1000LL)
#define DAYS_MAX     36500

static bool is_word(const char *text)
{
	size_t length = strlen(text);

	return length && length < WORD_SIZE &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       length;
}

static enum status read_password(char password[PASSWORD_MAX + 1], struct err *err)
{
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "password (one line, shown as typed): ");
	if (!fgets(password, PASSWORD_MAX + 1, stdin))
		password[0] = 0;
	password[strcspn(password, "\r\n")] = 0;
	if (strlen(password) < 8)
		return err_set(err, ST_INVALID, "password.short", "password",
			       "a password has at least 8 characters; give it on standard input");
	return ST_OK;
}

static enum status agent_add(struct cli *cli, struct db_conn *conn, const char *login,
			     struct err *err)
{
	const char *extension = cli_flag(cli, "extension"), *name = cli_flag(cli, "name");
	struct uuid tenant = app_tenant(), id = uuid_make(clock_wall_ms(&clock_system));
	char password[PASSWORD_MAX + 1], hash[PASSWORD_HASH_SIZE];
	enum status status = ST_OK;

	extension = extension ? extension : login;
	if (!is_word(extension))
		return err_set(err, ST_INVALID, "agent.extension", "extension",
			       "an extension is 1 to 32 of A-Z a-z 0-9 . _ -");
	if (cli_flag(cli, "password")) {
		status = read_password(password, err);
		if (status == ST_OK)
			status = password_hash(password, hash, err);
	}
	if (status != ST_OK)
		return status;
	struct db_param params[] = {db_uuid(&id),
				    db_uuid(&tenant),
				    db_text(login),
				    cli_flag(cli, "password") ? db_text(hash) : db_null(),
				    db_text(name ? name : login),
				    db_text(extension),
				    db_text("")};
	status = db_query(conn, "agent_insert", params, 7, NULL, err);
	if (status == ST_CONFLICT)
		return err_set(err, ST_CONFLICT, "agent.exists", "login",
			       "an agent with this login or extension is there already");
	if (status == ST_OK && cli->is_json)
		printf("{\"login\":\"%s\",\"extension\":\"%s\"}\n", login, extension);
	else if (status == ST_OK)
		printf("agent %s added. A running gateway learns of it by SIGHUP.\n", login);
	return status;
}

static enum status find_agent(struct db_conn *conn, const char *login, struct uuid *ret,
			      struct err *err)
{
	struct uuid tenant = app_tenant();
	struct db_param params[] = {db_uuid(&tenant), db_text(login)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "agent_by_login", params, 2, &rows, err);

	if (status != ST_OK)
		return status;
	if (!db_rows(rows))
		return err_set(err, ST_NOT_FOUND, "agent.unknown", "login",
			       "there is no agent %s; `calltab agent list` shows them", login);
	*ret = db_get_uuid(rows, 0, 0);
	return ST_OK;
}

static enum status agent_link(struct cli *cli, struct db_conn *conn, const char *login,
			      struct err *err)
{
	struct uuid tenant = app_tenant(), agent;
	int64_t until = clock_wall_ms(&clock_system) + LINK_LIFE_MS;
	char link[LINK_SIZE], hash[SECRET_HASH_SIZE];
	enum status status = find_agent(conn, login, &agent, err);

	if (status != ST_OK)
		return status;
	link_make(link);
	secret_hash(link, hash);
	struct db_param params[] = {db_text(hash), db_uuid(&tenant), db_uuid(&agent),
				    db_time(until)};
	status = db_query(conn, "link_insert", params, 4, NULL, err);
	if (status == ST_OK && cli->is_json)
		printf("{\"link\":\"%s\",\"path\":\"/agent/#link=%s\"}\n", link, link);
	else if (status == ST_OK)
		printf("/agent/#link=%s\n", link);
	return status;
}

static enum status agent_password(struct db_conn *conn, const char *login, struct err *err)
{
	struct uuid tenant = app_tenant(), agent;
	char password[PASSWORD_MAX + 1], hash[PASSWORD_HASH_SIZE];
	enum status status = find_agent(conn, login, &agent, err);

	if (status == ST_OK)
		status = read_password(password, err);
	if (status == ST_OK)
		status = password_hash(password, hash, err);
	if (status != ST_OK)
		return status;
	struct db_param params[] = {db_uuid(&tenant), db_text(login), db_text(hash)};
	return db_query(conn, "agent_set_password", params, 3, NULL, err);
}

static enum status agent_enable(struct db_conn *conn, const char *login, bool is_enabled,
				struct err *err)
{
	struct uuid tenant = app_tenant(), agent;
	struct db_param params[] = {db_uuid(&tenant), db_text(login), db_bool(is_enabled)};
	enum status status = find_agent(conn, login, &agent, err);

	return status == ST_OK ? db_query(conn, "agent_set_enabled", params, 3, NULL, err) : status;
}

static enum status agent_audio(struct db_conn *conn, const char *login, const char *word,
			       struct err *err)
{
	struct uuid tenant = app_tenant(), agent;
	struct db_param params[] = {db_uuid(&tenant), db_text(login), db_text(word)};
	enum status status = find_agent(conn, login, &agent, err);
	enum audio_mode mode;

	if (status == ST_OK && !audio_mode_parse(word, &mode))
		return err_set(err, ST_INVALID, "agent.audio", "audio",
			       "an agent's audio is desk, nailed or ws, not \"%.32s\"", word);
	return status == ST_OK ? db_query(conn, "agent_set_audio", params, 3, NULL, err) : status;
}

static enum status do_agent(struct cli *cli, struct db_conn *conn, struct err *err)
{
	const char *verb = cli->words[0], *login = cli->word_count > 1 ? cli->words[1] : "";

	if (!strcmp(verb, "list"))
		return cli_list(cli, conn, "agent_details", 1, err);
	if (!is_word(login))
		return err_set(err, ST_INVALID, "agent.login", "login",
			       "a login is 1 to 32 of A-Z a-z 0-9 . _ -");
	if (!strcmp(verb, "add"))
		return agent_add(cli, conn, login, err);
	if (!strcmp(verb, "link"))
		return agent_link(cli, conn, login, err);
	if (!strcmp(verb, "password"))
		return agent_password(conn, login, err);
	if (!strcmp(verb, "audio"))
		return agent_audio(conn, login, cli->words[2], err);
	return agent_enable(conn, login, !strcmp(verb, "enable"), err);
}

static bool is_verb(const char *word, const char *const *verbs)
{
	for (; *verbs; verbs++)
		if (!strcmp(word, *verbs))
			return true;
	return false;
}

static int run_agent(struct cli *cli)
{
	static const char *const verbs[] = {"list",   "add",	 "link",  "password",
					    "enable", "disable", "audio", NULL};
	const char *verb = cli->word_count ? cli->words[0] : "";
	unsigned words = !strcmp(verb, "list") ? 1 : !strcmp(verb, "audio") ? 3 : 2;

	if (!is_verb(verb, verbs) || cli->word_count != words)
		return cli_usage(&command_agent,
				 "say list, or add, link, password, enable, disable "
				 "and a login, or audio, a login and a mode");
	return cli_with_database(cli, do_agent);
}

const struct cli_command command_agent = {
	.name = "agent",
	.summary = "list and add agents, give them passwords and sign-in links",
	.help = "Usage: calltab agent list [--json]\n"
		"       calltab agent add LOGIN [--name NAME] [--extension EXT] [--password]\n"
		"       calltab agent link LOGIN        prints a path that signs in once, within "
		"10 minutes\n"
		"       calltab agent password LOGIN    reads it from standard input\n"
		"       calltab agent enable|disable LOGIN\n"
		"       calltab agent audio LOGIN MODE  desk: his telephone is rung when a call "
		"needs it;\n"
		"                                       nailed: it is rung when he begins to work "
		"and stays up;\n"
		"                                       ws: microphone and sound of his page\n\n"
		"Example: echo 'correct horse' | calltab agent add ada --name 'Ada Example' "
		"--extension 1003 --password\n",
	.flags = "name extension !password",
	.run = run_agent,
};

/* 0 = for ever. */
static enum status parse_days(const char *text, int64_t now_ms, int64_t *ret_expires_ms,
			      struct err *err)
{
	char *end;
	long days;

	if (!text)
		return ST_OK;
	days = strtol(text, &end, 10);
	if (*end || days < 1 || days > DAYS_MAX)
		return err_set(err, ST_INVALID, "key.days", "days",
			       "--days is a number from 1 to %d", DAYS_MAX);
	*ret_expires_ms = now_ms + days * DAY_MS;
	return ST_OK;
}

static enum status key_create(struct cli *cli, struct db_conn *conn, const char *name,
			      struct err *err)
{
	struct uuid tenant = app_tenant();
	const char *scopes = cli_flag(cli, "scopes");
	char key[KEY_SIZE], prefix[KEY_PREFIX_SIZE], hash[SECRET_HASH_SIZE], bad[WORD_SIZE];
	int64_t now = clock_wall_ms(&clock_system), expires = 0;
	struct uuid id = uuid_make(now);
	unsigned parsed;
	enum status status;

	if (!scopes || !scopes_parse(scopes, &parsed, bad) || !parsed)
		return err_set(
			err, ST_INVALID, "key.scopes", "scopes",
			"--scopes is a list of calls.read calls.write agents.read config.read "
			"events.read webhooks.manage dial admin");
	status = parse_days(cli_flag(cli, "days"), now, &expires, err);
	if (status != ST_OK)
		return status;
	key_make(key, prefix);
	secret_hash(key, hash);
	struct db_param params[] = {
		db_uuid(&id),  db_uuid(&tenant), db_text(name),	   db_text(prefix),
		db_text(hash), db_text(scopes),	 db_time(expires),
	};
	status = db_query(conn, "key_insert", params, 7, NULL, err);
	if (status == ST_CONFLICT)
		return err_set(err, ST_CONFLICT, "key.exists", "name",
			       "a key of this name is there already");
	if (status == ST_OK && cli->is_json)
		printf("{\"name\":\"%s\",\"key\":\"%s\"}\n", name, key);
	else if (status == ST_OK)
		printf("%s\n", key);
	return status;
}

static enum status key_revoke(struct db_conn *conn, const char *name, struct err *err)
{
	struct uuid tenant = app_tenant();
	struct db_param params[] = {db_uuid(&tenant), db_text(name),
				    db_time(clock_wall_ms(&clock_system))};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "key_revoke", params, 3, &rows, err);

	if (status == ST_OK && !db_rows(rows))
		return err_set(err, ST_NOT_FOUND, "key.unknown", "name",
			       "there is no valid key of this name");
	return status;
}

static enum status do_key(struct cli *cli, struct db_conn *conn, struct err *err)
{
	if (!strcmp(cli->words[0], "list"))
		return cli_list(cli, conn, "key_list", 1, err);
	if (!is_word(cli->words[1]))
		return err_set(err, ST_INVALID, "key.name", "name",
			       "a key's name is 1 to 32 of A-Z a-z 0-9 . _ -");
	if (!strcmp(cli->words[0], "create"))
		return key_create(cli, conn, cli->words[1], err);
	return key_revoke(conn, cli->words[1], err);
}

static int run_key(struct cli *cli)
{
	static const char *const verbs[] = {"list", "create", "revoke", NULL};
	unsigned words = cli->word_count && !strcmp(cli->words[0], "list") ? 1 : 2;

	if (!cli->word_count || !is_verb(cli->words[0], verbs) || cli->word_count != words)
		return cli_usage(&command_key, "say list, or create and revoke with a name");
	return cli_with_database(cli, do_key);
}

const struct cli_command command_key = {
	.name = "key",
	.summary = "create, list and revoke keys of programs that use the HTTP interface",
	.help = "Usage: calltab key create NAME --scopes SCOPE,SCOPE [--days N]   prints the key, "
		"once\n"
		"       calltab key list [--json]\n"
		"       calltab key revoke NAME\n\n"
		"Scopes: calls.read calls.write agents.read config.read events.read "
		"webhooks.manage dial admin\n\n"
		"Example: calltab key create crm --scopes calls.read,dial\n",
	.flags = "scopes days",
	.run = run_key,
};
