#pragma once
/* Who looks at what: the attached channels of each agent, found at once however many agents there
 * are. An agent has a few windows, at most AUDIENCE_MAX; to look through those for a tab costs less
 * than a second index. */
#include <stdbool.h>
#include "base/uuid.h"

#define AUDIENCE_MAX 64

struct channel;
struct audience;

struct audience *audience_create(void);
void audience_destroy(struct audience *audience); /* the channels are not touched */
/* By channel->agent_id. The first of its agent? */
bool audience_add(struct audience *audience, struct channel *channel);
/* The last of its agent? */
bool audience_remove(struct audience *audience, struct channel *channel);
/* The agent's channels, linked by agent_next; NULL when there are none. */
struct channel *audience_find(const struct audience *audience, const struct uuid *agent_id);
unsigned audience_count(const struct audience *audience, const struct uuid *agent_id);
