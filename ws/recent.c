#include "ws/recent.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "ws/frame.h"

#define FIRST_CAPACITY 64
#define ALIGNMENT      16
#define NOWHERE	       0

/* A place in the log: number of the chunk times RECENT_CHUNK, plus the offset in it. Chunks are
 * numbered from 1 on and never again, so that a place tells by itself whether it is still there. */
typedef uint64_t place;

struct record {	      /* then FRAME_RESERVE bytes, then the text */
	place before; /* the tab's event with the number before; NOWHERE = the row begins here */
	uint64_t seq;
	int64_t at_us;
	uint32_t length;
};

struct row { /* of one tab; without a gap, because each leads to the one before */
	struct uuid agent_id;
	uint64_t epoch, seq; /* of the newest */
	place newest;
	int tab; /* 0: free */
};

struct recent {
	char *chunks[RECENT_CHUNKS]; /* by their number modulo */
	int64_t newest_us[RECENT_CHUNKS];
	uint64_t first, end; /* chunks that are there; written to is the one before end */
	size_t used;	     /* of that one */
	struct row *rows;    /* open addressing, at most half full; NULL = none */
	uint32_t capacity, row_count;
};

/* ---- chunks ---- */

struct recent *recent_create(void)
{
	struct recent *recent = xcalloc(1, sizeof(struct recent));

	recent->first = recent->end = 1;
	return recent;
}

static void forget_chunk(struct recent *recent)
{
	unsigned at = recent->first++ % RECENT_CHUNKS;

	free(recent->chunks[at]);
	recent->chunks[at] = NULL;
}

static void forget_rows(struct recent *recent)
{
	free(recent->rows);
	recent->rows = NULL;
	recent->capacity = recent->row_count = 0;
}

void recent_destroy(struct recent *recent)
{
	if (!recent)
		return;
	while (recent->first < recent->end)
		forget_chunk(recent);
	forget_rows(recent);
	free(recent);
}

void recent_forget_old(struct recent *recent, int64_t now_us)
{
	if (recent->first == recent->end)
		return;
	while (recent->first < recent->end &&
	       recent->newest_us[recent->first % RECENT_CHUNKS] <= now_us - RECENT_AGE_US)
		forget_chunk(recent);
	if (recent->first == recent->end)
		forget_rows(recent);
}

static void add_chunk(struct recent *recent)
{
	unsigned at = recent->end % RECENT_CHUNKS;

	if (recent->end - recent->first == RECENT_CHUNKS)
		recent->first++; /* its memory is used again */
	else
		recent->chunks[at] = xmalloc(RECENT_CHUNK);
	recent->newest_us[at] = INT64_MIN;
	recent->end++;
	recent->used = 0;
}

static bool is_there(const struct recent *recent, place at)
{
	return at / RECENT_CHUNK >= recent->first && at != NOWHERE;
}

static struct record *record_at(const struct recent *recent, place at)
{
	return (struct record *)(void *)(recent->chunks[at / RECENT_CHUNK % RECENT_CHUNKS] +
					 at % RECENT_CHUNK);
}

static char *text_of(struct record *record)
{
	return (char *)(record + 1) + FRAME_RESERVE;
}

/* ---- rows ---- */

static uint32_t home_of(uint32_t capacity, const struct uuid *id, int tab)
{
	uint64_t half;

	memcpy(&half, id->bytes + 8, sizeof(half));
	half = (__builtin_bswap64(half) + (uint64_t)tab) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(half >> 32) & (capacity - 1);
}

/* The tab's row, or the free one where it would be. */
static struct row *find(struct row *rows, uint32_t capacity, const struct uuid *id, int tab)
{
	uint32_t at = home_of(capacity, id, tab);

	while (rows[at].tab && !(rows[at].tab == tab && uuid_equal(&rows[at].agent_id, id)))
		at = (at + 1) & (capacity - 1);
	return &rows[at];
}

static const struct row *row_of(const struct recent *recent, const struct uuid *id, int tab)
{
	const struct row *row;

	if (!recent->rows)
		return NULL;
	row = find(recent->rows, recent->capacity, id, tab);
	return row->tab ? row : NULL;
}

/* Larger, or only without those whose events have all gone. */
static void rebuild_rows(struct recent *recent)
{
	struct row *old = recent->rows;
	uint32_t old_capacity = recent->capacity, living = 0, capacity = FIRST_CAPACITY;

	for (uint32_t i = 0; i < old_capacity; i++)
		living += old[i].tab && is_there(recent, old[i].newest);
	while (capacity < 4 * living)
		capacity *= 2;
	recent->rows = xcalloc(capacity, sizeof(struct row));
	recent->capacity = capacity;
	recent->row_count = living;
	for (uint32_t i = 0; i < old_capacity; i++)
		if (old[i].tab && is_there(recent, old[i].newest))
			*find(recent->rows, capacity, &old[i].agent_id, old[i].tab) = old[i];
	free(old);
}

