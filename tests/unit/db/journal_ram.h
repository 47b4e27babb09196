#pragma once
/* A disk in memory behind struct journal_io. It knows what is stable and what only the cache has,
 * records everything in order, and builds from the record what a crash may leave behind. */
#include <pthread.h>

#include "db/journal.h"

enum ram_kind {
	RAM_CREATE,
	RAM_WRITE,
	RAM_SIZE, /* fallocate, ftruncate */
	RAM_SYNC,
	RAM_RENAME,
	RAM_UNLINK,
	RAM_SYNC_DIR,
	RAM_OPEN, /* only for the hook, as what follows */
	RAM_READ,
	RAM_ACKED,   /* noted by a test: entries up to `at` are promised */
	RAM_RELEASE, /* entries below `at` are given up */
};

struct ram_op {
	enum ram_kind kind;
	unsigned inode;
	int64_t at;   /* of a write; the size; the number */
	size_t size;  /* of the bytes */
	size_t bytes; /* their place in ram.bytes */
	char from[32], to[32];
};

struct ram_inode {
	uint8_t *bytes;
	int64_t size, capacity;
	bool has_failed; /* a sync of it */
};

struct ram_name {
	char name[32];
	unsigned inode;
};

#define RAM_FDS 64

struct ram {
	pthread_mutex_t lock;
	struct ram_inode *inodes;
	unsigned inode_count;
	struct ram_name *names;
	unsigned name_count;
	unsigned fds[RAM_FDS]; /* inode + 1; 0: closed */
	int locked_fd;	       /* -1: nobody */
	bool is_recording;
	struct ram_op *ops;
	unsigned op_count, op_capacity;
	uint8_t *bytes; /* that were written */
	size_t byte_count, byte_capacity;

	bool is_choppy; /* writes and reads are short or interrupted now and then */
	unsigned chops;
	unsigned synced_after_failure; /* never may be */
	/* Called before it is done, without a lock: may block; the errno with which it fails, or 0.
	 * A failed sync leaves everything in the cache. */
	int (*hook)(void *user, enum ram_kind kind, const char *name);
	void *hook_user;
};

struct ram *ram_make(void);
void ram_free(struct ram *ram);
struct journal_io ram_io(struct ram *ram);
void ram_note(struct ram *ram, enum ram_kind kind, uint64_t number);
/* NULL: no such file. The inode stays where it is until the next file is made. */
struct ram_inode *ram_find(struct ram *ram, const char *name);
unsigned ram_count(struct ram *ram, enum ram_kind kind);

/* splitmix64 */
uint64_t ram_random(uint64_t *state);

/* Goes through a record from the beginning and holds what is stable at each point. */
struct ram_replay {
	const struct ram *record;
	unsigned next; /* operation */
	struct ram *stable;
	unsigned *loose; /* operations that are not stable */
	unsigned loose_count;
	uint64_t acked, released;
};

/* The files and names, without the record. */
struct ram *ram_copy(const struct ram *ram);
/* start: the disk at the beginning of the record; NULL: an empty one. */
void ram_replay_init(struct ram_replay *replay, const struct ram *record, const struct ram *start);
void ram_replay_done(struct ram_replay *replay);
/* One operation further; false at the end. */
bool ram_replay_step(struct ram_replay *replay);
/* A disk as a crash may leave it here; free it. */
struct ram *ram_replay_crash(const struct ram_replay *replay, uint64_t *random);
