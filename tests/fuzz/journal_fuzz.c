/* Any bytes as what is found in a journal's folder. The first byte says how they are meant: as a
 * segment file as it is, as damage done to a good folder, or as entries with good checksums that
 * make no sense. Whatever it is: reading ends, numbers ascend, and what a damaged folder still
 * gives is what was written. Built by clang with -fsanitize=fuzzer,address,undefined; with -DREPLAY
 * it runs the files named on the command line, so that the corpus is part of every test run. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/journal.h"
#include "db/journal_segment.h"
#include "tests/unit/db/journal_ram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FOLDER	     "/journal"
#define SIZE	     16384
#define PAYLOAD_SIZE 40

static void put_file(struct ram *ram, uint64_t number, const uint8_t *bytes, size_t size)
{
	struct journal_io io = ram_io(ram);
	char path[JOURNAL_PATH_SIZE];

	assert(segment_path(path, FOLDER, number));
	int fd = segment_open(&io, path, O_RDWR | O_CREAT);
	assert(fd >= 0 && segment_write(&io, fd, bytes, size, 0));
	io.close(io.user, fd);
}

static uint32_t put_header(uint8_t *bytes, uint64_t number, uint64_t first, uint64_t synced)
{
	const struct segment_header header = {
		.number = number, .first = first, .synced = synced, .salt = 7, .node = "n1"};

	segment_header_put(bytes, &header);
	return segment_seed(&header);
}

/* Segments 1 and 2 with entries 1 to 100 and 101 to 200, in groups of ten. */
static void put_good(uint8_t *bytes, uint64_t segment)
{
	uint64_t first = 1 + (segment - 1) * 100;
	uint8_t *at = bytes + SEGMENT_HEADER_SIZE;
	uint32_t seed = put_header(bytes, segment, first, first + 9);

	for (uint64_t number = first; number < first + 100; number++) {
		const struct entry_header entry = {.number = number,
						   .synced = (number - 1) / 10 * 10,
						   .size = PAYLOAD_SIZE,
						   .type = 1};
		memset(at + ENTRY_HEADER_SIZE, (int)number, PAYLOAD_SIZE);
		entry_sign(at, &entry, seed);
		at += entry_bytes(PAYLOAD_SIZE);
	}
}

/* Four bytes each: place (the highest bit is the segment), how long, with what. */
static void damage(uint8_t files[2][SIZE], const uint8_t *data, size_t size)
{
	for (; size >= 4; data += 4, size -= 4) {
		size_t at = ((size_t)data[0] << 8 | data[1]) % SIZE;
		for (size_t i = 0; i <= data[2] && at + i < SIZE; i++)
			files[data[0] >> 7][at + i] ^= data[3];
	}
}

/* Four bytes each: number, what was stable, size, type. The highest bit of the type: numbers as
 * large as can be. */
static void put_senseless(uint8_t *bytes, const uint8_t *data, size_t size)
{
	uint32_t seed = put_header(bytes, 1, 1, size % 5);
	size_t at = SEGMENT_HEADER_SIZE;

	for (; size >= 4; data += 4, size -= 4) {
		bool is_large = data[3] & 0x80;
		const struct entry_header entry = {
			.number = is_large ? UINT64_MAX - data[0] : data[0],
			.synced = is_large ? UINT64_MAX - data[1] : data[1],
			.size = data[2],
			.type = data[3] & 0x7f};
		if (at + entry_bytes(entry.size) > SIZE)
			return;
		entry_sign(bytes + at, &entry, seed);
		at += entry_bytes(entry.size);
	}
}

static void read_all(struct journal *journal, bool is_known)
{
	struct journal_reader *reader = journal_reader_open(journal, 1);
	uint64_t last = 0;
	struct journal_entry entry;
	struct err err;

	while (journal_reader_next(reader, &entry, &err) == ST_OK) {
		assert(entry.number > last);
		last = entry.number;
		for (uint32_t i = 0; is_known && i < entry.size; i++)
			assert(((const uint8_t *)entry.payload)[i] == (uint8_t)entry.number);
		assert(!is_known || (entry.size == PAYLOAD_SIZE && entry.number <= 200));
	}
	journal_reader_close(reader);
}

static void open_all_ways(struct ram *ram, bool is_known)
{
	struct journal_io io = ram_io(ram);

	for (unsigned way = 0; way < 4; way++) {
		const struct journal_config config = {.folder = FOLDER,
						      .node = "n1",
						      .io = &io,
						      .segment_size = SIZE,
						      .is_read_only = way < 2,
						      .salvage = way % 2};
		struct err err = {0};
		struct journal *journal = journal_open(&config, NULL, NULL, &err);
		assert(journal || strncmp(err.code, "journal.", 8) == 0);
		if (journal)
			read_all(journal, is_known);
		journal_close(journal, 1000);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t files[2][SIZE];

	if (size < 1 || size > SIZE)
		return 0;
	struct ram *ram = ram_make();
	unsigned way = data[0] % 3;
	memset(files, 0, sizeof(files));
	if (way == 0) {
		put_file(ram, 1, data + 1, size - 1);
	} else if (way == 1) {
		put_good(files[0], 1);
		put_good(files[1], 2);
		damage(files, data + 1, size - 1);
		put_file(ram, 1, files[0], SIZE);
		put_file(ram, 2, files[1], SIZE);
	} else {
		put_senseless(files[0], data + 1, size - 1);
		put_file(ram, 1, files[0], SIZE);
	}
	open_all_ways(ram, way == 1);
	ram_free(ram);
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
