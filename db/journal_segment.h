#pragma once
/* One segment file: how its header and its entries look on disk (docs/journal.md), what it is
 * called, and the few ways to read and write it. All numbers are little-endian. Private to the
 * journal. */
#include "db/journal.h"

#define SEGMENT_VERSION	    2 /* 1 is read too: no entry says that its step goes on */
#define SEGMENT_HEADER_SIZE 4096
#define SEGMENT_NODE_MAX    24
#define ENTRY_HEADER_SIZE   32

struct segment_header {
	uint64_t number; /* of the segment, as in its name */
	uint64_t first;	 /* the entry it begins with; what older segments hold from it on is void */
	uint64_t synced; /* entries up to this one were stable when the file got its name */
	uint64_t accepted; /* damage in segments up to this one was accepted by --salvage */
	uint64_t salt; /* goes into every checksum: nobody can forge an entry inside a payload */
	int64_t created_us;
	char node[SEGMENT_NODE_MAX + 1];
};

enum header_verdict { HEADER_GOOD, HEADER_BAD, HEADER_NEWER };

/* bytes has SEGMENT_HEADER_SIZE and becomes whole: two copies and zeros. */
void segment_header_put(uint8_t *bytes, const struct segment_header *header);
/* One good copy is enough. */
enum header_verdict segment_header_get(const uint8_t *bytes, struct segment_header *ret);
/* Where the checksums of a segment's entries begin. */
uint32_t segment_seed(const struct segment_header *header);

struct entry_header {
	uint64_t number;
	uint64_t synced; /* stable when the group of this entry was built */
	uint32_t size;	 /* of the payload */
	uint16_t type;
	bool goes_on; /* the next entry belongs to the same step: both count, or none */
};

/* Bytes on disk: header, payload, zeros up to a multiple of 8. */
size_t entry_bytes(uint32_t payload_size);
/* The header without a checksum: not yet on its way to the disk. */
void entry_put(uint8_t *bytes, const struct entry_header *entry);
/* With it; payload and padding are behind the header already. */
void entry_sign(uint8_t *bytes, const struct entry_header *entry, uint32_t seed);
/* Fields as they are there; false when they cannot be an entry's. Looks at the header only. */
bool entry_get(const uint8_t *bytes, struct entry_header *ret);
/* bytes holds all entry_bytes(). */
bool entry_is_good(const uint8_t *bytes, const struct entry_header *entry, uint32_t seed);

/* "folder/00000000000000a1.journal"; false when it does not fit. */
bool segment_path(char path[JOURNAL_PATH_SIZE], const char *folder, uint64_t number);
bool segment_name_parse(const char *name, uint64_t *ret_number);

/* All of it, over interruptions and short counts. false: errno. */
bool segment_write(const struct journal_io *io, int fd, const void *bytes, size_t size, int64_t at);
/* How many there were until the end of the file, or -1. */
int64_t segment_read(const struct journal_io *io, int fd, void *bytes, size_t size, int64_t at);
int segment_open(const struct journal_io *io, const char *path, int flags);
/* A step of stable zeros from `at` towards `size`, 1 MB or less, so that nobody waits long for it;
 * returns where they end, -1: errno. */
int64_t segment_zero(const struct journal_io *io, int fd, int64_t at, int64_t size);

/* The file that will be the next segment: space taken and zeroed before it is needed, because the
 * sync of a file that does not grow is about twice as fast. It gets its name only when a header and
 * a first group are stable in it, so a named segment without them is damaged. Whoever cannot wait
 * for all the zeros takes it with those there are and goes on with segment_zero(). */
struct segment_spare {
	const struct journal_io *io;
	const char *folder;
	int fd;		/* -1: none */
	int64_t size;	/* taken */
	int64_t zeroed; /* stable zeros up to here */
};

/* One step of zeros. false: errno, and there is none again. */
bool spare_step(struct segment_spare *spare, int64_t size);
bool spare_is_ready(const struct segment_spare *spare, int64_t size);
/* Steps until it has so many zeros. */
bool spare_reach(struct segment_spare *spare, int64_t size, int64_t zeroed);
/* Makes it a segment with this header and group; all of it is stable then. The file's descriptor,
 * or -1 and errno; after a failure the spare is gone, and a segment of that number may be there or
 * not. */
int spare_become(struct segment_spare *spare, const struct segment_header *header,
		 const void *group, size_t size);
void spare_drop(struct segment_spare *spare);
