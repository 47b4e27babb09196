/* Any bytes as the beginning of a connection. Whatever the pieces in which they come: the verdict
 * that is reached first is final, and a head that is taken as an upgrade can be read in one way
 * only. Built by clang with -fsanitize=fuzzer,address,undefined; with -DREPLAY it runs the files
 * named on the command line, so that the corpus is part of every test run. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/upgrade_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct upgrade_rules rules = {.path = "/ws", .subprotocol = "calltab.v1"};

/* How many lines begin with this, as the loosest of readers would split them. */
static unsigned count_lines(const char *head, size_t size, const char *name)
{
	size_t length = strlen(name);
	unsigned count = 0;

	for (size_t i = 0; i + length < size; i++)
		if ((head[i] == '\n' || head[i] == '\r') &&
		    strncasecmp(head + i + 1, name, length) == 0)
			count++;
	return count;
}

static void check_upgrade(const char *head, size_t size)
{
	assert(memmem(head, size, "\r\n\r\n", 4) == head + size - 4);
	assert(memcmp(head, "GET /ws HTTP/1.1\r\n", 18) == 0);
	assert(!memchr(head, '\0', size));
	assert(count_lines(head, size, "upgrade") >= 1);
	assert(count_lines(head, size, "upgrade:") == 1);
	assert(count_lines(head, size, "connection:") == 1);
	assert(count_lines(head, size, "host:") == 1);
	assert(count_lines(head, size, "http2-settings:") == 0);
	assert(count_lines(head, size, "content-length:") == 0);
	assert(count_lines(head, size, "transfer-encoding:") == 0);
	assert(count_lines(head, size, " ") == 0 && count_lines(head, size, "\t") == 0);
	for (size_t i = 0; i < size; i++)
		if (head[i] == '\n')
			assert(i > 0 && head[i - 1] == '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *head = (const char *)data;
	enum head_verdict whole = upgrade_check(head, size, &rules, NULL);

	if (whole == HEAD_UPGRADE)
		check_upgrade(head, size);
	for (size_t length = 0; length < size; length++) {
		enum head_verdict part = upgrade_check(head, length, &rules, NULL);
		if (part == HEAD_MORE)
			continue;
		/* Given away here. What follows would not have changed the door, but for bytes
		 * behind an upgrade. */
		if (part == HEAD_UPGRADE)
			assert(whole == HEAD_REFUSED);
		else
			assert(whole == part);
		break;
	}
	return 0;
}

#ifdef REPLAY
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		static uint8_t bytes[64 * 1024];
		FILE *file = fopen(argv[i], "rb");
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
