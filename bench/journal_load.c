/* clang-format off */
/* What the journal takes, and the disk below it.
 *
 *   journal_load sync FOLDER SIZE COUNT          one write and one fdatasync each, 2 ms apart, into a file whose space was
 *                                                taken and zeroed: {"p50_us"}
 *   journal_load append FOLDER SIZE OUT SECONDS  OUT entries of SIZE bytes, and when all are stable the next ones:
 *                                                {"per_s","p50_us","p99_us"} */
/* clang-format on */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/journal.h"

#define APART_US   2000
#define FILE_BYTES (4 << 20)
#define SIZE_MOST  65536
#define OUT_MOST   4096
#define TIMES_MAX  (1 << 22)

static char payload[SIZE_MOST];
static unsigned times[TIMES_MAX];
static unsigned time_count;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_us(void)
{
	return clock_mono_us(&clock_system);
}

static void note_time(int64_t us)
{
	if (time_count < TIMES_MAX)
		times[time_count++] = (unsigned)us;
}

static int by_size(const void *a, const void *b)
{
	unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;

	return (left > right) - (left < right);
}

static unsigned time_at(unsigned percent)
{
	return time_count ? times[(uint64_t)(time_count - 1) * percent / 100] : 0;
}

/* --- the disk alone --- */

static int make_file(const char *folder)
{
	static char zeros[FILE_BYTES];
	char path[JOURNAL_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/disk", folder);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || pwrite(fd, zeros, FILE_BYTES, 0) != FILE_BYTES || fsync(fd) != 0)
		die(path);
	return fd;
}

static void run_sync(const char *folder, size_t size, unsigned count)
{
	int fd = make_file(folder);
	off_t at = 0;

	for (unsigned i = 0; i < count; i++, at += (off_t)size) {
		usleep(APART_US);
		if (at + (off_t)size > FILE_BYTES)
			at = 0;
		int64_t began_us = now_us();
		if (pwrite(fd, payload, size, at) != (ssize_t)size || fdatasync(fd) != 0)
			die("fdatasync");
		note_time(now_us() - began_us);
	}
	close(fd);
	qsort(times, time_count, sizeof(times[0]), by_size);
	printf("{\"p50_us\":%u}\n", time_at(50));
}

/* --- through the journal --- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t synced;
} seen = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void on_synced(void *user, uint64_t number)
{
	(void)user;
	pthread_mutex_lock(&seen.lock);
	seen.synced = number;
	pthread_cond_signal(&seen.changed);
	pthread_mutex_unlock(&seen.lock);
}

static void wait_for(uint64_t number)
{
	pthread_mutex_lock(&seen.lock);
	while (seen.synced < number)
		pthread_cond_wait(&seen.changed, &seen.lock);
	pthread_mutex_unlock(&seen.lock);
}

static void append_all(struct journal *journal, size_t size, unsigned out, int64_t until_us)
{
	static int64_t began_us[OUT_MOST];
	uint64_t number = 0, told = 0;

	while (now_us() < until_us) {
		for (; number < told + out; began_us[number % out] = now_us())
			if (journal_append(journal, 1, payload, size, &number) != ST_OK)
				die("journal_append");
		wait_for(number);
		int64_t at_us = now_us();
		while (told < number)
			note_time(at_us - began_us[++told % out]);
	}
}

static void run_append(const char *folder, size_t size, unsigned out, unsigned seconds)
{
	const struct journal_config config = {.folder = folder, .node = "bench"};
	const struct journal_events events = {.on_synced = on_synced};
	struct err err = {0};
	struct journal *journal = journal_open(&config, &events, NULL, &err);

	if (!journal) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	int64_t began_us = now_us();
	append_all(journal, size, out, began_us + seconds * INT64_C(1000000));
	int64_t took_us = now_us() - began_us;
	uint64_t count = journal_synced(journal);
	journal_close(journal, 60000);
	qsort(times, time_count, sizeof(times[0]), by_size);
	printf("{\"per_s\":%.0f,\"p50_us\":%u,\"p99_us\":%u}\n",
	       (double)count * 1e6 / (double)took_us, time_at(50), time_at(99));
}

int main(int argc, char **argv)
{
	size_t size = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	unsigned count = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;

	if (size == 0 || size > SIZE_MOST || count == 0 || count > OUT_MOST)
		return 2;
	memset(payload, 'x', sizeof(payload));
	if (argc == 5 && strcmp(argv[1], "sync") == 0)
		run_sync(argv[2], size, count);
	else if (argc == 6 && strcmp(argv[1], "append") == 0)
		run_append(argv[2], size, count, (unsigned)strtoul(argv[5], NULL, 10));
	else
		return 2;
	return 0;
}
