/* Crashes of a disk in memory: what was promised is there, nothing else is. With CALLTAB_SEED the
 * run of that seed, with CALLTAB_IMAGES more of them. */
#include "db_test.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/cleanup.h"
#include "db/journal.h"
#include "db/journal_scan.h"
#include "journal_ram.h"
#include "tests/support/results.h"

#define SEGMENT		16384
#define ENTRIES		2000 /* of a run */
#define IMAGES_OF_A_RUN 2000
#define IMAGES_DEFAULT	20000
#define FLIPS		10000
#define PAYLOAD_MAX	400
#define STEP_MAX	300		/* more than a segment holds */
#define BEYOND		(STEP_MAX + 20) /* entries of a run may be so many more */
#define FOLDER		"/journal"

static uint64_t seed_of_run(void)
{
	const char *text = getenv("CALLTAB_SEED");
	uint64_t seed;

	if (text)
		return strtoull(text, NULL, 10);
	random_bytes(&seed, sizeof(seed));
	return seed >> 16; /* a number that JavaScript can hold */
}

static unsigned images_of_run(void)
{
	const char *text = getenv("CALLTAB_IMAGES");

	return text ? (unsigned)strtoul(text, NULL, 10) : IMAGES_DEFAULT;
}

/* --- a run that is recorded --- */

static bool is_step_end[ENTRIES + BEYOND + 1] = {true}; /* entry by entry, of the last run */

struct run {
	struct ram *ram;
	struct journal *journal;
	uint64_t random, faults;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t synced;
	unsigned syncs;
};

static size_t make_payload(uint64_t number, uint8_t bytes[PAYLOAD_MAX])
{
	uint64_t state = number;
	size_t size = (size_t)(ram_random(&state) % (number % 50 ? 80 : PAYLOAD_MAX));

	for (size_t i = 0; i < size; i += 8) {
		uint64_t word = ram_random(&state);
		memcpy(bytes + i, &word, size - i < 8 ? size - i : 8);
	}
	return size;
}

static void on_synced(void *user, uint64_t number)
{
	struct run *run = user;

	ram_note(run->ram, RAM_ACKED, number);
	pthread_mutex_lock(&run->lock);
	run->synced = number;
	pthread_cond_signal(&run->changed);
	pthread_mutex_unlock(&run->lock);
}

/* Some syncs of segments fail: what they covered may be on the disk or not, for ever. */
static int hook(void *user, enum ram_kind kind, const char *name)
{
	struct run *run = user;
	uint64_t number;

	if (kind != RAM_SYNC || !segment_name_parse(name, &number))
		return 0;
	return ram_random(&run->faults) % 40 == 0 ? EIO : 0;
}

static uint64_t append_step(struct run *run, unsigned count)
{
	uint8_t payload[PAYLOAD_MAX];
	uint64_t number = 0;

	if (count > 1)
		journal_hold(run->journal, true);
	for (unsigned i = 0; i < count; i++) {
		size_t size = make_payload(journal_appended(run->journal) + 1, payload);
		assert_int_equal(journal_append(run->journal, 1, payload, size, &number), ST_OK);
		is_step_end[number] = false;
	}
	if (count > 1)
		journal_hold(run->journal, false);
	is_step_end[number] = true;
	return number;
}

/* Steps of one or some entries, rarely of very many. */
static void append_group(struct run *run, unsigned count)
{
	uint64_t number = 0;

	for (unsigned left = count; left > 0;) {
		unsigned step = 1 + (unsigned)(ram_random(&run->random) % left);
		left -= step;
		number = append_step(run, step);
	}
	if (ram_random(&run->random) % 60 == 0)
		number = append_step(run, STEP_MAX);
	pthread_mutex_lock(&run->lock);
	while (run->synced < number)
		pthread_cond_wait(&run->changed, &run->lock);
	pthread_mutex_unlock(&run->lock);
}

/* Now and then opened again, and the older half released. */
static void between_groups(struct run *run, const struct journal_config *config,
			   const struct journal_events *events)
{
	uint64_t chance = ram_random(&run->random) % 40;

	if (chance == 0) {
		assert_int_equal(journal_close(run->journal, 5000), 0);
		run->journal = journal_open(config, events, NULL, NULL);
		assert_non_null(run->journal);
	} else if (chance == 1 && journal_synced(run->journal) > 200) {
		uint64_t below =
			journal_synced(run->journal) - 100 - ram_random(&run->random) % 100;
		ram_note(run->ram, RAM_RELEASE, below);
		journal_release(run->journal, below);
	}
}

static struct ram *record_run(uint64_t seed, bool is_failing)
{
	struct run run = {.ram = ram_make(), .random = seed, .faults = seed + 1};
	struct journal_io io = ram_io(run.ram);
	const struct journal_config config = {
		.folder = FOLDER, .node = "n1", .io = &io, .segment_size = SEGMENT};
	const struct journal_events events = {.on_synced = on_synced, .user = &run};

