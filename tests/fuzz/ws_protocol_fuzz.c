/* Any bytes as a tab's message: they are taken or refused with a reason, and the answer is JSON
 * either way. Built by clang with -fsanitize=fuzzer,address,undefined; with -DREPLAY it runs the
 * files named on the command line, so that the corpus is part of every test run. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "ws/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct json_writer *w, const struct request_id *id)
{
	auto_json json_t *root = NULL;

	assert(json_parse(jw_start(w), w->length, &json_limits_body, &root, NULL) == ST_OK);
	const json_t *answered = json_object_get(root, "id");
	if (id->is_number)
		assert(json_is_integer(answered) &&
		       json_integer_value(answered) == atoll(id->text));
	else if (id->text[0])
		assert(strcmp(json_string_value(answered), id->text) == 0);
	else
		assert(json_is_null(answered));
}

static void check_command(const struct command *command)
{
	assert(command->kind < CMD_KIND_COUNT && command->kind != CMD_PRESENT);
	assert(command->other_tab >= 0 && command->other_tab <= TAB_MAX);
	assert(str_is_utf8(command->number, strlen(command->number)));
	assert(strspn(command->digits, "0123456789*#") == strlen(command->digits));
	if (command->kind == CMD_TRANSFER_COMPLETE || command->kind == CMD_CONFERENCE)
		assert(command->other_tab >= 1);
	if (command->kind == CMD_AGENT_STATE)
		assert(command->agent_state != AGENT_LOGGED_OUT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request;
	struct err err = {0};
	struct json_writer w = {0};
	enum status status = protocol_read((const char *)data, size, &request, &err);

	if (status != ST_OK) {
		assert(err.status == status && err.code[0] && err.message[0]);
		protocol_write_error(&w, &request.id, &err);
	} else {
		assert(request.id.text[0]);
		if (request.kind == REQUEST_COMMAND)
			check_command(&request.command);
		if (request.kind == REQUEST_ATTACH)
			assert(request.attach.tab >= 1 && request.attach.tab <= TAB_MAX);
		protocol_write_pong(&w, &request.id, 0);
	}
	check_answer(&w, &request.id);
	jw_done(&w);
	return 0;
}

#ifdef REPLAY
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		uint8_t bytes[64 * 1024];
		if (!file) {
			perror(argv[i]);
			return 1;
		}
		size_t size = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		/* Of its own size, so that the sanitizer sees a byte too far. */
		uint8_t *copy = malloc(size ? size : 1);
		memcpy(copy, bytes, size);
		LLVMFuzzerTestOneInput(copy, size);
		free(copy);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
#endif
