#include "base/spare.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"

#define SPARES_MAX 16
#define LENT_US	   INT64_C(1000000)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int spares[SPARES_MAX];
static unsigned kept, wanted;
static int64_t lent_until_us; /* all of it below the lock */

static int open_one(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool fill(void)
{
	while (kept < wanted) {
		int fd = open_one();
		if (fd < 0)
			return false;
		spares[kept++] = fd;
	}
	return true;
}

static bool release(void)
{
	if (kept == 0)
		return false;
	close(spares[--kept]);
	return true;
}

void spare_keep(unsigned count)
{
	pthread_mutex_lock(&lock);
	wanted = count < SPARES_MAX ? count : SPARES_MAX;
	while (kept > wanted)
		release();
	fill();
	pthread_mutex_unlock(&lock);
}

bool spare_fill(void)
{
	pthread_mutex_lock(&lock);
	bool is_whole = kept == wanted || (clock_mono_us(&clock_system) >= lent_until_us && fill());
	pthread_mutex_unlock(&lock);
	return is_whole;
}

bool spare_release(void)
{
	pthread_mutex_lock(&lock);
	bool had_one = release();
	pthread_mutex_unlock(&lock);
	return had_one;
}

bool spare_may_help(int error)
{
	return error == EMFILE || error == ENFILE;
}

/* Tried and not counted: nobody but the kernel knows how many are left. */
void spare_make_room(unsigned count)
{
	int tried[SPARES_MAX];
	unsigned found = 0;

	pthread_mutex_lock(&lock);
	while (found < count && found < SPARES_MAX) {
		tried[found] = open_one();
		if (tried[found] < 0)
			break;
		found++;
	}
	for (unsigned i = 0; i < found; i++)
		close(tried[i]);
	if (found < count)
		lent_until_us = clock_mono_us(&clock_system) + LENT_US;
	for (; found < count && release(); found++)
		;
	pthread_mutex_unlock(&lock);
}
