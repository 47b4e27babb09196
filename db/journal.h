#pragma once
/* The journal: numbered entries in segment files, of which an entry is *stable* when fdatasync()
 * has returned for its bytes (docs/journal.md has the format). It knows nothing of calls: a payload
 * is bytes.
 *
 * One thread of its own gathers what was appended while the sync before was under way, writes it
 * with one pwrite() and makes it stable with one fdatasync(). Nobody who appends ever waits for the
 * disk.
 *
 * Failure (docs/reliability.md, P1): a write or a sync that failed is never repeated on that file:
 * the kernel may have dropped the pages and would report success. The segment is sealed, a new one
 * begun, everything not yet stable written there again; until that has succeeded the journal is
 * degraded, and what is appended waits in memory.
 *
 * Recovery: an entry counts when its checksum, segment and number are right. Behind the last good
 * entry there is either nothing that was ever acknowledged (a torn tail: cut) or damage (an entry
 * behind says that the damaged ones were stable): then opening fails and says what `--salvage`
 * would lose. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

#define JOURNAL_SEGMENT_SIZE (64u << 20)
#define JOURNAL_PAYLOAD_MAX  (256u << 10)
#define JOURNAL_PATH_SIZE    512

/* All input and output, so that tests record, fail, delay and reorder it. Functions return -1 with
 * errno as their namesakes do; short counts are possible and are gone on with. */
struct journal_io {
	/* -1 with EEXIST is fine; the folder above is synced too */
	int (*mkdir)(void *user, const char *folder);
	/* for this process alone and as long as it is open; -1 with EWOULDBLOCK when another has it
	 */
	int (*lock)(void *user, int fd);
	int (*open)(void *user, const char *path, int flags, unsigned mode);
	int (*close)(void *user, int fd);
	int64_t (*pread)(void *user, int fd, void *bytes, size_t size, int64_t at);
	int64_t (*pwrite)(void *user, int fd, const void *bytes, size_t size, int64_t at);
	int (*fdatasync)(void *user, int fd);
	int (*fallocate)(void *user, int fd, int64_t size);
	int (*ftruncate)(void *user, int fd, int64_t size);
	int (*rename)(void *user, const char *from, const char *to);
	int (*unlink)(void *user, const char *path);
	int (*fsync_dir)(void *user, const char *folder);
	/* calls each(arg, name) for every file */
	int (*list)(void *user, const char *folder, void (*each)(void *arg, const char *name),
		    void *arg);
	int64_t (*size)(void *user, int fd);
	void *user;
};
extern const struct journal_io journal_io_system;

struct journal_entry {
	uint64_t number; /* 1, 2, 3 ... dense over the journal's whole life */
	uint16_t type;	 /* the owner's; 0 is not used */
	uint32_t size;
	const void *payload; /* valid until the reader's next call */
};

struct journal_events { /* called on the journal's thread */
	/* Every entry up to and including this number is stable. */
	void (*on_synced)(void *user, uint64_t number);
	/* why: "no space left (ENOSPC)" ...; NULL = well again. */
	void (*on_degraded)(void *user, const char *why);
	void *user;
};

struct journal_config {
	const char *folder; /* made when it is not there, mode 0700 */
	const char *node; /* <= 24 bytes, written into each segment; another's folder is refused */
	const struct journal_io *io; /* copied; NULL = the system's */
	uint32_t segment_size;	     /* 0 = JOURNAL_SEGMENT_SIZE */
	size_t waiting_bytes_max;    /* appended and not stable; 0 = 64 MB */
	bool salvage;		     /* go on behind damage, losing what is damaged */
	bool is_read_only;	     /* for replay: no lock, no thread, nothing is cut */
};

/* What opening found, for the log. */
struct journal_found {
	uint64_t first, last; /* numbers; 0 = empty */
	unsigned segments;
	uint64_t cut_bytes;    /* of a torn tail */
	uint64_t salvaged_gap; /* entries lost to damage */
};

struct journal;

/* Locks the folder (a second process gets ST_CONFLICT journal.locked), recovers, starts the thread.
 * All that was found is stable when it returns. NULL and err: journal.locked, journal.damaged
 * (file, place, what to do), journal.newer (written by a newer version), journal.node (another
 * node's), journal.io. *ret_found may be NULL. events is copied and may be NULL; of the events,
 * too. */
struct journal *journal_open(const struct journal_config *config,
			     const struct journal_events *events, struct journal_found *ret_found,
			     struct err *err);
/* Makes what waits stable, at most wait_ms long (and as long as the sync under way takes, which
 * nobody can stop); returns how many entries were not. Readers are closed before. NULL is fine. */
uint64_t journal_close(struct journal *journal, unsigned wait_ms);

/* Copies the payload. Never blocks. ST_BUSY when too much waits, ST_TOO_LARGE above
 * JOURNAL_PAYLOAD_MAX. From one thread only. Not when read-only. */
enum status journal_append(struct journal *journal, uint16_t type, const void *payload, size_t size,
			   uint64_t *ret_number) MUST_USE;
/* Between on and off nothing of what is appended is written, and then all of it in one group: a
 * killed process or a power cut has left all of it or nothing. Keep it short. */
void journal_hold(struct journal *journal, bool on);
uint64_t journal_appended(const struct journal *journal);
uint64_t journal_synced(const struct journal *journal); /* from any thread */
bool journal_is_degraded(const struct journal *journal);
/* Segments whose entries are all below this number are removed, the newest never; by the journal's
 * thread, soon. From any thread. */
void journal_release(struct journal *journal, uint64_t number);
/* Bytes of all segments on disk. From any thread. */
uint64_t journal_bytes(const struct journal *journal);

/* Reads stable entries in order; any number of readers on any threads, each used by one. */
struct journal_reader;
/* From this number on (or the first there is, when it is older than that). */
struct journal_reader *journal_reader_open(struct journal *journal, uint64_t from);
void journal_reader_close(struct journal_reader *reader);
/* ST_NOT_FOUND: no further entry is stable yet; call again later. ST_INVALID: damage (err says
 * where). */
enum status journal_reader_next(struct journal_reader *reader, struct journal_entry *ret,
				struct err *err) MUST_USE;
