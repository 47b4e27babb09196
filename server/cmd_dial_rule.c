/* calltab dial-rule: with which prefix numbers are dialed, and whose number is shown. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/numbering.h"
#include "base/str.h"
#include "calls/dial_rule.h"
#include "calls/number.h"
#include "db/db.h"
#include "server/app.h"
#include "server/cli.h"

#define POSITION     100
#define POSITION_MAX 1000000

static enum status take_text(struct cli *cli, const char *flag, char *ret, size_t size,
			     struct err *err)
{
	const char *value = cli_flag(cli, flag);

	if (!value || str_copy(ret, size, value))
		return ST_OK;
	return err_set(err, ST_INVALID, "dial.rule", flag, "%s: at most %zu characters", flag,
		       size - 1);
}

static enum status take_number(struct cli *cli, const char *flag, long most, long *ret,
			       struct err *err)
{
	const char *value = cli_flag(cli, flag);
	char *end;
	long number;

	if (!value)
		return ST_OK;
	errno = 0;
	number = strtol(value, &end, 10);
	if (!*value || *end || errno || number < 0 || number > most)
		return err_set(err, ST_INVALID, "dial.rule", flag, "%s: a number from 0 to %ld",
			       flag, most);
	*ret = number;
	return ST_OK;
}

static enum status take_rule(struct cli *cli, const char *name, struct dial_rule *rule,
			     struct err *err)
{
	const struct {
		const char *flag;
		char *text;
		size_t size;
	} texts[] = {
		{"campaign", rule->campaign, sizeof(rule->campaign)},
		{"queue", rule->queue, sizeof(rule->queue)},
		{"customer", rule->party_type, sizeof(rule->party_type)},
		{"number", rule->number_prefix, sizeof(rule->number_prefix)},
		{"prefix", rule->prefix, sizeof(rule->prefix)},
		{"caller-number", rule->caller_number, sizeof(rule->caller_number)},
		{"caller-name", rule->caller_name, sizeof(rule->caller_name)},
	};
	long strip = 0;
	enum status status = ST_OK;

	if (!str_copy(rule->name, sizeof(rule->name), name))
		return err_set(err, ST_INVALID, "dial.rule", "name", "name: at most %zu characters",
			       sizeof(rule->name) - 1);
	for (unsigned i = 0; status == ST_OK && i < sizeof(texts) / sizeof(texts[0]); i++)
		status = take_text(cli, texts[i].flag, texts[i].text, texts[i].size, err);
	if (status == ST_OK)
		status = take_number(cli, "strip", DIAL_STRIP_MAX, &strip, err);
	rule->strip = (unsigned)strip;
	rule->is_withheld = cli_flag(cli, "withheld") != NULL;
	return status == ST_OK ? dial_rule_check(rule, err) : status;
}

static enum status rule_add(struct cli *cli, struct db_conn *conn, const char *name,
			    struct err *err)
{
	struct dial_rule rule = {0};
	struct uuid tenant = app_tenant();
	auto_db_result struct db_result *rows = NULL;
	long position = POSITION;
	enum status status = take_rule(cli, name, &rule, err);

	if (status == ST_OK)
		status = take_number(cli, "position", POSITION_MAX, &position, err);
	struct db_param params[] = {
		db_uuid(&tenant),
		db_text(rule.name),
		db_int(position),
		db_text(rule.campaign),
		db_text(rule.queue),
		db_text(rule.party_type),
		db_text(rule.number_prefix),
		db_int(rule.strip),
		db_text(rule.prefix),
		db_text(rule.caller_number),
		db_text(rule.caller_name),
		db_bool(rule.is_withheld),
		db_int(DIAL_RULES_MAX),
	};
	if (status == ST_OK)
		status = db_query(conn, "dial_rule_put", params, 13, &rows, err);
	if (status == ST_OK && db_rows(rows) == 0)
		return err_set(err, ST_CONFLICT, "dial.rule.limit", "name",
			       "there are %d dial rules already: remove one first", DIAL_RULES_MAX);
	if (status == ST_OK && cli->is_json)
		printf("{\"name\":\"%s\"}\n", rule.name);
	else if (status == ST_OK)
		printf("dial rule %s %s. A running gateway learns of it by SIGHUP.\n", rule.name,
		       db_get_bool(rows, 0, 0) ? "added" : "replaced");
	return status;
}

static enum status rule_remove(struct db_conn *conn, const char *name, struct err *err)
{
	struct uuid tenant = app_tenant();
	struct db_param params[] = {db_uuid(&tenant), db_text(name)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "dial_rule_delete", params, 2, &rows, err);

	if (status == ST_OK && db_rows(rows) == 0)
		return err_set(err, ST_NOT_FOUND, "dial.rule.not_found", "name",
			       "there is no dial rule %s; `calltab dial-rule list` shows them",
			       name);
	return status;
}

/* The number as it is kept: through the numbering plan, when one is configured. */
static enum status normalise(struct cli *cli, const char *text, char number[NUMBER_SIZE],
			     struct err *err)
{
	const char *region = config_text(&cli->config, OPT_number_region);
	struct numbering *numbering = NULL;
	enum status status = number_parse(text, number, err);

