#include "routes/attempts.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define SLOTS 1024
#define WAYS  4 /* places where an address may be */

struct slot {
	char peer[PEER_SIZE];
	int64_t since_us; /* when the window began */
	unsigned wrong;
};

struct attempts {
	pthread_mutex_t lock;
	const struct clock *clock;
	struct slot slots[SLOTS];
};

struct attempts *attempts_create(const struct clock *clock)
{
	struct attempts *attempts = xcalloc(1, sizeof *attempts);

	pthread_mutex_init(&attempts->lock, NULL);
	attempts->clock = clock;
	return attempts;
}

void attempts_destroy(struct attempts *attempts)
{
	if (!attempts)
		return;
	pthread_mutex_destroy(&attempts->lock);
	free(attempts);
}

/* What is counted: the address, of IPv6 its first half. */
static void who(const char *peer, char ret[PEER_SIZE])
{
	unsigned char bytes[16];

	str_copy(ret, PEER_SIZE, peer);
	if (inet_pton(AF_INET6, peer, bytes) != 1)
		return;
	memset(bytes + 8, 0, 8);
	inet_ntop(AF_INET6, bytes, ret, PEER_SIZE);
}

static unsigned first_place(const char *peer)
{
	unsigned hash = 2166136261u; /* FNV-1a */

	for (; *peer; peer++)
		hash = (hash ^ (unsigned char)*peer) * 16777619u;
	return hash % (SLOTS / WAYS) * WAYS;
}

static bool is_over(const struct slot *slot, int64_t now_us)
{
	return slot->wrong == 0 || now_us - slot->since_us >= ATTEMPTS_WINDOW_S * 1000000LL;
}

/* The address's slot; else, when one is to be made, the place of the oldest. */
static struct slot *find(struct attempts *attempts, const char *peer, bool make)
{
	struct slot *place = &attempts->slots[first_place(peer)], *oldest = place;
	int64_t now_us = clock_mono_us(attempts->clock);

	for (struct slot *slot = place; slot < place + WAYS; slot++) {
		if (is_over(slot, now_us))
			slot->wrong = 0;
		else if (strcmp(slot->peer, peer) == 0)
			return slot;
		if (oldest->wrong != 0 && (slot->wrong == 0 || slot->since_us < oldest->since_us))
			oldest = slot;
	}
	if (!make)
		return NULL;
	*oldest = (struct slot){.since_us = now_us};
	str_copy(oldest->peer, sizeof oldest->peer, peer);
	return oldest;
}

unsigned attempts_wait_s(struct attempts *attempts, const char *peer)
{
	char key[PEER_SIZE];
	unsigned wait_s = 0;

	who(peer, key);
	pthread_mutex_lock(&attempts->lock);
	const struct slot *slot = find(attempts, key, false);
	if (slot && slot->wrong >= ATTEMPTS_MAX) {
		int64_t gone_us = clock_mono_us(attempts->clock) - slot->since_us;
		wait_s = ATTEMPTS_WINDOW_S - (unsigned)(gone_us / 1000000);
	}
	pthread_mutex_unlock(&attempts->lock);
	return wait_s;
}

void attempts_add_wrong(struct attempts *attempts, const char *peer)
{
	char key[PEER_SIZE];

	who(peer, key);
	pthread_mutex_lock(&attempts->lock);
	find(attempts, key, true)->wrong++;
	pthread_mutex_unlock(&attempts->lock);
}
