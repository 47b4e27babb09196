/* Any bytes as the events of calls: what must hold after each step (tests/unit/calls/step_check.h)
 * does. Built by clang with -fsanitize=fuzzer,address,undefined from this file, walk.c and
 * step_check.c of tests/unit/calls, all of calls and status, str, uuid and cleanup of base; with
 * -DREPLAY it runs the files named on the command line, so that the corpus is part of every test
 * run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const struct walk *walk, const char *fault)
{
	fprintf(stderr, "event %u, %s in %s: %s\n", walk->events, call_event_word(walk->event.kind),
		call_state_word(walk->before.view.state), fault);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct walk walk;

	walk_begin_bytes(&walk, data, size);
	while (walk.left) {
		const char *fault = walk_step(&walk);

		if (fault)
			fail(&walk, fault);
	}
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
		size_t size = fread(bytes, 1, sizeof bytes, file);
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
