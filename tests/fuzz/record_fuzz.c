/* Any bytes as a record of the journal. What is taken for one is one: written again and read again
 * it is the same. Built by clang with -fsanitize=fuzzer,address,undefined; with -DREPLAY it runs
 * the files named on the command line, so that the corpus is part of every test run. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/record_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char first[RECORD_BYTES_MAX], second[RECORD_BYTES_MAX];
	static struct record record, again;
	struct record_head head;
	bool is_head = record_peek(data, size, &head);

	if (!record_decode(data, size, &record))
		return 0;
	assert(is_head && head.has == record.has && head.at_ms == record.at_ms);
	size_t length = record_encode(&record, first);
	assert(length <= RECORD_BYTES_MAX);
	assert(record_decode(first, length, &again));
	assert(record_encode(&again, second) == length);
	assert(memcmp(first, second, length) == 0);
	return 0;
}

#ifdef REPLAY
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		static uint8_t bytes[RECORD_BYTES_MAX];
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
