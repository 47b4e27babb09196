#include "routes/reaper.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define ROUND_MS     500 /* how late a deadline may be noticed */
#define LINGER_MS    2000
#define LINGER_MAX   64
#define LINGER_BYTES (32u << 20)
#define DRAIN_SIZE   65536
#define DRAIN_READS  16 /* of one connection, then the others have their turn */

struct lingerer {
	int fd;
	int64_t due_us;
	size_t bytes;
};

struct list {
	struct reaper_entry *head, *tail;
};

struct reaper {
	struct reaper_config config;
	pthread_t thread;
	int wake_fd;
	pthread_mutex_t lock;
	pthread_cond_t quiet;
	struct list lists[PHASE_COUNT];
	unsigned busy;	/* entries in BODY, WORK or ANSWER */
	bool is_asleep; /* the thread waits without a time-out: there was nothing to watch */
	bool is_stopping;
	int handed[LINGER_MAX]; /* to linger, not yet seen by the thread */
	unsigned handed_count;
	/* the thread's own */
	struct lingerer lingerers[LINGER_MAX];
	unsigned lingerer_count;
	char drain[DRAIN_SIZE];
};

static int64_t now_us(void)
{
	return clock_mono_us(&clock_system);
}

static bool is_busy(enum phase phase)
{
	return phase == PHASE_BODY || phase == PHASE_WORK || phase == PHASE_ANSWER;
}

static void wake(struct reaper *reaper)
{
	uint64_t one = 1;

	if (write(reaper->wake_fd, &one, sizeof one) < 0)
		return; /* the counter is full: it is awake */
}

/* ---- the lists; under the lock ---- */

static void unlink_entry(struct reaper *reaper, struct reaper_entry *entry)
{
	struct list *list = &reaper->lists[entry->phase];

	if (entry->phase == PHASE_NONE)
		return;
	*(entry->previous ? &entry->previous->next : &list->head) = entry->next;
	*(entry->next ? &entry->next->previous : &list->tail) = entry->previous;
	entry->previous = entry->next = NULL;
	if (is_busy(entry->phase) && --reaper->busy == 0)
		pthread_cond_broadcast(&reaper->quiet);
	entry->phase = PHASE_NONE;
}

static void link_entry(struct reaper *reaper, struct reaper_entry *entry, enum phase phase)
{
	struct list *list = &reaper->lists[phase];

	entry->phase = phase;
	if (phase == PHASE_NONE)
		return;
	entry->due_us = now_us() + reaper->config.limit_ms[phase] * 1000LL;
	entry->previous = list->tail;
	*(list->tail ? &list->tail->next : &list->head) = entry;
	list->tail = entry;
	reaper->busy += is_busy(phase);
}

void reaper_set(struct reaper *reaper, struct reaper_entry *entry, enum phase phase)
{
	pthread_mutex_lock(&reaper->lock);
	unlink_entry(reaper, entry);
	link_entry(reaper, entry, phase);
	bool must_wake = reaper->is_asleep && phase != PHASE_NONE;
	reaper->is_asleep = reaper->is_asleep && !must_wake;
	pthread_mutex_unlock(&reaper->lock);
	if (must_wake)
		wake(reaper);
}

/* Ends the first entry of a list when it is due; false when none is. */
static bool end_first(struct reaper *reaper, enum phase phase, int64_t until_us)
{
	void *taken = NULL;

	pthread_mutex_lock(&reaper->lock);
	struct reaper_entry *entry = reaper->lists[phase].head;
	bool is_due = entry && entry->due_us <= until_us;
	if (is_due && phase == PHASE_WORK)
		taken = reaper->config.take_late(entry);
	else if (is_due)
		shutdown(entry->fd, SHUT_RDWR);
	if (is_due) {
		unlink_entry(reaper, entry);
		/* Its answer is on the way and is to be waited for. */
		link_entry(reaper, entry, taken ? PHASE_ANSWER : PHASE_NONE);
	}
	pthread_mutex_unlock(&reaper->lock);
	if (taken)
		reaper->config.late(taken);
	return is_due;
}

void reaper_end_work(struct reaper *reaper)
{
	while (end_first(reaper, PHASE_WORK, INT64_MAX))
		;
}

bool reaper_wait_quiet(struct reaper *reaper, unsigned ms)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&reaper->lock);
	while (reaper->busy > 0 && error == 0)
		error = pthread_cond_timedwait(&reaper->quiet, &reaper->lock, &until);
	bool is_quiet = reaper->busy == 0;
	pthread_mutex_unlock(&reaper->lock);
	return is_quiet;
}

/* ---- lingering ---- */

void reaper_linger(struct reaper *reaper, int fd)
{
	bool is_taken;

	pthread_mutex_lock(&reaper->lock);
	is_taken = reaper->handed_count < LINGER_MAX && !reaper->is_stopping;
	if (is_taken)
		reaper->handed[reaper->handed_count++] = fd;
	pthread_mutex_unlock(&reaper->lock);
	if (is_taken)
		wake(reaper);
	else
		close(fd); /* too many at once: this client may lose his answer */
}

