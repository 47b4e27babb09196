#include "ws/audience.h"

#include <assert.h>
#include <string.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "ws/channel.h"

#define FIRST_CAPACITY 64

/* Half a cache line: a look-up among ten thousand agents waits for memory once, where a general
 * hash table waits three times, and that was a tenth of what an event costs. */
struct slot {
	struct uuid agent_id;
	struct channel *channels; /* NULL: free */
	uint32_t count;
};

struct audience { /* open addressing, at most half full */
	struct slot *slots;
	uint32_t capacity, used; /* capacity is a power of two */
};

struct audience *audience_create(void)
{
	struct audience *audience = xcalloc(1, sizeof(*audience));

	audience->capacity = FIRST_CAPACITY;
	audience->slots = xcalloc(audience->capacity, sizeof(struct slot));
	return audience;
}

void audience_destroy(struct audience *audience)
{
	if (!audience)
		return;
	free(audience->slots);
	free(audience);
}

/* Where the search for this key begins. The second half of a version 7 key is random; the product
 * spreads others. */
static uint32_t home_of(const struct audience *audience, const struct uuid *id)
{
	uint64_t half;

	memcpy(&half, id->bytes + 8, sizeof(half));
	half = __builtin_bswap64(half) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(half >> 32) & (audience->capacity - 1);
}

static uint32_t after(const struct audience *audience, uint32_t at)
{
	return (at + 1) & (audience->capacity - 1);
}

/* The agent's slot, or the free one where it would be. */
static struct slot *find(const struct audience *audience, const struct uuid *id)
{
	uint32_t at = home_of(audience, id);

	while (audience->slots[at].channels &&
	       memcmp(&audience->slots[at].agent_id, id, sizeof(*id)) != 0)
		at = after(audience, at);
	return &audience->slots[at];
}

static void grow(struct audience *audience)
{
	struct slot *old = audience->slots;
	uint32_t old_capacity = audience->capacity;

	audience->capacity *= 2;
	audience->slots = xcalloc(audience->capacity, sizeof(struct slot));
	for (uint32_t i = 0; i < old_capacity; i++)
		if (old[i].channels)
			*find(audience, &old[i].agent_id) = old[i];
	free(old);
}

/* Moves up those behind that would no longer be found across the hole. */
static void free_slot(struct audience *audience, struct slot *slot)
{
	uint32_t hole = (uint32_t)(slot - audience->slots), mask = audience->capacity - 1;

	audience->used--;
	slot->channels = NULL;
	for (uint32_t at = after(audience, hole); audience->slots[at].channels;
	     at = after(audience, at)) {
		uint32_t home = home_of(audience, &audience->slots[at].agent_id);
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		audience->slots[hole] = audience->slots[at];
		audience->slots[at].channels = NULL;
		hole = at;
	}
}

bool audience_add(struct audience *audience, struct channel *channel)
{
	struct slot *slot;

	if (2 * audience->used >= audience->capacity)
		grow(audience);
	slot = find(audience, &channel->agent_id);
	if (!slot->channels) {
		slot->agent_id = channel->agent_id;
		slot->count = 0;
		audience->used++;
	}
	DL_APPEND2(slot->channels, channel, agent_prev, agent_next);
	return ++slot->count == 1;
}

bool audience_remove(struct audience *audience, struct channel *channel)
{
	struct slot *slot = find(audience, &channel->agent_id);

	assert(slot->channels);
	DL_DELETE2(slot->channels, channel, agent_prev, agent_next);
	channel->agent_prev = NULL;
	if (--slot->count > 0)
		return false;
	free_slot(audience, slot);
	return true;
}

struct channel *audience_find(const struct audience *audience, const struct uuid *agent_id)
{
	return find(audience, agent_id)->channels;
}

unsigned audience_count(const struct audience *audience, const struct uuid *agent_id)
{
	const struct slot *slot = find(audience, agent_id);

	return slot->channels ? slot->count : 0;
}