static struct row *need_row(struct recent *recent, const struct uuid *id, int tab)
{
	struct row *row;

	if (2 * recent->row_count >= recent->capacity)
		rebuild_rows(recent);
	row = find(recent->rows, recent->capacity, id, tab);
	if (!row->tab) {
		*row = (struct row){.agent_id = *id, .tab = tab};
		recent->row_count++;
	}
	return row;
}

/* ---- an event ---- */

void recent_expect(const struct recent *recent, const struct uuid *agent_id, int tab)
{
	const char *row;

	if (!recent->rows)
		return;
	row = (const char *)&recent->rows[home_of(recent->capacity, agent_id, tab)];
	__builtin_prefetch(row, 1);
	__builtin_prefetch(row + sizeof(struct row) - 1, 1); /* it may lie across two lines */
}

char *recent_begin(struct recent *recent, int64_t now_us)
{
	const size_t most = sizeof(struct record) + FRAME_RESERVE + RECENT_TEXT_LONGEST;

	if (recent->first == recent->end || recent->used + most > RECENT_CHUNK) {
		recent_forget_old(recent, now_us);
		add_chunk(recent);
	}
	return text_of(record_at(recent, (recent->end - 1) * RECENT_CHUNK + recent->used));
}

void recent_commit(struct recent *recent, const struct uuid *agent_id, int tab, uint64_t epoch,
		   uint64_t seq, size_t length, int64_t at_us)
{
	const place at = (recent->end - 1) * RECENT_CHUNK + recent->used;
	int64_t *newest_us = &recent->newest_us[(recent->end - 1) % RECENT_CHUNKS];
	struct row *row = need_row(recent, agent_id, tab);
	bool follows = row->epoch == epoch && row->seq + 1 == seq;

	assert(length <= RECENT_TEXT_LONGEST);
	*record_at(recent, at) = (struct record){
		.before = follows ? row->newest : NOWHERE,
		.seq = seq,
		.at_us = at_us,
		.length = (uint32_t)length,
	};
	row->epoch = epoch;
	row->seq = seq;
	row->newest = at;
	if (*newest_us < at_us)
		*newest_us = at_us;
	recent->used += (sizeof(struct record) + FRAME_RESERVE + length + ALIGNMENT - 1) &
			~(size_t)(ALIGNMENT - 1);
}

/* ---- what was missed ---- */

bool recent_has(const struct recent *recent, const struct uuid *agent_id, int tab, uint64_t epoch,
		uint64_t after, uint64_t last, int64_t now_us)
{
	const struct row *row;
	place at;

	if (after == last)
		return true;
	if (after > last || last - after > RECENT_EVENTS)
		return false;
	row = row_of(recent, agent_id, tab);
	if (!row || row->epoch != epoch || row->seq != last)
		return false;
	for (at = row->newest; is_there(recent, at); at = record_at(recent, at)->before)
		if (record_at(recent, at)->seq == after + 1)
			return record_at(recent, at)->at_us > now_us - RECENT_AGE_US;
	return false;
}

bool recent_read(const struct recent *recent, const struct uuid *agent_id, int tab, uint64_t epoch,
		 uint64_t after, unsigned max, struct recent_text *ret, unsigned *ret_count,
		 uint64_t *ret_newest)
{
	const struct row *row = row_of(recent, agent_id, tab);
	uint64_t wanted;
	place at;

	*ret_count = 0;
	if (!row || row->epoch != epoch || row->seq < after)
		return false;
	*ret_newest = wanted = row->seq;
	/* From the newest backwards, keeping the last that fit: they are the oldest. */
	for (at = row->newest; wanted > after && is_there(recent, at); wanted--) {
		struct record *record = record_at(recent, at);
		if (wanted - after <= max)
			ret[wanted - after - 1] =
				(struct recent_text){text_of(record), record->length};
		at = record->before;
	}
	if (wanted > after)
		return false;
	*ret_count = row->seq - after < max ? (unsigned)(row->seq - after) : max;
	return true;
}

/* ---- figures ---- */

size_t recent_bytes(const struct recent *recent)
{
	return (recent->end - recent->first) * (size_t)RECENT_CHUNK;
}

unsigned recent_tabs(const struct recent *recent)
{
	return recent->row_count;
}
