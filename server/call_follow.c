#include "server/call_follow.h"

#include <string.h>

#include "base/str.h"

static const char *const facts[] = {"busy", "no answer", "error on dial"};

static bool is_fact(const char *name)
{
	for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (!strcmp(name, facts[i]))
			return true;
	return false;
}

static void end(struct follow *follow)
{
	follow->is_over = true;
	if (!*follow->cause)
		str_copy(follow->cause, sizeof(follow->cause),
			 follow->has_talked ? "hung up" : "not connected");
}

bool follow_row(struct follow *follow, const char *name)
{
	if (follow->is_over || !*name)
		return false;
	if (is_fact(name)) {
		str_copy(follow->cause, sizeof(follow->cause), name);
		return false;
	}
	if (!strcmp(name, "talk"))
		follow->has_talked = true;
	str_copy_cut(follow->state, sizeof(follow->state), strcmp(name, "ring") ? name : "ringing");
	if (!strcmp(name, "idle") || !strcmp(name, "end"))
		end(follow);
	return true;
}
