#include "base/fault.h"

#ifdef CALLTAB_FAULTS
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FAULTS_MAX 8
#define COUNTS_MAX 128
#define LATE_MS	   3000

static struct fault {
	char name[64], action[16];
	int hit;
	atomic_int hits;
} faults[FAULTS_MAX];

/* As it is in the file: of fixed size, so that another program can read it. */
static struct count {
	char name[56];
	_Atomic uint64_t hits;
} * counts;

static atomic_uint *disk; /* DISK_NUMBERS of them */

static pthread_mutex_t counts_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned fault_count, planted;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Shared with whoever reads and writes the file; NULL when there is none. */
static void *map_file(const char *path, size_t size)
{
	int fd = path && *path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	void *memory = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

static void read_environment(void)
{
	const char *text = getenv("CALLTAB_FAILPOINT"), *plant = getenv("CALLTAB_PLANT");
	planted = plant ? (unsigned)strtoul(plant, NULL, 10) : 0;
	while (text && *text && fault_count < FAULTS_MAX) {
		struct fault *fault = &faults[fault_count];

		if (sscanf(text, "%63[^:]:%d:%15[a-z]", fault->name, &fault->hit, fault->action) ==
		    3)
			fault_count++;
		text = strchr(text, ',');
		text = text ? text + 1 : NULL;
	}
	counts = map_file(getenv("CALLTAB_FAILPOINT_COUNTS"), COUNTS_MAX * sizeof(*counts));
	disk = map_file(getenv("CALLTAB_FAULT_DISK"), DISK_NUMBERS * sizeof(*disk));
}

static void count(const char *name)
{
	unsigned i = 0;

	if (!counts)
		return;
	pthread_mutex_lock(&counts_lock);
	while (i < COUNTS_MAX && counts[i].name[0] &&
	       strncmp(counts[i].name, name, sizeof(counts[i].name)) != 0)
		i++;
	if (i < COUNTS_MAX && !counts[i].name[0])
		snprintf(counts[i].name, sizeof(counts[i].name), "%s", name);
	pthread_mutex_unlock(&counts_lock);
	if (i < COUNTS_MAX)
		atomic_fetch_add(&counts[i].hits, 1);
}

static bool carry_out(const struct fault *fault)
{
	if (!strcmp(fault->action, "late"))
		poll(NULL, 0, LATE_MS);
	if (!strcmp(fault->action, "kill") || !strcmp(fault->action, "late"))
		kill(getpid(), SIGKILL);
	if (!strcmp(fault->action, "stop"))
		kill(getpid(), SIGSTOP);
	return !strcmp(fault->action, "fail");
}

bool fault_reached(const char *name)
{
	bool has_failed = false;

	pthread_once(&once, read_environment);
	count(name);
	for (unsigned i = 0; i < fault_count; i++)
		if (!strcmp(faults[i].name, name) &&
		    atomic_fetch_add(&faults[i].hits, 1) + 1 == faults[i].hit)
			has_failed |= carry_out(&faults[i]);
	return has_failed;
}

unsigned fault_small(const char *name, unsigned usual)
{
	const char *text = getenv("CALLTAB_SMALL");
	size_t length = strlen(name);

	while (text && *text) {
		if (!strncmp(text, name, length) && text[length] == ':')
			return (unsigned)strtoul(text + length + 1, NULL, 10);
		text = strchr(text, ',');
		text = text ? text + 1 : NULL;
	}
	return usual;
}

bool fault_is_planted(unsigned number)
{
	pthread_once(&once, read_environment);
	return planted == number;
}

bool fault_disk(enum fault_disk_op op)
{
	pthread_once(&once, read_environment);
	if (!disk)
		return false;
	unsigned slow_ms = op == DISK_SYNCS ? disk[DISK_SLOW_MS] : 0;
	if (slow_ms > 0) {
		atomic_fetch_add(&disk[DISK_SLOW_BEGUN], 1);
		poll(NULL, 0, (int)slow_ms);
		atomic_fetch_add(&disk[DISK_SLOW_ENDED], 1);
	}
	unsigned error = disk[DISK_FAILING] & op ? disk[DISK_ERROR] : 0;
	if (error == 0)
		return false;
	atomic_fetch_add(&disk[DISK_FAILED], 1);
	errno = (int)error;
	return true;
}
#else
/* An empty translation unit is no C. */
typedef int fault_is_compiled_out;
#endif