static void take_handed(struct reaper *reaper)
{
	pthread_mutex_lock(&reaper->lock);
	for (unsigned i = 0; i < reaper->handed_count; i++) {
		if (reaper->lingerer_count == LINGER_MAX) {
			close(reaper->handed[i]);
			continue;
		}
		reaper->lingerers[reaper->lingerer_count++] = (struct lingerer){
			.fd = reaper->handed[i], .due_us = now_us() + LINGER_MS * 1000LL};
	}
	reaper->handed_count = 0;
	pthread_mutex_unlock(&reaper->lock);
}

/* False when there is nothing more to wait for. */
static bool drain(struct reaper *reaper, struct lingerer *lingerer)
{
	for (unsigned i = 0; i < DRAIN_READS; i++) {
		if (lingerer->bytes > LINGER_BYTES || now_us() > lingerer->due_us)
			return false;
		ssize_t got = recv(lingerer->fd, reaper->drain, DRAIN_SIZE, MSG_DONTWAIT);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		if (got == 0)
			return false;
		lingerer->bytes += (size_t)got;
	}
	return true;
}

static void drain_all(struct reaper *reaper)
{
	for (unsigned i = 0; i < reaper->lingerer_count;) {
		if (drain(reaper, &reaper->lingerers[i])) {
			i++;
			continue;
		}
		close(reaper->lingerers[i].fd);
		reaper->lingerers[i] = reaper->lingerers[--reaper->lingerer_count];
	}
}

/* ---- the thread ---- */

/* How long the thread may sleep; -1 = until it is woken. Under the lock. */
static int sleep_ms(struct reaper *reaper)
{
	int64_t first_us = INT64_MAX, now = now_us();

	for (unsigned i = PHASE_NONE + 1; i < PHASE_COUNT; i++)
		if (reaper->lists[i].head && reaper->lists[i].head->due_us < first_us)
			first_us = reaper->lists[i].head->due_us;
	for (unsigned i = 0; i < reaper->lingerer_count; i++)
		if (reaper->lingerers[i].due_us < first_us)
			first_us = reaper->lingerers[i].due_us;
	if (first_us == INT64_MAX)
		return -1;
	/* A shorter phase may begin while we sleep, and nobody wakes us for that. */
	int64_t ms = (first_us - now) / 1000 + 1;
	return ms < 1 ? 1 : ms > ROUND_MS ? ROUND_MS : (int)ms;
}

static bool wait_round(struct reaper *reaper)
{
	struct pollfd fds[LINGER_MAX + 1] = {{.fd = reaper->wake_fd, .events = POLLIN}};
	uint64_t count;

	for (unsigned i = 0; i < reaper->lingerer_count; i++)
		fds[i + 1] = (struct pollfd){.fd = reaper->lingerers[i].fd, .events = POLLIN};
	pthread_mutex_lock(&reaper->lock);
	int ms = sleep_ms(reaper);
	bool is_stopping = reaper->is_stopping;
	reaper->is_asleep = ms < 0;
	pthread_mutex_unlock(&reaper->lock);
	if (is_stopping)
		return false;
	poll(fds, reaper->lingerer_count + 1, ms);
	if (fds[0].revents && read(reaper->wake_fd, &count, sizeof count) < 0)
		return true;
	return true;
}

static void *run(void *arg)
{
	struct reaper *reaper = arg;

	while (wait_round(reaper)) {
		int64_t now = now_us();
		for (unsigned i = PHASE_NONE + 1; i < PHASE_COUNT; i++)
			while (end_first(reaper, (enum phase)i, now))
				;
		take_handed(reaper);
		drain_all(reaper);
	}
	return NULL;
}

struct reaper *reaper_create(const struct reaper_config *config)
{
	struct reaper *reaper = xcalloc(1, sizeof *reaper);
	pthread_condattr_t attributes;

	reaper->config = *config;
	pthread_mutex_init(&reaper->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&reaper->quiet, &attributes);
	pthread_condattr_destroy(&attributes);
	reaper->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (reaper->wake_fd >= 0 && pthread_create(&reaper->thread, NULL, run, reaper) == 0)
		return reaper;
	if (reaper->wake_fd >= 0)
		close(reaper->wake_fd);
	free(reaper);
	return NULL;
}

void reaper_destroy(struct reaper *reaper)
{
	if (!reaper)
		return;
	pthread_mutex_lock(&reaper->lock);
	reaper->is_stopping = true;
	pthread_mutex_unlock(&reaper->lock);
	wake(reaper);
	pthread_join(reaper->thread, NULL);
	take_handed(reaper);
	for (unsigned i = 0; i < reaper->lingerer_count; i++)
		close(reaper->lingerers[i].fd);
	close(reaper->wake_fd);
	pthread_cond_destroy(&reaper->quiet);
	pthread_mutex_destroy(&reaper->lock);
	free(reaper);
}
