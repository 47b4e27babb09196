/* The simulated switch, for tests, demonstrations and training: passes a verb and its arguments to
 * the hook. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "routes/handlers.h"
#include "routes/private.h"
#include "routes/router.h"

#define ARGS	 6
#define ARG_SIZE 65

/* The members of the body in the order in which the hook gets them; absent ones are NULL. */
static const struct verb {
	enum http_method method;
	const char *word;
	const char *members[ARGS];
} verbs[] = {
	{HTTP_GET, "legs", {NULL}},
	{HTTP_POST, "call", {"from", "to", "name"}},
	{HTTP_POST, "answer", {"leg"}},
	{HTTP_POST, "hangup", {"leg"}},
	{HTTP_POST, "press", {"leg", "digits"}},
	{HTTP_POST, "hold", {"leg", "on"}},
	{HTTP_POST, "station", {"station", "reachable", "answers"}},
	{HTTP_POST, "link", {"state"}},
};

static const struct verb *find_verb(const struct request *request)
{
	char word[WORD_SIZE];

	if (!request_arg(request, 0, word, sizeof word))
		return NULL;
	for (unsigned i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (verbs[i].method == request->route->method && strcmp(verbs[i].word, word) == 0)
			return &verbs[i];
	return NULL;
}

/* Texts as they are; true and false as those words. */
static enum status read_arg(const json_t *body, const char *member, char ret[ARG_SIZE],
			    bool *ret_found, struct err *err)
{
	bool is_on = false;

	if (!json_is_boolean(json_object_get(body, member)))
		return json_get_text(body, member, ret, ARG_SIZE, ret_found, err);
	enum status status = json_get_bool(body, member, &is_on, ret_found, err);
	str_copy(ret, ARG_SIZE, is_on ? "true" : "false");
	return status;
}

static void on_simulated(void *arg, enum status status, const char *json, const struct err *err)
{
	struct request *request = arg;

	if (status == ST_OK) {
		struct answer answer = {.code = 200, .type = "application/json"};
		answer.body = xstrdup(json ? json : "{}");
		answer.length = strlen(answer.body);
		request_answer(request, &answer);
	} else {
		answer_error(request, err);
	}
	request_unref(request);
}

static void answer_none(struct request *request, enum status status, const char *code,
			const char *message)
{
	struct err err = {0};

	err_set(&err, status, code, "", "%s", message);
	answer_error(request, &err);
}

static void simulate(struct request *request, const json_t *body)
{
	const struct route_hooks *hooks = &request->routes->hooks;
	const struct verb *verb = find_verb(request);
	char texts[ARGS][ARG_SIZE] = {0};
	const char *args[ARGS] = {NULL};
	struct err err = {0};

	if (!verb) {
		answer_none(request, ST_NOT_FOUND, "http.not_found", "there is no such verb");
		return;
	}
	if (!hooks->simulate) {
		answer_none(request, ST_UNSUPPORTED, "sim.unsupported",
			    "the switch in use is not the simulated one");
		return;
	}
	for (unsigned i = 0; i < ARGS && verb->members[i]; i++) {
		bool is_found = false;
		if (read_arg(body, verb->members[i], texts[i], &is_found, &err) != ST_OK) {
			answer_error(request, &err);
			return;
		}
		args[i] = is_found ? texts[i] : NULL;
	}
	hooks->simulate(hooks->user, verb->word, args, on_simulated, request_ref(request));
}

void sim_get(struct request *request)
{
	simulate(request, NULL);
}

void sim_post(struct request *request)
{
	auto_json json_t *body = request_json(request);

	if (body)
		simulate(request, body);
}
