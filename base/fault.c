#include "base/fault.h"

#ifdef CALLTAB_FAULTS
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAULTS_MAX 8

static struct fault {
	char name[64], action[16];
	int hit;
	atomic_int hits;
} faults[FAULTS_MAX];
static unsigned fault_count, planted;
static pthread_once_t once = PTHREAD_ONCE_INIT;

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
}

static bool carry_out(const struct fault *fault)
{
	if (!strcmp(fault->action, "kill"))
		kill(getpid(), SIGKILL);
	if (!strcmp(fault->action, "stop"))
		kill(getpid(), SIGSTOP);
	return !strcmp(fault->action, "fail");
}

bool fault_reached(const char *name)
{
	bool has_failed = false;

	pthread_once(&once, read_environment);
	for (unsigned i = 0; i < fault_count; i++)
		if (!strcmp(faults[i].name, name) &&
		    atomic_fetch_add(&faults[i].hits, 1) + 1 == faults[i].hit)
			has_failed |= carry_out(&faults[i]);
	return has_failed;
}

bool fault_is_planted(unsigned number)
{
	pthread_once(&once, read_environment);
	return planted == number;
}
#else
/* An empty translation unit is no C. */
typedef int fault_is_compiled_out;
#endif