	pthread_mutex_init(&run.lock, NULL);
	pthread_cond_init(&run.changed, NULL);
	run.ram->is_recording = true;
	run.ram->is_choppy = seed % 3 == 0;
	if (is_failing) {
		run.ram->hook = hook;
		run.ram->hook_user = &run;
	}
	run.journal = journal_open(&config, &events, NULL, NULL);
	assert_non_null(run.journal);
	while (journal_appended(run.journal) < ENTRIES) {
		append_group(&run, 1 + (unsigned)(ram_random(&run.random) % 20));
		between_groups(&run, &config, &events);
	}
	assert_int_equal(journal_close(run.journal, 5000), 0);
	assert_int_equal(run.ram->synced_after_failure, 0);
	run.ram->hook = NULL;
	run.ram->is_choppy = false;
	pthread_mutex_destroy(&run.lock);
	pthread_cond_destroy(&run.changed);
	return run.ram;
}

/* --- images --- */

struct range {
	uint64_t first, last; /* 0: none */
};

struct verdict {
	uint64_t lost, phantom, refused, unsteady, partial;
};

/* What a journal holds; false when an entry is not what was appended. */
static bool read_range(struct journal *journal, struct range *ret)
{
	struct journal_reader *reader = journal_reader_open(journal, 1);
	struct journal_entry entry;
	uint8_t payload[PAYLOAD_MAX];
	enum status status;
	bool is_right = true;

	*ret = (struct range){0};
	while ((status = journal_reader_next(reader, &entry, NULL)) == ST_OK) {
		if (ret->first == 0)
			ret->first = entry.number;
		else
			is_right &= entry.number == ret->last + 1;
		ret->last = entry.number;
		is_right &= entry.type == 1 && entry.size == make_payload(entry.number, payload) &&
			    memcmp(entry.payload, payload, entry.size) == 0;
	}
	journal_reader_close(reader);
	return is_right && status == ST_NOT_FOUND;
}

static bool open_range(struct ram *ram, bool is_read_only, struct range *ret, bool *ret_is_right,
		       struct journal_found *ret_found, struct err *err)
{
	struct journal_io io = ram_io(ram);
	const struct journal_config config = {.folder = FOLDER,
					      .node = "n1",
					      .io = &io,
					      .segment_size = SEGMENT,
					      .is_read_only = is_read_only};
	struct journal *journal = journal_open(&config, NULL, ret_found, err);

	if (!journal)
		return false;
	/* What opening found was told to somebody, so it is promised from here on. */
	ram_note(ram, RAM_ACKED, journal_synced(journal));
	*ret_is_right = read_range(journal, ret);
	journal_close(journal, 5000);
	return true;
}

struct promise {
	uint64_t acked, released, appended;
};

/* Prints what is wrong, so that the seed and the place are enough to see it again. */
static void judge(struct ram *image, const struct promise *promise, struct verdict *verdict,
		  struct range *ret)
{
	struct journal_found found;
	struct range again;
	struct err err = {0};
	bool is_right = true;

	if (!open_range(image, false, ret, &is_right, &found, &err)) {
		verdict->refused++;
		print_message("refused: %s\n", err.message);
		return;
	}
	uint64_t first = promise->released > 1 ? promise->released : 1;
	bool is_lost =
		promise->acked > ret->last || (promise->acked >= first && ret->first > first);
	bool is_phantom = !is_right || ret->last > promise->appended;
	verdict->lost += is_lost;
	verdict->phantom += is_phantom;
	bool is_partial = !is_phantom && !is_step_end[ret->last];
	verdict->partial += is_partial;
	if (is_partial)
		print_message("part of a step: to %" PRIu64 "\n", ret->last);
	if (is_lost || is_phantom)
		print_message("promised to %" PRIu64 " (released below %" PRIu64 "), found %" PRIu64
			      " to %" PRIu64 "%s\n",
			      promise->acked, promise->released, ret->first, ret->last,
			      is_right ? "" : ", not as appended");
	if (!open_range(image, true, &again, &is_right, &found, NULL) || !is_right ||
	    again.last != ret->last || again.first != ret->first)
		verdict->unsteady++;
}

/* The machine goes down once more while it recovers, or right after. */
static void crash_again(const struct ram *disk, const struct ram *record,
			const struct promise *before, uint64_t *random, struct verdict *verdict)
{
	struct promise promise = *before;
	struct ram_replay replay;
	struct range range;

	ram_replay_init(&replay, record, disk);
	for (uint64_t steps = ram_random(random) % (record->op_count + 1); steps > 0; steps--)
		ram_replay_step(&replay);
	if (replay.acked > promise.acked)
		promise.acked = replay.acked;
	struct ram *image = ram_replay_crash(&replay, random);
	judge(image, &promise, verdict, &range);
	ram_free(image);
	ram_replay_done(&replay);
}

/* The number of images. */
static unsigned crash_here(const struct ram_replay *replay, uint64_t *random,
			   struct verdict *verdict)
{
	const struct promise promise = {
		.acked = replay->acked, .released = replay->released, .appended = ENTRIES + BEYOND};
	struct ram *image = ram_replay_crash(replay, random);
	struct ram *disk = NULL;
	struct range range;