	if (status == ST_OK && *region && !number_is_internal(number))
		status = numbering_open(region, &numbering, err);
	if (status == ST_OK && numbering)
		status = numbering_normalise(numbering, number, number, NUMBER_SIZE, err);
	numbering_close(numbering);
	return status;
}

static void print_plan(const struct cli *cli, const char *number, const struct dial_rule *rule,
		       const char *dialed)
{
	const char *caller = config_text(&cli->config, OPT_caller_number);

	if (rule && rule->caller_number[0])
		caller = rule->caller_number;
	if (rule && rule->is_withheld)
		caller = "withheld";
	else if (!*caller)
		caller = "the trunk's own";
	if (cli->is_json)
		printf("{\"number\":\"%s\",\"rule\":\"%s\",\"dialed\":\"%s\",\"caller\":\"%s\"}\n",
		       number, rule ? rule->name : "", dialed, caller);
	else
		printf("number  %s\nrule    %s\ndialed  %s\ncaller  %s\n", number,
		       rule ? rule->name : "none", dialed, caller);
}

static enum status rule_test(struct cli *cli, struct db_conn *conn, const char *text,
			     struct err *err)
{
	const char *campaign = cli_flag(cli, "campaign"), *queue = cli_flag(cli, "queue"),
		   *customer = cli_flag(cli, "customer");
	char number[NUMBER_SIZE], dialed[NUMBER_SIZE];
	struct dial_facts facts = {.campaign = campaign ? campaign : "",
				   .queue = queue ? queue : "",
				   .party_type = customer ? customer : "",
				   .number = number};
	const struct dial_rule *rule;
	struct dial_rule *rules = NULL;
	unsigned count = 0;
	enum status status = normalise(cli, text, number, err);

	if (status == ST_OK)
		status = app_read_dial_rules(conn, &rules, &count, err);
	if (status == ST_OK) {
		rule = dial_rule_find(rules, count, &facts);
		str_copy_cut(dialed, sizeof(dialed), number);
		if (rule)
			status = dial_rule_apply(rule, number, dialed, err);
		if (status == ST_OK)
			print_plan(cli, number, rule, dialed);
	}
	free(rules);
	return status;
}

static enum status do_rule(struct cli *cli, struct db_conn *conn, struct err *err)
{
	const char *verb = cli->words[0], *word = cli->word_count > 1 ? cli->words[1] : "";

	if (!strcmp(verb, "list"))
		return cli_list(cli, conn, "dial_rule_list", 0, err);
	if (!strcmp(verb, "add"))
		return rule_add(cli, conn, word, err);
	if (!strcmp(verb, "test"))
		return rule_test(cli, conn, word, err);
	return rule_remove(conn, word, err);
}

static int run_rule(struct cli *cli)
{
	static const struct {
		const char *verb;
		unsigned words;
	} verbs[] = {{"list", 1}, {"add", 2}, {"remove", 2}, {"test", 2}};

	for (unsigned i = 0; cli->word_count && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(cli->words[0], verbs[i].verb) && cli->word_count == verbs[i].words)
			return cli_with_database(cli, do_rule);
	return cli_usage(&command_dial_rule,
			 "say list, add or remove with a name, or test with a number");
}

const struct cli_command command_dial_rule = {
	.name = "dial-rule",
	.summary = "with which prefix numbers are dialed, and whose number is shown",
	.help = "Usage: calltab dial-rule add NAME [CONDITIONS] [WHAT]   replaces one of this "
		"name\n"
		"       calltab dial-rule list [--json]\n"
		"       calltab dial-rule remove NAME\n"
		"       calltab dial-rule test NUMBER [--campaign C] [--queue Q] [--customer T]\n\n"
		"The first rule whose conditions all hold wins, by position, then name.\n\n"
		"Conditions:\n"
		"  --position N        0 comes first; 100 unless told\n"
		"  --campaign NAME     the record's subject\n"
		"  --queue NAME        the queue of a call that is transferred\n"
		"  --customer TYPE     lead, contact, account ...\n"
		"  --number BEGINNING  how the number begins, as +49\n"
		"What:\n"
		"  --strip N           take N characters from the front (a + counts)\n"
		"  --prefix DIGITS     then put these there\n"
		"  --caller-number N   --caller-name NAME   shown to the called party\n"
		"  --withheld          neither is shown\n\n"
		"Example: calltab dial-rule add germany --number +49 --strip 3 --prefix 0 \\\n"
		"             --caller-number +4930100\n",
	.flags = "position campaign queue customer number strip prefix caller-number caller-name "
		 "!withheld",
	.run = run_rule,
};