	if (ram_random(random) % 8 == 0) {
		disk = ram_copy(image);
		image->is_recording = true;
	}
	judge(image, &promise, verdict, &range);
	if (disk)
		crash_again(disk, image, &promise, random, verdict);
	ram_free(disk);
	ram_free(image);
	return disk ? 2 : 1;
}

/* At every operation of a run: before each sync, after it, and between. */
static unsigned crash_everywhere(const struct ram *record, unsigned most, uint64_t *random,
				 struct verdict *verdict)
{
	struct ram_replay replay;
	unsigned images = 0;

	ram_replay_init(&replay, record, NULL);
	do {
		/* what is left, spread over the operations that are left */
		unsigned left = record->op_count - replay.next + 1;
		unsigned here = most > images ? (most - images + left - 1) / left : 0;
		for (unsigned i = 0; i < here; i++)
			images += crash_here(&replay, random, verdict);
	} while (ram_replay_step(&replay));
	ram_replay_done(&replay);
	return images;
}

static void crash_anywhere_loses_nothing_that_was_promised(void **state)
{
	(void)state;
	uint64_t seed = seed_of_run(), random = seed;
	unsigned wanted = images_of_run(), images = 0;
	struct verdict verdict = {0};

	print_message("CALLTAB_SEED=%" PRIu64 " CALLTAB_IMAGES=%u\n", seed, wanted);
	for (unsigned run = 0; images < wanted; run++) {
		unsigned left = wanted - images;
		struct ram *record = record_run(seed + run, run % 2 == 1);
		images += crash_everywhere(record, left < IMAGES_OF_A_RUN ? left : IMAGES_OF_A_RUN,
					   &random, &verdict);
		ram_free(record);
	}
	uint64_t wrong = verdict.lost + verdict.phantom + verdict.refused + verdict.unsteady +
			 verdict.partial;
	print_message("%u images: %" PRIu64 " lost, %" PRIu64 " phantom, %" PRIu64
		      " refused, %" PRIu64 " read otherwise the second time, %" PRIu64
		      " with part of a step\n",
		      images, verdict.lost, verdict.phantom, verdict.refused, verdict.unsteady,
		      verdict.partial);
	result_record(&(struct result){.test = "crash.images",
				       .n = images,
				       .seed = seed,
				       .figure = (double)wrong,
				       .unit = "lost",
				       .pass = wrong == 0});
	assert_int_equal(wrong, 0);
}

/* --- bit rot --- */

struct rot {
	unsigned refused, cut, harmless, silent;
};

static void flip_one(struct ram *ram, const struct range *whole, uint64_t *random, struct rot *rot)
{
	struct journal_io io = ram_io(ram);
	const struct journal_config config = {.folder = FOLDER, .node = "n1", .io = &io};
	const struct ram_name *name = &ram->names[ram_random(random) % ram->name_count];
	struct ram_inode *inode = &ram->inodes[name->inode];
	struct journal_scan scan;
	struct range range = {0};
	struct err err = {0};
	bool is_right = true;

	if (inode->size == 0)
		return flip_one(ram, whole, random, rot);
	int64_t at = (int64_t)(ram_random(random) % (uint64_t)inode->size);
	uint8_t bit = (uint8_t)(1 << ram_random(random) % 8);
	inode->bytes[at] ^= bit;
	enum status status = journal_scan(&config, &io, &scan, &err);
	if (status == ST_OK)
		open_range(ram, true, &range, &is_right, NULL, NULL);
	bool is_whole = range.first == whole->first && range.last == whole->last;
	bool is_cut = range.first == whole->first && range.last < whole->last && scan.cut_bytes > 0;
	if (status != ST_OK)
		*(strcmp(err.code, "journal.damaged") == 0 ? &rot->refused : &rot->silent) += 1;
	else if (is_right && is_whole)
		rot->harmless++;
	else if (is_right && is_cut)
		rot->cut++;
	else
		rot->silent++;
	journal_scan_done(&scan);
	inode->bytes[at] ^= bit;
}

static void flipped_bit_is_never_believed(void **state)
{
	(void)state;
	uint64_t seed = seed_of_run(), random = seed;
	struct ram *ram = record_run(seed, true);
	struct range whole;
	struct rot rot = {0};
	bool is_right = false;

	ram->is_recording = false;
	assert_true(open_range(ram, true, &whole, &is_right, NULL, NULL));
	assert_true(is_right && whole.last >= ENTRIES);
	for (unsigned i = 0; i < FLIPS; i++)
		flip_one(ram, &whole, &random, &rot);
	print_message("CALLTAB_SEED=%" PRIu64
		      ": %u flips: %u refused, %u cut the tail and said so, "
		      "%u harmless, %u silent\n",
		      seed, FLIPS, rot.refused, rot.cut, rot.harmless, rot.silent);
	result_record(&(struct result){.test = "crash.bitrot",
				       .n = FLIPS,
				       .seed = seed,
				       .figure = rot.silent,
				       .unit = "silent",
				       .pass = rot.silent == 0});
	assert_int_equal(rot.silent, 0);
	assert_true(rot.refused > FLIPS / 4);
	ram_free(ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crash_anywhere_loses_nothing_that_was_promised),
		cmocka_unit_test(flipped_bit_is_never_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
